"""How long `import ringfence` and `ringfence --help` take beside a bare interpreter, and what an idle run weighs.

Prints medians of alternating runs and their ratio to the bare interpreter; wall time is never asserted.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import ringfence": [sys.executable, "-c", "import ringfence"],
    "ringfence --help": [str(Path(sys.executable).with_name("ringfence")), "--help"],
}
IDLE = """
import ringfence, asyncio, sys
from ringfence.manifest.loader import parse
from ringfence.stores.memory import MemoryJournal
import ringfence.app as app
manifest = parse("inference: {provider: llamacpp, model: m}\\ntools: [{name: calc, type: builtin}]", None)
agent = app.from_manifest(manifest, journal=MemoryJournal())
print(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
"""


def once(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def main(rounds: int = 15) -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(once(command))
    floor = statistics.median(times["bare interpreter"])
    print(f"{'':24}{'ms':>8}{'x bare':>8}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:24}{median:8.1f}{median / floor:8.1f}")
    resident = int(subprocess.run([sys.executable, "-c", IDLE], check=True, capture_output=True, text=True).stdout)
    print(f"{'idle agent, RSS':24}{resident / 1024:8.1f} MB")


if __name__ == "__main__":
    main()
