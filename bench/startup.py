"""How long `import ringfence` and `ringfence --help` take, beside a bare interpreter in the same run.

    python bench/startup.py [ROUNDS]

Each round starts the three one after the other; the table shows medians of wall time and their ratio to the bare one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

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


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
