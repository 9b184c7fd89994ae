"""Pieces of bytes between the confined process and us: four bytes of length (big-endian), then so many bytes.

<- "ready", once it has loaded what it needs
-> {"name": "a.pdf", "bounds": {...}, "ocr": ""}   a piece of JSON
-> the file, in pieces, then an empty one
<- documents, a line of JSON each, in pieces that end anywhere, then an empty one
<- {"ended": "exit 0", "cpu": 0.3, "peak_mb": 60}  how it went: "exit N", "signal N", "wall", "answer"
"""

from __future__ import annotations

import struct

PIECE_BYTES = 1 << 20
ANSWER_BYTES = 128 << 20  # of all documents of a file
_LENGTH = struct.Struct(">I")
LENGTH_BYTES = _LENGTH.size


def packed(piece: bytes) -> bytes:
    """A piece as it is sent."""
    return _LENGTH.pack(len(piece)) + piece


def length(head: bytes) -> int:
    """Of the piece that follows; raises ValueError where it is longer than one can be."""
    size = int(_LENGTH.unpack(head)[0])
    if size > PIECE_BYTES:
        raise ValueError(f"a piece of {size} bytes")
    return size
