"""Tools that run out of our process: a worker that is started confined, watched, and replaced when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.core.errors import ToolError, Uncertain
from ringfence.core.values import JSON, Action, Outcome, canonical, ordered
from ringfence.jobs import Job, Launcher, Limits, Process, distinct, interpreter
from ringfence.tracing import headers

from .tool import Tool
from .wire import MAX_LINE_BYTES, decoded, lines

START_S = 30.0
AT_ONCE = 4  # calls in one worker; the others wait their turn
MAX_DOUBLINGS = 7  # of the pause after a failure, a quarter of a second at first
FLOOD_BYTES = 16 * 2**20  # of stderr, from one answer to the next
TAIL_BYTES = 2_000  # of stderr, that are kept
HIDE_CHARS = 8  # a shorter secret would be found in the midst of words
TEXT_CHARS = 2_000  # of a failure, that the model is shown
ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}  # threads reserve memory by the arena
ENDS = {
    "memory": "it used more memory than it may",
    "cpu": "it used more CPU time than it may",
    "wall": "it ran for longer than it may",
}


class _Lost(Uncertain):
    """The process ended, and a call with it: `blameless` if another one may be the cause, `unsent` if it surely is."""

    def __init__(self, what: str, *, blameless: bool = False, unsent: bool = False) -> None:
        super().__init__(what)
        self.blameless = blameless
        self.unsent = unsent


def job(
    reads: Iterable[str] = (),
    *,
    env: Mapping[str, str],
    limits: Limits,
    writes: tuple[str, ...] = (),
) -> Job:
    """The job of a worker: this interpreter without the caller's environment, and what it may see beside it."""
    python, first, needed = interpreter()
    # nothing of an import is garbage: looking for some takes a sixth of a start
    code = f"import gc; gc.disable(); {first} from ringfence.tools.worker import main; gc.freeze(); gc.enable(); main()"
    program = (python, "-I", "-S", "-B", "-X", "utf8", "-c", code)
    return Job(program, env={**ENV, **env}, reads=distinct((*needed, *reads)), writes=writes, limits=limits)


@dataclass(eq=False)
class _Life:
    """One process of a worker, from its start to its end, on one event loop."""

    process: Process
    places: tuple[object, ...]
    hide: tuple[bytes, ...] = ()
    at_once: int = AT_ONCE
    run: str = ""  # the run whose call is under way
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    pending: dict[int, tuple[asyncio.Future[JSON], asyncio.TimerHandle]] = field(default_factory=dict)
    ended: str = ""
    retired: str = ""  # why it takes no more calls, and ends with the last of those that it has
    cpu_s: float = 0.0
    printed: int = 0  # since the last answer
    counted: bool = False
    tail: deque[bytes] = field(default_factory=lambda: deque(maxlen=8))

    def __post_init__(self) -> None:
        self._turn = asyncio.Semaphore(self.at_once)
        self._next = 0
        self._tasks = [self.loop.create_task(self._read()), self.loop.create_task(self._drain())]

    async def ask(self, request: Mapping[str, JSON], what: str, seconds: float, *, again: bool = False) -> JSON:
        """One request and its answer, within `seconds` of being sent. Raises ToolError, of which _Lost is one.

        `again`: it does no harm if it goes on beside the others for a while after that.
        """
        async with self._turn:
            if why := self.ended or self.retired:
                raise _Lost(why, unsent=True)
            number, self._next = self._next, self._next + 1
            line = ordered({"id": number, **request}) + b"\n"
            if len(line) > MAX_LINE_BYTES:
                raise ToolError(f"{what}: the arguments are larger than {MAX_LINE_BYTES >> 20} MB", todo="give less")
            self.run = str(request.get("run", ""))
            answer: asyncio.Future[JSON] = self.loop.create_future()
            late = Uncertain(f"{what} did not end within {seconds:g} s", todo="ask for less")
            self.pending[number] = (answer, self.loop.call_later(seconds, self._expire, number, late, again))
            with contextlib.suppress(ConnectionError):  # it has ended: the reader of its answers says why
                self.process.stdin.write(line)
                await self.process.stdin.drain()
            try:
                return await answer
            except asyncio.CancelledError:
                if self.at_once == 1:  # what it still did would pass for the next call's doing
                    self.end("its call was given up")
                raise

    def _expire(self, number: int, late: ToolError, again: bool) -> None:
        """One call has taken too long. What others asked for meanwhile is let end, unless this one may do harm yet."""
        answer, _ = self.pending.pop(number)
        if not answer.done():
            answer.set_exception(late)
        self.retired = "it was stopped with another call, which did not end"
        if not (again and self.pending):
            self.end(self.retired, blameless=True)

    async def _read(self) -> None:
        why = ""
        try:
            async for line in lines(self.process.stdout):
                for secret in self.hide:
                    line = line.replace(secret, b"[hidden]")
                self._settle(decoded(line))
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            why = "it broke the protocol of workers"
        self.process.kill()
        how = await self.process.wait()
        self.end(why or ENDS.get(how, f"its process ended ({how})"))

    def _settle(self, message: dict[str, JSON]) -> None:
        self.cpu_s, self.printed = float(message["cpu"]), 0
        if "error" not in message:
            canonical(message["value"])  # what a journal cannot hold is no answer
        if message["id"] not in self.pending and self.retired:  # it took too long, and has ended after all
            return
        answer, timer = self.pending.pop(message["id"])
        self.run = ""
        if self.retired and not self.pending:
            self.loop.call_soon(self.end, self.retired)
        timer.cancel()
        if answer.done():  # whoever asked does not wait any more
            return
        if "error" in message:
            fault = Uncertain if message.get("uncertain") is True else ToolError
            answer.set_exception(fault(_text(message["error"]), todo=_text(message["todo"])))
        else:
            answer.set_result(message["value"])

    async def _drain(self) -> None:
        while piece := await self.process.stderr.read(65_536):
            self.tail.append(piece[-TAIL_BYTES:])
            self.printed += len(piece)
            if self.printed > FLOOD_BYTES:
                self.end("it printed without end")
                return

    def end(self, why: str, *, blameless: bool = False) -> None:
        """Kill it; calls that are under way are lost, and each of several may be blameless."""
        self.ended = self.ended or why
        self.process.kill()
        blameless = blameless or len(self.pending) > 1
        for answer, timer in self.pending.values():
            timer.cancel()
            if not answer.done():
                answer.set_exception(_Lost(self.ended, blameless=blameless))
        self.pending.clear()

    async def gone(self) -> None:
        """End it, and return when nothing of it is left."""
        self.end("it was closed")
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Worker:
    """Serves calls in a process of its own: started when first needed, started again when it has ended.

    serve    what the process is told to serve, once
    job      how it is confined; `limits.cpu_s` counts for each call, `wall_s` is what a call may take
    places   paths that it sees if they are there. They may be replaced, or come and go, under our feet: a process
             that sees the old ones is then replaced too
    hide     secrets of its environment, which a careless tool may repeat: they are cut out of what it answers
    """

    def __init__(
        self,
        launcher: Launcher,
        job: Job,
        serve: JSON,
        *,
        name: str,
        places: tuple[str, ...] = (),
        hide: tuple[str, ...] = (),
    ) -> None:
        self._launcher = launcher
        self._serve = serve
        self._name = name
        self._places = places
        self._hide = tuple(ordered(secret)[1:-1] for secret in hide if len(secret) >= HIDE_CHARS)
        self._limits = job.limits
        # a process lives for many calls: it is replaced before what it has used so far could starve the next one
        self._job = replace(job, limits=replace(job.limits, wall_s=None, cpu_s=2 * job.limits.cpu_s))
        self._life: _Life | None = None
        self._retired: list[_Life] = []  # that end with the calls that they have
        self._starting: asyncio.Task[_Life] | None = None
        self._failures = 0
        self._not_before = 0.0
        self.described: JSON = None
        self.last_words = ""  # of a process that ended: for the operator, never for the model or a record

    @property
    def run(self) -> str:
        """The run whose call is under way; empty in between. Exact for one that may reach hosts."""
        return self._life.run if self._life is not None else ""

    async def warm(self) -> JSON:
        """Start it, unless it runs; what it says about what it serves. Raises ToolError."""
        await self._alive()
        return self.described

    async def call(self, tool: str, args: Mapping[str, JSON], *, again: bool = False, **more: JSON) -> JSON:
        """What the tool answers. Raises ToolError. `again`: it may be made once more if another call took it down."""
        request = {"tool": tool, "args": dict(args), **more}
        name = tool.removeprefix("tool:")
        for last in (False, True):
            life = await self._alive()
            try:
                value = await life.ask(request, name, self._limits.wall_s or START_S, again=again)
            except _Lost as lost:
                self._failed(life)
                if last or not (lost.unsent or (again and lost.blameless)):
                    fault = ToolError if lost.unsent else Uncertain
                    raise fault(f"{name} broke off: {lost.what}", todo="ask for less, or otherwise") from None
            except ToolError:
                if life.ended:
                    self._failed(life)
                raise
            else:
                self._failures = 0
                return value
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """Stop it; it starts again when it is called again."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        lives, self._life, self._starting, self._retired = [self._life, *self._retired], None, None, []
        for life in lives:
            if life is not None and life.loop is asyncio.get_running_loop():
                await life.gone()

    async def _alive(self) -> _Life:
        loop = asyncio.get_running_loop()
        if (life := self._life) is not None:
            if life.loop is loop and not (life.ended or life.retired) and (life.pending or self._fresh(life)):
                return life
            self._life = None
        if life is not None and life.retired and not life.ended and life.loop is loop:
            self._retired = [one for one in self._retired if not one.ended] + [life]
        elif life is not None:
            life.process.kill()
            if life.loop is loop:
                await life.gone()
        if self._starting is None or self._starting.done() or self._starting.get_loop() is not loop:
            self._starting = loop.create_task(self._start())
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._starting)

    def _fresh(self, life: _Life) -> bool:
        return life.cpu_s <= self._limits.cpu_s and life.places == self._identities()

    def _identities(self) -> tuple[object, ...]:
        """A file that was written anew is another file, and a confined process still sees the old one."""
        return tuple(_identity(place) for place in self._places)

    def _confined(self, identities: tuple[object, ...]) -> Job:
        """The job as it is now: it sees those of its places that are there."""
        there = [place for place, found in zip(self._places, identities, strict=True) if found is not None]
        reads = (place for place in there if place not in self._job.writes)
        return replace(self._job, reads=distinct((*self._job.reads, *reads)))

    async def _start(self) -> _Life:
        wait = self._not_before - asyncio.get_running_loop().time()
        if wait > 0:
            raise ToolError(
                f"{self._name} ended {self._failures} times in a row",
                todo=f"it may be started again in {math.ceil(wait)} s; go on without it",
            )
        places = self._identities()
        try:
            process = await self._launcher.start(self._confined(places))
        except ToolError:
            self._count()
            raise
        at_once = 1 if self._job.egress else AT_ONCE  # so that what leaves is on the record of the run that sent it
        life = _Life(process, places, self._hide, at_once)
        try:
            self.described = await life.ask({"serve": self._serve}, self._name, START_S)
        except BaseException as error:
            await life.gone()
            self._failed(life)
            if isinstance(error, _Lost):
                raise ToolError(f"{self._name} did not start: {life.ended}") from None
            raise
        self._life = life
        return life

    def _failed(self, life: _Life) -> None:
        """Count the end of a process once, however many calls it took along."""
        if not life.counted:
            life.counted = True
            self.last_words = b"".join(life.tail)[-TAIL_BYTES:].decode("utf-8", "replace")
            self._count()

    def _count(self) -> None:
        self._failures += 1
        pause = 0.25 * 2 ** min(self._failures - 2, MAX_DOUBLINGS) if self._failures > 1 else 0.0
        self._not_before = asyncio.get_running_loop().time() + pause


def _text(value: JSON) -> str:
    return str(value).encode("utf-8", "replace").decode()[:TEXT_CHARS]


def _identity(place: str) -> object:
    try:
        info = Path(place).stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino


@dataclass(frozen=True, slots=True)
class Hosted:
    """A sink whose work is done in a worker."""

    worker: Worker
    name: str
    again: bool

    async def perform(self, action: Action) -> Outcome:
        """Have it done; what comes back is data."""
        trace = dict(headers())
        return Outcome(await self.worker.call(self.name, action.args, again=self.again, run=action.run, trace=trace))

    async def preview(self, args: Mapping[str, JSON]) -> str:
        """What a call would change, in words for a person."""
        return str(await self.worker.call(self.name, args, again=True, preview=True))


def hosted(tool: Tool, worker: Worker) -> Tool:
    """The tool with its work moved to a worker that serves one of the same name."""
    sink = Hosted(worker, tool.spec.name, tool.spec.redo)
    return replace(tool, sink=sink, preview=sink.preview if tool.preview else None)
