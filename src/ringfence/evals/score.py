"""What the runs of a suite come to: a score for each side, whether a gate is reached, and how two sides differ."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .intervals import Interval, clustered, paired
from .play import Trial
from .suite import Case, Gate

_BOUNDS = {  # of a gate: what it bounds, and whether it has to be reached (or else kept)
    "success": ("success", True),
    "success_low": ("lower end of success", True),
    "valid": ("valid steps", True),
    "calls_median": ("model calls, median", False),
    "tokens_median": ("tokens, median", False),
    "seconds_median": ("seconds, median", False),
    "evaluated": ("prompt evaluated again", False),
}
_SHARES = frozenset({"success", "success_low", "valid", "evaluated"})


@dataclass(frozen=True, slots=True)
class Score:
    """One side.

    valid      share of model steps that could be read and whose calls passed the schema; None without a step
    evaluated  share of the prompt tokens after the first step that the server evaluated anew; None without such
    rounds     runs of the case that has the fewest
    served     model calls of runs that worked for these, beside their steps
    """

    side: str
    cases: int
    runs: int
    right: int
    rounds: int
    success: Interval
    valid: float | None
    steps: int
    valid_steps: int
    served: int
    calls_median: float
    tokens_median: float
    seconds_median: float
    seconds: float
    prompt: int
    completion: int
    cached: int
    evaluated: float | None
    unfounded: int
    rungs: Mapping[str, int]
    tiers: Mapping[str, int]
    tags: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Difference:
    """One side less another one, over the cases that both played, and the cases that flipped."""

    side: str
    other: str
    success: Interval
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate is reached; what was missed, each as `expected ..., got ...`."""

    name: str
    missed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was missed."""
        return not self.missed


def score(side: str, trials: Sequence[Trial], cases: Sequence[Case]) -> Score:
    """What one side came to; `trials` may hold those of others."""
    mine = [trial for trial in trials if trial.side == side]
    runs = _by_case(mine, cases)
    tags = sorted({tag for case in cases for tag in case.tags})
    steps, valid = sum(t.steps for t in mine), sum(t.valid for t in mine)
    again, spared = sum(t.again for t in mine), sum(t.again_cached for t in mine)
    return Score(
        side=side,
        cases=sum(map(bool, runs.values())),
        runs=len(mine),
        right=sum(t.right for t in mine),
        rounds=min(map(len, runs.values()), default=0),
        success=clustered(list(runs.values())),
        valid=valid / steps if steps else None,
        steps=steps,
        valid_steps=valid,
        served=sum(t.served for t in mine),
        calls_median=_median(t.asked for t in mine),
        tokens_median=_median(t.prompt + t.completion for t in mine),
        seconds_median=_median(t.seconds for t in mine),
        seconds=sum(t.seconds for t in mine),
        prompt=sum(t.prompt for t in mine),
        completion=sum(t.completion for t in mine),
        cached=sum(t.cached for t in mine),
        evaluated=max(0.0, 1 - spared / again) if again else None,
        unfounded=sum(t.status == "done" and not t.calls for t in mine),
        rungs=_sum(t.rungs for t in mine),
        tiers=_sum(t.tiers for t in mine),
        tags={tag: clustered([runs[case.id] for case in cases if tag in case.tags]) for tag in tags},
    )


def difference(side: str, other: str, trials: Sequence[Trial], cases: Sequence[Case]) -> Difference:
    """How two sides differ in the runs of one case and seed that both have."""
    by_key = {(t.side, t.case, t.seed): t.right for t in trials}
    pairs: dict[str, tuple[list[bool], list[bool]]] = {}
    for (name, case, seed), right in by_key.items():
        if name == side and (other, case, seed) in by_key and any(one.id == case for one in cases):
            ours, theirs = pairs.setdefault(case, ([], []))
            ours.append(right)
            theirs.append(by_key[other, case, seed])
    return Difference(
        side,
        other,
        paired(list(pairs.values())),
        tuple(case for case, (ours, theirs) in pairs.items() if sum(ours) > sum(theirs)),
        tuple(case for case, (ours, theirs) in pairs.items() if sum(ours) < sum(theirs)),
    )


def verdict(name: str, gate: Gate | None, found: Score) -> Verdict:
    """Whether a score reaches a gate; without one, every run has to be right."""
    if gate is None:
        short = f"expected every run to be right, got {found.right} of {found.runs}"
        return Verdict(name, (short,) if found.right < found.runs else ())
    missed = []
    for key, (words, reach) in _BOUNDS.items():
        bound, came = getattr(gate, key), _value(found, key)
        if bound is None or (came is not None and (came >= bound - 1e-9 if reach else came <= bound + 1e-9)):
            continue
        shown = "no such step" if came is None else amount(key, came)
        missed.append(f"{words}: expected at {'least' if reach else 'most'} {amount(key, bound)}, got {shown}")
    for tag, bound in gate.tags.items():
        if (came := found.tags[tag].value if tag in found.tags else 0.0) < bound - 1e-9:
            missed.append(f"success of {tag}: expected at least {percent(bound)}, got {percent(came)}")
    if gate.runs is not None and found.rounds < gate.runs:
        missed.append(f"runs of each case: expected at least {gate.runs}, got {found.rounds}; give --runs {gate.runs}")
    return Verdict(name, tuple(missed))


def _value(found: Score, key: str) -> float | None:
    match key:
        case "success":
            return found.success.value
        case "success_low":
            return found.success.low
    value: float | None = getattr(found, key)
    return value


def amount(key: str, value: float) -> str:
    """A value as its row shows it."""
    return percent(value) if key in _SHARES else f"{value:,.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """`83.3 %`."""
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")


def _by_case(trials: Iterable[Trial], cases: Sequence[Case]) -> dict[str, list[bool]]:
    runs: dict[str, list[bool]] = {case.id: [] for case in cases}
    for trial in trials:
        if trial.case in runs:
            runs[trial.case].append(trial.right)
    return runs


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for one in counts:
        total.update(one)
    return dict(total)


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(list(values) or [0]))
