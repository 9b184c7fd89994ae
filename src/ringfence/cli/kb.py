"""`ringfence kb`: the documents of a manifest, taken in, searched and forgotten."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from .. import app
from ..app.knowing import library as knowing
from ..core.errors import ManifestError
from ..core.labels import Label
from ..core.values import Principal
from ..manifest.loader import load
from ..manifest.types import Manifest
from .exits import Exit
from .interrupt import interruptible
from .models import fetch_embedding
from .screen import console
from .text import plain

if TYPE_CHECKING:
    from ..knowledge.ingest.refresh import Progress, Report
    from ..knowledge.library import Library, Passage
    from ..knowledge.ports import Hit

T = TypeVar("T")

_ROOM = 4_000  # characters of the passages that one search shows
_LISTED = 20  # files that a report names


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search looks for, and where."""

    question: str
    collections: tuple[str, ...]
    paths: tuple[str, ...]
    limit: int


def add(
    path: Path,
    paths: Sequence[Path],
    collection: str,
    readers: Sequence[str] | None,
    *,
    offline: bool,
    as_json: bool,
) -> Exit:
    """Remember where documents are, and take them in."""
    manifest = load(path)
    for one in paths:
        if not one.exists():
            raise ManifestError(f"expected a file or a folder, got no such one: {one}", todo="correct the path")
    own = {one.name for one in manifest.knowledge.collections}
    if readers and collection in own:
        raise ManifestError(
            f"expected no --readers: the manifest says who may read {collection}",
            todo="leave it out, or add to another collection",
        )
    knowing.add_to(
        knowing.home_of(manifest),
        knowing.named(collection),
        [one.resolve() for one in paths],
        knowing.readable(readers),
        whose=app.operator(manifest).subject,
    )
    return refresh(path, [collection], anew=False, offline=offline, as_json=as_json)


def refresh(path: Path, names: Sequence[str], *, anew: bool, offline: bool, as_json: bool) -> Exit:
    """Take in what has changed, with a bar; the report at the end."""

    async def work() -> list[Report]:
        manifest, out = load(path), console(stderr=True)
        await fetch_embedding(manifest, out, offline=offline)
        async with knowing.opened(manifest) as library:
            with _bar(out) as progress:
                if anew and not names:
                    made, count = await knowing.reindexed(manifest, library, progress)
                    print(f"memory: {count} vectors made" if count else "", end="\n" if count else "", file=sys.stderr)
                    return made
                return await library.refresh(names, progress, anew=anew)

    reports = asyncio.run(interruptible(work()))
    if as_json:
        print(json.dumps([asdict(report) for report in reports]))
    else:
        for report in reports:
            _print(report)
    return Exit.DONE


def list_documents(path: Path, names: Sequence[str], roles: Sequence[str], *, as_json: bool) -> None:
    """The documents that one may read, a line each."""

    async def work(library: Library, who: Principal) -> None:
        found = await library.documents(who.member, names)
        if as_json:
            print(json.dumps([{**_about(one.label), "document": f"{one.collection}/{one.path}"} for one in found]))
            return
        for one in found:
            print(plain(f"{one.collection}/{one.path}  {_readers(one.label)}  {one.label.trust.name.lower()}"))
        if not found:
            print("there are no documents that you may read", file=sys.stderr)

    _with_library(path, roles, work)


def search(path: Path, wanted: Wanted, roles: Sequence[str], *, as_json: bool) -> Exit:
    """Print the best passages; exit 1 if there are none."""

    async def work(library: Library, who: Principal) -> Exit:
        hits = await library.search(
            wanted.question, who.member, collections=frozenset(wanted.collections), paths=wanted.paths,
            limit=wanted.limit, now=app.now_ms(),
        )  # fmt: skip
        found = await library.passages(hits, wanted.question, room=max(_ROOM, 400 * len(hits)))
        if as_json:
            print(json.dumps([_shown(one, hit) for one, hit in zip(found, hits, strict=True)]))
        for n, one in enumerate(found if not as_json else (), 1):
            where = [f"page {one.page}" if one.page else "", " > ".join(one.headings), f"{one.start}-{one.end}"]
            print(plain(f"[{n}] {one.document}, {', '.join(filter(None, where))}"))
            print(plain("    " + " ".join(one.text.split()) + "\n"))
        if not found and not as_json:
            print("nothing was found among the documents that you may read", file=sys.stderr)
        return Exit.DONE if found else Exit.UNANSWERED

    return _with_library(path, roles, work)


def show(path: Path, document: str, roles: Sequence[str], *, at: int) -> Exit:
    """Print a document from a character on."""

    async def work(library: Library, who: Principal) -> Exit:
        found = await library.read(document, who.member, start=at)
        if found is None:
            print(plain(f"there is no document {document!r} that you may read"), file=sys.stderr)
            return Exit.UNANSWERED
        head = f"{found.document}: {found.title}; {_readers(found.label)}; {found.label.trust.name.lower()}"
        print(plain(f"{head}; characters {found.start} to {found.end} of {found.of}"), file=sys.stderr)
        print(plain(found.text))
        return Exit.DONE

    return _with_library(path, roles, work)


def remove(path: Path, what: str, collection: str, *, yes: bool) -> Exit:
    """Forget a path that was added, or all that is held of a collection."""
    manifest = load(path)
    named, where = collection or what, Path(what).resolve()
    if not yes:
        if not sys.stdin.isatty():
            raise ManifestError("expected --yes where nobody can be asked", todo="the files themselves stay")
        print(f"Forget {what}? [y/N] ", end="", file=sys.stderr)
        if input().strip().casefold() not in ("y", "yes"):
            print("nothing was forgotten", file=sys.stderr)
            return Exit.UNANSWERED

    async def work() -> None:
        home = knowing.home_of(manifest)
        async with knowing.opened(manifest) as library:
            library.source(named)
            if not collection:
                await library.forget(named)
                for one in knowing.added_to(home).get(named, knowing.Added((), ())).paths:
                    knowing.take_from(home, named, Path(one))
                return
            if not knowing.take_from(home, named, where):
                raise ManifestError(
                    f"expected a path that was added to {named}, got {what}", todo="see `ringfence kb status`"
                )
        async with knowing.opened(manifest) as library:  # without the path: what is gone is forgotten
            if named in library.sources:
                await library.refresh([named])
                return
            await library.index.drop(named)

    asyncio.run(interruptible(work()))
    print(plain(f"forgot {what}"), file=sys.stderr)
    return Exit.DONE


def status(path: Path, names: Sequence[str], *, as_json: bool) -> None:
    """What is held, what is skipped and why, and what has changed."""

    async def work(library: Library, who: Principal) -> None:
        held = {one.collection: one for one in await library.status(who.member)}
        rows = []
        for name in names or library.sources:
            report = await library.survey(name)
            one = held.get(name)
            rows.append({
                "collection": name, "documents": one.documents if one else 0, "chunks": one.chunks if one else 0,
                "characters": one.characters if one else 0, "model": one.model if one else "",
                "new": report.added, "changed": report.changed, "gone": report.removed, "skipped": report.skipped,
            })  # fmt: skip
        if as_json:
            print(json.dumps(rows))
            return
        for row in rows:
            _print_status(row)

    _with_library(path, (), work)


def watch(path: Path, *, offline: bool) -> Exit:
    """Take changes in until Ctrl-C."""
    refresh(path, (), anew=False, offline=offline, as_json=False)

    async def work() -> None:
        async with knowing.opened(load(path)) as library:
            print("watching; press Ctrl-C to stop", file=sys.stderr)
            async for report in library.watch():
                _print(report)

    asyncio.run(interruptible(work()))
    return Exit.DONE


def _with_library(path: Path, roles: Sequence[str], work: Callable[[Library, Principal], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, given the library and whoever is at this terminal, with some of their roles alone."""

    async def run() -> T:
        async with _opened(load(path), roles) as (library, who):
            return await work(library, who)

    return asyncio.run(interruptible(run()))


@asynccontextmanager
async def _opened(manifest: Manifest, roles: Sequence[str]) -> AsyncIterator[tuple[Library, Principal]]:
    if not knowing.used(manifest):
        raise ManifestError(
            "this manifest has no documents", todo="name some under knowledge.collections, or `ringfence kb add`"
        )
    async with knowing.opened(manifest) as library:
        yield library, app.narrowed(app.operator(manifest), roles)


def _print(report: Report) -> None:
    print(
        f"{report.collection}: {report.added} new, {report.changed} changed, {report.removed} gone,"
        f" {report.unchanged} as before; {report.chunks} chunks in {report.seconds:.1f} s"
    )
    _print_files("skipped", report.skipped)
    _print_files("note", report.notes)


def _print_status(row: dict[str, Any]) -> None:
    pending = [f"{row[key]} {key}" for key in ("new", "changed", "gone") if row[key]]
    state = f"not taken in yet: {', '.join(pending)}" if pending else "up to date"
    print(
        f"{row['collection']}: {row['documents']} documents, {row['chunks']} chunks, {row['characters']:,} characters,"
        f" {row['model'] or 'by words alone'}; {state}"
    )
    _print_files("skipped", row["skipped"])


def _print_files(what: str, files: Sequence[tuple[str, str]]) -> None:
    for name, why in files[:_LISTED]:
        print(plain(f"  {what}: {name}: {why}"))
    if len(files) > _LISTED:
        print(f"  and {len(files) - _LISTED} more; --json lists them all")


def _shown(one: Passage, hit: Hit) -> dict[str, Any]:
    ranks = {"score": hit.score, "words": hit.words, "meaning": hit.meaning, "similarity": hit.similarity}
    place = {"title": one.title, "page": one.page, "headings": one.headings, "start": one.start, "end": one.end}
    return {"document": one.document, **place, **ranks, **_about(one.label), "text": one.text}


def _about(label: Label) -> dict[str, Any]:
    return {"readers": sorted(sorted(clause) for clause in label.readers), "trust": label.trust.name.lower()}


def _readers(label: Label) -> str:
    """`role:hr or user:alice, and role:staff`; everyone."""
    clauses = sorted(" or ".join(sorted(clause)) for clause in label.readers)
    return f"for {', and '.join(clauses)}" if clauses else "for everyone"


@contextmanager
def _bar(out: Console) -> Iterator[Progress]:
    """How far the files are; without a terminal, nothing: the report says it all."""
    if not out.is_terminal or out.is_dumb_terminal:
        yield lambda step: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    text = TextColumn("{task.description}", markup=False)
    with Progress(text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=out) as bar:
        tasks: dict[str, Any] = {}

        def show(step: Any) -> None:
            if step.collection not in tasks:
                tasks[step.collection] = bar.add_task(step.collection, total=step.total)
            about = plain(f"{step.collection}: {step.chunks} chunks, {step.name}"[:70])
            bar.update(tasks[step.collection], completed=step.done, total=step.total, description=about)

        yield show
