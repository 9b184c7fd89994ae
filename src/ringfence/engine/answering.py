"""Whether a final answer may stand, and what a run ends with. Pure: decided by the record alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from ringfence.core.chain import Record
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome, canonical

from .claims import Flag, flags, proved
from .course import (
    BESIDE,
    ELSEWHERE,
    INVALID,
    MAX_FAILED,
    MISSING,
    NOT_FOUND,
    NOTHING,
    REPEATS,
    ROUNDED,
    UNPROVED,
    UNRECKONED,
    UNSUPPORTED,
    Become,
    asks_back,
    changed,
    doubts,
    has_worked,
    undone,
)
from .deeds import deeds
from .equations import amiss, corrected
from .evidence import Numbers, doubt, echoes, in_the_head, inert, restored, rounded, uncounted, unmentioned
from .figures import NUMBER
from .folds import folded
from .grounding import Source, grounded
from .headed import strange_entry, strange_heading, strange_label
from .kinds import of_another_kind
from .links import unfollowed
from .live import Live
from .marks import marked
from .meant import of_another
from .nearest import PATH, nearest, stems
from .overlooked import as_of_now, happened, outdone, overlooked, superseded
from .passages import NOT_THERE, Passage, passages
from .priced import unpriced
from .reckoning import left_out
from .silence import abstains, provides
from .spans import other_end
from .step import TOOL
from .task import acts, questions
from .unanswered import lacking, nothing_there, others, searched, unknown
from .visits import WEEKDAY
from .whose import BY_NAME, miscounted, named_too, of_all, strange

_SAYS = re.compile(r"\d|^\W*(?:yes|no|ja|nein)\b", re.I)
_NEEDS_NO_TOOL = re.compile(  # what a calendar or a counting hand says, what is asked back, and why nothing came of it
    rf"\?|\b(?:{WEEKDAY}|january|february|march|april|june|july|august|september|october|"
    r"november|december|true|false|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|sorry|not|cannot|unable|"
    r"impossible|fail\w*|errors?|offline|block\w*|denied|refused|missing|exists?)\b|n[’']t\b",
    re.I,
)
_IN_A_PLACE = re.compile(
    r"[\w-]/[\w./-]*\w|\w\.(?:csv|tsv|jsonl|md|txt|db|log)\b|"
    r"\b(?:in|by|from|of) (?:the|our) (?:database|tables?|notes)\b",
    re.I,
)
_OF_A_CALL = re.compile(r"\b(?:statement|query) (?:cannot|can't|could not|couldn't|failed|fails)\b", re.I)
_WRONG = re.compile(r"\b(?:wrong|why|error|statement|query|happens?)\b|^\W*(?:can|could|does|do|is|are|will)\b", re.I)
_RESULT_CHARS = 60  # of a calculation's, that are told beside an answer


class Verify(StrEnum):
    """How an answer is held against the record: not at all; flagged; or sent back, and then cut to what is proved."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


class Cite(StrEnum):
    """How an answer from documents is held against their passages: not at all; flagged; or cut to what they say."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against an answer.

    answer  as it may be shown: nothing in it is fetched, clipped values are whole
    why     what it goes back with, in words for the model; empty if it may stand
    kind    of the doubt, for the record
    flags   claims that the record does not prove
    cited   the passages that it rests on, checked
    cut     whether sentences that no passage supports were left out
    open    whether it goes back only because words of the question are in no document: a second look may settle it
    tokens  that a second look took
    """

    answer: str
    why: str = ""
    kind: str = ""
    flags: tuple[Flag, ...] = ()
    cited: tuple[Source, ...] = ()
    cut: bool = False
    open: bool = False
    tokens: int = 0


def judge(
    answer: str, turn: Turn, live: Live, verify: Verify, cite: Cite = Cite.WARN, *, stated: bool = False
) -> Verdict:
    """Hold an answer against everything that was said and shown.

    `stated`: it was looked at again whether what it rests on states what was asked.
    """
    shown, task = live.said + texts(turn), turn.start["task"]
    verdict = _cited(inert(restored(answer, shown)), turn, live, cite, stated=stated)
    if verify is Verify.OFF:
        return verdict
    settled = not live.granted or changed(turn, live.granted)  # what was done is no claim about the results
    once = not (settled or doubts(turn))  # who says it again may mean it
    if not verdict.flags:  # these know where they stand
        told = other_end(verdict.answer, turn)
        verdict = replace(verdict, answer=told if once else corrected(as_of_now(told, turn), shown))
    answer, done, cited = verdict.answer, deeds(turn, live.granted), [source.n for source in verdict.cited]
    found = tuple(flags(answer, shown=shown, task=task, done=done, tools=live.granted, cited=cited))
    known = {flag.at for flag in found}
    verdict = replace(verdict, flags=(*found, *(flag for flag in verdict.flags if flag.at not in known)))
    if verdict.why:
        return verdict
    kind, why = _once(answer, turn, shown) if once else ("", "")
    if why:
        return replace(verdict, why=why, kind=kind)
    if not settled and (_keeps_to_another(answer, turn, live) or _from_nowhere(answer, turn, shown)):
        return Verdict(NOT_FOUND)
    line = partial(nearest, turn)
    tried = has_worked(turn) or folded(turn, Become).failed >= MAX_FAILED  # then it may say that it cannot
    why = "" if settled else doubt(answer, shown=shown, task=task, chosen=tried, nearest=line)
    if why:
        return replace(verdict, why=why, kind=_kind(answer, shown, task, live))
    kind, why = _of_another_thing(answer, turn, live) if once and not abstains(answer) else ("", "")
    if why:
        return replace(verdict, why=why, kind=kind)
    if found and verify is Verify.STRICT:
        why = " ".join(dict.fromkeys(flag.why for flag in found[:3]))
        return replace(verdict, why=why, kind=UNPROVED)
    return verdict


def _from_nowhere(answer: str, turn: Turn, shown: str) -> bool:
    """Whether what answers a question about a place after calls that all failed tells of a statement, or has a word
    that neither the task nor anything that was shown has, and none but such: the colour of a hull, of a table without.
    """
    task = turn.start["task"]
    if has_worked(turn) or folded(turn, Become).failed < MAX_FAILED or acts(task) or not questions(task):
        return False
    if not _IN_A_PLACE.search(task):  # it may be known without
        return False
    if _OF_A_CALL.search(answer) and not _WRONG.search(task):  # why it failed is no answer
        return True
    if abstains(answer) or _SAYS.search(answer) or _NEEDS_NO_TOOL.search(answer):
        return False
    there = set(stems(shown))
    told = set(stems(answer)) - set(stems(task))
    return bool(told) and told.isdisjoint(there)


def _once(answer: str, turn: Turn, shown: str) -> tuple[str, str]:
    """What an answer goes back for once, whatever else there is to say: the kind of doubt, and words for the model."""
    if wrong := amiss(answer, shown):
        return UNRECKONED, wrong
    if link := unfollowed(turn):
        return ELSEWHERE, f"The link was not followed yet. Fetch it: {link}"
    if other := of_another_kind(answer, turn.start["task"]):
        return UNSUPPORTED, f'{other} If no result says one, the answer is "not found".'
    if left := unpriced(turn):
        return ELSEWHERE, left
    if says := superseded(answer, turn) or overlooked(answer, turn) or outdone(answer, turn):
        return BESIDE, f'It says "{says}": answer with that, if the task asks for it.'
    if not abstains(answer) and (rows := miscounted(answer, turn)):
        why = f'The last call has found {rows.split()[1]} rows ("{rows}"): answer with that, if so many are asked for.'
        return BESIDE, why
    if times := happened(answer, turn)[1]:
        return BESIDE, f"Each value is shown once, and they stand in {times} rows altogether: answer with {times}."
    return "", ""


def _of_another_thing(answer: str, turn: Turn, live: Live) -> tuple[str, str]:
    """Why a value of an answer is of another thing, or was worked out with less than the task gives."""
    if left := left_out(turn, live.granted):
        return UNRECKONED, f"The calculation leaves out {left}: work it out with that."
    return strange(answer, turn, live.said)


def _keeps_to_another(answer: str, turn: Turn, live: Live) -> bool:
    """Whether an answer that was sent back is still of another thing: it stands under another name than the task's, is
    of another kind or entry, or what says it does not say that name, or the task says what to say then.
    """
    if abstains(answer) or not doubts(turn):
        return False
    if strange_heading(answer, turn) or strange_label(answer, turn) or strange_entry(answer, turn):
        return True
    if "@" not in answer and of_another_kind(answer, turn.start["task"]):
        return True
    task = turn.start["task"]
    if has_worked(turn) or doubts(turn)[-1] != UNSUPPORTED or not (provides(task) or BY_NAME.search(task)):
        return False
    return strange(answer, turn, live.said)[0] == UNSUPPORTED


def _kind(answer: str, shown: str, task: str, live: Live) -> str:
    """Of a doubt: what the way on depends on."""
    if abstains(answer):
        return NOTHING
    if unmentioned(task, shown):
        return MISSING
    if any(spec.grounded for spec in live.tools) and in_the_head(answer, shown=shown, task=task):
        return UNRECKONED
    if rounded(answer, task):
        return ROUNDED
    return REPEATS if echoes(answer, task) else UNSUPPORTED


def _cited(answer: str, turn: Turn, live: Live, cite: Cite, *, stated: bool) -> Verdict:
    """An answer from documents, held against their passages: its marks are those that hold."""
    if cite is Cite.OFF or not (searched(turn) or passages(turn)):
        return Verdict(answer)
    shown, there, task = f"{live.said}\n{others(turn)}".strip(), passages(turn), turn.start["task"]
    if not abstains(answer) and (name := unasked(task, there, shown)):
        return Verdict(answer, f'No passage mentions {name}: the answer is "{NOT_THERE}".', MISSING)
    held = grounded(answer, there, task, shown=shown, strict=cite is Cite.STRICT)
    if cite is Cite.STRICT and held.flags:  # what they point at is gone
        gone = tuple(replace(flag, at=(0, 0)) for flag in held.flags)
        if held.answer:
            return Verdict(held.answer, "", "", gone, held.sources, cut=True)
        why = f'No passage says that. Answer with what a passage says, or with "{NOT_THERE}".'
        return Verdict(nothing_there(there), why, UNSUPPORTED, gone)
    if not abstains(answer) and (name := of_another(task, held.sources, there)):
        why = f'That is said of another one than {name}. Answer with what is said of {name}, or with "{NOT_THERE}".'
        return Verdict(nothing_there(there), why, UNSUPPORTED)
    verdict = Verdict(held.answer, flags=held.flags, cited=held.sources)
    words = [] if stated or abstains(answer) else [w for w in unknown(turn) if w not in shown.casefold()]
    if not words or doubts(turn):
        return replace(verdict, open=bool(words))
    why = f'No document mentions {", ".join(words)}. If the question is about that, answer "{NOT_THERE}".'
    return replace(verdict, why=why, kind=UNSUPPORTED, open=True)


def refused(verdict: Verdict, cite: Cite, there: Mapping[int, Passage], why: str) -> Verdict:
    """What becomes of an answer that its passages do not state: under strict it is that nothing is there."""
    flag = Flag("unsupported", " ".join(verdict.answer.split())[:200], why)
    if cite is Cite.STRICT:
        return Verdict(nothing_there(there), flags=(flag,))
    return replace(verdict, flags=(*verdict.flags, replace(flag, at=(0, len(verdict.answer)))))


def unasked(task: str, there: Mapping[int, Passage], shown: str) -> str:
    """What a question is about and nothing that was found mentions; "" if there is no such."""
    if not there:
        return "" if shown else "it"
    return lacking(task, there, shown)


def checked_before(turn: Turn, action: Action) -> Outcome | None:
    """What a check said of the very same before: what was answered twice is not called twice."""
    record = folded(turn, _Checks, action.sink).first.get(canonical(dict(action.args)))
    return None if record is None else Outcome(record.body["value"], record.label, ok=record.view["ok"])


class _Checks:
    """The first answer of a sink, by its arguments."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self.first: dict[bytes, Record] = {}

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is not None and intent.view["sink"] == self._sink and "args" in intent.body:
            self.first.setdefault(canonical(intent.body["args"]), record)


def may_go_back(turn: Turn) -> bool:
    """An answer goes back once."""
    return not doubts(turn)


def ended(
    turn: Turn, live: Live, final: Mapping[str, Any], verdict: Verdict, *, verify: Verify, last: bool
) -> tuple[str, dict[str, JSON]]:
    """The status of a run that ends with this answer, and the body of its last record."""
    shown, named = live.said + texts(turn), final.get("artifacts")
    artifacts = [a for a in named if isinstance(a, str) and a and a in shown] if isinstance(named, list) else []
    tools = sorted({name.removeprefix(TOOL) for name in turn.calls if name.startswith(TOOL)})
    unproved = bool(verdict.why or verdict.flags)
    end: dict[str, JSON] = {
        "answer": verdict.answer,
        "artifacts": artifacts,
        "confidence": "low" if unproved else str(final.get("confidence", "")),
        "summary": f"answered in {turn.usage['steps']} steps with {', '.join(tools) or 'no tool'}",
    }
    if verdict.flags:
        end["flags"] = [{"kind": flag.kind, "text": flag.text, "why": flag.why} for flag in verdict.flags]
    status = "partial" if last and len(turn.items) > 2 else "done"
    if verdict.cut:
        status = "partial"
    if verdict.flags and verify is Verify.STRICT:
        end["answer"], status = proved(verdict.answer, verdict.flags, deeds(turn, live.granted)), "partial"
    shows = set(marked(str(end["answer"])))
    if cited := [source.to_json() for source in verdict.cited if source.n in shows]:
        end["sources"] = cited
    if verify is Verify.STRICT and verdict.why and verdict.kind != NOTHING:
        status = "partial"
    if verdict.kind == REPEATS:  # the task said again is no answer
        status, line = "partial", inert(nearest(turn))
        end["answer"] = f'No answer. The closest that was found: "{line}"' if line else "No answer was found."
    no_number = uncounted(verdict.answer, turn.start["task"]) and not abstains(verdict.answer)
    came = _worked_out(turn, live) if no_number or verdict.kind == UNRECKONED else of_all(verdict.answer, turn)
    came = came or named_too(verdict.answer, turn)
    came = came or ("" if abstains(verdict.answer) else miscounted(verdict.answer, turn))
    if came and verify is Verify.WARN and not changed(turn, live.granted):  # who kept to another number: both are seen
        end["answer"] = f"{verdict.answer} ({inert(came)})"
    if verdict.kind == INVALID:  # the operator's check has the last word
        status, end["summary"] = "partial", f"the answer did not pass a check: {verdict.why}"
    if undone(turn, live.granted):  # whatever the answer says of it
        status, end["confidence"] = "partial", "low"
        end["summary"] = f"nothing was changed or sent; {end['summary']}"
    if (status == "partial" or abstains(verdict.answer)) and (question := asks_back(turn)):
        end["summary"] = f"{end['summary']}; {question}"
    return status, end


def _worked_out(turn: Turn, live: Live) -> str:
    """What the last calculation of a run came to, if it has all the numbers of the task; else empty."""
    able = {spec.name: spec.grounded for spec in live.granted if spec.grounded}
    for record, intent in reversed(turn.items):
        if intent is not None and intent.view["sink"] in able and record.view.get("ok"):
            args, value = intent.body["args"], record.body["value"]
            taken = Numbers(" ".join(str(args.get(name, "")) for name in able[intent.view["sink"]]))
            result = value.get("result") if isinstance(value, dict) else None
            whole = all(map(taken.have, NUMBER.findall(PATH.sub("", turn.start["task"]))))
            return (
                f"{intent.view['sink'].removeprefix(TOOL)}: {str(result)[:_RESULT_CHARS]}" if whole and result else ""
            )
    return ""


def texts(turn: Turn) -> str:
    """The task and what the tools said: what the model's claims are held against."""
    return "\n".join((turn.start["task"], *folded(turn, Results).texts))


class Results:
    """What the tools said, in order, and the numbers in it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers, self._read = Numbers(), 0

    def take(self, record: Record, intent: Record | None) -> None:
        """One more item."""
        if intent is not None and "prompt" not in intent.body:
            self.texts.append(str(record.body["value"]))

    def numbers(self) -> Numbers:
        """The numbers in all of them; read when they are asked for first."""
        for n in range(self._read, len(self.texts)):
            self._numbers.add(self.texts[n])
        self._read = len(self.texts)
        return self._numbers


def shown_numbers(said: str, turn: Turn) -> tuple[Numbers, Numbers]:
    """The numbers of the task and of what was `said` before, and those of the results."""
    return Numbers(said + turn.start["task"]), folded(turn, Results).numbers()
