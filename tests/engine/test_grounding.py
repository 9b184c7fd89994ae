"""Answers from documents, sentence by sentence: which passage holds each, and which none does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.chain import Kind
from ringfence.engine.answering import Cite, Verify
from ringfence.engine.facts import facts, is_german
from ringfence.engine.grounding import Grounded, Source, grounded
from ringfence.engine.passages import CITE, NOT_THERE, Passage, on_record, parsed
from ringfence.engine.settings import Settings
from ringfence.engine.unanswered import lacking, unheard

from .conftest import Build, House, final, step

LEAVE = (
    "Employees are entitled to 25 days of annual leave. Requests are approved by the team lead, Anna Schmidt.\n"
    "Unused days expire on 31 March 2027."
)
DISK = (
    "If the disk is above 90 % for 15 minutes, page the on-call engineer. Run `df -h` first. "
    "INC-4711 was the last case."
)
NOTICE = (
    "Die Kündigungsfrist beträgt drei Monate zum Quartalsende. Ansprechpartnerin ist Frau Müller in der Abteilung "
    "Einkauf. Die Vertragsstrafe beträgt 1.250,00 EUR."
)
PRICE = "The licence costs $1,200 a year. He said: “the seal is replaced\nbefore winter”, and left."
SHOWN = {
    1: Passage(1, "hr/leave.md", LEAVE, title="Leave", start=100, end=100 + len(LEAVE)),
    2: Passage(2, "runbooks/disk.md", DISK, page=2, headings="Recovery > Web"),
    3: Passage(3, "de/vertrag.md", NOTICE),
    4: Passage(4, "sales/price.md", PRICE),
}


def held(answer: str, **more: Any) -> Grounded:
    return grounded(answer, SHOWN, more.pop("task", "What is it?"), **more)


HOLDS = [
    ("Employees get 25 days of annual leave.", "Employees get 25 days of annual leave [1]."),
    ("Employees get 25 days of leave [1].", "Employees get 25 days of leave [1]."),
    ("You get 25 days [2].", "You get 25 days [1]."),
    ("You get 25 days[1].", "You get 25 days [1]."),
    ("You get 25 days. [1]", "You get 25 days [1]."),
    ("You get 25 days [1, 2].", "You get 25 days [1]."),
    ("You get 25 days [passage 1].", "You get 25 days [1]."),
    ("You get 25 days 【1†source】.", "You get 25 days [1]."),
    ("You get 25 days [1-3].", "You get 25 days [1]."),
    ("You get 25 days [77].", "You get 25 days [1]."),
    ("25 days", "25 days [1]"),
    ("Anna Schmidt", "Anna Schmidt [1]"),
    ("Anna Schmidt approves requests.", "Anna Schmidt approves requests [1]."),
    ("Unused days expire on 2027-03-31.", "Unused days expire on 2027-03-31 [1]."),
    ("Unused days expire on 31.03.2027.", "Unused days expire on 31.03.2027 [1]."),
    ("Unused days expire on March 31, 2027.", "Unused days expire on March 31, 2027 [1]."),
    ("INC-4711 was the last case!", "INC-4711 was the last case [2]!"),
    ("Page the on-call engineer.", "Page the on-call engineer [2]."),
    ("Above ninety percent for fifteen minutes.", "Above ninety percent for fifteen minutes [2]."),
    ("Die Kündigungsfrist beträgt 3 Monate.", "Die Kündigungsfrist beträgt 3 Monate [3]."),
    ("Die Frist ist drei Monate.", "Die Frist ist drei Monate [3]."),
    ("Frau Müller ist Ansprechpartnerin.", "Frau Müller ist Ansprechpartnerin [3]."),
    ("Die Vertragsstrafe ist 1250 Euro.", "Die Vertragsstrafe ist 1250 Euro [3]."),
    ("The notice period is 3 months.", "The notice period is 3 months [3]."),
    ("Der Urlaub beträgt 25 Tage.", "Der Urlaub beträgt 25 Tage [1]."),
    ("The licence costs 1200 dollars a year.", "The licence costs 1200 dollars a year [4]."),
    ("- 25 days of leave\n- 15 minutes above 90 %", "- 25 days of leave [1]\n- 15 minutes above 90 % [2]"),
    ("| leave | 25 days |", "| leave | 25 days [1] |"),
    (
        "Employees get 25 days of leave and the on-call engineer is paged after 15 minutes.",
        "Employees get 25 days of leave and the on-call engineer is paged after 15 minutes [1][2].",
    ),
    ("You get 25 days.\n\nSources:\n[1] hr/leave.md\n[2] runbooks/disk.md", "You get 25 days [1]."),
    ("You get 25 days.\nSource: hr/leave.md", "You get 25 days [1]."),
]


@pytest.mark.parametrize(("answer", "shown"), HOLDS)
def test_a_sentence_gets_the_mark_of_the_passage_that_holds_it(answer: str, shown: str) -> None:
    found = held(answer)
    assert (found.answer, found.flags) == (shown, ())
    assert [source.n for source in found.sources] == sorted({int(n) for n in re.findall(r"\[(\d)\]", shown)})


LACKS = [
    ("Employees get 30 days of annual leave [1].", "unsupported"),
    ("Employees get 25 weeks of annual leave [1].", "unsupported"),
    ("Bob Miller approves the requests [1].", "unsupported"),
    ("Bob is the team lead.", "unsupported"),
    ("Unused days expire on 31 March 2028 [1].", "unsupported"),
    ("INC-4712 was the last case [2].", "unsupported"),
    ("Ansprechpartner ist Herr Meier [3].", "unsupported"),
    ("Die Kündigungsfrist beträgt 3 Wochen [3].", "unsupported"),
    ("Die Vertragsstrafe ist 1350 Euro [3].", "unsupported"),
    ("The licence costs 1200 euros a year [4].", "unsupported"),
    ("The canteen serves lunch to visitors [1].", "unsupported"),
    ("The canteen serves lunch to visitors [9].", "citation"),
    ('It says "employees may take forty days" [1].', "quote"),
]


@pytest.mark.parametrize(("answer", "kind"), LACKS)
def test_what_no_passage_holds_has_no_mark_and_is_flagged(answer: str, kind: str) -> None:
    found = held(answer)
    assert ([flag.kind for flag in found.flags], found.sources) == ([kind], ())
    assert not re.search(r"\[\d+\]", found.answer)
    [flag] = found.flags
    assert found.answer[slice(*flag.at)] == found.answer


@pytest.mark.parametrize(("answer", "kind"), LACKS)
def test_under_strict_it_is_left_out_and_the_rest_stands(answer: str, kind: str) -> None:
    found = held(f"{answer} Unused days expire on 31 March 2027.", strict=True)
    assert found.answer == "Unused days expire on 31 March 2027 [1]."
    assert [flag.kind for flag in found.flags] == [kind]
    assert held(answer, strict=True).answer == ""


@pytest.mark.parametrize(
    "answer",
    [
        "Not in the documents.",
        "The documents do not mention the salary.",
        "Das steht nicht in den Dokumenten.",
        "Dazu gibt es keine Angaben.",
        "I could not find who Bob Miller is.",
        "Yes.",
        "Is that what you meant?",
        "Here is what the documents say:",
    ],
)
def test_what_states_nothing_needs_no_passage(answer: str) -> None:
    found = held(answer)
    assert (found.answer, found.sources, found.flags) == (answer, (), ())


def test_an_answer_that_there_is_none_loses_the_mark_that_it_was_given() -> None:
    assert held("The documents do not mention the salary [1].").answer == "The documents do not mention the salary."


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ('It says "Employees are entitled  to 25 days".', 'It says "Employees are entitled to 25 days" [1].'),
        ("It says 'employees are Entitled to 25'.", "It says 'Employees are entitled to 25' [1]."),
        ("Es heißt „Ansprechpartnerin ist Frau Müller“.", "Es heißt „Ansprechpartnerin ist Frau Müller“ [3]."),
        ('He said "the seal is replaced before winter".', 'He said "the seal is replaced before winter" [4].'),
        ('"Employees are ... annual leave."', '"Employees are ... annual leave." [1]'),
        ('It says "Employees are entitled to 25 days." [1]', 'It says "Employees are entitled to 25 days." [1]'),
        (
            'It says "Employees are entitled to 25 days [1]." Good.',
            'It says "Employees are entitled to 25 days." [1] Good.',
        ),
        (
            'It says "Run df -h first. INC-4711 was the last case." Do so.',
            'It says "Run `df -h` first. INC-4711 was the last case." [2] Do so.',
        ),
        ('It says "Run df -h first".', 'It says "Run `df -h` first" [2].'),
    ],
)
def test_a_quotation_is_given_in_the_words_of_its_passage_or_is_none(quoted: str, shown: str) -> None:
    assert held(quoted).answer == shown


def test_a_source_says_where_its_words_stand_in_the_document() -> None:
    [source] = held("Unused days expire on 2027-03-31.").sources
    assert (source.document, source.title, source.chars) == ("hr/leave.md", "Leave", (100, 100 + len(LEAVE)))
    assert source.quote == "Unused days expire on 31 March 2027."
    assert source.quote == LEAVE[source.at[0] - 100 : source.at[1] - 100]
    assert Source.of(source.to_json()) == source


def test_a_quotation_is_what_its_source_repeats() -> None:
    [source] = held('It says "approved by the team lead" [1].').sources
    assert source.quote == "approved by the team lead"


def test_what_another_tool_worked_out_needs_no_passage() -> None:
    found = held("That is 200 hours. You get 25 days.", shown="25 * 8 = 200 hours")
    assert (found.answer, found.flags) == ("That is 200 hours. You get 25 days [1].", ())
    found = held("You get 25 days of annual leave, 200 hours.", shown="{'result': 200}")
    assert (found.answer, found.flags) == ("You get 25 days of annual leave, 200 hours [1].", ())


def test_a_result_that_is_no_passage_is_passed_over() -> None:
    good = {"n": 1, "document": "a", "text": "b", "chars": "5-6", "page": 2}
    bad: list[Any] = [None, 3, [], {}, {"n": True, "document": "a", "text": ""}, {"n": 0, "document": "a", "text": ""}]
    assert [one.n for one in parsed({"passages": [*bad, good]})] == [1]
    assert all(not list(parsed(value)) for value in [*bad, {"passages": bad}])


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("What is the price of Zorblax?", "zorblax"),
        ("What happened in INC-9999?", "inc-9999"),
        ("Was kostet der Typ ZX81?", "zx81"),
        ("Who approves requests, Anna Schmidt?", ""),
        ("Is Anna Zimmer the team lead?", ""),
        ("What does the CEO say?", ""),
        ("Wie lang ist die Kündigungsfrist?", ""),
        ("How many days of leave are there?", ""),
    ],
)
def test_the_name_that_a_question_is_about_and_no_passage_has_is_told(task: str, name: str) -> None:
    assert lacking(task, SHOWN) == name


def test_a_question_whose_words_no_passage_has_is_noted() -> None:
    assert "dress" in unheard("What is the dress code?", SHOWN)
    assert unheard("How many days of annual leave are there?", SHOWN) == ""


def test_german_and_english_are_told_apart() -> None:
    assert is_german("Die Frist ist drei Monate.")
    assert not is_german("The period is three months.")
    assert facts("Die Frist beträgt 3 Monate").numbers == (("3", "month"),)
    assert facts("Die Frist beträgt 3 Monate").names == ()


@pytest.mark.parametrize(
    "code", ["```\nrm -rf /srv\n```", "```rm -rf /srv```", "```bash rm -rf /srv\n```", "```[0] it costs 99"]
)
def test_code_that_no_passage_has_is_flagged_wherever_it_stands_in_its_fence(code: str) -> None:
    assert [flag.why for flag in held(code).flags] == ["no passage has this line"]
    assert held(code, strict=True).answer == ""


def test_code_of_a_passage_stands_with_its_language() -> None:
    assert held("```sh\ndf -h\n```").flags == ()


def test_an_index_in_code_cites_nothing() -> None:
    found = held("```sh\ndf -h\nx[1]\n```")
    assert found.sources == ()
    assert "x[1]" in found.answer


WORDS = st.sampled_from(
    [
        *re.findall(
            r"\S+", f"{LEAVE} {DISK} {NOTICE} {PRICE} not found \" ' „ “ [1] [2] [9] [1, 2] ``` | - # ? Bob 17"
        ),
        "\n",
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=60).map(" ".join))


def shown_in_order(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(sign in rest for sign in part)


@settings(max_examples=300)
@given(TEXTS, TEXTS, TEXTS, st.booleans())
def test_no_answer_makes_it_raise_and_its_quotes_are_verbatim(text: str, other: str, task: str, strict: bool) -> None:
    passages = {**SHOWN, 5: Passage(5, "x.md", other)}
    found = grounded(text, passages, task, strict=strict)
    for source in found.sources:
        assert source.quote in passages[source.n].text
    prose = re.sub(r"^[ \t]*```[^`]*(?:```|\Z)", "", found.answer, flags=re.M)  # a[1] in code is an index
    marks = {int(n) for n in re.findall(r"\[(\d{1,4})\](?!\()", prose)}
    assert marks == {source.n for source in found.sources}
    for flag in found.flags:
        assert 0 <= flag.at[0] <= flag.at[1]
    grounded(found.answer, passages, task)
    known = set(re.findall(r"\w", text.casefold() + "".join(p.text.casefold() for p in passages.values())))
    said = re.sub(r"\[\d+\]", "", found.answer)
    assert set(re.findall(r"\w", said.casefold())) <= known


@settings(max_examples=200)
@given(st.lists(WORDS, max_size=30).map(" ".join))
def test_every_quotation_of_three_words_that_is_printed_stands_in_a_passage(text: str) -> None:
    for said in (f'It says "{text}".', f"Es heißt „{text}“ [3]."):
        found = grounded(said, SHOWN, "what?")
        flat = [" ".join(p.text.split()) for p in SHOWN.values()]
        bare = re.sub(r"\s*\[\d+\]", "", found.answer)  # marks are the runtime's own
        quotes = [*re.findall(r'"([^"\n]*)"', bare), *re.findall(r"„([^„“”\"\n]*)[“”]", bare)]
        for quote in quotes:
            words = re.split(r"\s*\[?(?:\.\.\.|…)\]?\s*", quote)
            if len(quote.split()) >= 3:
                assert all(any(w.strip(" .,;:!?") in one for one in flat) for w in words)


RESULT = {
    "passages": [
        {
            "n": 1,
            "document": "hr/leave.md",
            "chars": f"100-{100 + len(LEAVE)}",
            "headings": "Leave > Days",
            "text": LEAVE,
        },
        {"n": 2, "document": "runbooks/disk.md", "page": 2, "chars": "0-9", "text": DISK},
    ]
}
SEARCH = step(("kb.search", {"of": "leave"}))


def agent(house: Build, *answers: str, cite: Cite = Cite.WARN, verify: Verify = Verify.WARN, **how: Any) -> House:
    tools = {"kb.search": lambda args: RESULT, **how.pop("tools", {})}
    return house([SEARCH, *answers], settings=Settings(verify=verify, cite=cite), tools=tools, **how)


def said(house: House, n: int) -> str:
    return "\n".join(message.decode() for message in house.model.prompts[n].messages)


async def test_a_run_shows_passages_by_number_and_asks_for_the_number(house: Build) -> None:
    made = agent(house, final("You get 25 days."))
    result = await made.run("How many days of annual leave are there?")
    assert (result.status, result.answer) == ("done", "You get 25 days [1].")
    assert "[1] hr/leave.md, Leave > Days\\nEmployees are" in said(made, 1)
    assert "[2] runbooks/disk.md, page 2\\nIf the disk" in said(made, 1)
    assert CITE.replace('"', '\\"') in said(made, 1)
    assert CITE.replace('"', '\\"') not in said(made, 0)
    [source] = result.sources
    assert (source.n, source.document, source.headings) == (1, "hr/leave.md", "Leave > Days")
    ended = made.records()[-1]
    assert ended.view["sources"] == 1
    assert ended.body["sources"] == [source.to_json()]
    assert on_record(made.records())[1].text == LEAVE


@pytest.mark.parametrize("verify", list(Verify))
async def test_a_right_answer_stands_whatever_else_is_checked(house: Build, verify: Verify) -> None:
    made = agent(house, final("Employees are entitled to 25 days [1]. Anna Schmidt approves [1]."), verify=verify)
    result = await made.run("How many days of leave, and who approves?")
    assert (result.status, result.flags) == ("done", ())
    assert result.answer == "Employees are entitled to 25 days [1]. Anna Schmidt approves [1]."


async def test_warn_flags_what_no_passage_holds(house: Build) -> None:
    made = agent(house, final("You get 25 days. The canteen serves lunch to visitors [2]."))
    result = await made.run("How many days of leave are there?")
    assert result.answer == "You get 25 days [1]. The canteen serves lunch to visitors."
    assert (result.status, result.confidence) == ("done", "low")
    assert result.flags[0].startswith("unsupported: The canteen")
    assert made.records()[-1].view["flags"] == {"unsupported": 1}


@pytest.mark.parametrize("verify", list(Verify))
async def test_strict_drops_it(house: Build, verify: Verify) -> None:
    said = "You get 25 days. The canteen serves lunch to visitors [2]."
    made = agent(house, final(said), final(said), cite=Cite.STRICT, verify=verify)
    result = await made.run("How many days of leave are there?")
    assert (result.answer, result.status) == ("You get 25 days [1].", "partial")
    assert [source.n for source in result.sources] == [1]


async def test_strict_says_that_it_is_not_there_if_nothing_is_left(house: Build) -> None:
    lie = final("The canteen serves lunch to visitors [2].")
    made = agent(house, lie, lie, cite=Cite.STRICT)
    result = await made.run("What is served for leave days?")
    assert result.answer == "Not in the documents. Looked in hr/leave.md, runbooks/disk.md."
    assert (result.status, result.sources, len(made.model.prompts)) == ("done", (), 3)


async def test_a_question_about_what_nothing_mentions_is_pushed_to_the_honest_answer(house: Build) -> None:
    made = agent(house, final("It costs 25 [1]."), final(NOT_THERE))
    result = await made.run("What does Zorblax cost?")
    assert (result.answer, result.sources) == (NOT_THERE, ())
    assert f'"const":"{NOT_THERE}"' in (made.model.prompts[2].schema or b"").decode()


async def test_where_documents_are_all_there_is_nothing_else_is_tried_for_a_name_that_none_has(house: Build) -> None:
    made = agent(house, final(NOT_THERE))
    assert (await made.run("What does Zorblax cost?")).answer == NOT_THERE
    offered = json.loads(made.model.prompts[1].schema or b"")["properties"]
    assert "calls" not in offered
    assert offered["final_answer"]["properties"]["answer"] == {"const": NOT_THERE}


async def test_another_tool_may_know_a_name_that_no_document_has(house: Build) -> None:
    made = agent(house, final("It costs 42 [1]."), final(NOT_THERE), tools={"look": lambda args: {"text": "it is 42"}})
    await made.run("What does Zorblax cost?")
    assert "look" in (made.model.prompts[1].schema or b"").decode()


async def test_where_nothing_was_found_there_is_one_answer(house: Build) -> None:
    tools = {"kb.search": lambda args: {"passages": [], "note": "nothing"}}
    made = agent(house, final("It costs 25."), final(NOT_THERE), tools=tools)
    result = await made.run("What does it cost?")
    assert result.answer == NOT_THERE


async def test_off_checks_nothing(house: Build) -> None:
    made = agent(house, final("You get 30 weeks [9]."), cite=Cite.OFF, verify=Verify.OFF)
    result = await made.run("How many days of leave are there?")
    assert (result.answer, result.sources, result.flags) == ("You get 30 weeks [9].", (), ())


async def test_a_run_without_documents_is_as_it_was(house: Build) -> None:
    made = house([step(("look", {"of": "it"})), final("It is 42.")], settings=Settings(cite=Cite.STRICT))
    result = await made.run("What is it?")
    assert (result.answer, result.sources, result.flags) == ("It is 42.", (), ())
    assert all(CITE[:20] not in said(made, n) for n in range(2))
    assert "sources" not in made.records()[-1].view
    assert [r.kind for r in made.records()][-1] is Kind.FINISHED
