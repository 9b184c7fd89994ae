"""What the worlds of bench/held share: how files and answers are written, and the command that makes them."""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "slm"))

import pages
from template import MANIFEST

PAGE = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n"
SMALL = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]  # fmt: skip
Cases = dict[str, dict[str, Any]]  # what is expected of each case, by its id
Words = dict[str, str]  # what is filled into the tasks' texts
Found = dict[str, list[list[object]] | None]  # per case: any of these lists of strings; None: nothing to compare


@dataclass(frozen=True)
class Suite:
    """What is a suite's own."""

    what: str
    name: str
    folders: str
    database: str
    lay: Callable[[Path, int], tuple[Cases, Words]]  # fills a folder from a seed
    again: Callable[[Path, Words], Found]  # works the answers out from the files
    tables: str = "tables"  # the folder of the tables


def write(path: Path, text: str) -> None:
    """A text file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def page(folder: Path, name: str, title: str, body: str) -> None:
    """A page of the site."""
    write(folder / "site" / f"{name}.html", PAGE.format(title=title, body=body))


def table(path: Path, separator: str, columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> None:
    """A table with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def ways(number: int) -> list[list[str]]:
    """A number in digits, or as a word if it is a small one."""
    return [[str(number)], *([word] for word in SMALL[number - 1 : number])]


def euros(number: Fraction) -> str:
    """An amount that has no part of a cent."""
    assert (number * 100).denominator == 1
    return f"{float(number):.2f}"


def money(cents: int) -> str:
    """Cents as `12.34`."""
    return f"{cents // 100}.{cents % 100:02d}"


def rounded(number: Decimal) -> str:
    """Rounded to two decimals, as people round."""
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))


def tie(number: Decimal) -> bool:
    """Whether rounding to two decimals is a matter of taste."""
    return (number * 1000) % 10 == 5


def text(folder: Path, name: str) -> str:
    """A file of a world."""
    return (folder / name).read_text("utf-8")


def rows(folder: Path, name: str, separator: str) -> list[dict[str, str]]:
    """A table of a world."""
    head, *body = [line.split(separator) for line in text(folder, name).splitlines()]
    return [dict(zip(head, line, strict=True)) for line in body]


def find(pattern: str, where: str) -> str:
    """What is there once."""
    (found,) = re.findall(pattern, where)
    return str(found)


def merged(*parts: tuple[Cases, Words]) -> tuple[Cases, Words]:
    """The cases of several parts of a world, and the words of their tasks."""
    cases, words = Cases(), Words()
    for more, asked in parts:
        cases |= more
        words |= asked
    return cases, words


def says(*strings: object, none: Iterable[object] = ()) -> dict[str, Any]:
    """The answer holds all of these strings, and none of those."""
    return {"answer": {"any": [[str(s) for s in strings]], "none": [str(s) for s in none]}}


def holds(path: str, string: object) -> dict[str, Any]:
    """A file is there afterwards, and holds this."""
    return {"files": {path: {"contains": [str(string)]}}}


def make(suite: Suite, folder: Path, seed: int, idle_s: float) -> None:
    """Fill a folder, which may be there if it is empty. Raises OSError otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OSError(f"expected an empty folder, got {folder}, which has files in it; name another one")
    (folder / "out").mkdir()  # what is written goes there, and a manifest does not name what is not there
    cases, words = suite.lay(folder, seed)
    port = pages.start(folder, idle_s)
    own = {"what": suite.what, "name": suite.name, "folders": suite.folders, "database": suite.database}
    write(folder / "ringfence.yaml", MANIFEST.format(seed=seed, port=port, tables=suite.tables, **own))
    expect = {**cases, "vars": {**words, "site": f"http://127.0.0.1:{port}"}}
    write(folder / "expect.json", json.dumps(expect, indent=1, ensure_ascii=False) + "\n")


def check(folder: Path, again: Callable[[Path, Words], Found]) -> list[str]:
    """Where expect.json and the files differ, in words."""
    expect = json.loads((folder / "expect.json").read_text("utf-8"))
    found = again(folder, expect.pop("vars"))
    wrong = [f"{name}: only in one of the two" for name in sorted(expect.keys() ^ found.keys())]
    for name, ways in found.items():
        if ways is None or name not in expect:
            continue
        answer, files = expect[name].get("answer", {}), expect[name].get("files", {})
        have = [*answer.get("any", ()), *(state["contains"] for state in files.values())]
        want = [[str(part) for part in way] for way in ways]
        if have != want:
            wrong.append(f"{name}: {have} in expect.json, {want} in the files")
        if {part for way in have for part in way} & set(answer.get("none", ())):
            wrong.append(f"{name}: {have} is also forbidden")
    return wrong


def main(suite: Suite) -> int:
    """0: made; 1: the check found a difference; 2: it could not be made."""
    parser = argparse.ArgumentParser(description=f"make a fresh {suite.what} for the tasks")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--idle", type=float, default=2_700.0, help="seconds without a request until the site ends")
    parser.add_argument("--check", action="store_true", help="work the answers out again from the files, and compare")
    given = parser.parse_args()
    folder = given.folder.resolve()
    try:
        make(suite, folder, given.seed, given.idle)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    wrong = check(folder, suite.again) if given.check else []
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0
