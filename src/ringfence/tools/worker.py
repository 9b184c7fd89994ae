"""The worker: a process that serves tools over lines of JSON. It is started confined; see `hosted` for its other end.

    -> {"id": 0, "serve": ...}                        once: what to serve
    -> {"id": 1, "tool": "tool:files.stat", "args": {"path": "a.log"}}
    <- {"id": 1, "value": ..., "cpu": 0.31}           or {"id": 1, "error": "...", "todo": "...", "cpu": 0.31}

Nothing of one call is left for the next, beside what a tool can find out again: the passages of files.find, say.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import BinaryIO

from ringfence.core.errors import RingfenceError, Uncertain
from ringfence.core.labels import IDENTITY
from ringfence.core.values import JSON, Action, ordered
from ringfence.tracing import carrying

from .tool import Tool, Use
from .wire import MAX_LINE_BYTES, decoded


def main() -> None:
    """Serve until stdin ends. Whatever a tool prints goes to stderr: stdout is the pipe's alone."""
    pipe = os.fdopen(os.dup(1), "wb")
    requests = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    asyncio.run(_serve(requests, pipe))


async def _serve(requests: BinaryIO, pipe: BinaryIO) -> None:
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), requests)
    tools: dict[str, Tool] = {}
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        request = decoded(line)
        task = asyncio.create_task(_answer(request, tools, pipe))
        running.add(task)
        task.add_done_callback(running.discard)


async def _answer(request: JSON, tools: dict[str, Tool], pipe: BinaryIO) -> None:
    """Do it and say so. The author's own words of a failure may pass, a traceback goes to stderr alone."""
    try:
        value = await (_prepare(request["serve"], tools) if "serve" in request else _perform(tools, request))
        line = ordered({"id": request["id"], "value": value, "cpu": time.process_time()})
    except RingfenceError as error:
        line = _failure(request, error.what, error.todo, uncertain=isinstance(error, Uncertain))
    except (Exception, SystemExit) as error:
        traceback.print_exc(file=sys.stderr)
        line = _failure(
            request, f"{request.get('tool', 'the worker').removeprefix('tool:')} failed: {error!r:.300}", ""
        )
    if len(line) >= MAX_LINE_BYTES:
        what = f"the result is larger than {MAX_LINE_BYTES >> 20} MB"
        line = _failure(request, what, "ask for less", uncertain=True)
    pipe.write(line + b"\n")
    pipe.flush()


def _failure(request: JSON, what: str, todo: str, *, uncertain: bool = False) -> bytes:
    """`uncertain`: it may have been done all the same."""
    said = {key: text.encode("utf-8", "replace").decode() for key, text in (("error", what), ("todo", todo))}
    return ordered({"id": request["id"], **said, "uncertain": uncertain, "cpu": time.process_time()})


async def _prepare(serve: Mapping[str, JSON], tools: dict[str, Tool]) -> JSON:
    """Make the tools; what is said about them is for those that the other end does not know yet."""
    if "function" in serve:
        from .python import described, imported

        made = imported(**serve["function"])
        tools[made.spec.name] = made
        return described(made.spec)
    from .groups import Group

    for group in serve["groups"]:
        tools.update((tool.spec.name, tool) for tool in Group.from_json(group).tools(Use()))
    return sorted(tools)


async def _perform(tools: Mapping[str, Tool], request: Mapping[str, JSON]) -> JSON:
    tool = tools[request["tool"]]
    if request.get("preview"):
        return await tool.preview(request["args"]) if tool.preview else ""
    action = Action(request["tool"], request["args"], IDENTITY, run=request["run"])
    with carrying(request.get("trace", {})):
        return (await tool.sink.perform(action)).value
