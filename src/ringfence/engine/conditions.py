"""Whether a query's conditions are those of its task. Pure: decided by the record.

A small model adds `kind = 'workshop'` to a question about everybody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ringfence.core.chain import Record
from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON
from ringfence.months import MONTHS

from .evidence import in_iso
from .facts import is_german
from .folds import folded
from .nearest import answered, nearest
from .statements import EQUAL, without_unasked
from .visits import WEEKDAY, about, excerpts, months
from .words import LEAVES_OUT

_WORD, _LETTERS = re.compile(r"[^\W_]+"), re.compile(r"[^\W\d_]{3,}")
_STEM = 5  # characters by which a column's name is a word of the task: amount_eur and amounts
_CAPITAL = re.compile(r"\b[A-ZÄÖÜ][^\W\d_]{3,}")
_NAME = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{3}")
COMPARES = re.compile(
    r"%|\b(?:than|shares?|per ?cent(?:age)?|compared?|per|each|every|instead of|leaving|except\w*|exclud\w+|without|"
    r"other than|apart from|besides)\b",
    re.I,
)
_CODE = re.compile(r"[A-Z]{1,3}\d*")  # F, NL, E2: a task has it in full words
_LINES = 2  # of a file: who reads so few from its beginning on looks at its first ones
_OF_LINES = re.compile(
    r"\b(?:lines?|rows?|first|top|head(?:er|ing)?s?|begin\w*|start\w*|opening|title|column\w*|field\w*|format|separator|"
    r"earliest|oldest|last|latest|newest|recent|final|ends?|ended|intro\w*|preview|sample|interpreter|shebang|version|"
    r"\d+ (?:entries|records)|zeilen?|anfang|erste\w*|letzte\w*|neueste\w*|oben|kopf\w*|titel|überschrift)\b",
    re.I,
)
_WEEKDAY = re.compile(WEEKDAY, re.I)
_NEVER = re.compile(
    r"no row of \w+ has (?P<column>\w+) = '(?P<text>[^']*)'; (?P=column) has the values (?P<values>[^;]+)"
)
_YES, _FLAGS = ("yes", "true", "y", "ja"), ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"ja", "nein"})


def asked(args: Mapping[str, JSON], turn: Turn, said: str) -> Mapping[str, JSON]:
    """The arguments of a SELECT of files, with those of its conditions that are asked for.

    The column or the value of one that asks for a value has to stand in the task, in what was `said` (before the task,
    or in the thought behind the call: who has a reason gives it), in a result of a call that the model chose, or in a
    passage that it was shown. Refused in words, a small model makes the very same call again.
    """
    task, sql = str(turn.start["task"]), _of_files(args)
    if not sql or is_german(task):  # of another language than the tables, any word may be meant
        return args
    known = words_in(f"{said}\n{task}") | months(f"{said}\n{task}").keys()
    whose = _Asked(known, folded(turn, _Told, task).words(), LEAVES_OUT.search(task) is not None)
    return {**args, "sql": without_unasked(sql, whose.speaks_of)}


def unheard(args: Mapping[str, JSON], turn: Turn, said: str) -> str:
    """A name that a condition asks for and that nothing about the task has said; empty if there is no such.

    A small model takes one that is an example in the overview of another table.
    """
    names = list(filter(_NAME.match, EQUAL.findall(_of_files(args))))
    if not names:
        return ""
    task = str(turn.start["task"])
    told = folded(turn, _Told, task)
    if not (samples := told.samples(at=str(args["path"]))):
        return ""
    known = words_in(f"{said}\n{task}") | told.words() | samples
    return next((name for name in names if not _tells(name, known)), "")


def _of_files(args: Mapping[str, JSON]) -> str:
    """The SELECT of a call that names a file; of a database, a table may be called as a column is in a file."""
    return sql if "path" in args and isinstance(sql := args.get("sql"), str) else ""


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
    return {**args, "sql": str(args["sql"]).replace(f"'{name}'", f"'{named.pop()}'")}


def of_its_values(args: Mapping[str, JSON], turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a SELECT that found nothing, as its tool has told, for a text that the task does not say and a
    column never has: with the one of its values that the task says, or the yes of `with a skipper`.
    """
    sql, task = str(args.get("sql", "")), str(turn.start["task"])
    values = [value for _, given, value in answered(turn) if given == args and isinstance(value, Mapping)]
    found = _NEVER.match(str(values[-1].get("note", ""))) if values else None
    if not found or found["text"].casefold() in task.casefold():
        return args
    column, kinds = re.escape(found["column"]), re.findall(r"'([^']*)'", found["values"])
    if {kind.casefold() for kind in kinds} in _FLAGS:
        has = re.search(rf"\b(with|without|no) (?:an? |any |the )?{column}s?\b", task, re.I)
        said = [kind for kind in kinds if has and (kind.casefold() in _YES) is (has[1].casefold() == "with")]
    else:
        denied = LEAVES_OUT.search(task)
        said = [kind for kind in kinds if not denied and re.search(rf"(?<!\w){re.escape(kind)}(?!\w)", task, re.I)]
    asked_for = rf"(?<!\w)({column}[\"`\]]?\s*==?\s*)'{re.escape(found['text'])}'"
    return {**args, "sql": re.sub(asked_for, lambda match: f"{match[1]}'{said[0]}'", sql)} if len(said) == 1 else args


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """`task`: the words of the task and of what was said before it; `told`: of what was found since; `leaves_out`: the
    task speaks of what is missing, or of others.
    """

    task: Collection[str]
    told: Collection[str]
    leaves_out: bool

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
    stems = tuple(part.removesuffix("s")[:_STEM] for part in _LETTERS.findall(column.casefold()))
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
