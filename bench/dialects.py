"""What reading a printed call costs: `read` and `repaired`, beside `json.loads` of as many bytes in the same run.

    python bench/dialects.py [kilobytes] [rounds]

Each text of the corpus is padded to the size in three ways: with prose before it, with a long argument (where there is
a JSON string to lengthen), and with a list of small objects in prose, the worst of honest texts: each of them is looked
at. Times are CPU time of this process.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ringfence.dialects import read, repaired

CORPUS = Path(__file__).parent.parent / "tests" / "dialects" / "corpus"
SCHEMA = {
    "type": "object",
    "properties": {
        "Path": {"type": "string"},
        "expression": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "integer"}},
        "append": {"type": "boolean", "default": False},
        "unit": {"enum": ["Celsius", "Kelvin"]},
    },
    "required": ["Path"],
    "additionalProperties": False,
}
LINE = 'The log shows `timeout` at 12:04, then "retry" [2] {see the runbook}; it\'s in the notes (page 3).\n'
ROW = '{"host": "db-1", "load": [0.5, 0.7], "up": true}, '


def _prose(text: str, size: int) -> str:
    return (LINE * (size // len(LINE) + 1))[: max(0, size - len(text) - 2)] + "\n\n" + text


def _argument(text: str, size: int) -> str:
    return text.replace('a.txt"', "x" * max(0, size - len(text)) + 'a.txt"', 1)


def _rows(text: str, size: int) -> str:
    return ROW * max(0, (size - len(text)) // len(ROW)) + "\n\n" + text


def _broken(size: int) -> dict[str, str]:
    """Calls of that size that are no JSON, by what is wrong with them."""
    rows = [{"host": f"db-{n}", "load": [n / 7, 0.7], "up": True, "note": None} for n in range(size // 66)]
    call = {"name": "files.read", "arguments": {"path": "a.txt", "rows": rows}}
    return {
        "Python literals": repr(call),
        "a comma too many": json.dumps(call)[:-2] + ",}}",
        "a bracket too few": json.dumps(call)[:-1],
        "comments": json.dumps(call).replace('"up"', '/* is it up? */ "up"'),
        "cut": json.dumps(call)[: -size // 2],
    }


def measure(run: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each round."""
    times = []
    for _ in range(rounds):
        began = time.process_time_ns()
        run()
        times.append((time.process_time_ns() - began) / 1e6)
    return times


def main(kilobytes: int, rounds: int) -> None:
    """Print the table."""
    size = kilobytes * 1024
    files = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(CORPUS.glob("*.json"))]
    texts = [(case["text"], tuple(file["names"])) for file in files for case in file["cases"]]
    gc.disable()
    print(f"{len(texts)} texts padded to {kilobytes} KB, {rounds} rounds each; milliseconds of CPU\n")
    print("| what | median | p99 | worst |\n|---|---|---|---|")
    floor = json.dumps([{"name": "files.read", "arguments": {"path": "a.txt", "lines": [1, 2]}}] * (size // 70))[:size]
    floor = floor[: floor.rindex("}, {") + 1] + "]"
    _row("floor: json.loads", measure(lambda: json.loads(floor), rounds * 20))

    def step(text: str, names: tuple[str, ...]) -> None:
        for call in read(text, names).calls:
            repaired(call.args, SCHEMA)

    for name, text in _broken(size).items():
        step(text, ("files.read",))
        _row(f"read and repaired, {name}", measure(lambda text=text: step(text, ("files.read",)), rounds * 20))  # type: ignore[misc]
    for name, pad in (("in prose", _prose), ("a long argument", _argument), ("among other JSON", _rows)):
        times = []
        for text, names in texts:
            padded = pad(text, size)
            step(padded, names)
            times += measure(lambda padded=padded, names=names: step(padded, names), rounds)  # type: ignore[misc]
        _row(f"read and repaired, {name}", times)


def _row(name: str, times: list[float]) -> None:
    cut = statistics.quantiles(times, n=100)
    print(f"| {name} | {statistics.median(times):.3f} | {cut[98]:.3f} | {max(times):.3f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
