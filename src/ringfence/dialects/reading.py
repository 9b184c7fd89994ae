"""What is read from a text, and the page it is read from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .tolerant import JSON, Truncated, decode, once

_PREFIX = re.compile(r"(?:functions?|tools?|default_api|api)[.:/]")  # namespaces that templates put before a name
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Printed:
    """A call that a model printed as text.

    tool    its name, as it stands among the names given (of an unknown one: as it was printed)
    args    its arguments, not yet held against the tool's schema
    source  the smallest piece of the text that holds it, word for word: data that holds the same piece may be where
            the model has it from
    """

    tool: str
    args: dict[str, JSON]
    source: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model's text holds.

    calls      of known tools, in the order of the text
    prose      the text without calls and thoughts
    dialect    the first call's, "" if there is none
    unknown    calls of tools that nobody named
    thoughts   what stood in `<think>` and its like
    fault      why a call, or what looked like one, was not read; in words for the model
    truncated  whether the text ended within a call
    """

    calls: tuple[Printed, ...] = ()
    prose: str = ""
    dialect: str = ""
    unknown: tuple[Printed, ...] = ()
    thoughts: str = ""
    fault: str = ""
    truncated: bool = False


class Names:
    """The tools there are. Many servers forbid dots, so `files_read` and `files-read` are `files.read` too, if nothing
    else is; so are `functions.files_read` and other case.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._folded: dict[str, str] = {}
        for name in self._exact:
            if key := _fold(name):
                self._folded[key] = "" if key in self._folded else name

    def __contains__(self, name: str) -> bool:
        return name in self._exact

    def of(self, printed: str) -> str:
        """The name that is meant; "" if there is none, or more than one."""
        if printed in self._exact:
            return printed
        if len(printed) > _LONGEST_NAME:
            return ""
        return self._folded.get(_fold(printed)) or self._folded.get(_fold(_PREFIX.sub("", printed, count=1)), "")


def _fold(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Raw:
    """A call before its name and arguments were looked at; `args` may be JSON in a string, or nothing."""

    name: str
    args: JSON
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a form made of the text from its opener to `end`; `value` is the object, where it is one without a tag."""

    end: int
    calls: tuple[Raw, ...] = ()
    value: JSON = None


@dataclass(frozen=True, slots=True)
class Page:
    """A text to be read. `cut`: the server said that it stopped at the token bound, so an end is no proof of one."""

    text: str
    names: Names
    cut: bool = False

    def json(self, at: int, *stops: str) -> tuple[JSON, int]:
        """The value at `at`, of a call; raises as `value` does, and ValueError where a key stands twice."""
        value, end = self.value(at, *stops)
        once(self.text[at:end], value)
        return value, end

    def value(self, at: int, *stops: str) -> tuple[JSON, int]:
        """The value at `at`; closing brackets may be missing before a stop, and at the end of a text that was not cut.

        Raises ValueError; Truncated where the end has eaten a value, or may have.
        """
        try:
            return decode(self.text, at, stops)
        except Truncated as short:
            if short.lost or self.cut:
                raise
            return short.value, len(self.text)


Reader = Callable[[Page, "re.Match[str]"], Found | None]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to print a call.

    dialect  whose way it is
    opener   the regular expression it begins with; bounded, and beginning with a literal character
    read     what follows; None if it is no call after all. Raises ValueError for a call that cannot be read
    bare     it is told from data by its shape alone, so what does not fit is data
    """

    dialect: str
    opener: str
    read: Reader
    bare: bool = False
