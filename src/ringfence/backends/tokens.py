"""Tokens, counted by the server that will read them, and what shows that it did not read them all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from yarl import URL

from ringfence.core.errors import BackendError
from ringfence.core.values import JSON

from .answers import Place
from .wire import Wire

LLAMACPP, VLLM = "llamacpp", "vllm"  # whose way to count: /apply-template and /tokenize, or /tokenize with messages
BY_PROVIDER: Final = {"embedded": LLAMACPP, "llamacpp": LLAMACPP, "vllm": VLLM}
BYTES_PER_TOKEN = 8  # more than any text has that is not made of runs of one character
_RUN = re.compile(rb"(.)\1{3,}|(?:\\n|\\t| ){4,}", re.DOTALL)


async def count(wire: Wire, way: str, messages: Sequence[bytes], tools: Sequence[JSON] = ()) -> int | None:
    """Tokens of a request with the chat template; None if the server does not count, or not so.

    Raises BackendError if it is absent.
    """
    said: dict[str, JSON] = {"messages": [json.loads(message) for message in messages]}
    said |= {"tools": list(tools)} if tools else {}
    if way == VLLM:
        asked = {"model": wire.place.model, **said, "add_generation_prompt": True}
        _, body = await wire.look("tokenize", asked)
        return _number(body, "count")
    _, shown = await wire.look("apply-template", said)
    text = shown.get("prompt") if isinstance(shown, dict) else None
    if not isinstance(text, str):
        return None
    _, body = await wire.look("tokenize", {"content": text, "add_special": True, "parse_special": True})
    found = body.get("tokens") if isinstance(body, dict) else None
    return len(found) if isinstance(found, list) else None


def at_least(messages: Sequence[bytes]) -> int:
    """Fewer tokens than any tokenizer makes of these: runs of one character, of spaces or line ends do not count."""
    return sum(len(_RUN.sub(b"", message)) for message in messages) // BYTES_PER_TOKEN


async def missing(
    wire: Wire, way: str | None, messages: Sequence[bytes], usage: Mapping[str, int], known: int | None
) -> int:
    """Tokens that the server did not read of a request, as far as it can be told; 0 if it read them all.

    usage  the server's `prompt` and `cached`; 0 where it does not say
    known  its own count of the request, if that was asked for
    """
    read = usage["prompt"]
    if read <= 0:
        return 0
    if known is not None:
        return max(0, known - read)
    least, seen = sum(map(len, messages)) // BYTES_PER_TOKEN, read + usage["cached"]  # some count apart what they knew
    if seen >= least or seen >= (least := at_least(messages)):
        return 0
    if way is not None:
        try:
            counted = await count(wire, way, messages)
        except BackendError:
            counted = None
        if counted is not None:
            return max(0, counted - read)
    return least - read


def local(place: Place) -> bool:
    """Whether the server is on this machine: elsewhere, to count would be to send without a record of it."""
    host = URL(place.url).host or ""
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127(?:\.\d{1,3}){3}", host))


def _number(body: JSON, key: str) -> int | None:
    value = body.get(key) if isinstance(body, dict) else None
    return value if type(value) is int and value >= 0 else None
