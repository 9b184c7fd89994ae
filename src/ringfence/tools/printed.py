"""What a command's output does not say by itself, and a model gets wrong: in what its bare numbers are, which of its
lines has the most, what it counted or sorted by, and why a shell's signs came to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

ROUNDED = "sizes are rounded; without -h they are exact"
KIB = "KiB (1,024 bytes)"

_LISTED = re.compile(r"-[rwxsStT-]{9}[.+@]? +\d+ +\S+ +\S+ +(\d+) +\S+ +\d+ +[\d:]+ (.+)")
_TAKEN = re.compile(r"(\d+(?:[.,]\d+)?)([KMGTPE]?)\t(.+)")
_OTHERWISE = {  # options by which numbers are no KiB any more
    "du": re.compile(r"-[A-Za-z]*[bmhB]|--(bytes|human-readable|si|block-size|inodes|apparent-size=|null)"),
    "free": re.compile(r"-[A-Za-z]*[bmgh]|--(bytes|mebi|gibi|tebi|kilo|mega|giga|tera|human|si)"),
    "vmstat": re.compile(r"-[A-Za-z]*[Ss]|--(unit|stats)"),
}
_SIGNS = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1", "2>/dev/null", ">/dev/null"})
_MISSING = re.compile(r"No such file or directory|cannot access|extra operand")


def remarks(argv: Sequence[str], stdout: str, stderr: str) -> str:
    """What is to be said of what a command printed; nothing, mostly."""
    unit = _unit(argv, stdout)
    told = {"ls": _sizes, "ps": _busiest}.get(argv[0])
    parts = [unit, told(stdout) if told else "", _no_shell(argv, stderr)]
    if argv[0] == "du":
        parts[1] = _taken(stdout, " KiB" if unit else "")
    elif argv[0] == "uniq" and "-c" in argv:
        parts[1] = _apart(stdout)
    elif argv[0] == "sort":
        parts[1] = _as_text(argv, stdout)
    elif argv[0] == "grep" and any(re.match(r"-[A-Za-z]*c|--count", word) for word in argv[1:]):
        parts[1] = "lines are counted, not how often it stands in each"
    return "; ".join(part for part in parts if part)


def _unit(argv: Sequence[str], stdout: str) -> str:
    if argv[0] == "ps":
        asked = re.search(r"\b(rss|vsz|rsz|sz)\b", " ".join(argv).lower()) or re.search(r"\b(RSS|VSZ)\b", stdout[:400])
        return f"RSS and VSZ are in {KIB}" if asked else ""
    other = _OTHERWISE.get(argv[0])
    if other is None or not re.search(r"\d", stdout) or any(map(other.match, argv[1:])):
        return ""
    return f"memory is in {KIB}" if argv[0] == "vmstat" else f"the numbers are {KIB}"


def _sizes(listed: str) -> str:
    """What the files that `ls -l` shows come to, and the largest: a model takes the first, and of two that are told the
    last one.
    """
    files = [(int(found[1]), found[2]) for line in listed.splitlines() if (found := _LISTED.fullmatch(line))]
    if len(files) < 2:
        return ""
    most, large = max(files)
    total = f"{len(files)} files of {sum(size for size, _ in files)} bytes in all"
    return f"{total}; the largest is {large} with {most} bytes"


def _taken(printed: str, unit: str) -> str:
    """Which of the places that `du` tells, side by side, takes most: its last line is what they are in."""
    lines = [found for line in printed.splitlines() if (found := _TAKEN.fullmatch(line))]
    if lines and lines[-1][3] == "total":
        lines.pop()
    if not lines:
        return ""
    whole = PurePosixPath(lines[-1][3])
    below = [line for line in lines if PurePosixPath(line[3]).parent == whole != PurePosixPath(line[3])]
    lines = below or ([] if any(whole in PurePosixPath(line[3]).parents for line in lines) else lines)
    sizes = sorted((_bytes(line[1], line[2]), n) for n, line in enumerate(lines))
    if len(sizes) < 2 or sizes[-1][0] == sizes[-2][0]:
        return ""
    most = lines[sizes[-1][1]]
    return f"the largest{f' directly in {whole}' if below else ''} is {most[3]} with {most[1]}{most[2]}{unit}"


def _bytes(number: str, unit: str) -> float:
    return float(number.replace(",", ".")) * 1024.0 ** (" KMGTPE".index(unit or " "))


def _busiest(printed: str) -> str:
    """Which process takes most of what a column of `ps` tells."""
    lines = printed.splitlines()
    names = lines[0].split() if lines else []
    rows = [row for line in lines[1:] if len(row := line.split(None, max(0, len(names) - 1))) == len(names)]
    if len(rows) < 2 or "PID" not in names or names[-1] not in ("COMMAND", "CMD"):
        return ""
    said = []
    for column, what in (("RSS", "memory"), ("%CPU", "CPU")):
        if column in names and all(re.fullmatch(r"\d+(\.\d+)?", row[names.index(column)]) for row in rows):
            most = max(rows, key=lambda row: float(row[names.index(column)]))
            who = f"{most[-1][:60]} (PID {most[names.index('PID')]})"
            said.append(f"most {what}: {who}, {column} {most[names.index(column)]}")
    return "; ".join(said)


def _as_text(argv: Sequence[str], printed: str) -> str:
    """Numbers that `sort` took for text, so that 10 comes before 9."""
    if any(re.match(r"-[A-Za-z]*[nghVMRkt]|--(?!reverse|unique|stable|ignore)", word) for word in argv[1:]):
        return ""
    first = [re.match(r"\s*(-?\d+(?:\.\d+)?)(?![\d:/-])", line) for line in printed.splitlines() if line.strip()]
    numbers = [float(found[1]) for found in first if found]
    if len(numbers) < len(first) or numbers in (sorted(numbers), sorted(numbers, reverse=True)):
        return ""
    return "the numbers are sorted as text; -n sorts them by size"


def _apart(printed: str) -> str:
    """Lines that `uniq -c` counted anew, because others stand between them."""
    lines = [found[1] for line in printed.splitlines() if (found := re.fullmatch(r" *\d+ (.*)", line))]
    once = len(set(lines)) == len(lines)
    return "" if once else "only lines next to each other count as the same; sort puts them there"


def _no_shell(argv: Sequence[str], stderr: str) -> str:
    """Why `*` and `|` were taken for names of files."""
    if not _MISSING.search(stderr):
        return ""
    if signs := [word for word in argv[1:] if word in _SIGNS]:
        return f"there is no shell: {signs[0]} is taken as the name of a file; run one command, without it"
    if argv[0] not in ("find", "grep", "rg") and any("*" in word or "?" in word for word in argv[1:]):
        return "there is no shell: * stands for itself; name the folder, or the files one by one"
    return ""
