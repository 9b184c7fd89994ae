"""Documents and chunks as rows, and back; names and globs of users as what Postgres compares with."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ringfence.core.labels import Label, Member, Trust

from ..ports import Chunk, Document

_NOT_KEPT = re.compile("[\0\ud800-\udfff]")  # by a column of text
_CLASS = re.compile(r"\[(!?)(\]?[^\]]*)\]", re.S)
_GLOBS, _GLOB = 100, 1_000  # globs of one query, characters of each: what is longer or more finds nothing


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings that a member may read, as the server says: a bit for each. `few`: no more than half of all there are.

    What they may read is the policies' to enforce. Where there are few, statements name them as well, for an index.
    """

    bits: bytes | None = None
    few: bool = False

    def __bool__(self) -> bool:
        return any(self.bits or b"")

    @property
    def named(self) -> list[int] | None:
        """Their numbers, where an index of them is of use."""
        bits = np.unpackbits(np.frombuffer(self.bits or b"", np.uint8), bitorder="little")
        return [int(ring) for ring in np.flatnonzero(bits)] if self.few else None


def kept(*names: str) -> bool:
    """Whether columns of text can hold them."""
    return not any(_NOT_KEPT.search(name) for name in names)


def shown(name: str) -> str:
    """A name as a column of text holds it: what it cannot is replaced, and the very name stands in `rest`."""
    return _NOT_KEPT.sub("\ufffd", name)


def name_of(collection: str, path: str) -> bytes:
    """What names a document: a digest, so that any path will do."""
    return hashlib.sha256(json.dumps([collection, path]).encode()).digest()


def id_of(name: bytes) -> int:
    """A document's number, made of its name: so equals are ranked alike in every index that holds them."""
    return int.from_bytes(name[:8], "big", signed=True)


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate as if it were a character, so that any text comes back."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """The inverse of `encoded`."""
    return data.decode("utf-8", "surrogatepass")


def asking(member: Member) -> str:
    """A member as `ringfence.member` takes it. What no reader can be called is left out: it opens nothing."""
    return json.dumps(sorted(one for one in member if kept(one)))


def readers_of(label: Label) -> list[list[str]]:
    """Its clauses, the same for the same."""
    return sorted(sorted(clause) for clause in label.readers)


def rest_of(document: Document) -> str:
    """What is kept of a document beside what is searched, as JSON in ASCII."""
    rest = {
        "collection": document.collection, "path": document.path, "version": document.version, "title": document.title,
        "tags": sorted(document.tags), "subjects": document.subjects, "meta": dict(document.meta),
        "readers": readers_of(document.label),
    }  # fmt: skip
    return json.dumps(rest)


def document_of(rest: str, trust: int, expires: int, text: str = "") -> Document:
    """The inverse of `rest_of`."""
    of = json.loads(rest)
    label = Label(Trust(trust), frozenset(frozenset(clause) for clause in of["readers"]))
    return Document(
        of["collection"], of["path"], text, label, of["version"], of["title"], frozenset(of["tags"]), expires,
        tuple(of["subjects"]), of["meta"],
    )  # fmt: skip


def facts_of(chunk: Chunk) -> str:
    """A chunk as JSON in ASCII."""
    return json.dumps([chunk.start, chunk.end, chunk.page, chunk.headings, chunk.kind, chunk.tokens])


def chunk_of(facts: str) -> Chunk:
    """The inverse of `facts_of`."""
    start, end, page, headings, kind, tokens = json.loads(facts)
    return Chunk(start, end, page, tuple(headings), kind, tokens)


def spans(text: str, chunks: Sequence[Chunk]) -> list[tuple[int, int]]:
    """Where each chunk begins in the encoded text and how long it is, in bytes; the text is encoded once."""
    places = sorted({at for chunk in chunks for at in (chunk.start, chunk.end)})
    at, before, bytes_at = 0, 0, {}
    for place in places:
        at += len(encoded(text[before:place]))
        bytes_at[place], before = at, place
    return [(bytes_at[chunk.start], bytes_at[chunk.end] - bytes_at[chunk.start]) for chunk in chunks]


def patterns(globs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Globs as patterns of LIKE and, where they name classes of characters, as regular expressions.

    `*` stands for anything, `/` as well, `?` for one character, `[a-c]` and `[!a-c]` for one of a class. A glob
    that no path can match is left out.
    """
    likes, regexes = [], []
    for glob in globs[:_GLOBS]:
        if not kept(glob) or len(glob) > _GLOB:
            continue
        if _CLASS.search(glob):
            regexes.append("".join(_regex(glob)))
        else:
            like = re.sub(r"[\\%_]", r"\\\g<0>", re.sub(r"\*+", "*", glob))
            likes.append(like.replace("*", "%").replace("?", "_"))
    return likes, [regex for regex in regexes if regex]


def _regex(glob: str) -> list[str]:
    """Parts of an advanced regular expression of Postgres; none where a class has no character."""
    parts, at = ["***:^"], 0
    while at < len(glob):
        found = _CLASS.match(glob, at)
        if found and found[2]:
            members = _members(found[2])
            if not members and not found[1]:
                return []
            parts.append(f"[{'^' if found[1] else ''}{members}]" if members else ".")
            at = found.end()
            continue
        if glob[at] == "*":
            if parts[-1] != ".*":
                parts.append(".*")
        else:
            parts.append("." if glob[at] == "?" else _literal(glob[at]))
        at += 1
    return [*parts, "$"]


def _members(inside: str) -> str:
    """The characters and ranges of a class; a range that is upside down has none."""
    result, at = "", 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            if inside[at] <= inside[at + 2]:
                result += f"{_literal(inside[at])}-{_literal(inside[at + 2])}"
            at += 3
        else:
            result += _literal(inside[at])
            at += 1
    return result


def _literal(sign: str) -> str:
    return sign if sign.isalnum() or ord(sign) > 127 else f"\\u{ord(sign):04x}"


def one(row: Any) -> Any:
    """The first column of a row, None without one."""
    return row[0] if row else None
