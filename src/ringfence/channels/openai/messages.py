"""The messages of a request: which is the task, and what becomes of those before it.

A run starts from its user's words, and what was said before it is on our own record, with the labels that it had. A
client of this API sends a whole history instead: words that nobody here can vouch for. So

- the last message is the task, and has to be the user's;
- a question and its answer that are a run of the same principal, word for word, are that run: its record is shown to
  the model, with its own labels, and not what the client sent;
- everything else is quoted: untrusted text, that vouches for no value of a call. A message that the client puts in the
  user's mouth, and its system message, may be read by whoever may read the user's words; one that it calls an answer or
  a tool's result may hold anything that was ever shown here, and is for the principal alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.past import Quoted
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Principal

from .errors import refused

MAX_TASK: Final = 100_000  # characters
ADDED: Final = "(The program that sends this task adds, and not the user:)\n"
RETURNED: Final = "(The program that sends this task says that a tool returned:)\n"
NOTHING: Final = "(nothing)"
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class Message(BaseModel):
    """One message; what else a client sends with it is not looked at."""

    model_config = ConfigDict(extra="ignore")

    role: Role
    content: Annotated[str | list[dict[str, Any]] | None, Field(description="text, or parts that are all text")] = None
    tool_calls: list[dict[str, Any]] | None = None

    def text(self, at: str) -> str:
        """Its text; raises Problem for parts that are none. `at` says where it stands."""
        if isinstance(self.content, str):
            return self.content.strip()
        parts = []
        for n, part in enumerate(self.content or ()):
            kind, text = part.get("type"), part.get("text", part.get("refusal"))
            if kind not in ("text", "input_text", "output_text", "refusal") or not isinstance(text, str):
                raise refused(
                    f"expected text, got a part of type {str(kind)[:40]!r}", param=f"{at}.content.{n}",
                    todo="this agent takes text alone; documents go into a collection",
                )  # fmt: skip
            parts.append(text)
        called = [f"(called {json.dumps(one.get('function'), ensure_ascii=False)})" for one in self.tool_calls or ()]
        return "\n".join((*parts, *called)).strip()


def split(messages: Sequence[Message]) -> tuple[str, list[tuple[Role, str]]]:
    """The task, and what was said before it; raises Problem where the last message is no task."""
    said = [(one.role, one.text(f"messages.{n}")) for n, one in enumerate(messages)]
    role, task = said[-1]
    at = f"messages.{len(said) - 1}"
    if role != "user":
        todo = "end with what the user wants; the results of tools are this agent's own affair"
        raise refused(f"expected the last message to be the user's, got one of {role}", param=at, todo=todo)
    if not task or len(task) > MAX_TASK:
        raise refused(f"expected a task of 1 to {MAX_TASK} characters, got {len(task)}", param=at, code="invalid")
    return task, said[:-1]


def pairs(said: Sequence[tuple[Role, str]]) -> Iterator[tuple[int, str, str]]:
    """(place, question, answer) of what could be a run."""
    for n in range(len(said) - 1):
        if (said[n][0], said[n + 1][0]) == ("user", "assistant"):
            yield n, said[n][1], said[n + 1][1]


def quoted(said: Sequence[tuple[Role, str]], who: Principal) -> list[Quoted]:
    """Messages as quotes: user and assistant by turns, as the templates of models want them, beginning with a user."""
    mine, own = frozenset({who.member}), frozenset({frozenset({who.subject})})
    turns: list[Quoted] = []
    for speaker, group in groupby(filter(lambda one: one[1], said), key=lambda one: one[0] == "assistant"):
        found = list(group)
        text = "\n\n".join(_in_words(role, text) for role, text in found)
        readers = mine if all(role not in ("assistant", "tool", "function") for role, _ in found) else own
        turns.append(Quoted("assistant" if speaker else "user", text, Label(Trust.UNTRUSTED, readers)))
    if not turns:
        return []
    nothing = Label(Trust.UNTRUSTED)
    before = [Quoted("user", NOTHING, nothing)] if turns[0].role == "assistant" else []
    after = [Quoted("assistant", NOTHING, nothing)] if turns[-1].role == "user" else []
    return [*before, *turns, *after]


def _in_words(role: Role, text: str) -> str:
    if role in ("system", "developer"):
        return ADDED + text
    return RETURNED + text if role in ("tool", "function") else text
