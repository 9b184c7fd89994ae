"""JSON as small models print it: RFC 8259 first, and what they make of it second.

Beyond RFC 8259 this reads: trailing commas, strings in single, smart and triple quotes, Python's `True`, `False` and
`None`, comments (`//`, `#`, `/* */`), keys without quotes, line breaks within strings, escapes that JSON does not know
(`\\d` stays `\\d`), numbers such as `.5`, `5.` and `+5`. It never guesses: a quotation mark that was not escaped inside
a string, a value without quotes, NaN and Infinity are errors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NoReturn

from .strictly import QUOTES, SPACE, WORDS, Rewritten, body

JSON = Any  # None | bool | int | float | str | list[JSON] | dict[str, JSON]

MAX_TEXT = 262_144  # characters; a step is a few thousand
MAX_DEPTH = 32  # levels; whoever reads a value may recurse

_SPACE = re.compile(SPACE)
_STRING = re.compile(
    r'"""(?P<triple>(?:[^"\\]|\\.|"(?!""))*+)"""'
    r'|"(?P<double>(?:[^"\\]|\\.)*+)"'
    r"|'(?P<single>(?:[^'\\]|\\.)*+)'"
    r"|“(?P<smart>(?:[^”\\]|\\.)*+)”"
    r"|‘(?P<curly>(?:[^’\\]|\\.)*+)’",
    re.DOTALL,
)
_WRITTEN_STRING = re.compile(r'"(?P<double>(?:[^"\\]|\\.)*+)"', re.DOTALL)  # all that rewriting leaves
_MAYBE_STRICT = re.compile(r'\[|\{\s*+["}]')
_KEY = re.compile(r"[^\W\d][\w$.-]*+|\$[\w$]++")
_WORD = re.compile(r"[\w.+-]++")
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*+)(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?")
_PART = re.compile(r"[+\-.\d]|[tfnTFN][a-z]{0,4}$")  # of a number or a word
_SURROGATE = re.compile("[\ud800-\udfff]")
_QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = rf"{_QUOTED}|[-\d][\d.eE+-]*+|true|false|null"
_FLAT = rf'[\[{{](?:[^\[\]{{}}"]++|{_QUOTED})*+[\]}}]'
_FLAT = rf'[\[{{](?:[^\[\]{{}}"]++|{_QUOTED}|{_FLAT})*+[\]}}]'
_ITEMS = re.compile(rf"(?:\s*+(?:{_SCALAR}|{_FLAT})\s*+,)++", re.DOTALL)
_MEMBERS = re.compile(rf"(?:\s*+{_QUOTED}\s*+:\s*+(?:{_SCALAR}|{_FLAT})\s*+,)++", re.DOTALL)
_WINDOW = 1024  # characters that are rewritten at first; then eight times as many
_CUT = object()  # stands for a leaf that the text ended in


class Truncated(ValueError):
    """The text ended before the value did.

    value  what was there, with its brackets closed and without the leaf that the text ended in: half a path is another
           path, and 12 may have been 120
    lost   whether there was such a leaf (or a key without its value); False: only closing brackets are missing
    """

    def __init__(self, value: JSON, *, lost: bool) -> None:
        super().__init__("the text ends before its value does; write it to its end, or write a shorter one")
        self.value = value
        self.lost = lost


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"expected a number, found {word}: JSON has none")


def _different(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(_TWICE.format(next(key for key in keys if keys.count(key) > 1)))
    return made


_NESTED = frozenset({dict, list})
_TWICE = "expected each key of an object once, found another {!r}"
_STRICT = json.JSONDecoder(strict=False, parse_constant=_refuse)
_ONCE = json.JSONDecoder(strict=False, parse_constant=_refuse, object_pairs_hook=_different)


def loads(text: str) -> JSON:
    """The one JSON value that the text is; raises ValueError, and Truncated (one too) where the text ends too early.

    Linear in the text, which is bounded (262,144 characters), and so is its depth (32 levels).
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"expected at most {MAX_TEXT} characters of JSON, found {len(text)}")
    value, end = decode(text, _SPACE.match(text).end())  # type: ignore[union-attr]
    end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    if end < len(text):
        raise ValueError(f"expected the end behind the JSON value, found {text[end : end + 20]!r}")
    once(text, value)
    return sound(value)


def once(text: str, value: JSON) -> None:
    """Raises ValueError if in the text of this value a key of an object stands twice: of two names or recipients
    nobody can tell which one is meant.
    """
    if isinstance(value, dict | list) and text.count(":") > _members(value):  # there may be more than were kept
        with suppress(Truncated):
            decode(text, 0, decoder=_ONCE)


def _members(value: JSON) -> int:
    count, nested = 0, [value]
    for item in nested:  # grows
        inner = item
        if type(item) is dict:
            count += len(item)
            inner = item.values()
        nested += [one for one in inner if type(one) in _NESTED]
    return count


def decode(text: str, start: int, stops: tuple[str, ...] = (), decoder: json.JSONDecoder = _STRICT) -> tuple[JSON, int]:
    """The JSON value that begins at `start`, and the index behind it; raises as `loads` does, but for `sound` and
    `once`.

    Brackets may be missing before one of the `stops` (a closing tag, a fence): there the writer did come to an end.
    """
    try:
        return decoder.raw_decode(text, start)
    except RecursionError:
        raise ValueError(f"expected JSON of at most {MAX_DEPTH} levels, found more") from None
    except json.JSONDecodeError as fault:
        if fault.pos - start <= _WINDOW:
            return _rewritten(text, start, stops, decoder)
    except ValueError:  # NaN, or a key that stands twice
        pass
    parser = _Parser(text, stops, lambda at: text[at : at + 20], decoder)  # most of it is JSON already
    return _whole(parser, *parser.value(start, MAX_DEPTH))


def _whole(parser: _Parser, value: JSON, end: int, *, last: bool = True) -> tuple[JSON, int]:
    """What was read, unless the text ended too early. `last`: nothing stands behind `end`."""
    if parser.cut and (parser.lost or (last and end == len(parser.text))):
        raise Truncated(None if value is _CUT else sound(value), lost=parser.lost)
    return value, end


def _rewritten(text: str, start: int, stops: tuple[str, ...], decoder: json.JSONDecoder) -> tuple[JSON, int]:
    """As `decode`, of what is no JSON: by the strict decoder where rewriting is enough, else by our own.

    It is rewritten in windows that grow, since what stands behind the value may be long, and many values follow.
    """
    end = start + _WINDOW
    while True:
        whole = end >= len(text)
        new = Rewritten(text, start, end)
        end = start + 8 * (end - start)
        end = len(text) if len(text) < end + (end - start) else end
        try:
            value, behind = decoder.raw_decode(new.text)
            return value, new.origin(behind)
        except RecursionError:
            raise ValueError(f"expected JSON of at most {MAX_DEPTH} levels, found more") from None
        except json.JSONDecodeError as fault:
            if not whole and _reaches(new.text, fault.pos):
                continue
        except ValueError:  # NaN, or a key that stands twice
            pass
        parser = _Parser(new.text, stops, lambda at, new=new: text[new.origin(at) :][:20], decoder)  # type: ignore[misc]
        parser.strings = _WRITTEN_STRING
        try:
            value, behind = parser.value(0, MAX_DEPTH)
        except ValueError:
            if whole:
                raise
            continue
        if parser.cut and behind == len(new.text) and not whole:
            continue
        value, behind = _whole(parser, value, behind, last=whole)
        return value, new.origin(behind)


def _reaches(text: str, at: int) -> bool:
    """Whether what was not understood at `at` goes on to the window's end, so that more of the text may explain it."""
    if at >= len(text) or text[at] in QUOTES or text[at] in "/#" or text[at].isspace():
        return True
    word = _WORD.match(text, at)
    return word is not None and not text[word.end() :].strip()


def sound(value: JSON) -> JSON:
    """The value, if all of it can be carried on: bounded depth, finite numbers, no lone surrogates; else ValueError."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))  # few, so that most of the work is done in C
        if any(issubclass(kind, str) for kind in kinds):
            words = level if len(kinds) == 1 else [item for item in level if isinstance(item, str)]
            if not (text := "".join(words)).isascii() and _SURROGATE.search(text):
                raise ValueError("expected text, found half a character (a lone surrogate)")
        numbers = any(issubclass(kind, float) for kind in kinds)
        if numbers and not all(math.isfinite(item) for item in level if isinstance(item, float)):
            raise ValueError("expected a number that a double can hold, found a larger one")
        inner: list[JSON] = []
        if any(issubclass(kind, dict) for kind in kinds):
            for fields in [item for item in level if isinstance(item, dict)]:
                inner += fields
                inner += fields.values()
        if any(issubclass(kind, list) for kind in kinds):
            for items in [item for item in level if isinstance(item, list)]:
                inner += items
        if not inner:
            return value
        level = inner
    raise ValueError(f"expected JSON of at most {MAX_DEPTH} levels, found more")


class _Parser:
    """Recursive descent, a level of the value per level of the stack; `cut` says that the text ended too early."""

    def __init__(
        self, text: str, stops: tuple[str, ...], shown: Callable[[int], str], decoder: json.JSONDecoder = _STRICT
    ) -> None:
        self.text = text
        self.stops = stops
        self.shown = shown  # what stands at a place, as it was printed
        self.decoder = decoder
        self.cut = False
        self.lost = False
        self.strings = _STRING
        self._failed = (-1, 0)  # where the strict decoder failed last, and how often in a row
        self._plain = 0  # up to here nothing is read in bulk

    def value(self, at: int, room: int) -> tuple[JSON, int]:
        """The value at `at`, and the index behind it."""
        at = self._space(at)
        if self._over(at):
            return self._end(at, lost=True)
        first = self.text[at]
        if first in "{[":
            if not room:
                self._fail(at, f"at most {MAX_DEPTH} levels")
            if room < MAX_DEPTH and self._failed[1] < 3 and _MAYBE_STRICT.match(self.text, at):
                try:  # most of a broken text is sound, and read a lot faster so
                    return self.decoder.raw_decode(self.text, at)
                except (ValueError, RecursionError) as fault:
                    place = getattr(fault, "pos", -1)
                    self._failed = (place, self._failed[1] + 1 if place == self._failed[0] else 1)
            return self._object(at + 1, room - 1) if first == "{" else self._list(at + 1, room - 1)
        return self._string(at) if first in QUOTES else self._word(at, inside=room < MAX_DEPTH)

    def _object(self, at: int, room: int) -> tuple[JSON, int]:
        members: dict[str, JSON] = {}
        while not self._closes(at := self._space(at), "}"):
            if (bulk := self._bulk(_MEMBERS, at, "{}", room)) is not None:
                self._differ(members, bulk[0])
                members |= bulk[0]
                at = bulk[1]
                continue
            key, at = self._key(at)
            at = self._space(at)
            if self.cut or self._over(at):
                return members, self._end(at, lost=True)[1]
            if self.text[at] != ":":
                self._fail(at, f"':' behind the key {key!r}")
            item, at = self.value(at + 1, room)
            if item is not _CUT:
                self._differ(members, (key,))
                members[key] = item
            if self.cut:
                return members, at
            at = self._comma(at, "}")
        return members, at if self.cut else at + 1

    def _differ(self, members: dict[str, JSON], more: Iterable[str]) -> None:
        if self.decoder is _ONCE and not members.keys().isdisjoint(more):
            raise ValueError(_TWICE.format(next(key for key in more if key in members)))

    def _list(self, at: int, room: int) -> tuple[JSON, int]:
        items: list[JSON] = []
        while not self._closes(at := self._space(at), "]"):
            if (bulk := self._bulk(_ITEMS, at, "[]", room)) is not None:
                items += bulk[0]
                at = bulk[1]
                continue
            item, at = self.value(at, room)
            if item is not _CUT:
                items.append(item)
            if self.cut:
                return items, at
            at = self._comma(at, "]")
        return items, at if self.cut else at + 1

    def _bulk(self, run: re.Pattern[str], at: int, brackets: str, room: int) -> tuple[Any, int] | None:
        """What lies from `at` on that is sound, each with a comma behind it, and the index behind the last comma."""
        found = run.match(self.text, at) if room > 1 else None
        if found is None or found.end() <= self._plain:
            return None
        self._plain = found.end()  # if it is not sound, the rest of it is read one by one
        with suppress(ValueError):
            return self.decoder.decode(f"{brackets[0]}{found[0][:-1]}{brackets[1]}"), found.end()
        return None

    def _closes(self, at: int, bracket: str) -> bool:
        if self._over(at):
            self._end(at, lost=False)
        return self.cut or self.text[at] == bracket

    def _comma(self, at: int, bracket: str) -> int:
        at = self._space(at)
        if self.text.startswith(",", at):
            return at + 1
        if not self._over(at) and self.text[at] != bracket:
            self._fail(at, f"',' or '{bracket}'")
        return at

    def _key(self, at: int) -> tuple[str, int]:
        if self.text[at] in QUOTES:
            return self._string(at)
        bare = _KEY.match(self.text, at)
        if bare is None:
            self._fail(at, "a key")
        return bare[0], bare.end()

    def _string(self, at: int) -> tuple[JSON, int]:
        found = self.strings.match(self.text, at)
        if found is None:  # only a missing closing quote can be the reason
            return self._end(len(self.text), lost=True)
        return _unescaped(found[found.lastgroup or 0]), found.end()

    def _word(self, at: int, *, inside: bool) -> tuple[JSON, int]:
        found = _WORD.match(self.text, at)
        word, end = (found[0], found.end()) if found else ("", at)
        if inside and end == len(self.text) and _PART.match(word):  # 12 may have been 120
            return self._end(end, lost=True)
        if word in WORDS:
            return WORDS[word], end
        if not _NUMBER.fullmatch(word):
            self._fail(at, "a value (text stands in quotes)")
        return (int(word) if word.lstrip("+-").isdigit() else float(word)), end

    def _space(self, at: int) -> int:
        return _SPACE.match(self.text, at).end()  # type: ignore[union-attr]

    def _over(self, at: int) -> bool:
        return at >= len(self.text) or (bool(self.stops) and self.text.startswith(self.stops, at))

    def _end(self, at: int, *, lost: bool) -> tuple[JSON, int]:
        self.cut = True
        self.lost = self.lost or lost
        return _CUT, at

    def _fail(self, at: int, expected: str) -> NoReturn:
        raise ValueError(f"expected {expected}, found {self.shown(at)!r}")


def _unescaped(inside: str) -> str:
    """What a string's body stands for; an escape that JSON does not know stands for itself."""
    if "\\" not in inside:
        return inside
    text: str = json.loads(f'"{body(inside)}"', strict=False)
    return text
