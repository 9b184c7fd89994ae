"""What a model server can really do, found by trying: requests so small that even a slow machine answers them.

Every trial asks for what the model would not do by itself, so that a server that ignores what was asked shows. One that
faults is a row that says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.core.errors import BackendError, ContextOverflow
from ringfence.core.values import JSON, Outcome, Prompt

from .answers import quoted
from .asking import NATIVE, TEXT
from .findings import Finding, Said
from .probe import Capabilities

TIMEOUT_S: Final = 60.0  # of one trial, at most
_PATIENCE = 2  # trials in a row without any answer, after which no more are made
_LONGEST = 65_536  # tokens of a window that is tried: more would be megabytes and minutes
_BEYOND = 256  # tokens more than the window, to see what happens to them
_ANSWER, _SHORT = 64, 24  # tokens of an answer, at most
_TELLING_S = 0.05  # until a first word: what took less says nothing of what was known

Progress = Callable[[str], None] | None
Ask = Callable[[Prompt, str, Progress, bool], Awaitable["Reply"]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An outcome, the native calls in it, and whether probabilities came with it."""

    outcome: Outcome
    calls: int = 0
    probable: bool = False

    @property
    def text(self) -> str:
        """What was said, or the step that the calls make."""
        return str(self.outcome.value["text"])

    @property
    def usage(self) -> dict[str, int]:
        """Tokens, as the server counts them."""
        usage: dict[str, int] = self.outcome.value["usage"]
        return usage


def _object(**properties: JSON) -> dict[str, JSON]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_CITY: Final = _object(city={"type": "string", "description": "the name of a city"})
_TOOLS: Final[list[JSON]] = [
    _object(tool={"const": "weather.now"}, args=_CITY),
    _object(tool={"const": "clock.now"}, args=_CITY),
]
_CALLS: Final = _object(
    thought={"type": "string"},
    calls={"type": "array", "items": {"anyOf": _TOOLS}, "minItems": 1, "maxItems": 2},
)
_FINAL: Final = _object(thought={"type": "string"}, final_answer=_object(answer={"type": "string"}))
_BOTH: Final = json.dumps({"anyOf": [_CALLS, _FINAL]}).encode()
_ONLY_CALLS: Final = json.dumps(_CALLS).encode()
_NONSENSE: Final[list[JSON]] = [{"zq": "vexil-4417", "n": 7331}, {"zq": "umbral-9023", "m": 5179}]
_UNLIKELY: Final = json.dumps(
    {"anyOf": [_object(**{key: {"const": value} for key, value in form.items()}) for form in _NONSENSE]}
).encode()
_UNLIKELY_TEXTS: Final = tuple(json.dumps(form, separators=(",", ":")) for form in _NONSENSE)
_TELLING: Final = 16  # characters of one of these: no model writes so many of them by chance
_SYSTEM: Final = "You are a helpful assistant. Use the tools you are given when they help."


def _prompt(words: str, schema: bytes | None = None, tokens: int = _ANSWER, system: str = _SYSTEM) -> Prompt:
    said = ({"role": "system", "content": system}, {"role": "user", "content": words})
    return Prompt(tuple(json.dumps(one).encode() for one in said), schema=schema, max_tokens=tokens)


async def all_of(trials: Sequence[tuple[str, Callable[[], Awaitable[Sequence[Finding]]]]]) -> AsyncIterator[Finding]:
    """Make one trial after the other; those after a server that has stopped to answer are not made."""
    silent = 0
    for name, trial in trials:
        if silent >= _PATIENCE:
            yield Finding(name, "unknown", "not tried: the server did not answer in time before")
            continue
        try:
            found: Sequence[Finding] = await trial()
            silent = 0
        except BackendError as error:
            silent = silent + 1 if "within" in error.what else 0
            found = (Finding(name, "broken", error.what),)
        except Exception as error:  # whatever a server sends, it is a row
            found = (Finding(name, "broken", f"it answers what cannot be read: {type(error).__name__}: {error}"),)
        for row in found:
            yield row


async def window(found: Capabilities) -> Sequence[Finding]:
    """What the server says."""
    if found.window is None:
        return (Finding("window", "unknown", "the server does not say; write it as max_context"),)
    return (Finding("window", "yes", f"{found.window} tokens, says the server", found.window),)


async def too_long(ask: Ask, size: int | None) -> Sequence[Finding]:
    """What happens to a request that is longer than the window."""
    name = "too long"
    if size is None or size > _LONGEST:
        why = "the window is not known" if size is None else f"a window of more than {_LONGEST} tokens is not filled"
        return (Finding(name, "unknown", f"not tried: {why}"),)
    sent = size + _BEYOND
    try:
        reply = await ask(_prompt("word " * sent, tokens=1), TEXT, None, False)
    except ContextOverflow:
        return (Finding(name, "yes", f"refused, as it should be ({sent} words)"),)
    read = reply.usage["prompt"]
    if read == 0:
        return (Finding(name, "unknown", "answered, and the server does not count what it read"),)
    if read < sent:
        return (Finding(name, "no", f"cut in silence: of {sent} tokens and more it read {read}", read),)
    return (
        Finding(name, "unknown", f"answered: the window is larger than the server says ({read} tokens read)", read),
    )


async def calls(ask: Ask) -> Sequence[Finding]:
    """Native calls: by choice, by force, several at once, and in pieces."""
    wish = "What is the weather in Paris right now?"
    auto = await ask(_prompt(wish, _BOTH), NATIVE, None, False)
    rows = [_called("tools auto", auto, "city", "paris")]
    prose = "Say hello in one sentence. Do not use any tool."
    try:
        forced = await ask(_prompt(prose, _ONLY_CALLS), NATIVE, None, False)
        rows.append(_called("tools required", forced))
    except BackendError as refused:
        rows.append(Finding("tools required", "no", f"refused: {quoted(refused.what, chars=120)}"))
    if not any(row.said == "yes" for row in rows):
        untried: Sequence[str] = ("tools parallel", "tools streamed")
        return (*rows, *(Finding(name, "no", "there are no native calls") for name in untried))
    both = await ask(_prompt("What is the weather in Paris, and what is it in Rome?", _ONLY_CALLS), NATIVE, None, False)
    several: Said = "yes" if both.calls > 1 else "no"
    rows.append(Finding("tools parallel", several, f"{both.calls} calls where two were wanted", both.calls))
    streamed = await ask(_prompt(wish, _ONLY_CALLS), NATIVE, lambda piece: None, False)
    return (*rows, _called("tools streamed", streamed))


def _called(name: str, reply: Reply, key: str = "", word: str = "") -> Finding:
    """Whether the reply is a native call of a tool that there is, with arguments that fit."""
    if not reply.calls:
        return Finding(name, "no", f"no call, but text: {quoted(_words(reply.text), chars=80) or 'nothing'}")
    made = json.loads(reply.text)["calls"]
    for call in made:
        args = call["args"]
        if call["tool"] not in ("weather.now", "clock.now"):
            return Finding(name, "no", f"called a tool that there is not: {quoted(call['tool'], chars=40)}")
        if not isinstance(args, dict) or set(args) != {"city"} or not isinstance(args["city"], str):
            return Finding(name, "no", f"a call whose arguments do not fit: {quoted(json.dumps(args), chars=60)}")
    if word and word not in str(made[0]["args"].get(key, "")).lower():
        return Finding(name, "no", f"a call of something else: {quoted(json.dumps(made[0]), chars=80)}")
    return Finding(name, "yes", "a valid call" if len(made) == 1 else f"{len(made)} valid calls")


def _words(text: str) -> str:
    """What was said, where it was made the answer of a step."""
    try:
        return str(json.loads(text)["final_answer"]["answer"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return text


async def grammar(ask: Ask, dialects: Sequence[str]) -> Sequence[Finding]:
    """The first dialect that holds the model to a schema that it would never follow by itself."""
    said = []
    for dialect in dialects:
        try:
            prompt = _prompt("Write a short greeting in plain words.", _UNLIKELY, _SHORT * 2, "You are friendly.")
            reply = await ask(prompt, dialect, None, False)
        except BackendError as refused:
            said.append(f"{dialect} is refused ({quoted(refused.what, chars=60)})")
            continue
        if is_unlikely(reply.text):
            return (Finding("grammar", "yes", f"{dialect} holds", dialect),)
        said.append(f"{dialect} is ignored ({quoted(reply.text, chars=30) or 'nothing came'})")
    return (Finding("grammar", "no", "; ".join(said)),)


def unlikely() -> dict[str, JSON]:
    """The same trial in the form of Ollama's own API."""
    words = [{"role": "user", "content": "Write a short greeting in plain words."}]
    return {"messages": words, "format": json.loads(_UNLIKELY), "options": {"num_predict": 2 * _SHORT}}


def is_unlikely(text: JSON) -> bool:
    """Whether a text is what nothing but a grammar makes a model write, or the beginning of it.

    A grammar leaves room for whitespace, with which a tiny model fills its answer before the end.
    """
    said = "".join(text.split()) if isinstance(text, str) else ""
    return len(said) >= _TELLING and any(form.startswith(said) for form in _UNLIKELY_TEXTS)


async def tokenizer(
    ask: Ask, ways: Sequence[str], count: Callable[[str, Sequence[bytes]], Awaitable[int | None]]
) -> Sequence[Finding]:
    """Whether the server counts tokens, and whether its count is what it then says it has read."""
    prompt = _prompt("How many tokens are there in these words, <b>käse</b> and 東京?", tokens=1)
    for way in ways:
        counted = await count(way, prompt.messages)
        if counted is None:
            continue
        read = (await ask(prompt, TEXT, None, False)).usage["prompt"]
        right: Said = "yes" if counted == read else "unknown" if read == 0 else "no"
        what = f"{counted} tokens counted, {read} read" if read else f"{counted} tokens counted, none told as read"
        return (Finding("tokenizer", right, what, way),)
    return (Finding("tokenizer", "unknown", "the server does not count for others"),)


async def probabilities(ask: Ask) -> Sequence[Finding]:
    """Whether the server tells how probable its tokens were."""
    reply = await ask(_prompt("Say yes or no.", tokens=4), TEXT, None, True)
    return (Finding("logprobs", "yes" if reply.probable else "no", "told" if reply.probable else "not told"),)


async def speed(ask: Ask) -> Sequence[Finding]:
    """Tokens a second, read and generated, and whether a request with the same beginning is read faster."""
    words = " ".join(f"item {n} costs {n * 37 % 101}," for n in range(24))
    nonce = f"{time.time_ns():x}"  # no server has read this before
    first, read_s, first_s, made_s = await _timed(ask, f"Note {nonce}: {words} What does item 7 cost?")
    again, _, again_s, _ = await _timed(ask, f"Note {nonce}: {words} What does item 9 cost?")
    prompt, completion = first.usage["prompt"], first.usage["completion"]
    rates: dict[str, Any] = {}
    if prompt and first_s > 0:
        rates["prompt"] = round(max(1, prompt - first.usage["cached"]) / first_s, 1)
    if completion > 1 and made_s > 0:
        rates["generation"] = round((completion - 1) / made_s, 1)
    told = ", ".join(f"{value:g} tokens/s {what}" for what, value in rates.items())
    cached, total = again.usage["cached"], max(1, again.usage["prompt"])
    counted = cached > 0 or first.usage["cached"] > 0  # else time has to tell, where there is enough of it
    known = cached * 2 > total if counted else first_s > _TELLING_S and again_s < 0.5 * first_s
    how = f"{cached} of {total} tokens were known; first word after {again_s:.2f} s, before {first_s:.2f} s"
    return (
        Finding("speed", "yes" if rates else "unknown", told or f"an answer took {read_s:.2f} s", rates or None),
        Finding("prefix cache", "yes" if known else "no", how, cached),
    )


async def _timed(ask: Ask, words: str) -> tuple[Reply, float, float, float]:
    """(reply, seconds in all, seconds to the first piece, seconds from there to the end)."""
    began, pieces = time.monotonic(), list[float]()
    prompt = _prompt(words, tokens=_SHORT, system="Answer in one sentence.")
    reply = await ask(prompt, TEXT, lambda piece: pieces.append(time.monotonic()), False)
    end = time.monotonic()
    first = pieces[0] if pieces else end
    return reply, end - began, first - began, end - first
