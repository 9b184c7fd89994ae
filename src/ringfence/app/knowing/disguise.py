"""A text without its disguises: encodings undone, signs, spaces and case left out. Linear, and bounded in depth."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote_to_bytes

_DEPTH = 3  # encodings inside one another
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})|=([0-9A-F]{2})|\\+([0-7]{3})")
_NEWLINES = re.compile(r"\\+[nrt]|=\r?\n|\s")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\W_]{0,3}){16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}")
_BASE32 = re.compile(r"[A-Z2-7a-z]{24,}")
_READABLE = 0.6  # of the characters of a text; of random bytes it is 0.4
_KEPT = re.compile(r"[^a-z0-9]")


def plain_forms(text: str) -> Iterator[str]:
    """The text, and what is encoded in it, each as small letters and digits alone."""
    yield from (_KEPT.sub("", _folded(form)) for form in _decoded(text, _DEPTH))


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(str(unicodedata.digit(c, c)) if not c.isascii() and c.isdigit() else c for c in text)


def _decoded(text: str, depth: int, seen: set[str] | None = None) -> Iterator[str]:
    seen = set() if seen is None else seen
    if text in seen:
        return
    seen.add(text)
    yield text
    for form, deeper in _once(text) if depth else ():
        if deeper:
            yield from _decoded(form, depth - 1, seen)
        else:
            yield form


def _once(text: str) -> Iterator[tuple[str, bool]]:
    """The text with one encoding undone, for each that it may be in, and whether it makes sense to go on with that."""
    if _PERCENT.search(text):
        yield unquote_to_bytes(text.encode("utf-8", "replace")).decode("utf-8", "replace"), True
    if "&" in text and (plain := html.unescape(text)) != text:
        yield plain, True
    if _ESCAPED.search(text):
        yield _ESCAPED.sub(_unescaped, text), True
    flat = _NEWLINES.sub("", text)
    parts = [*_from_hex(text), *_from_base64(flat), *_from_base32(flat)]
    if len(flat) < len(text):
        parts += [*_from_base64(text), *_from_base32(text)]
    readable = [part for part in parts if _is_readable(part)]
    if readable:
        yield "\n".join(readable), True
    if len(readable) < len(parts):  # such as a word that looks like base64: a code may still stand in it
        yield "\n".join(part for part in parts if part not in set(readable)), False


def _is_readable(text: str) -> bool:
    return sum(c.isprintable() and c != "\ufffd" for c in text) >= _READABLE * len(text)


def _unescaped(match: re.Match[str]) -> str:
    if match[5]:
        return chr(int(match[5], 8))
    return chr(min(int(match[1] or match[2] or match[3] or match[4], 16), 0x10FFFF))


def _from_hex(text: str) -> Iterator[str]:
    for run in _HEX.findall(text):
        digits = re.sub(r"[\W_]", "", run)
        for start in (0, 1):
            whole = digits[start : start + (len(digits) - start) // 2 * 2]
            if (said := _text(bytes.fromhex(whole))) is not None:
                yield said


def _from_base64(text: str) -> Iterator[str]:
    """At each of four places a code may begin, for it may stand in a longer word."""
    for run in _BASE64.findall(text):
        signs = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            whole = signs[start : start + (len(signs) - start) // 4 * 4]
            rest = signs[start + len(whole) :]
            try:
                data = base64.b64decode(whole + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""))
            except binascii.Error:
                continue
            if (said := _text(data)) is not None:
                yield said


def _from_base32(text: str) -> Iterator[str]:
    for run in _BASE32.findall(text):
        for start in range(8):
            whole = run.upper()[start : start + (len(run) - start) // 8 * 8]
            with suppress(binascii.Error):
                if (said := _text(base64.b32decode(whole))) is not None:
                    yield said


def _text(data: bytes) -> str | None:
    """Bytes as text, whatever else is beside it: a code may stand in the middle of a longer word."""
    wide = data[1::2].count(0) > len(data) // 4 or data[::2].count(0) > len(data) // 4  # UTF-16
    said = data.replace(b"\0", b"").decode("latin-1") if wide else data.decode("utf-8", "replace")
    return said or None
