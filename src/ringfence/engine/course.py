"""Which way a run may go next: look up, call, or answer. Pure: decided by the records, never by the model's mood.

A small model that may choose between a call and an answer chooses badly: it calls on when the answer lies before it,
and answers when it should have counted. So the choice is taken from it wherever the records can make it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ringfence.core.chain import Kind, Record
from ringfence.core.policy import Effect, SinkSpec
from ringfence.core.turn import Turn

from .folds import folded
from .nearest import bridge
from .reckoning import all_reckoned
from .step import TOOL, in_words
from .task import RUNS, all_told, apart, given, only_ranks, orders, reckons, several, supposes
from .visits import NOWHERE, Ahead, hollow, shows_all, suits

NOTHING, UNSUPPORTED, INVALID, MISSING = "nothing", "unsupported", "invalid", "missing"
UNRECKONED, ROUNDED, REPEATS = "unreckoned", "rounded", "repeats"
UNPROVED = "unproved"  # it claims more than the record has
OF_ITS_WORDS = frozenset({INVALID, UNPROVED, UNRECKONED, ROUNDED})  # doubts for who sees the answer, and what is wrong
ELSEWHERE, BESIDE = "elsewhere", "beside"  # the value has yet to be found by a call, or stands in what was found
INVENTED = "invented"  # the code of a refusal: a number that comes from nowhere
UNHEARD = "unheard"  # and a name; it says nothing against the tool
MAX_FAILED = 2  # failed calls in all, after which the model may say that it cannot

LOOKED_UP = "Answer from the passages above, with the value itself."
LOOK = "Call the tool that finds or works out what the task asks for."
NEXT = "If the results above are enough, give final_answer now. If not, call the tool that finds what is missing."
ANSWER = "Answer now with the value that the results above show."
ACT = "The task asks to change, send or run something: call the tool that does it, with values from task or results."
GO_ON = "Not all of the plan is done: call the tool for what is left, with values from the task or from results."
THERE = "No call has looked at {} yet: call the tool that does, then go on."
FOUND = 'Found so far: "{}". Now ask {} for what the task wants to know about that.'
RECKON = "Work it out with this tool: give it the numbers as the task and the results have them."
NOT_FOUND = "not found in the files"
NOT_THERE = f'No result says it: find it with a call, or the final_answer is "{NOT_FOUND}".'
STAY = "The last calls had nothing to do with the task. Stay with its words."
MEND = "The last call {}. Make it in another way."
ASK = "{} {}: say what to use instead, and ask again"
LAST_STEP = "This is the last step: answer with what the results show, and say what is missing."

_SAID = 300  # characters of an error that are said again
_ROUND = 4  # calls that are looked at for going round in circles
_LONG_ROUND = 10  # calls whose arguments differ


@dataclass(frozen=True, slots=True)
class Course:
    """What the next step may be: calls (`without` some tools), a final answer, or either; `note` tells the model.

    says  the only answer there can be, if no more than one is left; empty for any
    at    the place that a call is to look at; empty for any
    """

    calls: bool
    final: bool
    note: str
    without: frozenset[str] = frozenset()
    says: str = ""
    at: str = ""


def course(
    turn: Turn, tools: Sequence[SinkSpec], *, tool_first: bool, last: bool, left: bool = False, acts_now: bool = False,
    acts_later: bool = False, ahead: Ahead = NOWHERE,
) -> Course:  # fmt: skip
    """The way on with these tools.

    last        this is the last step that the run's budget allows
    left        a goal of the plan needs a call; acts_now: and all that is left is to act; acts_later: and another
                goal comes before the one that acts
    ahead       what the task names and nothing has looked at
    """
    if last or not tools:
        return Course(calls=False, final=True, note=LAST_STEP if last else "")
    task, refused = turn.start["task"], folded(turn, Become).refused
    suited, (worked, failed) = _suited(task, tools), _chosen(turn)
    if way := _sent_back(turn, tools, refused) or _reckoned(turn, tools, ahead, refused):
        return way
    effects, later = _wanted(task, tools), frozenset[str]()
    if (
        tool_first
        and effects
        and failed < MAX_FAILED
        and _wants(task, by_itself=bool(suited))
        and not _done(turn, tools)
    ):
        ready = worked and not failed and not (ahead.what or ahead.tools)
        only = ready and (acts_now or _stuck(turn, refused, acts_later=acts_later))
        if (acts_later or ahead.tools) and not failed and not refused:
            later = frozenset(spec.name for spec in tools if changes(spec))
        elif way := _act(tools, effects, suited, refused, failed=failed > 0, only=only):
            return way
    if MISSING in doubts(turn):
        return Course(calls=not worked, final=True, note=NOT_THERE, without=frozenset(sink for sink, _ in refused))
    if any(code == "repeat" for _, code in refused) and (folded(turn, Become).found or refused.total() > 1):
        return Course(calls=False, final=True, note=ANSWER)
    if goes_round(turn):
        return Course(calls=False, final=True, note=ANSWER)
    steady = tool_first and not refused and not failed
    if steady and ahead.tools:  # one after another, as the task names them
        return _to(ahead, turn, tools, THERE.format(ahead.what) if worked else LOOK)
    stay = steady and bool(ahead.stay)  # with what reads the places that the task names
    strays = frozenset(spec.name for spec in tools if stay and spec.name not in ahead.stay | effects)
    if worked and (left or ahead.what) and tool_first and not refused:
        note = THERE.format(ahead.what) if ahead.what else GO_ON
        return Course(calls=True, final=False, note=note, without=later | strays)
    if worked or refused or failed >= MAX_FAILED or not tool_first:
        gone, told = frozenset(sink for sink, _ in refused), tool_first and folded(turn, Become).told_where
        return Course(calls=True, final=not told, note=_mend(turn) or NEXT, without=gone | strays)
    return _first(turn, tools, suited, later, failed=failed > 0)


def _to(ahead: Ahead, turn: Turn, tools: Sequence[SinkSpec], note: str) -> Course:
    """A call that looks at the place ahead, with what the places before it say."""
    line = bridge(turn, ahead.behind) if ahead.behind else ""
    return replace(_only(tools, ahead.tools, FOUND.format(line, ahead.what) if line else note), at=ahead.what)


def _first(turn: Turn, tools: Sequence[SinkSpec], suited: set[str], later: frozenset[str], *, failed: bool) -> Course:
    """As long as no call has answered: an answer from the passages, or a call; `later`: no effect yet."""
    task = turn.start["task"]
    stands = not reckons(task) or (only_ranks(task) and shows_all(turn, task))
    if _looked_up(turn) and not failed and NOTHING not in doubts(turn) and stands and not suited:
        return Course(calls=False, final=True, note=LOOKED_UP)
    without = {spec.name for spec in tools if spec.opens} if reckons(task) else set()
    ready = {spec.name for spec in tools if spec.name in suited and (_looked_up(turn) or not spec.grounded)} - later
    if ready and not failed:  # a first call is one that suits the task, not another look-up
        without = {spec.name for spec in tools} - ready
    return Course(calls=True, final=False, note=_mend(turn) or LOOK, without=frozenset(without) | later)


def _mend(turn: Turn) -> str:
    """What is wrong with the last call, for the model; empty if nothing is."""
    _, why = _wrong(turn)
    return MEND.format(why) if why else ""


def asks_back(turn: Turn) -> str:
    """What a person is to say so that a run that found no answer could go on; empty where no call was in want of it."""
    tool, why = _wrong(turn)
    return ASK.format(tool, why) if why else ""


def _wrong(turn: Turn) -> tuple[str, str]:
    """The tool whose last call brought nothing, the newest one, and what was wrong with it; empty if there is none."""
    sink, why = next(reversed(folded(turn, Become).broken.items()), ("", ""))
    return sink.removeprefix(TOOL), why.rstrip(".")


def _sent_back(turn: Turn, tools: Sequence[SinkSpec], refused: Collection[tuple[str, str]]) -> Course | None:
    """Where a number was worked out in the head, the only way on is to have it worked out; where one was rounded, or
    has yet to be found, it is a call; and where the value stands in what was found, it is an answer. Once: what was
    sent back for it comes back as it is. A small model that may choose says the same again.
    """
    last = next((r for r, _ in reversed(turn.items) if r.view.get("ok") is not False), None)  # a failed request is none
    doubt = last.body.get("doubt", "") if last is not None and last.kind is Kind.MESSAGE else ""
    strays = set() if orders(turn.start["task"]) else _effects(tools)  # nobody asked for these, nor for their numbers
    if doubt in (ROUNDED, ELSEWHERE) and strays != {spec.name for spec in tools}:
        return Course(calls=True, final=False, note=LOOK, without=frozenset(strays))
    if doubt == BESIDE:
        return Course(calls=False, final=True, note=ANSWER)
    able = {spec.name for spec in tools if spec.grounded} - {sink for sink, _ in refused}
    if not able or not (doubt == UNRECKONED or any(code == INVENTED and sink not in strays for sink, code in refused)):
        return None
    return _only(tools, able, RECKON)


def _only(tools: Sequence[SinkSpec], able: Collection[str], note: str) -> Course:
    """A call, of these tools alone."""
    return Course(calls=True, final=False, note=note, without=frozenset(spec.name for spec in tools).difference(able))


def _reckoned(
    turn: Turn, tools: Sequence[SinkSpec], ahead: Ahead, refused: Collection[tuple[str, str]]
) -> Course | None:
    """How far two values are apart, and what several things cost, is worked out by a tool, once all is there.

    A small model subtracts others, and multiplies in its head; it looks for numbers that the task itself gives.
    """
    task, become = turn.start["task"], folded(turn, Become)
    if all_reckoned(turn, tools):
        return Course(calls=False, final=True, note=ANSWER)
    gone = {sink for sink, code in refused if code != INVENTED or not supposes(task)}
    able = {spec.name for spec in tools if spec.grounded} - gone
    if not able or ahead.what or not able.isdisjoint(turn.calls):
        return None
    there = become.worked and not refused and (apart(task) or (several(task) and become.found))
    in_vain = given(task) and not become.found and (become.worked or become.failed > 0 or all_told(task))
    return _only(tools, able, RECKON) if there or in_vain else None


def _stuck(turn: Turn, refused: Counter[tuple[str, str]], *, acts_later: bool) -> bool:
    """Whether a model that has found something makes the same call again: it knows of nothing else to look up.

    Where another goal comes before the one that acts, it has to do so twice.
    """
    again = sum(times for (_, code), times in refused.items() if code == "repeat")
    return folded(turn, Become).found and again > acts_later


def _act(
    tools: Sequence[SinkSpec], effects: set[str], suited: set[str], refused: Collection[tuple[str, str]], *,
    failed: bool, only: bool,
) -> Course | None:  # fmt: skip
    """What a task asks to do is not done by saying so: the call that does it; None where every such tool was refused.

    failed  a call has failed; only: nothing is left but to act
    """
    left_out = frozenset(sink for sink, _ in refused) | {spec.name for spec in tools if spec.opens}
    if not refused and not failed and suited & effects:
        left_out = frozenset(spec.name for spec in tools) - suited
    if only:
        left_out |= {spec.name for spec in tools} - (suited & effects or effects)
    return Course(calls=True, final=False, note=ACT, without=left_out) if effects - left_out else None


def changes(spec: SinkSpec) -> bool:
    """Whether a call changes or sends something; to fetch a page is to look something up."""
    return not spec.reads and not (spec.effect is Effect.EGRESS and spec.idempotent)


def _wanted(task: str, tools: Sequence[SinkSpec]) -> set[str]:
    """The tools that can do what a task asks for: one that fetches a page does not write a file."""
    changing = {spec.name for spec in tools if changes(spec)}
    return changing if changing and orders(task) - RUNS else _effects(tools)


def _effects(tools: Sequence[SinkSpec]) -> set[str]:
    return {spec.name for spec in tools if not spec.reads}


def _wants(task: str, *, by_itself: bool) -> bool:
    """Whether a task asks for an effect; `by_itself`: running something is none, for a tool that reads does it."""
    return bool(orders(task) - RUNS if by_itself else orders(task))


def _suited(task: str, tools: Sequence[SinkSpec]) -> set[str]:
    """The tools that a task calls for by its words; one that changes something only if it is ordered to."""
    ordered = bool(orders(task))
    return {spec.name for spec in tools if suits(spec, task) and (ordered or not changes(spec))}


class Become:
    """What became of calls and answers so far.

    doubts    why answers were sent back, in order
    answered  sinks that have answered, and denied: those that a person refused, or did not allow in time
    told      the last calls that the model chose: the sink, the arguments where they brought something (the same of
              another ward is something new, and so is another mail that went out), the answer
    refused   the tools that were refused since one last answered, and why: left out of the next step, so that it goes
              elsewhere
    broken    tools whose last call failed, or found nothing and said why, with its words: to make that very call again
              is once no reason to go elsewhere
    invented  whether one was refused for a number from nowhere; unheard: for a name
    told_where  whether the last call found nothing and said where the value `stands`, for the first time
    worked    whether one that it chose has answered; found: with something; failed: how many did not answer
    """

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self.answered: set[str] = set()
        self.denied: set[str] = set()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.told: deque[tuple[str, str, str]] = deque(maxlen=_LONG_ROUND)
        self.broken: dict[str, str] = {}
        self._forgiven: set[str] = set()
        self.worked, self.found, self.failed = False, False, 0
        self.invented, self.unheard = False, False
        self.told_where, self._hints = False, 0

    def take(self, record: Record, intent: Record | None) -> None:
        """One more item."""
        if record.kind is Kind.MESSAGE and "doubt" in record.body:
            self.doubts.append(record.body["doubt"])
        if record.view.get("code") in ("denied", "expired"):
            self.denied.add(record.view["sink"])
        if record.kind is Kind.DECISION and "call" in record.body:
            self.told_where = False
            self._refuse(record.view["sink"], record.view["code"])
        elif intent is None or "prompt" not in intent.body:
            self.refused.clear()
        if intent is None:
            return
        if record.view.get("ok"):
            self.answered.add(intent.view["sink"])
        if intent.body.get("call", -1) >= 0:
            value, ok = record.body.get("value"), bool(record.view["ok"])
            found = ok and not hollow(value)
            self.told.append((intent.view["sink"], str(intent.body.get("args")) if found else "", str(value)))
            self.worked, self.found = self.worked or ok, self.found or found
            self.failed += not ok
            hint = ok and not found and isinstance(value, dict) and "stands" in value
            self._hints += hint
            self.told_where = hint and self._hints == 1
            self.broken.pop(intent.view["sink"], None)
            if why := _broken(record):
                self.broken[intent.view["sink"]] = why

    def _refuse(self, sink: str, code: str) -> None:
        self.invented, self.unheard = self.invented or code == INVENTED, self.unheard or code == UNHEARD
        if code == "repeat" and sink in self.broken and sink not in self._forgiven:
            self._forgiven.add(sink)
        elif code != UNHEARD:
            self.refused[sink, code] += 1


def _broken(record: Record) -> str:
    """Why a call is to be made in another way, in words for the model; empty if it brought something."""
    value = record.body["value"]
    if not record.view["ok"]:
        return f"failed: {in_words(value)}"[:_SAID]
    why = value.get("note", "") if isinstance(value, dict) and hollow(value) else ""
    return f"found nothing: {why}"[:_SAID] if why else ""


class _LookedUp:
    def __init__(self, task: str) -> None:
        self._task, self.found = task, False

    def take(self, record: Record, intent: Record | None) -> None:
        self.found = self.found or _opened_with(record, intent, self._task)


def doubts(turn: Turn) -> list[str]:
    """Why answers were sent back, in order: the kinds above."""
    return folded(turn, Become).doubts


def has_worked(turn: Turn) -> bool:
    """Whether a call that the model chose has answered."""
    return _chosen(turn)[0]


def undone(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether a task asked for an effect that it was granted, and none was done."""
    effects = _wanted(turn.start["task"], tools)
    return bool(effects) and not _did(turn, effects) and _wants(turn.start["task"], by_itself=has_worked(turn))


def made(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether an effect was done."""
    return _did(turn, _effects(tools))


def changed(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether something was changed or sent."""
    return _did(turn, {spec.name for spec in tools if changes(spec)})


def _did(turn: Turn, effects: Collection[str]) -> bool:
    return not folded(turn, Become).answered.isdisjoint(effects)


def _done(turn: Turn, tools: Sequence[SinkSpec]) -> bool:
    """Whether an effect was done, or a person refused it, or did not say in time that it may be."""
    effects = _wanted(turn.start["task"], tools)
    return _did(turn, effects) or not folded(turn, Become).denied.isdisjoint(effects)


def goes_round(turn: Turn) -> bool:
    """Whether the last calls brought nothing new: the same result three times, or two results in turns (ping-pong).

    Different calls may find the same in good faith: of those it takes ten with no more than two results.
    """
    told = list(folded(turn, Become).told)
    last = told[-_ROUND:]
    turns = len(last) == _ROUND and last[:2] == last[2:]
    few = len(told) == _LONG_ROUND and len({(sink, value) for sink, _, value in told}) <= 2
    return turns or few or (len(last) >= 3 and len(set(last[-3:])) == 1)


def _chosen(turn: Turn) -> tuple[bool, int]:
    """Of the calls that the model chose: whether one has answered, and how many failed."""
    become = folded(turn, Become)
    return become.worked, become.failed


def _looked_up(turn: Turn) -> bool:
    """Whether an opening tool has shown what it found for the task, and not a mere sample of it (`partial`)."""
    return folded(turn, _LookedUp, turn.start["task"]).found


def _opened_with(record: Record, intent: Record | None, task: str) -> bool:
    if intent is None or intent.body.get("call", 0) >= -1 or not record.view["ok"] or not asks(intent, task):
        return False
    value = record.body["value"]
    return not (isinstance(value, dict) and value.get("partial"))


def asks(opening: Record, task: str) -> bool:
    """Whether an opening call put the task's words to its tool; one that did not shows the same for every task."""
    return task in opening.body["args"].values()
