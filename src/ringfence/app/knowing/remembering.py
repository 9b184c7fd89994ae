"""The memory of a manifest, wired: its index, what makes its vectors, what is taken out of it before it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.backends import models
from ringfence.backends.models import data_home
from ringfence.core.errors import BackendError
from ringfence.core.labels import Label, Member
from ringfence.core.ports import Clock
from ringfence.core.values import digest
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.types import Manifest

from ..readers import named_readers
from ..secrets import redactor_of
from .library import audience_of, embedder_of, home_of, index_of

if TYPE_CHECKING:
    from ringfence.knowledge.memory import Memories
    from ringfence.knowledge.memory.store import Lock
    from ringfence.knowledge.ports import Embedder, Index
    from ringfence.redaction import Redactor

    from ..house import House


@dataclass
class Opened:
    """The memory of a manifest, opened when it is first used."""

    manifest: Manifest
    clock: Clock
    _memories: Memories | None = None
    _redactor: Redactor | None = field(default=None, repr=False)

    def __call__(self) -> Memories:
        """The memory; raises ManifestError for a store whose address is not set."""
        if self._memories is None:
            from ringfence.knowledge.memory import Memories

            manifest = self.manifest
            audience = audience_of(manifest.knowledge.embedding)
            self._memories = Memories(
                self._index(),
                self._embedder(),
                self._redacted,
                self.clock,
                agent=manifest.runtime.name,
                expires_days=manifest.memory.expires_days,
                may_embed=lambda label: audience is None or not label.broken_by(audience),
                lock=lock_of(manifest),
            )
        return self._memories

    def _index(self) -> Index:
        return index_of(self.manifest)

    @property
    def missing(self) -> str:
        """Why memory is found by words alone; empty if it is found by meaning, too. Raises ManifestError."""
        config = self.manifest.knowledge.embedding
        try:
            if config.provider == "embedded":
                models.paths(config.model, data_home())
        except BackendError as absent:
            return f"memory is found by words alone, not by meaning: {absent.what} -> {absent.todo}"
        return ""

    def _embedder(self) -> Embedder | None:
        return None if self.missing else embedder_of(self.manifest.knowledge.embedding, data_home())

    def _redacted(self, text: str) -> str:
        """The text without personal data and secrets; each text numbers its own placeholders from 1."""
        if self._redactor is None:
            self._redactor = redactor_of(self.manifest)
        run = "memory " + digest(text)[:16]
        shown = self._redactor.text(run, text)
        self._redactor.forget(run)
        return shown

    async def aclose(self) -> None:
        """Free what was opened; it is opened again when it is used again."""
        if self._memories is not None:
            memories, self._memories = self._memories, None
            await memories.aclose()


def remember(house: House, manifest: Manifest, clock: Clock) -> None:
    """Give an agent its memory, and the tools over it."""
    from .memory import Desk, tools_of

    opened = Opened(manifest, clock)
    if missing := opened.missing:
        house.notes.append(missing)

    def may_see(label: Label, member: Member) -> bool:
        specs = (house.specs[f"model:{tier.name}"] for tier in manifest.inference.tiers)
        own = frozenset({member})
        return any(label.flows_to(spec.clearance, own if spec.audience is None else spec.audience) for spec in specs)

    desk = Desk(
        opened, house.read_more.live, lambda run: house.read_all.about(run), may_see,
        manifest.memory.recall, notes_of(manifest),
    )  # fmt: skip
    for tool in tools_of(desk, frozenset(shared(manifest))):
        house.add(tool)
    house.closers.append(opened.aclose)


def lock_of(manifest: Manifest) -> Lock:
    """What the writers of one store share: a file beside it, or the database's own lock."""
    if isinstance(store := manifest.knowledge.store, SecretRef):
        from ringfence.knowledge.postgres.locking import locked as held

        return partial(held, store)
    from ringfence.knowledge.memory.locking import locked

    return partial(locked, home_of(manifest))


def notes_of(manifest: Manifest) -> Path | None:
    """The folder of daily notes."""
    return manifest.root / manifest.memory.notes if manifest.memory.notes is not None else None


def shared(manifest: Manifest) -> Iterable[str]:
    """The roles and teams that a manifest names."""
    return (reader for reader in named_readers(manifest) if reader.startswith(("role:", "team:")))
