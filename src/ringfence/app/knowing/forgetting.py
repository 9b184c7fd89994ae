"""What an index holds about somebody, and its end: documents, memories, and their lines in the daily notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.core.values import JSON
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.types import Manifest
from ringfence.stores.erasure import Rule

from .library import home_of, index_of
from .remembering import lock_of, notes_of

if TYPE_CHECKING:
    from ringfence.knowledge.ports import Document, Index

MEMORY = "memory"  # the class of `privacy.retention`
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gone:
    """How much was destroyed."""

    documents: int = 0
    memories: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """What an index holds about somebody, as JSON.

    memories   each with where it comes from: the records by which it was said
    documents  with their texts
    notes      lines of the daily notes: day (the file's name) and line
    """

    memories: Sequence[Mapping[str, JSON]] = ()
    documents: Sequence[Mapping[str, JSON]] = ()
    notes: Sequence[Mapping[str, JSON]] = ()


def there(manifest: Manifest) -> bool:
    """Whether a manifest has an index that may hold something."""
    return isinstance(manifest.knowledge.store, SecretRef) or (home_of(manifest) / "index.db").is_file()


def held(manifest: Manifest, subjects: Iterable[str]) -> About:
    """What is held about these names, which are one person's, whoever may read it. Raises KnowledgeError."""
    if not there(manifest):
        return About()
    from ringfence.knowledge.memory import Item
    from ringfence.knowledge.memory.notes import lines
    from ringfence.knowledge.memory.scopes import remembered

    async def work(index: Index) -> dict[tuple[str, str], Document]:
        about = [one for subject in dict.fromkeys(subjects) for one in await index.held(subject=subject)]
        return {(one.collection, one.path): one for one in about}

    found = _with(manifest, work).values()
    items = [Item.of(one, one.text) for one in found if remembered(one.collection)]
    folder = notes_of(manifest)
    noted = lines(folder, {item.id for item in items}) if folder is not None else []
    return About(
        [item.shown() for item in items],
        [_shown(one) for one in found if not remembered(one.collection)],
        [{"day": day, "line": line} for day, line in noted],
    )


def forget(manifest: Manifest, subjects: Iterable[str]) -> Gone:
    """Destroy every document about these names, which are one person's. Raises KnowledgeError, ManifestError."""
    if not there(manifest):
        return Gone()
    from ringfence.knowledge.memory.scopes import remembered

    async def work(index: Index) -> list[tuple[str, str]]:
        async with lock_of(manifest)():  # who saves just now does not bring back what they have read before
            return [key for subject in dict.fromkeys(subjects) for key in await index.erase(subject)]

    gone = _with(manifest, work)
    memories = {path for collection, path in gone if remembered(collection)}
    _strike(manifest, memories)
    return Gone(len(gone) - len(memories), len(memories))


def expire(manifest: Manifest, rules: Sequence[tuple[Rule, frozenset[str]]], now: int) -> int:
    """Destroy memories that have expired by `now`, and those that nobody has said again since a rule's time; how many.

    rules  each with the names of its subject, none: everybody's

    It reaches what this agent remembers, and what persons and teams own in its store. Raises KnowledgeError.
    """
    if not there(manifest):
        return 0
    from ringfence.knowledge.memory import Item
    from ringfence.knowledge.memory.scopes import collections

    rules = [(rule, names) for rule, names in rules if MEMORY in rule.classes]

    def due(item: Item) -> bool:
        return 0 < item.expires <= now or any(
            item.last.at < rule.before and (not names or not names.isdisjoint(item.subjects)) for rule, names in rules
        )

    async def work(index: Index) -> list[Item]:
        async with lock_of(manifest)():
            kept = await index.held(collections=collections(manifest.runtime.name))
            gone = [item for item in (Item.of(one, one.text) for one in kept) if due(item)]
            for collection in {item.scope.collection for item in gone}:
                await index.remove(collection, [item.id for item in gone if item.scope.collection == collection])
            return gone

    gone = _with(manifest, work)
    _strike(manifest, {item.id for item in gone})
    return len(gone)


def _with(manifest: Manifest, work: Callable[[Index], Coroutine[Any, Any, T]]) -> T:
    async def once() -> T:
        index = index_of(manifest)
        try:
            return await work(index)
        finally:
            await index.aclose()

    return asyncio.run(once())


def _strike(manifest: Manifest, ids: set[str]) -> None:
    from ringfence.knowledge.memory.notes import strike

    if ids and (folder := notes_of(manifest)) is not None:
        strike(folder, ids)


def _shown(document: Document) -> dict[str, JSON]:
    return {
        "collection": document.collection,
        "path": document.path,
        "title": document.title,
        "text": document.text,
        "label": document.label.to_json(),
        "subjects": list(document.subjects),
        "version": document.version,
        "meta": dict(document.meta),
    }
