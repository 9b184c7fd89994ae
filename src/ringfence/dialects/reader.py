"""One walk along the text, left to right: data is passed over, thoughts are put aside, forms read calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import deepseek, functionary, gemma, harmony, hermes, kimi, llama, mistral, plain, pythonic, react, xml
from .data import Quotes, ends_turn
from .reading import Form, Found, Names, Page, Printed, Reading
from .shapes import ARGS, LISTS, NAMES, arguments
from .thoughts import ends_thought, thought
from .tolerant import JSON, MAX_TEXT, Truncated, sound

FAMILIES = (
    *(hermes, mistral, llama, functionary, kimi, deepseek, harmony, gemma, xml, react, pythonic),
    plain,  # last: the first form whose opener fits reads
)
_MAX_CALLS = 64  # of one text; who prints more is in a loop
_SPOT = re.compile(  # where something may begin; a set in front, so that the search is as fast as one for a character
    rf"[<\[{{`~>AOf](?:(?<=[<`~>])|(?<={{){plain.KEY}|(?<=\[)(?:/?[A-Z]|\s{{0,64}}[{{A-Za-z_])"
    r"|(?<=A)ction:|(?<=O)bservations?:|(?<=f)unctools)"
)
_HUSK = re.compile(  # what is left of fences and tags when the calls are taken out; a set in front here too
    r"[`~<](?:(?<=`)`{2,16}[\w+-]*\s*```+|(?<=~)~{2,16}[\w+-]*\s*~~~+|(?<=<)(?:"
    r"/?(?:\w{1,16}:|｜DSML｜)?(?:tool_calls?|function_calls?|tools)>"
    r"|\|tool_calls?_section_(?:begin|end)\|>|\|(?:from|start)\|>assistant|\|end\|>"
    r"|\|channel\|>(?:commentary|final)<\|message\|>))"
)
_KEYS = "|".join([*NAMES, *ARGS, *LISTS, "thought", "final_answer", "type"])
_CALLISH = re.compile(rf"""["'“]?(?:{_KEYS})["'”]?\s*:""")


@dataclass(frozen=True, slots=True)
class _Openers:
    """Forms that begin with the same character; `any` fits where one of them does."""

    forms: tuple[tuple[re.Pattern[str], Form], ...]
    any: re.Pattern[str]

    def at(self, text: str, here: int) -> Iterator[tuple[re.Match[str], Form]]:
        """The forms that may begin here."""
        if len(self.forms) < 3 or self.any.match(text, here):
            for opener, form in self.forms:
                if opened := opener.match(text, here):
                    yield opened, form


def _openers(forms: list[Form]) -> _Openers:
    either = "|".join(re.sub(r"\(\?P<\w+>", "(?:", form.opener) for form in forms)
    return _Openers(tuple((re.compile(form.opener), form) for form in forms), re.compile(either))


@lru_cache(maxsize=1)
def _forms() -> dict[str, _Openers]:
    """The forms by the character they begin with; under "" those that only begin a text."""
    by_first: dict[str, list[Form]] = {"": [functionary.FIRST, harmony.FIRST, pythonic.WHOLE]}
    for family in FAMILIES:
        for form in family.FORMS:
            by_first.setdefault(form.opener.lstrip("\\")[0], []).append(form)
    return {first: _openers(forms) for first, forms in by_first.items()}


@lru_cache(maxsize=64)
def _named(names: tuple[str, ...]) -> Names:
    return Names(names)


def read(text: str, names: Iterable[str], *, cut: bool = False) -> Reading:
    """The calls that a model printed, and what else it said; never raises, in time linear in the text.

    names  the tools that may be meant; a call of anything else is in `unknown`
    cut    the server said that it stopped at the token bound (`finish: length`): then a call whose brackets the end of
           the text left open is not read, since more arguments may have followed. Without it they are closed. A value
           that the text ended in is never read, cut or not

    What is quoted is no call: see `data`. A call that cannot be read ends the reading with a `fault`: what stands
    behind it may be its own contents. So does a text of more than 262,144 characters, unread.
    """
    if len(text) > MAX_TEXT:
        return Reading(prose=text, fault=f"expected at most {MAX_TEXT} characters, found {len(text)}; write less")
    return _walked(Page(text, _named(tuple(names)), cut)).reading()


def steps(text: str) -> tuple[dict[str, JSON], ...]:
    """The objects in a text that mean to be steps, `{"thought", "calls"}` or `{"thought", "final_answer"}`, read
    tolerantly; quoted ones are none. Never raises; what they hold is still to be checked.
    """
    return tuple(_walked(Page(text, Names(()))).steps) if len(text) <= MAX_TEXT else ()


def _walked(page: Page) -> _Walk:
    walk = _Walk(page)
    try:
        walk.run()
    except Truncated as fault:
        walk.stop(str(fault), truncated=True)
    except (ValueError, RecursionError) as fault:
        walk.stop(str(fault))
    return walk


class _Walk:
    """`at` is where the walk is; up to `said` the text has been told apart into prose, thoughts and calls."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.quotes = Quotes(page.text)
        self.at = self.said = 0
        self.prose: list[str] = []
        self.thoughts: list[str] = []
        self.calls: list[Printed] = []
        self.unknown: list[Printed] = []
        self.steps: list[dict[str, JSON]] = []
        self.dialect = self.fault = ""
        self.truncated = False
        self.bare = False  # whether what is being read was told from data by its shape alone

    def run(self) -> None:
        text = self.page.text
        if text[:1].isalnum() or text.startswith(" to="):
            self._step(0)
        while spot := _SPOT.search(text, self.at):
            self.at = here = spot.start()
            self._step(here)
            if self.at == here:
                self.at += 1

    def _step(self, here: int) -> None:
        text = self.page.text
        first = text[here]
        if first in "<O" and ends_turn(text, here):
            self._say(here)
            self.at = self.said = len(text)
            return
        if first in "<[":
            if found := thought(text, here):
                self._say(here)
                self.thoughts.append(text[found[0] : found[1]])
                self.at = self.said = found[2]
                return
            if end := ends_thought(text, here):
                self._forget(here, end)
                return
        for beginning in (first,) if here else (first, ""):
            openers = _forms().get(beginning)
            for opened, form in openers.at(text, here) if openers else ():
                self.bare = form.bare
                if form.bare and self.quotes.tagged:
                    continue
                if result := form.read(self.page, opened):
                    self._take(here, form, result)
                    return
        self.at = self.quotes.behind(here)

    def _take(self, here: int, form: Form, result: Found) -> None:
        known = False
        if isinstance(result.value, dict) and ("calls" in result.value or "final_answer" in result.value):
            self.steps.append(sound(result.value))
        for raw in result.calls:
            name = self.page.names.of(raw.name.strip())
            printed = Printed(name or sound(raw.name.strip()), sound(arguments(raw.args)), raw.source)
            if len(self.calls) + len(self.unknown) == _MAX_CALLS:
                raise ValueError(f"expected at most {_MAX_CALLS} calls in one text, found more")
            (self.calls if name else self.unknown).append(printed)
            known = known or bool(name)
        if known and not self.dialect:
            self.dialect = "fenced" if form.bare and self.quotes.fence else form.dialect
        if known or not form.bare:
            self._say(here)
            self.said = result.end
        self.at = result.end

    def _say(self, end: int) -> None:
        self.prose.append(self.page.text[self.said : end])

    def _forget(self, here: int, end: int) -> None:
        """All that came before was a thought."""
        self.thoughts = [self.page.text[:here]]
        self.prose, self.calls, self.unknown, self.steps, self.dialect = [], [], [], [], ""
        self.quotes = Quotes(self.page.text)
        self.at = self.said = end

    def stop(self, fault: str, *, truncated: bool = False) -> None:
        """End the reading here; of a bare object only what looks like a call makes a fault, the rest is prose."""
        if not self.bare or _CALLISH.search(self.page.text, self.at, self.at + 200):
            self.fault, self.truncated = fault, truncated

    def reading(self) -> Reading:
        self._say(len(self.page.text))
        prose = "".join(self.prose)
        prose = _HUSK.sub("", prose) if self.calls or self.unknown or "<|channel|>final" in prose else prose
        return Reading(
            tuple(self.calls),
            prose.strip(),
            self.dialect,
            tuple(self.unknown),
            "\n".join(part.strip() for part in self.thoughts),
            self.fault,
            self.truncated,
        )
