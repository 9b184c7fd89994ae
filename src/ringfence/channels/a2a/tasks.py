"""Runs as tasks: the id of a task is that of its run, and a context is a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import ContentTypeNotSupportedError, InvalidParamsError

from ..telling import Ending
from .card import TEXT

MAX_TASK: Final = 100_000  # characters
STATES: Final[Mapping[str, pb.TaskState]] = {
    "queued": pb.TASK_STATE_SUBMITTED, "running": pb.TASK_STATE_WORKING, "open": pb.TASK_STATE_WORKING,
    "interrupted": pb.TASK_STATE_WORKING, "waiting": pb.TASK_STATE_INPUT_REQUIRED,
    "uncertain": pb.TASK_STATE_INPUT_REQUIRED, "done": pb.TASK_STATE_COMPLETED, "partial": pb.TASK_STATE_COMPLETED,
    "failed": pb.TASK_STATE_FAILED, "cancelled": pb.TASK_STATE_CANCELED,
}  # fmt: skip
OVER: Final = frozenset({"done", "partial", "failed", "cancelled"})
ANSWERED: Final = frozenset({"done", "partial"})


def text_of(message: pb.Message) -> str:
    """The task that a message is. Raises errors of the protocol for one that is none, or not all text."""
    if message.role != pb.ROLE_USER:
        raise InvalidParamsError("expected a message of the user's")
    if any(part.WhichOneof("content") != "text" for part in message.parts):
        raise ContentTypeNotSupportedError("this agent takes text alone")
    text = "\n".join(part.text for part in message.parts).strip()
    if not 0 < len(text) <= MAX_TASK:
        raise InvalidParamsError(f"expected a task of 1 to {MAX_TASK} characters, got {len(text)}")
    return text


def status(state: str, *, run: str, context: str, text: str = "", at: int = 0, place: str = "") -> pb.TaskStatus:
    """Where a task stands, perhaps with a message; `at` in milliseconds since 1970, `place` makes its id its own."""
    message = pb.Message(
        message_id=f"{run}-{place or state}", role=pb.ROLE_AGENT, task_id=run, context_id=context, parts=[part(text)]
    )
    found = pb.TaskStatus(state=STATES.get(state, pb.TASK_STATE_WORKING), message=message if text else None)
    if at:
        found.timestamp.FromMilliseconds(at)
    return found


def part(text: str) -> pb.Part:
    """Text."""
    return pb.Part(text=text, media_type=TEXT)


def artifact(run: str, text: str) -> pb.Artifact:
    """The answer of a run."""
    return pb.Artifact(artifact_id=f"{run}-answer", name="answer", parts=[part(text)])


def asked(run: str, context: str, text: str) -> pb.Message:
    """The message that a task began with."""
    return pb.Message(message_id=f"{run}-task", role=pb.ROLE_USER, task_id=run, context_id=context, parts=[part(text)])


def task_of(
    run: str, context: str, words: str, end: Ending, *, state: str, at: int = 0, history: int | None = None
) -> pb.Task:
    """A task as it is; `history` is how many of its messages are wanted, all if nobody says."""
    done = state in ANSWERED
    said = "" if done or state not in STATES or state in ("queued", "running", "open") else end.text
    task = pb.Task(id=run, context_id=context, status=status(state, run=run, context=context, text=said, at=at))
    if done:
        task.artifacts.append(artifact(run, end.text))
    if history is None or history > 0:
        task.history.append(asked(run, context, words))
    task.metadata.update({"status": state, **({"approval": end.approval} if end.approval else {})})
    return task
