"""What free text may not carry out (POL-6), and what a reader of the log should look at."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_TLD: Final = (
    "com|net|org|edu|gov|io|co|ai|app|dev|info|biz|xyz|me|shop|tech|store|live|club|win|icu|"
    "tk|site|online|top|link|page|cloud|ru|cn|de|uk|eu|fr|in"
)
LINK: Final = re.compile(  # bounded, and anchored where a label begins: hostile text costs no more than other text
    rf"\b(?:[a-z][a-z0-9+.-]{{1,15}}://|www\.|mailto:)\S+|(?<![\w-])(?:[\w-]{{1,63}}\.){{1,8}}(?:(?:{_TLD})\b(?:[:/]\S*)?|"
    r"[a-z]{2,24}(?::\d{1,5})?/\S+)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?/\S*",
    re.I,
)
IMAGE: Final = re.compile(r"!\[[^\]]{0,500}\]\s{0,20}[(\[]|<(?:img|a|iframe|link)\s|\bdata:[a-z]+/", re.I)
SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:gh[pousr]|glpat|xox[abpr])[-_][\w-]{16,}|"
    r"\bsk-[\w-]{16,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.|(?<![\w/+=-])(?=[A-Za-z+=]*\d)(?=[\d+=]*[A-Za-z])[A-Za-z0-9+=]{32,}"
)
CARD: Final = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")  # ISO/IEC 7812: a number of 13 to 19 digits
_SIGNALS: Final = {
    "override": re.compile(
        r"(?:ignore|disregard|forget)\W{1,9}(?:\w{1,30}\W{1,9}){0,4}(?:instructions?|prompts?|rules|above)", re.I
    ),
    "role": re.compile(
        r"<\/?(?:system|important|information|assistant|tool_call)\b|\bsystem prompt\b|\byou are now\b", re.I
    ),
    "secrecy": re.compile(r"(?:do not|don't|never)\s+(?:tell|mention|inform|reveal)", re.I),
    "hidden": re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\U000e0000-\U000e007f]"),
    "opaque": re.compile(r"[A-Za-z0-9+/]{80,}={0,2}"),
}
_UNSEEN: Final[dict[int, str | None]] = {
    **dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD)),
    0x3002: ".",
}
_SCANNED: Final = 65_536  # characters of a result


def carried(text: str) -> list[tuple[str, str]]:
    """(what, text) of every link, image and secret in a free text."""
    text = unicodedata.normalize("NFKC", text).translate(_UNSEEN)  # as a reader's eyes, or their client, will take it
    found = [("link", match.rstrip(".,;:!?)]}>'\"")) for match in (m[0] for m in LINK.finditer(text))]
    found += [("image", m[0]) for m in IMAGE.finditer(text)]
    found += [("secret", m[0]) for m in CARD.finditer(text) if _luhn(m[0])]
    return found + [("secret", m[0]) for m in SECRET.finditer(text)]


def _luhn(number: str) -> bool:
    """Whether the check digit of a card number is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(c) for c in reversed(number) if c.isdecimal()]
    total = sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return total % 10 == 0 and len(set(digits)) > 2


def signals(text: str) -> list[str]:
    """Names of known injection patterns in a result: a signal on the record, never the defence."""
    return [name for name, pattern in _SIGNALS.items() if pattern.search(text, 0, _SCANNED)]
