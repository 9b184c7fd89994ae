"""What the router costs: microseconds to classify a task, beside a floor in the same run: one compiled search over it.

    python bench/router.py [ROUNDS]

The floor is what any router by patterns has to pay at least: one case-blind search for ten words that are not in it.
Also: a refusal or a choice among three tiers, and texts of a megabyte, honest and hostile.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from functools import partial

from ringfence.core.grants import TaskGrant
from ringfence.core.labels import ANYONE, IDENTITY, Label, Trust, seen_by
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import Principal
from ringfence.engine.router import Health, Router, choose

TASK = (
    "Please read the file reports/2024-q3.csv and tell me which of the regions had the highest total in September; then"
    " compare it with the numbers of the year before, and explain in two sentences what changed and why it might have."
    " If a value is missing say so. Write the result to notes/q3.md, and thanks in advance."
)[:300]
FLOOR = re.compile(r"\b(?:analyse|contrast|justify|plan|design|refactor|migrate|prove|review|summarise)\b", re.I)
MB = 1_000_000
HOSTILE = {"letters": "a", "slashes": "a/", "dots": "1.", "blanks": " ", "lines": "\n", "braces": "{", "hyphens": "a-"}


def measured(what: Callable[[], object], rounds: int) -> tuple[float, float]:
    """(median, p99) in microseconds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        what()
        took.append(time.perf_counter_ns() - began)
    took.sort()
    return took[rounds // 2] / 1000, took[rounds * 99 // 100] / 1000


def choosing() -> Callable[[], object]:
    """A choice among three tiers, with a label that one of them may not read."""
    who = Principal("user:alice", frozenset({"role:ops"}))
    specs = [
        SinkSpec(f"model:{name}", effect=Effect.READ, confined=audience is None, audience=audience, output=IDENTITY)
        for name, audience in (("small", None), ("large", seen_by(["role:ops"])), ("cloud", ANYONE))
    ]
    policy = Policy({spec.name: spec for spec in specs})
    turn = Turn(run="r", principal=who, grant=TaskGrant(frozenset(policy.sinks), {}))
    label, health = Label(Trust.UNTRUSTED, frozenset({who.member})), Health()
    return lambda: choose(tuple(policy.sinks), turn, policy, label, now=0, health=health)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    router = Router(["small", "large", "cloud"], priced=["cloud"])
    own = Router(["small"], patterns={"complex": [r"\bpayroll\b", r"\bdeploy\b"], "tool": [r"\bticket \d{4,6}\b"]})
    long = TASK * (MB // len(TASK))
    hostile = [(name, text * (MB // len(text))) for name, text in HOSTILE.items()]
    rows: list[tuple[str, Callable[[], object], int]] = [
        ("floor: one search, 300 characters", lambda: FLOOR.search(TASK), rounds),
        ("classify, 300 characters", lambda: router.classify(TASK), rounds),
        ("classify, 300 characters, own patterns", lambda: own.classify(TASK), rounds),
        ("classify, 30 characters", lambda: router.classify("How many errors are in a.log?"), rounds),
        ("choose among three tiers", choosing(), rounds),
        ("classify, 1 MB of prose", lambda: router.classify(long), rounds // 40),
    ]
    rows += [(f"classify, 1 MB of {name}", partial(router.classify, text), rounds // 40) for name, text in hostile]
    floor = 0.0
    print(f"{'':42}{'median us':>10}{'p99 us':>10}{'x floor':>9}")
    for name, what, times in rows:
        median, late = measured(what, max(times, 20))
        floor = floor or median
        print(f"{name:42}{median:10.1f}{late:10.1f}{median / floor:9.1f}")


if __name__ == "__main__":
    main()
