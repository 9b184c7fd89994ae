"""The nouns of knowledge and its seams: what parsing gives, what an index keeps, and what a search finds.

Whoever may read a document is a matter of its `Label`; everything that reads takes the `Member` who asks and behaves as
if the documents that this member may not read did not exist: no chunk, no count, no score, no suggestion of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ringfence.core.labels import Label, Member
from ringfence.core.values import JSON

Vectors = NDArray[np.float32]  # (n, dim), each row of length 1

BlockKind = Literal["heading", "text", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a parsed file, in reading order.

    kind   a table is a whole table, its rows as Markdown; a heading is the heading's words alone
    page   from 1; 0 where the format has none (of a spreadsheet: the sheet, of slides: the slide)
    level  of a heading, from 1
    """

    text: str
    kind: BlockKind = "text"
    page: int = 0
    level: int = 0


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file says. `notes` are what its reader has to know: pages that are scans, sheets that were left out.

    readers  who may read it, where the file itself says so (front matter); nothing a file says can widen or raise
    """

    blocks: tuple[Block, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    readers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Part of a document: `document.text[start:end]`, in characters.

    page      from 1; 0 where there is none
    headings  the path of headings above it, outermost first
    tokens    by the embedding model's tokenizer
    """

    start: int
    end: int
    page: int = 0
    headings: tuple[str, ...] = ()
    kind: BlockKind = "text"
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its rights. `(collection, path)` names it; to put it again replaces it.

    path     relative to the collection's folder, with '/'; a member of an archive behind a '!': `a.zip!notes/x.md`
    label    how far it is trusted, and who may read it
    version  what it was made from, such as the SHA-256 of its file with that of its rights: unchanged, it is left alone
    title    its own, or its file's name
    tags     what searches may ask for or leave out: "fact", "quarantined"
    expires  milliseconds since 1970 from which on no search finds it; 0: never
    subjects whom it is about (patient:4711): destroyed when they are erased
    meta     what else is kept of it; never searched
    """

    collection: str
    path: str
    text: str
    label: Label
    version: str = ""
    title: str = ""
    tags: frozenset[str] = frozenset()
    expires: int = 0
    subjects: tuple[str, ...] = ()
    meta: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. Text is the user's: nothing in it is syntax; what is longer than 8,000 characters is cut.

    vector       of the text, (dim,); None: by words alone
    collections  to look in; empty: all
    paths        globs of paths (`2026/*.pdf`), one of which has to match; empty: all
    tags         all of which a document has; `without`: none of which
    limit        hits at most, 1 to 100
    now          milliseconds since 1970: what has expired by then is not found; 0: nothing has
    """

    text: str
    vector: NDArray[np.float32] | None = None
    collections: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    limit: int = 8
    now: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, best first; `score` is the fused one (reciprocal ranks), higher is better.

    words, meaning  its rank by words and by vectors, from 1; 0: not among those that were ranked
    similarity      the cosine to the question; 0.0 without vectors
    """

    document: Document  # with an empty `text`
    chunk: Chunk
    text: str
    score: float
    words: int = 0
    meaning: int = 0
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """How much a member may read of a collection; `model` is what its vectors were made by ("" before the first)."""

    collection: str
    documents: int
    chunks: int
    characters: int
    model: str = ""
    dim: int = 0


class Index(Protocol):
    """Documents, their chunks and vectors, on one store. One contract suite runs against every adapter.

    Writers of several processes are safe; a `put` is there whole or not at all. Raises KnowledgeError for a full disk,
    and for a store that is broken or a stranger's.
    """

    async def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors | None,
        *,
        model: str,
        digests: Sequence[bytes] = (),
    ) -> None:
        """Add or replace one document. `vectors`: (len(chunks), dim), made by `model`; None: found by words alone.

        digests  SHA-256 of the texts that the vectors were made of, so that `vectors_of` finds them again

        Raises KnowledgeError where the index holds vectors of another model: they are never mixed.
        """

    async def remove(self, collection: str, paths: Sequence[str]) -> int:
        """Forget documents, their chunks and vectors beyond recovery; how many there were."""

    async def erase(self, subject: str) -> Sequence[tuple[str, str]]:
        """Forget every document about a subject; (collection, path) of each."""

    async def held(self, *, subject: str = "", collections: frozenset[str] = frozenset()) -> Sequence[Document]:
        """For who answers for what is kept of people: documents about a subject, of some collections, or both.

        Each with its text, by collection and path, readers aside; none where neither is named.
        """

    async def versions(self, collection: str) -> Mapping[str, str]:
        """For who ingests: the version of every document of a collection by path, readers aside."""

    async def vectors_of(self, digests: Sequence[bytes], *, model: str) -> Mapping[bytes, Vectors]:
        """For who ingests: vectors of texts (by SHA-256) that this index holds already, so none is made twice."""

    async def whole(
        self, wanted: Callable[[str], bool], *, vectors: bool
    ) -> Sequence[tuple[Document, Sequence[Chunk]]]:
        """For who ingests: documents of the wanted collections with text and chunks, readers aside; nothing is shown.

        vectors  those that have some, or those that have none
        """

    async def documents(
        self,
        member: Member,
        *,
        collections: frozenset[str] = frozenset(),
        tags: frozenset[str] = frozenset(),
        without: frozenset[str] = frozenset(),
        now: int = 0,
    ) -> Sequence[Document]:
        """The documents that a member may read, by collection and path, with an empty `text`."""

    async def read(self, member: Member, collection: str, path: str) -> Document | None:
        """One document with its text; None where there is none that the member may read."""

    async def chunks(self, member: Member, collection: str, path: str) -> Sequence[Chunk]:
        """Its chunks in order; none where there is no such document that the member may read."""

    async def search(self, query: Query, member: Member) -> Sequence[Hit]:
        """The best chunks among those that the member may read, and as many as were asked for if there are."""

    async def status(self, member: Member) -> Sequence[Status]:
        """Of each collection of which the member may read anything."""

    async def drop(self, collection: str) -> None:
        """Forget a whole collection, its vectors' model included: it may be indexed anew by another one."""

    async def aclose(self) -> None:
        """Free files and connections."""


class Embedder(Protocol):
    """Makes vectors of texts. `model` names the very weights (their SHA-256), so that vectors are never mixed."""

    model: str
    dim: int

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim), each of length 1, in order. Raises BackendError."""

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """(dim,): a text that is looked for; some models are told the difference."""

    def count(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer."""

    async def aclose(self) -> None:
        """Free the model."""


class Parser(Protocol):
    """Reads one file, confined: the bytes of a hostile file are never looked at in this process."""

    async def parse(self, path: str, data_path: str) -> Sequence[tuple[str, Parsed]]:
        """The file behind `data_path` (absolute) called `path`: itself as ("", Parsed), or the members of an archive.

        Raises Unreadable with the reason, for the report: encrypted, a bomb, no text, not a known format.
        """

    async def aclose(self) -> None:
        """Stop what runs."""
