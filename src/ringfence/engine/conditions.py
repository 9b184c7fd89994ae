"""Whether a query's conditions are those of its task. Pure: decided by the record.

A small model adds `paid = no` to a question about everybody, and leaves out the two months that it was to compare.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ringfence.core.chain import Record
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .evidence import in_iso
from .facts import is_german
from .folds import folded
from .nearest import answered, asked_and_brought, nearest
from .statements import EQUAL, without_unasked
from .task import PASTED
from .visits import WEEKDAY, about, excerpts, months, replaced
from .words import LEAVES_OUT

_WORD, _LETTERS = re.compile(r"[^\W_]+"), re.compile(r"[^\W\d_]{3,}")
STEM = 5  # characters by which a column's name is a word of the task: amount_eur and amounts
_CAPITAL = re.compile(r"\b[A-ZÄÖÜ][^\W\d_]{3,}")
_NAME = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{3}")
MOST = 10  # conditions of a query
_TWO_WORDS = r"[A-ZÄÖÜ][a-zäöüß]{2,}(?:\s(?:&\s)?[A-ZÄÖÜ][a-zäöüß]{2,})+"
_CAPITALS = re.compile(rf"(?<=[a-z,]\s){_TWO_WORDS}\b")
_NAMED = re.compile(
    rf"\b(?:owed?|owes|of|by|from|did|does)\s+({_TWO_WORDS})\b(?!\s+(?:first|last|asked|asks|wants|needs|said|says)\b)"
    r"|\b(?:of|by|from)\s+(?:the\s+)?(?:[a-z]+\s+)?[\"“„]([^\"”“„\n/.]{3,40})[\"”“]"
)
COMPARES = re.compile(
    r"%|\b(?:than|shares?|per ?cent(?:age)?|compared?|per|each|every|instead of|leaving|except\w*|exclud\w+|without|"
    r"other than|apart from|besides)\b",
    re.I,
)
_BOTH = re.compile(
    r"\b(?:in all|in total|overall|altogether|of (?:them )?all|respectively|both|also|fraction|half|third|quarter|"
    r"ratio|vs|versus|out of|of y|above|below|average|whole|rest|part|proportion|or not)\b"
    r"|(?:\b(?:and|or)|[,.?!;])\s+(?:how|what|which|in the)\b|\?.*\?",
    re.I,
)
_SAME = ("path", "aggregate", "column", "group_by")
_CODE = re.compile(r"[A-Z]{1,3}\d*")  # F, NL, E2: a task has it in full words
_LINES = 2  # of a file: who reads so few from its beginning on looks at its first ones
_OF_LINES = re.compile(
    r"\b(?:lines?|rows?|first|top|head(?:er|ing)?s?|begin\w*|start\w*|opening|title|column\w*|field\w*|format|separator|"
    r"earliest|oldest|last|latest|newest|recent|final|ends?|ended|intro\w*|preview|sample|interpreter|shebang|version|"
    r"\d+ (?:entries|records)|zeilen?|anfang|erste\w*|letzte\w*|neueste\w*|oben|kopf\w*|titel|überschrift)\b",
    re.I,
)
_WEEKDAY = re.compile(WEEKDAY, re.I)


def asked(args: Mapping[str, JSON], turn: Turn, said: str) -> Mapping[str, JSON]:
    """The arguments of a query, with those of its conditions that are asked for.

    The column or the value of one that asks for a value has to stand in the task, in what was `said` (before the task,
    or in the thought behind the call: who has a reason gives it), in a result of a call that the model chose, or in a
    passage that it was shown. A month that a task names it does not leave out, unless it says so: `!=` is `=` there, of
    several the first. Refused in words, a small model makes the very same call again.
    """
    lists = {name: value for name, value in args.items() if isinstance(value, list | tuple) and any(map(is_one, value))}
    sql = args.get("sql") if "path" in args else None  # of a database, a table may be called as a column is here
    if not lists and not isinstance(sql, str):
        return args
    task = str(turn.start["task"])
    known = words_in(f"{said}\n{task}") | months(f"{said}\n{task}").keys()
    whose = _Asked(known, folded(turn, _Told, task).words(), LEAVES_OUT.search(task) is not None, months(task))
    plain = isinstance(sql, str) and not is_german(task)  # of another language than the tables, any word may be meant
    statement: dict[str, JSON] = {"sql": without_unasked(str(sql), whose.speaks_of)} if plain else {}
    return {**args, **{name: whose.of(value) for name, value in lists.items()}, **statement}


def unheard(args: Mapping[str, JSON], turn: Turn, said: str) -> str:
    """A name that a condition asks for and that nothing about the task has said; empty if there is no such.

    A small model takes one that is an example in the overview of another table.
    """
    task = str(turn.start["task"])
    told = folded(turn, _Told, task)
    samples = told.samples(at=str(args.get("path", "")))
    known = words_in(f"{said}\n{task}") | told.words() | samples
    lists = [value for value in args.values() if isinstance(value, list | tuple) and samples]
    equal = (where for value in lists for where in value if is_one(where) and where.get("op", "=") == "=")
    values = [str(where["value"]).strip() for where in equal]
    if "path" in args and samples:
        values += EQUAL.findall(str(args.get("sql", "")))
    names = filter(_NAME.match, values)
    return next((name for name in names if not _tells(name, known)), "")


def remembered(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a sum or count over rows, with whom it is asked of, by a name of two words or in quotes.

    It is asked for in the column that has it, if one alone does: a tool says by `x-any` that it knows. Only the one
    name behind "of", "by", "from", "owe" or "did": who asks, is left out or compared with is no condition. A name that
    an earlier call has asked for, or brought, is none either: it may be a number by now.
    """
    task, conditions = str(turn.start["task"]), args.get("where")
    if not isinstance(conditions, list | tuple) or args.get("aggregate") not in ("sum", "count", "avg"):
        return args
    grouped = args.get("group_by") and [args["group_by"]] != list(args.get("select") or ())
    if grouped or len(conditions) >= MOST or len(task) > PASTED or is_german(task) or not takes_any(spec):
        return args
    named = [next(filter(None, found.groups())) for found in _NAMED.finditer(task)]
    if len(named) != 1 or len(_CAPITALS.findall(task)) > 1 or COMPARES.search(task):
        return args
    known = " ".join(map(str, (args, *asked_and_brought(turn)))).casefold()
    words = [word.casefold() for word in named[0].split()]
    if any(word in known or word in MONTHS or _WEEKDAY.match(word) for word in words):
        return args
    return {**args, "where": [*conditions, {"column": "*", "op": "=", "value": named[0]}]}


def takes_any(spec: SinkSpec) -> bool:
    """Whether a query may ask for a value in whatever column has it."""
    match spec.schema:
        case {"properties": {"where": {"items": {"properties": {"column": {"x-any": "*"}}}}}}:
            return spec.reads
    return False


def wider(args: Mapping[str, JSON], turn: Turn) -> str:
    """Whom a query leaves out that the same one has asked for before, and found, where the task names it; else empty.

    A small model that has the sum of one supplier asks for that of all, and adds the two. A name is left out alone, and
    not where a task compares, or asks for more than one thing.
    """
    task, now = str(turn.start["task"]), _equal(args)
    if now is None or not args.get("aggregate") or len(task) > PASTED or is_german(task):
        return ""
    if COMPARES.search(task) or _BOTH.search(task):
        return ""
    for call, before, value in answered(turn):
        if call < 0 or not isinstance(before, dict) or any(before.get(key) != args.get(key) for key in _SAME):
            continue
        then = _equal(before)
        gone = [one for one in then or () if one not in now]
        if then is None or len(gone) != 1 or len(then) != len(now) + 1 or not _found(value):
            continue
        if _NAME.match(gone[0]) and re.search(rf"\b{re.escape(gone[0])}\b", task):
            return gone[0]
    return ""


def _equal(args: Mapping[str, JSON]) -> list[str] | None:
    """What its conditions ask for, if all of them are for the same."""
    conditions = args.get("where")
    if not isinstance(conditions, list | tuple):
        return None
    wheres = [where for where in conditions if isinstance(where, dict) and is_one(where)]
    same = len(wheres) == len(conditions) and all(where.get("op", "=") == "=" for where in wheres)
    return [str(where["value"]).strip() for where in wheres] if same else None


def _found(value: JSON) -> bool:
    """Whether a result has a cell with something in it."""
    rows = value.get("rows") if isinstance(value, dict) else None
    return isinstance(rows, list) and any(
        str(cell) not in ("", "0") for row in rows if isinstance(row, list) for cell in row
    )


def heard(args: Mapping[str, JSON], turn: Turn, said: str) -> Mapping[str, JSON]:
    """The arguments, with the one name of the line that is closest to the task for a name that nothing has said.

    For who was told that line and asks for the very same name again, as a small model does.
    """
    if not (name := unheard(args, turn, said)):
        return args
    task, words = words_in(str(turn.start["task"])), _CAPITAL.findall(nearest(turn))
    named = {one for one in words if not (_tells(one, task) or one.casefold() in MONTHS or _WEEKDAY.match(one))}
    if len(named) != 1:
        return args
    other = {name: named.pop()}
    sql = {key: str(args[key]).replace(f"'{name}'", f"'{other[name]}'") for key in ("sql",) if key in args}
    return {key: replaced(value, other) for key, value in args.items()} | sql


def all_of_it(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a look at the first line or two of a file, without its end where nobody spoke of lines.

    A small model reads the first line of a log, and answers from that.
    """
    first, last = args.get("first"), args.get("last")
    if first != 1 or not isinstance(last, int) or isinstance(last, bool) or not 0 < last <= _LINES:
        return args
    return {**args, "last": 0} if _to_the_end(spec) and not _OF_LINES.search(task) else args


def _to_the_end(spec: SinkSpec) -> bool:
    """Whether it reads a file to its end where `last` is 0."""
    match spec.schema:
        case {"properties": {"path": _, "last": {"default": 0}}}:
            return True
    return False


def is_one(value: JSON) -> bool:
    """Whether a value is a condition of a query."""
    return isinstance(value, dict) and value.keys() >= {"column", "value"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """`task`: the words of the task and of what was said before it; `told`: of what was found since; `leaves_out`: the
    task speaks of what is missing, or of others; `months`: those that it names.
    """

    task: Collection[str]
    told: Collection[str]
    leaves_out: bool
    months: Collection[str]

    def of(self, conditions: Sequence[JSON]) -> list[JSON]:
        """Those that are asked for."""
        kept: list[JSON] = []
        turned = set[str]()
        for where in conditions:
            if isinstance(where, dict) and is_one(where):
                column, op, value = (str(where.get(key, "")).strip() for key in ("column", "op", "value"))
                if op in ("", "=") and not self.speaks_of(column, value):
                    continue
                if op == "!=" and value[:7] in self.months and not self.leaves_out:
                    if column in turned:
                        continue
                    turned.add(column)
                    where = {**where, "op": "="}
            kept.append(where)
        return kept

    def speaks_of(self, column: str, value: str) -> bool:
        """Whether anything that was said speaks of a column, or of the value that it is to have."""
        if (not value and self.leaves_out) or _CODE.fullmatch(value):
            return True
        return any(spoken_of(column, words) or _tells(value, words) for words in (self.task, self.told))


def words_in(text: str) -> set[str]:
    """The words of a text in small letters, days as ISO has them."""
    return set(_WORD.findall(in_iso(text).casefold()))


def spoken_of(column: str, words: Collection[str]) -> bool:
    """Whether one of the words of a column's name is among them, however it is inflected."""
    stems = tuple(part.removesuffix("s")[:STEM] for part in _LETTERS.findall(column.casefold()))
    return any(word.startswith(stems) for word in words)


def _tells(value: str, words: Collection[str]) -> bool:
    """Whether a part of a value is among them, however it is inflected, or the month that it is of."""
    whole = value.casefold()
    return whole[:7] in words or any(word in words for word in _WORD.findall(whole)) or spoken_of(whole, words)


class _Told:
    """The words of what was said to calls of the model and of passages; apart, of passages that are mere samples."""

    def __init__(self, task: str) -> None:
        self._is_about = about(task)
        self._words: set[str] = set()
        self._samples: dict[str, list[str]] = {}  # the lines of each file
        self._unread: list[str] = []

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is None or "prompt" in intent.body or not record.view.get("ok"):
            return
        value = record.body.get("value")
        if intent.body.get("call", -1) >= 0:
            self._unread.append(str(value))
            return
        for passage in excerpts(value):
            text = str(passage.get("text", ""))
            if "note" in passage:
                self._samples.setdefault(str(passage.get("path")), []).extend(text.split("\n"))
            else:
                self._unread.append(text)

    def samples(self, at: str) -> set[str]:
        """Of a file that has lines about the task, the words of those alone: the next line names another. Of the one
        that a query is `at`, all: such values are what it can ask for.
        """
        others = (lines for path, lines in self._samples.items() if path != at)
        told = [*(list(filter(self._is_about, lines)) or lines for lines in others), self._samples.get(at, [])]
        return words_in("\n".join(line for lines in told for line in lines))

    def words(self) -> set[str]:
        """All of them; read when they are asked for first."""
        while self._unread:
            self._words |= words_in(self._unread.pop())
        return self._words
