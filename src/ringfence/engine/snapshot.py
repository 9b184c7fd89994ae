"""Snapshots: the folded state of a run as one value, so that going on reads the newest one and a short tail.

A snapshot is a cache: it can be rebuilt from the records, and one that is not what they fold to is not used. The digest
of its bytes is in the view of the checkpoint before which it was taken: nobody can put another one in its place.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.grants import Approval, TaskGrant
from ringfence.core.labels import Label
from ringfence.core.turn import State, Turn, fold
from ringfence.core.values import JSON, Principal, canonical

Keep = Callable[[str, int, bytes], None]  # run, seq of the checkpoint, the snapshot's bytes
VERSION = 2  # of what `save` makes
_DENSE = 3  # significant bits: the tail is at most a quarter of the run, and all its snapshots cost O(its length)
_PLAIN = (str, int, bool, type(None))
_PLAIN_TYPES = frozenset(_PLAIN)
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_COUNTS = ("calls", "seen", "usage", "failed")


class Source(Protocol):
    """What going on needs of a log: `stores.log.Log` has it."""

    def read(self, run: str, start: int = 0) -> list[Record]:
        """The durable records of a run from seq `start`, in order of `seq`."""
        ...

    def state(self, run: str) -> tuple[int, bytes] | None:
        """The newest snapshot of a run that has not ended: the seq of its checkpoint, and its bytes."""
        ...


def due(checkpoints: int) -> bool:
    """Whether a snapshot goes with so manyeth a checkpoint: with each of the first eight, then ever further apart.

    A snapshot holds all that the model may be shown, so one at each checkpoint would make a long run quadratic.
    """
    return checkpoints % (1 << max(0, checkpoints.bit_length() - _DENSE)) == 0


def save(turn: Turn) -> JSON:
    """Everything that the records have made of a run. `heard` is not: whoever folds sets it, and may narrow the grant.

    Two folds of the same records give the same bytes: views have sorted keys, as in a header; bodies keep their order.
    """
    labels: dict[Label, int] = {}

    def written(record: Record | None) -> JSON:
        if record is None:
            return None
        label = labels.setdefault(record.label, len(labels))
        kind, view = str(record.kind), _sorted(record.view)
        return [record.seq, record.time, kind, record.principal, label, view, record.body]

    value: dict[str, JSON] = {
        "v": VERSION,
        "run": turn.run,
        "state": str(turn.state),
        "next_seq": turn.next_seq,
        "marked": turn.marked,
        "tier": turn.tier,
        "start": turn.start,
        "end": turn.end,
        "items": [[written(record), written(intent)] for record, intent in turn.items],
        "open": [written(record) for record in turn.open.values()],
        "question": written(turn.question),
        "uncertain": written(turn.uncertain),
        "answered": sorted(turn.answered),
        "approvals": [[a.digest, a.by, a.expires] for a in turn.approvals.values()],
        "typed": [[kind, *_named(known), source] for (kind, known), source in turn.typed.items()],
        "spans": [[minutes, source] for minutes, source in turn.spans.items()],
        "label": turn.label.to_json(),
    }
    counts = {name: dict(sorted(getattr(turn, name).items())) for name in _COUNTS}
    return {**value, **counts, "labels": [label.to_json() for label in labels]}


def restore(value: JSON) -> Turn:
    """Inverse of `save`; raises ValueError for what it did not make."""
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise ValueError(f"expected a snapshot of version {VERSION}")
    try:
        return _restored(value)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"no snapshot: {error!r}") from error


def _restored(value: dict[str, JSON]) -> Turn:
    turn, labels = Turn(), [Label.from_json(label) for label in value["labels"]]

    def read(line: JSON) -> Record:
        seq, time, kind, principal, label, view, body = line
        return Record(turn.run, seq, time, Kind(kind), principal, labels[label], view, body)

    who = value["start"]["principal"]
    turn.run, turn.state, turn.start, turn.end = value["run"], State(value["state"]), value["start"], value["end"]
    turn.principal = Principal(who["subject"], frozenset(who["roles"]), who["tenant"])
    turn.grant = TaskGrant.from_json(turn.start["grant"])
    turn.next_seq, turn.marked, turn.tier = value["next_seq"], value["marked"], value["tier"]
    turn.items = [(read(line), intent and read(intent)) for line, intent in value["items"]]
    turn.open = {record.seq: record for record in map(read, value["open"])}
    turn.question = value["question"] and read(value["question"])
    turn.uncertain = value["uncertain"] and read(value["uncertain"])
    turn.answered = set(value["answered"])
    turn.approvals = {digest: Approval(digest, by, expires) for digest, by, expires in value["approvals"]}
    turn.typed = {(kind, Decimal(known) if exact else known): source for kind, known, exact, source in value["typed"]}
    turn.spans = {float(minutes): source for minutes, source in value["spans"]}
    turn.label = Label.from_json(value["label"])
    for name in _COUNTS:
        setattr(turn, name, Counter(value[name]))
    return turn


def packed(turn: Turn) -> bytes:
    """The bytes of a snapshot."""
    return _encode(save(turn)).encode()


def stamp(state: bytes) -> str:
    """What a checkpoint says of a snapshot: the version of its form, and the SHA-256 of its bytes in hex."""
    return f"{VERSION}:{hashlib.sha256(state).hexdigest()}"


def resumed(log: Source, run: str) -> tuple[Turn, str]:
    """The folded state of a run, from its newest snapshot where there is one that the records vouch for.

    Beside it what is to be said of a snapshot that was not used, or "". Raises JournalError as `fold` does.
    """
    note = ""
    try:
        kept = log.state(run)
        if kept is None:
            return fold(log.read(run)), ""
        seq, state = kept
        tail = log.read(run, seq)
        if not tail or tail[0].view.get("state") != stamp(state):
            raise ValueError("it is not the one whose digest is on record")
        turn = restore(json.loads(state))
    except (ValueError, RecursionError) as error:
        note = f"the snapshot of run {run} was not used ({error}); all of its records were read instead"
    except JournalError as error:
        note = f"the snapshot of run {run} was not used ({error.what}); all of its records were read instead"
    if note:
        return fold(log.read(run)), note
    for record in tail:
        turn.apply(record)
    return turn, ""


def mismatches(records: Iterable[Record]) -> list[int]:
    """The checkpoints of a run, by seq, whose snapshot is not what the records before them fold to.

    Those of another version of snapshots are not looked at. Raises JournalError as `fold` does.
    """
    turn, wrong = Turn(), []
    for record in records:
        said = record.view.get("state", "") if record.kind is Kind.CHECKPOINT else ""
        if said.startswith(f"{VERSION}:") and said != stamp(packed(turn)):
            wrong.append(record.seq)
        turn.apply(record)
    return wrong


def _sorted(view: dict[str, JSON]) -> JSON:
    """A view as it is read back from its header."""
    if all(map(_flat, view.values())):
        return dict(sorted(view.items()))
    return json.loads(canonical(view))


def _flat(item: JSON) -> bool:
    """Whether there is nothing in it to sort: a plain value, or a list of such, as that of what a request showed is."""
    return type(item) in _PLAIN or (type(item) is list and _PLAIN_TYPES.issuperset(map(type, item)))


def _named(known: JSON) -> tuple[str, bool]:
    """A vouched value as text, and whether it is an exact number."""
    return (format(known, "f"), True) if isinstance(known, Decimal) else (known, False)
