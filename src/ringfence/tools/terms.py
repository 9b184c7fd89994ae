"""The terms of a definition list, each put before what it is: `Deposit: 50`. Pure."""

from __future__ import annotations

LONG = 200  # characters of terms that are said again before each of several values
_TERMS = 20  # of them


class Terms:
    """The terms of a list that wait for what they are."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._told = True  # that they have been put before something
        self._valued = False  # a dd has begun, be it empty
        self._place = ""  # dt, dd or neither
        self._fresh = False  # nothing of this dd has been read

    def block(self, kind: str, text: str) -> list[str]:
        """The lines of a text that ends at a tag: of a term none, until its value is there."""
        place, lines = self._place, [text] if text else []
        if text and place == "dt":
            lines = self.left() if self._told or self._valued else []
            self._said.append(text)
            self._told = self._valued = False
        elif text and place == "dd" and self._fresh and self._said:
            term = ", ".join(self._said[:_TERMS]) if self._told else ", ".join(self._said)
            if not self._told or len(term) <= LONG:
                lines = [f"{term}: {text}"]
            self._told, self._fresh = True, False
        elif text and place != "dd":
            lines = [*self.left(), text]
        if kind.lstrip("/") in ("dt", "dd", "dl"):
            self._place, self._fresh = kind if kind in ("dt", "dd") else "", kind == "dd"
            self._valued = self._valued or kind == "dd"
        return [*lines, *self.left()] if kind in ("table", "/dl") else lines

    def left(self) -> list[str]:
        """Terms of which nothing came."""
        said, self._said = ([] if self._told else self._said), []
        self._told = True
        return said
