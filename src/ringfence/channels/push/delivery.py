"""Telling webhooks, at least once each: what the journal says has happened is told, again and again, until it is.

Nothing here is waited for by a run. What is to be told is found in the journal itself, from where it was read last, so
that a crash at any point tells an event once more at worst; the id is the same, and whoever is told can see that.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any, Final, TypeVar

from ringfence.app.ids import now_ms
from ringfence.app.record import FOLDER
from ringfence.app.serving.news import News, news
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ManifestError, RingfenceError
from ringfence.manifest.server import Webhook
from ringfence.telemetry.metrics import SERVANT, Metrics

from .attempt import Came, Teller, new
from .event import ASKED, FINISHED, event, ident
from .outbox import Due, Outbox

FILE: Final = "push.db"
EVERY_S: Final = 5.0  # the journal is looked at: other processes write to it too
POLL_S = 1.0  # for events whose next attempt has come
AT_ONCE: Final = 8  # attempts at one webhook
PAGE: Final = 1_000  # events that are taken in at once
FIRST_S = 5.0  # before the second attempt; then three times as long each time
LONGEST_S: Final = 6 * 3600.0
UNRECORDED_S: Final = 30.0  # before the next look, where an attempt cannot be put on record
GONE: Final = 410  # Standard Webhooks: the receiver wants no more
_log = logging.getLogger("ringfence")
T = TypeVar("T")


def back_off(tries: int) -> float:
    """Seconds before the next attempt, after so many: exponential, half of it left to chance."""
    return min(LONGEST_S, FIRST_S * 3.0 ** (tries - 1)) * random.uniform(0.5, 1.0)


class Push:
    """Everything about the webhooks of a server, from `start` to `stop`. Raises ManifestError for a missing secret.

    back_off  seconds to wait after so many attempts
    """

    def __init__(
        self, service: Service, reading: Reading, metrics: Metrics, *, back_off: Callable[[int], float] = back_off
    ) -> None:
        self.hooks: Sequence[Webhook] = service.agent.manifest.server.webhooks
        for hook in self.hooks:
            if not hook.secret.reveal():
                raise ManifestError(
                    f"server.webhooks: {hook.secret.name}, what {hook.name} is signed with, is not set",
                    todo="set it in the environment or in .env beside the manifest",
                )
        self._agent = service.agent
        self._reading = reading
        self._metrics = metrics
        self._back_off = back_off
        self._teller = Teller(service.agent, self.hooks)
        self._bell = asyncio.Event()
        self._more = {hook.name: asyncio.Event() for hook in self.hooks}
        self._tasks: list[asyncio.Task[None]] = []
        self._thread: ThreadPoolExecutor | None = None
        self._outbox: Outbox | None = None
        service.observers.append(self._ring)

    async def start(self) -> None:
        """Find out what was not told yet, and tell it."""
        self._thread = ThreadPoolExecutor(1, "push")
        self._outbox = await self._call(Outbox, self._agent.manifest.root / FOLDER / FILE)
        await self._look()
        self._tasks = [asyncio.create_task(self._watch(), name="push")]
        self._tasks += [asyncio.create_task(self._tell(hook), name=f"push {hook.name}") for hook in self.hooks]

    async def stop(self) -> None:
        """Tell nothing any more; what is not told yet is told by the next process."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._outbox is not None:
            await self._call(self._outbox.close)
        if self._thread is not None:
            self._thread.shutdown()

    async def pending(self) -> int:
        """Events that are still to be told."""
        return await self._call(self._outbox.pending) if self._outbox is not None and self._tasks else 0

    def _ring(self, record: Record) -> None:
        """An observer of records: something has happened that may be told."""
        asks = record.kind is Kind.DECISION and record.view.get("verdict") == "ask"
        if asks or record.kind is Kind.FINISHED:
            self._bell.set()

    async def _call(self, work: Callable[..., T], *args: Any) -> T:
        assert self._thread is not None
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._bell.wait()
            self._bell.clear()
            try:
                await self._agent.journal.flush()
                await self._look()
            except Exception as error:  # whatever it is, the next look may go well
                _log.warning("webhooks: what is to be told cannot be found out: %s", error)

    async def _look(self) -> None:
        """Take in what the journal has that is new."""
        outbox = self._outbox
        assert outbox is not None
        while True:
            log, size = await self._reading(lambda log: (log.id, log.size()))
            place = await self._call(outbox.place, log, size)
            found = await self._reading(lambda log: list(islice(news(log, place), PAGE)))  # noqa: B023
            full = len(found) == PAGE
            due = [one for each in found for one in self._due(log, each)]
            await self._call(outbox.add, log, due, found[-1].index + 1 if full else size, now_ms())
            for one in due:
                self._more[one.hook].set()
            if not full:
                return

    def _due(self, log: str, each: News) -> list[Due]:
        if SERVANT.match(each.run):
            return []
        kind = ASKED if each.asks else FINISHED
        wanted = [hook.name for hook in self.hooks if kind in hook.events]
        return [Due(ident(log, each.run, each.seq, name), name, kind, each.run, each.seq) for name in wanted]

    async def _tell(self, hook: Webhook) -> None:
        outbox, more = self._outbox, self._more[hook.name]
        assert outbox is not None
        while True:
            more.clear()
            try:
                taken = await self._call(outbox.take, hook.name, now_ms(), AT_ONCE)
                if taken:
                    await asyncio.gather(*(self._once(hook, one) for one in taken))
                    continue
            except Exception as error:
                _log.warning("webhook %s: %s", hook.name, error)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await more.wait()

    async def _once(self, hook: Webhook, one: Due) -> None:
        outbox = self._outbox
        assert outbox is not None
        try:
            if one.attempt:
                self._teller.bury(one.attempt)
            told = await self._reading(lambda log: event(log, one.run, one.seq, one.type, one.id))
            if told is None:
                await self._call(outbox.told, one.id)
                return
            run = new()
            await self._call(outbox.trying, one.id, run)
            came = await self._teller.tell(hook.name, told, run)
        except asyncio.CancelledError:
            await asyncio.shield(self._call(outbox.release, one.id, now_ms()))
            raise
        except JournalError as error:  # nothing has left, and that is not the receiver's fault
            _log.warning("webhook %s: run %s cannot be told of: %s", hook.name, one.run, error.what)
            await self._call(outbox.release, one.id, now_ms() + int(UNRECORDED_S * 1000))
            return
        except Exception as error:
            came = Came(0, error.what if isinstance(error, RingfenceError) else type(error).__name__)
        await self._settle(hook, one, came)

    async def _settle(self, hook: Webhook, one: Due, came: Came) -> None:
        outbox, tries = self._outbox, one.tries + 1
        assert outbox is not None
        self._metrics.pushed(hook.name, "failed" if came.why else "done")
        if not came.why:
            await self._call(outbox.told, one.id)
        elif tries >= hook.attempts or came.status == GONE:
            _log.error("webhook %s was never told of run %s (%s), after %d attempts: %s",
                       hook.name, one.run, one.type, tries, came.why)  # fmt: skip
            self._metrics.gave_up(hook.name)
            await self._call(outbox.lose, one.id, came.why[:200])
        else:
            after = self._back_off(tries)
            _log.warning("webhook %s: attempt %d of %d failed: %s; again in %.0f s",
                         hook.name, tries, hook.attempts, came.why, after)  # fmt: skip
            await self._call(outbox.later, one.id, now_ms() + int(after * 1000))
