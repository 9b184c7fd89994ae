"""What an index holds about somebody, and its end: documents, memories, and their lines in the daily notes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.manifest.fields import SecretRef
from ringfence.manifest.types import Manifest

from .library import home_of, index_of
from .remembering import notes_of


@dataclass(frozen=True, slots=True)
class Gone:
    """How much was destroyed."""

    documents: int = 0
    memories: int = 0


def there(manifest: Manifest) -> bool:
    """Whether a manifest has an index that may hold something."""
    return isinstance(manifest.knowledge.store, SecretRef) or (home_of(manifest) / "index.db").is_file()


def forget(manifest: Manifest, subjects: Iterable[str]) -> Gone:
    """Destroy every document about these names, which are one person's. Raises KnowledgeError, ManifestError."""
    if not there(manifest):
        return Gone()
    from ringfence.knowledge.memory.notes import strike
    from ringfence.knowledge.memory.scopes import remembered

    async def work() -> list[tuple[str, str]]:
        index = index_of(manifest)
        try:
            return [key for subject in dict.fromkeys(subjects) for key in await index.erase(subject)]
        finally:
            await index.aclose()

    gone = asyncio.run(work())
    memories = {path for collection, path in gone if remembered(collection)}
    if memories and (folder := notes_of(manifest)) is not None:
        strike(folder, memories)
    return Gone(len(gone) - len(memories), len(memories))
