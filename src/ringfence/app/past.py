"""What was said before a run: the runs of its conversation, as the model and the policy are shown them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ringfence.core.chain import Record
from ringfence.core.errors import JournalError
from ringfence.core.labels import Label
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Principal
from ringfence.engine.context import Said
from ringfence.engine.summary import SUMS
from ringfence.manifest.types import Manifest
from ringfence.stores.log import Log
from ringfence.stores.shown import Shown
from ringfence.stores.vault import Sealed

from .house import House

Pair = tuple[Record, Record]  # start and end of a run


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a client says was said before, of which there is no record here: it vouches for nothing, and is no task.

    role  in whose mouth the client puts it
    """

    role: Literal["user", "assistant"]
    text: str
    label: Label

    def to_json(self) -> dict[str, JSON]:
        """As the first record of a run keeps it, in the place of a run's id."""
        return {"role": self.role, "text": self.text, "label": self.label.to_json()}


Runs = Sequence[Pair | Quoted]  # oldest first


def before(log: Log, conversation: str, history: int) -> list[Pair]:
    """The runs that the next one of a conversation is shown: the newest with an answer. `history`: messages at most."""
    limit = -(-history // 2)
    if not conversation or not limit:
        return []
    window = log.window(conversation, limit)
    return [(started, ended) for started, ended in window if ended is not None and ended.body["answer"]]


def own(log: Log, conversation: str, history: int, who: Principal) -> list[str | Quoted] | None:
    """One's own runs of a conversation, by id, where somebody else has used its name too; None: all of it is one's own.

    For channels where a name is no room: who guesses somebody's is shown nothing of theirs, and adds nothing to it.
    """
    runs = before(log, conversation, history)
    mine: list[str | Quoted] = [started.run for started, _ in runs if started.principal == who.subject]
    return None if len(mine) == len(runs) else mine


def recall(log: Log, turn: Turn) -> Runs:
    """The runs before one that is resumed: those that it named when it began, whatever was said since.

    What was erased meanwhile is left out: it is not shown to the model, and keeps no run from going on or ending.
    """
    return named(log, shown_to(turn.start))


def shown_to(start: Mapping[str, JSON]) -> list[str | Quoted]:
    """What a run was shown of its conversation, by what its first record keeps: ids of runs, and quoted messages."""
    return [one if isinstance(one, str) else _quoted(one) for one in start.get("before", ())]


def named(log: Log, earlier: Sequence[str | Quoted]) -> Runs:
    """The runs with these ids and the quoted messages between them, without what was erased or has no answer."""
    runs: list[Pair | Quoted] = []
    for one in earlier:
        if isinstance(one, Quoted):
            runs.append(one)
            continue
        try:
            records = log.read(one)
        except Sealed as error:
            if not error.destroyed:
                raise
            continue
        if records and records[-1].body.get("answer"):
            runs.append((records[0], records[-1]))
    return runs


def _quoted(kept: Mapping[str, JSON]) -> Quoted:
    return Quoted(kept["role"], kept["text"], Label.from_json(kept["label"]))


def names(runs: Runs) -> list[JSON]:
    """What the first record of a run keeps of them: ids, and quoted messages whole."""
    return [one.to_json() if isinstance(one, Quoted) else one[0].run for one in runs]


def starts(runs: Runs) -> list[Record]:
    """Their first records; a quoted message has none."""
    return [one[0] for one in runs if not isinstance(one, Quoted)]


def heard(turn: Turn, runs: Runs) -> tuple[str, ...]:
    """What the same user said earlier vouches as the task does; what somebody else said in the room does not."""
    own = (one for one in starts(runs) if one.principal == turn.principal.subject and SUMS not in one.body)
    return tuple(str(started.body["task"]) for started in own)


def hidden(house: House, run: str, history: list[Said], journal: Any = None, log: Any = None) -> list[Said]:
    """The history, whose values are the first that get placeholders where a model sees these alone.

    With the `journal` of a run that goes on, what it held comes next, by its `log`: log and model then say <EMAIL_1>
    as before.
    """
    if house.redactor is not None:
        house.redactor.recall(run, (each.text for each in history))
        getattr(journal, "recall", lambda *_: None)(run, log)
    return history


def numbering(house: House, manifest: Manifest) -> Callable[[Record], object]:
    """What a replay tells of each record, so that placeholders are numbered as they were when it was written."""
    if house.redactor is None or manifest.audit.views != "redacted":
        return lambda _: None
    return Shown(house.redactor, lambda _: ()).of


def said(runs: Runs, history: int) -> list[Said]:
    """The last `history` messages of these runs, each with its own label; a summary comes first, beside them."""
    summed: list[Said] = []
    messages: list[Said] = []
    for one in runs:
        if isinstance(one, Quoted):
            messages.append(Said(one.role, one.text, one.label))
            continue
        started, ended = one
        pair = summed if SUMS in started.body else messages
        pair.append(Said("user", started.body["task"], started.label))
        pair.append(Said("assistant", ended.body["answer"], ended.label))
    return [*summed, *messages[max(0, len(messages) - history) :]]


def records(log: Log, run: str) -> list[Record]:
    """The records of a run that may not have been there."""
    try:
        return list(log.read(run))
    except JournalError:
        return []


def subjects(log: Log, run: str) -> list[str]:
    """Whom a run is about, as its first record says."""
    return list(log.read(run)[0].view.get("subjects", ()))
