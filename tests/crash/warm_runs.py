"""Runs an agent in a child of a warm process, as often as it is told to on stdin. The children get killed.

`begin PID` is said when the manifest is loaded and the run is about to start, `end` when it has its result and
`gone` when the child is no more.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence import tool
from ringfence.app import Agent, from_manifest
from ringfence.backends.openai import OpenAIChat
from ringfence.core.policy import Effect
from ringfence.manifest.loader import load
from ringfence.stores.sqlite import SqliteJournal

LOADED = (OpenAIChat, SqliteJournal)  # imported before the first fork, so that a child starts at once


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


def agent_of(manifest: Path, *functions: Callable[..., str], journal: Any = None) -> Agent:
    """An agent with further tools."""
    return from_manifest(load(manifest), functions=functions, journal=journal)


async def run(manifest: Path, hang: str, ask: bool) -> None:
    made = [pledge(manifest.parent / "pledges.txt", ask=ask, before=hang == "before", after=hang == "after")]
    async with agent_of(manifest, *(made if hang else [])) as agent:
        say(f"begin {os.getpid()}")
        result = await agent.run("do the six steps")
        if result.status == "waiting":
            await agent.approve(result.run_id)
        say("end")


def main() -> None:
    manifest = Path(sys.argv[1])
    say("ready")
    for line in sys.stdin:
        hang, ask = line.rstrip("\n").split(",")
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(run(manifest, hang, bool(ask)))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main()
