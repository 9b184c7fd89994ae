"""What is asked for by a common word (a telephone number, a colour), and what of a text could be it."""

from __future__ import annotations

import re

_END = r"(?=\W*\Z|\s*[?.!,;:)]|\s+(?:of|for|has|have|had|does|do|did|is|was|are|were|on|in|at)\b)"  # no `phone support`
_WHOSE = r"(?:\w+'s|their|his|her|your|whose)"
_UNIT = r"(?:[kmµ]?g|t|lbs?|oz|st|pounds?|ounces?|stones?|tons?|tonnes?|grams?|kilos?|kilograms?|%)(?![^\W\d_])"
_LENGTH = r"(?:(?:[kdcm]?m|(?:centi)?met(?:re|er)s?|feet|foot|ft|inch(?:es)?|in|storeys?|stories|floors?)\b|['′″\"])"
_COLOURS = (
    "red|blue|green|white|black|yellow|gr[ea]y|brown|orange|purple|pink|turquoise|teal|beige|violet|gold|silver|navy|"
    "cyan|magenta|maroon|cream|ivory|lilac|olive|scarlet|mint|bronze|copper|RAL"
)
_PLATE = r"(?-i:\b[A-Z]{1,3}[- ][A-Z]{1,2} ?\d{1,4}\b|\b[A-Z]{2}\d\d ?[A-Z]{3}\b)"
_ANY = r"\w"

# name, how a task asks for it, what counts as it, and what may be it where no table tells its columns
ATTRIBUTES = tuple(
    (name, re.compile(rf"\b(?:{asked})", re.I), re.compile(known, re.I), re.compile(loose, re.I) if loose else None)
    for name, asked, known, loose in (
        (
            "telephone number",
            rf"(?:(?:tele)?phone|fax|mobile|extension) number\b|{_WHOSE} (?:(?:tele)?phone|fax|mobile|extension){_END}",
            r"phone|mobil|\bfax|\btel\b|\bext\b|\bcall\b|\bdial|\+[1-9]\d|\d{3}[-. ]\d{4}\b"
            r"|(?<![\d:.,/-])0\d{2,5}[ /-]\d{2}",
            "",
        ),
        ("mail address", rf"(?:e-?)?mail add?ress\b|{_WHOSE} e-?mail{_END}", r"mail|@", ""),
        (
            "birthday",
            rf"when\b[^.?!\n]{{0,80}}\bborn\b|(?:birthday|birth date|date of birth){_END}",
            r"born|birth|\bage|years old|\bdob\b|\bgeb",
            r"\b(?:1[89]|20)\d\d\b|\d\.\d",
        ),
        (
            "colour",
            rf"(?:what|which) colou?rs?{_END}|the colou?r of\b",
            rf"colou?r|paint|coat|lacquer|\b(?:{_COLOURS})(?:d?ish|s|en|e[nd]|y|ed|washed)?\b",  # Redshank is a boat
            "",
        ),
        ("weight", rf"(?:weighs?|weight){_END}|how heavy\b", rf"weigh|heavy|\d ?{_UNIT}", ""),
        ("height", rf"how tall\b|height{_END}", rf"height|tall|high|\d ?{_LENGTH}", ""),
        (
            "parking",
            r"park (?:a|the|your|my|our) (?:car|van|lorry|truck)\b|parking (?:fee|space|ticket)\b",
            r"park|garage|\bcars?\b|vehicle",
            "",
        ),
        ("password", rf"(?:passwords?|passcode|pin code){_END}", r"passw|passcode|\bpin\b|\bpw\b|pwd|\bkey", ""),
        (
            "salary",
            rf"(?:salary|salaries|wages?){_END}",
            r"salar|wage|\bpa(?:y|id)|earn|income|compens|[€$£]|\b(?:euros?|dollars?|pounds?|eur|usd|gbp)\b",
            "",
        ),
        ("licence plate", rf"(?:licen[cs]e plate|number ?plate){_END}", rf"plate|regist|{_PLATE}", ""),
        (
            "nationality",
            rf"(?:nationality|citizenship){_END}",
            r"national|citizen|passport|country|\bfrom\b",
            _ANY,
        ),
        (
            "web site",
            rf"{_WHOSE} (?:web ?site|home ?page){_END}",
            r"www\.|https?:|web|home ?page|\w\.[a-z]{2,}",
            "",
        ),
        ("middle name", rf"(?:middle|maiden) name{_END}", r"middle|maiden|nick|\bn[eé]e\b", _ANY),
    )
)
