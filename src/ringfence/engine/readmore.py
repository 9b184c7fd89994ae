"""`read_more`: the rest of a tool result, or of the user's own text, that was cut for the window."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome

from .context import render

_SCHEMA = {
    "type": "object",
    "properties": {
        "handle": {"type": "string", "description": "such as r5, or task", "maxLength": 8},
        "offset": {"type": "integer", "minimum": 0},
    },
    "required": ["handle", "offset"],
    "additionalProperties": False,
}


def check_handle(handle: JSON) -> None:
    """Raises ValueError, in words for the model, for what cannot be the handle of a text."""
    named = isinstance(handle, str) and (handle == "task" or (handle[:1] == "r" and handle[1:].isdecimal()))
    if not named or len(handle) > 8:
        raise ValueError('handle is the name in brackets behind a result, such as r5, or "task" for the user\'s text')


def _check(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
    offset = args.get("offset")
    check_handle(args.get("handle"))
    if type(offset) is not int or offset < 0:
        raise ValueError("offset is a number of characters, 0 or more")
    return args


SPEC = SinkSpec(
    name="tool:read_more",
    pin="read_more/1",
    summary="the next part of a result or text that was cut",
    schema=_SCHEMA,
    check=_check,
    effect=Effect.READ,
    confined=True,
    roles={"handle": Role.LOW, "offset": Role.LOW},
    audience=NOBODY,
    output=IDENTITY,  # the label of what is read is added to it
    repeats=1,
)


def text_of(turn: Turn, handle: str) -> tuple[str, Label]:
    """The whole text behind a handle, as it is shown, and its label; raises ToolError for an unknown one."""
    if handle == "task":
        return str(turn.start["task"]), Label(Trust.USER, frozenset({turn.principal.member}))
    record = next((r for r, intent in turn.items if f"r{r.seq}" == handle and intent is not None), None)
    if record is None or "value" not in record.body:
        raise ToolError(f"no result is called {handle}", todo="use a name in brackets behind a result, or task")
    return render(record.body["value"]), record.label


class ReadMore:
    """A sink over the live runs: reads from a result of the run that asks, never from another's.

    `chars` is how many characters of a result the model is shown, 200 or more.
    """

    def __init__(self, *, chars: int) -> None:
        self._chars = chars - 60  # what is read has to fit, with its heading, into one result
        self.live: dict[str, Turn] = {}

    async def perform(self, action: Action) -> Outcome:
        """`{"text": ..., "characters": "4000-8000 of 12000"}`; raises ToolError for an unknown handle."""
        text, label = text_of(self.live[action.run], action.args["handle"])
        start = min(action.args["offset"], len(text))
        end = min(start + self._chars, len(text))
        value = {"characters": f"{start}-{end} of {len(text)}", "text": text[start:end]}
        return Outcome(value, label)
