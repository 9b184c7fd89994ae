"""Who may read a document: every clause that its collection, its neighbours and it itself lay upon it.

Clauses only add up: no file can widen what its collection allows, and what cannot be understood lets nobody in.
"""

from __future__ import annotations

import grp
import pwd
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Clause
from ringfence.manifest.fields import PATTERNS, READER

from ..errors import Unreadable
from .walk import SIDECAR, Found, Source

_SUBJECT = re.compile(r"[a-z][a-z0-9_-]*:\S{1,200}")
_EXPECTED = PATTERNS[READER]
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rights:
    """The clauses that all have to allow, and whom the document is about."""

    readers: frozenset[Clause] = frozenset()
    subjects: tuple[str, ...] = ()

    def and_(self, readers: Iterable[str] | None, subject: str = "") -> Rights:
        """With one more clause, whoever is named; `public` adds none. Raises ValueError for what is no reader."""
        subjects = self.subjects if not subject else tuple(sorted({*self.subjects, subject}))
        if readers is None:
            return Rights(self.readers, subjects)
        clause = frozenset(readers)
        if strange := sorted(str(one) for one in clause if not re.fullmatch(READER, str(one))):
            raise ValueError(f"expected {_EXPECTED}, got {strange[0]!r}")
        if not clause:
            raise ValueError(f"expected at least one of {_EXPECTED}, got none")
        return Rights(self.readers if "public" in clause else self.readers | {clause}, subjects)


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    readers: tuple[str, ...] | None
    subject: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rights of one source: its own readers, and the rules of its `rights` file: the first that matches counts."""

    source: Source
    rules: tuple[_Rule, ...] = field(default=())

    @classmethod
    def of(cls, source: Source) -> Table:
        """Read the rights file; raises ManifestError for one that cannot be meant: then nothing is taken in."""
        if source.rights is None:
            return cls(source)
        try:
            given = yaml.safe_load(_bounded(source.rights))
            if not isinstance(given, dict):
                raise ValueError(f"expected {{glob: [readers]}}, got {type(given).__name__}")
            return cls(source, tuple(_rule(str(glob), entry) for glob, entry in given.items()))
        except (OSError, ValueError, yaml.YAMLError) as fault:
            raise ManifestError(
                f"{source.rights}: the rights of collection {source.name} cannot be read: {fault}",
                todo="correct it, as in: hr/**: [role:hr]",
            ) from None

    def of_file(self, file: Found) -> Rights:
        """The rights of a file by its name, its neighbour `x.readers`, and its mode; raises Unreadable, fail closed."""
        rights = Rights(self.source.readers, (self.source.subject,) if self.source.subject else ())
        try:
            for rule in self.rules:
                if match := rule.pattern.fullmatch(file.name):
                    named = match.groupdict()
                    readers = None if rule.readers is None else [_filled(one, named) for one in rule.readers]
                    rights = rights.and_(readers, _filled(rule.subject, named))
                    break
            sidecar = file.path.with_name(file.path.name + SIDECAR)
            if sidecar.is_symlink() or sidecar.exists():
                rights = rights.and_(*_entry(yaml.safe_load(_bounded(sidecar))))
            return rights.and_(_by_mode(file)) if self.source.posix else rights
        except (OSError, ValueError, yaml.YAMLError) as fault:
            raise Unreadable(f"who may read it cannot be told: {fault}", todo="correct its rights") from None


def of_itself(rights: Rights, readers: Iterable[str] | None) -> Rights:
    """With what the document says of itself (front matter); raises Unreadable, fail closed."""
    try:
        return rights.and_(readers)
    except ValueError as fault:
        raise Unreadable(f"its front matter names readers that there cannot be: {fault}") from None


def _rule(glob: str, entry: Any) -> _Rule:
    readers, subject = _entry(entry)
    if readers is not None:
        Rights().and_(_filled(one, dict.fromkeys(_named(glob), "x")) for one in readers)
    return _Rule(_pattern(glob), readers, subject)


def _entry(entry: Any) -> tuple[tuple[str, ...] | None, str]:
    """`[role:hr]`, `role:hr`, or `{readers: [...], subject: patient:4711}`; raises ValueError."""
    subject = ""
    if isinstance(entry, Mapping):
        if strange := set(entry) - {"readers", "subject"}:
            raise ValueError(f"expected readers and subject, got {sorted(map(str, strange))[0]}")
        subject, entry = str(entry.get("subject", "")), entry.get("readers")
        if subject and not (_SUBJECT.fullmatch(subject) or "{" in subject):
            raise ValueError(f"expected a subject such as patient:4711, got {subject!r}")
        if entry is None:
            return None, subject
    names = [entry] if isinstance(entry, str) else entry
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ValueError(f"expected a list of {_EXPECTED}, got {entry!r}")
    return tuple(names), subject


def _pattern(glob: str) -> re.Pattern[str]:
    """A glob over whole names: `**` any folders, `*` and `?` within one, `{id}` a part that is used on the right."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\{[a-z_]+\})", glob)
    known = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    text = "".join(
        known.get(part) or (f"(?P<{part[1:-1]}>[^/\\s:]+)" if part[:1] == "{" and part[-1:] == "}" else re.escape(part))
        for part in parts
    )
    return re.compile(text, re.S)


def _named(glob: str) -> list[str]:
    return re.findall(r"\{([a-z_]+)\}", glob)


def _filled(text: str, named: Mapping[str, str]) -> str:
    """`patient:{id}` with what the glob found; raises ValueError for a name that the glob does not have."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in named:
            raise ValueError(f"expected {{{match[1]}}} in the glob, too")
        return named[match[1]]

    return re.sub(r"\{([a-z_]+)\}", value, text)


def _by_mode(file: Found) -> list[str]:
    """A file that not everybody may read is for its owner and, if its group may, for that group's role."""
    mode = file.status.st_mode
    if mode & stat.S_IROTH:
        return ["public"]
    owner, group = _name_of(pwd.getpwuid, file.status.st_uid), _name_of(grp.getgrgid, file.status.st_gid)
    return [f"user:{owner}", *([f"role:{group}"] if mode & stat.S_IRGRP else [])]


def _name_of(look_up: Any, number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def _bounded(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.name} is no regular file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES >> 20} MB")
    return path.read_text("utf-8")
