"""What a request for a chat completion may hold, and what of it means something to an agent."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from ringfence.core.values import JSON

from .errors import refused
from .messages import Message

CONVERSATION: Final = "x-ringfence-conversation"
_ITS_HEADERS: Final = (CONVERSATION, "x-openwebui-chat-id")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_CONVERSATION: Final = re.compile(r"[!-~]{1,200}")
_AS_IF_UNSET: Final[tuple[JSON, ...]] = (None, [], {}, "", False)
_TOOLS: Final = "this agent has the tools that its manifest names, and takes none from a client"
_FORMAT: Final = "the form of the answer is set where the agent is made (workflow.output_format)"
_REFUSED: Final[dict[str, str]] = {  # what would change what comes back: to leave it out would be to say it was done
    "tools": _TOOLS, "functions": _TOOLS, "mcp_servers": _TOOLS, "web_search_options": _TOOLS,
    "stop": "an answer is judged whole and not cut; cut it where it is used",
    "audio": "this agent answers with text", "logprobs": "an answer is made in steps, and has no one row of tokens",
    "top_logprobs": "an answer is made in steps, and has no one row of tokens",
    "prompt": "prompts are not kept here; send messages",
}  # fmt: skip
_FIXED: Final[dict[str, tuple[JSON, ...]]] = {  # the only values that hold here
    "n": (1,), "best_of": (1,), "modalities": (["text"],), "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"), "function_call": ("none", "auto"), "truncation": ("auto", "disabled"),
    "text": ({"format": {"type": "text"}},),
}  # fmt: skip


class StreamOptions(BaseModel):
    """Of a stream."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class Asked(BaseModel):
    """What requests of both kinds have. What else clients send is looked at by `check`."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1, max_length=200, description="the agent, as /v1/models lists it")]
    stream: bool | None = False
    metadata: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]] | None,
        Field(max_length=16, description="kept with the run; `conversation` names the conversation"),
    ] = None

    def check(self) -> list[str]:
        """The names of what is not looked at here; raises Problem for what cannot be left out in silence."""
        left = []
        for name, value in (self.model_extra or {}).items():
            if value in _AS_IF_UNSET or value in _FIXED.get(name, ()):
                continue
            if name in _REFUSED:
                raise refused(f"{name} is not taken: {_REFUSED[name]}", param=name, todo=f"leave out {name}")
            if name in _FIXED:
                why = f"; {_FORMAT}" if name in ("response_format", "text") else ""
                raise refused(f"expected {name} to be {_FIXED[name][0]!r}, or left out{why}", param=name)
            left.append(name)
        return sorted(name for name in left if _NAME.fullmatch(name))[:20]


class ChatRequest(Asked):
    """A request for a chat completion."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=10_000)]
    stream_options: StreamOptions | None = None


class ResponseRequest(Asked):
    """A request for a response: the task alone, or with what was said before it."""

    input: Annotated[str | list[dict[str, Any]], Field(min_length=1)]
    instructions: Annotated[str | None, Field(description="quoted, as a system message is")] = None
    previous_response_id: Annotated[str | None, Field(max_length=200)] = None
    conversation: Annotated[str | dict[str, Any] | None, Field(description="its id, or an object with it")] = None
    background: bool | None = False
    stream_options: StreamOptions | None = None


def conversation_of(request: Request, asked: Asked) -> str:
    """The conversation that a request names; "" for none. Raises Problem for one that is no name."""
    given = next((request.headers[name] for name in _ITS_HEADERS if request.headers.get(name)), "")
    said = (asked.metadata or {}).get("conversation", "") or given
    return a_name(said, param="metadata.conversation")


def a_name(said: str, *, param: str) -> str:
    """A conversation's name that a header can carry back, or none. Raises Problem for another one."""
    if said and not is_name(said):
        raise refused("expected a conversation of 1 to 200 visible ASCII characters", param=param, code="invalid")
    return said


def is_name(said: str) -> bool:
    """Whether a conversation's name can stand in a header: one that was begun elsewhere may be anything."""
    return _CONVERSATION.fullmatch(said) is not None
