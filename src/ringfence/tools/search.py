"""`files.search` and `text.count`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field

from ringfence.core.errors import ToolError
from ringfence.core.policy import Role
from ringfence.core.values import JSON

from .corpus import LINE_BYTES, STREAM_S, Budget, Corpus
from .files import AnyPath
from .folders import Folders
from .pattern import MAX_PATTERN, SEARCH_S, Pattern, scan
from .texts import note_skipped, notes
from .tool import Args, Tool, Use, define

SECONDS = STREAM_S + SEARCH_S
MAX_HITS = 200
MAX_GIVEN = 100_000  # characters of text in an argument
QUICK_CHARS = 20_000
VALUE_CHARS = 120
ROLES = {"path": Role.CONTROL, "pattern": Role.LOW, "text": Role.LOW}

Wanted = Annotated[str, Field(description="a word or regex, such as ERROR or disk.*full", min_length=1)]
Counted = Annotated[str, Field(description="a word or regex to count, such as ERROR; empty counts all lines")]
By = Annotated[
    str,
    Field(
        description="group by: a key such as user in user=ann, field3 for the third word of the line, "
        "match for the matched text, 1 for the first (group) of the pattern; empty for none"
    ),
]
Top = Annotated[int, Field(ge=1, le=100, description="how many of the most frequent values")]

_PLAIN, _MAX_APART = re.compile(r"[^\W_][\w.-]+"), 4  # words of a pattern that are looked for one by one
_FIELD = re.compile(r"[\w.-]+=(?:\"[^\"]*\"|[^\s\"]+)")
_MEASURED = re.compile(r"=\"?[-+]?\d[\d.,:]*\"?$")
_ASKED = r"\b(?:how (?:many|often)|(?:first|last) time|earliest|latest)\b"
COUNTS = rf"{_ASKED}.*\.log\b|\.log\b.*{_ASKED}"  # what text.count is for: it says which line is the first and the last


class SearchArgs(Args):
    """Arguments of files.search."""

    pattern: Wanted
    path: AnyPath = ""


class CountTextArgs(Args):
    """Arguments of text.count without files."""

    text: Annotated[str, Field(description="the text to count in", min_length=1, max_length=MAX_GIVEN)]
    pattern: Counted = ""
    group_by: By = ""
    top: Top = 10


class CountArgs(Args):
    """Arguments of text.count."""

    path: AnyPath = ""
    pattern: Counted = ""
    group_by: By = ""
    top: Top = 10
    text: Annotated[str, Field(description="a text to count in instead of files", max_length=MAX_GIVEN)] = ""


def search_files(folders: Folders, use: Use, *, room: int) -> Tool:
    """The tool `files.search`. `room` is in characters of the result."""

    def run(args: SearchArgs) -> JSON:
        texts = Corpus(folders, args.path, Budget(STREAM_S))
        pattern, found = _scan_anyhow(Pattern.read(args.pattern), texts, hits=MAX_HITS)
        hits, heading = found["hits"], "matches"
        named = _named(found)
        if named:  # the lines where the word is the value of a field, before those where it merely occurs
            name, place = next(iter(named.items()))
            hits, heading = place["hits"], f"lines whose {name} is {pattern.text}"
        shown: list[str] = []
        for path, number, line in hits:
            shown.append(f"{path}:{number}: {line.strip()}")
            if sum(len(other) + 4 for other in shown) > room:
                shown.pop()
                break
        total, cut = named[name]["lines"] if named else found["lines"], ""
        if len(shown) < total:
            best = sorted(found["files"].items(), key=lambda item: -item[1])[:5]
            spread = ", ".join(f"{path} {count}" for path, count in best)
            cut = f"showing {len(shown)} of {total} matching lines ({spread}); narrow the pattern, or use text.count"
        ends = (hits[0], (named[name] if named else found)["last"]) if total > 3 else ()
        edges = {
            f"{which} match": "{}:{}: {}".format(*hit) for which, hit in zip(("first", "last"), ends, strict=False)
        }
        also = f"{found['lines'] - total} more lines have {pattern.text} elsewhere" if named else ""
        none = "" if total else "no line matches; use files.find with plain words"
        if total == 1:
            edges = _wider(args.pattern, texts)
        return {heading: shown, **edges, **notes(cut, also, none, pattern.note, *_left_out(texts, found))}

    summary = "Search all files for lines with an exact word, code or regex; gives path:line: text."
    return define("files.search", summary, SearchArgs, run, use=use, timeout_s=SECONDS)


def _is_quick(args: CountTextArgs | CountArgs) -> bool:
    """A short given text and a pattern that needs no worker: no reason for a thread."""
    return (
        0 < len(args.text) <= QUICK_CHARS and len(args.pattern) <= MAX_PATTERN and Pattern.read(args.pattern).is_quick
    )


def count_text(use: Use) -> Tool:
    """The tool `text.count` over a given text alone."""

    def run(args: CountTextArgs) -> JSON:
        return _count([("text", args.text)], args.pattern, args.group_by, args.top)

    summary = "Count lines or matches in a text, or its most frequent values. Use it instead of counting yourself."
    return define("text.count", summary, CountTextArgs, run, use=use, timeout_s=SECONDS, quick=_is_quick)


def count_files(folders: Folders, use: Use) -> Tool:
    """The tool `text.count` over files, or over a given text."""

    def run(args: CountArgs) -> JSON:
        if args.text:
            return _count([("text", args.text)], args.pattern, args.group_by, args.top)
        texts = Corpus(folders, args.path, Budget(STREAM_S))
        return _count(texts, args.pattern, args.group_by, args.top)

    summary = (
        "Count lines or matches in a file or in all files, or the most frequent values (group_by). "
        "Use it for every 'how many' or 'which most often' instead of counting yourself."
    )
    return define("text.count", summary, CountArgs, run, use=use, timeout_s=SECONDS, quick=_is_quick, suits=COUNTS)


Given = Corpus | list[tuple[str, str]]


def _scan_anyhow(pattern: Pattern, texts: Given, **how: Any) -> tuple[Pattern, dict[str, Any]]:
    """Scan; if nothing matches and capital letters were meant, scan once more without minding them."""
    read, found = scan(pattern, texts, **how)
    if found["lines"] or read.ignore_case or _late(texts):
        return read, found
    kept = texts.reading if isinstance(texts, Corpus) else None
    wider, again = scan(read.any_case(), texts, **how)
    if not again["lines"]:
        if isinstance(texts, Corpus) and kept is not None:
            texts.reading = kept
        return read, found
    note = f"nothing matches {read.text} exactly; these match without minding capital letters"
    return Pattern(wider.text, wider.regex, ignore_case=True, note=note), again


def _late(texts: Given) -> bool:
    return isinstance(texts, Corpus) and texts.late


def _left_out(texts: Given, found: dict[str, Any]) -> list[str]:
    """What a result does not tell, because it was not read or not looked at: for its note."""
    said = []
    if found["detailed"] < found["lines"]:
        said.append(f"only the first {found['detailed']:,} matching lines were looked at word by word")
    if isinstance(texts, Corpus):
        if texts.reading.late:
            said.append("the time was up: what is told is of the part that was read; name a file, or narrow the path")
        if texts.reading.long:
            size = f"{LINE_BYTES >> 20} MB"
            said.append(f"of lines longer than {size} ({texts.reading.long}) only the first {size} were read")
        said.append(note_skipped(texts.reading.skipped))
    return said


def _count(texts: Given, pattern: str, by: str, top: int) -> JSON:
    read, found = _scan_anyhow(Pattern.read(pattern), texts, by=by.strip(), top=top, hits=1)
    files, name = texts.names if isinstance(texts, Corpus) else (1, "text")
    told = _left_out(texts, found)
    result: dict[str, JSON] = {} if files != 1 or name == "text" else {"path": name}
    result |= _matched(read, found) if pattern else {"lines": found["lines"]}
    if files > 1:
        ranked = sorted(found["files"].items(), key=lambda item: (-item[1], item[0]))
        result["files"] = [[path, count] for path, count in ranked[:10]]
    few = ""
    if found["unit"]:
        result |= {"by": found["unit"], "distinct": found["distinct"]}
        result["top"] = [[value[:VALUE_CHARS], count] for value, count in found["values"]]
        if not found["values"] and found["lines"]:
            raise ToolError(
                f"no matching line has {found['unit']!r}",
                todo="give group_by=field3 for the third word of a line; for a CSV file use csv.query",
            )
        if (
            found["distinct"] == 1 and pattern and not _late(texts)
        ):  # a pattern that is the value itself: the question was about all of them
            all_lines = _scan_anyhow(Pattern.read(""), texts, by=by.strip(), top=top)[1]
            which = "top of the first lines" if isinstance(texts, Corpus) and texts.reading.late else "top of all lines"
            result[which] = [[value[:VALUE_CHARS], count] for value, count in all_lines["values"]]
        if found["distinct"] > top:
            few = f"showing the {top} most frequent of {found['distinct']} values"
    if pattern and not found["lines"]:
        result |= _apart(pattern, texts)
    elif pattern and found["lines"] == 1:
        result |= _wider(pattern, texts)
    return {**result, **notes(few, read.note, *told)}


def _apart(pattern: str, texts: Given) -> dict[str, JSON]:
    """Where words that nowhere stand together do stand: a small model writes "level ERROR" for a field's value."""
    words = list(dict.fromkeys(_PLAIN.findall(pattern)))
    if not 1 < len(words) <= _MAX_APART:
        return {}
    counts: dict[str, int] = {}
    for word in words:
        if _late(texts):
            return {}
        counts[word] = _scan_anyhow(Pattern.read(word), texts, by="", top=1, hits=1)[1]["lines"]
    if isinstance(texts, Corpus) and texts.reading.late:  # not counted to the end
        return {}
    told = {f"lines with {word}": count for word, count in counts.items() if count}
    return {"nowhere together, but": told} if told else {}


def _wider(pattern: str, texts: Given) -> dict[str, JSON]:
    """Of a pattern that is one line's fields, copied: the field that the fewest other lines share, and these lines.

    A small model copies the line that it was shown where it is after all lines like it, which are told by a word, not
    by what was measured.
    """
    fields = list(dict.fromkeys(_FIELD.findall(pattern)))
    fields = [field for field in fields if not _MEASURED.search(field)] or fields
    if not 0 < len(fields) <= _MAX_APART or _late(texts):
        return {}
    shared = []
    for field in fields:
        read, found = _scan_anyhow(Pattern.read(re.escape(field)), texts, by="", top=1, hits=1)
        if _late(texts) or (isinstance(texts, Corpus) and texts.reading.late):
            return {}
        if found["lines"] > 1:
            shared.append((found["lines"], field, _matched(read, found)))
    if not shared:
        return {}
    count, field, lines = min(shared, key=lambda one: one[0])
    ends = {f"{end} line with {field}": lines[end] for end in ("first", "last")}
    return {f"lines with {field}": count, **ends}


def _named(found: dict[str, Any]) -> dict[str, Any]:
    """The fields that have the word as their value in some of the matching lines but not in all, the fewest first.

    A word may stand anywhere in a line; as the value of a field it means something.
    """
    if found["detailed"] < found["lines"]:
        return {}
    some = {name: place for name, place in found["named"].items() if place["lines"] != found["lines"]}
    return dict(sorted(some.items(), key=lambda item: (item[0] == "bytes", item[1]["lines"])))


def _matched(pattern: Pattern, found: dict[str, Any]) -> dict[str, JSON]:
    """How many lines match, the first and the last of them, and apart those where the word is a field's value."""
    result: dict[str, JSON] = {"pattern": pattern.text}
    named = _named(found)
    for name, place in named.items():
        result[f"lines whose {name} is {pattern.text}"] = place["lines"]
    if named:
        most = max(place["lines"] for place in named.values())
        result["of_lines"] = found["total"]
        result["elsewhere"] = (
            f"{pattern.text} occurs in {found['lines'] - most} more lines, but as part of something else"
        )
    else:
        wholes = dict(found["wholes"]) if len(found["wholes"]) > 1 and found["detailed"] == found["lines"] else {}
        for word, count in wholes.items():
            result[f"lines with the word {word}"] = count
        where = f"lines with {pattern.text} anywhere" if wholes else "matching_lines"
        result |= {where: found["lines"], "of_lines": found["total"]}
        if found["lines"] and found["occurrences"] != found["lines"]:
            result["matches"] = found["occurrences"]
    for name, values in () if found["unit"] else found["spread"].items():
        result[f"most often as {name}"] = ", ".join(f"{value[:40]} {count}" for value, count in values)
    ends = next(iter(named.values())) if named else found
    if found["lines"]:
        for name, hit in (("first", ends["hits"][0]), ("last", ends["last"])):
            result[name] = f"line {hit[1]}: {hit[2].strip()}"
    return result
