"""Whether a server lives, and whether it can take work: what a supervisor and a load balancer ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ringfence.backends import models
from ringfence.backends.models import data_home
from ringfence.core.errors import RingfenceError
from ringfence.manifest.types import Tier

from .levels import Gauge
from .service import Service

EVERY_S = 5.0  # however often it is asked, models and disk are looked at so often
WAIT_S = 2.0  # for a model server to take a connection, and for the journal to be durable
LEAST_DISK = 16 * 2**20  # bytes: below, the next commits may fail


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be so. `why` says in words why it is not; for whoever runs the server."""

    name: str
    ok: bool
    why: str = ""


@dataclass
class Health:
    """Asks what can stop a server from working."""

    service: Service
    gauge: Gauge
    _seen: tuple[Check, ...] = ()
    _looked: float = float("-inf")
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def works(self) -> Sequence[Check]:
        """Whether it can do its work: open, a journal that takes records, a model that can be asked. As of late."""
        async with self._turn:
            if time.monotonic() - self._looked >= EVERY_S or not all(check.ok for check in self._seen):
                self._seen = (self._open(), await self._journal(), await self._model())
                self._looked = time.monotonic()
            return self._seen

    async def ready(self) -> Sequence[Check]:
        """Whether it takes work in: it works, and is not about to stop."""
        stops = self.service.pool.closing
        drains = Check("taking work", not stops, "the server is about to stop" if stops else "")
        return (*await self.works(), drains)

    def _open(self) -> Check:
        is_open = self.service.agent._engine is not None
        return Check("open", is_open, "" if is_open else "models and documents were not looked at yet")

    async def _journal(self) -> Check:
        """Records can be made durable: those there are, and there is room for the next."""
        try:
            async with asyncio.timeout(WAIT_S):
                await self.service.agent.journal.flush()
        except TimeoutError:
            return Check("journal", False, f"what was recorded is not durable after {WAIT_S:g} s")
        except RingfenceError as error:
            return Check("journal", False, error.what)
        levels = await self.gauge.levels()
        if not levels.readable:
            return Check("journal", False, "it cannot be read")
        if levels.disk_free_bytes < LEAST_DISK:
            return Check("journal", False, f"the disk has {levels.disk_free_bytes} bytes left")
        return Check("journal", True)

    async def _model(self) -> Check:
        """One of the tiers takes connections, or its weights are here to be loaded."""
        agent = self.service.agent
        if not agent.house.backends:  # a model in process stands in for them
            return Check("model", True)
        whys = await asyncio.gather(*map(_unreachable, agent.manifest.inference.tiers))
        found = not all(whys)
        return Check("model", found, "" if found else "; ".join(dict.fromkeys(whys)))


async def _unreachable(tier: Tier) -> str:
    """Why a tier cannot be asked; empty if it can, as far as this can be told without asking."""
    if tier.provider == "embedded":
        try:
            await asyncio.to_thread(models.path, tier.model, data_home())
        except RingfenceError as error:
            return f"{tier.name}: {error.what}"
        return ""
    where = urlsplit(tier.endpoint or "")
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        async with asyncio.timeout(WAIT_S):
            _, writer = await asyncio.open_connection(where.hostname, port)
    except (OSError, TimeoutError):
        return f"{tier.name}: nothing takes connections at {where.hostname}:{port}"
    with closing(writer):
        return ""
