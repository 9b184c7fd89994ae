"""The probability of a decision, read from real answers of llama-server (xllamacpp 2026.10) and from made ones."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends.sure import Token, decision, tokens

REPLIES = Path(__file__).parent / "replies"


def real(model: str) -> Any:
    return json.loads((REPLIES / f"{model}.json").read_bytes())["choices"][0]


def test_a_real_answer_is_read_token_by_token_with_the_fence_that_the_server_left_out() -> None:
    choice = real("qwen2.5-coder-1.5b")
    said = b"".join(token.text for token in tokens(choice["logprobs"]))
    assert said.startswith(b"```json\n{")
    assert choice["message"]["content"].strip() in said.decode()


def test_enough_is_weighed_against_its_one_alternative_since_the_server_does_not_know_the_grammar() -> None:
    said = tokens(real("qwen2.5-coder-1.5b")["logprobs"])
    taken = next(token for token in said if token.text == b" false")
    assert math.exp(taken.log) == pytest.approx(0.3216, abs=0.001)  # against everything that a text may go on with
    found = decision(said)
    assert found is not None
    assert 0.3216 < found < 0.6  # `true` was not listed: at most as likely as the least that was
    assert decision([Token(b'{"enough": ', 0.0), Token(b"true", math.log(0.3), {b" false": math.log(0.1)})]) == 0.75
    assert decision([Token(b'{"fits": ', 0.0), Token(b"false", math.log(0.2), {b"true": math.log(0.2)})]) == 0.5


def test_an_alternative_that_is_listed_twice_counts_by_the_likelier_of_both() -> None:
    others = {b" true": math.log(0.1), b"true": math.log(0.001), b"false": math.log(0.0005)}
    assert decision([Token(b'{"fits":', 0.0), Token(b" false", math.log(0.3), others)]) == 0.75


def test_a_model_that_would_have_said_anything_else_is_not_sure_at_all() -> None:
    found = decision(tokens(real("smollm2-135m")["logprobs"]))
    assert found is not None
    assert found < 0.001


@pytest.mark.parametrize(
    ("pieces", "sure"),
    [
        ([('{"calls":[{"tool":"', 0.9), ("files", 0.25), (".read", 0.5)], 0.25),
        ([('{"calls":[{"tool":', 0.9), (' "fi', 0.5), ("les", 0.125)], 0.5),
        ([('{"name": "', 0.9), ("x", 0.75)], 0.75),
        ([('{"thought":"enough', 0.5), ('","tool":"', 1.0), ("a", 0.25)], 0.25),
        ([('{"answer":"no decision in it"}', 0.5)], None),
        ([('{"enough":', 0.5)], None),
        ([], None),
    ],
)
def test_the_first_token_of_what_is_decided_counts_wherever_tokens_begin(
    pieces: list[tuple[str, float]], sure: float | None
) -> None:
    assert decision([Token(text.encode(), math.log(p)) for text, p in pieces]) == sure


@pytest.mark.parametrize(
    "logprobs",
    [None, {}, {"content": None}, {"content": "x"}, [1], {"content": [None, 3, {"token": 1, "logprob": 0}, {}]}],
)
def test_what_is_of_another_form_is_no_token(logprobs: Any) -> None:
    assert tokens(logprobs) == []


def test_a_server_that_tells_nonsense_gives_no_probability_beyond_its_bounds() -> None:
    odd = [{"token": '{"tool":"', "logprob": 5}, {"token": "a", "logprob": float("nan")}]
    assert decision(tokens({"content": odd})) == 0.0
    odd[1]["logprob"] = 7.0
    assert decision(tokens({"content": odd})) == 1.0
    assert tokens({"content": [{"token": "a", "bytes": [300, -1], "logprob": -1}]}) == [Token(b"a", -1.0)]
