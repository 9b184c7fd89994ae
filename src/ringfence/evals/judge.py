"""Whether a run was right: what was expected held against what is there, each difference in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from .checks import ABSTAINS, Check
from .measure import Measured
from .suite import Budget, Calls, Expected, FileState, Records

_ENDED = ("done", "partial")
_MAX_BYTES = 10_000_000  # of a file that is looked at
_SHOWN = 160  # characters of an answer


def judge(
    expected: Expected, budget: Budget, *, status: str, answer: str, seconds: float, ran: Measured, root: Path
) -> list[str]:
    """What is wrong with a run, each as `expected ..., got ...`; empty for a right one. `root` is where files are."""
    found = list(_status(expected, status, answer)) or list(_answer(expected, answer))
    found += _calls(expected.calls, ran)
    for name, state in expected.files.items():
        found += _file(name, state, root)
    return [*found, *_records(expected.records, ran), *_budget(budget, ran, seconds)]


def _status(expected: Expected, status: str, answer: str) -> Iterator[str]:
    wanted = expected.status or _ENDED
    if status not in wanted:
        yield f"expected the run to end {' or '.join(wanted)}, got {status}{': ' + _short(answer) if answer else ''}"


def _answer(expected: Expected, answer: str) -> Iterator[str]:
    if expected.answer is not None and not expected.answer.check.passes(answer):
        yield f"expected an answer with {expected.answer.check.wanted}, got {_short(answer)}"
    own = expected.answer is not None and expected.answer.any  # the suite knows better how it is said
    if expected.abstains and not own and not ABSTAINS.passes(answer):
        yield f"expected an answer that says it is not there, got {_short(answer)}"


def _calls(wanted: Calls, ran: Measured) -> Iterator[str]:
    answered, made = [c.tool for c in ran.calls if c.ok], [c.tool for c in ran.calls if not c.opening]
    shown = ", ".join(f"{c.tool}{'' if c.ok else ' (failed)'}" for c in ran.calls) or "no call"
    if wanted.any and not any(_among(pattern, answered) for pattern in wanted.any):
        yield f"expected an answered call of {' or '.join(wanted.any)}, got {shown}"
    for pattern in wanted.all:
        if not _among(pattern, answered):
            yield f"expected an answered call of {pattern}, got {shown}"
    for pattern in wanted.none:
        if _among(pattern, made):
            yield f"expected no call of {pattern}, got {shown}"
    if wanted.at_most is not None and len(made) > wanted.at_most:
        yield f"expected at most {wanted.at_most} calls, got {len(made)}: {shown}"


def _among(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _file(name: str, wanted: FileState, root: Path) -> Iterator[str]:
    path = root / name
    if wanted.absent:
        if path.exists() or path.is_symlink():
            yield f"expected no file {name}, got one"
        return
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        yield f"expected the file {name}, got: {(error.strerror or str(error)).lower()}"
        return
    if wanted.equals is not None and text.rstrip("\r\n") != wanted.equals.rstrip("\r\n"):
        yield f"expected {name} to be {_short(wanted.equals)}, got {_short(text)}"
    for part in wanted.contains:
        if not (part in text or Check(((part,),)).passes(text)):
            yield f"expected {_short(part)} in {name}, got {_short(text)}"
    for part in wanted.lacks:
        if part in text or Check(((part,),)).passes(text):
            yield f"expected {name} without {_short(part)}, got it"


def _records(wanted: Records, ran: Measured) -> Iterator[str]:
    known = {word for decision in ran.decided for word in decision}
    shown = ", ".join(f"{verdict} {rule} {code}" for code, rule, verdict in ran.decided) or "none"
    if wanted.any and not known.intersection(wanted.any):
        yield f"expected a decision {' or '.join(wanted.any)} on record, got {shown}"
    for word in wanted.none:
        if word in known:
            yield f"expected no decision {word} on record, got {shown}"


def _budget(most: Budget, ran: Measured, seconds: float) -> Iterator[str]:
    for what, bound, came in (
        ("model calls", most.steps, len(ran.asked)),
        ("tokens", most.tokens, ran.tokens),
        ("seconds", most.seconds, round(seconds, 1)),
    ):
        if bound is not None and came > bound:
            yield f"expected at most {bound:g} {what}, got {came:g}"


def _short(text: str) -> str:
    line = " ".join(text[: 8 * _SHOWN].split())
    return f"'{line if len(line) <= _SHOWN else line[: _SHOWN - 1] + '…'}'" if line else "nothing"
