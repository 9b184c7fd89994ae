"""Reading the log off the event loop: in threads, each with a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ringfence import stores

from ..agent import Agent

T = TypeVar("T")
THREADS = 4  # that read at once; beyond them, a reader waits its turn


class Reading:
    """`await reading(lambda log: ...)`: the work in a thread, given a log that nobody else uses meanwhile.

    A connection is one thread's at a time, and one is kept for each thread that has read. What it sees is durable.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._threads: ThreadPoolExecutor | None = None
        self._idle: list[Any] = []

    async def __call__(self, work: Callable[[Any], T]) -> T:
        """What `work` returns of the log. Raises what it raises, and JournalError for a log that cannot be opened."""
        if not self._apart:
            return work(self._agent.journal.log)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, "reading")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._with, work)

    @property
    def _apart(self) -> bool:
        """Whether the journal is a file, or a recorder's, that can be opened once more; one in memory cannot."""
        return self._agent.durable

    def _with(self, work: Callable[[Any], T]) -> T:
        log = self._idle.pop() if self._idle else self._open()
        try:
            return work(log)
        finally:
            self._idle.append(log)

    def _open(self) -> Any:
        agent = self._agent
        if (far := agent.manifest.audit.recorder) is not None:
            return stores.read_recorder(agent.manifest.root / far)
        return stores.open_log(agent.journal.path, vault=agent.journal.vault)

    def close(self) -> None:
        """Let go of the file; what is being read is read to its end."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        while self._idle:
            self._idle.pop().close()
