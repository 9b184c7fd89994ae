"""Which tier a task goes to, when it goes upstairs, and what that may cost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from .fields import Currency, Name
from .strict import Conflict, Strict

Reason = Literal["failure", "empty", "unsure", "exhausted", "invalid"]
_SEEN_CHARS = 6145  # of a task that a pattern is held against: what the router looks at
_SLOW_S = 0.25  # of processor time, for that much
_SQUARE, _TIMES = re.compile("a+x", re.I), 3
_STEP, _FINE = 1.5, 40  # by how much the texts grow that a pattern is timed on; by one each before


def _sound(pattern: str) -> str:
    """A pattern that compiles, and that no text can hold up."""
    try:
        compiled = re.compile(f"(?:{pattern})", re.I)
    except (re.error, OverflowError, RecursionError) as error:
        raise PydanticCustomError("pattern", "a regular expression ({why})", {"why": str(error)}) from None
    if not pattern or compiled.search("") is not None:
        raise PydanticCustomError("pattern", "a regular expression that does not match every text")
    if slow := held_up(pattern):
        raise PydanticCustomError("pattern", "a regular expression that no text can hold up ({slow})", {"slow": slow})
    return pattern


@lru_cache(maxsize=256)
def held_up(pattern: str) -> str:
    """By which text a pattern is held up, in words; empty if none was found. No proof: it is tried on what it names.

    A backtracking matcher can take time that grows with a power of the text's length, or beyond any (CWE-1333). On a
    slow machine it may take a few times as long as `a+x`, which takes the square of the length, takes there.
    """
    compiled = re.compile(f"(?:{pattern})", re.I)
    for seed in _seeds(pattern):
        for text in _growing(seed):
            took = _took(compiled, text)
            if took > _SLOW_S and took > _TIMES * _took(_SQUARE, "a" * len(text)):
                return (
                    f"{seed[:8]!r} over and over, {len(text)} characters, took {took * 1000:.0f} ms: bound what repeats"
                )
    return ""


def _took(pattern: re.Pattern[str], text: str) -> float:
    began = time.thread_time()
    pattern.search(text)
    return time.thread_time() - began


def _growing(seed: str) -> Iterator[str]:
    """The seed over and over, and then something that it is not."""
    times = 4
    while len(seed) * times <= _SEEN_CHARS:
        yield seed * times + "\0!"
        times = times + 1 if times < _FINE else int(times * _STEP)


def _seeds(pattern: str) -> tuple[str, ...]:
    """Texts that a pattern may begin to match again and again: what it is made of, and what its classes stand for."""
    bare = re.sub(r"\\[AbBdDsSwWZ]|\{\d*,?\d*\}|\(\?[^:)]*:?|[][()|?*+^$.{}\\]", " ", pattern)
    pieces = [piece for piece in bare.split() if piece][:6]
    letters = sorted({letter for piece in pieces for letter in piece})[:6]
    return tuple(dict.fromkeys(("a", "0", " ", "a ", "a0", "-", *letters, *pieces, "".join(pieces)[:64] or "a")))


Pattern = Annotated[str, AfterValidator(_sound)]


class Price(Strict):
    """What a tier costs, for a million tokens."""

    currency: Annotated[Currency, Field(description="what it is paid in")] = "EUR"
    input: Annotated[float, Field(ge=0, description="for a million tokens that are sent")]
    output: Annotated[float, Field(ge=0, description="for a million tokens that are generated")]
    cached: Annotated[
        float | None, Field(ge=0, description="for a million tokens that the server had already; as input if not set")
    ] = None


class Budgets(Strict):
    """What one person may use of a tier in a day (UTC), counted from the record, so that it holds across processes."""

    requests_per_day: Annotated[int | None, Field(ge=0, description="requests")] = None
    tokens_per_day: Annotated[int | None, Field(ge=0, description="tokens, sent and generated")] = None
    money_per_day: Annotated[float | None, Field(ge=0, description="money, in the currency of the tier's price")] = None


class Classes(Strict):
    """By class of task, the tiers that may be asked, in order; a tier that is not named is not asked for it."""

    simple: Annotated[
        tuple[Name, ...] | None, Field(min_length=1, description="small talk, short questions; all tiers if not set")
    ] = None
    tool: Annotated[
        tuple[Name, ...] | None,
        Field(min_length=1, description="what needs a file, a table, a number, an address; all tiers if not set"),
    ] = None
    complex: Annotated[
        tuple[Name, ...] | None,
        Field(
            min_length=1,
            description="several steps, comparisons, explanations, code; if not set, from the second tier that has no"
            " price up, and the first one last",
        ),
    ] = None

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """What was written, by class."""
        return {kind: tiers for kind in type(self).model_fields if (tiers := getattr(self, kind)) is not None}


class Patterns(Strict):
    """Your own words for a class: regular expressions, whatever the case, which decide before any score does.

    The first few thousand characters of a task are looked at, and the last.
    """

    simple: Annotated[tuple[Pattern, ...], Field(description="a task that holds one of these is simple")] = ()
    tool: Annotated[tuple[Pattern, ...], Field(description="a task that holds one of these needs tools")] = ()
    complex: Annotated[
        tuple[Pattern, ...], Field(description="a task that holds one of these is complex, whatever else it holds")
    ] = ()

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """What was written, by class."""
        return {kind: several for kind in type(self).model_fields if (several := getattr(self, kind))}


Weight = Annotated[float, Field(ge=0, le=100)]


class Weights(Strict):
    """How much each sign of a class counts, instead of what ships; 0 leaves it out. Three make a task complex."""

    greeting: Annotated[Weight | None, Field(description="for simple: it greets or thanks")] = None
    question: Annotated[Weight | None, Field(description="for simple: a short question")] = None
    short: Annotated[Weight | None, Field(description="for simple: few words")] = None
    tool_words: Annotated[Weight | None, Field(description="for tool: words for what tools do, each up to 3")] = None
    files: Annotated[Weight | None, Field(description="for tool: files and paths, each up to 3")] = None
    address: Annotated[Weight | None, Field(description="for tool: an address")] = None
    reckons: Annotated[Weight | None, Field(description="for tool: it counts or reckons")] = None
    think_words: Annotated[
        Weight | None, Field(description="for complex: words for thinking it over, each up to 3")
    ] = None
    steps: Annotated[Weight | None, Field(description="for complex: signs of several steps, each up to 3")] = None
    code: Annotated[Weight | None, Field(description="for complex: it holds code")] = None
    long: Annotated[Weight | None, Field(description="for complex: more than 600 characters; twice from 2000 on")] = (
        None
    )
    lines: Annotated[Weight | None, Field(description="for complex: more than 8 lines")] = None
    language: Annotated[Weight | None, Field(description="for complex: neither English nor German")] = None

    @property
    def named(self) -> dict[str, float]:
        """What was written, by sign."""
        return {sign: weight for sign in type(self).model_fields if (weight := getattr(self, sign)) is not None}


class Escalate(Strict):
    """When a step goes to the next tier of its class, if the labels allow it."""

    when: Annotated[
        tuple[Reason, ...],
        Field(
            description="failure: the server fails; empty: nothing is said; unsure: see sure; exhausted: what is said"
            " cannot be read on any rung of the ladder; invalid: a validation fails. [] is never"
        ),
    ] = ("failure", "empty", "unsure", "exhausted", "invalid")
    at_most: Annotated[int, Field(ge=0, le=10, description="times in one run")] = 1
    sure: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="a step is unsure if the probability of the word that decided it is below this, where the"
            " server tells it, or if the model says itself that its answer is of low confidence",
        ),
    ] = 0.6


class Breaker(Strict):
    """When a tier that fails is left alone."""

    failures: Annotated[int, Field(ge=1, le=100, description="requests that failed in a row")] = 3
    cool_s: Annotated[
        float,
        Field(gt=0, le=3600, description="seconds until one request may try again; another failure, as long again"),
    ] = 30.0


class Routing(Strict):
    """Which tier a task goes to, and when it goes upstairs. Labels come first: no key here lets anything out."""

    classes: Annotated[Classes, Field(description="by class of task, the tiers that may be asked, in order")] = (
        Classes()
    )
    patterns: Annotated[Patterns, Field(description="your own words for a class")] = Patterns()
    weights: Annotated[Weights, Field(description="how much each sign of a class counts")] = Weights()
    escalate: Annotated[Escalate, Field(description="when a step goes to the next tier")] = Escalate()
    breaker: Annotated[Breaker, Field(description="when a tier that fails is left alone")] = Breaker()

    def strangers(self, tiers: list[str]) -> Iterator[Conflict]:
        """Names of tiers that there are not, or that stand twice, with their places below `routing`."""
        for kind, named in self.classes.named.items():
            for n, name in enumerate(named):
                at = ("classes", kind, n)
                if name not in tiers:
                    yield at, f"expected the name of a tier, got {name!r}; known are {', '.join(tiers)}"
                elif name in named[:n]:
                    yield at, f"expected each tier once, got {name!r} again; remove it"
