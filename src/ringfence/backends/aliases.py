"""Whether the model that answers is the one that was asked: servers write one name in several ways."""

from __future__ import annotations

import re

_DATED = re.compile(r"[-@:](?:\d{4,8}|\d{4}-\d{2}-\d{2}|latest|v\d+)(?:[-:]\d+)?")


def same(asked: str, answered: str) -> bool:
    """Whether two names mean one model: folders, `.gguf`, `:latest` and a date or version at the end do not count."""
    one, other = _plain(asked), _plain(answered)
    shorter, longer = sorted((one, other), key=len)
    return one == other or (longer.startswith(shorter) and bool(_DATED.fullmatch(longer[len(shorter) :])))


def _plain(name: str) -> str:
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower().removesuffix(".gguf").removesuffix(":latest")


class Watch:
    """Sees when another model answers than before. `asked` is its name in the manifest."""

    def __init__(self, asked: str) -> None:
        self._expected = asked
        self._also = ""

    def also(self, name: str) -> None:
        """What the server itself calls the model that it has: one of one model takes any name. The first counts."""
        self._also = self._also or name

    def another(self, answered: str) -> str:
        """The model that was expected, if this is another one; from then on, this one is. Empty if it is the same."""
        if same(self._expected, answered) or (self._also and same(self._also, answered)):
            return ""
        expected, self._expected = self._expected, answered
        self._also = answered
        return expected
