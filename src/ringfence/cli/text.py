"""Text of models and files, made safe and short for a terminal."""

from __future__ import annotations

_KEPT = frozenset("\n\t\u00a0\u3000\u200c\u200d")  # layout, and the joiners that Persian, Hindi and emoji need


def plain(text: str) -> str:
    """`text` with control, bidi and other invisible characters escaped (`\\x1b`, `\\u202e`).

    A terminal obeys escape sequences, and bidi overrides show a text in an order it does not have (CVE-2021-42574).
    """
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode() for c in text)


def decoded(text: str) -> str:
    """Text that can be encoded: bytes of the command line or a terminal that are no UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def one_line(text: str, *, limit: int = 160) -> str:
    """`text` on one line, at most `limit` characters long, safe to print."""
    line = plain(" ".join(text[: 8 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def duration(ms: int) -> str:
    """Milliseconds as a person says them: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    return f"{ms // 60_000} min {ms % 60_000 // 1000} s"


def size(count: float) -> str:
    """Bytes in decimal units, as disks and downloads are sold: `1.1 GB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
