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
from pathlib import Path
from typing import Any

from ringfence.core.labels import IDENTITY
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
    """Of a command, its output thrown away."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began


def tasks(odd: int) -> list[tuple[str, list[str], str, dict[str, Any], str]]:
    """What is done, the command that is its floor, the tool with its arguments, and a word of the right answer."""
    log, grep = "log/big.log", ["grep", "-c"]
    why = "Why did the payments gateway refuse the handshake?"
    where = "where is an expired voucher refunded?"
    return [
        ("count lines", ["wc", "-l", log], "text.count", {"path": log}, "lines"),
        ("count ERROR", [*grep, "ERROR", log], "text.count", {"path": log, "pattern": "ERROR"}, "matching_lines"),
        ("count a word of every line", [*grep, "served", log], "text.count", {"path": log, "pattern": "served"}, "line"),
        ("search a rare text", [*grep, "certificate exp", log], "files.search", {"path": log, "pattern": "certificate exp"}, f":{odd}:"),
        ("search in any case", [*grep, "-i", "gateway", log], "files.search", {"path": log, "pattern": "gateway"}, f":{odd}:"),
        ("search a regex", [*grep, "handsh.*refused", log], "files.search", {"path": log, "pattern": "handsh.*refused"}, f":{odd}:"),
        ("find in the log", [*grep, "-iE", "gateway|handshake|payments", log], "files.find", {"question": why}, f"{odd}-"),
        ("read at two thirds", ["sed", "-n", f"{odd}p;{odd}q", log], "files.read", {"path": log, "first": odd, "last": odd}, "FATAL"),
        ("read there again", ["sed", "-n", f"{odd}p;{odd}q", log], "files.read", {"path": log, "first": odd + 50}, "host"),
        ("read the last lines", ["tail", "-n", "5", log], "files.read", {"path": log, "first": -5}, "host"),
        ("search the repository", [*grep, "-r", "refund_expired", "repo"], "files.search", {"path": "repo", "pattern": "refund_expired"}, "refund_expired_v"),
        ("find in the repository", [*grep, "-rE", "expired|voucher|refund", "repo"], "files.find", {"question": where}, "refund_expired_v"),
    ]  # fmt: skip


async def measure(root: Path, odd: int) -> None:
    """Print a line for each task."""
    print(f"{'task':<28}{'floor s':>9}{'tool s':>9}{'ratio':>8}{'peak MB':>9}  answer")
    for name, floor, tool, args, answer in tasks(odd):
        paths = (Path("repo"),) if "repository" in name else (Path("log"),)
        config = BuiltinTool(name=tool.partition(".")[0], type="builtin", target_paths=paths)
        made = from_manifest(config, root=root, readers=frozenset(), callers=None, clock=lambda: 0)
        sink = next(one.sink for one in made if one.spec.name == f"tool:{tool}")
        command = [str(root / part) if part in ("repo", "log/big.log") else part for part in floor]
        seconds(command)  # so that both find the bytes in memory
        least = seconds(command)
        began = time.perf_counter()
        value = (await sink.perform(Action(f"tool:{tool}", args, IDENTITY))).value
        took = time.perf_counter() - began
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) >> 10
        note = f"; {value['note']}" if "no time left" in str(value.get("note")) else ""
        right = "right" if answer in str(value) else "WRONG"
        print(
            f"{name:<28}{least:>9.2f}{took:>9.2f}{took / max(least, 0.001):>8.1f}{peak:>9}  {right}{note}", flush=True
        )


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
