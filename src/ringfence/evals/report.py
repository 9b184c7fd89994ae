"""A report of a suite: the table of its sides, how they differ, the gates, and a line for each run that failed.

The same rows go to a terminal, into Markdown and, as numbers, into JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .intervals import Interval
from .play import Trial
from .score import Difference, Score, Verdict, difference, percent, score, verdict
from .suite import Case, Suite

EVERY = "every run right"  # the gate of a suite that states none
_BESIDE = "model calls: steps / beside them"


@dataclass(frozen=True, slots=True)
class Report:
    """What a suite came to. `verdicts` are of the first side; the first of them decides the exit code."""

    name: str
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]
    verdicts: tuple[Verdict, ...]
    failed: tuple[Trial, ...]

    @property
    def passed(self) -> bool:
        """Whether the gate that counts was reached."""
        return self.verdicts[0].passed


def report(
    suite: Suite, sides: Sequence[str], trials: Sequence[Trial], cases: Sequence[Case], gate: str = ""
) -> Report:
    """The report of these runs; `gate` picks one of the suite's gates by name, otherwise all of them are held."""
    scores = tuple(score(side, trials, cases) for side in sides)
    if gate:
        gates = [(gate, suite.gates[gate])]
    else:
        gates = list(suite.gates.items()) or [("gate" if suite.gate else EVERY, suite.gate)]  # type: ignore[list-item]
    return Report(
        suite.name,
        scores,
        tuple(difference(side, sides[0], trials, cases) for side in sides[1:]),
        tuple(verdict(name, held, scores[0]) for name, held in gates),
        tuple(trial for trial in trials if not trial.right),
    )


def as_json(found: Report) -> dict[str, Any]:
    """The report as numbers; the failed runs are among all the others."""
    data = asdict(found)
    del data["failed"]
    return {**data, "passed": found.passed}


def rows(found: Report) -> list[list[str]]:
    """The table: a row for each quantity, a column for each side; the first row is the heading."""
    scores = found.scores
    table = [
        ["", *(one.side for one in scores)],
        ["cases x runs", *(f"{s.cases} x {s.rounds}" + (f" ({s.runs} runs)" if s.runs != s.cases * s.rounds else "")
                           for s in scores)],
        ["success", *(f"{percent(s.success.value)} ({s.right} of {s.runs})" for s in scores)],
        ["95 % interval", *(_between(s.success) for s in scores)],
        ["valid steps", *(f"{_share(s.valid)} ({s.valid_steps} of {s.steps})" for s in scores)],
        ["rungs", *(_counts(s.rungs) for s in scores)],
        [_BESIDE, *(f"{s.steps} / {s.served}" for s in scores)],
        ["model calls by tier", *(_counts(s.tiers) for s in scores)],
        ["model calls a run, median", *(_number(s.calls_median) for s in scores)],
        ["tokens a run, median", *(_number(s.tokens_median) for s in scores)],
        ["tokens: prompt / cached / completion", *(f"{s.prompt:,} / {s.cached:,} / {s.completion:,}" for s in scores)],
        ["prompt evaluated after the first step", *(_share(s.evaluated) for s in scores)],
        ["seconds a run, median (all)", *(f"{s.seconds_median:.1f} ({s.seconds:.0f})" for s in scores)],
        ["answers without a call", *(str(s.unfounded) for s in scores)],
    ]  # fmt: skip
    for tag in scores[0].tags:
        cells = (f"{percent(one.tags[tag].value)} ({_between(one.tags[tag])})" for one in scores)
        table.append([f"success of {tag}", *cells])
    hidden = {"rungs"} if not any(s.rungs for s in scores) else set[str]()
    if not any(len(s.tiers) > 1 for s in scores):
        hidden.add("model calls by tier")
    if not any(s.served for s in scores):
        hidden.add(_BESIDE)
    return [row for row in table if row[0] not in hidden]


def text(found: Report, *, whole: bool = True) -> Iterator[str]:
    """The report for a terminal; one that is not whole yet says nothing of gates."""
    table = rows(found)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for one in found.differences:
        yield ""
        yield from _differs(one)
    yield ""
    if not whole:
        yield "gate: not every run is done"
    for held in found.verdicts if whole else ():
        yield f"{held.name}: {'passed' if held.passed else 'failed'}"
        yield from (f"  {miss}" for miss in held.missed)
    if found.failed:
        yield ""
        yield f"{len(found.failed)} failed:"
    for trial in found.failed:
        yield from _failure(trial, many=len(found.scores) > 1)


def markdown(found: Report) -> str:
    """The report as Markdown."""
    table = rows(found)
    lines = [f"# {found.name}", "", _row(table[0]), _row(["---"] * len(table[0])), *map(_row, table[1:])]
    for one in found.differences:
        lines += ["", *(f"{line}  " for line in _differs(one))]
    lines += ["", "| gate | | missed |", "| --- | --- | --- |"]
    lines += [_row([v.name, "passed" if v.passed else "failed", "; ".join(v.missed)]) for v in found.verdicts]
    if found.failed:
        lines += ["", "## Failed runs", "", _row(["case", "seed", "of", "expected and got", "run"]), _row(["---"] * 5)]
        lines += [_row([t.case, str(t.seed), t.side, "; ".join(t.wrong), t.run_id]) for t in found.failed]
    return "\n".join(lines) + "\n"


def line(trial: Trial) -> str:
    """One run as it is shown while a suite is played, and what is wrong with it; `!` marks a call that failed."""
    verdict = "ok   " if trial.right else "wrong"
    name = f"{trial.case}" + (f" #{trial.seed}" if trial.seed != 1 else "")
    calls = " ".join(trial.calls) or "-"
    status = "" if trial.status == "done" else f" [{trial.status}]"
    return f"{verdict} {name:<28} {trial.seconds:6.1f} s {trial.asked:2d} model calls  {calls}{status}" + "".join(
        f"\n      {' '.join(what.split())}" for what in trial.wrong
    )


def _failure(trial: Trial, *, many: bool) -> Iterator[str]:
    side = f" with {trial.side}" if many else ""
    where = f", in {trial.folder}" if trial.folder else ""
    yield f"  {trial.case} (seed {trial.seed}{side}, run {trial.run_id}{where})"
    for what in trial.wrong:
        yield f"    {' '.join(what.split())}"


def _differs(one: Difference) -> Iterator[str]:
    points, low, high = (100 * value for value in (one.success.value, one.success.low, one.success.high))
    yield f"{one.side} less {one.other}: {points:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f} (paired by case)"
    yield f"  right there and not here: {', '.join(one.gained) or 'none'}"
    yield f"  right here and not there: {', '.join(one.lost) or 'none'}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _between(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items()) or "-"
