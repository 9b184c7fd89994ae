"""One of several that save at once: `python -m tests.knowledge.memory.swarm FOLDER NAME COUNT`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from .kit import Words, world


async def work(folder: Path, name: str, count: int) -> None:
    """Save what everybody saves, what only this one knows, and a new value of one thing, each time."""
    mind = world(folder, embedder=Words(), agent=name)
    member = frozenset({f"user:{name}", "role:ops"})
    for n in range(count):
        mind.now[0] += 1000
        await mind.say(f"The shelf {n} holds bolts.", member, scope="role:ops")
        await mind.say(f"The {name} of shelf {n} counts nuts.", member, scope="role:ops")
        await mind.say(f"The counter of hall nine is {n}.", member, scope="role:ops")
    await mind.memories.aclose()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
