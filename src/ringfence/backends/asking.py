"""How a server is asked for a step: natively, by a grammar in the dialect that it speaks, or in words alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, Literal

from ringfence.core.values import JSON, Prompt

from .native import Offer, offer

How = Literal["native", "grammar", "text"]
NATIVE, TEXT = "native", "text"

DIALECTS: Final[Mapping[str, tuple[bytes, bytes]]] = {  # what stands around the schema in a request
    "json_schema": (  # OpenAI's; llama.cpp, vLLM, LM Studio and Ollama's /v1 take it too
        b',"response_format":{"type":"json_schema","json_schema":{"name":"step","strict":true,"schema":',
        b"}}",
    ),
    "structured_outputs": (b',"structured_outputs":{"json":', b"}"),  # vLLM; the only own one since 0.12
    "guided_json": (b',"guided_json":', b""),  # vLLM until 0.11
    "llamacpp": (b',"json_schema":', b""),  # llama.cpp's own field, older than its response_format
}
_BY_DEFAULT: Final[Mapping[str, tuple[str, ...]]] = {
    "vllm": ("json_schema", "structured_outputs", "guided_json"),
    "llamacpp": ("json_schema", "llamacpp"),
}
_NOT_TAKEN = re.compile(
    r"response_format|json.?schema|structured|guided|grammar|tool|unsupported|not support|unknown field|extra",
    re.IGNORECASE,
)


def ways(provider: str, *, native: bool = False, grammar: str | None = None) -> tuple[str, ...]:
    """The ways to ask, cheapest rung first; each further one is for a server that refuses those before.

    `grammar` is the dialect that was proved, empty if none holds; None where nobody has tried.
    """
    first = (NATIVE,) if native else ()
    if grammar == "":
        return (*first, TEXT)
    known = _BY_DEFAULT.get(provider, ("json_schema",))
    return (*first, *((grammar,) if grammar else known), TEXT)


def refuses(status: int, said: str) -> bool:
    """Whether a server's refusal is about the way that it was asked, so that another one may do."""
    return status in (400, 404, 422, 501) and _NOT_TAKEN.search(said) is not None


def part(way: str, prompt: Prompt) -> tuple[How, bytes, Offer | None]:
    """(how it is asked, what the request says of it, what a native answer may be)."""
    if prompt.schema is None or way == TEXT:
        return "text", b"", None
    if way == NATIVE:
        offered = offer(prompt.schema)
        if offered is not None:
            return "native", _tools(offered), offered
        way = "json_schema"
    before, after = DIALECTS[way]
    return "grammar", before + prompt.schema + after, None


def tools(offered: Offer) -> list[JSON]:
    """The tools of a request."""
    return [{"type": "function", "function": {"name": tool.safe, "parameters": tool.args}} for tool in offered.tools]


def _tools(offered: Offer) -> bytes:
    if offered.choice == "none":
        return b""
    asked: dict[str, JSON] = {
        "tools": tools(offered),
        "tool_choice": offered.choice,
        "parallel_tool_calls": offered.parallel > 1,
    }
    return b"," + json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()[1:-1]
