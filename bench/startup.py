"""How long `import ringfence` and `ringfence --help` take, beside a bare interpreter in the same run.

    python bench/startup.py [ROUNDS]

Each round starts the three one after the other; the table shows medians of wall time and their ratio to the bare one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ringfence.testing.server import running

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import ringfence": [sys.executable, "-c", "import ringfence"],
    "ringfence --help": [sys.executable, "-c", "from ringfence.cli import main; main(['--help'])"],
}


def once(command: list[str]) -> float:
    """Milliseconds from start to exit."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000


IDLE = """
import asyncio, sys
from ringfence.app import from_manifest
from ringfence.manifest.loader import parse

async def idle():
    manifest = parse(sys.argv[1], sys.argv[2] + "/ringfence.yaml")
    async with from_manifest(manifest) as agent:
        job = asyncio.create_task(agent.run("what is in the notes?"))
        while not any(record for record in agent.journal.log.runs()):
            await asyncio.sleep(0.05)
        with open("/proc/self/status") as status:
            print(next(line for line in status if line.startswith("VmRSS")).split()[1])
        job.cancel()

asyncio.run(idle())
"""
MANIFEST = """
inference: {{provider: llamacpp, endpoint: "{url}", model: m}}
tools:
  - {{name: files, type: builtin, target_paths: [.]}}
  - {{name: csv, type: builtin, target_paths: [.]}}
  - {{name: calc, type: builtin}}
"""


def resident_mb() -> float:
    """Memory of a process whose run waits for its model."""
    with tempfile.TemporaryDirectory() as folder, running(["{}"], delay_ms=10_000) as url:
        (Path(folder) / "notes.md").write_text("# Notes\n\nNothing yet.\n")
        command = [sys.executable, "-c", IDLE, MANIFEST.format(url=url), folder]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def main(rounds: int) -> None:
    """Measure and print."""
    for command in COMMANDS.values():
        once(command)  # bytecode is written once
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(once(command))
    floor = statistics.median(times["bare interpreter"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:<18} {middle:7.1f} ms  {middle / floor:5.1f} x  (min {min(taken):.1f}, max {max(taken):.1f})")
    print(f"a run that waits for its model: {resident_mb():.1f} MB resident")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
