"""What people do with memory: look, correct, promote, take out and destroy; each change is a run on the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.core.errors import ManifestError
from ringfence.core.values import JSON, Principal
from ringfence.manifest.types import Manifest

from .. import privacy, record
from ..ids import new_run_id, now_ms
from .remembering import Opened, notes_of

if TYPE_CHECKING:
    from ringfence.knowledge.memory import Item, Memories, Saying

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hand:
    """A person at the memory of a manifest: `who` is what they may read, and who they are on the record."""

    manifest: Manifest
    who: Principal
    notice: Callable[[str], None] = lambda text: None

    def items(self) -> list[Item]:
        """All that they may read, whatever its state, the newest first. Raises KnowledgeError."""
        return self._with(lambda memories: memories.items(self.who.member))

    def item(self, ident: str) -> Item:
        """One by its id or the beginning of it; raises ManifestError for none, and for several."""
        found = [item for item in self.items() if item.id.startswith(ident)]
        exact = [item for item in found if item.id == ident] or found
        if len(exact) != 1:
            what = "nothing" if not exact else f"{len(exact)} items"
            raise ManifestError(f"expected the id of an item, got {ident!r}, which is {what} that you may read",
                                todo="`ringfence memory list --all` shows them")  # fmt: skip
        return exact[0]

    def edit(self, item: Item, text: str) -> Item:
        """Other words for an item; raises ManifestError for none that can be kept."""

        async def work(memories: Memories, saying: Saying) -> Item | None:
            try:
                return await memories.edit(item.id, text, self.who.member, saying=saying)
            except ValueError as wrong:
                raise ManifestError(f"{item.id}: {wrong}", todo="give another text") from None

        return self._there(item, self._changed("edit", [item], work))

    def promote(self, item: Item) -> Item:
        """Out of quarantine, on this person's word; raises ManifestError for one that is not in it."""
        if item.state != "quarantined":
            raise ManifestError(f"{item.id} is not in quarantine", todo="`ringfence memory list --quarantined`")

        async def work(memories: Memories, saying: Saying) -> Item | None:
            return await memories.promote(item.id, self.who.member, saying=saying)

        return self._there(item, self._changed("promote", [item], work))

    def remove(self, items: Sequence[Item]) -> int:
        """Destroy items, and their lines in the daily notes; how many there were."""

        async def work(memories: Memories, saying: Saying) -> list[Item]:
            return await memories.forget([item.id for item in items], self.who.member)

        gone = self._changed("rm", items, work)
        self._strike(gone)
        return len(gone)

    def wipe(self, *, everybody: bool = False) -> int:
        """Destroy all that they may read, or everybody's; how many they could read."""
        items = self.items()

        async def work(memories: Memories, saying: Saying) -> list[Item]:
            if everybody:
                await memories.drop()
                return items
            return await memories.wipe(self.who.member)

        gone = self._changed("wipe", items if not everybody else [], work)
        self._strike(None if everybody else gone)
        return len(gone)

    def _strike(self, gone: Sequence[Item] | None) -> None:
        from ringfence.knowledge.memory.notes import strike

        if (folder := notes_of(self.manifest)) is not None:
            strike(folder, None if gone is None else {item.id for item in gone})

    def _there(self, item: Item, changed: Item | None) -> Item:
        if changed is None:
            raise ManifestError(f"{item.id} is gone, or has changed meanwhile", todo="look again")
        return changed

    def _changed(
        self, what: str, items: Sequence[Item], work: Callable[[Memories, Saying], Coroutine[Any, Any, T]]
    ) -> T:
        """Do it, on the record: who, what and which, before; whether it was done, after."""
        from ringfence.knowledge.memory import Saying

        run, names = new_run_id(now_ms()), [item.id for item in items]
        saying = Saying(run, 0, run, self.who.subject, self.manifest.runtime.name, now_ms(), "user")
        view: dict[str, JSON] = {"privacy": "memory", "memory": what, "items": names[:100], "count": len(names)}
        task = f"memory {what} {', '.join(names[:5])}".strip()
        with (
            record.open_journal(self.manifest) as journal,
            privacy.recorded(journal, self.who, task, view, run=run),
        ):
            return self._with(lambda memories: work(memories, saying))

    def _with(self, work: Callable[[Memories], Coroutine[Any, Any, T]]) -> T:
        async def once() -> T:
            opened = Opened(self.manifest, now_ms)
            if missing := opened.missing:
                self.notice(missing)
            try:
                return await work(opened())
            finally:
                await opened.aclose()

        return asyncio.run(once())
