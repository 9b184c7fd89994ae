"""Bring a collection up to date: what changed is read, split, embedded and put; what is gone is forgotten.

A document is in the index whole or not at all, so that whoever is stopped goes on where they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ringfence.core.labels import Audience, Label
from ringfence.core.values import JSON

from ..chunks import estimate, passage, split
from ..errors import KnowledgeError, Unreadable
from ..ports import Document, Embedder, Index, Parsed, Parser, Vectors
from . import rights
from .rights import Rights, Table
from .seen import Seen
from .walk import Found, Source, Walk, walk

RECIPE = "1"  # of parsing and splitting: another one, and every document is made anew
MEMBER = "!"  # between the name of an archive and that of what is in it
_HEAD_LINES, _HEAD_CHARS = 12, 200
_OUTDATED = re.compile(  # of the text itself; that another one is outdated says nothing against it
    r"^\W*(status\W+)?(outdated|obsolete|superseded|replaced by|withdrawn|deprecated|no longer (valid|in force))\b|"
    r"^\W*(this|the present)( \w+){0,3} (is|was|has been) (now )?(outdated|obsolete|superseded|replaced|withdrawn|"
    r"deprecated|no longer (valid|in force))\b|"
    r"^\W*(status\W+)?(veraltet|ersetzt durch|abgelöst durch|außer kraft|nicht mehr gültig)\b|"
    r"^\W*dies(e|er|es)( \w+){0,2} (ist|wurde) (veraltet|ersetzt|abgelöst|außer kraft|nicht mehr gültig)\b",
    re.I,
)
_AT_ONCE = 4  # files at work: what is parsed and what is embedded keep each other busy


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: files done, of those that have to be read; the one at work; chunks so far."""

    collection: str
    done: int
    total: int
    name: str
    chunks: int


Progress = Callable[[Step], None]


@dataclass(slots=True)
class Report:
    """What became of a collection. `skipped` and `notes`: (name, why), by name; `chunks` were made, `seconds` taken."""

    collection: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Work:
    """A file that has to be read: its rights, the version of what comes of it, and its documents so far."""

    file: Found
    rights: Rights
    digest: str
    version: str
    known: tuple[str, ...]


class Intake:
    """Takes documents into one index. `audience`: who sees what is embedded, where that is not this machine."""

    def __init__(
        self, index: Index, parser: Parser, embedder: Embedder | None, home: Path, *, audience: Audience | None = None
    ) -> None:
        self._index = index
        self._parser = parser
        self._embedder = embedder
        self._home = home
        self._audience = audience
        self._seen: Seen | None = None

    @property
    def seen(self) -> Seen:
        """What files looked like."""
        if self._seen is None:
            self._seen = Seen(self._home / "seen.db")
        return self._seen

    def close(self) -> None:
        """Free files."""
        if self._seen is not None:
            self._seen.close()
            self._seen = None

    async def refresh(self, source: Source, progress: Progress = lambda step: None) -> Report:
        """Take in what has changed. Raises ManifestError for rights that cannot be meant, KnowledgeError for the store.

        One at a time for each collection, whatever process it is in: a second one waits, and finds it done.
        """
        async with _alone(self._home, source.name):
            began = time.monotonic()
            report = Report(source.name)
            found = await asyncio.to_thread(walk, source)
            report.skipped += found.skipped
            work, barred, gone = await self._compared(source, found, report)
            if barred:
                report.removed += await self._index.remove(source.name, barred)
            await self._take_in(source, work, report, progress)
            if gone:  # last: what was moved finds its vectors
                report.removed += await self._index.remove(source.name, gone)
            report.skipped.sort()
            report.seconds = time.monotonic() - began
            return report

    async def survey(self, source: Source) -> Report:
        """What `refresh` would find to do, as far as it can be told without reading: nothing is changed."""
        report = Report(source.name)
        found = await asyncio.to_thread(walk, source)
        report.skipped += found.skipped
        work, barred, gone = await self._compared(source, found, report)
        report.added = sum(not one.known for one in work)
        report.changed = len(work) - report.added
        report.removed = len(barred) + len(gone)
        report.skipped.sort()
        return report

    async def forget(self, collection: str) -> None:
        """Drop a collection, so that it is made anew from its files."""
        async with _alone(self._home, collection):
            await self._index.drop(collection)
            self.seen.forget(collection)

    async def _compared(self, source: Source, found: Walk, report: Report) -> tuple[list[_Work], list[str], list[str]]:
        """What has to be read; the documents that nobody may read any more, and those that are gone."""
        versions = await self._index.versions(source.name)
        documents: dict[str, list[str]] = {}
        for path in versions:
            documents.setdefault(path.partition(MEMBER)[0], []).append(path)
        table = await asyncio.to_thread(Table.of, source)
        work: list[_Work] = []
        barred: list[str] = []
        gone: list[str] = []
        for file in found.files:
            known = tuple(documents.pop(file.name, ()))
            try:
                may = table.of_file(file)
                digest = await asyncio.to_thread(self._digest, source.name, file)
            except Unreadable as fault:
                barred += known
                report.skipped.append((file.name, fault.what))
                continue
            except OSError as fault:
                report.skipped.append((file.name, f"cannot be opened: {fault.strerror}; what was indexed is kept"))
                continue
            version = _version(digest, may, source, self._model(source))
            if why := self.seen.why(source.name, file, version):
                report.skipped.append((file.name, why))
            elif known and all(versions[path] == version for path in known):
                report.unchanged += 1
            else:
                work.append(_Work(file, may, digest, version, known))
        if found.whole:
            gone = [path for paths in documents.values() for path in paths]
            self.seen.forget(source.name, documents)
        return work, barred, gone

    def _digest(self, collection: str, file: Found) -> str:
        if known := self.seen.digest(collection, file):
            return known
        began = time.time_ns()
        with os.fdopen(_no_link(file.path), "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self.seen.keep(collection, file, digest, now_ns=began)
        return digest

    def _model(self, source: Source) -> str:
        return self._embedder.model if self._embedder is not None and source.vectors else ""

    async def _take_in(self, source: Source, work: Sequence[_Work], report: Report, progress: Progress) -> None:
        """Several files at a time, so that one is parsed while others are embedded; the first fault ends it."""
        todo, done = iter(work), 0

        async def take() -> None:
            nonlocal done
            for one in todo:
                progress(Step(source.name, done, len(work), one.file.name, report.chunks))
                try:
                    parsed = await self._parser.parse(one.file.name, str(one.file.path))
                except Unreadable as fault:
                    await self._skip(source, one, fault.what, report)
                except OSError as fault:
                    report.skipped.append((one.file.name, f"cannot be opened: {fault.strerror}; what was is kept"))
                else:
                    await self._put_all(source, one, parsed, report)
                done += 1

        tasks = [asyncio.create_task(take()) for _ in range(min(_AT_ONCE, len(work)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if work:
            progress(Step(source.name, done, len(work), "", report.chunks))

    async def _put_all(self, source: Source, work: _Work, parsed: Sequence[tuple[str, Parsed]], report: Report) -> None:
        """Put what came of one file, and forget what came of it before and does not any more."""
        name, kept = work.file.name, set[str]()
        if await asyncio.to_thread(_changed, work.file):
            report.notes.append((name, "changed while it was read; it is taken in next time"))
            return
        for member, one in parsed:
            path = f"{name}{MEMBER}{member}" if member else name
            try:
                if not await self._put(source, work, path, one, report):
                    raise Unreadable("; ".join(one.notes) or "holds no text")
                kept.add(path)
                report.notes += [(path, note) for note in one.notes]
            except Unreadable as fault:
                report.skipped.append((path, fault.what))
        if not kept:
            why = next((why for path, why in report.skipped if path == name), "nothing in it can be read")
            await self._skip(source, work, why, report, said=True)
            return
        report.added, report.changed = report.added + (not work.known), report.changed + bool(work.known)
        if stale := [path for path in work.known if path not in kept]:
            report.removed += await self._index.remove(source.name, stale)

    async def _skip(self, source: Source, work: _Work, why: str, report: Report, *, said: bool = False) -> None:
        """Nothing came of it: what did before is forgotten, and it is not looked into again before it has changed."""
        if not said:
            report.skipped.append((work.file.name, why))
        self.seen.skip(source.name, work.file, work.version, why)
        if work.known:
            report.removed += await self._index.remove(source.name, work.known)

    async def _put(self, source: Source, work: _Work, path: str, parsed: Parsed, report: Report) -> bool:
        """Whether there was anything in it."""
        may = rights.of_itself(work.rights, parsed.readers)
        label = Label(source.trust, may.readers)
        meant = self._embedder if source.vectors else None
        if meant is not None and self._audience is not None and label.broken_by(self._audience):
            raise Unreadable("not everyone behind the embedding server may read it; `embedding.audience` says who is")
        count = meant.count if meant is not None else estimate
        title = parsed.title or path.rpartition("/")[2]
        text, chunks = await asyncio.to_thread(split, parsed, count=count, title=title)
        if not chunks:
            return False
        passages = [passage(title, chunk, text[chunk.start : chunk.end]) for chunk in chunks]
        digests = [hashlib.sha256(one.encode()).digest() for one in passages]
        vectors = None if meant is None else await self._vectors(meant, passages, digests, report)
        document = Document(
            source.name, path, text, label, work.version, title, subjects=may.subjects, meta=_meta(text)
        )
        model = meant.model if meant is not None else ""
        await self._index.put(document, chunks, vectors, model=model, digests=digests)
        report.chunks += len(chunks)
        return True

    async def _vectors(
        self, embedder: Embedder, passages: Sequence[str], digests: Sequence[bytes], report: Report
    ) -> Vectors:
        """(len(passages), dim): those that the index has already, and the rest made."""
        known: Mapping[bytes, Vectors] = await self._index.vectors_of(digests, model=embedder.model)
        new = [n for n, digest in enumerate(digests) if digest not in known]
        made = await embedder.embed([passages[n] for n in new]) if new else None
        report.embedded += len(new)
        rows = np.empty((len(passages), embedder.dim), dtype=np.float32)  # some learn it by their first answer
        for n, digest in enumerate(digests):
            if digest in known:
                rows[n] = known[digest]
        if made is not None:
            rows[new] = made
        return rows


def _meta(text: str) -> dict[str, JSON]:
    """What its head says of it: a document that has been replaced is found last, and said to be."""
    head = text.split("\n", _HEAD_LINES)[:_HEAD_LINES]
    outdated = next((line.strip()[:_HEAD_CHARS] for line in head if _OUTDATED.search(line[:_HEAD_CHARS])), "")
    return {"outdated": outdated} if outdated else {}


def _version(digest: str, may: Rights, source: Source, model: str) -> str:
    """What a document was made from: bytes, rights, trust, recipe and model."""
    readers = sorted(sorted(clause) for clause in may.readers)
    made = json.dumps([digest, readers, may.subjects, source.trust.name, model, RECIPE])
    return hashlib.sha256(made.encode()).hexdigest()


def _changed(file: Found) -> bool:
    try:
        now = file.path.stat(follow_symlinks=False)
    except OSError:
        return True
    before = file.status
    return (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino)


def _no_link(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def _lock_file(home: Path, collection: str) -> int:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(home / f".{collection}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise KnowledgeError(
            f"the index at {home} cannot be written: {fault.strerror}", todo="check the folder and its disk"
        ) from None


@contextlib.asynccontextmanager
async def _alone(home: Path, collection: str) -> AsyncIterator[None]:
    fd = _lock_file(home, collection)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.1)
        yield
    finally:
        os.close(fd)
