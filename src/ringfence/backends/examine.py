"""The trials of an OpenAI-compatible server, in order; what they find is kept and decides how a run asks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ringfence.core.errors import BackendError
from ringfence.core.values import JSON, Prompt

from . import asking, native, tokens, trials
from .answers import Place
from .completion import Completion
from .findings import Finding, Findings, Say
from .openai import head
from .probe import ask_server
from .sure import ALTERNATIVES
from .trials import Progress, Reply
from .wire import Wire

if TYPE_CHECKING:
    from .anthropic import AnthropicMessages

_CLOUD_TOKENS: Final = 1024  # of an answer: a model that thinks does so within them


async def examine(wire: Wire, say: Say) -> Findings:
    """Raises BackendError if nothing answers there; everything that is wrong from then on is a row."""
    began, place = time.time_ns(), wire.place
    hasty = wire.hasty(trials.TIMEOUT_S)
    try:
        found = await ask_server(hasty)
        ask = partial(_ask, hasty)
        dialects = [way for way in asking.ways(place.provider) if way != asking.TEXT]
        dialects += [name for name in asking.DIALECTS if name not in dialects]
        known = tokens.BY_PROVIDER.get(place.provider)
        counters = [known] if known else [tokens.LLAMACPP, tokens.VLLM]
        made = trials.all_of(
            [
                ("window", partial(trials.window, found)),
                ("too long", partial(trials.too_long, ask, found.window)),
                ("tools auto", partial(trials.calls, ask)),
                ("grammar", partial(_grammar, hasty, dialects)),
                ("tokenizer", partial(trials.tokenizer, ask, counters, partial(tokens.count, hasty))),
                ("logprobs", partial(trials.probabilities, ask)),
                ("speed", partial(trials.speed, ask)),
            ]
        )
        return await _written(place, found.identity, began, made, say)
    finally:
        await hasty.aclose()


async def _written(place: Place, identity: str, began: int, made: AsyncIterator[Finding], say: Say) -> Findings:
    """The rows, each said when it is there. `began`: nanoseconds since 1970."""
    rows = []
    async for row in made:
        say(f"{row.name}: {row.what}")
        rows.append(row)
    took_ms = (time.time_ns() - began) // 1_000_000
    return Findings(place.provider, place.url, place.model, identity, began // 1_000_000, took_ms, tuple(rows))


async def _ask(wire: Wire, prompt: Prompt, way: str, progress: Progress, probable: bool) -> Reply:
    """One request as a run would make it, but at temperature 0."""
    how, part, offer = asking.part(way, prompt)
    more: dict[str, JSON] = {"logprobs": True, "top_logprobs": ALTERNATIVES} if probable else {}
    if wire.place.provider in ("embedded", "llamacpp"):
        more["cache_prompt"] = True
    body = b"".join(
        [
            head({"model": wire.place.model, "temperature": 0, **more}, "max_tokens"),
            b"%d" % prompt.max_tokens,
            b',"stream":true,"stream_options":{"include_usage":true}' if progress is not None else b"",
            part,
            b',"messages":[',
            b",".join(prompt.messages),
            b"]}",
        ]
    )
    made: list[Completion] = []

    def answer() -> Completion:
        made.append(Completion(wire.place, how, offer, progress))
        return made[-1]

    outcome = await wire.ask("v1/chat/completions", body, answer)
    return Reply(outcome, made[-1].calls, made[-1].probable)


async def _grammar(wire: Wire, dialects: Sequence[str]) -> Sequence[Finding]:
    rows = await trials.grammar(partial(_ask, wire), dialects)
    if rows[0].said == "yes" or wire.place.provider != "ollama":
        return rows
    asked = {"model": wire.place.model, "stream": False, **trials.unlikely()}
    try:
        _, body = await wire.look("api/chat", asked, timeout_s=trials.TIMEOUT_S)
    except BackendError:
        return rows
    message = body.get("message") if isinstance(body, dict) else None
    if not trials.is_unlikely(message.get("content") if isinstance(message, dict) else None):
        return rows
    old = "; `format` holds on /api/chat alone: a newer Ollama takes response_format too"
    return (Finding("grammar", "no", rows[0].what + old),)


async def examine_cloud(api: AnthropicMessages, say: Say) -> Findings:
    """The trials of the Messages API: no grammar, no tokenizer that may be asked, no probabilities.

    Raises BackendError if nothing answers there, or the key or the model is refused.
    """
    from .anthropic import Message

    began, place = time.time_ns(), api.place
    hasty = api.wire.hasty(trials.TIMEOUT_S)

    async def ask(prompt: Prompt, way: str, progress: Progress, probable: bool) -> Reply:
        offer = native.offer(prompt.schema) if way == asking.NATIVE and prompt.schema is not None else None
        made: list[Message] = []

        def answer() -> Message:
            made.append(Message(place, offer, progress))
            return made[-1]

        body = api.body(replace(prompt, max_tokens=_CLOUD_TOKENS), offer, stream=progress is not None)
        return Reply(await hasty.ask("v1/messages", body, answer), made[-1].calls)

    try:
        found = await api.probe()
        made = trials.all_of(
            [
                ("window", partial(trials.window, found)),
                ("tools auto", partial(trials.calls, ask)),
                ("speed", partial(trials.speed, ask)),
            ]
        )
        return await _written(place, found.identity, began, made, say)
    finally:
        await hasty.aclose()
