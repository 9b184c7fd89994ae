"""What the tools do, for whoever calls them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ValidationError

from ringfence import __version__
from ringfence.app import new_run_id, now_ms
from ringfence.app.serving.asking import Asking
from ringfence.app.serving.feed import Delta
from ringfence.app.serving.history import History
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.app.serving.shown import shown
from ringfence.core.errors import InternalError, RingfenceError
from ringfence.core.values import JSON, Principal
from ringfence.engine.result import Result

from .. import telling
from . import tools

Context = ServerRequestContext[Any, Any]
_ENDED: Final = frozenset({"done", "partial", "waiting"})  # with something to read; all others are errors to a client
_INSTRUCTIONS: Final = (
    "An agent that works on its own records and tools. Give it whole tasks in plain words; it plans its steps itself."
)


class Tools:
    """The tools over a service. `who` finds out who calls, `base` where people answer what runs ask."""

    def __init__(
        self, service: Service, reading: Reading, who: Callable[[Context], Principal], base: Callable[[Context], str]
    ) -> None:
        self._service, self._reading, self._who, self._base = service, reading, who, base
        self._history = History(service, reading)
        self._asking = Asking(service, reading)
        self._calls: dict[str, Callable[[Context, Principal, Any], Awaitable[BaseModel]]] = {
            "ask": lambda context, who, form: self._do(context, who, form, effects=False),
            "act": lambda context, who, form: self._do(context, who, form, effects=True),
            "run_status": self._status,
            "approvals": self._approvals,
        }

    def server(self) -> Server[Any]:
        """The server, for any transport."""
        name = self._service.agent.manifest.runtime.name
        return Server(name, version=__version__, instructions=_INSTRUCTIONS,
                      on_list_tools=self._list, on_call_tool=self._call)  # fmt: skip

    async def _list(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools.offered(self._service.agent))

    async def _call(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in {tool.name for tool in tools.offered(self._service.agent)}:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:80]!r}; tools/list names those")
        try:
            form = tools.FORMS[params.name].model_validate(params.arguments or {})
            found = await self._calls[params.name](context, self._who(context), form)
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
            return _wrong("; ".join(wrong))
        except RingfenceError as error:
            said = "something is wrong here, and it is ours" if isinstance(error, InternalError) else error.what
            return _wrong(f"{said}; {error.todo}" if error.todo else said)
        text = found.answer if isinstance(found, tools.Answer) else found.model_dump_json()
        bad = isinstance(found, tools.Answer) and params.name != "run_status" and found.status not in _ENDED
        return types.CallToolResult(
            content=[types.TextContent(text=text)], structured_content=found.model_dump(), is_error=bad
        )

    async def _do(self, context: Context, who: Principal, form: tools.Task, *, effects: bool) -> tools.Answer:
        service, named = self._service, form.conversation
        await service.agent.open()  # for an editor that asks before it is
        named = named or new_run_id(now_ms())
        run = await service.submit(who, form.task, conversation=named, effects=effects,
                                   meta=telling.meta_of("mcp", None))  # fmt: skip
        over = False
        try:
            steps, count = telling.Steps(), 0
            async with aclosing(service.events(who, run)) as items:
                async for item in items:
                    if not isinstance(item, Delta) and (line := steps.line(shown(item, who.member))):
                        count += 1
                        await context.session.report_progress(count, message=line)
            result, over = await service.result(who, run), True
        finally:
            if not over:  # cancelled, or the client has gone
                telling.abandon(service, who, run)
        return await self._answer(context, who, result, named)

    async def _status(self, context: Context, who: Principal, form: tools.OneRun) -> tools.Answer:
        told = await self._history.told(who, form.run)
        found = await self._answer(context, who, told.result, told.summary.conversation)
        return found.model_copy(update={"status": told.summary.state})

    async def _approvals(self, context: Context, who: Principal, form: tools.Nothing) -> tools.Approvals:
        base = self._base(context)
        found = await self._asking.waiting(who, previews=False)
        ends = (
            (run := one.question.run, {**telling.call_of(who, one.question), "url": telling.place_of(base, run)})
            for one in found
            if one.owner == who.subject
        )
        return tools.Approvals(waiting=[_approval(run, about) for run, about in ends])

    async def _answer(self, context: Context, who: Principal, result: Result, conversation: str) -> tools.Answer:
        end = await telling.ending(self._service, who, result, base=self._base(context))
        sources = [tools.Source(n=s.n, document=s.document, page=s.page, quote=s.quote) for s in result.sources]
        return tools.Answer(
            answer=end.text, summary=result.summary, status=end.status, run=result.run_id, conversation=conversation,
            confidence=result.confidence, sources=sources, flags=list(result.flags),
            approval=None if end.approval is None else _approval(result.run_id, end.approval),
        )  # fmt: skip


def _approval(run: str, about: dict[str, JSON]) -> tools.Approval:
    known = ("tool", "call", "why", "expires_ms", "url")
    return tools.Approval(run=run, **{key: about[key] for key in known if key in about})


def _wrong(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
