"""Keeping the library of an agent up to date: once when it starts, and while it runs where a collection is watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ringfence.core.errors import RingfenceError
from ringfence.manifest.types import Manifest

if TYPE_CHECKING:
    from ringfence.knowledge.ingest.refresh import Report, Step
    from ringfence.knowledge.library import Library
    from ringfence.knowledge.ports import Embedder

AGAIN_S = 5.0  # after a fault, before what changes is taken in again
_LISTED = 3  # documents of a collection that a warning names

Notice = Callable[[str], None]


class Fresh:
    """`await once()` before the first run; `warnings` say what could not be taken in."""

    def __init__(self, library: Library, manifest: Manifest, notice: Notice | None) -> None:
        self._library = library
        self._watched = any(one.watch for one in manifest.knowledge.collections)
        self._notice = notice or (lambda text: None)
        self._watching: asyncio.Task[None] | None = None
        self._done = False
        self._told: dict[str, str] = {}

    @property
    def library(self) -> Library:
        """What is kept up to date."""
        return self._library

    @property
    def warnings(self) -> list[str]:
        """What everybody who asks this library has to know."""
        return [text for text in self._told.values() if text]

    @property
    def embedder(self) -> Embedder | None:
        """What makes vectors of the documents, and of what is looked for in them."""
        return self._library.embedder

    async def once(self) -> None:
        """Take in what has changed since the last time. Raises KnowledgeError, BackendError."""
        if self._done:
            return
        for report in await self._library.refresh(progress=self._step):
            self._tell(report)
        self._done = True
        if self._watched and self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Watch no longer."""
        task, self._watching = self._watching, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        """Until it is ended: a fault (a rights file that is half written, a full disk) is told, and tried again."""
        while True:
            try:
                if self._told.get("watch"):  # what was missed meanwhile
                    for report in await self._library.refresh():
                        self._tell(report)
                    self._told["watch"] = ""
                async for report in self._library.watch():
                    self._tell(report)
            except RingfenceError as fault:
                self._told["watch"] = f"documents are not kept up to date: {fault.what}"
                await asyncio.sleep(AGAIN_S)

    def _step(self, step: Step) -> None:
        if step.name:
            self._notice(f"reading {step.collection}: {step.done} of {step.total} changed files, {step.name}")

    def _tell(self, report: Report) -> None:
        names = [name for name, _ in report.skipped]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        self._told[report.collection] = (
            f"{len(names)} of collection {report.collection} cannot be searched: {', '.join(names[:_LISTED])}{more};"
            f" `ringfence kb status {report.collection}` says why"
            if names
            else ""
        )
