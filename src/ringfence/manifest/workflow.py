"""Bounds and habits of a run, and the operator's checks of what comes of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from .strict import Conflict, Strict


class Validate(Strict):
    """A check of yours, of each final answer or of a tool's results: what does not pass goes back to the model."""

    on: Annotated[str, Field(min_length=1, description="answer, or the tool (csv.sql) whose results are checked")] = (
        "answer"
    )
    expr: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="a CEL expression that has to be true; it knows task, and answer, or args and result",
        ),
    ] = None
    tool: Annotated[
        str | None, Field(description="a tool of this manifest that is called with the same, and has to return true")
    ] = None
    why: Annotated[str, Field(max_length=300, description="what the model is told when it is not")] = ""

    @property
    def tools(self) -> dict[str, str]:
        """The tools that are named, by key."""
        return {key: name for key, name in (("on", self.on), ("tool", self.tool)) if name and name != "answer"}

    def conflicts(self) -> Iterator[Conflict]:
        """One way to check, not two, and not none."""
        if (self.expr is None) == (self.tool is None):
            yield (
                ("expr",),
                "expected either expr or tool, got both" if self.expr else "expected expr or tool, got none",
            )


with warnings.catch_warnings():  # `validate` is the name of a method that pydantic has retired
    warnings.simplefilter("ignore", UserWarning)

    class _Checked(Strict):
        validate: Annotated[
            tuple[Validate, ...],
            Field(description="checks of yours, of answers and of results"),
        ] = ()  # type: ignore[assignment]


class Workflow(_Checked):
    """Bounds and habits of a run."""

    max_steps: Annotated[int, Field(ge=1, le=10_000, description="model calls of one run, at most")] = 20
    max_tokens: Annotated[int, Field(ge=256, description="tokens of one run, sent and generated, at most")] = 200_000
    checkpoint_interval: Annotated[
        int, Field(ge=1, description="after so many steps a checkpoint is recorded, and all until then is durable")
    ] = 5
    error_handling: Annotated[
        Literal["retry_with_context", "fail"],
        Field(
            description="retry_with_context: the model reads what went wrong and may try otherwise; fail: the run ends"
            " at the first tool that fails, or step that cannot be read"
        ),
    ] = "retry_with_context"
    output_format: Annotated[
        Literal["text", "structured_json"],
        Field(description="what `ringfence run` prints: the answer, or one JSON object"),
    ] = "text"
    limits: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Field(description="calls of a tool (files.search) in one run, at most"),
    ] = {}
    tool_first: Annotated[bool, Field(description="no final answer before a tool has answered")] = True
    planning: Annotated[
        Literal["off", "light", "full"],
        Field(
            description="light: the goals that the task's own sentences name are kept in view; full: the model writes a"
            " plan first, and again when its calls fail"
        ),
    ] = "light"
    verify: Annotated[
        Literal["off", "warn", "strict"],
        Field(
            description="what an answer claims is held against the record; warn: what is not proved is flagged; strict:"
            " it goes back once, then only what is proved is answered; off: nothing is checked"
        ),
    ] = "warn"
    prompt: Annotated[
        Literal["full", "lean"],
        Field(description="lean: the shortest instructions, and of the tools those that suit the task best"),
    ] = "full"
    history: Annotated[int, Field(ge=0, description="messages of the conversation shown to the model, at most")] = 20
    result_chars: Annotated[
        int, Field(ge=200, description="characters of one tool result shown to the model, at most")
    ] = 4000
