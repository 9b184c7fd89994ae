"""The collections of an agent: kept up to date, searched and read with the rights of whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

from ringfence.core.labels import Audience, Label, Member

from .errors import KnowledgeError
from .excerpt import excerpt, unheard
from .identifiers import DEEP, identifiers, named_first
from .ingest.refresh import Intake, Progress, Report
from .ingest.walk import Source
from .ports import Document, Embedder, Hit, Index, Parser, Query, Status

MAX_QUESTION = 8_000  # characters of a question that are looked for
MAX_READ = 20_000  # characters of a document that are read at once
FAINT = 0.2  # cosine to the question below which a chunk that shares no word with it is noise
ENOUGH = 2  # hits that hold today, beside which those of replaced documents are left out, unless they are named
DEBOUNCE_MS = 1_500  # of a watched folder
RIGHTS_MS = 2_000  # between two looks at the files that say who may read what


@dataclass(frozen=True, slots=True)
class Passage:
    """Part of a document, as it is shown: `text` stands there word for word, from character `start` to `end`.

    of        characters of the whole document
    outdated  the line of its head that says that it no longer holds
    """

    collection: str
    path: str
    title: str
    start: int
    end: int
    text: str
    label: Label
    page: int = 0
    headings: tuple[str, ...] = ()
    of: int = 0
    outdated: str = ""

    @property
    def document(self) -> str:
        """`collection/path`."""
        return f"{self.collection}/{self.path}"

    @property
    def about(self) -> str:
        """Its title and path, and its headings, a line each."""
        return "\n".join((f"{self.title} {self.path}", *self.headings))


class Library:
    """Collections behind one index. Nothing is opened before it is used.

    audience  who sees what is embedded, where that is not this machine alone
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        index: Index,
        parser: Parser,
        embedder: Embedder | None,
        home: Path,
        audience: Audience | None = None,
    ) -> None:
        self.sources: Mapping[str, Source] = {source.name: source for source in sources}
        self.index = index
        self.embedder = embedder
        self._parser = parser
        self._intake = Intake(index, parser, embedder, home, audience=audience)

    async def refresh(
        self, names: Sequence[str] = (), progress: Progress = lambda step: None, *, anew: bool = False
    ) -> list[Report]:
        """Take in what has changed in these collections, or in all. `anew`: everything, as by another model."""
        sources = [self.source(name) for name in names or self.sources]
        for source in sources if anew else ():  # all of them first: one that is left holds vectors of the former model
            await self._intake.forget(source.name)
        return [await self._intake.refresh(source, progress) for source in sources]

    async def survey(self, name: str) -> Report:
        """What a refresh would find to do in a collection; changes nothing."""
        return await self._intake.survey(self.source(name))

    async def forget(self, name: str) -> None:
        """Destroy what is held of a collection here; its files stay where they are."""
        await self._intake.forget(name)

    def source(self, name: str) -> Source:
        """A collection by its name; raises KnowledgeError."""
        if name not in self.sources:
            known = ", ".join(sorted(self.sources)) or "none"
            raise KnowledgeError(f"there is no collection {name!r}; there are: {known}", todo="name one of these")
        return self.sources[name]

    async def watch(self, progress: Progress = lambda step: None) -> AsyncIterator[Report]:
        """A report whenever folders of collections, or who may read them, have changed and were taken in, until closed.

        A mapping file of rights lies outside of the folders: it is looked at every RIGHTS_MS.
        """
        roots = {place.path: source for source in self.sources.values() for place in source.places}
        there = [path for path in roots if path.exists()]
        if not there:
            raise KnowledgeError("there is no folder to watch", todo="correct `path` of the collections")
        rights = {name: _written(source.rights) for name, source in self.sources.items()}
        async for changes in awatch(*there, debounce=DEBOUNCE_MS, rust_timeout=RIGHTS_MS, yield_on_timeout=True):
            changed = {Path(path) for _, path in changes}
            names = {s.name for root, s in roots.items() if any(c == root or root in c.parents for c in changed)}
            now = {name: _written(source.rights) for name, source in self.sources.items()}
            names |= {name for name, written in now.items() if written != rights[name]}
            rights = now
            for name in sorted(names):
                yield await self._intake.refresh(self.sources[name], progress)

    async def search(
        self,
        question: str,
        member: Member,
        *,
        collections: frozenset[str] = frozenset(),
        paths: tuple[str, ...] = (),
        limit: int = 5,
        now: int = 0,
    ) -> Sequence[Hit]:
        """The best chunks for a question among those that the member may read; of none in particular, none.

        Only the agent's own collections are looked in; raises KnowledgeError for another one.
        """
        wanted = frozenset(self.source(name).name for name in collections) or frozenset(self.sources)
        text = question[:MAX_QUESTION]
        meant = self.embedder is not None and any(self.sources[name].vectors for name in wanted)
        vector = await self.embedder.embed_query(text) if meant and self.embedder is not None else None
        query = Query(text, vector, wanted, paths, limit=max(limit, DEEP), now=now)
        hits = await self.index.search(query, member)
        telling = named_first([hit for hit in hits if hit.words or hit.similarity >= FAINT], text)
        valid = [hit for hit in telling if "outdated" not in hit.document.meta]
        named = any(name in hit.document.path for hit in telling for name in identifiers(text))
        if len(valid) < ENOUGH or named:
            valid += [hit for hit in telling if "outdated" in hit.document.meta]  # they come last
        return valid[:limit]

    async def unknown(self, question: str, member: Member, passages: Sequence[Passage]) -> list[str]:
        """The telling words of a question that no document which the member may read has at all: it asks in vain.

        A word that documents are called by counts as had; words of other languages than theirs are told, too.
        """
        shown = [f"{one.document} {one.about} {one.text}" for one in passages]
        gone = []
        for word in unheard(question[:MAX_QUESTION], shown):
            found = await self.index.search(Query(word, None, frozenset(self.sources), limit=1), member)
            if not found:
                gone.append(word)
        return gone

    async def passages(self, hits: Sequence[Hit], question: str, *, room: int) -> list[Passage]:
        """What is shown of these chunks: `room` characters in all, the best ones more, each at its best place."""
        shown, left = [], room
        for n, hit in enumerate(hits):
            share = left // min(2, len(hits) - n)
            start, end = excerpt(hit.text, question, max(share, 200))
            left = max(0, left - (end - start))
            document, chunk = hit.document, hit.chunk
            shown.append(
                Passage(
                    document.collection, document.path, document.title, chunk.start + start, chunk.start + end,
                    hit.text[start:end], document.label, chunk.page, chunk.headings,
                    outdated=str(document.meta.get("outdated", "")),
                )
            )  # fmt: skip
        return shown

    async def read(self, document: str, member: Member, *, start: int = 0, length: int = MAX_READ) -> Passage | None:
        """Part of a document (`collection/path`), from character `start`; None if the member may read no such one."""
        collection, _, path = document.partition("/")
        if collection not in self.sources or not path:
            return None
        found, chunks = await asyncio.gather(
            self.index.read(member, collection, path), self.index.chunks(member, collection, path)
        )
        if found is None:
            return None
        size = len(found.text)
        start = min(max(0, start), size)
        end = min(size, start + min(length, MAX_READ))
        at = next((chunk for chunk in chunks if chunk.end > start), None)
        page, headings = (at.page, at.headings) if at is not None else (0, ())
        outdated = str(found.meta.get("outdated", ""))
        return Passage(
            collection, path, found.title, start, end, found.text[start:end], found.label, page, headings,
            of=size, outdated=outdated,
        )  # fmt: skip

    async def documents(self, member: Member, names: Sequence[str] = ()) -> Sequence[Document]:
        """The documents of these collections, or of all, that the member may read, without their text."""
        wanted = frozenset(self.source(name).name for name in names) or frozenset(self.sources)
        return await self.index.documents(member, collections=wanted)

    async def status(self, member: Member) -> Sequence[Status]:
        """How much of each collection the member may read."""
        return [one for one in await self.index.status(member) if one.collection in self.sources]

    async def aclose(self) -> None:
        """Free the index, the model and the parser."""
        self._intake.close()
        await self._parser.aclose()
        await self.index.aclose()
        if self.embedder is not None:
            await self.embedder.aclose()


def _written(path: Path | None) -> tuple[int, int, int] | None:
    """What tells that a file was written anew; None for none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None else None
