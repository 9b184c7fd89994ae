"""The router: what kind a task is, which tiers are possible for a label, health, and when to go upstairs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.chain import Kind, Record
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import ANYONE, IDENTITY, Audience, Label, Trust, seen_by
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import Allow, Deny, Outcome, Principal
from ringfence.engine.origin import origin
from ringfence.engine.router import ALL_REASONS, KINDS, Health, Router, Rules, Signs, choose, why_escalate

ALICE = Principal("user:alice", frozenset({"role:ops"}))
OWN = Label(Trust.USER, frozenset({ALICE.member}))
HR = Label(Trust.UNTRUSTED, frozenset({frozenset({"role:hr"})}))
NOW = 1_000_000


def policy(**audiences: Audience | None) -> Policy:
    """Model sinks by name, each with its audience."""
    specs = [
        SinkSpec(f"model:{name}", effect=Effect.READ, confined=audience is None, audience=audience, output=IDENTITY)
        for name, audience in audiences.items()
    ]
    return Policy({spec.name: spec for spec in specs})


def turn(known: Policy, principal: Principal = ALICE) -> Turn:
    return Turn(run="r", principal=principal, grant=TaskGrant(frozenset(known.sinks), {}))


LOCAL = policy(small=None, large=seen_by(["role:ops"]), cloud=ANYONE)
ORDER = ("model:small", "model:large", "model:cloud")


# --- what kind of task


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi there!", "simple"), ("Thanks!", "simple"), ("What is the capital of France?", "simple"),
        ("Wer schrieb den Faust?", "simple"), ("Guten Morgen", "simple"),
        ("How many errors are in the log?", "tool"), ("What is 17*23?", "tool"),
        ("Read a.csv and count the rows", "tool"), ("Send the minutes to bob@example.org", "tool"),
        ("Wie viele Zeilen hat die Datei data/umsatz.csv?", "tool"), ("Lösche die Datei alt.txt", "tool"),
        ("Which of the logs in ./logs has most lines?", "tool"),
        ("Compare the two approaches, and explain why the second failed, with pros and cons.", "complex"),
        ("Vergleiche die beiden Angebote und erkläre, warum das zweite teurer ist.", "complex"),
        ("Refactor this function and explain the trade-offs:\n```\ndef f(x):\n  return x\n```", "complex"),
        ("1. read a.csv\n2. read b.csv\n3. join them\n4. analyse what differs\n5. write it to c.md", "complex"),
    ],
)  # fmt: skip
def test_tasks_are_told_apart(text: str, kind: str) -> None:
    assert Router(["small"]).classify(text).kind == kind


def test_a_route_says_why_and_repeats_nothing_of_the_text() -> None:
    route = Router(["small"]).classify("Then count the rows of Geheim-7.csv and mail ann@corp.example, why?")
    assert "names files or paths (1)" in route.reasons
    assert "names an address" in route.reasons
    assert not any("Geheim" in reason or "corp" in reason for reason in route.reasons)
    assert set(route.scores) == set(KINDS)


def test_a_pattern_of_the_manifest_decides_before_any_score() -> None:
    router = Router(["small"], patterns={"complex": [r"\bpayroll\b"], "simple": ["ping"]})
    assert router.classify("hi, PAYROLL?").kind == "complex"
    assert router.classify("ping: read a.csv and count the rows").kind == "simple"
    assert router.classify("ping payroll").kind == "complex"  # the dearest class first
    assert router.classify("hi, payrolls?").kind == "simple"
    assert "a pattern of the manifest says complex" in router.classify("payroll").reasons


def test_a_weight_of_the_manifest_counts_instead_of_what_ships() -> None:
    text = "Explain the weather"
    assert Router(["small"]).classify(text).kind == "simple"
    assert Router(["small"], weights={"think_words": 3}).classify(text).kind == "complex"
    off = Router(["small"], weights={"tool_words": 0, "reckons": 0}).classify("How many errors are in the log?")
    assert (off.kind, off.scores["tool"]) == ("simple", 0)
    assert not any("tools do" in reason for reason in off.reasons)


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a class of simple, tool, complex, got 'odd'"):
        Router(["small"], patterns={"odd": ["x"]})
    with pytest.raises(ValueError, match=r"expected a feature of .*, got 'speed'"):
        Router(["small"], weights={"speed": 1})
    with pytest.raises(re.error):
        Router(["small"], patterns={"tool": ["("]})


@given(st.text(max_size=400) | st.text(alphabet="a. /\\@\n?!0+-`{}#\0ü步", max_size=400))
def test_any_text_has_a_class(text: str) -> None:
    route = Router(["small"]).classify(text)
    assert route.kind in KINDS
    assert all(score >= 0 for score in route.scores.values())


def test_of_a_long_text_the_beginning_and_the_end_are_looked_at() -> None:
    router = Router(["small"], patterns={"complex": ["needle"]})
    hay = "word " * 200_000
    assert router.classify("needle" + hay).kind == "complex"
    assert router.classify(hay + "needle").kind == "complex"
    buried = router.classify(hay + "needle" + hay)
    assert "a pattern of the manifest says complex" not in buried.reasons
    assert any(reason.startswith("long (2000006 ") for reason in buried.reasons)


# --- in which order


def test_a_complex_task_starts_at_the_second_tier_and_money_is_spent_last() -> None:
    def order(*tiers: str, priced: tuple[str, ...] = ()) -> dict[str, str]:
        router = Router(tiers, priced=priced)
        return {kind: " ".join(sink.removeprefix("model:") for sink in router.order(kind)) for kind in KINDS}

    assert order("a") == {"simple": "a", "tool": "a", "complex": "a"}
    assert order("a", "b") == {"simple": "a b", "tool": "a b", "complex": "b a"}
    assert order("a", "b", "c", priced=("c",)) == {"simple": "a b c", "tool": "a b c", "complex": "b c a"}
    assert order("a", "c", priced=("c",))["complex"] == "a c"
    assert order("b", "c", priced=("b", "c"))["complex"] == "b c"


def test_what_a_class_names_is_all_that_is_asked_for_it() -> None:
    router = Router(["a", "b"], classes={"tool": ["b"]})
    assert router.order("tool") == ("model:b",)
    assert router.order("simple") == ("model:a", "model:b")


# --- which are possible


def test_a_tier_whose_audience_may_read_the_context_is_possible_and_another_is_not() -> None:
    choice = choose(ORDER, turn(LOCAL), LOCAL, OWN, now=NOW)
    assert choice.tiers == ("model:small", "model:large")
    assert {sink: no.code for sink, no in choice.refused.items()} == {"model:cloud": "readers"}
    assert choose(ORDER, turn(LOCAL), LOCAL, Label(Trust.UNTRUSTED), now=NOW).tiers == ORDER


def test_a_tier_that_the_manifest_does_not_name_is_not_possible() -> None:
    choice = choose(("model:other", "model:small"), turn(LOCAL), LOCAL, OWN, now=NOW)
    assert (choice.tiers, choice.refused["model:other"].code) == (("model:small",), "unknown-sink")


def test_a_tier_outside_the_grant_or_of_other_callers_is_not_possible() -> None:
    narrow = replace(turn(LOCAL).grant, sinks=frozenset({"model:large"}))
    granted = turn(LOCAL)
    granted.grant = narrow
    assert choose(ORDER, granted, LOCAL, OWN, now=NOW).tiers == ("model:large",)
    theirs = replace(LOCAL.sinks["model:small"], callers=frozenset({"role:hr"}))
    known = replace(LOCAL, sinks={**LOCAL.sinks, "model:small": theirs})
    assert choose(ORDER, turn(known), known, OWN, now=NOW).refused["model:small"].code == "wrong-role"


def test_a_tier_with_a_clearance_takes_nothing_below_it() -> None:
    picky = replace(LOCAL.sinks["model:small"], clearance=Trust.USER)
    known = replace(LOCAL, sinks={"model:small": picky})
    assert choose(ORDER[:1], turn(known), known, OWN, now=NOW).tiers == ("model:small",)
    low = Label(Trust.UNTRUSTED, OWN.readers)
    choice = choose(ORDER[:1], turn(known), known, low, now=NOW)
    assert choice.refused["model:small"].code == "untrusted"
    assert "is trusted as untrusted alone" in choice.refusal(turn(known), known, low).why


class Broke:
    """A budget that some tiers have used up."""

    def __init__(self, *sinks: str) -> None:
        self.sinks = sinks

    def refuses(self, principal: Principal, sink: str) -> str:
        return "5 of 5 requests a day are used" if sink in self.sinks else ""


def test_a_tier_whose_budget_is_used_up_is_not_possible() -> None:
    choice = choose(ORDER, turn(LOCAL), LOCAL, OWN, now=NOW, budget=Broke("model:small"))
    assert choice.tiers == ("model:large",)
    assert choice.refused["model:small"] == Deny("POL-7", "budget", "5 of 5 requests a day are used")
    nothing = choose(ORDER[:1], turn(LOCAL), LOCAL, OWN, now=NOW, budget=Broke("model:small"))
    said = nothing.refusal(turn(LOCAL), LOCAL, OWN)
    assert (said.rule, said.code) == ("POL-7", "no-tier")
    assert said.why == "no model may be asked: small: 5 of 5 requests a day are used"


def test_the_order_is_kept_and_each_tier_is_named_once() -> None:
    choice = choose(("model:large", "model:small", "model:large"), turn(LOCAL), LOCAL, OWN, now=NOW)
    assert choice.tiers == ("model:large", "model:small")


ROLES = st.sampled_from(["role:ops", "role:hr", "role:dev", "user:alice", "user:bob"])
CLAUSES = st.frozensets(st.frozensets(ROLES, min_size=1, max_size=3), max_size=3)
AUDIENCES = st.none() | st.just(ANYONE) | st.frozensets(st.frozensets(ROLES, min_size=1, max_size=2), max_size=3)


@given(
    st.sampled_from(list(Trust)), CLAUSES, st.lists(AUDIENCES, min_size=1, max_size=4), st.frozensets(ROLES),
    st.sampled_from(list(Trust)), st.integers(0, 4),
)  # fmt: skip
def test_everyone_behind_a_tier_that_is_chosen_may_read_all_of_the_context(
    trust: Trust, readers: frozenset[frozenset[str]], audiences: list[Audience | None], roles: frozenset[str],
    clearance: Trust, failed: int,
) -> None:  # fmt: skip
    label, who = Label(trust, readers), Principal("user:alice", roles)
    known = policy(**{f"t{n}": audience for n, audience in enumerate(audiences)})
    known = replace(known, sinks={name: replace(spec, clearance=clearance) for name, spec in known.sinks.items()})
    run, health = turn(known, who), Health(failures=2)
    for _ in range(failed):
        health.note("model:t0", Outcome({"kind": "BackendError"}, ok=False), NOW)
    choice = choose(tuple(known.sinks), run, known, label, now=NOW, health=health)
    for sink in choice.tiers:
        audience = known.sinks[sink].audience
        seen = frozenset({who.member}) if audience is None else audience
        assert all(label.readable_by(member) for member in seen)
        assert label.trust >= clearance
    assert set(choice.tiers) | set(choice.refused) == set(known.sinks) or health.why_not("model:t0", NOW)
    if not choice.tiers:
        refusal = choice.refusal(run, known, label)
        assert refusal.code == "no-tier"
        assert refusal.why


# --- where a label comes from


def shown(*records: tuple[str, Mapping[str, object], Label]) -> Turn:
    """A turn with results in it: sink, arguments and label of each."""
    made = turn(LOCAL)
    body = {"role": "user", "text": "what?"}
    made.items.append((Record("r", 1, NOW, Kind.MESSAGE, ALICE.subject, OWN, {}, body), None))
    for n, (sink, args, label) in enumerate(records):
        intent = Record("r", 2 * n + 4, NOW, Kind.INTENT, ALICE.subject, OWN, {"sink": sink}, {"args": args})
        outcome = Record("r", 2 * n + 5, NOW, Kind.OUTCOME, ALICE.subject, label, {"of": intent.seq}, {"value": "x"})
        made.items.append((outcome, intent))
    return made


def test_a_refusal_names_the_record_that_made_the_label() -> None:
    label = OWN.join(HR)
    run = shown(
        ("tool:files.read", {"path": "hr/pay.csv"}, label), ("tool:calc", {"expression": "1+1"}, label.join(HR))
    )
    choice = choose(ORDER, run, LOCAL, label, now=NOW)
    assert choice.tiers == ()
    why = choice.refusal(run, LOCAL, label).why
    assert "r5 files.read(path=hr/pay.csv) may be read by role:hr alone" in why
    assert "calc" not in why
    assert "r1, what you wrote, may be read by role:ops or user:alice alone" in why  # cloud takes public content only
    assert why.count("role:hr") == 1


def test_a_long_argument_is_cut_and_no_more_than_three_are_named() -> None:
    run = shown(("tool:x", {"a": "y" * 200, "b": 1, "c": 2, "d": 3}, HR))
    (first,) = origin(run, HR, ANYONE)
    assert first == f"r5 x(a={'y' * 57}..., b=1, c=2, ...) may be read by role:hr alone"


def test_what_no_record_made_came_with_the_conversation() -> None:
    run = shown(("tool:x", {}, OWN))
    assert list(origin(run, HR, seen_by(["role:ops"]))) == [
        "what was said earlier in the conversation may be read by role:hr alone"
    ]


def test_a_label_that_keeps_nobody_out_has_no_origin_to_name() -> None:
    assert list(origin(shown(), OWN, frozenset({ALICE.member}))) == []


def test_a_task_for_which_no_tier_is_named_is_refused() -> None:
    choice = choose((), turn(LOCAL), LOCAL, OWN, now=NOW)
    assert choice.refusal(turn(LOCAL), LOCAL, OWN).code == "no-tier"


# --- health


def fail(kind: str = "BackendError") -> Outcome:
    return Outcome({"error": "it is down", "todo": "", "kind": kind}, ok=False)


def test_a_tier_that_failed_often_in_a_row_is_left_alone_and_then_asked_once() -> None:
    health, small = Health(failures=2, cool_s=10), "model:small"
    health.note(small, fail(), NOW)
    assert health.why_not(small, NOW) == ""
    health.note(small, fail(), NOW)
    assert health.why_not(small, NOW + 1) == "it failed 2 times in a row and is left alone for another 10 s"
    assert choose(ORDER, turn(LOCAL), LOCAL, OWN, now=NOW, health=health).tiers == ("model:large",)
    later = NOW + 10_000
    assert health.why_not(small, later) == ""
    health.begin(small, later)
    assert health.why_not(small, later)  # one request proves it, the others wait
    health.note(small, Outcome({"text": "x"}), later)
    assert health.why_not(small, later) == ""


def test_a_failed_trial_starts_the_pause_anew_and_one_that_never_ends_does_not_last() -> None:
    health, small = Health(failures=1, cool_s=10), "model:small"
    health.note(small, fail(), NOW)
    health.begin(small, NOW + 10_000)
    health.note(small, fail(), NOW + 12_000)
    assert health.why_not(small, NOW + 21_999)
    assert not health.why_not(small, NOW + 22_000)
    health.begin(small, NOW + 22_000)  # and whoever asked is gone
    assert not health.why_not(small, NOW + 32_000)


def test_a_success_in_between_starts_the_count_anew() -> None:
    health, small = Health(failures=2), "model:small"
    for outcome in (fail(), Outcome({"text": "x"}), fail()):
        health.note(small, outcome, NOW)
    assert health.why_not(small, NOW) == ""


def test_a_request_that_did_not_fit_says_nothing_of_the_server() -> None:
    health = Health(failures=1)
    health.note("model:small", fail("ContextOverflow"), NOW)
    assert health.why_not("model:small", NOW) == ""


def test_each_tier_has_its_own_health() -> None:
    health = Health(failures=1)
    health.note("model:small", fail(), NOW)
    assert health.why_not("model:large", NOW) == ""


def test_the_last_tier_left_is_asked_though_it_failed() -> None:
    health = Health(failures=1)
    health.note("model:small", fail(), NOW)
    choice = choose(ORDER[:1], turn(LOCAL), LOCAL, OWN, now=NOW, health=health)
    assert choice.tiers == ("model:small",)
    forbidden = choose(ORDER[:1], turn(LOCAL), LOCAL, OWN.join(HR), now=NOW, health=health)
    assert forbidden.tiers == ()  # never for want of another one


# --- when to go upstairs


SAID = Signs(text="{}")
BAD = {
    "failure": Signs(failed="it is down"),
    "empty": Signs(text=" \n\t"),
    "unsure": replace(SAID, sure=0.3),
    "exhausted": replace(SAID, exhausted="no JSON"),
    "invalid": replace(SAID, invalid="no total"),
}


@pytest.mark.parametrize("code", sorted(ALL_REASONS))
def test_each_sign_sends_a_step_upstairs_and_can_be_switched_off(code: str) -> None:
    found = why_escalate(BAD[code], Rules())
    assert found is not None
    assert found.code == code
    assert why_escalate(BAD[code], Rules(when=frozenset(ALL_REASONS - {code}))) is None
    assert why_escalate(BAD[code], Rules(at_most=0)) is None
    assert why_escalate(BAD[code], Rules(at_most=2), taken=1) is not None
    assert why_escalate(BAD[code], Rules(at_most=2), taken=2) is None


def test_a_good_step_stays_where_it_is() -> None:
    assert why_escalate(SAID, Rules()) is None
    assert why_escalate(replace(SAID, sure=0.6, confidence="medium"), Rules()) is None


def test_the_models_own_low_counts_where_no_probability_is_known_and_where_one_is() -> None:
    for sure in (None, 0.99):
        found = why_escalate(replace(SAID, sure=sure, confidence="Low"), Rules())
        assert found is not None
        assert found.code == "unsure"


def test_the_words_of_a_reason_hold_nothing_of_the_content() -> None:
    signs = Signs(text="secret", exhausted="secret", invalid="secret", failed="", sure=0.1)
    for code in ("exhausted", "invalid", "unsure"):
        found = why_escalate(signs, Rules(when=frozenset({code})))
        assert found is not None
        assert "secret" not in found.why


@pytest.mark.parametrize(
    ("outcome", "signs"),
    [
        (Outcome({"text": "x", "sure": 0.4}), Signs(text="x", sure=0.4)),
        (Outcome({"text": "x"}), Signs(text="x")),
        (Outcome({"text": "x", "sure": "very"}), Signs(text="x")),
        (Outcome({"text": "x", "sure": True}), Signs(text="x")),
        (Outcome({"text": "x", "sure": float("nan")}), Signs(text="x")),
        (Outcome({"error": "gone", "kind": "BackendError"}, ok=False), Signs(failed="gone")),
        (Outcome({}, ok=False), Signs(failed="the model server failed")),
    ],
)
def test_signs_are_read_off_an_outcome(outcome: Outcome, signs: Signs) -> None:
    assert Signs.of(outcome) == signs


def test_the_gate_would_decide_the_same() -> None:
    from ringfence.core.values import Action, Prompt

    run = turn(LOCAL)
    for label in (OWN, OWN.join(HR), Label(Trust.UNTRUSTED)):
        choice = choose(ORDER, run, LOCAL, label, now=NOW)
        for sink in ORDER:
            decided = LOCAL.decide(Action(sink, {}, label, prompt=Prompt((b"{}",))), run, now=NOW)
            assert isinstance(decided, Allow) == (sink in choice.tiers)
