"""In which section a line of settings is, which tells it from others: `[cache]`, or what it is indented under."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ringfence.core.errors import ToolError

from .folders import Folders
from .lines import split_lines
from .texts import read_text

NESTED = (".yaml", ".yml", ".json")
SETTINGS = (*NESTED, ".ini", ".toml", ".cfg", ".conf")
MAX_NAME = 60
_DEEP = 6  # names of what a line is within, the closest
MAX_FILES = 20  # that are looked into for one answer
_SECTION = re.compile(rf"\[[^\[\]=]{{1,{MAX_NAME}}}\]")
_ONE_OF = re.compile(rf"\[\[([^\[\]=]{{1,{MAX_NAME}}})\]\]")
_NAMED = re.compile(rf"(?:name|id|key|title)\s*=\s*[\"']?([^\"'=]{{1,{MAX_NAME}}}?)[\"']?\s*")
_SETTING = re.compile(r"[\w.-]{1,60}\s*[=:]")
_KEY = re.compile(rf"(\s*)(- +)?[\"']?([\w./-]{{1,{MAX_NAME}}})[\"']?\s*:(?:\s+(.*))?$")
_NONE = ("", "{", "[", "|", ">", "|-", ">-")
_HEADING = re.compile(rf"(#{{1,6}})\s+(\S.{{0,{MAX_NAME}}})")
_VERSION = re.compile(r"(?<![\w.])v?\d+\.\d+(?:\.\d+)*(?![\w.])")
_ITEM = re.compile(r"[-*+] \S")
_REMARK, _TAG = re.compile(r"(?:^|\s)[#;].*$"), re.compile(r"[&!][\w./-]*$")
_HEAD = re.compile(r"\[[^\]]+\]\s*(?:[#;]|$)|\[[^\]]*$")
_PLAIN = {ord("["): None, ord("]"): None, ord(","): None}
_COMMENT = re.compile(r"#|//|;\s*[\w.-]+\s*=")


def is_settings(path: str) -> bool:
    """Whether a file is one of settings, by its name."""
    return path.lower().endswith(SETTINGS)


def in_sections(path: str, lines: Sequence[str]) -> dict[int, str]:
    """The lines of a file that say something, by their numbers, each behind the section that it is in; of a file of
    settings. Nothing of any other one.
    """
    if not is_settings(path):
        return {}
    return dict(_nested(lines) if path.lower().endswith(NESTED) else _bracketed(lines))


class Sections:
    """The sections of lines in files of settings: ` [cache]`, or "" where there is none."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._named: dict[str, dict[int, str]] = {}

    def of(self, path: str, number: int) -> str:
        """That of a line."""
        if path not in self._named:
            self._named[path] = self._read(path) if len(self._named) < MAX_FILES else {}
        line = self._named[path].get(number, "")
        return f" {line[: line.find('] ') + 1]}" if line.startswith("[") and "] " in line else ""

    def _read(self, path: str) -> dict[int, str]:
        try:
            return in_sections(path, split_lines(read_text(self._folders, path)[1])) if is_settings(path) else {}
        except ToolError:  # too large, or gone since
            return {}


def with_sections(text: str) -> list[str]:
    """The same of all lines of a text that is not indented by what it means."""
    return [line for _, line in _bracketed(text.split("\n"))]


def _bracketed(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    """INI and TOML: a section until the next one; one of several of a name by what it is called. Of a text with
    headings, what is under one that names a version: `[2.3.0 - 2026-03-01, Fixed]`.
    """
    section, begun, version, level = "", "", "", 0
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if heading := _HEADING.fullmatch(bare):
            if _VERSION.search(heading[2]):
                version, level = heading[2].translate(_PLAIN), len(heading[1])
                yield number, bare
            elif version:
                version = f"{version.split(', ')[0]}, {heading[2]}" if len(heading[1]) > level else ""
        elif version and _ITEM.match(bare):
            yield number, f"[{version}] {bare}"
        elif head := _SECTION.fullmatch(_REMARK.sub("", bare)):
            section, begun = head[0], ""
        elif several := _ONE_OF.fullmatch(bare):
            section, begun = f"[{several[1]}]", several[1]
        elif bare.startswith("[") and _HEAD.match(bare):  # one that is not read ends the one before it
            section, begun = "", ""
        elif bare.strip(" #|-") and not _COMMENT.match(bare):
            if begun and (called := _NAMED.fullmatch(bare)):
                section = f"[{begun} {called[1]}]"
            begun = ""
            yield number, f"{section} {bare}" if section and _SETTING.match(bare) else bare


def _nested(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    """YAML and JSON: a line is within those above it that are less indented; an item of a list by its first value."""
    above: list[tuple[int, str]] = []
    begun = -1  # where an object of a list begins, until its first value has been seen
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        if bare == "{":
            begun = indent if number > 1 else -1  # the whole of a file is no item of a list
        if (not bare.strip("{}[], -") and bare != "{") or _COMMENT.match(bare):
            continue
        while above and above[-1][0] >= indent:
            above.pop()
        if bare == "{":
            continue
        key = _KEY.match(line)
        value = _TAG.sub("", _REMARK.sub("", key[4] or "").strip()) if key else ""
        if key and value in _NONE:
            above.append((indent, key[3]))
        within = ".".join(name for _, name in above[-_DEEP:])
        if not (key and value in _NONE):
            yield number, f"[{within}] {bare}" if within else bare
        if key and value not in _NONE and (key[2] or 0 <= begun < indent):
            above.append((indent if key[2] else begun, value.strip("\"',")[:MAX_NAME]))
        begun = -1
