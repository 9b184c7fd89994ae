"""A model server, in a process of its own, that says half of what it has to say and then nothing: to be killed so."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.testing.server import ScriptedServer, Step, listen


class Stalling(ScriptedServer):
    """It streams the first half of each answer, and keeps the connection."""

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        """Half of it, where a stream was asked for."""
        response, hang_up = super().answer(head, body)
        if b"text/event-stream" not in response[:400]:
            return response, hang_up
        return response[: len(response) // 2], False


@dataclass
class Model:
    """A model server's process, which may come back on the same port after it was killed."""

    folder: Path
    steps: Sequence[Step]
    port: int = 0
    stalls: bool = False
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def url(self) -> str:
        """Where it is, or was."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, stalls: bool = False) -> None:
        """Serve."""
        self.stalls = stalls
        file = self.folder / "said.json"
        file.write_text(json.dumps({"steps": list(self.steps), "port": self.port, "stalls": stalls}))
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(file)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        """As `kill -9` does it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process, self.stalls = None, False


@contextmanager
def model(folder: Path, steps: Sequence[Step], *, stalls: bool) -> Iterator[Model]:
    """A model server that serves, and is gone at the end."""
    made = Model(folder, steps)
    made.start(stalls=stalls)
    try:
        yield made
    finally:
        made.kill()


async def serve(said: Mapping[str, Any]) -> None:
    """Until it is killed; prints its port."""
    kind = Stalling if said["stalls"] else ScriptedServer
    async with listen(kind(said["steps"], cycle=True), port=said["port"]) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
