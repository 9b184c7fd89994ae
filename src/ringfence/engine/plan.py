"""Goals of a task and how far they are reached. Pure: the record shows it, never a model's word.

`light` takes the goals from the task's own sentences; `full` lets the model write them, once, and again after failures.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .course import MAX_FAILED
from .folds import folded
from .step import closed
from .task import acts, reckons

MAX_GOALS = 5
MAX_REPLANS = 2
_BORDER = re.compile(
    r"(?<=[.!?;\n])\s+(?:(?:and )?(?:then|next|finally|after that|afterwards|also),?\s+)?"
    r"|,?\s+(?:and )?(?:then|after that|afterwards|finally),?\s+"
    r"|,?\s+and\s+(?=(?:write|save|put|store|append|send|mail|post|note|record)\b)|\s*\n\s*(?:\d+[.)]|[-*])\s+",
    re.I,
)
_GREETING = re.compile(  # accounts here; good morning everybody; thanks a lot
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|thanks?|thank you|please|cheers|hallo|moin|danke|"
    r"guten (?:tag|morgen|abend))\b[^\d?]{0,30}|[^\W\d]+(?: [^\W\d]+)? here[.!,]*",
    re.I,
)
_QUOTED = re.compile(r"[\"“„«'‘`][^\"”“»'’`]*[\"”“»'’`]")
WORK_OUT = "work out what is asked for"
_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*])(?=\s|$)")
_LONGEST = 2000  # characters of a task that is read for goals
_CHARS = 140  # of a goal, shown
_READ = 4000  # characters of a result that are read for its words


class Planning(StrEnum):
    """How a run is planned: not at all, by rule from the task's words, or by the model."""

    OFF = "off"
    LIGHT = "light"
    FULL = "full"


class Do(StrEnum):
    """What a goal takes: to look something up, to work something out, to change, send or run something."""

    LOOK = "look"
    RECKON = "reckon"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Goal:
    """One step of a plan. `done_when` is its criterion in words, for the model; the record decides by `do`."""

    do: Do
    what: str
    done_when: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan, and how far it is.

    reached  numbers of goals that the record shows as reached, from 1
    spent    steps by goal
    plans    how many were made, the first included
    failed   calls that failed or were refused since this plan was made
    beyond   numbers of goals that no tool of the run reaches: an answer says so, and nothing waits for them
    """

    goals: tuple[Goal, ...]
    reached: frozenset[int] = frozenset()
    spent: Mapping[int, int] = field(default_factory=dict)
    plans: int = 0
    failed: int = 0
    beyond: frozenset[int] = frozenset()

    def open(self, budget: int) -> list[int]:
        """Goals that are neither reached nor out of steps (`budget` for each)."""
        return [n for n, _ in self._left() if self.spent.get(n, 0) < budget]

    def _left(self) -> list[tuple[int, Goal]]:
        settled = self.reached | self.beyond
        return [(n, goal) for n, goal in enumerate(self.goals, 1) if n not in settled]

    @property
    def acts(self) -> bool:
        """Whether all that is left is to change, send or run something."""
        return {goal.do for _, goal in self._left()} == {Do.ACT}

    @property
    def acts_later(self) -> bool:
        """Whether something is left to change, send or run, and it is another goal's turn first."""
        left = [goal.do for _, goal in self._left()]
        return Do.ACT in left and left[0] is not Do.ACT

    @property
    def left(self) -> bool:
        """Whether something is left that no answer does by itself, and nothing speaks against going on with it."""
        return self.failed < MAX_FAILED and any(goal.do is not Do.LOOK for _, goal in self._left())

    def text(self) -> str:
        """The plan as the model is shown it, a goal a line."""
        goals = list(enumerate(self.goals, 1))
        now = next((goal for n, goal in goals if n not in self.reached and goal.done_when), None)
        lines = (f"{n}. {'[done] ' if n in self.reached else ''}{goal.what}" for n, goal in goals)
        until = f"\nThe next goal is reached when {now.done_when.rstrip('.')}." if now is not None else ""
        return "Plan:\n" + "\n".join(lines) + until if goals else ""


@lru_cache(maxsize=1024)
def from_words(task: str) -> tuple[Goal, ...]:
    """The goals that a task names one after another; none for a task of one sentence, or with a document in it."""
    if len(task) > _LONGEST:
        return ()
    parts = [part for piece in _BORDER.split(task) if (part := _MARK.sub("", piece).strip())]
    kinds = [(_kind(part), part) for part in parts]
    goals = _in_order(
        [Goal(do, part[:_CHARS]) for do, part in kinds if do is not Do.LOOK or not _GREETING.fullmatch(part)]
    )
    wanted = [goal for goal in goals if goal.do is not Do.LOOK or goal.what.endswith("?") or len(goals) > 1]
    return tuple(wanted[:MAX_GOALS]) if len(wanted) > 1 else ()


def _in_order(goals: list[Goal]) -> list[Goal]:
    """What is to be written down (a total, a count) is worked out before: by the goal before, or by one of its own."""
    kinds = [goal.do for goal in goals]
    if Do.ACT not in kinds or Do.RECKON in kinds[: (at := kinds.index(Do.ACT))]:
        return goals
    if not reckons(_QUOTED.sub("", goals[at].what)):
        return goals
    if at:
        return [*goals[: at - 1], replace(goals[at - 1], do=Do.RECKON), *goals[at:]]
    return [Goal(Do.RECKON, WORK_OUT), *goals]


def _kind(part: str) -> Do:
    return Do.ACT if acts(part) else Do.RECKON if reckons(part) else Do.LOOK


def form() -> dict[str, Any]:
    """JSON Schema of a plan as a model writes it."""
    text = {"type": "string", "minLength": 3, "maxLength": _CHARS}
    goal = closed(
        {"do": {"enum": [str(do) for do in Do]}, "what": text, "done_when": {"type": "string", "maxLength": 100}}
    )
    return {"type": "array", "items": goal, "minItems": 1, "maxItems": MAX_GOALS}


def read(value: JSON) -> tuple[Goal, ...]:
    """A plan as a model wrote it; raises ValueError, in words for the model, for what is none."""
    goals = []
    for entry in value if isinstance(value, list) else ():
        match entry:
            case {"do": str(do), "what": str(what), **rest} if do in set(Do) and what.strip():
                goals.append(Goal(Do(do), what.strip()[:_CHARS], str(rest.get("done_when") or "")[:_CHARS]))
    if not goals:
        raise ValueError('a plan is a list of {"do": "look", "reckon" or "act", "what": ..., "done_when": ...}')
    return tuple(goals[:MAX_GOALS])


def may_write(turn: Turn) -> bool:
    """Whether the plan that the model wrote last is one too many: it writes one, and another one twice."""
    return folded(turn, _Written).plans <= 1 + MAX_REPLANS


def standing(
    turn: Turn,
    reckoners: Sequence[str],
    effects: Sequence[str],
    *,
    given: tuple[Goal, ...] = (),
    written: bool = True,
) -> Standing:
    """The newest plan of a run (`given` until a model has written one) and what the records since say of it.

    reckoners, effects  sinks whose answer reaches a goal of that kind; any answer reaches one that looks something up
    written             plans of the model count, as many as it `may_write`
    """
    so_far = folded(turn, _Standing, frozenset(reckoners), frozenset(effects), given, written)
    there = {Do.ACT: bool(effects), Do.RECKON: bool(reckoners), Do.LOOK: True}
    beyond = frozenset(n for n, goal in enumerate(so_far.goals, 1) if n not in so_far.reached and not there[goal.do])
    reached, spent = frozenset(so_far.reached), Counter(so_far.spent)
    return Standing(so_far.goals, reached, spent, so_far.plans, so_far.failed, beyond)


class _Standing:
    """What `standing` takes from one item after another."""

    def __init__(
        self, reckoners: frozenset[str], effects: frozenset[str], given: tuple[Goal, ...], written: bool
    ) -> None:
        self._reckoners, self._effects, self._written = reckoners, effects, written
        self.goals, self.plans, self.failed, self._on = given, 0, 0, 0
        self.reached: set[int] = set()
        self.spent: Counter[int] = Counter()

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is not None and "prompt" in intent.body:
            if self._written and record.view["ok"]:
                self._planned(*_thought(record))
        elif _chosen(record, intent):
            if record.view.get("ok"):
                self._reach((intent or record).view["sink"])
            else:
                self.failed += 1

    def _planned(self, new: tuple[Goal, ...], on: int) -> None:
        self._on = on
        if new and self.plans <= MAX_REPLANS:
            self.goals, self.plans, self.failed = new, self.plans + 1, 0
            self.reached, self.spent = set(), Counter()
        elif on and not new:
            self.spent[on] += 1

    def _reach(self, sink: str) -> None:
        able = {Do.ACT: sink in self._effects, Do.RECKON: sink in self._reckoners, Do.LOOK: True}
        unmet = (n for n, goal in enumerate(self.goals, 1) if n not in self.reached and able[goal.do])
        at = self._on or next(unmet, 0)
        if 0 < at <= len(self.goals) and able[self.goals[at - 1].do]:
            self.reached.add(at)


class _Written:
    """How many plans the model has written."""

    plans = 0

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is not None and "prompt" in intent.body:
            self.plans += bool(record.view["ok"] and _thought(record)[0])


def _thought(record: Record) -> tuple[tuple[Goal, ...], int]:
    """(the plan that a step made, the goal that it works on)."""
    try:
        step = json.loads(record.body["value"]["text"])
        goal = step.get("goal", 0)
        return (read(step["plan"]) if "plan" in step else ()), goal if type(goal) is int else 0
    except (ValueError, AttributeError, RecursionError):
        return (), 0


def _chosen(record: Record, intent: Record | None) -> bool:
    """Whether this is what became of a call that the model chose."""
    if record.kind is Kind.DECISION:
        return bool(record.body.get("call", -1) >= 0)
    return intent is not None and intent.body.get("call", -1) >= 0


def drifts(turn: Turn) -> bool:
    """Whether the last two calls share no word of content with the task, the plan or what was found before them."""
    seen = folded(turn, _Called)
    words = [set(_words(args)) for args in seen.args]
    known = set(_words(str(turn.start.get("task", ""))))
    if len(words) < 2 or not all(said and said.isdisjoint(known) for said in words):
        return False
    known = seen.known()  # with the results, which are long
    return all(said.isdisjoint(known) for said in words)


class _Called:
    """The last two calls that the model chose, and the words of what was found up to the last two items."""

    def __init__(self) -> None:
        self.args: deque[str] = deque(maxlen=2)
        self._known: set[str] = set()
        self._unread: deque[Record | None] = deque()

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is not None and intent.body.get("call", -1) >= 0 and intent.body.get("args"):
            self.args.append(str(intent.body["args"]))
        self._unread.append(record if intent is not None and "args" in intent.body else None)

    def known(self) -> set[str]:
        """The words of results, but for those among the last two items."""
        while len(self._unread) > 2:
            if (record := self._unread.popleft()) is not None:
                self._known.update(_words(str(record.body["value"])[:_READ]))
        return self._known


def _words(text: str) -> Iterator[str]:
    return (found.casefold() for found in re.findall(r"[^\W_]{4,}", text))
