"""What stands in a line of a log: its fields, its level and when it is of. Standard library alone, as `lines` is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

JSON_CHARS = 65_536  # a longer line is not parsed: its pairs are found as in any other text
HOUR, DAY_AND_HOUR = "hour of the day", "day and hour"
_RECORD_CHARS = 2_000  # characters of a line that is a record by itself
_HEAD = 400  # characters in which a line says of when it is

_ACCESS = re.compile(
    r'(?:[\w.:-]+ )?(?P<ip>[\w.:-]+) \S+ (?P<user>[^\["]{1,80}?) \[(?P<time>[^\]]*)\] '
    r'"(?P<method>[A-Z]+) (?P<path>[^" ]+)[^"]*" (?P<status>\d{3}) (?P<bytes>\d+|-)'
    r'(?: "(?P<referer>[^"]*)" "(?P<agent>[^"]*)")?'
)
_LOOSE = re.compile(
    r'(?P<ip>[\da-fA-F.:]+)\b[^\["]{0,80}\[(?P<time>[^\]]*)\] "(?P<method>[A-Z]+) (?P<path>[^" ]+)[^"]*" '
    r"(?P<status>\d{3}) (?P<bytes>\d+|-)"
)
_CALLED = {  # what people call the fields of an access log
    "url": "path", "uri": "path", "page": "path", "status code": "status", "status_code": "status", "code": "status",
    "http status": "status", "ip address": "ip", "address": "ip", "client": "ip", "host": "ip", "user agent": "agent",
    "user_agent": "agent", "browser": "agent", "size": "bytes",
}  # fmt: skip
_PAIR = re.compile(
    r'(?<![\w.-])(?:"([A-Za-z_][\w.-]{0,30})"\s*:|([A-Za-z_][\w.-]{0,30})=)\s*(?:"([^"]*)"|([^\s,;&|{}\[\]()"]+))'
)
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b")
_LEVELS = (
    "trace|debug|info|information|notice|warn|warning|err|error|severe|crit|critical|alert|emerg|emergency|fatal|panic"
)
_A_LEVEL = re.compile(_LEVELS, re.I)
_SAY_LEVEL = ("level", "lvl", "severity", "Level", "LEVEL", "Severity", "SEVERITY")
_LEVEL_NAMES = ("level", "log level", "loglevel", "log_level", "severity")
_LEVEL_KEYS = ("level", "lvl", "severity", "loglevel", "log_level", "log.level")
_MARKED_LEVEL = re.compile(  # `[error]`, `[proxy:error]`, `error: `, `| warn |`
    rf"(?:^|[\s\]])[\[(<](?:[\w-]+:)?({_LEVELS})[\])>]|(?:^|[\d\])>:] )({_LEVELS}):(?=\s|$)|\| ?({_LEVELS}) ?\|", re.I
)

_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SHORT = {name: n for n, name in enumerate(_ENGLISH, 1)}
_SHORT |= {"mär": 3, "mai": 5, "okt": 10, "dez": 12}
_MONTH = "|".join(_SHORT)
_WHEN = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<s>[-/.]?)(?P<m>[01]\d)(?P=s)(?P<d>[0-3]\d)(?![\d.])"
    rf"|(?<![\w.])(?P<d2>\d{{1,2}})(?:/|-|\.? )(?P<mon2>{_MONTH})[a-z]{{0,6}}(?:/|-|\.?,? )(?P<y2>(?:19|20)\d\d)\b"
    rf"|\b(?P<mon3>{_MONTH})[a-z]{{0,6}}\.? {{1,2}}(?P<d3>\d{{1,2}})(?=[ ,])"
    r"(?:,? (?:[\d:.]{5,16} )?(?P<y3>(?:19|20)\d\d)\b)?"
    r"|(?<![\d.])(?P<d4>[0-3]?\d)\.(?P<m4>[01]?\d)\.(?P<y4>(?:(?:19|20)\d\d|\d\d))(?![\d.])"
    r"|(?<![\w/])(?P<raw>\d{1,2}/\d{1,2}/(?:\d{4}|\d\d))(?![\w/])",  # days or months first: nobody can tell
    re.I,
)
_CLOCK = re.compile(
    r"(?<![\d.])(\d{1,2}):(\d\d)(?::\d\d)?(?:[.,]\d+)?(?:[ \u202f]?([ap])\.?m\b)?|T(\d\d)(\d\d)\d\d", re.I
)
_RECORD = (
    re.compile(  # `LOCATION:Room Oak`, `From: Ann Lee`, `name = Ann Lee`; of `status: 200 in 5 ms` the first word is it
        r"\s*(?:[-*] )?[\"']?(?:_*[A-Z]|[\w.-]+[\"']? = )"
    )
)
_MORE = re.compile(  # a further pair behind the first one of a line
    r"(?:^|[\s,;{])[\"']?[A-Za-z_][\w.-]*[\"']?=\S|[,;|{]\s*[\"']?[A-Za-z_][\w -]*[\"']?\s*:\s"
)
_COMMENT = re.compile(r"\s[;#]\s.*")
_CHAT = re.compile(  # of an exported chat: `[01.04.26, 08:00:00] Mia: ok`, `12/1/25, 3:02 PM - Tom Ray: ok`
    r"\W?\[?\d{1,4}[./-]\d{1,2}[./-]\d{2,4}, \d{1,2}:\d\d(?::\d\d)?(?:[ \u202f]?[ap]m)?(?:\]| -) ([^:]{1,60}): ", re.I
)
_WHO = ("sender", "name", "author", "person", "who", "from", "user")
_IP = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_BEGUN = re.compile(
    r"\W{0,3}(?:\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}[-/.]\w{2,3}[-/.]\d{2,4}|\d\d:\d\d|"
    rf"(?:[A-Z][a-z]{{2}} )?(?:{_MONTH}) [ \d]\d )",
    re.I,
)


def begins(line: str) -> bool:
    """Whether a line begins with a time: where lines do, one that does not goes on with the entry before it."""
    return _BEGUN.match(line) is not None


def fields(line: str, *, entry: bool = True) -> dict[str, str]:
    """The named parts of a log line: of an access log, of JSON, of `key=value` and `"key": value`, and its level.

    `entry`: the line is no mere continuation of another one, whose words are no levels.
    """
    named: dict[str, str] = {}
    if access := _access(line):
        return _level(line, {}, entry) | {
            name: text for name, text in access.groupdict().items() if text and text != "-"
        }
    if (leaves := _of_json(line)) is not None:
        for path, text in leaves:
            named.setdefault(path, text)
    else:
        for quoted, plain, text, bare in _PAIR.findall(line):
            named.setdefault(quoted or plain, text or bare)
        if not named and (chat := _CHAT.match(line)):
            named["sender"] = chat[1]
    return {**_level(line, named, entry), **named} if "level" not in named else named | _level(line, named, entry)


def _access(line: str) -> re.Match[str] | None:
    """A line of an access log, as its fields."""
    return _ACCESS.match(line) or _LOOSE.match(line) if '] "' in line else None


def _level(line: str, named: dict[str, str], entry: bool) -> dict[str, str]:
    """The level of a line: the field that says it, else the word that stands there in capitals, or is marked as one."""
    for key in _LEVEL_KEYS:
        if (said := named.get(key)) and _A_LEVEL.fullmatch(said):
            return {"level": said}
    if not entry:
        return {}
    found = _LEVEL.search(line) or _MARKED_LEVEL.search(line[:_HEAD])
    return {"level": next(text for text in found.groups() if text)} if found else {}


def _of_json(line: str) -> list[tuple[str, str]] | None:
    """The dotted names and texts of a line that is JSON, in their order; None of another one."""
    bare = line.strip().rstrip(",")
    if len(bare) > JSON_CHARS or bare[:1] + bare[-1:] not in ("{}", "[]"):
        return None
    try:
        return list(_leaves(json.loads(bare), ""))
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _in_json(line: str, by: str) -> list[str] | None:
    """The values of a name, in full or its end, in a line that is JSON; what an object holds, as JSON."""
    leaves = _of_json(line)
    if leaves is None:
        return None
    low, end = by.lower(), f".{by.lower()}"
    paths = dict.fromkeys(path for path, _ in leaves if path.lower() == low or path.lower().endswith(end))
    if paths:
        path = min(paths, key=lambda path: path.count("."))
        return [text for other, text in leaves if other == path]
    held = {path[len(by) + 1 :]: text for path, text in leaves if path.lower().startswith(f"{low}.")}
    return [", ".join(f"{name}: {text}" for name, text in held.items())] if held else []


def moment(line: str) -> tuple[str, str]:
    """The day and the time of day that a line bears, as `2026-03-09`, or as it is written where that may be read in
    two ways or says no year, and `14:05`; "" for what it does not say.
    """
    head = line[:_HEAD]
    when = _WHEN.search(head)
    clock = _CLOCK.search(head, when.end() if when and not when["mon3"] else 0)
    if clock is None:
        return _day(when), ""
    hour, minute = int(clock[1] or clock[4]), clock[2] or clock[5]
    if clock[3]:
        hour = hour % 12 + (12 if clock[3] in "pP" else 0)
    return _day(when), f"{hour:02}:{minute}"


def _day(when: re.Match[str] | None) -> str:
    if when is None:
        return ""
    if when["raw"]:
        return when["raw"]
    year, day = (
        when["y"] or when["y2"] or when["y3"] or when["y4"] or "",
        when["d"] or when["d2"] or when["d3"] or when["d4"],
    )
    name = when["mon2"] or when["mon3"]
    if not year:
        return f"{name.title()} {int(day)}"
    month = _SHORT[name.lower()] if name else int(when["m"] or when["m4"])
    return f"{year if len(year) == 4 else f'20{year}'}-{month:02}-{int(day):02}"


def _weekday(day: str) -> str:
    try:
        return f"{date.fromisoformat(day):%A}"
    except ValueError:
        return ""


_PERIODS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "day": ("day", lambda day, _: day),
    "month": ("month", lambda day, _: day[:7] if day[:4].isdigit() else day.split()[0] if " " in day else ""),
    "year": ("year", lambda day, _: day[:4] if day[:4].isdigit() else ""),
    "weekday": ("day of the week", lambda day, _: _weekday(day)),
    "hour": (HOUR, lambda _, time: time[:2]),
    DAY_AND_HOUR: (DAY_AND_HOUR, lambda day, time: f"{day} {time[:2]}h" if day and time else ""),
    "minute": ("minute", lambda day, time: f"{day} {time}".strip() if time else ""),
}
_PERIODS |= {"date": _PERIODS["day"], "day of week": _PERIODS["weekday"], "day of the week": _PERIODS["weekday"]}

Values = Callable[[str, list[Any]], list[str]]


def valuer(by: str, regex: re.Pattern[str]) -> tuple[Values, str]:
    """How to take the values to count from a line and its matches, and what they are called.

    by  "" the first group of the pattern if it has one; "match" the matched text; "field3" the third word of the line;
        a group's number or name; `day`, `hour` and the like of when the line is; any other name: a field, or what
        stands after `name=`, `name:` or `"name":`
    """
    if by == "match":
        return (lambda line, found: [m.group() for m in found if m]), "matched text"
    if (word := re.fullmatch(r"(?:field|word|column)?[ _]*(\d+)", by)) and not (
        by.isdigit() and int(by) <= regex.groups
    ):
        place = int(word[1]) - 1
        return (
            lambda line, found: _cells(line)[place : place + 1] if place >= 0 else []
        ), f"word {word[1]} of the line"
    if (not by and regex.groups) or by.isdigit() or by in regex.groupindex:
        group = int(by or 1) if not by or by.isdigit() else by
        return (lambda line, found: [m.group(group) or "" for m in found if m]), f"group {group} of the pattern"
    if not by:
        return (lambda line, found: []), ""
    low = by.lower().removeprefix("by ").removeprefix("per ")
    if period := _PERIODS.get(low):
        return _of_period(low, period[1]), period[0]
    own, level = _of_name("level" if low == "level" else by), _of_name("level")
    if low in _LEVEL_NAMES and low != "level":
        return (lambda line, found: own(line, found) or level(line, found)), by
    return own, by


def _cells(line: str) -> list[str]:
    """The words of a line; its cells where it is parted by strokes without space beside them."""
    return line.split("|") if line.count("|") >= 2 and " |" not in line and "| " not in line else line.split()


def _of_period(by: str, part: Callable[[str, str], str]) -> Values:
    """A part of when a line is; where the line has a field of this name, that one, without the time of a date."""
    field = _of_name(by)

    def values(line: str, found: list[Any]) -> list[str]:
        if by.lower() in line.lower() and (own := field(line, found)):
            day = moment(own[0])[0]
            return [part(day, "") or own[0]] if day else own
        return [text] if (text := part(*moment(line))) else []

    return values


def _of_name(by: str) -> Values:
    name = re.escape(by)
    key = re.compile(rf"(?<![\w.-]){name}[\"']?\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;&|{{}}\[\]()]+))", re.I)
    alone = re.compile(rf"\s*(?:[-*] )?[\"']?{name}(?:;[^:=]*)?[\"']?\s*[=:]\s*([^\s\"'{{\[].*)", re.I)
    between = re.compile(rf"[|\t]\s*{name}\s*[=:]\s*([^|\t\"']+)", re.I)

    def values(line: str, found: list[Any]) -> list[str]:
        if by == "level" and not any(key in line for key in _SAY_LEVEL) and (level := _LEVEL.search(line)):
            return [level[1]]  # as `fields` says, at a tenth of its price
        if access := _access(line):
            text = access.groupdict().get(_CALLED.get(by.lower(), by.lower()))
            return [text] if text and text != "-" else []
        if (inside := _in_json(line, by)) is not None:
            return inside or ([said] if by == "level" and (said := fields(line).get("level")) else [])
        short = len(line) <= _RECORD_CHARS
        if short and (whole := alone.match(line)) and _RECORD.match(line) and not _MORE.search(whole[1]):
            return [_COMMENT.sub("", whole[1]).strip().rstrip(",")]
        if short and ("|" in line or "\t" in line) and (cell := between.search(line)):
            return [cell[1].strip()]
        named = fields(line).get(by)
        if named is not None:
            return [named]
        own = [next(g for g in m.groups() if g is not None) for m in key.finditer(line)][:1]
        if not own and by.lower() in _WHO and (chat := _CHAT.match(line)):
            return [chat[1]]
        return own or (_IP.findall(line)[:1] if by.lower() in ("ip", "ip address") else [])

    return values
