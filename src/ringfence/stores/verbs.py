"""What a reader may ask a recorder: headers and counts are everybody's, contents those of the asker's own runs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from .log import Log

_RUNS = 1000  # runs in one answer at most
Mine = Callable[[str], bool]  # whether the contents of a run are for the one who asks


def _size(log: Log, _: Mine) -> list[JSON]:
    return [log.size()]


def _headers(log: Log, _: Mine, start: int, stop: int) -> list[JSON]:
    if type(start) is not int or type(stop) is not int:
        raise TypeError("places are integers")
    return [head.decode() for head in islice(log.headers(start, stop), 1024)]


def _run(log: Log, mine: Mine, run: str, start: int = 0) -> list[JSON]:
    return [_json(each) for each in log.read(run, start)] if mine(run) else []


def _views(log: Log, _: Mine, run: str) -> list[JSON]:
    return [_json(each) for each in log.views(run)]


def _state(log: Log, mine: Mine, run: str) -> list[JSON]:
    found = log.state(run) if mine(run) else None
    return [] if found is None else [found[0], base64.b64encode(found[1]).decode()]


def _heads(log: Log, _: Mine) -> list[JSON]:
    return [asdict(head) for head in log.heads()]


def _runs(log: Log, mine: Mine, limit: int, before: int | None, principal: str | None = None) -> list[JSON]:
    found: list[JSON] = []
    wanted = min(limit, _RUNS)
    while len(found) < wanted and (page := log.runs(100, before=before, principal=principal)):
        found += [asdict(each) for each in page if mine(each.run)]
        before = page[-1].index
    return found[:wanted]


def _unfinished(log: Log, mine: Mine) -> list[JSON]:
    return [asdict(each) for each in log.unfinished() if mine(each.run)]


def _owner(log: Log, mine: Mine, run: str) -> list[JSON]:
    owner = log.owner(run) if mine(run) else None
    return [] if owner is None else [owner]


def _first(log: Log, mine: Mine, run: str) -> list[JSON]:
    first = log.first(run) if mine(run) else None
    return [] if first is None else [_json(first)]


def _last(log: Log, mine: Mine, run: str) -> list[JSON]:
    last = log.last(run) if mine(run) else None
    return [] if last is None else [_json(last)]


def _find(log: Log, mine: Mine, prefix: str) -> list[JSON]:
    found = log.find(prefix)
    if not mine(found):
        raise JournalError(f"no run starts with {prefix!r}", todo="list the runs with `ringfence runs list`")
    return [found]


def _window(log: Log, mine: Mine, conversation: str, limit: int) -> list[JSON]:
    pairs = [(first, last) for first, last in log.window(conversation, min(limit, _RUNS)) if mine(first.run)]
    return [[_json(first), None if last is None else _json(last)] for first, last in pairs]


def _intents(log: Log, mine: Mine, since: int, place: int) -> list[JSON]:
    found, end = log.intents(since, place)
    return [*(_json(each) for each in found if mine(each.run)), end]


def _models(log: Log, mine: Mine, since: int, place: int) -> list[JSON]:
    found, end = log.models(since, place)
    return [*(_json(each) for each in found if mine(each.run)), end]


def _export(log: Log, mine: Mine, run: str) -> list[JSON]:
    return list(log.export(run)) if mine(run) else []


def _verify(log: Log, _: Mine) -> list[JSON]:
    return [asdict(log.verify())]


def _json(record: Record) -> JSON:
    return {**asdict(record), "label": record.label.to_json()}


VERBS: dict[str, Callable[..., list[JSON]]] = {
    "size": _size, "headers": _headers, "read": _run, "runs": _runs, "find": _find, "window": _window,
    "intents": _intents, "models": _models, "state": _state, "heads": _heads, "export": _export, "verify": _verify,
    "views": _views, "unfinished": _unfinished, "owner": _owner, "first": _first, "last": _last,
}  # fmt: skip
