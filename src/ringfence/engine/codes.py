"""Whether what a call asks for is the one that its task describes. Pure: decided by the record.

A small model that reads which pump leaks asks for the part of another pump, whose code an earlier result had shown; of
the ship that leaves at 15:30 it takes the one below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .conditions import COMPARES
from .nearest import brought, closest, lines, of_the_day, of_the_value, opened, stems
from .overlooked import shape
from .ranked import as_lines, fields
from .statements import EQUAL
from .step import leaves
from .task import PASTED, questions
from .visits import TELLS
from .words import LEAVES_OUT

_CODE = re.compile(r"\b([A-Za-z]{1,5}-?)\d{1,8}\b")  # P-30, M204: its kind is what stands before the number
_ANOTHER = re.compile(
    r"\b(?:replac\w+|instead|after|before|next|previous\w*|follow\w*|success\w+|predecess\w+|feeds?|supplies|came|"
    r"the one (?:that|which|who)|that (?:the|feeds|replaced)|beside|behind)\b",
    re.I,
)
_PAST = re.compile(r"\b(?:not|no|never|was|were|since|fixed|sealed|closed|done|again|nicht|kein\w*|war)\b|n't\b", re.I)
_GOES_ON = re.compile(
    r"\b(?:later|earlier|afterwards|beforehand|miss\w*|compar\w+|both|each|every|second|other|today|now|it is|tomorrow|"
    r"yesterday|last|first|just|full|come|coming|arriv\w+|take|took|ends?|heute|jetzt|morgen|gestern|letzt\w*|erst\w*|"
    r"voll)\b",
    re.I,
)
_BEFORE = re.compile(
    r"\b(?:was|were|before|former(?:ly)?|until|previous(?:ly)?|used to|no longer|war|früher|bisher)\b", re.I
)
_NOT_IT = re.compile(r"\b(?:but one|second|third|other|earlier|\w+ (?:last|first) but)\b|\?.*\?", re.I | re.S)
_TOKEN = re.compile(r"[^\s=,;:\"'|()\[\]]{2,40}")
_A_NAME = re.compile(r"(?<=[a-zäöüß] )[A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)*")  # that does not begin the sentence
_RESULTS, _LINES = 5, 500  # the newest, and the lines of one, that are read
_CHARS = 240  # of a line that is told


def another(args: Mapping[str, JSON], turn: Turn) -> tuple[str, str, str] | None:
    """A code of a call, the one of its kind that the task speaks of instead, and the line that says so, if any.

    Of a code that stands in results of the model's own calls, no line says anything of the task that not also a line
    of the other one says, which says more; and of no third one. Nothing where a task names a code, leaves out, compares
    or goes from one thing to another, nor where the line denies or is of the past. Who has a reason asks again.
    """
    task = str(turn.start["task"])
    if len(task) > PASTED or any(rule.search(task) for rule in (_CODE, LEAVES_OUT, COMPARES, _ANOTHER)):
        return None
    asked = frozenset(stems(task))
    for code, kind in _codes(args):
        said = dict(_said(turn, kind, asked))
        mine = said.pop(code, None)
        if mine is None:
            continue
        most = max((about for about, _ in said.values()), key=len, default=frozenset[str]())
        best = [(other, line) for other, (about, line) in said.items() if len(about) == len(most)]
        if mine[0] < most and len(best) == 1 and not _PAST.search(best[0][1]):
            return code, *best[0]
    return None


def of_its_row(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT, with the text of the one row of the last result that the task points at by a value or
    a day, in place of its one text, which other rows alone have in that field. Refused in words, a small model says it
    again. As they are where the task goes on from one row to another one.
    """
    found, task, sql = brought(turn), str(turn.start["task"]), args.get("sql")
    if not found or not isinstance(sql, str) or len(task) > PASTED or LEAVES_OUT.search(task) or COMPARES.search(task):
        return args
    asking, texts = questions(task), EQUAL.findall(sql)
    if len(texts) != 1 or _ANOTHER.search(asking) or _GOES_ON.search(asking):
        return args
    told = list(as_lines(found[-1]))[:_LINES]
    text = "\n".join(told)
    line = of_the_day(text, asking) or of_the_value(text, asking)
    own, rows = fields(f"- {line}"), [fields(one) for one in told] if line else []
    (value,) = texts
    where = {name for row in rows for name, other in row.items() if other == value}
    name = next(iter(where), "")
    known = value in own.values() or value.casefold() in task.casefold()
    leads_on = any(other in row.values() and row.get(key) != other for key, other in own.items() for row in rows)
    theirs = {other for row in rows if value in row.values() for other in row.values()}
    said = any(len(other) > 1 and re.search(rf"(?<!\w){re.escape(other)}(?!\w)", task) for other in theirs)
    if len(where) != 1 or known or leads_on or said or not own.get(name) or "'" in own[name] or f"'{own[name]}'" in sql:
        return args
    return {**args, "sql": EQUAL.sub(f"= '{own[name]}'", sql)}


def as_it_is_now(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT, with the name that the last result says is so now, in place of its one text, which
    that result has in one sentence alone, of what was so before.
    """
    found, task, sql = brought(turn), str(turn.start["task"]), args.get("sql")
    texts = EQUAL.findall(sql) if isinstance(sql, str) else []
    if not found or len(texts) != 1 or not texts[0][:1].isupper() or len(task) > PASTED or _BEFORE.search(task):
        return args
    told = [part for line in islice(as_lines(found[-1]), _LINES) for part in re.split(r"(?<=[.!?])\s", line)]
    mine = [part for part in told if texts[0] in part]
    asked = frozenset(stems(task))
    now = [part for part in told if not _BEFORE.search(part) and len(asked.intersection(stems(part))) >= TELLS]
    if len(mine) != 1 or not _BEFORE.search(mine[0]) or len(now) != 1 or texts[0] in task:
        return args
    names = [name for name in _A_NAME.findall(now[0]) if name not in task]
    return {**args, "sql": EQUAL.sub(f"= '{names[0]}'", str(sql))} if len(names) == 1 else args


def of_the_last(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT, with the value of the one line that was found to be the last or the first of its kind,
    in place of its one text, which other lines of that passage have in its place: of P-248 that failed last, and not of
    P-271 before it.
    """
    sql, task = args.get("sql"), str(turn.start["task"])
    texts = EQUAL.findall(sql) if isinstance(sql, str) and not brought(turn) else []
    ranked = [one for one in opened(turn) if "ranked" in one]
    if len(texts) != 1 or len(ranked) != 1 or texts[0] in task or _ANOTHER.search(task) or _NOT_IT.search(task):
        return args
    asked = set(stems(task))
    told = {line for line in closest(turn) if line in str(ranked[0].get("text", ""))}
    others = [line for line in str(ranked[0].get("text", "")).split("\n") if line not in told]
    alike = [line for line in others if texts[0] in _TOKEN.findall(line)]
    kind = [asked.intersection(stems(line)) for line in (*told, *alike)]
    if len(told) != 1 or not alike or any(one != kind[0] for one in kind):  # of what the last one is of
        return args
    own = [token for token in _TOKEN.findall(told.pop()) if shape(token) == shape(texts[0])]
    return {**args, "sql": EQUAL.sub(f"= '{own[0]}'", str(sql))} if len(own) == 1 else args


def _codes(args: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """The texts of a call that are a code, and their kinds."""
    for leaf in leaves(args):
        if isinstance(leaf, str) and (found := _CODE.fullmatch(leaf)):
            yield leaf, found[1]


def _said(turn: Turn, kind: str, asked: frozenset[str]) -> Iterator[tuple[str, tuple[frozenset[str], str]]]:
    """Each code of a kind, with the words of the task in the line of it that has the most, and that line."""
    best: dict[str, tuple[frozenset[str], str]] = {}
    for value in brought(turn)[-_RESULTS:]:
        for line in islice(lines(value), _LINES):
            found = {match[0] for match in _CODE.finditer(line) if match[1] == kind}
            about = asked.intersection(stems(line))
            for code in found if len(found) == 1 else ():  # of two codes in one line, it tells of neither
                if code not in best or len(about) > len(best[code][0]):
                    best[code] = about, line[:_CHARS]
    yield from best.items()
