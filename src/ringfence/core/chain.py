"""The record, its final header, and the Merkle tree over the headers (DESIGN 8, RFC 9162 2.1)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

from .labels import Label
from .values import JSON, canonical

VERSION = 1
EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 9162 2.1.1: the hash of an empty tree


class Kind(StrEnum):
    """What a record tells."""

    STARTED = "run.started"
    MESSAGE = "message"
    INTENT = "intent"
    DECISION = "decision"
    APPROVAL = "approval"
    OUTCOME = "outcome"
    CHECKPOINT = "checkpoint"
    FINISHED = "run.finished"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal, as the run sees it; the log gives it a place when it is appended.

    time  milliseconds since 1970 UTC
    view  what a reader of the log may see: codes, counts and digests, never content
    body  what resuming needs; kept beside the header and committed to by a keyed hash
    """

    run: str
    seq: int
    time: int
    kind: Kind
    principal: str
    label: Label
    view: JSON
    body: JSON


def commitment(key: bytes, body: bytes) -> bytes:
    """HMAC-SHA256 of the body's bytes as kept. Keyed: no short body can be guessed once its key is gone."""
    return hmac.digest(key, body, "sha256")


def fields(record: Record, *, log: str, index: int, body: bytes) -> dict[str, JSON]:
    """What a header says, as JSON. `body` is the commitment, not the content."""
    return {
        "v": VERSION,
        "log": log,
        "index": index,
        "run": record.run,
        "seq": record.seq,
        "time": record.time,
        "kind": str(record.kind),
        "principal": record.principal,
        "label": record.label.to_json(),
        "body": body.hex(),
        "view": record.view,
    }


def header(record: Record, *, log: str, index: int, body: bytes) -> bytes:
    """Canonical bytes of the final header; see `fields`."""
    return canonical(fields(record, log=log, index=index, body=body))


def leaf(data: bytes) -> bytes:
    """RFC 9162 2.1.1: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """RFC 9162 2.1.1: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The right edge of a Merkle tree: appends a leaf in O(1) amortised, keeps O(log n) hashes.

    `peaks[i]` is the root of the perfect subtree for the i-th set bit of `size`, from the largest down.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: tuple[bytes, ...] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, got {len(peaks)}")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf hash at the right."""
        trailing = self.size
        while trailing & 1:
            leaf_hash = node(self.peaks.pop(), leaf_hash)
            trailing >>= 1
        self.peaks.append(leaf_hash)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle tree hash of everything appended."""
        return reduce(lambda right, left: node(left, right), reversed(self.peaks)) if self.peaks else EMPTY_ROOT
