"""Answers over whole runs: held against the record, sent back once, cut to what is proved, or left alone."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.chain import Kind
from ringfence.core.errors import ToolError
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import fold
from ringfence.engine.answering import Verify
from ringfence.engine.context import encode
from ringfence.engine.course import NOT_FOUND
from ringfence.engine.settings import Settings, Validator

from .conftest import Build, House, Rung, fail, final, step

LOOK = step(("look", {"of": "it"}))
LOW_ROLE = {"of": Role.LOW}
PUT: Any = {"effect": Effect.WRITE, "audience": None, "roles": LOW_ROLE, "summary": "write a text into a file"}
SEND: Any = {"effect": Effect.EGRESS, "audience": None, "roles": LOW_ROLE, "summary": "send a mail to somebody"}
TEXT = 'The pump was checked on 2026-03-02. The note says "replace the seal before winter". It ran 42 hours.'
LIES = {
    "a deed": ("I have sent the mail to Bob. It ran 42 hours.", "action", "It ran 42 hours."),
    "a deed in German": ("Ich habe die Datei gespeichert. Sie lief 42 Stunden.", "action", "Sie lief 42 Stunden."),
    "a number": ("It ran 42 hours. The pressure was 987 bar.", "number", "It ran 42 hours."),
    "a quotation": ('It ran 42 hours. The note says "throw the pump away today".', "quote", "It ran 42 hours."),
    "a citation": ("It ran 42 hours. The seal is old [r99].", "citation", "It ran 42 hours."),
}
TRUE = [
    "It ran 42 hours.",
    "It ran 42 hours [r5].",
    "The pump was checked on 2 March 2026.",
    "The pump was checked on March 2nd, 2026.",
    "Die Pumpe wurde am 2. März 2026 geprüft.",
    'The note says "replace the seal before winter".',
    "I did not send anything. It ran 42 hours.",
    "Sie lief 42 Stunden.",
    "You could send a mail to Bob.",
]


def judged(house: Build, *answers: str, verify: Verify, **how: Any) -> House:
    how = {"tools": {"look": lambda args: {"text": TEXT}, "put": str, "send": str}, **how}
    specs = {"put": PUT, "send": SEND, **how.pop("specs", {})}
    return house([LOOK, *map(final, answers)], settings=Settings(verify=verify), specs=specs, **how)


@pytest.mark.parametrize("lie", LIES)
async def test_under_strict_a_lie_goes_back_once_and_is_then_cut_out(house: Build, lie: str) -> None:
    said, kind, rest = LIES[lie]
    agent = judged(house, said, said, verify=Verify.STRICT)
    result = await agent.run("How long did the pump run?")
    assert (result.status, result.answer, result.confidence) == ("partial", rest, "low")
    assert result.flags[0].startswith(f"{kind}: ")
    assert len(agent.model.prompts) == 3
    assert (encode("assistant", final(said)) in agent.model.prompts[2].messages) is (kind != "number")
    ended = agent.records()[-1]
    assert ended.kind is Kind.FINISHED
    assert ended.view["flags"] == {kind: 1}
    assert "Bob" not in str(ended.view), "what is in a view holds no content"


@pytest.mark.parametrize("lie", LIES)
async def test_under_strict_an_answer_that_was_mended_stands(house: Build, lie: str) -> None:
    agent = judged(house, LIES[lie][0], LIES[lie][2], verify=Verify.STRICT)
    result = await agent.run("How long did the pump run?")
    assert (result.status, result.answer, result.confidence, result.flags) == ("done", LIES[lie][2], "high", ())


@pytest.mark.parametrize("lie", ["a deed", "a deed in German", "a quotation"])
async def test_under_warn_a_lie_is_given_as_it_is_and_flagged(house: Build, lie: str) -> None:
    said, kind, _ = LIES[lie]
    agent = judged(house, said, verify=Verify.WARN)
    result = await agent.run("How long did the pump run?")
    assert (result.status, result.answer, result.confidence) == ("done", said, "low")
    assert [flag.partition(":")[0] for flag in result.flags] == [kind]
    assert agent.records()[-1].view["flags"] == {kind: 1}


@pytest.mark.parametrize("lie", LIES)
async def test_with_verify_off_nothing_is_checked(house: Build, lie: str) -> None:
    agent = judged(house, LIES[lie][0], verify=Verify.OFF)
    result = await agent.run("How long did the pump run?")
    assert (result.status, result.answer, result.confidence, result.flags) == ("done", LIES[lie][0], "high", ())
    assert "flags" not in agent.records()[-1].view


@pytest.mark.parametrize("verify", Verify)
@pytest.mark.parametrize("answer", TRUE)
async def test_what_is_true_is_left_alone(house: Build, answer: str, verify: Verify) -> None:
    agent = judged(house, answer, verify=verify)
    result = await agent.run("How long did the pump run?")
    assert (result.status, result.answer, result.confidence, result.flags) == ("done", answer, "high", ())
    assert len(agent.model.prompts) == 2


@pytest.mark.parametrize("verify", [Verify.WARN, Verify.STRICT])
@pytest.mark.parametrize(
    "answer", ["That is not found in the files.", "I do not know.", "Das steht nicht in den Dateien."]
)
async def test_to_say_that_it_is_not_there_is_an_answer(house: Build, answer: str, verify: Verify) -> None:
    agent = judged(house, answer, verify=verify)
    result = await agent.run("How many valves are there?")
    assert (result.status, result.answer, result.flags) == ("done", answer, ())


async def test_what_was_done_may_be_said(house: Build) -> None:
    agent = house(
        [step(("put", {"of": "42"})), final("I have written 42 into the file.")],
        tools={"put": str}, specs={"put": PUT}, settings=Settings(verify=Verify.STRICT),
    )  # fmt: skip
    result = await agent.run("Write 42 into a file.")
    assert (result.status, result.flags) == ("done", ())


@pytest.mark.parametrize("verify", [Verify.WARN, Verify.STRICT])
async def test_a_call_that_failed_is_no_deed(house: Build, verify: Verify) -> None:
    said = final("I have written 42 into the file.")
    agent = house(
        [step(("put", {"of": "42"})), said, said, said, said],
        tools={"put": fail}, specs={"put": PUT}, settings=Settings(verify=verify, max_steps=4),
    )  # fmt: skip
    result = await agent.run("Write 42 into a file.")
    assert (result.status, result.confidence) == ("partial", "low")
    if verify is Verify.STRICT:
        assert "I have written" not in result.answer
        assert "put(of='42') failed" in result.answer


async def test_a_tool_of_the_runtime_proves_no_deed(house: Build) -> None:
    """`read_more` is no write, though the manifest does not name it."""
    text = "42 " + "word " * 400
    said = final("I have saved the file.")
    agent = house(
        [LOOK, step(("read_more", {"handle": "r5", "offset": 300})), said, said],
        tools={"look": lambda args: {"text": text}, "put": str}, specs={"put": PUT},
        settings=Settings(verify=Verify.STRICT, result_chars=300),
    )  # fmt: skip
    result = await agent.run()
    assert "I have saved" not in result.answer
    assert "read_more" not in result.answer.partition("look")[0]


async def test_the_flags_of_a_run_survive_a_crash_before_its_end(house: Build) -> None:
    whole = judged(house, LIES["a deed"][0], LIES["a deed"][0], verify=Verify.STRICT)
    expected = await whole.run()
    records = whole.records()
    for cut in range(len(records) - 3, len(records)):
        again = judged(house, verify=Verify.STRICT)
        for record in records[:cut]:
            again.journal.append(record)
        result = await again.engine.drive(fold(records[:cut]))
        assert (result.answer, result.status, result.flags) == (expected.answer, expected.status, expected.flags)


def short(facts: Any) -> str:
    return "" if len(facts["answer"]) < 12 else "It is too long."


async def test_an_answer_that_does_not_pass_goes_back_and_the_next_may_stand(house: Build) -> None:
    check = Validator("answer", passes=short, why="Answer in one word")
    agent = house([LOOK, final("it is 42 of all things"), final("42")], settings=Settings(validators=(check,)))
    result = await agent.run()
    assert (result.status, result.answer) == ("done", "42")
    assert b"Answer in one word. It is too long." in agent.model.prompts[2].messages[-1]
    assert b"42 of all things" in agent.model.prompts[2].messages[-2]  # whoever is to say it otherwise sees it


async def test_an_answer_that_never_passes_is_not_done(house: Build) -> None:
    check = Validator("answer", passes=short, why="Answer in one word")
    said = final("it is 42 of all things")
    agent = house([LOOK, said, said], settings=Settings(validators=(check,)))
    result = await agent.run()
    assert (result.status, result.confidence) == ("partial", "low")
    assert result.summary == "the answer did not pass a check: Answer in one word. It is too long."


async def test_an_answer_that_does_not_pass_goes_to_the_next_model(house: Build) -> None:
    check = Validator("answer", passes=short)
    said = final("it is 42 of all things")
    agent = house([LOOK, said, said], tiers={"big": Rung([final("42")])}, settings=Settings(validators=(check,)))
    result = await agent.run()
    assert (result.status, result.answer, result.rungs["escalate"]) == ("done", "42", 1)


async def test_a_result_that_does_not_pass_is_told_to_the_model_once(house: Build) -> None:
    def full(facts: Any) -> str:
        return "" if facts["result"]["text"] != "nothing" else "It is empty."

    said = iter(["nothing", "it is 42"])
    agent = house(
        [step(("look", {"of": "a"})), step(("look", {"of": "b"})), final("42")],
        tools={"look": lambda args: {"text": next(said)}},
        settings=Settings(validators=(Validator("look", passes=full, why="Look elsewhere"),)),
    )
    result = await agent.run()
    assert (result.status, result.answer) == ("done", "42")
    assert b"Look elsewhere. It is empty." in agent.model.prompts[1].messages[-1]
    assert b"Look elsewhere" not in agent.model.prompts[2].messages[-1]


async def test_results_that_do_not_pass_again_are_for_the_next_model(house: Build) -> None:
    never = Validator("look", passes=lambda facts: "It is empty.", why="Look elsewhere")
    looks = [step(("look", {"of": name})) for name in "ab"]
    agent = house(looks, tiers={"big": Rung([final("42")])}, settings=Settings(validators=(never,)))
    result = await agent.run()
    assert (result.status, result.answer) == ("done", "42")
    assert len(agent.model.prompts) == 2
    moved = [record.view["why"] for record in agent.records() if record.view.get("tier") == "model:big"]
    assert moved == ["invalid"]


CHECK = Validator("answer", tool="tool:check", why="Check failed")
CHECKS: Any = {"check": {"schema": None, "repeats": None}}


@pytest.mark.parametrize(
    ("told", "status"),
    [(True, "done"), (False, "partial"), ("too vague", "partial"), (1, "partial"), (None, "partial"), ({}, "partial")],
)
async def test_a_tool_that_checks_has_to_return_true(house: Build, told: Any, status: str) -> None:
    agent = house(
        [LOOK, final("it is 42"), final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42"}, "check": lambda args: told},
        specs=CHECKS, settings=Settings(validators=(CHECK,)),
    )  # fmt: skip
    result = await agent.run()
    assert result.status == status
    assert agent.tools["check"].calls[0] == {"answer": "it is 42", "task": "what is it?"} or status == "partial"
    if told == "too vague":
        assert b"Check failed. too vague" in agent.model.prompts[2].messages[-1]


async def test_a_tool_that_checks_gets_what_its_schema_names(house: Build) -> None:
    agent = house(
        [LOOK, final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42"}, "check": lambda args: True},
        specs={"check": {"schema": {"type": "object", "properties": {"answer": {"type": "string"}}}}},
        settings=Settings(validators=(CHECK,)),
    )
    assert (await agent.run()).status == "done"
    assert agent.tools["check"].calls == [{"answer": "it is 42"}]


async def test_a_check_that_fails_passes_nothing(house: Build) -> None:
    def broken(args: Any) -> Any:
        raise ToolError("no such table")

    agent = house(
        [LOOK, final("it is 42"), final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42"}, "check": broken},
        specs=CHECKS, settings=Settings(validators=(CHECK,)),
    )  # fmt: skip
    assert (await agent.run()).status == "partial"


async def test_a_check_that_wants_a_persons_yes_passes_nothing_and_asks_nobody(house: Build) -> None:
    agent = house(
        [LOOK, final("it is 42"), final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42"}, "check": lambda args: True},
        specs={"check": {"schema": None, "ask": True}}, settings=Settings(validators=(CHECK,)),
    )  # fmt: skip
    result = await agent.run()
    assert (result.status, agent.tools["check"].calls) == ("partial", [])


async def test_the_same_answer_of_another_model_is_not_checked_twice_and_passes(house: Build) -> None:
    """A tool that may be called once with the same is not refused for it: what it said then counts."""
    low = final("it is 42").replace('"high"', '"low"')
    agent = house(
        [LOOK, low], tiers={"big": Rung([final("it is 42")])},
        tools={"look": lambda args: {"text": "it is 42"}, "check": lambda args: True},
        specs={"check": {"schema": None, "repeats": 1}}, settings=Settings(validators=(CHECK,)),
    )  # fmt: skip
    result = await agent.run()
    assert (result.status, result.answer) == ("done", "it is 42")
    assert len(agent.tools["check"].calls) == 1


async def test_what_a_check_says_is_not_shown_as_a_result(house: Build) -> None:
    check = Validator("look", tool="tool:check")
    agent = house(
        [LOOK, final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42"}, "check": lambda args: True},
        specs=CHECKS, settings=Settings(validators=(check,)),
    )  # fmt: skip
    result = await agent.run()
    assert result.status == "done"
    assert agent.tools["check"].calls == [{"args": {"of": "it"}, "result": {"text": "it is 42"}, "task": "what is it?"}]
    assert not any(b"check(" in message for prompt in agent.model.prompts[1:] for message in prompt.messages[1:])


async def test_a_run_that_is_cut_off_while_it_is_checked_ends_the_same(house: Build) -> None:
    how: Any = {
        "tools": {"look": lambda args: {"text": "it is 42"}, "check": lambda args: len(args["answer"]) < 8},
        "specs": CHECKS,
        "settings": Settings(validators=(CHECK,)),
    }
    script = [LOOK, final("it is 42"), final("42")]
    whole = house(script, **how)
    expected = await whole.run()
    records = whole.records()
    thoughts = [r.seq for r in records if r.kind is Kind.OUTCOME and "usage" in r.view]
    for cut in range(2, len(records)):
        again = house(script[sum(seq < cut for seq in thoughts) :], **how)
        for record in records[:cut]:
            again.journal.append(record)
        result = await again.engine.drive(fold(records[:cut]))
        assert (result.answer, result.status) == (expected.answer, expected.status), cut


async def test_who_has_failed_twice_may_say_that_nothing_is_there(house: Build) -> None:
    calls = [step(("look", {"of": name})) for name in ("hull_colour", "colour")]
    agent = house([*calls, final("The colour is not found: it is no column.")], tools={"look": fail})
    result = await agent.run("What colour is the hull?")
    assert result.answer == "The colour is not found: it is no column."
    assert not [record for record in agent.records() if "doubt" in record.body]


@pytest.mark.parametrize(
    ("answer", "worked", "stays"),
    [
        ("yellow", False, False),
        ("The statement cannot be read because colour is not a column.", False, False),
        ("The hull of the Merlin is yellow.", False, False),
        ("The boats are in the shed.", False, True),  # that stands there
        ("yellow", True, True),
        ("no", False, True),
        ("42", False, True),
    ],
)
async def test_a_word_from_nowhere_after_calls_that_failed_is_nothing_found(
    house: Build, answer: str, worked: bool, stays: bool
) -> None:
    tools = {
        "find": lambda args: {"passages": [{"path": "a.md", "text": "All boats are in the shed."}]},
        "query": fail,
        "look": lambda args: {"text": "something else"},
    }
    calls = [step(("query", {"of": n})) for n in "abc"] + [step(("look", {"of": "x"}))] * worked
    agent = house([*calls, *[final(answer)] * 3], tools=tools, specs={"find": {"opens": "question"}})
    result = await agent.run("What colour is the hull of the Merlin? It is in data/boats.csv.")
    assert (result.answer == answer) is stays
    assert (result.answer == NOT_FOUND) is not stays


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("Send Ann the report.", "Sorry, that was impossible: the server is offline."),
        ("Read notes/a.txt and summarise it.", "That document doesn't exist."),
        ("What colour is the hull?", "Which boat do you mean?"),
        ("Which page lists the prices?", "The website did not respond."),
        ("Translate 'Hund' into English.", "dog"),
        ("What weekday is 2 March?", "Monday"),
        ("What is the capital of Portugal?", "Lisbon"),
        ("What is wrong with db/orders.db?", "The query failed, the file is no database."),
    ],
)
async def test_what_needs_no_record_is_said_after_calls_that_failed(house: Build, task: str, answer: str) -> None:
    calls = [step(("query", {"of": n})) for n in "abc"]
    agent = house([*calls, *[final(answer)] * 3], tools={"query": fail})
    assert (await agent.run(task)).answer != NOT_FOUND
