"""Files as blocks of whole lines, however large they are: bounded in memory, in time and in CPU time."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ringfence.core.errors import ToolError

from .encoded import BOM, as_utf8, is_packed, unpacked
from .folders import SNIFF_BYTES, Entry, Folders, Source, is_binary, size_text
from .texts import reason

BLOCK_BYTES = 2**20
LINE_BYTES = 8 * 2**20  # what is kept of one line
WALK_S = 5.0
PACKED = 2**62  # the size of what nobody knows before it is unpacked
STREAM_S = 18.0  # to read and search; a call in a worker has 30


class Budget:
    """Until when there is time: `seconds` from now, or less where the kernel ends this process for its CPU time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds
        self._cpu_until = max(0.9 * _cpu_limit(), _cpu_limit() - 2.0)

    @property
    def over(self) -> bool:
        """Whether to stop here."""
        return time.monotonic() > self._until or time.process_time() > self._cpu_until


def _cpu_limit() -> float:
    try:
        import resource
    except ImportError:  # not on this system
        return math.inf
    soft = resource.getrlimit(resource.RLIMIT_CPU)[0]
    return math.inf if soft == resource.RLIM_INFINITY else float(soft)


@dataclass(slots=True)
class Reading:
    """What one pass over a corpus has read.

    `late`: it stopped for want of time; `long`: lines of which a part is; `legacy`: not all was UTF-8.
    """

    files: int = 0
    first: str = ""
    late: bool = False
    long: int = 0
    legacy: bool = False
    skipped: list[str] = field(default_factory=list)


class Corpus:
    """The texts beneath a path (a file, a folder, or everything) as (name, block) pairs, as often as it is iterated.

    Consecutive blocks of one name are one text; each but the last ends with a line. `reading` tells of the last pass.
    Raises ToolError for a single file that cannot be read; among many it is left out, with the reason.
    """

    def __init__(self, folders: Folders, path: str, budget: Budget) -> None:
        self._folders = folders
        self._budget = budget
        self._walk = folders.walk(path, seconds=WALK_S)
        self._alone = not self._walk.folders and len(self._walk.files) == 1
        self.reading = Reading()

    @property
    def names(self) -> tuple[int, str]:
        """How many texts the last pass has read, and the name of the first."""
        return self.reading.files, self.reading.first

    @property
    def late(self) -> bool:
        """Whether the last pass did not read everything, or no time is left for another one."""
        return self.reading.late or self._budget.over

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        self.reading = reading = Reading(skipped=list(self._walk.skipped))
        for entry in self._walk.files:
            if reading.late or self._budget.over:
                if not reading.late:
                    reading.skipped.insert(0, f"{entry.path} and the rest (no time left)")
                reading.late = True
                return
            try:
                yield from self._of(entry, reading)
            except ToolError as error:
                if self._alone:
                    raise
                reading.skipped.append(f"{entry.path} ({reason(error, entry)})")

    def _of(self, entry: Entry, reading: Reading) -> Iterator[tuple[str, bytes]]:
        with opened(self._folders, entry.path, unpack=True) as source, _sound(source):
            reading.files += 1
            reading.first = reading.first or source.path
            counter = Blocks(source)
            for block in counter:
                text = as_utf8(block)
                reading.legacy = reading.legacy or text is not block
                yield source.path, text
                if self._budget.over and counter.read < source.size:
                    reading.late = True
                    rest = f"{size_text(source.size - counter.read)} of {size_text(source.size)}"
                    rest = "part" if source.size == PACKED else rest
                    reading.skipped.insert(0, f"{source.path} (the last {rest}, and what follows: no time left)")
                    break
            reading.long += counter.long


@contextmanager
def opened(folders: Folders, path: str, *, unpack: bool = False) -> Iterator[Source]:
    """A text file of any size that the operator allows; raises ToolError if it is larger, or binary.

    `unpack`: one that is compressed by gzip is read as what it holds, of no known size.
    """
    with folders.open(path) as source:
        if source.size > folders.max_stream_bytes:
            limit = size_text(folders.max_stream_bytes)
            raise ToolError(
                f"{source.path} is {size_text(source.size)}, more than the limit of {limit}",
                todo="use files.read with first and last to see a part of it",
            )
        head = source.stream.read(SNIFF_BYTES)
        if unpack and is_packed(head):
            source.stream.seek(0)
            source = Source(source.path, PACKED, source.changed, unpacked(source.stream))
            with _sound(source):
                head = source.stream.read(SNIFF_BYTES)
        if is_binary(head):
            raise ToolError(f"{source.path} is a binary file, not text")
        source.stream.seek(0)
        yield source


@contextmanager
def _sound(source: Source) -> Iterator[None]:
    """ToolError where a file that was compressed cannot be unpacked to its end."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        if source.size != PACKED:
            raise
        raise ToolError(f"{source.path} is broken: it cannot be unpacked to its end") from error


class Blocks:
    """The blocks of a source, without its byte order mark. `read`: bytes so far; `long`: lines that were cut.

    A block may begin in no line but at its beginning: a line longer than LINE_BYTES is cut there, and its rest skipped.
    """

    def __init__(self, source: Source, *, line_bytes: int = LINE_BYTES) -> None:
        self._source = source
        self._line_bytes = line_bytes
        self.read = 0
        self.long = 0

    def __iter__(self) -> Iterator[bytes]:
        begun: list[bytes] = []  # of a line that has not ended
        size, skipping = 0, False
        while piece := self._source.stream.read(BLOCK_BYTES):
            if not self.read:
                self.read, piece = self.read + (len(piece) - len(piece.removeprefix(BOM))), piece.removeprefix(BOM)
            self.read += len(piece)
            if skipping:
                end = piece.find(b"\n")
                if end < 0:
                    yield b""  # so that whoever reads can stop
                    continue
                skipping, piece = False, piece[end + 1 :]
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield b"".join((*begun, piece[:cut]))
                begun, size = [], 0
            begun.append(piece[cut:])
            size += len(begun[-1])
            if size > self._line_bytes:
                self.long += 1
                yield b"".join(begun)[: self._line_bytes] + b"\n"
                begun, size, skipping = [], 0, True
        if size:
            yield b"".join(begun)
