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

MAX_WHOLES = 1_000
MAX_WORDS, MAX_KINDS, MAX_SPREAD = 10, 12, 3
MAX_VALUES = 100_000  # distinct values that are told apart; the rest is counted as one


def split_lines(text: str) -> list[str]:
    """Lines as editors and `grep -n` number them: ends are LF or CRLF, nothing else."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines] if "\r" in text else lines


_ACCESS = re.compile(
    r'(?P<ip>[\da-fA-F.:]+)\b[^\["]{0,80}\[(?P<time>[^\]]*)\] "(?P<method>[A-Z]+) (?P<path>[^" ]+)[^"]*" '
    r"(?P<status>\d{3}) (?P<bytes>\d+|-)"
)
_PAIR = re.compile(
    r'(?<![\w.-])(?:"([A-Za-z_][\w.-]{0,30})"\s*:|([A-Za-z_][\w.-]{0,30})=)\s*(?:"([^"]*)"|([^\s,;&|{}\[\]()"]+))'
)
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b")


def fields(line: str) -> dict[str, str]:
    """The named parts of a log line: of the combined access format, of `key=value` and `"key": value`, and its level."""
    named = {}
    if level := _LEVEL.search(line):
        named["level"] = level[1]
    if access := _ACCESS.match(line):
        return named | access.groupdict()
    for quoted, plain, text, bare in _PAIR.findall(line):
        named.setdefault(quoted or plain, text or bare)
    return named


def scan(job: dict[str, Any], texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Count and collect the matching lines of (name, text) pairs.

    job     pattern, ignore_case, by (see `valuer`), hits: how many lines to bring back, width: their characters
            word: a plain word, if the pattern is one
    result  hits [[name, line number, line]], last: the last of them, lines, occurrences, total, files {name: matching lines},
            values [[value, count]] most frequent first, distinct: how many values; `unit` is what values count;
            spread {field or word: [[value, lines]]} of the few places where matching lines differ in a few values;
            wholes [[whole word that the word is part of, lines]],
            named {field: of the lines whose field is the word: lines, hits, last}
    """
    regex = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
    value_of, unit = valuer(job["by"], regex)
    hits: list[list[Any]] = []
    files: Counter[str] = Counter()
    values: Counter[str] = Counter()
    named: dict[str, dict[str, Any]] = {}
    wholes: Counter[str] = Counter()
    columns: dict[str, Counter[str]] = {}
    whole = re.compile(rf"[\w.-]*{re.escape(job['word'])}[\w-]*", re.IGNORECASE) if job["word"] else None
    last: list[Any] = []
    occurrences = total = 0
    for name, text in texts:
        for number, line in enumerate(split_lines(text), 1):
            total += 1
            if regex.search(line) is None:
                continue
            files[name] += 1
            found = list(regex.finditer(line)) if job["pattern"] else [None]
            occurrences += len(found)
            last = [name, number, line, found[0]]
            if len(hits) < job["hits"]:
                hits.append(_hit(last, job["width"]))
            for key in [k for k, v in fields(line).items() if v.lower() == job["word"]] if job["word"] else ():
                place = named.setdefault(key, {"lines": 0, "hits": []})
                place["lines"] += 1
                if len(place["hits"]) < max(job["hits"], 1):
                    place["hits"].append(_hit(last, job["width"]))
                place["last"] = last
            if whole is not None and len(wholes) < MAX_WHOLES:
                wholes.update({match.group() for match in whole.finditer(line)})
            if job["pattern"]:
                _tally(columns, line)
            for value in value_of(line, found):
                values[value if value in values or len(values) < MAX_VALUES else "(others)"] += 1
    for place in named.values():
        place["last"] = _hit(place["last"], job["width"])
    return {
        "hits": hits, "last": _hit(last, job["width"]) if last else [], "named": named,
        "wholes": wholes.most_common(6),
        "spread": _spread(columns, files.total()),
        "lines": files.total(), "occurrences": occurrences, "total": total, "files": dict(files),
        "values": values.most_common(job["top"]), "distinct": len(values), "unit": unit,
    }  # fmt: skip


def _tally(columns: dict[str, Counter[str]], line: str) -> None:
    """Count what stands where in a line: by field where it has fields, else by word."""
    named = fields(line)
    places = (
        named.items() if len(named) > 2 else ((f"word {n}", word) for n, word in enumerate(line.split()[:MAX_WORDS], 1))
    )
    for name, value in places:
        counter = columns.setdefault(name, Counter())
        if len(counter) <= MAX_KINDS or value in counter:
            counter[value] += 1


def _spread(columns: dict[str, Counter[str]], lines: int) -> dict[str, list[tuple[str, int]]]:
    """The places with a few values that come again and again, those with the fewest first."""
    telling = {
        name: counter
        for name, counter in columns.items()
        if 1 < len(counter) <= MAX_KINDS and counter.total() >= 0.8 * lines and lines >= 2 * len(counter)
    }
    chosen = sorted(telling, key=lambda name: len(telling[name]))[:MAX_SPREAD]
    return {name: telling[name].most_common(6) for name in chosen}


def _hit(found: list[Any], width: int) -> list[Any]:
    name, number, line, match = found
    return [name, number, _clip(line, match, width)]


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
        a group's number or name; any other name: a field, or what stands after `name=`, `name:` or `"name":`
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

    def values(line: str, found: list[Any]) -> list[str]:
        named = fields(line).get(by)
        if named is not None:
            return [named]
        return [next(g for g in m.groups() if g is not None) for m in key.finditer(line)][:1]

    return values, by


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
