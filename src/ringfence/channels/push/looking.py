"""What webhooks were told, what waits and what was given up, for whoever runs the server; and telling it again.

It reads what the server goes by: its list, `push.db`, and the runs of its attempts in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from ringfence.app import record
from ringfence.app.ids import now_ms
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError, RingfenceError
from ringfence.manifest.types import Manifest
from ringfence.stores.log import Log

from .attempt import WHO
from .delivery import FILE
from .event import ASKED, FINISHED, ident
from .outbox import Due, Outbox

PAGE: Final = 500
FAR: Final = 100_000  # attempts that are looked through for one that is named
State = Literal["waiting", "given-up", "sent"]


@dataclass(frozen=True, slots=True)
class Line:
    """One event for one webhook.

    state  "waiting" for its next attempt, "given-up", or "sent": its receiver took it
    tries  attempts that failed so far, of what waits or was given up
    at     milliseconds since 1970: of the next attempt of what waits, of the one that was taken for what was sent
    why    what the last attempt met, where that failed
    """

    id: str
    hook: str
    type: str
    run: str
    state: State
    tries: int = 0
    at: int = 0
    why: str = ""


def looked(manifest: Manifest, *, hook: str = "", limit: int = 20) -> list[Line]:
    """What waits and what was given up, all of it, then what was sent, the newest `limit` of it.

    Raises ManifestError for a webhook that there is not.
    """
    _known(manifest, hook)
    due = [one for one in _listed(manifest) if hook in ("", one.hook)]
    if not record.journal_path(manifest).exists():
        return [_line(one) for one in due]
    with record.open_log(manifest) as log:
        whys = _whys(log, {one.id for one in due if not one.lost and one.tries})
        sent = islice((line for line in _sent(log) if hook in ("", line.hook)), limit)
        return [*(_line(one, whys.get(one.id, "")) for one in sorted(due, key=lambda one: bool(one.lost))), *sent]


def retry(manifest: Manifest, idents: Sequence[str], *, hook: str = "") -> list[Line]:
    """Have events told again: those of these ids, whatever became of them, or without any all that was given up.

    A server that runs tells them within a second or so; another one when it starts. Raises ManifestError for an id of
    none, and for a webhook that the manifest has no more.
    """
    _known(manifest, hook)
    with _opened(manifest) as box:
        listed = {one.id: one for one in box.listed()}
        wanted = list(idents) or [one.id for one in listed.values() if one.lost and hook in ("", one.hook)]
        found = [listed.get(name) or _told(manifest, name) for name in dict.fromkeys(wanted)]
        for one in found:
            _known(manifest, one.hook)
        now = now_ms()
        for one in found:
            box.again(one, now)
        return [Line(one.id, one.hook, one.type, one.run, "waiting", at=now) for one in found]


def _known(manifest: Manifest, hook: str) -> None:
    names = [one.name for one in manifest.server.webhooks]
    if hook and hook not in names:
        raise ManifestError(f"expected a webhook of {', '.join(names) or 'the manifest, which has none'}, got {hook}",
                            todo="server.webhooks of the manifest names them")  # fmt: skip


def _opened(manifest: Manifest) -> Outbox:
    return Outbox(manifest.root / record.FOLDER / FILE)


def _listed(manifest: Manifest) -> list[Due]:
    if not (manifest.root / record.FOLDER / FILE).exists():  # no server with webhooks ever ran
        return []
    with _opened(manifest) as box:
        return box.listed()


def _line(one: Due, why: str = "") -> Line:
    state: State = "given-up" if one.lost else "waiting"
    return Line(one.id, one.hook, one.type, one.run, state, one.tries, 0 if one.lost else one.at, one.lost or why)


def _attempts(log: Log) -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs of attempts, the newest first, and what each was to tell."""
    before, seen = None, 0
    while seen < FAR:
        page = log.runs(PAGE, before=before, principal=WHO.subject)
        for one in page:
            first = log.first(one.run)
            if first is not None and isinstance(push := first.view.get("push"), dict):
                yield one.run, push
        seen += len(page)
        if len(page) < PAGE:
            return
        before = page[-1].index


def _sent(log: Log) -> Iterator[Line]:
    for run, push in _attempts(log):
        last = log.last(run)
        if last is not None and last.kind is Kind.FINISHED and last.view.get("status") == "done":
            yield Line(push["id"], push["webhook"], push["type"], push["run"], "sent", at=last.time)


def _whys(log: Log, idents: set[str]) -> dict[str, str]:
    """What the last attempt at each of these met."""
    found: dict[str, str] = {}
    for run, push in _attempts(log):
        if len(found) == len(idents):
            break
        if push["id"] in idents and push["id"] not in found:
            found[push["id"]] = _met(log, run)
    return found


def _met(log: Log, run: str) -> str:
    try:
        outcomes = [one for one in log.read(run) if one.kind is Kind.OUTCOME]
    except RingfenceError:  # its content was erased
        return "it failed"
    value = outcomes[-1].body.get("value") if outcomes else None
    return str(value["error"])[:200] if isinstance(value, dict) and "error" in value else "it failed"


def _told(manifest: Manifest, name: str) -> Due:
    """An event that was told once, found by its attempts. Raises ManifestError for none of this id."""
    if record.journal_path(manifest).exists():
        with record.open_log(manifest) as log:
            push = next((push for _, push in _attempts(log) if push["id"] == name), None)
            if push is not None:
                for one in log.views(push["run"]):
                    if _tells(one, push["type"]) and ident(log.id, one.run, one.seq, push["webhook"]) == name:
                        return Due(name, push["webhook"], push["type"], one.run, one.seq)
    raise ManifestError(f"no webhook was ever to be told {name}", todo="`ringfence webhooks list` shows the ids")


def _tells(one: Record, kind: str) -> bool:
    asks = one.kind is Kind.DECISION and one.view.get("verdict") == "ask"
    return (kind == ASKED and asks) or (kind == FINISHED and one.kind is Kind.FINISHED)
