"""The record, for auditors: its heads, whether it is what was written, and views that hold no content."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from ringfence import stores
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.core.values import JSON, Principal
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, Verifier
from ringfence.stores.log import Head, RunSummary, VerifyReport

from ..agent import Agent
from ..ids import now_ms
from ..proving import proof_of, trusted_by
from .reading import Reading
from .service import AUDITOR, NotFound, Service
from .shelves import Forbidden

_PAGE = 500  # records that are held at once
SHOWN = "shown"  # in a header's view: what was redacted


@dataclass(slots=True)
class Check:
    """A look at the whole log, that takes as long as the log is."""

    by: str
    started: int
    state: str = "running"  # done | failed
    ended: int = 0
    report: VerifyReport | None = None
    fault: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Auditing:
    """What an auditor does behind one service. Raises Forbidden for anybody else."""

    def __init__(self, service: Service, reading: Reading) -> None:
        self._service = service
        self._reading = reading
        self._check: Check | None = None

    async def heads(self, who: Principal) -> tuple[str, int, list[Head]]:
        """The log's id, how many records it has, and its signed heads, in order."""
        _auditor(who)
        return await self._reading(lambda log: (log.id, log.size(), log.heads()))

    @property
    def troubles(self) -> tuple[str, ...]:
        """What kept the newest head from being signed, or from getting where it should be."""
        return self._service.agent.troubles

    async def keys(self, who: Principal) -> list[str]:
        """The public keys whose heads count, the manifest's first."""
        _auditor(who)
        found = await self._reading(lambda log: trusted_by(self._service.agent.manifest, log))
        return [str(one) for one in found]

    async def verify(self, who: Principal) -> Check:
        """Begin to recompute the log from its bytes; the look that is under way, if there is one."""
        _auditor(who)
        if self._check is None or self._check.state != "running":
            self._check = Check(who.subject, now_ms())
            self._check.task = asyncio.create_task(self._verifying(self._check), name="verify")
        return self._check

    def verified(self, who: Principal) -> Check:
        """The last look at the log. Raises NotFound before the first."""
        _auditor(who)
        if self._check is None:
            raise NotFound("the log was not looked at since the server began", todo="POST begins it")
        return self._check

    async def _verifying(self, check: Check) -> None:
        try:
            check.report = await asyncio.to_thread(_verify, self._service.agent)
            check.state = "done"
        except RingfenceError as error:
            check.fault = error.what
        finally:
            check.ended, check.state = now_ms(), "failed" if check.state == "running" else check.state

    async def proof(self, who: Principal, index: int) -> dict[str, JSON]:
        """The proof of a record against the newest head. Raises NotFound; JournalError for one that none covers."""
        _auditor(who)

        def work(log: Any) -> dict[str, JSON] | None:
            if index >= log.size():
                return None
            held = [head.note for head in log.heads()]
            return proof_of(log, index, held, trusted_by(self._service.agent.manifest, log))

        found = await self._reading(work)
        if found is None:
            raise NotFound(f"the log has no record {index}", todo="`GET /v1/audit/head` says how many it has")
        return found

    async def runs(self, who: Principal, limit: int, before: int | None) -> list[RunSummary]:
        """The newest runs of everybody: whose they are and how they ended; nothing of what is in them."""
        _auditor(who)
        found: list[RunSummary] = await self._reading(lambda log: log.runs(limit, before=before))
        return found

    async def run(self, who: Principal, run: str, start: int, limit: int) -> list[dict[str, JSON]]:
        """Headers of a run's records from seq `start` on; what was redacted stands under `shown`. Raises NotFound."""
        _auditor(who)
        found: list[dict[str, JSON]] = await self._reading(lambda log: _headers(log, run, start, limit))
        if not found and not await self._reading(lambda log: log.owner(run)):
            raise NotFound("there is no such run", todo="`GET /v1/audit/runs` lists them")
        return found

    async def export(self, who: Principal, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """The headers from an index on as they were hashed, a line each, and the heads after them."""
        _auditor(who)
        size = await self._reading(lambda log: log.size())
        return self._lines(start, min(size, stop if stop is not None else size))

    async def _lines(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, _PAGE):
            end = min(stop, at + _PAGE)
            page = await self._reading(lambda log, at=at, end=end: list(log.headers(at, end)))  # type: ignore[misc]
            yield b"".join(header + b"\n" for header in page)
        for head in await self._reading(lambda log: log.heads()):
            yield json.dumps({"head": head.note, "size": head.size}, ensure_ascii=False).encode() + b"\n"

    async def aclose(self) -> None:
        """Wait for no look that is under way; its thread ends by itself."""
        if self._check is not None and self._check.task is not None:
            self._check.task.cancel()
            await asyncio.wait([self._check.task])


def _auditor(who: Principal) -> None:
    if AUDITOR not in who.roles:
        raise Forbidden(f"expected {AUDITOR} to look at the record, got somebody without it", todo="ask an auditor")


def _headers(log: Any, run: str, start: int, limit: int) -> list[dict[str, JSON]]:
    if hasattr(log, "headers_of"):
        found: list[dict[str, JSON]] = log.headers_of(run, start, limit)
        return found
    views = log.views(run)[start : start + limit]
    return [
        {"run": one.run, "seq": one.seq, "time": one.time, "kind": str(one.kind), "principal": one.principal,
         "label": one.label.to_json(), "view": {**one.view, SHOWN: one.body}}
        for one in views
    ]  # fmt: skip


def _verify(agent: Agent) -> VerifyReport:
    """In a thread, on a connection of its own: it takes as long as it takes, and nobody waits behind it."""
    from ringfence.stores.signed import Heads
    from ringfence.stores.verify import Against

    manifest = agent.manifest
    if (far := manifest.audit.recorder) is not None:
        with stores.read_recorder(manifest.root / far) as remote:
            return remote.verify()
    if not agent.durable:
        found: VerifyReport = agent.journal.log.verify()
        return found
    with stores.open_log(agent.journal.path, vault=agent.journal.vault) as log:
        witnesses = [Verifier.parse(one.key) for one in manifest.audit.witnesses]
        heads = Heads(log.id, trusted_by(manifest, log)[:1], witnesses)
        heads.own([head.note for head in log.heads()])
        return log.verify(Against(heads))


def head_of(note: str) -> tuple[Checkpoint, int | None]:
    """What a head says, and when it was made. Raises JournalError for a text that is none."""
    try:
        checkpoint = Checkpoint.parse(notes.unverified(note))
    except notes.NoteError as error:
        raise JournalError(f"a head that is kept is none: {error.what}", todo="ringfence audit verify") from None
    return checkpoint, notes.time_of(checkpoint)
