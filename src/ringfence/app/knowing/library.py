"""The library of a manifest: its collections, what was added to them, the index, the model and the parser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringfence.backends import models
from ringfence.core.errors import ManifestError
from ringfence.core.labels import ANYONE, Audience, Clause, Trust, seen_by
from ringfence.jobs import Launcher
from ringfence.manifest.fields import NAME, PATTERNS, READER, SecretRef
from ringfence.manifest.types import Collection, Embedding, Manifest

from ..confine import Chosen

if TYPE_CHECKING:
    from ringfence.knowledge.ingest.refresh import Progress, Report
    from ringfence.knowledge.ingest.walk import Source
    from ringfence.knowledge.library import Library
    from ringfence.knowledge.ports import Embedder, Index

ADDED = "added.json"  # what `kb add` was given, beside the index


@dataclass(frozen=True, slots=True)
class Added:
    """Files and folders that were added to a collection at the command line; `readers` of one that no manifest has."""

    paths: tuple[str, ...]
    readers: tuple[str, ...]


def home_of(manifest: Manifest) -> Path:
    """The folder of the index; beside a Postgres one, of what only this machine has to know."""
    store = manifest.knowledge.store
    return manifest.root / (".ringfence/knowledge" if isinstance(store, SecretRef) else store)


def used(manifest: Manifest) -> bool:
    """Whether there is anything to search."""
    return bool(manifest.knowledge.collections) or (home_of(manifest) / ADDED).is_file()


def open_library(manifest: Manifest, launcher: Launcher) -> Library:
    """Everything but the files: they are opened when they are used. Raises ManifestError, BackendError.

    `launcher` confines what reads the documents.
    """
    from ringfence.knowledge.library import Library
    from ringfence.knowledge.parsing.bounds import Bounds
    from ringfence.knowledge.parsing.confined import ConfinedParser

    sources = sources_of(manifest)
    largest = max((source.max_file_bytes >> 20 for source in sources), default=0) or Bounds().file_mb
    embedding = manifest.knowledge.embedding
    embedder = embedder_of(embedding, models.data_home()) if any(source.vectors for source in sources) else None
    return Library(
        sources,
        index=index_of(manifest),
        parser=ConfinedParser(launcher, bounds=Bounds(file_mb=largest), ocr=manifest.knowledge.ocr),
        embedder=embedder,
        home=home_of(manifest),
        audience=audience_of(embedding),
    )


@asynccontextmanager
async def opened(manifest: Manifest) -> AsyncIterator[Library]:
    """The library of a manifest by itself, for who has no agent. Raises as `open_library` does."""
    launcher = Chosen(manifest.sandbox)
    library = open_library(manifest, launcher)
    try:
        yield library
    finally:
        await library.aclose()
        await launcher.aclose()


async def reindexed(manifest: Manifest, library: Library, progress: Progress) -> tuple[list[Report], int]:
    """Make all anew, memory's vectors too; what became of the documents, and how many of memory were made.

    Memory's go first: an index holds vectors of one model, so that one item that is left would bar another model. Who
    is stopped in between does it again; until then memory is found by words.
    """
    from ..ids import now_ms
    from .remembering import Opened

    memory = Opened(manifest, now_ms)
    try:
        await memory().bare()
        reports = await library.refresh(progress=progress, anew=True)
        return reports, await memory().embed()
    finally:
        await memory.aclose()


def index_of(manifest: Manifest) -> Index:
    """The index that `knowledge.store` names."""
    store = manifest.knowledge.store
    if not isinstance(store, SecretRef):
        from ringfence.knowledge.sqlite import SqliteIndex

        return SqliteIndex(manifest.root / store)
    from ringfence.knowledge.postgres import PostgresIndex

    return PostgresIndex(store)


def embedder_of(config: Embedding, home: Path) -> Embedder:
    """What makes vectors; its weights are looked for when it is used. Raises ManifestError for a name of no model.

    Nothing is kept of those of a server: it may have other weights by now.
    """
    if config.provider == "embedded":
        from ringfence.knowledge.cached import CachedEmbedder
        from ringfence.knowledge.embedding import OnnxEmbedder

        model = models.find(config.model, home, kind="embedding")
        weights, tokenizer = (model.folder(home) / file.file for file in model.files)
        made = OnnxEmbedder(
            weights, tokenizer, name=model.name, digest=model.sha256, dim=model.dim, window=model.window
        )
        return CachedEmbedder(made)
    from ringfence.knowledge.served import OpenAIEmbedder

    key = config.api_key
    return OpenAIEmbedder(str(config.endpoint), config.model, key=key.reveal if key is not None else lambda: None)


def audience_of(config: Embedding) -> Audience | None:
    """Who sees what is embedded; None: nobody, it stays in this process."""
    if config.provider == "embedded":
        return None
    return ANYONE if config.audience is None else seen_by(config.audience)


def sources_of(manifest: Manifest) -> list[Source]:
    """The manifest's collections, and those that exist by `kb add` alone."""
    added = added_to(home_of(manifest))
    sources = [_source(manifest, one, added.pop(one.name, None)) for one in manifest.knowledge.collections]
    return [*sources, *(_stray(name, one) for name, one in added.items())]


def _source(manifest: Manifest, config: Collection, added: Added | None) -> Source:
    from ringfence.knowledge.ingest.walk import Place, Source

    return Source(
        config.name,
        (Place(manifest.root / config.path), *_places(added)),
        readers=_clauses(config.readers),
        trust=Trust[config.trust.upper()],
        include=config.include,
        exclude=config.exclude,
        rights=manifest.root / config.rights if config.rights else None,
        posix=config.posix,
        subject=config.subject or "",
        vectors=config.vectors,
        max_file_bytes=config.max_file_mb << 20,
    )


def _stray(name: str, added: Added) -> Source:
    from ringfence.knowledge.ingest.walk import Source

    return Source(name, _places(added), readers=_clauses(added.readers))


def _places(added: Added | None) -> tuple[Any, ...]:
    from ringfence.knowledge.ingest.walk import Place

    paths = [Path(path) for path in added.paths] if added else []
    return tuple(Place(path, f"{path.name}/" if path.is_dir() else "") for path in paths)


def _clauses(readers: Sequence[str]) -> frozenset[Clause]:
    return frozenset() if not readers or "public" in readers else frozenset({frozenset(readers)})


def named(collection: str) -> str:
    """The name of a collection; raises ManifestError for one that a manifest could not have."""
    if not re.fullmatch(NAME, collection):
        raise ManifestError(f"expected {PATTERNS[NAME]}, got {collection!r}", todo="name the collection otherwise")
    return collection


def readable(readers: Sequence[str] | None) -> Sequence[str] | None:
    """Readers as they are; raises ManifestError for what is none."""
    for one in readers or ():
        if not re.fullmatch(READER, one):
            raise ManifestError(f"expected {PATTERNS[READER]}, got {one!r}", todo="correct it")
    return readers


def named_in_rights(manifest: Manifest, config: Collection) -> list[str]:
    """The roles and teams that a collection's rights file names; whether it can be meant is said when it is used."""
    try:
        text = (manifest.root / config.rights).read_text("utf-8") if config.rights else ""
    except (OSError, ValueError):
        return []
    return re.findall(r"(?<![\w:])(?:role|team):[^\s:,{}\[\]\"']+", text)


def added_to(home: Path) -> dict[str, Added]:
    """What was added, by collection; raises ManifestError for a file that somebody has broken."""
    file = home / ADDED
    try:
        given = json.loads(file.read_bytes())
        return {str(name): Added(tuple(one["paths"]), tuple(one["readers"])) for name, one in given.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ManifestError(f"{file} cannot be read: {fault}", todo="remove it, and add the paths again") from None


def add_to(home: Path, collection: str, paths: Sequence[Path], readers: Sequence[str] | None, *, whose: str) -> None:
    """Remember paths of a collection. One that nobody has named readers for is `whose` alone: absence denies."""
    known = added_to(home)
    before = known.get(collection, Added((), (whose,)))
    paths_now = tuple(dict.fromkeys((*before.paths, *(str(path) for path in paths))))
    known[collection] = Added(paths_now, before.readers if readers is None else tuple(readers))
    _write(home, known)


def take_from(home: Path, collection: str, path: Path) -> bool:
    """Forget a path that was added; whether there was one."""
    known = added_to(home)
    before = known.get(collection)
    if before is None or str(path) not in before.paths:
        return False
    left = tuple(one for one in before.paths if one != str(path))
    known[collection] = Added(left, before.readers)
    _write(home, {name: one for name, one in known.items() if one.paths})
    return True


def _write(home: Path, known: Mapping[str, Added]) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = home / f".{ADDED}.new"
    text = json.dumps({name: {"paths": one.paths, "readers": one.readers} for name, one in known.items()}, indent=1)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(home / ADDED)
