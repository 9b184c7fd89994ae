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
from typing import Any

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


def _rows_call(count: int) -> dict[str, Any]:
    rows = [{"host": f"db-{n}", "load": [n / 7, 0.7], "up": True, "note": None} for n in range(count)]
    return {"name": "files.read", "arguments": {"path": "a.txt", "rows": rows}}


def _words_call(count: int) -> dict[str, Any]:
    return {"name": "files.read", "arguments": {"path": "a.txt", "words": [f"w{n}" for n in range(count)]}}


_BEGIN = '{"name": "files.read", "arguments": '
_BROKEN: dict[str, Callable[[int], str]] = {  # by how many rows, words or the like
    "Python literals": lambda n: repr(_rows_call(n)),
    "Python literals, cut": lambda n: repr(_rows_call(n))[:-5],
    "short strings in single quotes": lambda n: repr(_words_call(n)),
    "short strings in single quotes, cut": lambda n: repr(_words_call(n))[:-9],
    "short strings, cut": lambda n: json.dumps(_words_call(n))[:-9],
    "True and None alone": lambda n: repr({"name": "files.read", "arguments": {"bits": [True, None] * n}}),
    "keys without quotes": lambda n: _BEGIN + "{" + ", ".join(f"k{i}: {i}" for i in range(n)) + "}}",
    "escapes that JSON does not know": lambda n: _BEGIN + '{"path": "' + "\\d" * n + '"}}',
    "a comma too many": lambda n: json.dumps(_rows_call(n))[:-2] + ",}}",
    "a comma too many in each row": lambda n: json.dumps(_rows_call(n)).replace("},", ",},"),
    "a bracket too few": lambda n: json.dumps(_rows_call(n))[:-1],
    "comments": lambda n: json.dumps(_rows_call(n)).replace('"up"', '/* is it up? */ "up"'),
    "comments, cut": lambda n: json.dumps(_rows_call(n)).replace('"up"', '/* is it up? */ "up"')[:-9],
    "cut": lambda n: json.dumps(_rows_call(n))[:-21],
    "twelve levels of literals, cut": lambda n: _BEGIN + '{"a": [' * 12 + repr(_words_call(n))[:-4],
    "what no JSON is, at the end": lambda n: repr(_rows_call(n))[:-2] + ", oops}}",
}


def _broken(size: int) -> dict[str, str]:
    """Calls of at most that size that are no JSON, by what is wrong with them."""
    found = {}
    for name, make in _BROKEN.items():
        count = size // 2
        while len(text := make(count)) > size:
            count = min(count - 1, count * size // len(text) + 1)
        found[name] = text
    return found


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
