"""A run as it happens: its records, and the model's text, for whoever follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Any

from ringfence.core.chain import Record
from ringfence.core.values import Principal
from ringfence.engine.result import Result

_listener: ContextVar[Callable[[Record], None] | None] = ContextVar("listener", default=None)


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


async def follow(
    principal: Principal, start: Callable[[Callable[[str], None]], Any]
) -> AsyncGenerator[Event | Result, None]:
    """The events of a run, its result last; `start` gets what takes the model's text. Closing it interrupts the run."""
    queue: asyncio.Queue[Event | None] = asyncio.Queue()
    context = copy_context()

    def show(record: Record) -> None:
        if record.label.readable_by(principal.member):  # a stream is a way out like the answer
            queue.put_nowait(Event(str(record.kind), record.run, record=record))

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
