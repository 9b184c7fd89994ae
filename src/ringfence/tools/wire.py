"""Lines of JSON between a worker and us: bounded, and read strictly, for what comes is data."""

from __future__ import annotations

import json
from asyncio import StreamReader
from collections.abc import AsyncIterator
from typing import NoReturn

from ringfence.core.values import JSON

MAX_LINE_BYTES = 8 * 2**20
_PIECE_BYTES = 65_536


def decoded(line: bytes) -> dict[str, JSON]:
    """The object that a line holds. Raises ValueError for anything else: NaN, a key twice, too deep, no object."""
    try:
        value = json.loads(line.decode(), parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return value


async def lines(stream: StreamReader) -> AsyncIterator[bytes]:
    """The lines of a stream whose own limit may be small; raises ValueError for one that is longer than the bound."""
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read(_PIECE_BYTES):
        *whole, rest = piece.split(b"\n")
        for end in whole:
            yield b"".join((*pieces, end))
            pieces, size = [], 0
        pieces.append(rest)
        size += len(rest)
        if size > MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {MAX_LINE_BYTES >> 20} MB")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _once(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value
