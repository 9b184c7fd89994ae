"""Which commands may be run: the operator's list, and what is known of the commands in it. Pure.

An entry of `allow:` is a command by its beginning, in words: `df`, `kubectl get`, `systemctl restart {web,api}`. The
words have to be there as they are written, `*` stands for any characters of one argument and `{a,b}` for a choice.
What may follow them depends on the command:

known    one that only reads (`commands.toml`): its harmless options, and what its other arguments may be. Whatever is
         not listed there is refused, so that nothing depends on a list of dangers being complete.
other    nothing, or with `...` at the end any number of arguments. What a `*` or `...` stands for never starts with
         `-`, `+` or `@` and has no `..` in it: options are the operator's to spell. Such a command is an effect.
refused  one that runs other programs or code (shells, interpreters, wrappers, editors) is no entry at all.

This is the fence before the wall: what a permitted command can touch is decided by the sandbox.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from itertools import product
from typing import Any, Final

from ringfence.core.errors import ManifestError

MAX_WORDS: Final = 100
MAX_CHARS: Final = 16_000  # of all words together
SHOWN: Final = 300  # characters of a list in a refusal
MAX_CHOICES: Final = 64  # that one entry may come to
ATTACHED: Final = -1  # takes a value only as --option=value

_NUMBER = re.compile(r"-\d+")
_NEGATIVE = re.compile(r"-\d+[A-Za-z]?")  # as a value: `-mtime -7`, `-size -10k`
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PROGRAM = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_CHOICE = re.compile(r"\{([^{}]*,[^{}]*)\}")
_UPWARDS = re.compile(r"(^|[/=:,])\.\.($|/)")


class Refused(ValueError):
    """A command, or a word of it, that may not be run; the text says what may."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is known of a command, its options by their name (`-x`, `--word`) with the number of their values."""

    name: str
    options: Mapping[str, int] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)  # another name of an option -> its first name
    pinned: Mapping[str, int] = field(default_factory=dict)
    exclusive: frozenset[str] = frozenset()
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    operands: re.Pattern[str] | None = None
    most: int | None = None
    adds: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()  # given last, has it print whole numbers
    tells: str = ""  # which option makes it print what, for one that prints bare numbers
    dash: str = "--"  # how an option of more than one letter starts
    secrets: bool = False
    whole: bool = True  # False: only the beginning of commands
    further: Mapping[str, Command] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of `allow:`. Without a `command` it permits the words that it spells, and `more` of them."""

    text: str
    words: tuple[str, ...]
    more: bool = False
    command: Command | None = None

    @property
    def reads(self) -> bool:
        """What it permits is known to read only."""
        return self.command is not None

    @property
    def tells(self) -> str:
        """Which option makes it print what; empty where its output says so."""
        return self.command.tells if self.command is not None else ""


@dataclass(frozen=True, slots=True)
class Permitted:
    """A command that may be run, and the rule that says so. `secrets`: it is given the operator's secrets."""

    argv: tuple[str, ...]
    rule: Rule
    secrets: bool


def rules(entries: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of `allow:`, one for each choice of an entry. Raises ManifestError with what to write instead."""
    return tuple(rule for entry in entries for rule in _rules(entry))


def _rules(entry: str) -> list[Rule]:
    try:
        words = shlex.split(entry)
    except ValueError as error:
        raise ManifestError(f"allow: {entry!r} cannot be read: {error}", todo="close the quotes") from None
    more = words[-1:] == ["..."]
    words = words[:-1] if more else words
    if not words or not _PROGRAM.fullmatch(words[0]):
        what = f"expected the name of a program and perhaps the words that follow it, got {entry!r}"
        raise ManifestError(f"allow: {what}", todo="write its bare name: df, or kubectl get; it is found on the system")
    if _CONTROL.search(entry) or "..." in words:
        raise ManifestError(f"allow: {entry!r} has '...' or a control character inside", todo="put '...' at its end")
    if reason := refused(words[0]):
        raise ManifestError(f"allow: {reason}", todo=f"put what {words[0]} should do in a program, and allow that one")
    choices = list(product(*(_choices(word) for word in words)))
    if len(choices) > MAX_CHOICES:
        raise ManifestError(f"allow: {entry!r} comes to {len(choices)} commands, at most {MAX_CHOICES}; write fewer")
    return [_rule(entry, chosen, more) for chosen in choices]


def _choices(word: str) -> list[str]:
    parts = _CHOICE.split(word)  # text and choices, in turn
    return ["".join(chosen) for chosen in product(*(p.split(",") if n % 2 else [p] for n, p in enumerate(parts)))]


def _rule(entry: str, words: tuple[str, ...], more: bool) -> Rule:
    known = None if more else commands().get(words[0])
    if known is not None:
        try:
            _Reading(known, [word.replace("*", "x") for word in words[1:]], spelled=len(words) - 1).run()
        except Refused:
            known = None
    return Rule(entry, words, more, known)


def refused(program: str) -> str:
    """Why a program is never run; empty if it may be allowed."""
    for kind, pattern in _tables()[1].items():
        if pattern.fullmatch(program):
            return f"{program} is one of the {kind}, which run whatever an argument or a file tells them to"
    return ""


def permitted(argv: Sequence[str], allowed: Sequence[Rule]) -> Permitted | str:
    """The command as it may be run, or in words what of it is not allowed, and what would be."""
    if not argv or len(argv) > MAX_WORDS or sum(map(len, argv)) > MAX_CHARS:
        return f"expected 1 to {MAX_WORDS} words of {MAX_CHARS} characters in all, got {len(argv)} words"
    if any(_CONTROL.search(word) for word in argv):
        return (
            "a word of the command has a line break, another control character or broken text in it; write it without"
        )
    program, reasons = argv[0], list[tuple[int, str]]()
    for rule in allowed:
        if rule.words[0] == program:
            try:
                return _permit(rule, argv)
            except Refused as why:
                reasons.append((_agreed(rule, argv), str(why)))
    if reasons:
        return max(reasons, key=lambda reason: reason[0])[1]
    words = program.split()
    if len(words) > 1 and any(words[0] == rule.words[0] for rule in allowed):
        return f"expected one word in each place of the list, got {program[:80]!r}; give {[*words, *argv[1:]][:12]}"
    return f"{program[:80]!r} is not a command that may be run; allowed: {listed(rule.text for rule in allowed)}"


def _permit(rule: Rule, argv: Sequence[str]) -> Permitted:
    count = len(rule.words)
    if _agreed(rule, argv) < count:
        raise Refused(f"{' '.join(argv[: count + 1])[:120]!r} is not allowed; allowed is {rule.text}")
    if rule.command is not None:
        reading = _Reading(rule.command, argv[1:], spelled=count - 1)
        command = reading.run()
        named = reading.named + 1
        whole = (*argv[:named], *command.adds, *argv[named:], *_exact(rule, argv))
        return Permitted(whole, rule, command.secrets)
    rest = argv[count:]
    if rest and not rule.more:
        raise Refused(f"{rest[0][:80]!r} is more than is allowed, which is no more than: {rule.text}")
    if stray := next((word for word in rest if not _fits("*", word)), None):
        raise Refused(f"{stray[:80]!r} looks like an option, or leads upwards; allowed is {rule.text}")
    return Permitted(tuple(argv), rule, secrets=True)


def _agreed(rule: Rule, argv: Sequence[str]) -> int:
    """How many words, from the first, are as the rule spells them."""
    pairs = zip(rule.words, argv, strict=False)
    return next(
        (n for n, (spelled, word) in enumerate(pairs) if not _fits(spelled, word)), min(len(rule.words), len(argv))
    )


def _fits(spelled: str, word: str) -> bool:
    """Whether a word is the one that is spelled; a `*` stands for what is no option and stays where it is."""
    if "*" not in spelled:
        return word == spelled
    if _UPWARDS.search(word) or (spelled[0] == "*" and word[:1] in ("", "-", "+", "@")):
        return False
    return spelled == "*" or re.fullmatch("[^/]*".join(map(re.escape, spelled.split("*"))), word) is not None


class _Reading:
    """One command line, read as its program reads it. `spelled`: so many words are the operator's."""

    def __init__(self, command: Command, words: Sequence[str], *, spelled: int) -> None:
        self.command = command
        self.words = words
        self.spelled = spelled
        self.at = self.named = 0  # words that were read; those until the command's last name
        self.fixed: set[str] = set()  # options that the operator gave
        self.operands = 0

    def run(self) -> Command:
        """What the words come to; raises Refused unless all of them are known to be harmless."""
        options = True
        while self.at < len(self.words):
            word = self.words[self.at]
            self.mine = self.at < self.spelled
            self.at += 1
            if not options or word == "-" or not word.startswith("-"):
                self._operand(word)
            elif word == "--" and self.command.dash == "--":
                options = False
            elif not word.startswith("--") and self.command.dash == "--":
                self._letters(word)
            else:
                name, equals, value = word.partition("=") if self.command.dash == "--" else (word, "", "")
                self._option(name, value if equals else None)
        if not self.command.whole:
            raise Refused(f"{self.command.name} is not allowed alone; allowed: {listed(self.command.further)}")
        return self.command

    def _operand(self, word: str) -> None:
        known = self.command
        if not self.operands and word in known.further:
            self.command, self.named = known.further[word], self.at
            return
        if known.further and known.most is None:
            raise Refused(f"{known.name} {word[:80]!r} is not allowed; allowed: {listed(known.further)}")
        self.operands += 1
        if known.most is not None and self.operands > known.most:
            raise Refused(f"{known.name} takes {known.most or 'no'} other words, not {word[:80]!r}")
        if known.operands is not None and not known.operands.fullmatch(word):
            raise Refused(f"{known.name} may not be given {word[:80]!r}")

    def _letters(self, word: str) -> None:
        """`-xvalue`, `-abc`, `-5`."""
        if "NUM" in self.command.options and _NUMBER.fullmatch(word):
            return
        for n, letter in enumerate(word[1:], 2):
            if self._option(f"-{letter}", word[n:] or None):
                return

    def _option(self, name: str, value: str | None) -> bool:
        """Check one option; whether it took `value`, which for a letter is all that follows it."""
        known = self.command
        count = known.options.get(name)
        if count is None and self.mine:
            count = known.pinned.get(name)
        long = name.startswith("--")
        if count is None or (long and count == 0 and value is not None):
            raise Refused(f"{known.name} may not be given {name[:80]}; it may be given {listed(known.options)}")
        self._once(name)
        values = [] if value is None or count == 0 else [value]
        while len(values) < count:
            values.append(self._next(name))
        if (pattern := known.values.get(name)) and not all(pattern.fullmatch(v.removeprefix("=")) for v in values):
            raise Refused(f"{known.name} {name} may not be {values[0][:80]!r}")
        return bool(values)

    def _next(self, name: str) -> str:
        word = self.words[self.at] if self.at < len(self.words) else None
        if word is None or (word.startswith("-") and word != "-" and not _NEGATIVE.fullmatch(word)):
            raise Refused(f"{self.command.name}: expected a value after {name}, got {word or 'nothing'}")
        self.at += 1
        return word

    def _once(self, name: str) -> None:
        first = self.command.same.get(name, name)
        if self.mine:
            self.fixed.add(first)
        elif first in self.fixed or (first in self.command.exclusive and self.fixed & self.command.exclusive):
            raise Refused(f"{self.command.name}: what {name} says is fixed by the operator; leave it out")


def rounds(argv: Sequence[str]) -> bool:
    """Whether a command prints sizes in rounded units (`du -sh`), where it would print whole numbers without."""
    known = commands().get(argv[0])
    if known is None or "--human-readable" not in known.options or argv[-1] in known.exact:
        return False
    return any(word in ("--human-readable", "--si") or re.fullmatch(r"-\w*h\w*", word) for word in argv[1:])


def _exact(rule: Rule, argv: Sequence[str]) -> tuple[str, ...]:
    """What has a command print whole numbers after all, where a call, and not the operator, asks for rounded ones."""
    known = rule.command
    return known.exact if known is not None and rounds(argv) and not rounds(rule.words) and "--" not in argv else ()


def listed(names: Iterable[str]) -> str:
    """The names, as many as fit a short text."""
    shown = ", ".join(dict.fromkeys(names))
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN].rpartition(', ')[0]} ..."


def commands() -> Mapping[str, Command]:
    """What is known, by program."""
    return _tables()[0]


@cache
def _tables() -> tuple[Mapping[str, Command], Mapping[str, re.Pattern[str]]]:
    rows = tomllib.loads(resources.files(__package__).joinpath("commands.toml").read_text("utf-8"))
    shared, never = rows.pop("_"), rows.pop("refused")
    root = _command("", rows, shared, Command("", whole=False))
    return root.further, {kind: re.compile("|".join(names.split())) for kind, names in never.items()}


def _command(name: str, rows: Mapping[str, Any], shared: Mapping[str, str], above: Command) -> Command:
    """The command of this name and those that start with it; they share its options, not its other arguments."""
    row = rows.get(name, {})
    dash = "-" if row.get("dash") == 1 else above.dash
    options, same = _options(row.get("options", ""), dash, shared)
    pinned, _ = _options(row.get("pinned", ""), dash, shared)
    exclusive = frozenset(_dashed(option, dash) for option in row.get("exclusive", "").split())
    values = {
        _dashed(o, dash): re.compile(text) for names, text in row.get("values", {}).items() for o in names.split()
    }
    here = Command(
        name,
        {**above.options, **options},
        {**above.same, **same},
        {**above.pinned, **pinned},
        above.exclusive | exclusive,
        {**above.values, **values},
        re.compile(row["operands"]) if "operands" in row else None,
        row.get("most"),
        tuple(row.get("adds", "").split()),
        tuple(row.get("exact", "").split()),
        row.get("tells", ""),
        dash,
        row.get("secrets", above.secrets),
        name in rows,
    )
    depth = len(name.split())
    below = dict.fromkeys(row.split()[depth] for row in rows if row.split()[:depth] == name.split() != row.split())
    further = {word: _command(f"{name} {word}".strip(), rows, shared, here) for word in below}
    return replace(here, further=further)


def _options(text: str, dash: str, shared: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """`a n|namespace: color?` -> the number of values by name, and the other names of an option."""
    counts: dict[str, int] = {}
    same: dict[str, str] = {}
    words = text.split()
    for word in [part for w in words for part in (shared[w[1:]].split() if w.startswith("&") else [w])]:
        bare = word.rstrip(":?")
        names = [_dashed(name, dash) for name in bare.split("|")]
        counts |= dict.fromkeys(names, ATTACHED if word.endswith("?") else word.count(":"))
        same |= dict.fromkeys(names[1:], names[0])
    return counts, same


def _dashed(name: str, dash: str) -> str:
    return name if name == "NUM" else f"-{name}" if len(name) == 1 else f"{dash}{name}"
