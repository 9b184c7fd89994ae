"""Looking into the journal beside the event loop: one more connection to it, and one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ringfence import stores
from ringfence.stores.log import Log

from ..agent import Agent

T = TypeVar("T")


class Reads:
    """Answers questions that cost more than a moment, in a thread; of a journal that is no file, where they are asked.

    The connection is opened by the first question. Raises JournalError as the log does.
    """

    def __init__(self, agent: Agent) -> None:
        self._journal = agent.journal
        self._file = hasattr(agent.journal, "vault")
        self._log: Log | None = None
        self._one = asyncio.Lock()

    async def __call__(self, ask: Callable[[Log], T]) -> T:
        """What the journal says, as far as it is durable."""
        if not self._file:
            return ask(self._journal.log)
        async with self._one:
            asked = asyncio.get_running_loop().run_in_executor(None, self._answer, ask)
            try:
                return await asyncio.shield(asked)
            except asyncio.CancelledError:  # the thread goes on, and has the connection until it is done
                await asyncio.wait([asked])
                raise

    def _answer(self, ask: Callable[[Log], T]) -> T:
        if self._log is None:
            self._log = stores.open_log(self._journal.path, vault=self._journal.vault)
        return ask(self._log)

    async def close(self) -> None:
        """Let go of the file."""
        async with self._one:
            if self._log is not None:
                self._log.close()  # type: ignore[attr-defined]  # a SqliteLog
                self._log = None
