"""The loop around a scripted model: what it asks, what it does, where it stops."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

import pytest

from ringfence.backends.answers import CutOff
from ringfence.core.chain import Kind
from ringfence.core.errors import BackendError, JournalError
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import State, fold
from ringfence.core.values import JSON
from ringfence.engine import consent
from ringfence.engine.context import Said
from ringfence.engine.settings import Settings
from ringfence.engine.task import acts, given, nothing_but_asks, only_asks, orders, several

from .conftest import ALICE, Build, fail, final, step


async def test_a_task_is_answered_from_what_a_tool_said(house: Build) -> None:
    agent = house([step(("look", {"of": "it"})), final("it is 42")])
    result = await agent.run()
    assert (result.status, result.answer, result.confidence) == ("done", "it is 42", "high")
    assert [(s.tool, s.args, s.ok) for s in result.steps] == [("look", {"of": "it"}, True)]
    assert b"it is 42" in agent.model.prompts[1].messages[-1]


async def test_the_answer_is_not_in_the_grammar_until_a_tool_has_answered(house: Build) -> None:
    agent = house([step(("look", {"of": "it"})), final("42")])
    await agent.run()
    first, second = (prompt.schema or b"" for prompt in agent.model.prompts)
    assert b"final_answer" not in first
    assert b"final_answer" in second


async def test_without_tool_first_the_answer_may_come_at_once(house: Build) -> None:
    agent = house([final("hello")], settings=Settings(tool_first=False))
    assert (await agent.run()).answer == "hello"


async def test_an_error_goes_back_to_the_model(house: Build) -> None:
    agent = house([step(("look", {"of": "a"})), final("unknown")], tools={"look": fail})
    result = await agent.run()
    assert not result.steps[0].ok
    assert b"failed: no such file. try another" in agent.model.prompts[1].messages[-1]


@pytest.mark.parametrize("tool_first", [True, False])
async def test_a_run_that_found_no_answer_asks_for_what_was_in_its_way(house: Build, tool_first: bool) -> None:
    calls = [step(("look", {"of": "a"})), step(("look", {"of": "b"}))]
    agent = house(
        [*calls, *[final("not found in the files")] * 2], tools={"look": fail}, settings=Settings(tool_first=tool_first)
    )
    assert (await agent.run()).summary.endswith(
        "; look failed: no such file -> try another: say what to use instead, and ask again"
    )


async def test_a_run_whose_next_call_answered_asks_nothing(house: Build) -> None:
    def at_last(args: Mapping[str, JSON]) -> JSON:
        return {"text": "nothing of it"} if args["of"] == "b" else fail(args)

    calls = [step(("look", {"of": "a"})), step(("look", {"of": "b"}))]
    agent = house([*calls, *[final("not found in the files")] * 2], tools={"look": at_last})
    assert "ask again" not in (await agent.run()).summary


async def test_the_same_call_is_not_made_twice_and_only_the_answer_is_left(house: Build) -> None:
    again = step(("look", {"of": "it"}))
    agent = house([again, again, final("42")])
    result = await agent.run()
    assert len(agent.tools["look"].calls) == 1
    assert b"made before, with this result:\\nit is 42" in agent.model.prompts[2].messages[-1]
    assert b'"calls"' not in (agent.model.prompts[2].schema or b"")
    assert result.status == "done"


async def test_steps_are_bounded_and_the_last_one_can_only_answer(house: Build) -> None:
    script = [*(step(("look", {"of": str(n)})) for n in range(2)), final("so far 42")]
    agent = house(script, settings=Settings(max_steps=3))
    result = await agent.run()
    assert (result.status, result.answer) == ("partial", "so far 42")
    assert b"last step" in agent.model.prompts[2].messages[-1]
    assert b'"calls"' not in (agent.model.prompts[2].schema or b"")


async def test_tokens_are_bounded_and_the_end_says_what_was_looked_at(house: Build) -> None:
    agent = house(lambda prompt: step(("look", {"of": str(len(prompt.messages))})), settings=Settings(max_tokens=2000))
    result = await agent.run()
    assert result.status == "partial"
    assert "the limit of this run" in result.answer
    assert "- look(" in result.answer


async def test_calls_per_tool_are_bounded(house: Build) -> None:
    agent = house([step(("look", {"of": "a"})), step(("look", {"of": "b"})), final("42")])
    agent.grant = type(agent.grant)(agent.grant.sinks, {"tool:look": 1})
    await agent.run()
    assert [call["of"] for call in agent.tools["look"].calls] == ["a"]
    assert b"its limit for this task" in agent.model.prompts[2].messages[-1]


async def test_an_unknown_tool_is_refused_and_the_run_goes_on(house: Build) -> None:
    agent = house([step(("rm", {"path": "/"})), final("sorry")])
    assert (await agent.run()).status == "done"
    assert [r.view["code"] for r in agent.records() if r.kind is Kind.DECISION] == ["unknown-sink"]


async def test_an_unreadable_answer_is_asked_for_again_a_bounded_number_of_times(house: Build) -> None:
    good = house(["I think...", '{"thought": "x", "calls"', step(("look", {"of": "it"})), final("42")])
    assert (await good.run()).answer == "42"
    bad = house(["no"] * 9)
    result = await bad.run()
    assert result.status == "failed"
    assert len(bad.model.prompts) == 3


async def test_without_retry_an_unreadable_answer_ends_the_run(house: Build) -> None:
    agent = house(["no"], settings=Settings(retry_with_context=False))
    assert (await agent.run()).status == "failed"


async def test_a_model_that_is_down_ends_the_run_with_its_words(house: Build) -> None:
    agent = house([BackendError("no model server answers", todo="start it")])
    result = await agent.run()
    assert result.status == "failed"
    assert "no model server answers -> start it" in result.answer


async def test_reads_of_one_step_run_side_by_side_and_are_recorded_in_call_order(house: Build) -> None:
    agent = house([step(("slow", {"of": "a"}), ("fast", {"of": "b"})), final("42")], tools={"slow": str, "fast": str})
    order: list[str] = []
    released = asyncio.Event()

    async def slow(action: object) -> object:
        await released.wait()
        order.append("slow")
        return await type(agent.tools["slow"]).perform(agent.tools["slow"], action)  # type: ignore[arg-type]

    async def fast(action: object) -> object:
        order.append("fast")
        released.set()
        return await type(agent.tools["fast"]).perform(agent.tools["fast"], action)  # type: ignore[arg-type]

    agent.tools["slow"].perform = slow  # type: ignore[method-assign, assignment]
    agent.tools["fast"].perform = fast  # type: ignore[method-assign, assignment]
    result = await agent.run()
    assert order == ["fast", "slow"]
    assert [s.tool for s in result.steps] == ["slow", "fast"]


async def test_an_effect_runs_alone_and_in_order(house: Build) -> None:
    agent = house(
        [step(("write", {"of": "a"}), ("look", {"of": "b"}), ("write", {"of": "c"})), final("42")],
        tools={"write": str, "look": str},
        specs={"write": {"effect": Effect.WRITE, "roles": {"of": "low"}}},
    )
    result = await agent.run()
    assert [(s.tool, s.args["of"]) for s in result.steps] == [("write", "a"), ("look", "b"), ("write", "c")]
    kinds = [(r.kind, r.view.get("sink", "")) for r in agent.records() if "tool:" in str(r.view) or r.kind == "outcome"]
    assert kinds.index((Kind.INTENT, "tool:look")) > kinds.index((Kind.INTENT, "tool:write")) + 1


async def test_a_large_result_is_cut_and_the_rest_can_be_read(house: Build) -> None:
    text = "".join(f"line {n}\n" for n in range(300))
    agent = house(
        [step(("look", {"of": "it"})), step(("read_more", {"handle": "r5", "offset": 500})), final("42")],
        tools={"look": lambda args: {"text": text}},
        settings=Settings(result_chars=500),
    )
    result = await agent.run()
    assert [s.ok for s in result.steps] == [True, True]
    shown = json.loads(agent.model.prompts[1].messages[-1])["content"]
    assert text[:500] in shown
    assert 'read_more(handle="r5", offset=500)' in shown
    assert text[500:940] in json.loads(agent.model.prompts[2].messages[-1])["content"]
    assert b"read_more" not in (agent.model.prompts[0].schema or b"")


async def test_what_does_not_fit_the_window_is_left_out_by_rule_and_recorded(house: Build) -> None:
    script = [*(step(("look", {"of": str(n)})) for n in range(6)), final("42")]
    agent = house(script, tools={"look": lambda args: {"text": "42 " + "word " * 150}}, window=1800)
    result = await agent.run()
    assert result.status == "done"
    left_out = [r.view["left_out"] for r in agent.records() if r.view.get("sink") == "model:main"]
    assert left_out[0] == 0
    assert left_out[-1] > 0
    last = agent.model.prompts[-1].messages
    assert b"Task: what is it?" in last[-1]  # the task is never left out


async def test_a_task_that_can_never_fit_ends_with_numbers(house: Build) -> None:
    result = await house([final("x")], window=1024).run("word " * 5000)
    assert result.status == "failed"
    assert "tokens" in result.answer
    assert "max_context" in result.answer


async def test_history_is_shown_and_its_label_counts(house: Build) -> None:
    secret = Label(Trust.UNTRUSTED, frozenset({frozenset({"user:bob"})}))
    agent = house([step(("look", {"of": "it"})), final("42")])
    result = await agent.run(history=[Said("user", "before", secret)])
    assert result.status == "failed"  # the model's audience is alice, and alice may not read what bob said
    assert agent.model.prompts == []


async def test_a_run_that_was_cut_off_anywhere_ends_the_same(house: Build) -> None:
    script = [step(("look", {"of": "a"}), ("look", {"of": "b"})), step(("look", {"of": "c"})), final("42", "c")]
    whole = house(script)
    expected = await whole.run()
    records = whole.records()
    thoughts = [r.seq for r in records if r.kind is Kind.OUTCOME and "usage" in r.view]
    for cut in range(2, len(records)):
        again = house(script[sum(seq < cut for seq in thoughts) :])
        for record in records[:cut]:
            again.journal.append(record)
        result = await again.engine.drive(fold(records[:cut]))
        assert (result.answer, result.status) == (expected.answer, expected.status), cut
        assert [(s.tool, s.args) for s in result.steps] == [(s.tool, s.args) for s in expected.steps], cut
        assert fold(again.records()).state is State.DONE


async def test_a_call_that_needs_a_yes_waits_and_is_made_once_after_it(house: Build) -> None:
    agent = house(
        [step(("ring", {"of": "bell"})), final("rung")],
        tools={"ring": str},
        specs={"ring": {"effect": Effect.COMMIT, "ask": True, "roles": {"of": "low"}}},
    )
    turn = agent.start()
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert agent.tools["ring"].calls == []
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    assert (await agent.engine.drive(turn)).answer == "rung"
    assert agent.tools["ring"].calls == [{"of": "bell"}]
    with pytest.raises(JournalError, match="not waiting"):
        consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)


async def test_a_yes_that_came_too_late_is_none(house: Build) -> None:
    agent = house(
        [step(("ring", {"of": "bell"}))],
        tools={"ring": str},
        specs={"ring": {"effect": Effect.COMMIT, "ask": True, "roles": {"of": "low"}}},
    )
    turn = agent.start()
    await agent.engine.drive(turn)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    agent.clock.advance(1000)
    assert (await agent.engine.drive(turn)).status == "waiting"
    assert agent.tools["ring"].calls == []


async def test_an_effect_that_a_crash_hid_is_never_made_again(house: Build) -> None:
    def house_with_a_bell() -> object:
        return house(
            [step(("ring", {"of": "bell"})), final("rung")],
            tools={"ring": str},
            specs={"ring": {"effect": Effect.COMMIT, "roles": {"of": "low"}}},
        )

    whole = house_with_a_bell()
    await whole.run()  # type: ignore[attr-defined]
    records = whole.records()  # type: ignore[attr-defined]
    intent = next(r.seq for r in records if r.view.get("sink") == "tool:ring")
    again = house_with_a_bell()
    for record in records[: intent + 1]:
        again.journal.append(record)  # type: ignore[attr-defined]
    result = await again.engine.drive(fold(records[: intent + 1]))  # type: ignore[attr-defined]
    assert result.status == "uncertain"
    assert again.tools["ring"].calls == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"calls": []}', '{"calls": [{"tool": 1}]}', '{"calls": [7]}'])
async def test_no_answer_of_a_model_breaks_the_loop(house: Build, text: str) -> None:
    assert (await house([text] * 3).run()).status == "failed"


async def test_a_tool_that_opens_a_run_is_called_with_the_task_before_the_first_step(house: Build) -> None:
    agent = house([final("42")], specs={"look": {"opens": "of"}})
    result = await agent.run("what is it?")
    assert agent.tools["look"].calls == [{"of": "what is it?"}]
    assert result.answer == "42"
    assert b"it is 42" in agent.model.prompts[0].messages[-1]


async def test_an_argument_is_closed_to_values_that_results_have_shown(house: Build) -> None:
    schema = {"type": "object", "properties": {"of": {"type": "string", "x-from": {"key": "path"}}}, "required": ["of"]}
    agent = house(
        [step(("look", {"of": "a"})), final("42")],
        tools={"look": lambda args: [{"path": "a.md", "says": 42}, {"path": "b.md"}]},
        specs={"look": {"schema": schema}},
    )
    await agent.run()
    first, second = (prompt.schema or b"" for prompt in agent.model.prompts)
    assert b"x-from" not in first + second
    assert b'{"enum":["a.md","b.md"]}' in second
    assert b"a.md" not in first


async def test_a_task_that_looks_something_up_is_first_answered_from_what_opened_the_run(house: Build) -> None:
    agent = house([final("it is 42")], specs={"look": {"opens": "of"}})
    await agent.run()
    assert b'"calls"' not in (agent.model.prompts[0].schema or b"")


async def test_a_task_that_counts_has_to_call_a_tool_of_its_own(house: Build) -> None:
    agent = house([step(("look", {"of": "all"})), final("42 in total")], specs={"look": {"opens": "of"}})
    await agent.run("how many in total?")
    assert b"final_answer" not in (agent.model.prompts[0].schema or b"")


async def test_a_sample_is_no_answer(house: Build) -> None:
    agent = house(
        [step(("look", {"of": "all"})), final("it is 42")],
        tools={"look": lambda args: {"text": "it is 42", "partial": True}},
        specs={"look": {"opens": "of"}},
    )
    await agent.run()
    assert b"final_answer" not in (agent.model.prompts[0].schema or b"")


async def test_not_found_in_the_passages_sends_the_model_to_the_tools(house: Build) -> None:
    agent = house(
        [final("not found"), step(("look", {"of": "elsewhere"})), final("not found in the files")],
        specs={"look": {"opens": "of"}},
    )
    result = await agent.run()
    assert [s.args["of"] for s in result.steps] == ["what is it?", "elsewhere"]
    assert b"final_answer" not in (agent.model.prompts[1].schema or b"")
    assert result.answer == "not found in the files"


async def test_a_number_that_stands_in_no_result_goes_back_once(house: Build) -> None:
    agent = house([step(("look", {"of": "it"})), final("it is 43"), final("it is 44")])
    result = await agent.run()
    asked, again = (prompt.messages for prompt in agent.model.prompts[1:])
    assert b"A value of the last answer stands in no result" in again[-1]
    assert not [message for message in again if b"43" in message]  # who sees what it has said says it once more
    assert len(again) == len(asked)
    assert result.answer == "it is 44"
    assert result.confidence == "low"


async def test_the_thoughts_of_earlier_steps_are_not_shown_again(house: Build) -> None:
    agent = house([step(("look", {"of": "it"}), thought="surely 17"), final("it is 42")])
    await agent.run()
    assert not any(b"surely 17" in message for message in agent.model.prompts[1].messages)


async def test_calls_stay_with_the_files_that_the_task_names(house: Build) -> None:
    path = {"type": "string", "x-from": {"key": "path"}}
    table = {"type": "string", "x-from": {"key": "path", "ends": [".csv"]}}
    agent = house(
        [step(("look", {"of": "a.log"})), final("it is 42")],
        tools={"map": lambda args: [{"path": "a.log"}, {"path": "b.csv"}], "look": lambda args: "42", "query": str},
        specs={
            "map": {"opens": "", "schema": None},
            "look": {"schema": {"type": "object", "properties": {"of": path}, "required": ["of"]}},
            "query": {"schema": {"type": "object", "properties": {"of": table}, "required": ["of"]}},
        },
    )
    await agent.run("count the errors in a.log")
    schema = agent.model.prompts[0].schema or b""
    assert b'{"enum":["a.log"]}' in schema
    assert b'"query"' not in schema


async def test_a_calculation_with_invented_numbers_is_refused_and_the_run_looks_them_up(house: Build) -> None:
    agent = house(
        [
            step(("calc", {"of": "17 * 391"})),
            step(("look", {"of": "it"})),
            step(("calc", {"of": "42 * 2"})),
            final("84"),
        ],
        tools={"look": lambda args: {"text": "it is 42"}, "calc": lambda args: 84},
        specs={"calc": {"grounded": frozenset({"of"})}},
    )
    result = await agent.run()
    assert agent.tools["calc"].calls == [{"of": "42 * 2"}]
    assert [r.view["code"] for r in agent.records() if r.kind is Kind.DECISION] == ["invented"]
    assert b"17, 391 stands in no result" in agent.model.prompts[1].messages[-1]
    assert b'"calc"' not in (agent.model.prompts[1].schema or b"")
    assert result.answer == "84"


async def test_a_checkpoint_makes_what_was_done_durable_every_so_many_steps(house: Build) -> None:
    script = [*(step(("look", {"of": str(n)})) for n in range(5)), final("42")]
    agent = house(script, settings=Settings(checkpoint_interval=2))
    await agent.run()
    marks = [r.view["steps"] for r in agent.records() if r.kind is Kind.CHECKPOINT]
    assert marks == [2, 4]
    assert b"Done so far: look, look" in agent.model.prompts[2].messages[-1]


async def test_a_tool_that_suits_the_task_comes_first_once_the_values_are_found(house: Build) -> None:
    agent = house(
        [step(("calc", {"of": "42 * 2"})), final("84")],
        tools={"look": lambda args: {"text": "it is 42"}, "calc": lambda args: 84},
        specs={"look": {"opens": "of"}, "calc": {"suits": r"\bmultiply\b"}},
    )
    await agent.run("multiply it by 2")
    assert b'"const":"calc"' in (agent.model.prompts[0].schema or b"")
    assert b'"const":"look"' not in (agent.model.prompts[0].schema or b"")


async def test_a_passage_that_was_miscopied_is_read_again_before_any_tool_is_called(house: Build) -> None:
    agent = house([final("it is 43"), final("it is 42")], specs={"look": {"opens": "of"}})
    result = await agent.run()
    assert b'"calls"' not in (agent.model.prompts[1].schema or b"")
    assert (result.answer, result.confidence) == ("it is 42", "high")


async def test_what_opens_a_run_is_never_offered_again_and_read_more_stays_out_of_the_tools(house: Build) -> None:
    text = "42 " + "word " * 200
    agent = house(
        [step(("look", {"of": "a"})), step(("look", {"of": "a"})), final("42")],
        tools={"look": lambda args: {"text": text}, "map": lambda args: [{"path": "a.log"}]},
        specs={"map": {"opens": "", "schema": None}},
        settings=Settings(result_chars=300),
    )
    await agent.run()
    schemas = [prompt.schema or b"" for prompt in agent.model.prompts]
    assert not any(b'"const":"map"' in schema for schema in schemas)
    assert all(schema.count(b'"const":"read_more"') <= 1 for schema in schemas)


async def test_a_run_that_was_cancelled_before_its_first_message_stays_cancelled(house: Build) -> None:
    agent = house([])
    turn = agent.start()
    await agent.engine.cancel(turn, "cancelled by user:alice")
    assert (await agent.engine.drive(turn)).status == "cancelled"


@pytest.mark.parametrize(
    ("task", "asked"),
    [
        ("Write the note into a.md", True), ("Can you please pay the bill?", True),
        ("Who is on call? Tell him, and send a mail.", True),
        ("When does the contract run?", False), ("What did Ann write?", False), ("Which call was made first?", False),
        ("How many files are there?", False), ("", False), ("add 0, 1 and 2 to 1", False), ("Add a line to a.md", True),
        ("Tell me the store with the best sales.", False), ("Give me the start date of Ann's contract.", False),
        ("Give me the email of Ann", False), ("List the customers who pay by card", False),
        ("Tell me the nurse on call", False), ("Show the schedule of Dr. Lee", False),
        ("The book value of press 3", False),
        ("List the invoices that we have to pay", False), ("In which ward do nurses call the doctor?", False),
        ("If there are errors send a mail to Ann.", True), ("I need you to send Ann the report", True),
        ("Work out the sum and save it to a.txt", True), ("- cancel the order", True), ("Would you mail Ann?", True),
        ("Need to send a reminder to Ming. Whats their email adress?", False), ("I need to send Ann a mail.", True),
        ("Who leads ward 3? I want to send him the report.", True),
        ("We need to cancel the delivery from Kranz. Who is the contact?", True),
        ("I need to book a room for Monday. Is room 12 free?", True),
        ("I need to send the shift plan to ward 4. What he owes is in a.csv.", True),
        ("How much did Ben sell in a.csv? Leave the amount in out/b.txt, I'll fetch it.", True),
        ("Number of DECLINED payments in logs/till.log into out/declined.txt, please.", True),
        ("Jot it down under notes/a.md", True), ("Drop the total into the file out/x.txt", True),
        ("Have a look into logs/x.log: how many errors are there?", False),
        ("Note that the prices are in a.csv. What is the sum?", False), ("When do they leave? It is in a.csv.", False),
        ("The record in a.csv with the highest price", False), ("Place of birth of Ann", False),
        ("Have a look how many no-shows we had, and put the number in out/n.txt please.", True),
        ("How many rows does a.csv have, and write it to out/n.txt?", True),
        ("Do me a favour and send the report.", True),
        ("What did Ann write, and what did she put in notes/a.md?", False), ("Have the invoices been paid?", False),
        ("What should I add and delete in config.yml to turn on TLS?", False),
        ("Is the order complete, and set in config.yaml?", False),
        ("Who may edit, rename and delete it in a.md?", False),
        ("Please tell me who moved into house.md", False), ("Let me know what goes into soup.md", False),
        ("Dig deep into file.log and tell me what failed", False),
        ("They would not let him in. What was wrong? The gates write everything into logs/entry.log", False),
        ("Calls are in logs/phone.log, they go into logs/old.log later", False),
        ("Kindly add up the fees in a.csv, and file the total in outbox/fees.txt.", True),
        ("Is the file the one in a/b.txt?", False), ("The file is in data/x.csv. How long is it?", False),
    ],
)  # fmt: skip
def test_what_asks_to_act_is_told_from_what_only_asks(task: str, asked: bool) -> None:
    assert acts(task) is asked


def test_whatever_a_task_is_it_is_soon_read() -> None:
    began = time.process_time()
    said = (
        "What " + "and " * 30_000,
        "into " * 30_000,
        "for 2 " * 20_000,
        "leave in " * 20_000,
        "I need to know" * 9_000,
    )
    for text in said:
        for read in (orders, nothing_but_asks, given, several):
            read(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("task", "question"),
    [
        ("What is in a.md?", True), ("Wer hat die Pumpe geprüft?", True), ("Is it full", True),
        ("Put the totals into b.txt", False), ("Leg eine Notiz an", False), ("Which ones are old? Delete them.", False),
    ],
)  # fmt: skip
def test_a_plain_question_is_one_in_any_language_and_anything_else_is_not(task: str, question: bool) -> None:
    assert only_asks(task) is question


@pytest.mark.parametrize(
    ("task", "asks"),
    [
        ("Have we any rooms left for the 29th? I need to know how many, it's on http://127.0.0.1:1/free", True),
        ("Is it paid? I'd like to know who did it.", True), ("Do we change any prices? They are in a.csv", True),
        ("Where is it kept?", True), ("I need to know how many there are.", False), ("", False),
        ("Where is it kept, and mail it to Bob?", False), ("Which is it? I need to know, so write it down.", False),
        ("Is it free? It's on http://127.0.0.1:1/a and book it.", False), ("Is it in a? It is in a, delete it", False),
        ("Do you mind sending the invoice to Bob?", False), ("Have the night nurse call Dr Kern?", False),
        ("Do the transfer to the landlord for me?", False), ("Do they want to have it refunded for me?", False),
        ("Is bed 12 free? I want to know and reserve it for Mrs Kern.", False),
        ("Is the card stolen? I need to know now block it", False),
        ("Is it free? I need to know - book it if so.", False),
        ("Is it free? I need to know quickly \u2014 reserve it if so.", False),
        ("Is it free? I want to know so that you reserve it.", False), ("Is it paid? I need to know if it is.", True),
        ("Have any spare nurse call Dr Kern?", False), ("Have any late fees refunded?", False),
        ("Is it paid? I need to know when it is paid transfer 50 euro to Bob", False),
        ("Is it free? We need to know. Put it in a.txt.", False), ("Could you put it down?", False),
        ("Four of us would like to join, and the page says what is left. Which is the first date? Only that.", True),
        ("Which file in the inbox has the latest time? Reply with its name and nothing else.", True),
        ("Which file has the latest time? Reply to Bob with its name.", False),
        ("Do you mind sending the invoice to the man with this bill?", False),
        ("Have the late fees refunded for the guests, which are new?", False),
        ("Which of the guests are new? Let Ann have this list.", False),
        ("Which process uses the most memory and how much? Kill process 812.", False),
        ("What are the open alarms and which is the oldest? Acknowledge alarm 17.", False),
        ("What is the total of the invoices, which are new? I need it saved in total.txt.", False),
        ("What is the total of the invoices, which are new? I want it in total.txt.", False),
        ("What is the count of the rows, which are new? Output to count.txt.", False),
        ("What is the average of the rows, which are new? Into summary.md with it.", False),
        ("What are the rates, and could you tidy this?", False),
        ("Wat is de prijs, en stuur die naar Bob?", False),  # of which no word is known
    ],
)  # fmt: skip
def test_what_only_asks_may_say_beside_it_where_it_stands_and_no_more(task: str, asks: bool) -> None:
    assert nothing_but_asks(task) is asks


async def test_a_task_that_asks_to_act_is_not_answered_before_it_was_done(house: Build) -> None:
    specs = {"put": {"effect": Effect.WRITE, "audience": None, "roles": {"of": Role.LOW}}}
    agent = house([step(("put", {"of": "a"})), final("put")], tools={"put": str, "look": str}, specs=specs)
    assert (await agent.run("write it into a file")).status == "done"
    first, second = (prompt.schema or b"" for prompt in agent.model.prompts)
    assert b"final_answer" not in first
    assert b"final_answer" in second


async def test_what_no_result_mentions_can_only_be_answered_with_not_found_until_one_does(house: Build) -> None:
    one = step(("look", {"of": "hull"}))
    agent = house([one, final("cutter"), final("not found in the files")], tools={"look": lambda args: "rig: cutter"})
    result = await agent.run("What colour is the hull?")
    assert result.answer == "not found in the files"
    (_, free, held) = (prompt.schema or b"" for prompt in agent.model.prompts)
    assert b'"const":"not found in the files"' not in free
    assert b'"const":"not found in the files"' in held


async def test_an_answer_that_is_cut_off_is_asked_for_again_on_record_and_not_for_ever(house: Build) -> None:
    cut = CutOff("the model server cut the connection", todo="see its log", spoken=True)
    agent = house([cut, cut, step(("look", {"of": "x"})), final("it is 42")], tools={"look": lambda _: "it is 42"})
    result = await agent.engine.drive(agent.start())
    assert (result.status, result.answer) == ("done", "it is 42")
    asked = [r for r in agent.records() if (r.kind is Kind.OUTCOME and "usage" in r.view) or r.view.get("ok") is False]
    assert [record.view["ok"] for record in asked] == [False, False, True, True]
    agent = house([cut] * 9)
    result = await agent.engine.drive(agent.start())
    assert (result.status, len(agent.model.prompts)) == ("failed", 3)
    assert result.summary == "the model server cut the connection -> see its log"
