"""ZIP: its members by the same parsers, each a document. Nothing is ever written to disk."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable

from ringfence.knowledge.errors import Unreadable

from ..bounds import Bounds
from ..clean import shown
from ..draft import Draft, Over, Reading

Read = Callable[[Reading, bytes, str, str, int], None]  # what reads a member, archives included

MEMBER = "!"  # between the name of an archive and that of what is in it
_NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db")
_LEAST_BYTES = 1 << 20  # a ratio says something from here on
_NAME_CHARS = 1_000
_ENCRYPTED = 0x1  # flag bit of a member (APPNOTE 4.4.4)


def opened(data: bytes) -> zipfile.ZipFile:
    """The archive of these bytes; raises Unreadable."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as fault:
        raise Unreadable(f"a broken archive: {fault}"[:200]) from None


def check(archive: zipfile.ZipFile, reading: Reading) -> list[zipfile.ZipInfo]:
    """Its files, before a byte is unpacked; raises Over for a bomb."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    reading.member(len(files))
    reading.unpack(sum(info.file_size for info in files))
    for info in files:
        if _inflated(info, reading.bounds):
            raise Over(f"a bomb: {shown(info.filename)[:100]} unpacks to more than {reading.bounds.ratio} times"
                             " its size")  # fmt: skip
    return files


def _inflated(info: zipfile.ZipInfo, bounds: Bounds) -> bool:
    return info.file_size > _LEAST_BYTES and info.file_size > bounds.ratio * max(1, info.compress_size)


def package(reading: Reading, data: bytes) -> None:
    """Check the parts of an Office file, which is a zip: no bomb, and no entities in its XML, which need a DTD."""
    with opened(data) as archive:
        for info in check(archive, reading):
            if info.flag_bits & _ENCRYPTED:
                raise Unreadable("encrypted", todo="save it without a password")
            if not info.filename.endswith((".xml", ".rels")):
                continue
            with archive.open(info) as part:
                head = part.read(4_096)
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head or b"<\0!\0D\0" in head:
                raise Over("its XML defines entities, as no Office program does: a bomb")


def read(reading: Reading, data: bytes, member: str, depth: int, read_member: Read) -> None:
    """Deliver each member; what cannot be read is a document without blocks whose note says why."""
    if depth >= reading.bounds.depth:
        raise Unreadable(f"an archive more than {reading.bounds.depth} deep in others", todo="unpack it")
    prefix = f"{member}{MEMBER}" if member else ""
    with opened(data) as archive:
        noise = 0
        for info in check(archive, reading):
            name = shown(info.filename)[:_NAME_CHARS]
            if info.filename.startswith(_NOISE[0]) or info.filename.rpartition("/")[2] in _NOISE[1:]:
                noise += 1
                continue
            try:
                if prefix + name in reading.names:
                    name += " (again)"  # which of the two its rights were meant for, nobody knows
                    raise Unreadable("its name is there already")
                content = _content(archive, info)
                read_member(reading, content, info.filename, prefix + name, depth + 1)
            except Over:
                raise
            except Unreadable as fault:
                skip(reading, prefix + safe(name), fault.what)
        if noise:
            skip(reading, member, f"{noise} files that systems leave behind ({', '.join(_NOISE)}) were left out")


def skip(reading: Reading, name: str, why: str) -> None:
    """A document of nothing but a note."""
    draft = Draft(reading.bounds)
    draft.note(why)
    reading.deliver(name, draft)


def safe(name: str) -> str:
    """A name that leads nowhere, for the report of what was refused for its name."""
    return "/".join("(up)" if part == ".." else part for part in name.replace("\\", "/").split("/")).lstrip("/") or "?"


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Of one member; raises Unreadable for what is no plain file by a plain name."""
    parts = info.orig_filename.replace("\\", "/").split("/")
    if info.filename.startswith("/") or ".." in parts or parts[0][1:2] == ":" or len(info.filename) > _NAME_CHARS:
        raise Unreadable("its name leads out of the archive, or is too long")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise Unreadable("a link, and no file" if kind == stat.S_IFLNK else "no regular file")
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable("encrypted", todo="save it without a password")
    if info.file_size == 0:
        raise Unreadable("empty")
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as fault:
        raise Unreadable(f"a broken member: {fault}"[:200]) from None
    except Exception as fault:  # zlib, lzma and bz2 have errors of their own
        raise Unreadable(f"a broken member: {type(fault).__name__}: {fault}"[:200]) from None
