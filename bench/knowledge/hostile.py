"""Many files, one in twenty of them broken or made to break what reads it: reading ends, in bounded memory.

`python bench/knowledge/hostile.py [--files N | --full] [--list]`: 1,000 files, or 10,000. The files are real ones of
each format, and the hostile ones those of the tests; they are parsed as a collection's are, in the sandbox. Shown: what
was read and skipped of each kind, and why; files a second, memory of this process and of the largest fork. Exits with 1
where a good file was not read, or a hostile one was taken for good without a word. Wall time is shown, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from ringfence.knowledge.errors import Unreadable
from ringfence.knowledge.parsing import ConfinedParser
from ringfence.sandboxes import choose

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.knowledge.parsing import breaking, making

SHARE = 20  # one file in so many is hostile
GIGABYTE = 1 << 30
PROSE = "The disk of the server fills up when the logs are not rotated. Call the person on duty, then run df. " * 8

Make = Callable[[], bytes]
GOOD: dict[str, Make] = {
    "md": lambda: f"# Disk full\n\n{PROSE}\n\n| step | who |\n|---|---|\n| df | ops |\n".encode(),
    "txt": lambda: f"{PROSE}\n\n{PROSE}".encode(),
    "html": lambda: f"<!doctype html><title>T</title><h1>Disk</h1><p>{PROSE}<script>x()</script>".encode(),
    "csv": lambda: b"name,town,age\n" + b"Ann,Graz,31\nBob,Linz,44\n" * 100,
    "json": lambda: b'[{"id": 1, "name": "Ann", "tags": ["a", "b"]}, {"id": 2, "name": "Bob"}]',
    "jsonl": lambda: making.lines(*({"n": n, "words": PROSE[:80]} for n in range(50))),
    "log": lambda: b"2024-11-20 12:00:00 ERROR disk full on sda1\n" * 200,
    "py": lambda: b"def run():\n    return 1\n\n\n" * 40,
    "eml": lambda: making.mail(("a.md", b"# Attached\n\nwords"), html="<p>hi"),
    "zip": lambda: making.zipped({f"{n}.md": f"# {n}\n\n{PROSE}".encode() for n in range(5)}, packed=True),
    "pdf": lambda: making.pdf(("Head", PROSE), ("Two", PROSE)),
    "docx": making.word,
    "xlsx": lambda: making.xlsx({"People": [["Name", "Age"], *([f"p{n}", n] for n in range(200))]}),
    "pptx": making.deck,
}
HOSTILE: dict[str, tuple[str, Make]] = {
    "flat zip bomb": ("zip", lambda: making.zipped({"a.txt": breaking.ZEROS}, packed=True)),
    "nested zip bomb": ("zip", breaking.nested_bomb),
    "zip that lies": ("zip", lambda: breaking.lying_zip(100)),
    "encrypted zip": ("zip", lambda: breaking.encrypted(making.zipped({"a.txt": b"hello"}))),
    "PDF bomb": ("pdf", breaking.pdf_bomb),
    "object stream bomb": ("pdf", breaking.object_stream_bomb),
    "encrypted PDF": ("pdf", lambda: making.pdf(("Head", "text"), password="pw")),
    "truncated DOCX": ("docx", lambda: making.word()[:9_000]),
    "a billion laughs": ("docx", breaking.laughs),
    "wrong encoding": ("txt", lambda: bytes(range(128, 256)) * 40),
    "binary as text": ("txt", lambda: b"\x00\x01\x02\xff\xfe" * 900),
    "UTF-8 of text in cp1252": ("txt", lambda: ("Größe über alles, fünf schöne Übungen. " * 20).encode("cp1252")),
    "an empty file": ("md", lambda: b""),
    "JSON nested 1,000,000 deep": ("json", lambda: b"[" * 1_000_000),
    "HTML nested 50,000 deep": ("html", lambda: b"<div>" * 50_000),
}
ON_DISK = ("a line of a gigabyte", "a link to itself")
MAY_PASS = {"UTF-8 of text in cp1252", "JSON nested 1,000,000 deep"}  # read, with a note that says how


def lay(folder: Path, count: int) -> list[tuple[Path, str, bool]]:
    """Write the files: (path, kind, whether it is good). Each hostile one is at a place of its own among the others."""
    made = {kind: make() for kind, make in GOOD.items()}
    broken = {kind: (suffix, make()) for kind, (suffix, make) in HOSTILE.items()}
    kinds, hostile = list(GOOD), [*HOSTILE, *ON_DISK]
    files: list[tuple[Path, str, bool]] = []
    for n in range(count):
        if n % SHARE != SHARE - 1:
            kind = kinds[n % len(kinds)]
            path = folder / f"{n}.{kind}"
            path.write_bytes(made[kind])
            files.append((path, kind, True))
            continue
        kind = hostile[n // SHARE % len(hostile)]
        path = folder / f"{n}.{broken[kind][0] if kind in broken else 'txt'}"
        if kind in broken:
            path.write_bytes(broken[kind][1])
        elif kind == ON_DISK[0]:
            with path.open("wb") as file:
                file.truncate(GIGABYTE)
        else:
            path.symlink_to(path)
        files.append((path, kind, False))
    return files


async def bench(count: int, *, listed: bool) -> int:
    launcher = await choose()
    parser = ConfinedParser(launcher)
    read, skipped, noted = Counter[str](), Counter[str](), Counter[str]()
    seconds: dict[str, float] = defaultdict(float)
    why: dict[str, str] = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        files = lay(Path(name), count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.monotonic()
        for path, kind, good in files:
            start = time.monotonic()
            try:
                found = await parser.parse(path.name, str(path))
            except Unreadable as fault:
                skipped[kind] += 1
                why[kind] = fault.what
                if listed:
                    print(f"skipped {path.name}: {fault.what}")
                wrong += [f"{path.name} ({kind}) was skipped: {fault.what}"] if good else []
            else:
                notes = [note for _, parsed in found for note in parsed.notes]
                read[kind] += 1
                noted[kind] += bool(notes)
                why.setdefault(kind, notes[0] if notes else "")
                if not good and not (kind in MAY_PASS and notes):
                    wrong.append(f"{path.name} ({kind}) was read")
            seconds[kind] += time.monotonic() - start
        took = time.monotonic() - began
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    await parser.aclose()
    launcher.close()
    print(f"{'kind':28} {'read':>6} {'noted':>6} {'skipped':>7} {'ms each':>8}  why")
    for kind in (*GOOD, *HOSTILE, *ON_DISK):
        total = read[kind] + skipped[kind]
        if total:
            each = 1000 * seconds[kind] / total
            print(f"{kind:28} {read[kind]:6} {noted[kind]:6} {skipped[kind]:7} {each:8.1f}  {why.get(kind, '')[:70]}")
    good_s = sum(seconds[kind] for kind in GOOD)
    print(f"\n{count} files in {took:.1f} s ({count / took:.0f} a second; good ones alone"
          f" {sum(read[kind] for kind in GOOD) / good_s:.0f}), in {launcher.name}")  # fmt: skip
    print(f"read {sum(read.values())}, skipped {sum(skipped.values())}; processes started: {parser.starts}")
    print(f"peak memory: this process {ours:.0f} MB ({before:.0f} before the first file), the largest fork"
          f" {parser.peak_mb:.0f} MB")  # fmt: skip
    for line in wrong[:20]:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--files", type=int, default=1_000)
    options.add_argument("--full", action="store_true", help="10,000 files")
    options.add_argument("--list", action="store_true", help="each file that was skipped, and why")
    given = options.parse_args()
    return asyncio.run(bench(10_000 if given.full else given.files, listed=given.list))


if __name__ == "__main__":
    sys.exit(main())
