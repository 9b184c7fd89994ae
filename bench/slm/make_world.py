"""Make a fresh world for the tasks: `python bench/slm/make_world.py FOLDER --seed N`.

FOLDER gets a manifest, the data of a made-up boat trust, and `expect.json` with the answers, all drawn from the seed. A
small server for the pages is started; it ends by itself (see pages.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pages
from answers import expected
from facts import draw
from lay import lay, write
from template import MANIFEST

OWN = {
    "what": "boat trust", "name": "boat-trust", "tables": "data", "database": "./db/trust.db",
    "folders": "[./notes, ./config, ./logs, ./data, ./out]",
}  # fmt: skip


def make(folder: Path, seed: int, idle_s: float) -> None:
    """Fill a folder, which may be there if it is empty. Raises OSError otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OSError(f"expected an empty folder, got {folder}, which has files in it; name another one")
    facts = draw(seed)
    lay(facts, folder)
    port = pages.start(folder, idle_s)
    write(folder / "ringfence.yaml", MANIFEST.format(seed=seed, port=port, **OWN))
    answers = expected(facts, folder, f"http://127.0.0.1:{port}")
    write(folder / "expect.json", json.dumps(answers, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    """0: made; 2: it could not be made."""
    parser = argparse.ArgumentParser(description="make a fresh world for the tasks")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--idle", type=float, default=2_700.0, help="seconds without a request until the site ends")
    given = parser.parse_args()
    try:
        make(given.folder.resolve(), given.seed, given.idle)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
