"""What a snapshot has to hold: every slot of a folded run, whatever the records were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ringfence.core.chain import Record
from ringfence.core.turn import Turn, fold
from ringfence.core.values import canonical, ordered
from ringfence.engine.snapshot import mismatches, packed, restore

DERIVED = {"_words", "heard"}  # made from the others, and set by whoever folds


def slots(turn: Turn) -> dict[str, Any]:
    """Every slot, with the order of what is ordered."""
    state = {name: getattr(turn, name) for name in Turn.__slots__ if name not in DERIVED}
    return {**state, "typed": list(turn.typed.items()), "spans": list(turn.spans.items()), "open": list(turn.open)}


def read_back(record: Record) -> Record:
    """A record as it comes out of a file: a header has sorted keys, a body keeps its order."""
    view, body = json.loads(canonical(record.view)), json.loads(ordered(record.body))
    return Record(record.run, record.seq, record.time, record.kind, record.principal, record.label, view, body)


def check(records: Sequence[Record]) -> None:
    """For every beginning of a run: what is restored is what was saved and goes on to the same end, filed or not."""
    end, turn, filed = slots(fold(records)), Turn(), Turn()
    for n, record in enumerate(records, 1):
        turn.apply(record)
        filed.apply(read_back(record))
        state = packed(turn)
        assert state == packed(filed)
        back = restore(json.loads(state))
        assert slots(back) == slots(turn)
        assert packed(back) == state
        for later in records[n:]:
            back.apply(later)
        assert slots(back) == end
    assert mismatches(records) == []
