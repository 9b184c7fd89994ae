"""A refresh after one file in a hundred has changed, beside taking all of them in: the real parser, model and index.

    python bench/knowledge/refresh.py [--files N]

Aim: less than 3 % of the full time. Every file is looked at, one in a hundred is read, split and embedded again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from pathlib import Path

from ringfence.app.knowing.library import opened
from ringfence.manifest.loader import parse

WORDS = [
    "pump",
    "valve",
    "oil",
    "shift",
    "leak",
    "hall",
    "bar",
    "hour",
    "gauge",
    "pressure",
    "line",
    "start",
    "stop",
    "call",
    "report",
    "check",
    "seal",
    "motor",
]
MANIFEST = """\
inference: {provider: llamacpp, model: none}
knowledge: {collections: [{name: house, path: ./house}]}
"""


def text(draw: random.Random) -> str:
    """A page of about 150 words."""
    lines = (" ".join(draw.choices(WORDS, k=12)).capitalize() + "." for _ in range(12))
    return f"# Note {draw.randrange(10**6)}\n\n" + "\n".join(lines) + "\n"


async def run(folder: Path, files: int) -> None:
    """Take all in, change some, take these in, and once more without a change."""
    draw, house = random.Random(1), folder / "house"
    house.mkdir()
    for n in range(files):
        (house / f"{n:05}.md").write_text(text(draw))
    async with opened(parse(MANIFEST, folder / "ringfence.yaml")) as library:
        [full] = await library.refresh()
        for n in draw.sample(range(files), max(1, files // 100)):
            (house / f"{n:05}.md").write_text(text(draw))
        [some] = await library.refresh()
        [none] = await library.refresh()
    print(f"{files} files, {full.chunks} chunks, {full.chunks / full.seconds:.1f} chunks a second")
    for what, report in (("all of them", full), (f"{some.changed} changed", some), ("none changed", none)):
        print(f"{what:<14}{report.seconds:8.2f} s {report.seconds / full.seconds:8.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(run(Path(place), parser.parse_args().files))
