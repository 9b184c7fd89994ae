"""What is new in the journal, told by its headers: read beside the agent, on a connection of its own, in a thread."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from ringfence import stores
from ringfence.core.chain import Kind

from .. import record
from ..agent import Agent

_RUN = re.compile(rb'"run":"([^"]+)"')  # the first in a header's canonical bytes is the record's own
_TOLD = (b'"kind":"run.finished"', b'"verdict":"ask"')


@contextmanager
def log_of(agent: Agent) -> Iterator[Any]:
    """The log of an agent, on a connection that this thread alone uses; of a journal in memory, the one there is.

    Raises JournalError if it cannot be opened.
    """
    if not agent.durable:
        yield agent.journal.log
        return
    manifest = agent.manifest
    if (far := manifest.audit.recorder) is not None:
        with closing(stores.read_recorder(manifest.root / far)) as far_log:
            yield far_log
        return
    with record.open_log(manifest) as log, closing(log.vault):
        yield log


@dataclass(frozen=True, slots=True)
class News:
    """A record that somebody may want to be told of: a run has ended, or asks a person; or one that asked goes on.

    index  its place in the log
    time   milliseconds since 1970 UTC
    """

    index: int
    run: str
    seq: int
    time: int
    kind: Kind
    asks: bool


def news(log: Any, place: int, waiting: Collection[str] = ()) -> Iterator[News]:
    """From `place` in the log on: each end of a run, each question, and each record of the runs `waiting`.

    `waiting` is looked at as each record comes: the caller may keep it up to date. Costs what is new.
    """
    for header in log.headers(place):
        if not any(sign in header for sign in _TOLD) and not (waiting and _run_of(header) in waiting):
            continue
        head = json.loads(header)
        asks = head["kind"] == Kind.DECISION and head["view"].get("verdict") == "ask"
        if "copied" not in head["view"] or head["run"] in waiting:
            yield News(head["index"], head["run"], head["seq"], head["time"], Kind(head["kind"]), asks)


def _run_of(header: bytes) -> str:
    found = _RUN.search(header)
    return found[1].decode() if found is not None else ""
