"""The files of a collection: what is taken, under which name, and what is left out with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Clause, Trust

SIDECAR = ".readers"  # of `x.pdf`: `x.pdf.readers`
MAX_DEPTH = 64  # folders within folders
MAX_FILES = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that belongs to a collection, and what the names of its documents begin with (`notes/`)."""

    path: Path
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A collection as its operator describes it; the manifest's `Collection`, and what `kb add` has added to it.

    readers           every document's first clause; none: everyone
    include, exclude  globs as in .gitignore; nothing included: everything
    rights            a file that says who may read which documents, beside `readers`
    posix             the files' own modes and groups count, beside `readers`
    vectors           found by meaning too
    """

    name: str
    places: tuple[Place, ...]
    readers: frozenset[Clause] = frozenset()
    trust: Trust = Trust.UNTRUSTED
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rights: Path | None = None
    posix: bool = False
    subject: str = ""
    vectors: bool = True
    max_file_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file to take: what it is called in its collection, where it is, and its status when it was seen."""

    name: str
    path: Path
    status: os.stat_result


@dataclass(slots=True)
class Walk:
    """The files of a source, and what is not taken: (name, why). `whole`: every place of it could be looked at."""

    files: list[Found] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    whole: bool = True


def walk(source: Source) -> Walk:
    """Look at every place of a source. Links are not followed: what they point to may belong to others.

    Raises ManifestError for a glob that cannot be meant.
    """
    wanted, unwanted = _spec(source, source.include), _spec(source, source.exclude)
    found = Walk()
    for place in source.places:
        if not place.path.exists():
            found.skipped.append((place.prefix or str(place.path), "is not there; what was indexed of it is kept"))
            found.whole = False
            continue
        for name, path in _files(place, found):
            if unwanted is not None and unwanted.match_file(name):
                continue
            if wanted is not None and not wanted.match_file(name):
                continue
            _take(found, source, name, path)
            if len(found.files) >= MAX_FILES:
                found.skipped.append((name, f"and what follows: a collection has {MAX_FILES:,} files at most"))
                return found
    found.files.sort(key=lambda one: one.name)
    return found


def _take(found: Walk, source: Source, name: str, path: Path) -> None:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError as fault:
        found.skipped.append((name, f"cannot be looked at: {fault.strerror}"))
        return
    if status.st_size > source.max_file_bytes:
        size = f"{status.st_size / 2**20:,.0f} MB, more than max_file_mb ({source.max_file_bytes >> 20})"
        found.skipped.append((name, size))
        return
    found.files.append(Found(name, path, status))


def _files(place: Place, found: Walk) -> Iterator[tuple[str, Path]]:
    """Names and paths below a place; hidden files, links and devices are none of ours."""
    if place.path.is_file():
        yield place.prefix + place.path.name, place.path
        return
    pending: list[tuple[str, Path, int]] = [(place.prefix, place.path, 0)]
    while pending:
        prefix, folder, depth = pending.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as fault:
            found.skipped.append((prefix, f"cannot be opened: {fault.strerror}"))
            found.whole = False
            continue
        for entry in entries:
            name = prefix + entry.name
            if entry.name.startswith(".") or entry.name.endswith(SIDECAR):
                continue
            if not entry.name.isprintable():
                found.skipped.append((ascii(name), "its name holds characters that nobody could see"))
            elif entry.is_symlink():
                found.skipped.append((name, "is a link; add what it points to"))
            elif entry.is_dir(follow_symlinks=False):
                if depth >= MAX_DEPTH:
                    found.skipped.append((name, f"lies deeper than {MAX_DEPTH} folders"))
                else:
                    pending.append((f"{name}/", folder / entry.name, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield name, folder / entry.name
            else:
                found.skipped.append((name, "is no regular file"))


def _spec(source: Source, globs: Sequence[str]) -> GitIgnoreSpec | None:
    if not globs:
        return None
    try:
        return GitIgnoreSpec.from_lines(globs)
    except ValueError as fault:
        raise ManifestError(
            f"collection {source.name}: expected globs such as *.pdf or 2026/**, got {', '.join(globs)}: {fault}",
            todo="correct include or exclude",
        ) from None
