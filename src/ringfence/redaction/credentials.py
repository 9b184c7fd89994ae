"""Credentials by their form: keys and tokens by prefix, private keys, JWT, logins in addresses, assigned passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .spans import Kind, Span

_W: Final = r"[A-Za-z0-9_-]"
_TOKENS: Final = {  # what a service's tokens begin with, and their whole form
    "ghp_": r"ghp_[A-Za-z0-9]{20,255}",
    "gho_": r"gho_[A-Za-z0-9]{20,255}",
    "ghu_": r"ghu_[A-Za-z0-9]{20,255}",
    "ghs_": r"ghs_[A-Za-z0-9]{20,255}",
    "ghr_": r"ghr_[A-Za-z0-9]{20,255}",
    "github_pat_": r"github_pat_\w{20,255}",
    "rf_": rf"rf_[0-9a-f]{{12}}_{_W}{{43}}",  # our own: `ringfence keys`
    "glpat-": rf"glpat-{_W}{{16,128}}",
    "sk-": rf"sk-(?:ant-|proj-|or-|svcacct-|lf-)?{_W}{{16,255}}",
    "sk_live_": r"sk_live_[A-Za-z0-9]{16,128}",
    "sk_test_": r"sk_test_[A-Za-z0-9]{16,128}",
    "rk_live_": r"rk_live_[A-Za-z0-9]{16,128}",
    "pk_live_": r"pk_live_[A-Za-z0-9]{16,128}",
    "whsec_": r"whsec_[A-Za-z0-9+/=]{16,128}",
    "AKIA": r"AKIA[A-Z2-7]{16}",
    "ASIA": r"ASIA[A-Z2-7]{16}",
    "xoxb-": rf"xoxb-{_W}{{10,255}}",
    "xoxp-": rf"xoxp-{_W}{{10,255}}",
    "xoxa-": rf"xoxa-{_W}{{10,255}}",
    "xoxr-": rf"xoxr-{_W}{{10,255}}",
    "xoxs-": rf"xoxs-{_W}{{10,255}}",
    "xapp-": rf"xapp-{_W}{{10,255}}",
    "AIza": rf"AIza{_W}{{35}}",
    "ya29.": rf"ya29\.{_W}{{20,255}}",
    "GOCSPX-": rf"GOCSPX-{_W}{{20,64}}",
    "hf_": r"hf_[A-Za-z0-9]{30,64}",
    "npm_": r"npm_[A-Za-z0-9]{36}",
    "pypi-": rf"pypi-{_W}{{32,255}}",
    "SG.": rf"SG\.{_W}{{16,32}}\.{_W}{{16,64}}",
    "dop_v1_": r"dop_v1_[a-f0-9]{64}",
    "shpat_": r"shpat_[a-fA-F0-9]{32}",
    "hvs.": rf"hvs\.{_W}{{20,255}}",
    "dckr_pat_": rf"dckr_pat_{_W}{{20,64}}",
    "sq0atp-": rf"sq0atp-{_W}{{22}}",
    "lin_api_": r"lin_api_[A-Za-z0-9]{32,64}",
    "eyJ": rf"eyJ{_W}{{5,4096}}\.{_W}{{5,8192}}\.(?:{_W}{{1,2048}})?",
}
_FORMS: Final = [(prefix, re.compile(form)) for prefix, form in _TOKENS.items()]
_TELEGRAM: Final = re.compile(rf"[0-9](?<!\w[0-9])[0-9]{{7,10}}:AA{_W}{{33}}(?!{_W})")
_BEARER: Final = re.compile(r"(?i:earer)[ \t]+([A-Za-z0-9._~+/-]{8,4096}={0,2})")
_HEADER: Final = re.compile(
    r"(?i:uthorization)[\"']?[ \t\0]{0,4}[:=]?[ \t\0]{0,4}[\"']?"
    r"((?i:bearer|basic|token|digest|apikey)[ \t]+)?([^\s\"'\0,;]{6,4096})"
)
_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_ARMOUR: Final = re.compile(r"(?:[A-Za-z0-9+/=:,. \t\r\n\0-]|\\[nr]){1,16384}")
_LOGIN: Final = re.compile(r"://([^\s/?#\"'<>\0]{1,256})@")
_PLACEHOLDERS: Final = re.compile(
    r"\$[({A-Z_]|%[({]|%s\Z|[{<\[(]|\*{3}|x{3,}|\.{3}|(?i:your|change.?me|example|redacted|todo)", re.IGNORECASE
)

_PASSPHRASE: Final = re.compile(r"[Pp]assphrase|[Mm]ot de passe")
_PASSWORD: Final = r"(?<=[Pp][Aa][Ss][Ss][Ww])|(?<=[Pp][Ww])[Dd]|(?<=[Ww][Aa][Cc][Hh][Tt][Ww])oord"
_KEY: Final = (
    r"(?:(?<=[Tt][Oo][Kk])[Ee][Nn]|(?<=[Aa][Pp][Ii][_ -][Kk])[Ee][Yy]|(?<=[Aa][Pp][Ii][Kk])[Ee][Yy]"
    r"|(?<=[Cc][Ee][Ss][Ss][_ -][Kk])[Ee][Yy]|(?<=[Ss][Ss][Kk])ey|(?<=[Aa][Tt][Ee][_-][Kk])[Ee][Yy]|(?<=[Kk])ennwort)"
)
_SECRET: Final = (
    r"(?:(?<=[Ss][Ee][Cc])[Rr][Ee][Tt]|(?<=[Cc])[Rr][Ee][Dd][Ee][Nn][Tt][Ii][Aa][Ll]"
    r"|(?<=[Pp][Aa][Ss][Ss][Cc])[Oo][Dd][Ee])"
)
_MARKS: Final = re.compile(  # each alternative begins with a letter that is rare, so most of a text is skipped at once
    r"_(?:(?<=gh[pousr]_)|(?<=rf_)|(?<=hub_pat_)|(?<=[srp]k_)(?:live|test)_|(?<=whsec_)|(?<=hf_)|(?<=npm_)|(?<=dop_v1_)"
    r"|(?<=shpat_)|(?<=dckr_pat_)|(?<=lin_api_))"
    r"|-(?:(?<=glpat-)|(?<=sk-)|(?<=xox[bpars]-)|(?<=xapp-)|(?<=CSPX-)|(?<=pypi-)|(?<=sq0atp-))"
    r"|\.(?:(?<=SG\.)|(?<=ya29\.)|(?<=hvs\.))"
    r"|J(?<=eyJ)|K(?<=AK)IA|I(?:(?<=AI)za|(?<=ASI)A)"
    rf"|w(?:{_PASSWORD})|W(?:{_PASSWORD})|k{_KEY}|K{_KEY}|c{_SECRET}|C{_SECRET}|ñ(?<=contraseñ)a|ł(?<=hasł)o"
)
_REST: Final = re.compile(
    r"\w{0,24}+(?:[\w-]{0,24}+|[ ](?:is|ist|est|es|è|jest))[\"']?\]?[ \t\0]{0,4}"
    r"(?::=|=>|[:=\0]|(?<=[ ]is)|(?<=[ ]ist)|(?<=[ ]est)|(?<=[ ]es)|(?<=[ ]è)|(?<=[ ]jest))[ \t\0]{0,4}"
    r"(?:\\?\"(?P<double>[^\"\s\\\0]{4,256})\\?\"|'(?P<single>[^'\s\0]{4,256})'"
    r"|(?P<open>[^\s\"'`,;&<>\0\\)(\[\]{}]{4,256})(?P<after>.?))",
    re.DOTALL,
)
_NOT_VALUES: Final = frozenset((
    "none", "null", "true", "false", "string", "str", "bytes", "optional", "any", "undefined", "required", "hidden",
    "text", "password", "passwd", "pwd", "secret", "token", "self", "int", "bool", "type", "number", "value",
))  # fmt: skip


def credentials(text: str) -> Iterator[Span]:
    """Spans of everything that opens a door, by its form."""
    for mark in _MARKS.finditer(text):
        start, end = mark.span()
        if mark[0][0] in "_-.JKI":
            yield from _token(text, start + 1)
        elif value := _assigned(text, start, end):
            yield value
    if "assphrase" in text:
        for mark in _PASSPHRASE.finditer(text):
            if value := _assigned(text, *mark.span()):
                yield value
    if ":AA" in text:
        yield from (Span(*found.span(), Kind.TOKEN) for found in _TELEGRAM.finditer(text))
    if "-----BEGIN " in text:
        yield from _private_keys(text)
    if "://" in text:
        yield from _logins(text)
    yield from _headers(text)


def _headers(text: str) -> Iterator[Span]:
    if "earer" in text or "EARER" in text:
        for found in _BEARER.finditer(text):
            if len(found[1]) >= 32 or any(map(str.isdigit, found[1])):
                yield Span(*found.span(1), Kind.TOKEN)
    if "uthorization" in text or "UTHORIZATION" in text:
        for found in _HEADER.finditer(text):
            if found[1] or len(found[2]) >= 20 or any(map(str.isdigit, found[2])):
                yield Span(*found.span(2), Kind.TOKEN)


def _private_keys(text: str) -> Iterator[Span]:
    """PEM (RFC 7468), OpenSSH and PGP blocks; one without an end goes as far as it looks like one."""
    at = 0
    while found := _BEGIN.search(text, at):
        mark = f"-----END {found[1]}-----"
        end = text.find(mark, found.end())
        following = text.find("-----BEGIN ", found.end())
        if end < 0 or 0 <= following < end:
            rest = _ARMOUR.match(text, found.end())
            at = rest.end() if rest else found.end()
        else:
            at = end + len(mark)
        yield Span(found.start(), at, Kind.KEY)


def _logins(text: str) -> Iterator[Span]:
    for found in _LOGIN.finditer(text):
        user, colon, secret = found[1].partition(":")
        if (colon and secret and not _PLACEHOLDERS.match(secret)) or (not colon and len(user) >= 16):
            yield Span(*found.span(1), Kind.SECRET)


def _token(text: str, at: int) -> Iterator[Span]:
    """The token whose prefix has the mark right before this place."""
    for prefix, form in _FORMS:
        back = prefix.find(text[at - 1])
        while back >= 0:
            start = at - 1 - back
            if start >= 0 and text.startswith(prefix, start) and not (start and _is_word(text[start - 1])):
                found = form.match(text, start)
                if found and not found[0][len(prefix) :].replace("-", "").replace("_", "").islower():  # no word for it
                    yield Span(*found.span(), Kind.TOKEN)
                return
            back = prefix.find(text[at - 1], back + 1)


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _assigned(text: str, start: int, end: int) -> Span | None:
    """The value that follows a word for it: `password=...` in configurations, queries, logs and sentences."""
    found = _REST.match(text, end)
    if found is None:
        return None
    name = next(name for name in ("double", "single", "open") if found[name] is not None)
    value = found[name]
    is_password = text[start] in "wWłñ" or text[start:end] in ("kennwort", "Kennwort") or text[start] in "PpMm"
    if not _is_value(value, found, is_password=is_password):
        return None
    begin, stop = found.span(name)
    return Span(begin, stop - (value[-1] == "." and name == "open"), Kind.SECRET)


def _is_value(value: str, found: re.Match[str], *, is_password: bool) -> bool:
    """Whether this is a secret and no code that handles one."""
    if _PLACEHOLDERS.match(value) or value.lower() in _NOT_VALUES:
        return False
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    if found["open"] is None:
        return mixed or (is_password and value.isascii() and len(value) >= 6)
    if found["after"] in ("(", "[", "{"):
        return False
    if mixed:
        return not re.fullmatch(r"[a-z_]+(?:\.[A-Za-z_]\w*)+|[a-z]+(?:_[a-z]+)*_?\d?", value)
    if not is_password:
        return False
    special = any(not c.isalnum() and c not in "._-/:*" for c in value)
    plain = (
        found["after"] in ("", "\n", "\r", "&", "\0", " ")
        and value.isalpha()
        and "=" in found[0][: found.start("open") - found.start()]
    )
    return special or (plain and len(value) >= 6)
