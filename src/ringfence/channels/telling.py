"""A run in words, for clients that show text alone: what it does, and what it has come to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ringfence.app.asked import question
from ringfence.app.house import REPLY
from ringfence.app.serving.service import Service
from ringfence.core.errors import JournalError, RingfenceError
from ringfence.core.values import JSON, Principal
from ringfence.engine.consent import Question
from ringfence.engine.result import Result

if TYPE_CHECKING:
    from fastapi import Request

T = TypeVar("T")
SHOWN: Final = 200  # characters of an argument's or a result's text
_leaving: set[asyncio.Task[None]] = set()


class Steps:
    """Says what a run does, a line for each event (`serving.shown`)."""

    def __init__(self) -> None:
        self._tools: dict[JSON, str] = {}  # by the seq of the intent

    def line(self, event: Mapping[str, JSON]) -> str:
        """What an event says of a step; empty where it is of no interest to a reader."""
        tell = {"intent": self._intent, "outcome": self._outcome, "decision": _decision, "approval": _approval}.get(
            str(event["kind"])
        )
        return "" if tell is None or event.get("hidden") else tell(event)

    def _intent(self, event: Mapping[str, JSON]) -> str:
        if (tool := str(event.get("tool", ""))) in ("", REPLY):
            return ""
        self._tools[event["seq"]] = tool
        return f"→ {_call(event)}"

    def _outcome(self, event: Mapping[str, JSON]) -> str:
        if (tool := self._tools.pop(event["of"], "")) == "":
            return ""
        return f"✗ {tool}: {_short(event['error'])}" if "error" in event else f"✓ {tool}: {_short(event.get('value'))}"


def _decision(event: Mapping[str, JSON]) -> str:
    if "tool" not in event:
        return ""
    if event["verdict"] == "ask":
        return f"? {_call(event)} wants a person's yes: {_short(event['why'])}"
    return f"✗ {_call(event)} was refused: {_short(event['why'])} ({event['rule']})"


def _approval(event: Mapping[str, JSON]) -> str:
    return f"✓ {event['by']} said yes"


def _call(event: Mapping[str, JSON]) -> str:
    args = event.get("args", {})
    named = ", ".join(f"{key}={_short(value)}" for key, value in args.items()) if isinstance(args, dict) else ""
    return f"{event['tool']}({named})"


def _short(value: JSON) -> str:
    """On one line, without signs that a terminal or a reader could be misled by."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(char if char.isprintable() else " " for char in text[: 2 * SHOWN])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run has come to, or why it stands still.

    text      for a reader: the answer, or what is missing for one
    approval  the question that it waits with, and where it is answered
    """

    status: str
    text: str
    approval: dict[str, JSON] | None = None


async def ending(service: Service, who: Principal, result: Result, *, base: str) -> Ending:
    """`base`: the address of this server, as the caller knows it; "" where there is none, but a terminal."""
    run = result.run_id
    if result.status == "waiting":
        asked = await _question(service, who, result.run_id)
        url = place_of(base, run)
        wants = f"{asked['call']} ({asked['why']})" if asked else "a call of it"
        text = f"Not done yet: a person has to say yes to {wants}. Answer it at {url}; this is run {run}."
        return Ending(result.status, text, {**asked, "url": url})
    if result.status in ("uncertain", "running", "interrupted"):
        why = result.summary or "it was interrupted"
        see = f"{base}/#/runs/{run}" if base else f"ringfence runs show {run}"
        text = f"Not done yet: {why}. See {see}; this is run {run}."
        return Ending(result.status, text)
    return Ending(result.status, result.answer or f"No answer: {result.summary or result.status}")


async def _question(service: Service, who: Principal, run: str) -> dict[str, JSON]:
    """What a run asks, as far as the one who asked it may read that; the run is folded beside the event loop."""
    with suppress(JournalError):  # it was answered meanwhile
        return call_of(who, question(service.agent, await service.agent.folded(run)))
    return {}


def call_of(who: Principal, asked: Question) -> dict[str, JSON]:
    """A call that waits for a person; empty where they may not read what it was made from."""
    if not asked.action.label.readable_by(who.member):
        return {}
    event: dict[str, JSON] = {"tool": asked.action.sink.removeprefix("tool:"), "args": dict(asked.action.args)}
    more = {"why": asked.why, "rule": asked.rule, "digest": asked.digest, "expires_ms": asked.expires or None}
    return {**event, "call": _call(event), **more}


def place_of(base: str, run: str) -> str:
    """Where a person answers what a run asks."""
    return f"{base}/#/runs/{run}" if base else f"ringfence approve {run}"


def base_of(request: Request, service: Service) -> str:
    """The address of this server without a slash at its end: the manifest's word, or else what the caller wrote."""
    given = service.agent.manifest.server.public_url
    return str(given or request.base_url).rstrip("/")


async def unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """What `work` returns; None if the client goes away before, which is stopped waiting for. Its body was read."""
    job = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait([job, gone], return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else None
    finally:
        for task in (job, gone):
            task.cancel()
        await asyncio.gather(job, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def abandon(service: Service, who: Principal, run: str) -> None:
    """End a run for good, in the background: its client has gone, and could never ask for it again.

    What it has done stays on record; its task can be given again, or the run forked.
    """
    task = asyncio.create_task(_abandon(service, who, run))
    _leaving.add(task)
    task.add_done_callback(_leaving.discard)


async def settled() -> None:
    """Return when every run that was abandoned so far has ended."""
    await asyncio.gather(*_leaving)


async def _abandon(service: Service, who: Principal, run: str) -> None:
    with suppress(RingfenceError):  # it has ended meanwhile, or is parked with a call of which nobody knows
        await service.cancel(who, run)


def meta_of(channel: str, metadata: Mapping[str, Any] | None) -> dict[str, JSON]:
    """What the first record of a run keeps for its caller."""
    return {"channel": channel, "metadata": dict(metadata or {})}
