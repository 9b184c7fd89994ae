"""What an agent remembers, for whoever asks: looked at, corrected, vouched for, destroyed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ringfence.core.errors import ManifestError
from ringfence.core.values import Principal

from ..ids import now_ms
from ..knowing.people import Hand
from ..knowing.remembering import Opened
from .service import NotFound, Service

if TYPE_CHECKING:
    from ringfence.knowledge.memory import Item

T = TypeVar("T")


class Remembered:
    """The memory behind one service. Reading shares one connection; each change is on the record (`people.Hand`)."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._opened = Opened(service.agent.manifest, now_ms)
        self._changing = asyncio.Lock()

    async def items(self, who: Principal) -> list[Item]:
        """All that they may read, the newest first; nothing where nothing is remembered."""
        if not self._service.agent.manifest.memory.enabled:
            return []
        return await self._opened().items(who.member)

    async def item(self, who: Principal, ident: str) -> Item:
        """One, by its id. Raises NotFound."""
        found = next((item for item in await self.items(who) if item.id == ident), None)
        if found is None:
            raise NotFound("nothing of that name is remembered", todo="`GET /v1/memory` lists what you may read")
        return found

    async def edit(self, who: Principal, ident: str, text: str) -> Item:
        """Other words for it. Raises NotFound; ManifestError for none that can be kept."""
        item = await self.item(who, ident)
        return await self._changed(lambda hand: hand.edit(item, text), who)

    async def promote(self, who: Principal, ident: str) -> Item:
        """Out of quarantine, on this person's word. Raises NotFound; ManifestError for what is not in it."""
        item = await self.item(who, ident)
        if item.state != "quarantined":
            raise ManifestError("expected what is in quarantine, got what is not", todo="it is recalled already")
        return await self._changed(lambda hand: hand.promote(item), who)

    async def forget(self, who: Principal, ident: str) -> None:
        """Destroy it. Raises NotFound."""
        item = await self.item(who, ident)
        await self._changed(lambda hand: hand.remove([item]), who)

    async def _changed(self, work: Callable[[Hand], T], who: Principal) -> T:
        async with self._changing:
            return await asyncio.to_thread(work, Hand(self._service.agent.manifest, who))

    async def aclose(self) -> None:
        """Free what was opened."""
        await self._opened.aclose()
