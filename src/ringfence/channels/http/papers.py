"""What requests about documents are answered with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_READERS = [["role:hr", "role:ops"]]
_REPORT: dict[str, Any] = {
    "collection": "handbook", "added": 1, "changed": 0, "removed": 0, "unchanged": 41, "chunks": 6, "embedded": 6,
    "seconds": 0.8, "skipped": [{"name": "plan.vsd", "why": "no format that is read here"}], "notes": [],
}  # fmt: skip
_REFRESH: dict[str, Any] = {
    "collection": "handbook", "by": "user:ada", "started": 1_790_000_000_000, "ended": 1_790_000_000_800,
    "state": "done", "done": 1, "total": 1, "name": "", "report": _REPORT, "fault": "",
}  # fmt: skip
_COLLECTION: dict[str, Any] = {
    "name": "handbook", "documents": 42, "chunks": 318, "characters": 140_231, "readers": _READERS,
    "trust": "untrusted", "may_change": False, "refresh": None,
}  # fmt: skip
_DOCUMENT: dict[str, Any] = {
    "path": "2026/leave.md", "title": "Leave", "readers": _READERS, "trust": "untrusted", "subjects": [],
    "outdated": "",
}  # fmt: skip
_PASSAGE: dict[str, Any] = {
    "collection": "handbook", "path": "2026/leave.md", "document": "handbook/2026/leave.md", "title": "Leave",
    "page": 0, "headings": ["Leave", "Carrying over"], "start": 120, "end": 188,
    "text": "Five days may be carried over until the end of March.", "readers": _READERS, "trust": "untrusted",
    "outdated": "",
}  # fmt: skip


class Named(BaseModel):
    """A file, and what is to be said of it."""

    name: str
    why: str


class ReportShown(BaseModel):
    """What a refresh has found: files that are new, changed, gone, as before, and those that cannot be searched."""

    collection: str
    added: int
    changed: int
    removed: int
    unchanged: int
    chunks: int
    embedded: int
    seconds: float
    skipped: list[Named]
    notes: list[Named]


class RefreshShown(BaseModel):
    """A refresh: how far it is, and what came of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REFRESH]})

    collection: str
    by: str
    started: int
    ended: int | None
    state: Literal["running", "done", "failed"]
    done: Annotated[int, Field(description="files that were read, of `total` that have changed")]
    total: int
    name: Annotated[str, Field(description="the file at work")]
    report: ReportShown | None
    fault: str


class CollectionShown(BaseModel):
    """A collection: counts are of what you may read. All clauses of `readers` have to allow, one name of each."""

    model_config = ConfigDict(json_schema_extra={"examples": [_COLLECTION]})

    name: str
    documents: int
    chunks: int
    characters: int
    readers: list[list[str]]
    trust: str
    may_change: bool
    refresh: RefreshShown | None


class CollectionPage(BaseModel):
    """All of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_COLLECTION]}]})

    data: list[CollectionShown]


class DocumentShown(BaseModel):
    """A document, without its text."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DOCUMENT]})

    path: str
    title: str
    readers: list[list[str]]
    trust: str
    subjects: list[str]
    outdated: Annotated[str, Field(description="the line that says that it no longer holds")]


class DocumentPage(BaseModel):
    """Some documents, and where the next ones are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_DOCUMENT], "next": None}]})

    data: list[DocumentShown]
    next: Annotated[str | None, Field(description="`after` of the next page; none at the end")]


class Part(BaseModel):
    """Part of a document: `text` stands there word for word, from character `start` to before `end`."""

    collection: str
    path: str
    document: str
    title: str
    page: int
    headings: list[str]
    start: int
    end: int
    text: str
    readers: list[list[str]]
    trust: str
    outdated: str


class PassageShown(Part):
    """Part of a document."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PASSAGE | {"of": 4_210}]})

    of: Annotated[int, Field(description="characters of the whole document")]


class FoundShown(Part):
    """A passage that was found, and why: its rank by words and by meaning (0: not ranked)."""

    score: float
    words: int
    meaning: int
    similarity: float


class FoundPage(BaseModel):
    """Passages, the best first."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"data": [_PASSAGE | {"score": 0.03, "words": 1, "meaning": 2, "similarity": 0.61}]}]})  # fmt: skip

    data: list[FoundShown]


class Uploaded(BaseModel):
    """A file that is in its collection's folder."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"document": "handbook/2026/report.md", "path": "2026/report.md", "bytes": 9,
         "sha256": "5f2c41d07b6ea83c5d10f4e2b7a96c3858d1e0f42a7b9c6d3e5f8a1b2c4d6e7f"}]})  # fmt: skip

    document: str
    path: str
    bytes: int
    sha256: str
