"""The language of the recorder's socket: length-prefixed JSON frames, and records in them."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from ..core.chain import Kind, Record
from ..core.errors import JournalError
from ..core.labels import Label
from ..core.values import JSON, canonical, ordered

VERSION = 2
FRAME_BYTES = 16 << 20  # of one frame; a record alone has to fit
PART_BYTES = 1 << 20  # of records in one frame, about
LENGTH = struct.Struct("!I")
_RUN = re.compile(r"[!-~]{1,128}")
_LATEST = 253_402_300_800_000  # milliseconds since 1970: the year 10000, which no calendar of ours has


def frame(value: bytes) -> bytes:
    """The length in four bytes, big-endian, then the JSON."""
    if len(value) > FRAME_BYTES:
        raise JournalError(
            f"expected at most {FRAME_BYTES} bytes in a record, got {len(value)}", todo="have the tool return less"
        )
    return LENGTH.pack(len(value)) + value


def dumps(value: JSON) -> bytes:
    """JSON that keeps the order of keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def loads(data: bytes) -> dict[str, Any]:
    """An object; raises ValueError for anything else."""
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return value


def encoded(record: Record) -> bytes:
    """A record as JSON; raises JournalError for content that JSON cannot carry exactly."""
    try:
        return b'{"run":%s,"seq":%d,"time":%d,"kind":"%s","principal":%s,"label":%s,"view":%s,"body":%s}' % (
            canonical(record.run), record.seq, record.time, str(record.kind).encode(), canonical(record.principal),
            canonical(record.label.to_json()), canonical(record.view), ordered(record.body),
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        raise JournalError(
            f"run {record.run}: record {record.seq} ({record.kind}) cannot be written: {error}",
            todo="a tool or a model returned a value that JSON cannot carry; have it return plain JSON",
        ) from error


def decoded(value: JSON) -> Record:
    """A record from its JSON, every part of it checked; raises ValueError."""
    match value:
        case {
            "run": str(run), "seq": int(seq), "time": int(time), "kind": str(kind), "principal": str(principal),
            "label": dict(label), "view": dict(view), "body": dict(body), **rest,
        } if not rest and type(seq) is type(time) is int and seq >= 0 and _RUN.fullmatch(run):  # fmt: skip
            if not 0 <= time < _LATEST or not _named(view.get("subjects", [])):
                raise ValueError("expected a time of this age, and names of subjects")
            try:
                return Record(run, seq, time, Kind(kind), principal, _label(json.dumps(label)), view, body)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"no label: {error!r}") from None
    raise ValueError("expected a record")


def _named(subjects: JSON) -> bool:
    return isinstance(subjects, list) and all(isinstance(name, str) for name in subjects)


@lru_cache(maxsize=1024)
def _label(text: str) -> Label:
    return Label.from_json(json.loads(text))


def parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut into pieces that fit a frame each."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PART_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line) + 1
    if piece:
        yield piece
