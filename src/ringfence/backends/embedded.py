"""The embedded model: one llama-server a machine, user and setting, started when it is needed (see llama_process)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

from ringfence.core.errors import BackendError
from ringfence.core.values import Action, Outcome, Prompt

from .answers import Unreachable, quoted
from .findings import Findings
from .llama_process import (
    ALIVE,
    LEASE,
    LOG,
    SETTINGS,
    SPIN_COUNT,
    STATE,
    Settings,
    State,
    open_lock,
    try_lock,
    write_private,
)
from .openai import OpenAIChat
from .probe import Capabilities

Notice = Callable[[str], None]
_KEPT = ("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KEPT_PREFIXES = ("LC_", "LANG", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "GGML_", "OMP_", "GOMP_", "KMP_")


class EmbeddedModel:
    """A sink that starts the shared server if it has to, and once more if it died under a request.

    settings  read at the first call: raises BackendError where the model's file is absent
    run       the folder for the state of servers; private to the user
    connect   a client of a running server
    idle_s    how long the server is wanted after a request
    start_s   how long a start may take
    notice    told what a slow start is doing
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        run: Path,
        connect: Callable[[State], OpenAIChat],
        *,
        idle_s: float = 300.0,
        start_s: float = 300.0,
        notice: Notice | None = None,
    ) -> None:
        self._read_settings = settings
        self._run = run
        self._connect = connect
        self._idle_s = idle_s
        self._start_s = start_s
        self._notice = notice
        self._server: _Server | None = None
        self._chat: OpenAIChat | None = None
        self._of: State | None = None

    async def perform(self, action: Action) -> Outcome:
        """One completion; raises BackendError."""
        for _ in range(2):
            async with self._leased() as (server, state, chat):
                try:
                    return await chat.perform(action)
                except Unreachable as fault:
                    if fault.spoken:
                        raise
                    died = fault
                    await server.death(state)
        raise BackendError(
            f"the embedded model server failed twice under one request; its last words: {server.last_words()}",
            todo="if the machine is short of memory, use a smaller model or max_context",
        ) from died

    async def probe(self) -> Capabilities:
        """What the running server has; starts it."""
        async with self._leased() as (server, state, chat):
            found = await chat.probe()
        return Capabilities(server.alias, found.window, identity=state.digest)  # maybe started under another name

    async def count(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt by the running server's tokenizer; starts it."""
        async with self._leased() as (_, _, chat):
            return await chat.count(prompt)

    async def examine(self, say: Notice) -> Findings:
        """Try what the model can do on its running server; starts it."""
        async with self._leased() as (server, state, chat):
            found = await chat.examine(say)
        return replace(found, provider="embedded", server="embedded", model=server.alias, identity=state.digest)

    async def aclose(self) -> None:
        """Close the connections; the server stays for others until it is idle."""
        if self._chat is not None:
            await self._chat.aclose()
        if self._server is not None:
            self._server.close()
        self._chat = self._server = self._of = None

    @contextlib.asynccontextmanager
    async def _leased(self) -> AsyncIterator[tuple[_Server, State, OpenAIChat]]:
        if self._server is None:
            settings = await asyncio.to_thread(self._read_settings)
            self._server = self._server or _Server(self._run, settings, self._start_s, self._notice)
        server = self._server
        await server.hold(self._idle_s)
        try:
            state = server.state() or await server.start()
            if state != self._of or self._chat is None:
                if self._chat is not None:
                    await self._chat.aclose()
                self._chat, self._of = self._connect(state), state
            yield server, state, self._chat
        finally:
            server.release(self._idle_s)


class _Server:
    """The server of one folder, as a client sees it: its locks, its state, its start."""

    def __init__(self, run: Path, settings: Settings, start_s: float, notice: Notice | None) -> None:
        same = {key: value for key, value in asdict(settings).items() if key not in ("path", "alias")}
        self.folder = run / hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
        self._settings = settings
        self.alias = settings.alias
        self._start_s = start_s
        self._notice = notice or (lambda text: None)
        self._noted = ""
        self._holders = 0
        self._seen: tuple[tuple[int, int], State] | None = None
        try:
            run.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.mkdir(exist_ok=True, mode=0o700)
            if self.folder.stat().st_uid != os.geteuid() or self.folder.stat().st_mode & 0o077:
                raise BackendError(
                    f"{self.folder} is open to others; it would hold the model server's key",
                    todo=f"remove it, or `chmod 700 {self.folder}` if it is yours",
                )
            self._alive, self._lease = open_lock(self.folder / ALIVE), open_lock(self.folder / LEASE)
        except OSError as fault:
            raise BackendError(
                f"the model server's state cannot be kept in {self.folder}: {fault.strerror}",
                todo="set RINGFENCE_HOME to a folder that you can write",
            ) from fault

    def close(self) -> None:
        """Give the locks back."""
        os.close(self._alive)
        os.close(self._lease)

    async def hold(self, idle_s: float) -> None:
        """From now on the server may not leave; waits for one that is just leaving."""
        began = time.monotonic()
        self._holders += 1
        try:
            while not try_lock(self._lease, fcntl.LOCK_SH):
                await self._wait(began)
        except BaseException:
            self._holders -= 1
            raise
        self._want(idle_s)

    def release(self, idle_s: float) -> None:
        """The request is over; the server is wanted for another `idle_s`."""
        self._want(idle_s)
        self._holders -= 1
        if not self._holders:
            fcntl.flock(self._lease, fcntl.LOCK_UN)

    def _want(self, idle_s: float) -> None:
        until = max(time.time() + idle_s, os.fstat(self._lease).st_mtime)
        os.utime(self._lease, (until, until))

    def state(self) -> State | None:
        """Where the server is, if it lives and serves."""
        if not self._lives():
            return None
        try:
            now = (self.folder / STATE).stat()
        except FileNotFoundError:
            return None
        mark = (now.st_ino, now.st_mtime_ns)
        if self._seen is None or self._seen[0] != mark:
            state = State.read(self.folder)
            self._seen = (mark, state) if state else None
        return self._seen[1] if self._seen else None

    async def start(self) -> State:
        """Start the server unless another command is doing so; return when it serves. Raises BackendError."""
        began = time.monotonic()
        lock = open_lock(self.folder / "start")
        try:
            while not try_lock(lock, fcntl.LOCK_EX):
                await self._wait(began)
            if not self._lives():
                await self._spawn()
            while (state := self.state()) is None:
                if not self._lives():
                    raise BackendError(
                        f"the embedded model server did not start; its last words: {self.last_words()}",
                        todo="check the model's file with `ringfence models list`, and the memory that is free",
                    )
                await self._wait(began)
            return state
        finally:
            os.close(lock)

    async def death(self, of: State) -> None:
        """A killed process keeps its locks while its memory is given back: wait for that, if it is what happens."""
        for _ in range(100):
            if self.state() != of:
                return
            await asyncio.sleep(0.05)

    def _lives(self) -> bool:
        if try_lock(self._alive, fcntl.LOCK_SH):
            fcntl.flock(self._alive, fcntl.LOCK_UN)
            return False
        return True

    async def _wait(self, began: float) -> None:
        past_s = time.monotonic() - began
        if past_s > self._start_s:
            raise BackendError(
                f"the embedded model server was not ready within {self._start_s:g} s",
                todo=f"read {self.folder / LOG}; a smaller model or max_context loads faster",
            )
        note = f"loading {self.alias} ({past_s:.0f} s)"
        if note != self._noted:
            self._noted = note
            self._notice(note)
        await asyncio.sleep(0.05)

    async def _spawn(self) -> None:
        """Leave a daemon behind (it forks once more), with nothing of our environment but what it needs."""
        if find_spec("xllamacpp") is None:
            raise BackendError("provider: embedded needs the package xllamacpp", todo="pip install 'ringfence[local]'")
        write_private(self.folder / SETTINGS, asdict(self._settings))
        env = {k: v for k, v in os.environ.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
        if "OMP_WAIT_POLICY" not in env:
            env.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
        command = (sys.executable, "-P", "-m", "ringfence.backends.llama_process", str(self.folder))
        (self.folder / LOG).unlink(missing_ok=True)
        with os.fdopen(os.open(self.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=env,
                start_new_session=True,
            )
        await process.wait()

    def last_words(self) -> str:
        """The end of the server's log, in one line."""
        try:
            lines = (self.folder / LOG).read_bytes()[-4096:].splitlines()
        except OSError:
            return "none"
        return quoted(b" | ".join(line.strip() for line in lines[-4:] if line.strip()), chars=600) or "none"
