"""Lines of texts that match a pattern, counted. Run as a program, it is the worker that `pattern.scan` may kill.

Standard library alone and nothing of Ringfence: the worker starts in milliseconds and has nothing to leak.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

MAX_VALUES = 100_000  # distinct values that are told apart; the rest is counted as one


def split_lines(text: str) -> list[str]:
    """Lines as editors and `grep -n` number them: ends are LF or CRLF, nothing else."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines] if "\r" in text else lines


def scan(job: dict[str, Any], texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Count and collect the matching lines of (name, text) pairs.

    job     pattern, ignore_case, by (see `valuer`), hits: how many lines to bring back, width: their characters
    result  hits [[name, line number, line]], lines, occurrences, total, files {name: matching lines},
            values [[value, count]] most frequent first, distinct: how many values; `unit` is what values count
    """
    regex = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
    value_of, unit = valuer(job["by"], regex)
    hits: list[list[Any]] = []
    files: Counter[str] = Counter()
    values: Counter[str] = Counter()
    occurrences = total = 0
    for name, text in texts:
        for number, line in enumerate(split_lines(text), 1):
            total += 1
            if regex.search(line) is None:
                continue
            files[name] += 1
            found = list(regex.finditer(line)) if job["pattern"] else [None]
            occurrences += len(found)
            if len(hits) < job["hits"]:
                hits.append([name, number, _clip(line, found[0], job["width"])])
            for value in value_of(line, found):
                values[value if value in values or len(values) < MAX_VALUES else "(others)"] += 1
    return {
        "hits": hits, "lines": files.total(), "occurrences": occurrences, "total": total, "files": dict(files),
        "values": values.most_common(job["top"]), "distinct": len(values), "unit": unit,
    }  # fmt: skip


def _clip(line: str, match: re.Match[str] | None, width: int) -> str:
    """The part of a long line around the match."""
    if len(line) <= width:
        return line
    start = max(0, min((match.start() if match else 0) - width // 4, len(line) - width))
    return ("..." if start else "") + line[start : start + width] + ("..." if start + width < len(line) else "")


Values = Callable[[str, list[Any]], list[str]]


def valuer(by: str, regex: re.Pattern[str]) -> tuple[Values, str]:
    """How to take the values to count from a line and its matches, and what they are called.

    by  "" the first group of the pattern if it has one; "match" the matched text; "field3" the third word of the line;
        a group's number or name; any other name: what stands after `name=`, `name:` or `"name":`
    """
    if by == "match":
        return (lambda line, found: [m.group() for m in found if m]), "matched text"
    if (word := re.fullmatch(r"(?:field|word|column)?[ _]*(\d+)", by)) and not (
        by.isdigit() and int(by) <= regex.groups
    ):
        place = int(word[1]) - 1
        return (
            lambda line, found: line.split()[place : place + 1] if place >= 0 else []
        ), f"word {word[1]} of the line"
    if (not by and regex.groups) or by.isdigit() or by in regex.groupindex:
        group = int(by or 1) if not by or by.isdigit() else by
        return (lambda line, found: [m.group(group) or "" for m in found if m]), f"group {group} of the pattern"
    if not by:
        return (lambda line, found: []), ""
    key = re.compile(
        rf"(?<![\w.-]){re.escape(by)}[\"']?\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;&|{{}}\[\]()]+))", re.I
    )
    return (lambda line, found: [next(g for g in m.groups() if g is not None) for m in key.finditer(line)][:1]), by


def main() -> None:
    """Standard input: one line of JSON (job, names, sizes in bytes), then the texts; standard output: the result."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    except (ImportError, ValueError, OSError):  # not on this system: the parent's clock still holds
        pass
    head = json.loads(sys.stdin.buffer.readline())
    texts = (
        (name, sys.stdin.buffer.read(size).decode()) for name, size in zip(head["names"], head["sizes"], strict=True)
    )
    try:
        result = scan(head["job"], texts)
    except (re.error, RecursionError, OverflowError) as error:
        result = {"error": str(error)}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
