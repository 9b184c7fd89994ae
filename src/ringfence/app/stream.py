"""A run as it happens: its records, and the model's text, for whoever follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, replace
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.values import Principal
from ringfence.engine.ladder import read
from ringfence.engine.result import Result

_listener: ContextVar[Callable[[Record], None] | None] = ContextVar("listener", default=None)
_HELD = '{"thought": "", "final_answer": {"answer": "(not judged yet)"}}'


@dataclass(frozen=True, slots=True)
class Event:
    """What a run is doing: a record of its journal, or text of the model as it streams (`kind` "delta")."""

    kind: str
    run_id: str
    text: str = ""
    record: Record | None = None


def observe(record: Record) -> None:
    """Hand a record to whoever follows its run: a run's records are made in the context of its task."""
    if (listener := _listener.get()) is not None:
        listener(record)


@contextmanager
def listening(listener: Callable[[Record], None]) -> Iterator[None]:
    """Hand the records that are made inside to `listener` as well."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


async def follow(
    principal: Principal, start: Callable[[Callable[[str], None]], Any], *, waits: bool = False
) -> AsyncGenerator[Event | Result, None]:
    """The events of a run, its result last; `start` gets what takes the model's text. Closing it interrupts the run.

    `waits`: what the model answers is shown when it was judged, and not before (POL-11); its steps are.
    """
    queue: asyncio.Queue[Event | None] = asyncio.Queue()
    context = copy_context()

    def show(record: Record) -> None:
        if record.label.readable_by(principal.member):  # a stream is a way out like the answer
            queue.put_nowait(Event(str(record.kind), record.run, record=_held(record) if waits else record))

    context.run(_listener.set, show)
    job = asyncio.create_task(start(lambda text: queue.put_nowait(Event("delta", "", text))), context=context)
    job.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (event := await queue.get()) is not None:
            yield event
        yield job.result()
    finally:
        if not job.done():
            job.cancel()
            await asyncio.wait([job])


def _held(record: Record) -> Record:
    """A record without the model's words, unless they are a step that calls tools."""
    value = record.body.get("value")
    if record.kind is not Kind.OUTCOME or "usage" not in record.view or not isinstance(value, dict):
        return record
    with suppress(ValueError):
        if read(value["text"]).calls:
            return record
    return replace(record, body={**record.body, "value": {**value, "text": _HELD}})
