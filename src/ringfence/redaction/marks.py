"""What has a mark of its own: e-mail addresses, IBANs, codici fiscali, MAC and IPv6 addresses."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Final

from . import checksums
from .spans import Kind, Span

_AT: Final = re.compile(
    r"@((?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24}))(?![\w@])", re.IGNORECASE
)
_AT_ENCODED: Final = re.compile(_AT.pattern.replace("@", "%40", 1), re.IGNORECASE)
_LOCAL_BACKWARDS: Final = re.compile(r"[\w.+'%~-]{1,64}")  # RFC 5321 4.5.3.1.1: 64 octets
_FILES: Final = frozenset((
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "scss", "js", "jsx", "ts", "tsx", "map", "json",
    "xml", "html", "pdf", "zip", "gz", "py", "java",
))  # fmt: skip
_SERVICES: Final = frozenset(("git", "hg", "svn"))  # logins of programs: git@github.com:us/repo.git
_COUNTRY: Final = re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9]")  # DE89, and what comes in a codice fiscale
_CODICE: Final = re.compile(r"[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z](?![^\W_])")
_CODICE_SPACED: Final = re.compile(r"[0-9](?<=[A-Za-z] [0-9])[0-9][A-Za-z][0-9]{2} [A-Za-z][0-9]{3}[A-Za-z](?![^\W_])")
_GAPS: Final = {ord(c): None for c in " -\u00a0\u202f"}
_CORSICA: Final = re.compile(r"(?<!\w)[12] ?\d\d ?\d\d ?2[ABab] ?\d{3} ?\d{3} ?\d\d(?!\w)")
_MAC: Final = re.compile(
    r"([:-])(?<=[0-9A-Fa-f]{2}.)(?<![\w:-][0-9A-Fa-f]{2}.)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w-]|:\w)"
)
_MAC_DOTS: Final = re.compile(
    r"\.(?<=[0-9A-Fa-f]{4}\.)(?<![\w.][0-9A-Fa-f]{4}\.)[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"
)
_V6: Final = re.compile(r":(?:(?:[0-9A-Fa-f]{1,4}:){0,6}:|(?:[0-9A-Fa-f]{1,4}:){2,6})[0-9A-Fa-f:.]{0,39}")
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def marks(text: str) -> Iterator[Span]:
    """Spans of everything here; each scan is made only where its mark is in the text at all."""
    if "@" in text:
        yield from _emails(text, _AT)
    if "%40" in text:
        yield from _emails(text, _AT_ENCODED)
    yield from _accounts(text)
    if ":" in text or "-" in text:
        for found in _MAC.finditer(text):
            yield Span(found.start() - 2, found.end(), Kind.MAC, _hex(text[found.start() - 2 : found.end()]))
    if ":" in text:
        yield from _sixes(text)
    if "." in text:
        for found in _MAC_DOTS.finditer(text):
            value = text[found.start() - 4 : found.end()]
            if not value.replace(".", "").isdigit():
                yield Span(found.start() - 4, found.end(), Kind.MAC, _hex(value))


def _hex(value: str) -> str:
    return value.translate({ord(c): None for c in ":-."}).lower()


def _emails(text: str, at_sign: re.Pattern[str]) -> Iterator[Span]:
    for found in at_sign.finditer(text):
        at, domain = found.start(), found[1]
        before = text[max(0, at - 64) : at][::-1]
        local = _LOCAL_BACKWARDS.match(before)
        if local is None:
            continue
        name = local[0][::-1].lstrip(".'-%~+")
        name = name.rpartition("%3D")[2].rpartition("%3A")[2].rpartition("%20")[2] if "%" in name else name
        if not name or name.lower() in _SERVICES or domain.rpartition(".")[2].lower() in _FILES:
            continue
        start = at - len(name)
        if start >= 3 and text[start - 3 : start] == "://":
            continue  # a login in an address: what stands before it is the credential
        yield Span(start, found.end(), Kind.EMAIL, f"{name}@{domain}".lower())


def _accounts(text: str) -> Iterator[Span]:
    for found in _COUNTRY.finditer(text):
        start = found.start()
        if start < 3 or not text[start - 3].isalnum():
            if size := checksums.IBAN_LENGTHS.get(text[start - 2 : start].upper()):
                yield from _iban(text, start - 2, size)
        elif start >= 6 and (code := _CODICE.match(text, start - 6)) and (start < 7 or not text[start - 7].isalnum()):
            yield from _codice(start - 6, code[0])
    if " " in text:
        for found in _CODICE_SPACED.finditer(text):
            yield from _codice(found.start() - 8, text[max(0, found.start() - 8) : found.end()])
    if "2A" in text or "2B" in text:
        for found in _CORSICA.finditer(text):
            key = found[0].replace(" ", "").upper()
            if checksums.nir(key):
                yield Span(found.start(), found.end(), Kind.ID, key)


def _iban(text: str, start: int, size: int) -> Iterator[Span]:
    end = start + size
    if not (key := text[start:end]).isalnum():
        while end < start + 64 and len(key := text[start:end].translate(_GAPS)) < size and end < len(text):
            end += size - len(key)
    key = key.upper()
    if (
        len(key) == size
        and key.isalnum()
        and key.isascii()
        and not text[end : end + 1].isalnum()
        and checksums.iban(key)
    ):
        yield Span(start, end, Kind.IBAN, key)


def _codice(start: int, written: str) -> Iterator[Span]:
    key = written.replace(" ", "").upper()
    if len(key) == 16 and key.isalnum() and key[:6].isalpha() and checksums.codice_fiscale(key):
        yield Span(start, start + len(written), Kind.ID, key)


def _sixes(text: str) -> Iterator[Span]:
    for found in _V6.finditer(text):
        start, end = found.span()
        while start and found.start() - start < 4 and text[start - 1] in _HEX:
            start -= 1
        value = text[start:end].rstrip(".")
        value = value[:-1] if value.endswith(":") and not value.endswith("::") else value
        if value.count(":") > 7 and "::" not in value:
            value = ":".join(value.split(":", 8)[:8])  # a port follows
        end = start + len(value)
        if value.find(":") != 4 and "::" in value and not value.startswith(("::ffff:", "64:ff9b:")):
            continue  # no global or local address begins otherwise (RFC 4291 2.4), and names in code do
        border = (start and (text[start - 1].isalnum() or text[start - 1] in "_:")) or text[end : end + 1].isalnum()
        if border or not any(map(str.isdigit, value)) or value.count(":") < 2:
            continue
        try:
            address = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, value))
        except OSError:
            continue
        yield Span(start, end, Kind.IP, address)
