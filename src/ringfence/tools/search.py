"""`files.search` and `text.count`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ringfence.core.policy import Role
from ringfence.core.values import JSON

from .corpus import LINE_BYTES, STREAM_S, Budget, Corpus
from .encoded import AS_LEGACY
from .files import AnyPath
from .folders import Folders
from .grouping import grouped
from .measures import in_words
from .pattern import MAX_PATTERN, SEARCH_S, Pattern
from .scanning import Given, matched, named, scan_anyhow
from .search_near import apart, of_class, otherwise_dated, together, wider, words_of
from .sections import Sections
from .texts import note_skipped, notes
from .tool import Args, Tool, Use, define

SECONDS = STREAM_S + SEARCH_S
MAX_HITS = 200
MAX_MEASURES = 3  # fields of which it is told what their numbers come to
LEAST_TOP = 10  # values that are told: who asks for the most frequent one alone may need another
MAX_GIVEN = 100_000  # characters of text in an argument
QUICK_CHARS = 20_000
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

_ASKED = r"\b(?:how (?:many|often)|count(?:ing)?|number of|(?:first|last) time|earliest|latest)\b"
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
        pattern, found = scan_anyhow(Pattern.read(args.pattern), texts, hits=MAX_HITS)
        hits, heading = found["hits"], "matches"
        places = named(found)
        if places:  # the lines where the word is the value of a field, before those where it merely occurs
            name, place = next(iter(places.items()))
            hits, heading = place["hits"], f"lines whose {name} is {pattern.value}"
        shown: list[str] = []
        section = Sections(folders)
        for path, number, line in hits:
            shown.append(f"{path}:{number}{section.of(path, number)}: {line.strip()}")
            if sum(len(other) + 4 for other in shown) > room:
                shown.pop()
                break
        total, cut = places[name]["lines"] if places else found["lines"], ""
        if len(shown) < total:
            best = sorted(found["files"].items(), key=lambda item: -item[1])[:5]
            spread = ", ".join(f"{path} {count}" for path, count in best)
            cut = f"showing {len(shown)} of {total} matching lines ({spread}); narrow the pattern, or use text.count"
        ends = (hits[0], (places[name] if places else found)["last"]) if total > 3 else ()
        edges = {
            f"{which} match": "{}:{}: {}".format(*hit) for which, hit in zip(("first", "last"), ends, strict=False)
        }
        measured = (
            list((places[name] if places else found)["measures"].items())
            if total > 3 and found["detailed"] == found["lines"]
            else []
        )
        edges |= {f"{field} of these {total} lines": in_words(of) for field, of in measured[:MAX_MEASURES]}
        also = f"{found['lines'] - total} more lines have {pattern.text} elsewhere" if places else ""
        none = "" if total else "no line matches; use files.find with plain words"
        if total == 1:
            edges = wider(args.pattern, texts)
        elif not total and (edges := together(args.pattern, texts)):
            none = f"no line matches {args.pattern} as it stands; these have all of its words"
        return {heading: shown, **edges, **notes(cut, also, none, pattern.note, *_left_out(texts, found))}

    summary = "Search all files for lines with an exact word, code or regex; gives path:line: text."
    return define("files.search", summary, SearchArgs, run, use=use, timeout_s=SECONDS)


def _is_quick(args: CountTextArgs | CountArgs) -> bool:
    """A short given text and one word, ungrouped, for which no worker is asked either: no reason for a thread."""
    short = 0 < len(args.text) <= QUICK_CHARS and len(args.pattern) <= MAX_PATTERN and not args.group_by
    return short and not words_of(args.pattern) and Pattern.read(args.pattern).is_quick


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
        return _count(texts, args.pattern, args.group_by, max(args.top, LEAST_TOP))

    summary = (
        "Count lines or matches in a file or in all files, or the most frequent values (group_by). "
        "Use it for every 'how many' or 'which most often' instead of counting yourself."
    )
    return define("text.count", summary, CountArgs, run, use=use, timeout_s=SECONDS, quick=_is_quick, suits=COUNTS)


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
        said.append(AS_LEGACY if texts.reading.legacy else "")
    return said


def _count(texts: Given, pattern: str, by: str, top: int) -> JSON:
    read, found = scan_anyhow(Pattern.read(pattern), texts, by=by.strip(), top=top, hits=1)
    files, name = texts.names if isinstance(texts, Corpus) else (1, "text")
    told = _left_out(texts, found)
    result: dict[str, JSON] = {} if files != 1 or name == "text" else {"path": name}
    result |= matched(read, found) if pattern else {"lines": found["lines"]}
    if files > 1:
        ranked = sorted(found["files"].items(), key=lambda item: (-item[1], item[0]))
        result["files"] = [[path, count] for path, count in ranked[:10]]
    groups, few = grouped(found, pattern, texts, by.strip(), top) if found["unit"] else ({}, "")
    result |= groups
    if pattern and not found["lines"]:
        result |= of_class(pattern, texts) or apart(pattern, texts)
    elif pattern and found["lines"] == 1:
        result |= wider(pattern, texts)
    if pattern and not read.note:
        result |= otherwise_dated(pattern, found["lines"], texts)
    return {**result, **notes(few, read.note, *told)}
