"""Bytes of a text that is not UTF-8, as UTF-8: UTF-16 as Windows writes it, and the letters of Windows-1252.

For files that are read. What changes a file takes its bytes as they are.
"""

from __future__ import annotations

import codecs
import gzip
import io
from typing import BinaryIO, cast

BOM = codecs.BOM_UTF8
LEGACY = "cp1252"
AS_LEGACY = "it is not UTF-8 throughout: other letters are read as Windows-1252"
_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
CUT_BYTES = 8_192  # what is read of a file or a line is never less, if it is only a part
_GZIP = b"\x1f\x8b\x08"


def wide(head: bytes) -> str:
    """The encoding of a text in UTF-16, by its mark or because every other byte of western text is NUL; else ""."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ""
    if named := next((name for mark, name in _WIDE if head.startswith(mark)), ""):
        return named
    half = len(head) // 2
    if half < 2 or 0 not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else ""


def narrowed(stream: BinaryIO, size: int, most: int) -> tuple[BinaryIO, int]:
    """A file at its beginning, or if it is UTF-16 and not too large what it holds, in UTF-8; and how large that is."""
    head = stream.read(1_024)
    stream.seek(0)
    name = wide(head) if size <= most else ""
    if not name:
        return stream, size
    data = stream.read(most).decode(name, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    return io.BytesIO(data), len(data)


def is_packed(head: bytes) -> bool:
    """Whether a file is compressed by gzip, as old logs are."""
    return head.startswith(_GZIP)


def unpacked(stream: BinaryIO) -> BinaryIO:
    """What a file holds that is compressed by gzip. Reading it may raise OSError, EOFError or zlib.error."""
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def as_utf8(data: bytes) -> bytes:
    """The same lines; one that is not UTF-8 is taken for Windows-1252."""
    if data.isascii() or _is_utf8(data):
        return data
    return b"\n".join(line if _is_utf8(line) else line.decode(LEGACY, "replace").encode() for line in data.split(b"\n"))


def _is_utf8(data: bytes) -> bool:
    """Whether it is, but for a character that is cut where only the beginning of it was read."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return len(data) >= CUT_BYTES and error.reason == "unexpected end of data"
    return True
