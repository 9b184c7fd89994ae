"""Runs an agent in a child of a warm process, as often as it is told to on stdin. The children get killed.

`begin PID` is said when the manifest is loaded and the run is about to start, `end` when it has its result, with how
many records and flushes that took, and `gone` when the child is no more. A child may be told where to kill itself:
`before:N` the Nth record is appended, or `flushed:N`, when the Nth flush has just returned; or to `tell` of each one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence import tool
from ringfence.app import Agent, from_manifest
from ringfence.backends.openai import OpenAIChat
from ringfence.core.chain import Record
from ringfence.core.policy import Effect
from ringfence.manifest.loader import load
from ringfence.stores import open_journal
from ringfence.stores.log import Log
from ringfence.stores.sqlite import SqliteJournal

from . import effects

LOADED = (OpenAIChat, SqliteJournal)  # imported before the first fork, so that a child starts at once


@dataclass
class Stops:
    """A journal that kills its process where it is told to, or tells of each record."""

    journal: SqliteJournal
    at: str
    records: int = 0
    flushes: int = 0

    @property
    def log(self) -> Log:
        return self.journal.log

    def append(self, record: Record) -> None:
        self.stop(f"before:{self.records}")
        self.journal.append(record)
        self.records += 1
        if self.at == "tell":
            say("record")

    async def flush(self, *, anchored: bool = False) -> None:
        await self.journal.flush(anchored=anchored)
        self.stop(f"flushed:{self.flushes}")
        self.flushes += 1

    def alias(self, subject: str) -> str:
        return self.journal.alias(subject)

    def stop(self, here: str) -> None:
        if here == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def close(self) -> None:
        self.journal.close()


def say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def pledge(path: Path, *, ask: bool = False, before: bool = False, after: bool = False) -> Callable[..., str]:
    """A commit that appends a line to a file and, if it is told to, hangs `before` or `after` it for ever."""

    def hang() -> None:
        say("hanging")
        threading.Event().wait()

    @tool(Effect.COMMIT, name="pledge", roles={"line": "low"}, ask=ask, audience=["self"])
    def write(line: str) -> str:
        """Append a line to the pledges."""
        if before:
            hang()
        with path.open("a") as file:
            file.write(line + "\n")
        if after:
            hang()
        return f"pledged {line}"

    return write


def agent_of(manifest: Path, *functions: Callable[..., Any], journal: Any = None) -> Agent:
    """An agent with further tools."""
    return from_manifest(load(manifest), functions=functions, journal=journal)


async def run(manifest: Path, hang: str, ask: bool, stop: str, port: int) -> None:
    made = [pledge(manifest.parent / "pledges.txt", ask=ask, before=hang == "before", after=hang == "after")]
    journal = Stops(open_journal(manifest.parent / ".ringfence" / "journal.db"), stop)
    given = effects.tools(port) if port else made if hang else []
    async with agent_of(manifest, *given, journal=journal) as agent:
        say(f"begin {os.getpid()}")
        result = await agent.run(effects.TASK if port else "do the six steps")
        if result.status == "waiting":
            await agent.approve(result.run_id)
        say(f"end {journal.records} {journal.flushes}")


def main() -> None:
    manifest, port = Path(sys.argv[1]), int(sys.argv[2])
    say("ready")
    for line in sys.stdin:
        hang, ask, stop = line.rstrip("\n").split(",")
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(run(manifest, hang, bool(ask), stop, port))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main()
