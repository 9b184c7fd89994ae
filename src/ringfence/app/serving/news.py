"""What is new in the journal, told by its headers: who has ended, and who asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.core.chain import Kind
from ringfence.stores.log import Log

_TOLD = (b'"kind":"run.finished"', b'"verdict":"ask"')


@dataclass(frozen=True, slots=True)
class News:
    """A record that somebody may want to be told of: a run has ended, or asks a person.

    index  its place in the log
    time   milliseconds since 1970 UTC
    """

    index: int
    run: str
    seq: int
    time: int
    asks: bool


def news(log: Log, place: int) -> Iterator[News]:
    """Each end of a run and each question, from `place` in the log on. Costs what is new."""
    for header in log.headers(place):
        if not any(sign in header for sign in _TOLD):
            continue
        head = json.loads(header)
        asks = head["kind"] == Kind.DECISION and head["view"].get("verdict") == "ask"
        if (asks or head["kind"] == Kind.FINISHED) and "copied" not in head["view"]:
            yield News(head["index"], head["run"], head["seq"], head["time"], asks)
