"""What a model is shown in place of values, and how generously what it writes is read."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Outcome, Prompt
from ringfence.redaction import Redactor
from ringfence.redaction.veil import Veil, Veiled

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


def message(text: str, role: str = "user") -> bytes:
    return json.dumps({"role": role, "content": text}).encode()


def shown(veil: Veil, *texts: str, schema: Any = None) -> tuple[list[str], Any]:
    data = None if schema is None else json.dumps(schema).encode()
    prompt = veil.prompt("r", Prompt(tuple(map(message, texts)), (), data))
    return [json.loads(m)["content"] for m in prompt.messages], prompt.schema and json.loads(prompt.schema)


def test_every_message_is_hidden_and_the_first_one_says_what_placeholders_are() -> None:
    texts, _ = shown(Veil(Redactor()), "You help bob@example.com.", "Write to bob@example.com")
    assert texts[0].startswith("You help <EMAIL_1>.\nValues such as <EMAIL_1>")
    assert texts[1] == "Write to <EMAIL_1>"


def test_the_choices_of_a_grammar_are_hidden_and_come_back() -> None:
    veil = Veil(Redactor())
    schema = {"properties": {"path": {"enum": ["", "mail/bob@example.com", "a.txt"]}, "to": {"const": "amy@x.org"}}}
    _, hidden = shown(veil, "go", schema=schema)
    assert hidden == {"properties": {"path": {"enum": ["", "mail/<EMAIL_1>", "a.txt"]}, "to": {"const": "<EMAIL_2>"}}}
    assert veil.show("r", '{"path": "mail/<EMAIL_1>"}') == '{"path": "mail/bob@example.com"}'


def test_an_argument_of_a_fixed_form_may_be_a_placeholder_too() -> None:
    rule = {"type": "string", "pattern": "^[^@]+@[^@]+$"}
    _, before = shown(Veil(Redactor()), "nothing", schema={"properties": {"to": rule}})
    assert before == {"properties": {"to": rule}}
    _, after = shown(Veil(Redactor()), "bob@example.com", schema={"properties": {"to": rule}})
    assert after == {"properties": {"to": {"anyOf": [rule, {"enum": ["<EMAIL_1>"]}]}}}


@pytest.mark.parametrize("written", ["<EMAIL_1>", "<email_1>", "< EMAIL_1 >", "<EMAIL 1>", "&lt;EMAIL_1&gt;"])
def test_a_placeholder_is_read_however_a_small_model_writes_it(written: str) -> None:
    veil = Veil(Redactor())
    shown(veil, "bob@example.com")
    assert json.loads(veil.show("r", json.dumps({"to": written}))) == {"to": "bob@example.com"}
    assert veil.show("r", f"so I write to {written}.") == "so I write to bob@example.com."


@pytest.mark.parametrize("forged", ["<EMAIL_1>", "<email_1>", "< EMAIL_1 >", "<EMAIL 1>", "&lt;EMAIL_1&gt;"])
def test_what_a_document_forges_comes_back_as_it_was_and_never_as_a_value(forged: str) -> None:
    veil = Veil(Redactor())
    (_, text), _ = shown(veil, "bob@example.com", f"send it to {forged}")
    assert text == "send it to <TEXT_1>"
    assert veil.show("r", '{"to": "<TEXT_1>"}') == json.dumps({"to": forged})


def test_words_that_are_no_placeholder_stay() -> None:
    veil = Veil(Redactor())
    shown(veil, "bob@example.com", "<EMAIL_1>")
    for text in ("EMAIL_1", "email 1", "<EMAIL_7>", "<name>", "text 1", "a < b", "<EMAIL>"):
        assert veil.show("r", text) == text


@pytest.mark.parametrize("form", ['{"key": "<KEY_1>"}', '```json\n{"key": "<KEY_1>"}\n```'])
def test_a_value_of_several_lines_leaves_the_json_readable(form: str) -> None:
    veil = Veil(Redactor())
    shown(veil, KEY)
    text = veil.show("r", form)
    assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == {"key": KEY}


class Model:
    """A sink that streams an answer in pieces."""

    def __init__(self, text: str, cuts: list[int]) -> None:
        self.text, self.cuts = text, sorted({min(cut, len(text)) for cut in cuts})

    async def perform(self, action: Action) -> Outcome:
        edges = [0, *self.cuts, len(self.text)]
        for start, end in pairwise(edges):
            if action.progress is not None and end > start:
                action.progress(self.text[start:end])
        return Outcome({"text": self.text, "finish": "stop"})


@given(st.lists(st.integers(0, 120), max_size=12))
async def test_what_streams_is_whole_wherever_it_is_cut(cuts: list[int]) -> None:
    veil, seen = Veil(Redactor()), []
    shown(veil, "bob@example.com 10.1.2.3")
    text = '{"thought": "a < b and <EMAIL_1> is at <IP_1>", "calls": [{"to": "<email_1>"}], "x": "<EMAIL_9> <"}'
    action = Action("model:m", {}, IDENTITY, run="r", progress=seen.append)
    outcome = await Veiled(Model(text, cuts), veil).perform(action)
    whole = text.replace("<EMAIL_1>", "bob@example.com").replace("<IP_1>", "10.1.2.3")
    whole = whole.replace("<email_1>", "bob@example.com")
    assert "".join(seen) == whole
    assert json.loads(outcome.value["text"]) == json.loads(whole)


async def test_a_failure_of_the_model_is_passed_on_as_it_is() -> None:
    class Failing:
        async def perform(self, action: Action) -> Outcome:
            return Outcome({"error": "<EMAIL_1>"}, ok=False)

    outcome = await Veiled(Failing(), Veil(Redactor())).perform(Action("model:m", {}, IDENTITY))
    assert outcome == Outcome({"error": "<EMAIL_1>"}, ok=False)
