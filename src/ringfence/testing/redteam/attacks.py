"""All attacks, each with the ids of the risks that it tries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from . import code, effects, models, people
from .arena import Arena
from .effects import Findings, absent
from .risks import Finding, Verdict


async def _vectors(arena: Arena) -> Findings:
    for finding in await absent(arena, "knowledge.search", "kb.search", "memory.search"):
        yield finding


async def _agents(arena: Arena) -> Findings:
    for finding in await absent(arena, "agent.send", "agent.delegate", "a2a.message"):
        yield finding


@dataclass(frozen=True, slots=True)
class Attack:
    """What is tried, in words, and how. `absent`: the part that it is about is not in this release."""

    name: str
    risks: tuple[str, ...]
    carry_out: Callable[[Arena], Findings]
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """What an attack found."""

    attack: Attack
    findings: tuple[Finding, ...]


ATTACKS: Final = (
    Attack("orders in a result call an effect", ("LLM01", "ASI01", "LLM04"), effects.strangers),
    Attack("the same orders, in base64", ("LLM01", "ASI01"), effects.encoded),
    Attack("an effect that nobody asked for", ("LLM06", "LLM01", "ASI02"), effects.unasked),
    Attack("links, images and secrets in a text", ("LLM05", "LLM02"), effects.carried_out),
    Attack("the attacker's words in a call that was asked for", ("LLM09", "LLM04"), effects.words),
    Attack("a value of another kind", ("ASI02", "LLM04"), effects.other_kinds),
    Attack("values that the catalogue vouches for", ("LLM04", "ASI02"), effects.vouched_leaves),
    Attack("arguments that no schema has", ("ASI02", "LLM05"), effects.misshapen),
    Attack("the same call again and again", ("ASI02", "LLM10", "ASI08"), effects.replays),
    Attack("what only some may read, to others", ("LLM02", "ASI03"), effects.for_others),
    Attack("what others may read, before each model", ("LLM02",), models.audiences),
    Attack("secrets of the manifest", ("LLM02", "LLM07"), models.secrets),
    Attack("the system prompt as an answer", ("LLM07",), models.system_prompt),
    Attack("a result that poses as somebody", ("LLM01", "ASI07"), models.voices),
    Attack("an invented number and file", ("LLM09",), models.inventions),
    Attack("calls without end", ("LLM10", "ASI10"), models.endless),
    Attack("a result of a megabyte", ("LLM10", "ASI08"), models.floods),
    Attack("more calls than a rate allows", ("LLM10",), models.rates),
    Attack("orders in a failure", ("ASI08", "LLM05"), models.failures),
    Attack("tools for others", ("ASI03",), people.callers),
    Attack("results of another run", ("ASI03", "ASI06", "LLM02"), people.other_runs),
    Attack("a yes that was not given", ("ASI09", "ASI03"), people.forged_yes),
    Attack("a yes of somebody else, and after a no", ("ASI03", "ASI09", "ASI10"), people.strangers_yes),
    Attack("what a person is shown", ("ASI09", "LLM05"), people.screens),
    Attack("orders that a conversation remembers", ("ASI06", "ASI01"), people.conversations),
    Attack("a run that would go on", ("ASI10", "LLM06"), people.rogues),
    Attack("escapes from the sandbox", ("ASI05", "ASI10"), code.sandbox),
    Attack("ways out of the folders", ("ASI02", "LLM02"), code.paths),
    Attack("commands that run another", ("ASI05", "ASI02"), code.commands),
    Attack("requests that leave", ("LLM02", "ASI02"), code.ways_out),
    Attack("other weights for a model", ("LLM03", "LLM04"), models.weights),
    Attack("names that look alike", ("LLM03", "ASI04"), code.look_alikes),
    Attack("servers and code that nobody accepted", ("LLM03", "ASI04"), code.plugged_in),
    Attack("searches of vectors and memories", ("LLM08",), _vectors, absent="vector stores and memories"),
    Attack("messages of other agents", ("ASI07",), _agents, absent="messages between agents"),
)


def chosen(only: Collection[str]) -> Iterator[Attack]:
    """The attacks of these risks, or all of them."""
    return (one for one in ATTACKS if not only or not set(only).isdisjoint(one.risks))


async def attack(arena: Arena, one: Attack) -> Scored:
    """Carry one out."""
    found = tuple([finding async for finding in one.carry_out(arena)])
    return Scored(one, found or (Finding("this manifest", Verdict.SKIPPED, "it has nothing to try this on"),))
