"""Several models in one run: which is asked, when the next one is, and who is never asked at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from ringfence.backends.patient import Patient
from ringfence.core.chain import Kind
from ringfence.core.errors import BackendError
from ringfence.core.labels import ANYONE, Label, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.turn import fold
from ringfence.core.values import Action, Outcome, Principal
from ringfence.engine import consent
from ringfence.engine.answering import Verify
from ringfence.engine.asking import escalations
from ringfence.engine.router import Health, Rules
from ringfence.engine.settings import Settings
from ringfence.engine.snapshot import resumed

from .conftest import ALICE, Build, House, Rung, Told, build, final, step

LOOK = step(("look", {"of": "it"}))
DOWN = BackendError("no model server answers", todo="start it")
HR = frozenset({"role:hr"})
ALICE_HR = Principal("user:alice", frozenset({"role:ops", "role:hr"}))
UNREADABLE = '{"calls": []}'
LOW = final("it is 42").replace('"high"', '"low"')


def asked(agent: House, run: str = "run1") -> list[str]:
    """The models that were asked, in order."""
    sinks = [r.view["sink"] for r in agent.records(run) if r.kind is Kind.INTENT]
    return [sink.removeprefix("model:") for sink in sinks if sink.startswith("model:")]


def moves(agent: House) -> list[tuple[str, str]]:
    return [(r.view["tier"], r.view["why"]) for r in agent.records() if "tier" in r.view]


def two(house: Build, first: Any, second: Any, **how: Any) -> House:
    return house(first, tiers={"big": Rung(second)}, **how)


async def test_the_class_of_the_task_chooses_the_first_model(house: Build) -> None:
    classes = {"simple": ["main"], "tool": ["main", "big"], "complex": ["big", "main"]}
    agent = two(house, [LOOK, final("42")], [LOOK, final("42")], classes=classes)
    long = "Compare both designs in depth, step by step, and explain all of the trade-offs between them. "
    await agent.engine.drive(agent.start("what is it?", run="a"))
    await agent.engine.drive(agent.start(long * 20, run="b"))
    assert (asked(agent, "a"), asked(agent, "b")) == (["main"] * 2, ["big"] * 2)
    assert [agent.records(run)[0].view["route"]["class"] for run in ("a", "b")] == ["simple", "complex"]


async def test_one_model_has_no_route_on_record(house: Build) -> None:
    agent = house([LOOK, final("42")])
    await agent.run()
    assert "route" not in agent.records()[0].view


CASES: Mapping[str, tuple[list[Any], str]] = {
    "a failure": ([DOWN], "failure"),
    "no words": (["  \n "], "empty"),
    "an unsure token": ([Told(LOOK, sure=0.3)], "unsure"),
    "what cannot be read": (["hm"] * 3, "exhausted"),
    "its own word": ([LOOK, LOW], "unsure"),
    "an answer that nothing proves": ([LOOK, final("it is 43"), final("it is 44")], "invalid"),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_next_model_is_asked_after(house: Build, case: str) -> None:
    said, why = CASES[case]
    rest = [final("it is 42")] if LOOK in said[:1] and case != "an unsure token" else [LOOK, final("it is 42")]
    agent = two(house, said, rest)
    result = await agent.run()
    assert (result.status, result.answer, result.confidence) == ("done", "it is 42", "high")
    assert moves(agent) == [("model:big", why)]
    assert asked(agent) == ["main"] * len(said) + ["big"] * len(rest)
    assert result.rungs["escalate"] == 1
    assert "asked main, then big" in result.notes


@pytest.mark.parametrize("case", CASES)
async def test_each_reason_can_be_switched_off(house: Build, case: str) -> None:
    said, why = CASES[case]
    others = Rules().when - {why}
    usual = [LOOK, final("it is 42"), *[final("it is 42")] * 3]
    agent = two(house, [*said, *usual], usual, rules=Rules(when=others))
    await agent.run()
    assert (("model:big", why)) not in moves(agent)


async def test_an_unsure_step_is_not_made_and_the_next_model_takes_its_place(house: Build) -> None:
    agent = two(house, [Told(step(("look", {"of": "a"})), sure=0.59)], [step(("look", {"of": "b"})), final("42")])
    await agent.run()
    assert agent.tools["look"].calls == [{"of": "b"}]


@pytest.mark.parametrize("sure", [0.6, 1.0, None, "often", True, float("nan")])
async def test_a_sure_step_or_one_of_which_nothing_is_told_stays(house: Build, sure: Any) -> None:
    more = {} if sure is None or sure != sure else {"sure": sure}
    agent = two(house, [Told(LOOK, **more), final("42")], [])
    assert (await agent.run()).status == "done"
    assert asked(agent) == ["main"] * 2


async def test_escalations_are_bounded_and_the_last_model_ends_the_run_in_words(house: Build) -> None:
    agent = house([DOWN], tiers={"mid": Rung([DOWN]), "big": Rung([LOOK, final("42")])})
    result = await agent.run()
    assert (result.status, asked(agent)) == ("failed", ["main", "mid"])
    assert "no model server answers -> start it" in result.answer
    again = house([DOWN], tiers={"mid": Rung([DOWN]), "big": Rung([LOOK, final("42")])}, rules=Rules(at_most=2))
    assert ((await again.run()).status, asked(again)) == ("done", ["main", "mid", "big", "big"])
    never = two(house, [DOWN], [LOOK], rules=Rules(at_most=0))
    assert ((await never.run()).status, asked(never)) == ("failed", ["main"])


async def test_a_model_that_failed_too_often_is_left_alone_and_then_tried_once(house: Build) -> None:
    ok = [LOOK, final("42")]
    agent = two(house, [DOWN, DOWN, DOWN, *ok], [*ok, *ok, *ok], health=Health(failures=2, cool_s=30))
    for run in ("a", "b", "c"):
        await agent.engine.drive(agent.start(run=run))
    assert [asked(agent, run)[0] for run in ("a", "b", "c")] == ["main", "main", "big"]
    agent.clock.advance(30_000)
    assert (await agent.engine.drive(agent.start(run="d"))).status == "failed"  # the third fault; big's script is over
    assert asked(agent, "d")[0] == "main"
    agent.clock.advance(30_000)
    assert (await agent.engine.drive(agent.start(run="e"))).status == "done"
    assert asked(agent, "e") == ["main", "main"]


async def test_where_all_models_fail_they_are_asked_none_the_less_and_say_what_is_wrong(house: Build) -> None:
    agent = two(house, [DOWN] * 9, [DOWN] * 9, health=Health(failures=1, cool_s=30))
    for run in ("a", "b"):
        result = await agent.engine.drive(agent.start(run=run))
    assert result.status == "failed"
    assert "no model server answers" in result.answer


CLOUD = frozenset({frozenset({"user:alice"})})  # seen by whoever is alice there, and not by all of hr
SPECS: Mapping[str, Any] = {"hr": {"output": Label(Trust.UNTRUSTED, frozenset({HR}))}}
SECRET = "the raise is 4711"
TOOLS: Mapping[str, Any] = {"look": lambda args: {"text": "it is 42"}, "hr": lambda args: {"text": SECRET}}
HIDDEN = step(("hr", {"of": "raise"}))


def cloud_first(house: Build, cloud: Any, local: Any, **how: Any) -> House:
    """The first model is on another machine, the second one here."""
    how = {"tools": TOOLS, "specs": SPECS, **how}
    return house(cloud, tiers={"local": Rung(local)}, main={"audience": CLOUD}, **how)


def start_as_hr(agent: House, task: str = "what is it?", run: str = "run1") -> Any:
    return agent.engine.start(task, run=run, principal=ALICE_HR, grant=agent.grant)


def seen(agent: House, name: str) -> bytes:
    """All that a model was shown."""
    return b"".join(message for prompt in agent.models[name].prompts for message in prompt.messages)


async def test_a_run_leaves_a_model_in_mid_run_that_may_not_read_what_was_found(house: Build) -> None:
    agent = cloud_first(house, [HIDDEN, final("never asked")], [final(SECRET)])
    result = await agent.engine.drive(start_as_hr(agent))
    assert (result.status, result.answer) == ("done", SECRET)
    assert asked(agent) == ["main", "local"]
    assert moves(agent) == [("model:local", "readers")]
    assert b"4711" not in seen(agent, "main")
    assert b"4711" in seen(agent, "local")


async def test_what_only_the_local_model_may_read_never_starts_on_another(house: Build) -> None:
    agent = house([], tiers={"local": Rung([LOOK, final("42")])}, main={"audience": ANYONE})
    assert (await agent.run()).status == "done"  # what alice asks is alice's alone
    assert (asked(agent), seen(agent, "main")) == (["local"] * 2, b"")


async def test_a_model_that_may_not_read_it_is_not_asked_for_want_of_another(house: Build) -> None:
    agent = cloud_first(house, [HIDDEN, final("x")], [DOWN])
    result = await agent.engine.drive(start_as_hr(agent))
    assert (result.status, asked(agent)) == ("failed", ["main", "local"])
    assert b"4711" not in seen(agent, "main")


async def test_to_move_away_from_what_may_not_be_read_is_no_escalation(house: Build) -> None:
    agent = house(
        [HIDDEN], main={"audience": CLOUD}, tools=TOOLS, specs=SPECS,
        tiers={"local": Rung([DOWN]), "big": Rung([final(SECRET)])},
    )  # fmt: skip
    turn = start_as_hr(agent)
    result = await agent.engine.drive(turn)
    assert (result.status, asked(agent)) == ("done", ["main", "local", "big"])
    assert escalations(turn) == 1


async def test_where_no_model_is_possible_the_end_names_the_record(house: Build) -> None:
    agent = house(
        [HIDDEN, final("x")],
        main={"audience": CLOUD},
        tiers={"far": Rung([], audience=CLOUD)},
        tools=TOOLS,
        specs=SPECS,
    )
    result = await agent.engine.drive(start_as_hr(agent))
    assert (result.status, asked(agent)) == ("failed", ["main"])
    assert "no model may be asked" in result.answer
    assert "hr(of=raise) may be read by role:hr alone" in result.answer
    assert SECRET not in result.answer + result.summary


@pytest.mark.parametrize("tiers", [{}, {"big": Rung([])}], ids=["one model", "two"])
async def test_who_may_not_even_read_why_is_told_the_record_and_no_content(house: Build, tiers: Any) -> None:
    agent = house([HIDDEN, final("x")], tools=TOOLS, specs=SPECS, tiers=tiers)
    result = await agent.run()  # alice is not of hr here
    assert (result.status, result.answer, asked(agent)) == ("failed", "", ["main"])
    assert "r5 hr may be read by role:hr alone" in result.summary
    assert "raise" not in result.summary


class Spent:
    """A budget that is used up for some models."""

    def __init__(self, *sinks: str) -> None:
        self.sinks = set(sinks)

    def refuses(self, principal: Principal, sink: str) -> str:
        return f"{principal.subject} has used up today's requests" if sink in self.sinks else ""


async def test_a_model_whose_budget_is_spent_is_passed_over(house: Build) -> None:
    agent = two(house, [], [LOOK, final("42")], budget=Spent("model:main"))
    assert (await agent.run()).status == "done"
    assert (asked(agent), moves(agent)) == (["big"] * 2, [("model:big", "budget")])


async def test_where_all_budgets_are_spent_the_run_says_so(house: Build) -> None:
    agent = two(house, [], [], budget=Spent("model:main", "model:big"))
    result = await agent.run()
    assert (result.status, asked(agent)) == ("failed", [])
    assert "used up today's requests" in result.answer


async def test_a_step_does_not_go_to_a_model_whose_budget_is_spent(house: Build) -> None:
    agent = two(house, [DOWN], [], budget=Spent("model:big"))
    assert ((await agent.run()).status, asked(agent)) == ("failed", ["main"])


async def test_the_model_of_a_run_survives_a_crash_anywhere(house: Build) -> None:
    """Wherever it is cut off it ends the same, with as many escalations, from its records and from a snapshot."""
    second = [step(("look", {"of": "b"})), final("it is 42")]
    first = [step(("look", {"of": "a"})), *[UNREADABLE] * 3]
    how: Any = {"settings": Settings(checkpoint_interval=1)}
    whole = two(house, first, second, **how)
    expected = await whole.run()
    records = whole.records()
    assert (expected.status, moves(whole)) == ("done", [("model:big", "exhausted")])
    for cut in range(2, len(records)):
        kept = records[:cut]
        told = {"main": 0, "big": 0}
        sinks = {r.seq: r.view.get("sink", "") for r in kept if r.kind is Kind.INTENT}
        for record in kept:
            if record.kind is Kind.OUTCOME and (sink := sinks[record.view["of"]]).startswith("model:"):
                told[sink.removeprefix("model:")] += 1
        again = two(house, [*first[told["main"] :], *[UNREADABLE] * 3], second[told["big"] :], **how)
        for record in kept:
            again.journal.append(record)
        turn = fold(kept)
        result = await again.engine.drive(turn)
        assert (result.status, result.answer) == (expected.status, expected.answer), cut
        assert escalations(turn) == 1 or kept[-1].view.get("tier"), cut  # moved, and cut off before it said why
        assert resumed(again.journal, "run1")[0].tier == "model:big"


async def test_a_run_whose_model_is_gone_from_the_manifest_goes_on_with_the_first(house: Build) -> None:
    before = two(house, [DOWN], [LOOK, final("42")])
    await before.run()
    kept = before.records()[:-4]
    for tiers in ({}, {"other": Rung([])}):
        after = house([final("42")], tiers=tiers)
        for record in kept:
            after.journal.append(record)
        turn = fold(kept)
        assert turn.tier == "model:big"
        assert (await after.engine.drive(turn)).status == "done"
        assert asked(after)[-1] == "main"


async def test_a_call_that_a_person_said_yes_to_is_made_whatever_model_is_well_again(house: Build) -> None:
    specs = {"ring": {"effect": Effect.COMMIT, "ask": True, "roles": {"of": Role.LOW}}}
    health = Health(failures=1, cool_s=30)
    agent = two(
        house, [Told(step(("ring", {"of": "bell"})), sure=0.1), final("rung")], [],
        tools={"ring": str}, specs=specs, health=health, rules=Rules(at_most=5),
    )  # fmt: skip
    health._failed["model:big"], health._until["model:big"] = 1, agent.clock() + 30_000  # it failed somebody else
    turn = agent.start()
    assert (await agent.engine.drive(turn)).status == "waiting"
    agent.clock.advance(30_000)
    consent.approve(agent.gate, turn, by=ALICE, expires=agent.clock() + 1000)
    await agent.engine.drive(turn)
    assert agent.tools["ring"].calls == [{"of": "bell"}]


async def test_each_model_has_a_window_of_its_own(house: Build) -> None:
    text = "42 " + "word " * 500
    script = [*(step(("look", {"of": str(n)})) for n in range(4)), *[UNREADABLE] * 3]
    big = Rung([final("42")], window=16_000)
    agent = house(script, window=2600, tiers={"big": big}, tools={"look": lambda args: {"text": text}})
    await agent.run()
    left_out = [r.view["left_out"] for r in agent.records() if "left_out" in r.view]
    assert left_out[-2] > 0
    assert left_out[-1] == 0


async def test_what_does_not_fit_one_model_goes_to_a_larger_one(house: Build) -> None:
    classes = {kind: ["main", "big"] for kind in ("simple", "tool", "complex")}
    agent = house([], window=1024, tiers={"big": Rung([LOOK, final("42")], window=32_000)}, classes=classes)
    result = await agent.run("word " * 1500)
    assert (result.status, asked(agent), moves(agent)) == ("done", ["big"] * 2, [("model:big", "failure")])


async def test_the_real_window_is_asked_when_a_run_comes_to_a_model_and_once(house: Build) -> None:
    times: list[int] = []

    async def window() -> int | None:
        times.append(1)
        return 700

    agent = house([DOWN], tiers={"big": Rung([LOOK], window=32_000, more={"ask_window": window})})
    result = await agent.run("word " * 300)
    assert result.status == "failed"  # 700 tokens are too few for it
    assert times == [1]
    assert "window leaves" in result.answer


async def test_a_model_that_is_not_there_when_it_is_asked_for_its_window_hands_over_and_is_left_alone(
    house: Build,
) -> None:
    async def window() -> int | None:
        raise BackendError("nothing answers there")

    health = Health(failures=1)
    big = Rung([LOOK, final("42")])
    agent = house([], main={"more": {"ask_window": window}}, tiers={"big": big}, health=health)
    result = await agent.run()
    assert (result.status, asked(agent), moves(agent)) == ("done", ["big"] * 2, [("model:big", "failure")])
    assert "failed 1 times" in health.why_not("model:main", agent.clock())


async def test_near_the_window_the_tokenizer_of_the_server_decides(house: Build) -> None:
    counted: list[int] = []

    async def count(prompt: Any) -> int | None:
        counted.append(sum(map(len, prompt.messages)) * 3 // 8)  # more tokens than bytes would make one think
        return counted[-1]

    text = "42 " + "word " * 220
    script = [*(step(("look", {"of": str(n)})) for n in range(7)), final("42")]
    plain = house(script, window=2600, tools={"look": lambda args: {"text": text}})
    exact = house(script, window=2600, tools={"look": lambda args: {"text": text}}, main={"more": {"count": count}})
    await plain.run()
    await exact.run()
    assert counted
    sizes = [[sum(map(len, p.messages)) for p in agent.model.prompts] for agent in (plain, exact)]
    assert max(sizes[1]) * 3 // 8 <= 2600 - 512 < max(sizes[0]) * 3 // 8
    left_out = [r.view["left_out"] for r in exact.records() if "left_out" in r.view]
    assert left_out[-1] > 0


async def test_a_tokenizer_that_cannot_be_asked_is_done_without(house: Build) -> None:
    async def count(prompt: Any) -> int | None:
        return None

    script = [*(step(("look", {"of": str(n)})) for n in range(6)), final("42")]
    agent = house(script, window=1800, main={"more": {"count": count}})
    assert (await agent.run()).status == "done"


async def test_an_answer_to_a_request_that_was_cut_short_is_put_aside_and_asked_again_shorter(house: Build) -> None:
    text = "42 " + "word " * 300
    looks = [step(("look", {"of": str(n)})) for n in range(3)]
    cut = Told(step(("look", {"of": "nonsense"})), truncated=500, usage={"prompt": 1000})
    agent = house([*looks, cut, final("it is 42")], tools={"look": lambda args: {"text": text}})
    result = await agent.run()
    assert [call["of"] for call in agent.tools["look"].calls] == ["0", "1", "2"]
    sizes = [sum(map(len, prompt.messages)) for prompt in agent.model.prompts]
    assert sizes[4] < sizes[3]
    assert "the model server cut 500 tokens off a request; it was made again, shorter" in result.notes
    assert (result.status, result.rungs["retry"]) == ("done", 1)


async def test_a_request_that_cannot_be_made_shorter_is_not_made_again(house: Build) -> None:
    agent = house([Told(LOOK, truncated=10), LOOK], window=8000)
    result = await agent.run()
    assert (result.status, asked(agent), agent.tools["look"].calls) == ("failed", ["main"], [])
    assert "window leaves" in result.answer


async def test_a_cut_request_whose_answer_was_used_is_told_of(house: Build) -> None:
    agent = house([UNREADABLE, UNREADABLE, Told(LOOK, truncated=10), final("it is 42")], window=8000)
    result = await agent.run()
    assert (result.status, len(agent.tools["look"].calls)) == ("done", 1)
    assert result.notes == ("the model server cut 10 tokens off a request, and what it answered was used all the same",)


async def test_a_server_that_changes_its_model_is_told_of(house: Build) -> None:
    agent = house([Told(LOOK, model="qwen"), Told(final("42"), model="llama")])
    assert "the model changed in the middle of the run: qwen, then llama" in (await agent.run()).notes


async def test_a_model_that_another_one_answered_for_is_told_of_once(house: Build) -> None:
    looks = [Told(step(("look", {"of": str(n)})), model="llama", instead_of="qwen") for n in range(2)]
    agent = house([*looks, Told(final("it is 42"), model="llama")])
    assert (await agent.run()).notes == ("another model answered: llama instead of qwen",)
    agent = house([Told(LOOK, model="qwen"), Told(final("it is 42"), model="llama", instead_of="qwen")])
    assert (await agent.run()).notes == ("the model changed in the middle of the run: qwen, then llama",)


async def test_a_model_that_changes_beside_one_that_never_answered_is_told_of_as_well(house: Build) -> None:
    agent = two(house, [Told(LOOK, model="qwen"), Told("hm", model="llama"), "hm", "hm"], [DOWN])
    assert any("model changed" in note for note in (await agent.run()).notes)


async def test_two_models_that_stay_the_same_have_not_changed(house: Build) -> None:
    agent = two(house, [Told("", model="a")], [Told(LOOK, model="b"), Told(final("42"), model="b")])
    assert (await agent.run()).notes == ("asked main, then big",)


@pytest.mark.parametrize("usage", [{"prompt": 0, "completion": 0}, {}])
async def test_a_server_that_tells_no_usage_is_worked_with(house: Build, usage: Any) -> None:
    agent = house([Told(LOOK, usage=usage), Told(final("42"), usage=usage)])
    assert (await agent.run()).status == "done"


async def test_an_overflow_is_trimmed_harder_and_then_goes_to_the_next_model(house: Build) -> None:
    class ContextOverflow(BackendError):
        pass

    over = ContextOverflow("the request is too long")
    looks = [step(("look", {"of": str(n)})) for n in range(3)]
    text = {"text": "42 " + "word " * 200}
    agent = two(house, [*looks, over, over, over], [final("42")], tools={"look": lambda args: text}, window=6000)
    result = await agent.run()
    assert (result.status, asked(agent)) == ("done", ["main"] * 5 + ["big"])
    sizes = [sum(map(len, prompt.messages)) for prompt in agent.model.prompts]
    assert sizes[4] < sizes[3]


async def test_under_strict_no_text_streams_before_it_was_judged(house: Build) -> None:
    for verify, streams in ((Verify.WARN, True), (Verify.STRICT, False)):
        told: list[str] = []
        agent = house([LOOK, final("it is 42")], settings=Settings(verify=verify))
        await agent.run(progress=told.append)
        assert any("it is 42" in text for text in told) is streams


async def test_a_model_that_takes_too_long_is_given_up_for_the_next(house: Build) -> None:
    class Silent:
        async def perform(self, action: Action) -> Outcome:
            await asyncio.Event().wait()
            raise AssertionError

    agent = two(house, [], [LOOK, final("42")])
    agent.gate._sinks["model:main"] = Patient(Silent(), 0.01)  # type: ignore[index]
    result = await agent.run()
    assert (result.status, asked(agent), moves(agent)) == ("done", ["main", "big", "big"], [("model:big", "failure")])


async def test_a_truncated_answer_that_asks_for_an_effect_is_not_made(house: Build) -> None:
    specs = {"put": {"effect": Effect.WRITE, "audience": None, "roles": {"of": Role.LOW}}}
    put = Told(step(("put", {"of": "x"})), truncated=300, usage={"prompt": 900})
    agent = house(
        [LOOK, step(("look", {"of": "b"})), put, final("it is 42")], specs=specs, settings=Settings(verify=Verify.OFF),
        tools={"look": lambda args: {"text": "42 " + args["of"] * 500}, "put": str},
    )  # fmt: skip
    await agent.run()
    assert agent.tools["put"].calls == []


READERS = ["role:hr", "role:ops", "user:alice", "user:bob"]


@effort(max_examples=60)
@given(
    st.frozensets(st.sampled_from(READERS), min_size=1, max_size=2),
    st.lists(
        st.none() | st.lists(st.frozensets(st.sampled_from(READERS), max_size=2), max_size=2), min_size=2, max_size=3
    ),
    st.lists(st.sampled_from(["ok", "down", "hm", "low"]), min_size=1, max_size=5),
    st.integers(0, 3),
)
def test_a_secret_never_reaches_a_model_that_may_not_read_it(
    clause: frozenset[str], audiences: list[Any], says: list[str], at_most: int
) -> None:
    canary, said = "CANARY-7731", iter(says)
    people = [None if who is None else frozenset(who) for who in audiences]

    def answer(prompt: Any) -> str:
        match next(said, "ok"):
            case "down":
                raise DOWN
            case "hm":
                return "hm"
            case "low":
                return LOW
        shown = b"42" in b"".join(prompt.messages)
        return final("it is 42") if shown else HIDDEN

    label = Label(Trust.UNTRUSTED, frozenset({clause}))
    agent = build(
        answer,
        main={"audience": people[0]},
        tiers={f"t{n}": Rung(answer, audience=who) for n, who in enumerate(people[1:])},
        tools={"hr": lambda args: {"text": f"42 {canary}"}, "look": lambda args: "42"},
        specs={"hr": {"output": label}},
        rules=Rules(at_most=at_most),
    )
    result = asyncio.run(agent.engine.drive(start_as_hr(agent)))
    for name, who in zip(("main", *(f"t{n}" for n in range(2))), people, strict=False):
        members = frozenset({ALICE_HR.member}) if who is None else who
        if label.broken_by(members):
            assert canary.encode() not in seen(agent, name)
    if label.broken_by(frozenset({ALICE_HR.member})):
        assert canary not in f"{result.answer} {result.summary}"
