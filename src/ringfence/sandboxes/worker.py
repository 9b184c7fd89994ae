"""Our end of a job: the warm worker, and a process with three streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Callable
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import Any
from weakref import WeakSet

from ..core.errors import ToolError
from ..jobs import Job

READ_AHEAD = 1 << 16  # bytes of output that are buffered before the job has to wait for its reader
START_S = 20.0
SAID = 1000  # bytes of what a launcher's program says of its failure
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from warm import zygote; zygote.main()"


class Worker:
    """A small interpreter, started at the first job and kept: forking it is quick, and safe whatever our threads do."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None
        self._jobs: WeakSet[Confined] = WeakSet()

    def _boot(self) -> socket.socket:
        if self._wire is not None and self._process is not None and self._process.poll() is None:
            return self._wire
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-I", "-S", "-c", BOOT, str(Path(__file__).parent)]
        with theirs:
            # in a session of its own: no terminal is theirs, and no Ctrl-C of ours
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env={}, cwd="/", start_new_session=True
            )
        self._wire = ours
        return ours

    def close(self) -> None:
        """End the worker and kill its jobs. The next job starts another one."""
        for job in tuple(self._jobs):
            job.kill()
        if self._wire is not None:
            self._wire.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._wire = self._process = None

    async def start(self, job: Job, launcher: str) -> Confined:
        """Start `job` through `launcher`. Raises ToolError if it cannot be confined as it asks."""
        wire = self._boot()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        pipes = [os.pipe(), os.pipe(), os.pipe()]
        given = [pipes[0][0], pipes[1][1], pipes[2][1]]
        kept = [pipes[0][1], pipes[1][0], pipes[2][0]]
        try:
            socket.send_fds(wire, [b"job"], [theirs.fileno(), *given])
        except OSError as fault:
            for fd in kept:
                os.close(fd)
            ours.close()
            raise ToolError(f"the worker of the sandbox is gone: {fault}", todo="try again") from fault
        finally:
            theirs.close()
            for fd in given:
                os.close(fd)
        process = Confined(ours, job.egress)
        self._jobs.add(process)
        try:
            await process.connect(*kept)
            await asyncio.wait_for(process.begin(_line(job, launcher)), START_S)
        except ToolError as fault:
            words = (await process.stderr.read(SAID)).decode(errors="replace").strip()
            process.kill()
            await process.wait()
            raise ToolError(f"{fault.what}: {words}" if words else fault.what, todo=fault.todo) from None
        except TimeoutError:
            process.abandon()
            raise ToolError(f"the sandbox did not start a job within {START_S:.0f} s", todo="try again") from None
        except BaseException:
            process.abandon()
            raise
        return process


def _line(job: Job, launcher: str) -> bytes:
    fields = {name: getattr(job, name) for name in ("argv", "cwd", "reads", "writes")}
    spec = {"launcher": launcher, **fields, "env": dict(job.env), "limits": asdict(job.limits)}
    return json.dumps({**spec, "egress": job.egress is not None}).encode() + b"\n"


class Confined:
    """A `jobs.Process`: the streams of a job, and the line to its supervisor."""

    stdin: StreamWriter
    stdout: StreamReader
    stderr: StreamReader

    def __init__(self, control: socket.socket, egress: Callable[[Any], None] | None) -> None:
        self._control = control
        self._egress = egress
        self._loop = asyncio.get_running_loop()
        self._started: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._lines = b""
        self._outputs: list[asyncio.ReadTransport] = []

    async def connect(self, stdin: int, stdout: int, stderr: int) -> None:
        """Make streams of our ends of the job's pipes, and listen to its supervisor. Cancelled, it closes them all."""
        ends = [os.fdopen(stdout, "rb", 0), os.fdopen(stderr, "rb", 0), os.fdopen(stdin, "wb", 0)]
        try:
            self.stdout, self.stderr = [await self._reader(end) for end in ends[:2]]
            # a pipe to write to has a reader all the same: StreamWriter waits by its protocol
            self._nothing = StreamReader()
            protocol = StreamReaderProtocol(self._nothing)
            transport, _ = await self._loop.connect_write_pipe(lambda: protocol, ends[2])
        except BaseException:
            for end in ends[len(self._outputs) :]:  # what is a stream by now is closed as one
                end.close()
            raise
        self.stdin = StreamWriter(transport, protocol, None, self._loop)
        self._loop.add_reader(self._control, self._heard)

    async def _reader(self, end: FileIO) -> StreamReader:
        reader = StreamReader(limit=READ_AHEAD)
        protocol = StreamReaderProtocol(reader)
        transport, _ = await self._loop.connect_read_pipe(lambda: protocol, end)
        self._outputs.append(transport)
        return reader

    async def begin(self, line: bytes) -> None:
        """Tell the supervisor what to start, and wait until it runs. Raises ToolError."""
        await self._loop.sock_sendall(self._control, line)
        await self._started

    async def wait(self) -> str:
        """Wait for the end of the job and all of its children, and say how it ended.

        "exit N" ("exit 127": the command could not be executed), "signal N" ("signal 9" after `kill`), or the limit
        that it went over: "cpu", "memory", "wall", and where no kernel counts for us "processes" and "disk".
        """
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """Stop the job and all of its children; what it has written and nobody has read yet is dropped."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        for transport in self._outputs:
            transport.close()

    def abandon(self) -> None:
        """Stop it and do not wait: for a start that was cancelled."""
        self._started.cancel()
        self.kill()
        self._end("signal 9")

    def _heard(self) -> None:
        """Read what the supervisor says, the egress listener with it."""
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        for fd in fds:
            self._hand_over(socket.socket(fileno=fd))
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            self._told(json.loads(line))
        if not data:
            self._end("signal 9")

    def _hand_over(self, listener: socket.socket) -> None:
        """Give the listener to who serves it; the command starts once that is done, and not at all if it fails."""
        try:
            if self._egress is None:
                raise RuntimeError("nobody asked for a listener")
            self._egress(listener)
            self._control.send(b"+")
        except Exception as fault:
            listener.close()
            if not self._started.done():
                self._started.set_exception(ToolError(f"the egress proxy did not take its listener: {fault}"))
            self.kill()

    def _told(self, message: dict[str, Any]) -> None:
        if "refused" in message and not self._started.done():
            self._started.set_exception(ToolError(message["refused"], todo=message["todo"]))
        elif "started" in message and not self._started.done():
            self._started.set_result(None)
        elif "ended" in message:
            self._end(message["ended"])

    def _end(self, how: str) -> None:
        if self._ended.done():
            return
        self._loop.remove_reader(self._control)
        self._control.close()
        if hasattr(self, "stdin"):  # it was not cancelled before there was one
            self.stdin.close()
        if not self._started.done():
            self._started.set_exception(ToolError("the sandbox ended before the job began", todo="ringfence doctor"))
        self._ended.set_result(how)
