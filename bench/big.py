"""What a log of 1 GB and a repository of 1 GB cost the tools on files, beside grep, wc and sed on the same bytes.

    python bench/big.py [--mb 1024] [--files 20000] [--folder DIR]

The log and the repository are made on the fly and removed. Each task is done once by the command that is its floor and
then by the tool, at work in this process; peak memory is that of this process so far (the tools work block by block,
so it does not grow with the files), and that of the regex worker where one ran. Wall time is shown, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.labels import IDENTITY
from ringfence.core.ports import Sink
from ringfence.core.values import Action
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import from_manifest

ODD = b"2026-03-09 11:00:00 FATAL payments gateway: upstream certificate expired, handshake refused\n"
BATCH = 20_000  # lines that are made at once
CODE = b"def handler_%d(request):\n    value = lookup(request, key='k%d')\n    return respond(value, status=200)\n\n"
RARE = b"def refund_expired_voucher(order):\n    '''Pays a voucher back that has expired.'''\n\n"


def line(n: int) -> bytes:
    """A line like those of a real log: repetitive, and no two alike."""
    level = b"ERROR" if n % 100 == 0 else b"WARN" if n % 17 == 0 else b"INFO"
    clock = b"%02d:%02d:%02d.%03d" % (n // 360_000 % 24, n // 6_000 % 60, n // 100 % 60, n % 100 * 10)
    rest = (n * 2_654_435_761 % 2**32, n % 977, n % 90)
    return b"2026-03-%02d %s %s host=web-%02d request %08x user=u%d served in %d ms\n" % (
        n // 8_640_000 % 28 + 1, clock, level, n % 41, *rest,
    )  # fmt: skip


def make_log(path: Path, size: int) -> int:
    """Writes the log, with one odd line at two thirds; the odd line's number."""
    number = odd = 0
    with path.open("wb") as file:
        while file.tell() < size:
            if not odd and file.tell() > size * 2 // 3:
                file.write(ODD)
                odd = number + 1
            file.write(b"".join(line(n) for n in range(number, number + BATCH)))
            number += BATCH
    return odd


def make_repository(folder: Path, size: int, files: int) -> None:
    """Writes so many files in 200 folders, one of them with a function of its own."""
    for n in range(files):
        path = folder / f"pkg{n % 200}" / f"module{n}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = b"".join(CODE % (n, k) for k in range(40))
        path.write_bytes(body * max(1, size // files // len(body)) + (RARE if n == files // 2 else b""))


def seconds(command: list[str]) -> float:
    """Of a command. Its output goes through a pipe: grep does not count where nobody reads."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Task:
    """What is done, by the command that is its floor, and by a tool; `right`: what the answer has to hold."""

    name: str
    floor: str
    tool: str
    args: dict[str, Any]
    right: str


def tasks(odd: int) -> list[Task]:
    """In the order in which they are done; the second reading finds the index of the first."""
    log = "log/big.log"
    here, refund = {"path": log}, {"path": "repo", "pattern": "refund_expired"}
    why, where = "Why did the payments gateway refuse the handshake?", "where is an expired voucher refunded?"
    words = "gateway|refuse|handshake"
    sed = f"sed -n {odd}p;{odd}q {log}"
    hit = f":{odd}: "
    return [
        Task("count lines", f"wc -l {log}", "text.count", here, "lines"),
        Task("count ERROR", f"grep -c ERROR {log}", "text.count", here | {"pattern": "ERROR"}, "matching_lines"),
        Task("count a word of every line", f"grep -c served {log}", "text.count", here | {"pattern": "served"}, "line"),
        Task("search a rare word", f"grep -n FATAL {log}", "files.search", here | {"pattern": "FATAL"}, hit),
        Task("search in any case", f"grep -in gateway {log}", "files.search", here | {"pattern": "gateway"}, hit),
        Task("search a regex", f"grep -n hand.*fused {log}", "files.search", here | {"pattern": "hand.*fused"}, hit),
        Task("find in the log", f"grep -ciE {words} {log}", "files.find", {"question": why}, f"{odd}-"),
        Task("read at two thirds", sed, "files.read", here | {"first": odd, "last": odd}, "FATAL"),
        Task("read there again", sed, "files.read", here | {"first": odd, "last": odd}, "FATAL"),
        Task("read the last lines", f"tail -n 5 {log}", "files.read", here | {"first": -5}, "host"),
        Task("search the repository", "grep -rn refund_expired repo", "files.search", refund, "voucher"),
        Task("find in the repository", "grep -rciE expire|refund repo", "files.find", {"question": where}, "voucher"),
    ]


def served(root: Path) -> dict[tuple[str, str], Sink]:
    """The tools of the log and those of the repository, by folder and name."""
    made: dict[tuple[str, str], Sink] = {}
    for folder in ("log", "repo"):
        for group in ("files", "text"):
            config = BuiltinTool(name=group, type="builtin", target_paths=(Path(folder),))
            for tool in from_manifest(config, root=root, readers=frozenset(), callers=None, clock=lambda: 0):
                made[folder, tool.spec.name.removeprefix("tool:")] = tool.sink
    return made


async def measure(root: Path, odd: int) -> None:
    """Print a line for each task."""
    sinks = served(root)
    print(f"{'task':<28}{'floor s':>9}{'tool s':>9}{'ratio':>8}{'peak MB':>9}  answer")
    for task in tasks(odd):
        folder = "repo" if "repository" in task.name else "log"
        command = [str(root / part) if part in ("repo", "log/big.log") else part for part in task.floor.split()]
        seconds(command)  # so that both find the bytes in memory
        least, began = seconds(command), time.perf_counter()
        value = (await sinks[folder, task.tool].perform(Action(f"tool:{task.tool}", task.args, IDENTITY))).value
        took = time.perf_counter() - began
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) >> 10
        answer = "right" if task.right in str(value) else "WRONG"
        if "no time left" in str(value.get("note")):
            answer += f" as far as it goes: {value['note']}"
        ratio = took / max(least, 0.001)
        print(f"{task.name:<28}{least:>9.2f}{took:>9.2f}{ratio:>8.1f}{peak:>9}  {answer}", flush=True)


def main() -> None:
    """Make, measure, remove."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--mb", type=int, default=1024, help="size of the log, and of the repository")
    parser.add_argument("--files", type=int, default=20_000, help="of the repository")
    parser.add_argument("--folder", type=Path, help="where to make them; the temporary folder by default")
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="ringfence-big-", dir=given.folder))
    try:
        (root / "log").mkdir()
        odd = make_log(root / "log/big.log", given.mb << 20)
        make_repository(root / "repo", given.mb << 20, given.files)
        print(f"a log of {given.mb} MB ({odd:,} is the odd line), a repository of {given.files:,} files, {given.mb} MB")
        asyncio.run(measure(root, odd))
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
