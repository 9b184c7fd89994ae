"""The collections of an agent for whoever asks: what they hold that somebody may read, and who fills them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import JournalError, RingfenceError
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Principal

from ..ids import now_ms
from ..knowing.library import readable
from .noted import noted
from .placing import Path, Placed, Temporary, remove
from .service import ADMIN, NotFound, Service

if TYPE_CHECKING:
    from ringfence.knowledge.ingest.refresh import Report, Step
    from ringfence.knowledge.library import Library, Passage
    from ringfence.knowledge.ports import Document, Hit

ROOM = 8_000  # characters of the passages that one search shows


class Forbidden(RingfenceError):
    """They are known, and may not do this."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection as somebody sees it: of its documents those that they may read."""

    name: str
    documents: int
    chunks: int
    characters: int
    readers: list[list[str]]
    trust: str
    may_change: bool
    refresh: Refresh | None


@dataclass(slots=True)
class Refresh:
    """A refresh of a collection: how far it is, and what came of it."""

    collection: str
    by: str
    started: int
    state: str = "running"  # done | failed
    done: int = 0
    total: int = 0
    name: str = ""
    report: Any = None
    fault: str = ""
    ended: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Shelves:
    """Collections behind one service. Whoever asks is shown what their rights let them, and told of nothing else."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._refreshes: dict[str, Refresh] = {}

    @property
    def _library(self) -> Library | None:
        fresh = self._service.agent.house.fresh
        return None if fresh is None else fresh.library

    async def seen(self, who: Principal) -> list[Shelf]:
        """The collections that they may know of, by name."""
        library = self._library
        if library is None:
            return []
        held = {one.collection: one for one in await library.status(who.member)}
        admin, found = ADMIN in who.roles, []
        for name, source in sorted(library.sources.items()):
            label = Label(Trust.UNTRUSTED, source.readers)
            if not admin and name not in held and not (source.readers and label.readable_by(who.member)):
                continue
            one = held.get(name)
            found.append(Shelf(
                name, one.documents if one else 0, one.chunks if one else 0, one.characters if one else 0,
                sorted(sorted(clause) for clause in source.readers), source.trust.name.lower(), admin,
                self._refreshes.get(name) if admin else None,
            ))  # fmt: skip
        return found

    async def _known(self, who: Principal, name: str) -> Library:
        library = self._library
        if library is None or name not in {one.name for one in await self.seen(who)}:
            raise NotFound("there is no such collection", todo="`GET /v1/collections` lists those that you may see")
        return library

    async def _changing(self, who: Principal, name: str) -> Library:
        library = await self._known(who, name)
        if ADMIN not in who.roles:
            raise Forbidden(f"expected {ADMIN} to change a collection, got somebody without it", todo="ask an admin")
        return library

    async def documents(self, who: Principal, name: str) -> Sequence[Document]:
        """Those of a collection that they may read, by path, without their text. Raises NotFound."""
        library = await self._known(who, name)
        found = await library.documents(who.member, [name])
        return sorted(found, key=lambda one: one.path)

    async def search(
        self, who: Principal, question: str, names: Sequence[str], limit: int
    ) -> list[tuple[Passage, Hit]]:
        """The best passages among those that they may read; none of a collection that they may not know of."""
        library = self._library
        if library is None:
            return []
        known = {one.name for one in await self.seen(who)}
        wanted = frozenset(names) & known
        if names and not wanted:
            return []
        hits = await library.search(question, who.member, collections=wanted, limit=limit, now=now_ms())
        passages = await library.passages(hits, question, room=ROOM)
        return list(zip(passages, hits, strict=True))

    async def passage(self, who: Principal, document: str, start: int, length: int) -> Passage:
        """Part of a document (`collection/path`). Raises NotFound for one that they may not read."""
        library = self._library
        found = await library.read(document, who.member, start=start, length=length) if library is not None else None
        if found is None:
            raise NotFound("there is no such document", todo="`GET /v1/collections` lists what you may read")
        return found

    async def folder(self, who: Principal, name: str) -> Path:
        """Where files of a collection are put. Raises NotFound, Forbidden."""
        source = (await self._changing(who, name)).source(name)
        own = {one.name: one for one in self._service.agent.manifest.knowledge.collections}
        if name not in own:
            raise JournalError("this collection has no folder of its own: what it holds was added at the command line",
                               todo="ringfence kb add")  # fmt: skip
        return source.places[0].path

    async def put(
        self, who: Principal, name: str, file: Temporary, path: str, *, replace: bool, readers: Sequence[str] = ()
    ) -> Placed:
        """Move a file that has arrived into a collection's folder; a refresh takes it in. On the record.

        `readers` narrow who may read it, beside those of the collection. Raises ManifestError for what is none.
        """
        folder, named = await self.folder(who, name), readable(readers) or ()
        view = {"knowledge": "upload", "collection": name, "path": path, "sha256": file.sha256, "bytes": file.size}
        async with noted(self._service.agent, who, f"upload {name}/{path}", view):
            return await asyncio.to_thread(file.place, folder, path, replace=replace, readers=named)

    async def remove(self, who: Principal, name: str, path: str) -> None:
        """Destroy a document: its file, and what is held of it. Raises NotFound, Forbidden."""
        library = await self._changing(who, name)
        folder = await self.folder(who, name)
        view = {"knowledge": "remove", "collection": name, "path": path}
        async with noted(self._service.agent, who, f"remove {name}/{path}", view):
            await asyncio.to_thread(remove, folder, path)
            await library.index.remove(name, [path])

    async def refresh(self, who: Principal, name: str) -> Refresh:
        """Begin to take in what has changed; the one that is under way, if there is one. Raises NotFound, Forbidden."""
        library = await self._changing(who, name)
        known = self._refreshes.get(name)
        if known is not None and known.state == "running":
            return known
        job = self._refreshes[name] = Refresh(name, who.subject, now_ms())
        job.task = asyncio.create_task(self._refreshing(library, job), name=f"refresh {name}")
        return job

    async def refreshed(self, who: Principal, name: str) -> Refresh:
        """The last refresh of a collection. Raises NotFound, Forbidden."""
        await self._changing(who, name)
        if (known := self._refreshes.get(name)) is None:
            raise NotFound("the collection was not refreshed since the server began", todo="POST begins it")
        return known

    async def _refreshing(self, library: Library, job: Refresh) -> None:
        def step(now: Step) -> None:
            job.done, job.total, job.name = now.done, now.total, now.name

        try:
            reports: list[Report] = await library.refresh([job.collection], step)
            job.report, job.state = reports[0], "done"
        except RingfenceError as error:
            job.state, job.fault = "failed", error.what
        except Exception as error:
            job.state, job.fault = "failed", "something is wrong here, and it is ours: the server's log says what"
            raise error
        finally:
            job.ended, job.state = now_ms(), "failed" if job.state == "running" else job.state

    async def aclose(self) -> None:
        """Stop refreshes that are under way: the next one goes on with them."""
        tasks = [job.task for job in self._refreshes.values() if job.task is not None and not job.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
