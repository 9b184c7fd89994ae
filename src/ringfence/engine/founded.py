"""Whether a call rests on what was said and shown: its numbers, its months. Pure: decided by the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from ringfence.core.chain import Kind, Record
from ringfence.core.policy import Role, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Deny

from .answering import shown_numbers, texts
from .codes import another, as_it_is_now, of_its_row, of_the_last
from .conditions import all_of_it, asked, heard, of_its_values, unheard
from .course import INVENTED, UNHEARD, Become, changes
from .elsewhere import as_said_elsewhere
from .equations import corrected, simplified, worked_out
from .evidence import Numbers, clipped, invented_numbers
from .figures import NUMBER
from .folder import of_the_folder
from .folds import folded
from .joined import with_its_files
from .links import followed
from .live import Live
from .narrowed import narrowed
from .nearest import answered, beside, nearest, shown_lines
from .operands import operands
from .statements import as_said
from .task import reckons, several, supposes
from .visits import for_the_other, widened

_OF_SQL = re.compile(r"\b(?:quer(?:y|ies)|statements?|sql|views?)\b", re.I)  # what is to be written may be one
_SELECT = re.compile(r"\s*select\b.*\bfrom\b", re.I | re.S)
_BARE = re.compile(r"[\s(+-]*\d[\d.,]*[\s)]*")


def unfounded(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, live: Live) -> Deny | None:
    """What a call has from nowhere, in words for the model.

    Numbers to reckon with that stand neither in the task nor in a result, each once; and, once in a run, one that is
    the beginning of another, a total that is written down before it was worked out, a name that nothing about the task
    says, and what is not of what several things cost.
    """
    become, task = folded(turn, Become), turn.start["task"]
    told, new = become.invented, not become.unheard and spec.name not in become.answered
    if spec.reads and new and (name := unheard(args, turn, live.said)) and (line := nearest(turn)):
        return Deny("POL-4", UNHEARD, f'nothing about the task says {name}. The closest is: "{line}"')
    if spec.reads and new and (found := another(args, turn)):
        return Deny("POL-4", UNHEARD, 'the task does not speak of {}, but of {}: "{}"'.format(*found))
    if given := " ".join(str(args.get(name, "")) for name in spec.grounded):
        shown = shown_numbers(live.said, turn)
        strays = invented_numbers(given, *shown)
        if _BARE.fullmatch(simplified(given) if strays else given):  # else a guess would be a result
            todo = "look it up" if strays else "it stands there: answer with it, if the task asks for it"
            return _deny(f"{given.strip()} is a number, and nothing to work out; {todo}")
        if not folded(turn, _Refused).numbers.issuperset(strays):
            todo = "write it with the numbers of the task" if supposes(task) else "look it up first"
            return _deny(f"{', '.join(strays[:3])} stands in no result; {todo}")
        if not told and (cut := clipped(given, *shown)):
            return _deny("{} stands in no result, but {} does".format(*cut))
        if new and (why := _amiss(given, turn)):
            return Deny("POL-4", UNHEARD, why)
    if told or not changes(spec) or not reckons(task) or not any(tool.grounded for tool in live.tools):
        return None  # who was told once may mean it: a person's own words may have a number
    written = " ".join(str(args.get(name, "")) for name, role in spec.roles.items() if role is Role.TEXT)
    strays = invented_numbers(written, *shown_numbers(live.said, turn)) if written else []
    strays = [number for number in strays if number not in worked_out(written)]
    return _deny(f"{', '.join(strays[:3])} stands in no result; work it out first") if strays else None


def _amiss(given: str, turn: Turn) -> str:
    """What is wrong with a calculation of what several things cost; empty if nothing is."""
    counts, reckoned = several(turn.start["task"]), Numbers(given).values
    if any(Decimal(count) not in reckoned for count in counts):
        return f"the task says {' and '.join(counts)}; multiply each by what it costs"
    stray = beside(given, turn, besides=len(counts)) if counts else None
    return 'the task does not ask for "{1}"; leave {0} out'.format(*stray) if stray else ""


class _Refused:
    """The numbers that a call was refused for: whoever writes one down again means it."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()

    def take(self, record: Record, intent: Record | None) -> None:
        """One more item."""
        if record.kind is Kind.DECISION and record.view["code"] == INVENTED:
            self.numbers.update(NUMBER.findall(str(record.body["why"])))


def _deny(why: str) -> Deny:
    return Deny("POL-4", INVENTED, why)


def as_the_task_has_it(
    args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, *, said: str, thought: str
) -> Mapping[str, JSON]:
    """The arguments of a read, with the task's percentages and months as such, and what it asks for; the texts of what
    changes something, with what the sums in them come to.

    Those behind `all_of_it` are for a tool that has not answered yet, for after that a model may know better; `asked`
    is for a call with a `thought` behind it: it gives reasons. What is asked for again is asked for the other month of
    the task. `said`: what was said before it.
    """
    if not spec.reads:
        return followed({**args, **_reckoned(args, spec, turn, said)}, spec, turn)
    task, args = turn.start["task"], with_its_files(args, spec, turn)
    prices = shown_lines(turn) if spec.grounded and len(several(task)) > 1 else []
    told = {name: operands(text, task, prices) for name in spec.grounded if isinstance(text := args.get(name), str)}
    args = {**widened(args, task), **told}
    become = folded(turn, Become)
    if spec.name not in become.answered:
        args = all_of_it(args, spec, task)
        args = heard(args, turn, said) if become.unheard else args
        args = asked(args, turn, f"{said}\n{thought}") if thought else args
        args = of_the_last(as_it_is_now(of_its_row(of_the_folder(args, spec, turn), turn), turn), turn)
        args = {**args, "sql": as_said(sql, task)} if isinstance(sql := args.get("sql"), str) else args
        return narrowed(as_said_elsewhere(args, turn), spec, turn)
    again = turn.seen[Action(spec.name, args, turn.label).digest]
    return of_its_values(for_the_other(args, turn), turn) if again else args


def _reckoned(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn, said: str) -> Mapping[str, JSON]:
    """The texts of a call with what the sums in them come to, but for those that it copies; for a statement that was
    asked before, what it found.
    """
    given = {
        name: text for name, role in spec.roles.items() if role is Role.TEXT and isinstance(text := args.get(name), str)
    }
    if any(_SELECT.match(text) for text in given.values()) and not _OF_SQL.search(
        f"{turn.start['task']} {args.get('path')}"
    ):
        given = {name: _found_by(text, turn) or text for name, text in given.items()}
        return {name: text for name, text in given.items() if text != args[name]}
    if not any("=" in text for text in given.values()):
        return {}
    shown = said + texts(turn)
    return {name: corrected(text, shown, alone=True) for name, text in given.items()}


def _found_by(sql: str, turn: Turn) -> str:
    """The cells that a statement has found, a row each; "" where it was not asked, or has found more than was shown.

    A small model that asks a database and writes the file in one step writes down the statement.
    """
    for _, args, value in reversed(answered(turn)):
        asked = args.get("sql") if isinstance(args, Mapping) else None
        rows = value.get("rows") if isinstance(value, Mapping) and not value.get("truncated") else None
        if isinstance(rows, list) and rows and str(asked).strip("; \n").split() == sql.strip("; \n").split():
            cells = [list(row.values()) if isinstance(row, dict) else row for row in rows]
            return "\n".join(", ".join(map(str, row)) for row in cells if isinstance(row, list))
    return ""
