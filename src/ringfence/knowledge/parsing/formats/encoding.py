"""Bytes to text: by a byte order mark, as UTF-8, or by what charset-normalizer makes of a sample."""

from __future__ import annotations

import codecs
import re

from ringfence.knowledge.errors import Unreadable

from ..draft import Draft

SAMPLE_BYTES = 65_536
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # not ESC, which logs are full of
_BINARY = 0.02  # of the bytes, that are control characters in no text
_BROKEN = 0.01  # of the characters, that may be replaced
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]{0,30}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-_])")  # ECMA-48
_WIDEST = 4  # bytes of a character


def decoded(draft: Draft, data: bytes, declared: str = "") -> str:
    """The text, as far as it can be kept, with a note where its encoding was guessed. Raises Unreadable."""
    most = _WIDEST * (draft.bounds.chars + 1_000)
    if len(data) > most:
        data = data[:most]
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _read(draft, data[len(mark) :], name)
    if (wide := _wide(data[:SAMPLE_BYTES])) is not None:
        return _read(draft, data, wide)
    sample = data[:SAMPLE_BYTES]
    if len(_CONTROL.findall(sample)) > _BINARY * len(sample):
        raise Unreadable("a binary file of no known format")
    try:
        return _plain(codecs.getincrementaldecoder("utf-8")("strict").decode(data))  # it may have been cut
    except UnicodeDecodeError:
        pass
    for name in (declared, _guess(sample)):
        if name and (text := _tried(data, name)) is not None:
            draft.note(f"its text was taken for {name}, not being UTF-8")
            return text
    return _read(draft, data, "utf-8")


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of western text is NUL."""
    half = len(sample) // 2
    if half < 2 or b"\0" not in sample:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else None


def _guess(sample: bytes) -> str:
    if len(sample) - sum(map(sample.count, range(128, 256))) > 0.999 * len(sample):
        return ""  # a few stray bytes: no encoding can be told from them, and the rest is ASCII
    from charset_normalizer import from_bytes

    best = from_bytes(sample, steps=5, chunk_size=512).best()
    if best is None:
        return ""
    usual = _tried(sample, "cp1252")  # one of many that may say the same: then it is the one
    return "cp1252" if usual is not None and usual == _tried(sample, best.encoding) else str(best.encoding)


def _tried(data: bytes, name: str) -> str | None:
    try:
        return _plain(codecs.getincrementaldecoder(name)("strict").decode(data))
    except (UnicodeError, LookupError, ValueError, AttributeError, TypeError):
        return None


def _read(draft: Draft, data: bytes, name: str) -> str:
    text = _plain(codecs.getincrementaldecoder(name)("replace").decode(data))
    if broken := text.count("\ufffd"):
        if broken > _BROKEN * len(text) + 1:
            raise Unreadable("its text is in no encoding that could be told", todo="save it as UTF-8")
        draft.note(f"{broken} characters that are not {name} were replaced")
    return text


def _plain(text: str) -> str:
    return _ESCAPES.sub("", text) if "\x1b" in text else text
