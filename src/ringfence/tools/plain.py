"""What people write into `calc`, as Python writes it: `15% of 240`, `1,200 + 5`, `3,50 € * 2`, `2^10`, `6 * 7 = ?`."""

from __future__ import annotations

import re

from ringfence.core.errors import ToolError

from .forms import MONEY, UNITS

SHARE = "percent_"  # the function that a number before % is written as

_PERCENT_OF = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(?:%|percent)\s*(?:of)\b", re.I)
_PERCENT = re.compile(  # before a sign that stands apart or is a plus, nobody takes a remainder: 25 % + 5, 25%-5
    r"(\d+(?:\.\d+)?|\.\d+)(?:\s*percent\b|\s*%(?=\s*(?:$|[*/),<>=+]|-\s))|%(?=-))", re.I
)
_OFF = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent)\s*off\s+(?:of\s+)?", re.I)
_UNIT = re.compile(rf"(?P<before>[$€£¥])\s?(?=[\d.])|(?<=\d)\s?(?P<after>{MONEY}|{UNITS})(?![\w.°/²³])")
_WORDS = (
    (re.compile(r"\b(?:times|multiplied by)\b", re.I), "*"), (re.compile(r"\bdivided by\b", re.I), "/"),
    (re.compile(r"\bplus\b", re.I), "+"), (re.compile(r"\bminus\b", re.I), "-"),
    (re.compile(r"(?<=[\d)])(?:\s+x\s*|(?<!\b0)x\s*)(?=[\d(.])", re.I), "*"),
    (re.compile(r"(?<=[\d)])²"), "**2"), (re.compile(r"(?<=[\d)])³"), "**3"),
)  # fmt: skip
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "’": "'"})
_NUMBER = re.compile(r"(?<![\w.,'])\d[\d.,]*\d(?!\w)")
_SPACED = re.compile(r"(?<![\w.,])\d{1,3}(?:[ \xa0\u202f\u2009]\d{3})+(?! ?\d)")
_APOSTROPHES = re.compile(r"(?<![\w.,'])\d{1,3}(?:'\d{3})+(?!'?\d)")
_GROUPS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+")
_LISTED = re.compile(r"[A-Za-z_]\s*\(|\[")  # what has commas between numbers
_MAYBE = re.compile(r"(?<![\d.,])\d{1,3},\d{3}(?!\d)")
_SMALL = re.compile(r"(?<![\d.,])\d{1,2},\d{3}(?!\d)")
_ZEROS = re.compile(r"\d,0\d\d(?!\d)")
_SUM = r"\d{1,3}\.\d{3}(?![\d.]|,\d)"  # money of which nobody writes three decimals, or it is one of a litre
_THOUSANDS = re.compile(
    rf"(?:[$€£¥]|\b(?:EUR|USD|GBP|CHF))\s?({_SUM})|(?<![\d.])({_SUM})\s?(?:[€£¥$]|(?:EUR|USD|GBP|CHF)\b)"
)


def plain(expression: str) -> tuple[str, list[str]]:
    """The expression for Python, and notes of how numbers were read that may be read otherwise. Raises ToolError where
    nobody knows which is meant.
    """
    source = expression.translate(_SIGNS).strip().rstrip("=? ").lstrip("= ")
    for word, sign in _WORDS:
        source = word.sub(sign, source)
    source = _APOSTROPHES.sub(lambda found: found[0].replace("'", ""), source)
    if not _LISTED.search(source) and re.search(r"[-+*/%<>]", source):  # 100 200 300 alone may be a list
        source = _SPACED.sub(lambda found: re.sub(r"\D", "", found[0]), source)
    notes = list[str]()
    if sums := dict.fromkeys(one or other for one, other in _THOUSANDS.findall(source)):
        notes = [f"{one} is read with a decimal point; as thousands it is {one.replace('.', '')}" for one in sums]
    units = {match["before"] or match["after"] for match in _UNIT.finditer(source)} - {"%"}
    if len(units) == 1 and "0x" not in source:  # of several nobody knows what the result is in
        source = _UNIT.sub(lambda match: "%" if match[0].strip() == "%" else " ", source)
    if "," in source:
        source, read = _commas(source)
        notes += read
    if "%" in source or "ercent" in source:
        source = _OFF.sub(r"(1-\1/100)*", source)
        source = _PERCENT_OF.sub(r"(\1/100)*", source)
        source = _PERCENT.sub(rf"{SHARE}(\1)", source)
    return source.strip(), notes


def _commas(source: str) -> tuple[str, list[str]]:
    """Without the commas within numbers, if it is certain which these are."""
    if ";" in source:  # between numbers whose decimals stand behind commas
        return _decimal(source).replace(";", ","), []
    if not _LISTED.search(source):
        numbers = [found[0] for found in _NUMBER.finditer(source) if "," in found[0]]
        if all(map(_GROUPS.fullmatch, numbers)):
            return _NUMBER.sub(lambda found: found[0].replace(",", ""), source), []
        if all(_COMMA.fullmatch(found[0]) for found in _NUMBER.finditer(source)):
            return _decimal(source), ["commas are read as decimal points"]
        if numbers and not re.search(r",\s", source):
            raise ToolError(f"the commas of {source!r} may be decimal or not", todo="write 1234.5, without commas")
        return source, []
    spaced = re.search(r",\s", source) and re.search(r"\d,\d", source)
    if _ZEROS.search(source) or (spaced and _MAYBE.search(source)):
        what = "the commas stand between the numbers and within them"
        raise ToolError(what, todo="write each number without commas, such as sum(1250, 300.5)")
    if spaced or _SMALL.search(source):
        numbers = re.findall(r"[\d.]+", source)
        return source, [f"read as {len(numbers)} numbers: {', '.join(numbers[:8])}"]
    return source, []


def _decimal(source: str) -> str:
    return _NUMBER.sub(
        lambda found: found[0].replace(".", "").replace(",", ".") if "," in found[0] else found[0], source
    )
