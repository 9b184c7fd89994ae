"""Where a label comes from: which record of a run first said that not everybody may read this, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.core.chain import Record
from ringfence.core.labels import Audience, Clause, Label, Trust
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

_VALUE_CHARS, _ARGS_SHOWN = 60, 3
_TOOL = "tool:"


def origin(
    turn: Turn, label: Label, audience: Audience, clearance: Trust = Trust.UNTRUSTED, *, args: bool = True
) -> Iterator[str]:
    """A sentence for each thing that keeps content so labelled from this audience: what it is, and where it came from.

    Pure, over `turn.items`. A clause that no record has came with the conversation before the run. Without `args` no
    content is named: for those who may not read it.
    """
    for clause in sorted(label.broken_by(audience), key=sorted):
        source = next((pair for pair in turn.items if clause in pair[0].label.readers), None)
        yield f"{_named(source, turn, args)} may be read by {who(clause)} alone"
    if label.trust < clearance:
        low = next((pair for pair in turn.items if pair[0].label.trust < clearance), None)
        yield f"{_named(low, turn, args)} is trusted as {label.trust.name.lower()} alone"


def who(clause: Clause) -> str:
    """The readers of a clause: any one of them."""
    return " or ".join(sorted(clause)) or "nobody"


def _named(source: tuple[Record, Record | None] | None, turn: Turn, args: bool) -> str:
    """A record by its handle and what it is: `r5 files.read(path=hr/pay.csv)`."""
    if source is None:
        return "what was said earlier in the conversation" if turn.items else "what it is made from"
    record, intent = source
    about = intent if intent is not None else record
    sink = str(about.view.get("sink", ""))
    if sink.startswith(_TOOL):
        called = f"({_shown(about.body.get('args', {}))})" if args else ""
        return f"r{record.seq} {sink.removeprefix(_TOOL)}{called}"
    if intent is not None:
        return f"r{record.seq}, a step of the model,"
    return f"r{record.seq}, what you wrote," if record.body.get("role") == "user" else f"r{record.seq}"


def _shown(args: Mapping[str, JSON]) -> str:
    parts = [f"{name}={_cut(str(value))}" for name, value in list(args.items())[:_ARGS_SHOWN]]
    return ", ".join([*parts, "..."] if len(args) > _ARGS_SHOWN else parts)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _VALUE_CHARS else f"{line[: _VALUE_CHARS - 3]}..."
