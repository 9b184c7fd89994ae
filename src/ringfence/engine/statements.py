"""The names and conditions of a SELECT as its task has them. Pure.

Asked for the Plum jam that was sold, a small model asks for the Plum cinnamon jam of an example that it was shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .words import LEAVES_OUT

TEXTS = re.compile(r"'(?:[^']|'')*'")
EQUAL = re.compile(r"(?<![!<>])=\s*'([^']*)'")
_NAME = re.compile(r"[A-ZÄÖÜ][\w-]*(?: [\w-]+){2,7}")  # of three words and more
_WITHIN = re.compile(r"[a-zäöüß]{4,}")  # a word that tells it from the shorter name: `cinnamon`, and no `of`
_MASK, _MOST = "\0", 2_000  # in place of a text, and characters of a statement that is looked at
_WHERE = re.compile(r"\bwhere\b(.*?)(?=\bgroup\s+by\b|\border\s+by\b|\bhaving\b|\blimit\b|;|\Z)", re.I | re.S)
_NO_PLAIN = re.compile(r"\b(?:or|between|not(?!\s+null\b)|select|in|case)\b|[()]", re.I)
_IS_TEXT = re.compile(r"(?:\w+\.)?[\"`\[]?(?P<column>\w+)[\"`\]]?\s*==?\s*'(?P<text>[^']*)'")
_STATE = re.compile(  # what has states, which have many names
    r"(?:^|_)(?:status|state|stage|phase|paid|open|closed|active|done|gender|sex|availab\w+|result|outcome)(?:_|$)",
    re.I,
)
_IS_STATE = re.compile(
    r"[a-z]{2,}(?:ed|en|ing)|open|late|new|old|male|female|free|full|lost|sold|sent|paid|unpaid|due|done|active|inactive|"
    r"yes|no|true|false|offen|bezahlt|erledigt|frei",
    re.I,
)
_DENIES = re.compile(r"<>|!=|\bnot\b|\bin\s*\(", re.I)


def as_said(sql: str, task: str) -> str:
    """The statement with the name that a task has, for its one text that has all of its words, in order, and one more
    within. The task's own words are the user's; where there is no such row, the result says so.
    """
    found = [(match, said) for match in TEXTS.finditer(sql) if (said := _said(match[0][1:-1], task))]
    if len(found) != 1 or _DENIES.search(sql) or LEAVES_OUT.search(task):
        return sql
    ((match, said),) = found
    return f"{sql[: match.start()]}'{said}'{sql[match.end() :]}"


def _said(text: str, task: str) -> str:
    words = text.split()
    if not _NAME.fullmatch(text) or re.search(rf"(?<!\w){re.escape(text)}(?!\w)", task, re.I):
        return ""
    for n in range(1, len(words) - 1):  # the first word and the last one stay
        fewer = re.escape(" ".join([*words[:n], *words[n + 1 :]]))
        if (
            _WITHIN.fullmatch(words[n])
            and words[n] not in task
            and (match := re.search(rf"(?<!\w){fewer}(?!\w)", task, re.I))
        ):
            return match[0]
    return ""


def without_unasked(sql: str, speaks: Callable[[str, str], bool]) -> str:
    """The statement without `AND kind = 'workshop'` where nobody spoke of that column or of its value: a small model
    adds what it was shown that there is. One condition stays, each of a statement that is less plain, and what may
    be said in other words: `status = 'unpaid'` for what is owed.

    speaks  whether a column, or the value that it is to have, was spoken of
    """

    def asked(condition: str) -> str:
        found = _IS_TEXT.fullmatch(condition)
        state = found is not None and (_STATE.search(found["column"]) or _IS_STATE.fullmatch(found["text"]))
        return condition if found is None or state or speaks(found["column"], found["text"]) else ""

    return with_conditions(sql, asked)


def with_conditions(sql: str, become: Callable[[str], str]) -> str:
    """The statement with what each of its conditions is to become, "" for none; as it is where none would be left, or
    where they are joined by more than AND.
    """
    texts, bare = TEXTS.findall(sql), TEXTS.sub(_MASK, sql)
    found = list(_WHERE.finditer(bare))
    if len(sql) > _MOST or len(found) != 1 or _NO_PLAIN.search(found[0][1]) or bare.lower().count("select") != 1:
        return sql
    (where,) = found
    at, parts, made = bare[: where.start(1)].count(_MASK), re.split(r"\band\b", where[1], flags=re.I), list[str]()
    for part in parts:
        count = part.count(_MASK)
        made.append(_filled(part, texts[at : at + count]).strip())
        at += count
    kept = list(dict.fromkeys(filter(None, map(become, made))))
    if not kept or kept == made:
        return sql
    before = _filled(bare[: where.start(1)], texts)
    after = _filled(bare[where.end(1) :], texts[len(texts) - bare[where.end(1) :].count(_MASK) :])
    return f"{before} {' AND '.join(kept)} {after}".strip()


def _filled(masked: str, texts: Sequence[str]) -> str:
    for text in texts[: masked.count(_MASK)]:
        masked = masked.replace(_MASK, text, 1)
    return masked
