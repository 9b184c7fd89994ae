"""The headers of a log as events, each with what its run's earlier records say about it. No body is ever read."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from ..core import chain
from ..core.chain import Kind
from ..core.errors import JournalError
from ..core.values import JSON, canonical

PAGE = 1024  # records that are read in one look at the log
LOOK_BACK = 10_000  # records before the first one asked for, that its run's trace and sinks are looked for in
_RUNS = 4096  # remembered; one that is forgotten has no trace on its later events
_SHAPE = {
    "v": int, "log": str, "index": int, "run": str, "seq": int, "time": int, "kind": str, "principal": str,
    "label": dict, "body": str, "view": dict,
}  # fmt: skip
_OPEN = 1024  # intents and questions of one run that are remembered


class Headers(Protocol):
    """What is needed of a log: `stores.log.Log` has it."""

    id: str  # of the log, in hex

    def size(self) -> int:
        """Durable records."""
        ...

    def headers(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The canonical bytes of the headers from index `start` to before `stop`."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One record for readers of the log.

    raw     its header's bytes, as they were hashed
    head    the same, parsed
    trace   the W3C trace id of its run, 32 hex digits; empty if the run has none
    sink    what it is about: its own sink, or that of the intent or question that it answers; empty if nothing
    effect  whether that sink changes or sends something, by the run's own list
    """

    raw: bytes
    head: Mapping[str, JSON]
    trace: str = ""
    sink: str = ""
    effect: bool = False

    @property
    def index(self) -> int:
        """Its place in the log."""
        return int(self.head["index"])

    @property
    def leaf(self) -> str:
        """Its leaf of the Merkle tree (RFC 9162 2.1.1), in hex: what a proof of inclusion is about."""
        return chain.leaf(self.raw).hex()

    @property
    def view(self) -> Mapping[str, JSON]:
        """Codes, counts and digests, and redacted content where the log keeps it."""
        view = self.head["view"]
        return view if isinstance(view, dict) else {}

    @property
    def copied(self) -> bool:
        """Whether this is a fork's copy of what happened in another run: nothing happened here."""
        return "copied" in self.view

    @property
    def uncertain(self) -> list[JSON]:
        """The calls, by the seq of their intents, of which nobody knows whether they were done."""
        found = self.view.get("uncertain")
        return found if isinstance(found, list) and self.head["kind"] == Kind.CHECKPOINT else []

    def text(self, name: str) -> str:
        """A string of the view; empty if it has none by this name."""
        value = self.view.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """An integer of the view."""
        value = self.view.get(name)
        return value if type(value) is int else None

    def tokens(self, name: str) -> int:
        """Tokens that the model counted: `prompt` or `completion`."""
        usage = self.view.get("usage")
        value = usage.get(name) if isinstance(usage, dict) else None
        return value if type(value) is int else 0


@dataclass(slots=True)
class _Run:
    trace: str
    effects: frozenset[str]
    open: OrderedDict[int, str] = field(default_factory=OrderedDict)


class Runs:
    """Makes events of headers, in the order of the log; remembers what later ones need, in bounded memory."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, _Run] = OrderedDict()

    def event(self, raw: bytes) -> Event:
        """Raises JournalError for bytes that are no header of a version that we know."""
        head = _parse(raw)
        event = Event(raw, head)
        kind, run = head["kind"], self._run(event)
        sink = event.text("sink")
        if kind in (Kind.INTENT, Kind.DECISION) and sink:
            run.open[int(head["seq"])] = sink
            if len(run.open) > _OPEN:
                run.open.popitem(last=False)
        elif kind in (Kind.OUTCOME, Kind.APPROVAL):
            answered = event.number("of")
            sink = run.open.pop(answered, "") if answered is not None else ""
        elif kind == Kind.FINISHED:
            self._runs.pop(str(head["run"]), None)
        return Event(raw, head, run.trace, sink, sink in run.effects)

    def _run(self, event: Event) -> _Run:
        name = str(event.head["run"])
        known = self._runs.get(name)
        if known is None or event.head["seq"] == 0:
            effects = event.view.get("effects")
            named = frozenset(filter(_is_text, effects)) if isinstance(effects, list) else frozenset()
            known = self._runs[name] = _Run(event.text("trace"), named)
            if len(self._runs) > _RUNS:
                self._runs.popitem(last=False)
        self._runs.move_to_end(name)
        return known


def events(
    log: Headers, start: int = 0, stop: int | None = None, *, run: str = "", runs: Runs | None = None
) -> Iterator[Event]:
    """The events from index `start` to before `stop`, or to the end as it is now, in flat memory.

    The log is looked at page by page, so that a slow reader keeps no transaction open on it. `runs` is what a caller
    who goes on from where they stopped knows already, and is `warmed` for others. With `run` the headers that do not
    name it are not even parsed.
    """
    needle = canonical(run) if run else b""
    stop = log.size() if stop is None else stop
    runs = warmed(log, start) if runs is None else runs
    while start < stop:
        page = list(islice(log.headers(start, min(stop, start + PAGE)), PAGE))
        if not page:
            return
        start += len(page)
        for raw in page:
            if needle not in raw:
                continue
            event = runs.event(raw)
            if not run or event.head["run"] == run:
                yield event


def warmed(log: Headers, start: int) -> Runs:
    """What the records before `start` say about later ones, from a bounded part of the log."""
    runs = Runs()
    if start:
        for _ in events(log, max(0, start - LOOK_BACK), start, runs=runs):
            continue
    return runs


def within(found: Iterator[Event], since: int | None = None, until: int | None = None) -> Iterator[Event]:
    """Those of a time: from `since` to before `until`, in milliseconds since 1970 UTC."""
    for event in found:
        if (since is None or event.head["time"] >= since) and (until is None or event.head["time"] < until):
            yield event


def _parse(raw: bytes) -> dict[str, JSON]:
    try:
        head = json.loads(raw.decode())
        found = head["v"]
        for name, kind in _SHAPE.items():
            if type(head[name]) is not kind:
                raise ValueError(f"{name} is no {kind.__name__}")
        if not isinstance(head["label"]["trust"], str) or not all(map(_is_clause, head["label"]["readers"])):
            raise ValueError("label is none")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise JournalError(
            f"a header of the log cannot be read: {error!r}", todo="run `ringfence audit verify`"
        ) from None
    if found != chain.VERSION:
        raise JournalError(
            f"expected headers of version {chain.VERSION}, got one of version {found!r}", todo="upgrade ringfence"
        )
    return head  # type: ignore[no-any-return]


def _is_clause(clause: JSON) -> bool:
    return isinstance(clause, list) and all(map(_is_text, clause))


def _is_text(value: JSON) -> bool:
    return isinstance(value, str)
