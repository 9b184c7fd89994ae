"""The parser at our end: it hands the bytes of a file to a confined process, and takes blocks from it as data."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON
from ringfence.jobs import Job, Launcher, Limits, Process, interpreter

from ..errors import KnowledgeError, Unreadable
from ..ports import Parsed
from .bounds import Bounds
from .checked import Documents
from .clean import line, shown
from .wire import ANSWER_BYTES, LENGTH_BYTES, PIECE_BYTES, length, packed

ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OMP_THREAD_LIMIT": "1"}
LIVES_CPU_S = 3_600.0  # of one process, all of its files together; it is replaced before it could run out
START_S = 60.0
SLACK_S = 15.0  # for a file to be taken in
_AT_ONCE_BYTES = 1 << 18
TAIL_BYTES = 2_000  # of stderr, that are kept for the operator
_ENDS = {
    "wall": "was not read within {wall_s:g} s",
    "answer": "says more than can be taken in",
    "signal 24": "takes more than {cpu_s:g} s of CPU time to read",  # SIGXCPU
    "signal 9": "takes more than the memory or time that it may to read",
    "memory": "takes more than {memory_mb} MB of memory to read",
    "signal 6": "its parser gave up, as when {memory_mb} MB of memory do not suffice",
    "signal 11": "its parser crashed (signal 11)",
}


class _Lost(Exception):
    """The process is gone, and the file may not be the cause."""


@dataclass(eq=False)
class _Life:
    """One confined process, on one event loop."""

    process: Process
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    cpu_s: float = 0.0
    tail: deque[bytes] = field(default_factory=lambda: deque(maxlen=4))

    def __post_init__(self) -> None:
        self._drain = self.loop.create_task(self._drained())

    async def _drained(self) -> None:
        while piece := await self.process.stderr.read(65_536):
            self.tail.append(piece[-TAIL_BYTES:])

    async def send(self, request: bytes, opened: int) -> None:
        """Write a request and the file as the process takes them; raises _Lost."""
        try:
            self.process.stdin.write(packed(request))
            size = PIECE_BYTES
            while size == PIECE_BYTES:  # a file that is read short has ended
                piece = await asyncio.to_thread(os.read, opened, PIECE_BYTES)
                size = len(piece)
                self.process.stdin.write(packed(piece) if piece else b"")
                await self.process.stdin.drain()
            self.process.stdin.write(packed(b""))
            await self.process.stdin.drain()
        except ConnectionError:
            raise _Lost from None

    async def piece(self) -> bytes:
        """The next piece that it says; raises _Lost."""
        try:
            head = await self.process.stdout.readexactly(LENGTH_BYTES)
            return await self.process.stdout.readexactly(length(head))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            raise _Lost from None

    async def end(self) -> str:
        """Stop it, and return when nothing of it is left; how it ended."""
        self.process.kill()
        how = await self.process.wait()
        await asyncio.gather(self._drain, return_exceptions=True)
        return how


class ConfinedParser:
    """A `ports.Parser`. One process, started when first needed, reads one file after the other, a fork for each.

    launcher  confines it: no network, no file of the host but this interpreter's own; what it reads comes by a pipe
    bounds    of one file
    ocr       languages for tesseract ("eng", "deu+eng"), which reads pages that are scans; empty: they are noted
    """

    def __init__(self, launcher: Launcher, *, bounds: Bounds | None = None, ocr: str = "") -> None:
        self._launcher = launcher
        self._bounds = bounds or Bounds()
        self._ocr = ocr
        self._turn = asyncio.Lock()
        self._life: _Life | None = None
        self._closings = 0
        self.starts = 0  # of processes so far
        self.peak_mb = 0.0  # of memory that the reading of a file took
        self.last_words = ""  # of the last process that was lost: for the operator, never for a model

    async def parse(self, path: str, data_path: str) -> Sequence[tuple[str, Parsed]]:
        """The file behind `data_path` called `path`: itself as ("", Parsed), or the members of an archive by name.

        A message is itself and its attachments. A member that cannot be read has no blocks, and a note that says why.
        Raises Unreadable for the file's own faults, OSError where it cannot be opened now, KnowledgeError where no
        process can be started.
        """
        closings = self._closings
        async with self._turn:
            opened = await asyncio.to_thread(_opened, data_path, self._bounds.file_mb)
            try:
                for last in (False, True):
                    self._still(closings)
                    life = await self._alive()
                    os.lseek(opened, 0, os.SEEK_SET)
                    try:
                        return await self._asked(life, path, opened)
                    except _Lost:
                        how = await self._ended()
                        self._still(closings)
                        if last or how in ("memory", "cpu"):
                            raise Unreadable(self._words(how)) from None
                    except Unreadable:
                        raise
                    except BaseException:  # given up half-way: what the process still says is nobody's answer
                        await self._ended()
                        raise
                raise AssertionError("unreachable")
            finally:
                os.close(opened)

    def _still(self, closings: int) -> None:
        """Raises KnowledgeError where it was closed in the meantime: nothing is started again behind its back."""
        if closings != self._closings:
            raise KnowledgeError("the parser was closed while it read", todo="read it again")

    async def aclose(self) -> None:
        """Stop what runs; it starts again when it is asked again."""
        self._closings += 1
        await self._ended()

    async def _asked(self, life: _Life, path: str, opened: int) -> Sequence[tuple[str, Parsed]]:
        """Send the file and take its documents, in time."""
        bounds: JSON = asdict(self._bounds)
        request = {"name": shown(path)[-1_000:], "bounds": bounds, "ocr": self._ocr}
        documents = Documents(self._bounds)
        try:
            async with asyncio.timeout(self._bounds.wall_s + SLACK_S), asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(life.send(json.dumps(request).encode(), opened))
                size = since = 0
                while piece := await life.piece():
                    size, since = size + len(piece), since + len(piece)
                    if size > ANSWER_BYTES:
                        raise _Lost
                    if b"\n" not in piece:
                        documents.take(piece)
                        continue
                    if since > _AT_ONCE_BYTES:  # a long line takes its time to be understood
                        await asyncio.to_thread(documents.take, piece)
                    else:
                        documents.take(piece)
                    since = 0
                status = json.loads(await life.piece())
                await sending
        except TimeoutError:
            await self._ended()
            raise Unreadable(self._words("wall")) from None
        except BaseExceptionGroup as group:
            raise _first(group) from None
        life.cpu_s = float(status["cpu"])
        self.peak_mb = max(self.peak_mb, float(status["peak_mb"]))
        ended = str(status["ended"])
        if ended != "exit 0":
            raise Unreadable(self._words(ended))
        return documents.all()

    def _words(self, how: str) -> str:
        words = _ENDS.get(how, f"its parser broke down ({line(how, chars=40)})")
        return words.format(**asdict(self._bounds))

    async def _alive(self) -> _Life:
        life = self._life
        if life is not None and (life.loop is not asyncio.get_running_loop() or self._worn(life)):
            await self._ended()
            life = None
        if life is None:
            self.starts += 1
            try:
                process = await self._launcher.start(self._job())
            except ToolError as fault:
                raise KnowledgeError(f"no confined parser can be started: {fault.what}", todo=fault.todo) from None
            life = self._life = _Life(process)
            await self._ready(life)
        return life

    async def _ready(self, life: _Life) -> None:
        """Wait until it has loaded what it needs; no file is at fault if it never does."""
        try:
            async with asyncio.timeout(START_S):
                await life.piece()
        except (TimeoutError, _Lost):
            how = await self._ended()
            words = line(self.last_words.rstrip().rpartition("\n")[2], chars=300)
            todo = "its libraries come with the extra: pip install 'ringfence[rag]'"
            raise KnowledgeError(f"the confined parser did not start ({how}): {words}", todo=todo) from None
        except BaseException:
            await self._ended()
            raise

    def _worn(self, life: _Life) -> bool:
        return life.cpu_s > LIVES_CPU_S - 2 * self._bounds.cpu_s

    def _job(self) -> Job:
        python, first, needed = interpreter()
        program = f"{first} from ringfence.knowledge.parsing.process import main; main()"
        limits = Limits(
            cpu_s=LIVES_CPU_S,
            wall_s=None,
            memory_mb=self._bounds.memory_mb + 2 * self._bounds.file_mb + 64,
            processes=16,
            file_mb=1,
            open_files=64,
        )
        argv = (python, "-I", "-S", "-B", "-X", "utf8", "-c", program)
        return Job(argv, env=ENV, reads=needed, limits=limits)

    async def _ended(self) -> str:
        life, self._life = self._life, None
        if life is None:
            return "signal 9"
        if life.loop is not asyncio.get_running_loop():
            life.process.kill()
            return "signal 9"
        with contextlib.suppress(TimeoutError):  # it may be ending by itself, and say how
            async with asyncio.timeout(0.5 if life.process.stdout.at_eof() else 0.0):
                await life.process.wait()
        how = await life.end()
        self.last_words = b"".join(life.tail)[-TAIL_BYTES:].decode("utf-8", "replace")
        return how


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one that counts of what went wrong at once."""
    for fault in group.exceptions:
        if not isinstance(fault, _Lost):
            return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
    return _Lost()


def _opened(data_path: str, file_mb: int) -> int:
    """The descriptor of a file that can be read to its end. Raises Unreadable, and OSError for what may pass."""
    try:
        fd = os.open(data_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        if fault.errno in (errno.ELOOP, errno.ENXIO):
            raise Unreadable("a link or a socket, and no file") from None
        raise
    status = os.fstat(fd)
    why = ""
    if not stat.S_ISREG(status.st_mode):
        why = "no regular file"
    elif status.st_size == 0:
        why = "empty"
    elif status.st_size > file_mb << 20:
        why = f"larger than {file_mb} MB ({status.st_size / (1 << 20):,.0f} MB)"
    if why:
        os.close(fd)
        raise Unreadable(why)
    return fd
