"""What the confined process says, held against what it may say: a hostile file may have taken it over."""

from __future__ import annotations

import json
from typing import cast

from ringfence.core.values import JSON

from ..errors import Unreadable
from ..ports import Block, BlockKind, Parsed
from .bounds import Bounds
from .clean import FORBIDDEN, line

_KINDS = ("heading", "text", "table", "code")
_NAME_CHARS = 2_000
_SHORT = 1_000  # characters of a title, a note, a reader
_MANY = 200  # notes, readers
_MEMBERS_SPARE = 100  # documents beside the members: messages have bodies


class Documents:
    """The documents of one file as their lines come in. Raises Unreadable for what no parser of ours would say."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._found: dict[str, Parsed] = {}
        self._rest: list[bytes] = []
        self._chars = 0
        self._fault: Unreadable | None = None

    def take(self, piece: bytes) -> None:
        """Some more bytes of it."""
        *whole, rest = piece.split(b"\n")
        for end in whole:
            self._take_line(b"".join((*self._rest, end)))
            self._rest = []
        self._rest.append(rest)

    def all(self) -> tuple[tuple[str, Parsed], ...]:
        """Every document; raises Unreadable where the process says that there is none to be had."""
        if self._fault is not None:
            raise self._fault
        if any(self._rest) or not any(parsed.blocks for parsed in self._found.values()):
            notes = [(name, note) for name, parsed in self._found.items() for note in parsed.notes]
            if len(notes) > 1:
                raise Unreadable(line(f"nothing in it can be read, as {notes[0][0]}: {notes[0][1]}"))
            raise Unreadable(notes[0][1] if notes else "holds no text")
        return tuple(self._found.items())

    def _take_line(self, said: bytes) -> None:
        if self._fault is not None:
            return
        try:
            raw = json.loads(said)
            if "fault" in raw:
                self._fault = Unreadable(line(str(raw["fault"])), todo=line(str(raw["todo"])))
                return
            name = _name(raw["name"])
            if name in self._found or len(self._found) > self._bounds.members + _MEMBERS_SPARE:
                raise ValueError("a name twice, or too many")
            self._found[name] = self._parsed(raw)
        except (ValueError, TypeError, KeyError, RecursionError):
            self._fault = Unreadable("its parser said what no parser would: the file may have taken it over")

    def _parsed(self, raw: dict[str, JSON]) -> Parsed:
        blocks = tuple(self._block(*block) for block in raw["blocks"])
        if len(blocks) > self._bounds.blocks:
            raise ValueError("too many blocks")
        readers = None if raw["readers"] is None else _texts(raw["readers"])
        return Parsed(blocks, _text(raw["title"]), _texts(raw["notes"]), readers)

    def _block(self, kind: JSON, page: JSON, level: JSON, text: JSON) -> Block:
        if kind not in _KINDS or type(page) is not int or type(level) is not int or type(text) is not str:
            raise TypeError("no block")
        if not 0 <= page < 1 << 31 or not 0 <= level < 10 or FORBIDDEN.search(text):
            raise ValueError("no block")
        self._chars += len(text)
        if self._chars > self._bounds.all_chars:
            raise ValueError("too much text")
        return Block(text, cast(BlockKind, kind), page, level)


def _text(value: JSON, chars: int = _SHORT) -> str:
    if type(value) is not str or len(value) > chars or FORBIDDEN.search(value) or "\n" in value:
        raise ValueError("no line")
    return value


def _texts(values: JSON) -> tuple[str, ...]:
    if type(values) is not list or len(values) > _MANY:
        raise ValueError("no lines")
    return tuple(_text(value) for value in values)


def _name(value: JSON) -> str:
    name = _text(value, _NAME_CHARS)
    if name.startswith("/") or ".." in name.replace("!", "/").split("/"):
        raise ValueError("no name of a member")
    return name
