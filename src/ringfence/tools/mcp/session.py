"""A server in use: started at the first call, checked against what was accepted, restarted when it dies."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from functools import cache
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import ToolError, Uncertain
from ringfence.core.values import JSON
from ringfence.tracing import headers

from .listing import REVIEW, Listing, changed, take
from .lock import Server as Accepted
from .wire import Streams, Valve

if TYPE_CHECKING:
    from mcp.client.session import ClientSession
    from mcp_types import CallToolResult

CLOSE_S = 3.0  # what the end of a connection may take
GRACE_S = 2.0  # the library bounds a call; this much later nobody waits for it any more
RECHECK_S = 60.0  # what a server offers is looked at again before a call that comes later than this
MAX_PAGES = 32
MAX_FAULTS = 5  # in a row; after them it is left alone for a while
REST_S = 60.0
BACKOFF_S = 0.2  # after the first fault; twice as long after each further one

Dial = Callable[[Valve], AbstractAsyncContextManager[Streams]]


class Link:
    """One connection. It lives in a task of its own, since the library's scopes must end where they began."""

    def __init__(self, dial: Dial, *, max_bytes: int, timeout_s: float) -> None:
        self.valve = Valve(max_bytes)
        self.checked = 0.0  # when the tools were last looked at, by the monotonic clock
        self.served = False  # whether it has answered a call: it may keep something in mind
        self._dial = dial
        self._timeout_s = timeout_s
        self._listed: list[JSON] = []
        self._session: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(), context=Context())  # it outlives the run that it begins in

    @property
    def dead(self) -> bool:
        """Whether it is of no use any more."""
        return self._task.done() or self.valve.closed.is_set()

    async def _hold(self) -> None:
        import mcp_types as types
        from mcp.client.session import ClientSession
        from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

        listed = self._listed

        class Lenient(JSONRPCDispatcher[Any]):
            """Keeps listed tools from the library's types: one broken tool would take down the list."""

            async def send_raw_request(self, method: str, *rest: Any, **more: Any) -> dict[str, Any]:
                raw = await super().send_raw_request(method, *rest, **more)
                if method == "tools/list":
                    tools = raw.get("tools")
                    listed.extend(tools if isinstance(tools, list) else [])
                    raw = {**raw, "tools": []}
                return raw

        for name in ("mcp", "client", "httpx2"):  # what a server makes the library say is not for the terminal
            logging.getLogger(name).addHandler(logging.NullHandler())
        try:
            async with self._dial(self.valve) as (read, write):
                session = ClientSession(
                    dispatcher=Lenient(read, write),
                    client_info=types.Implementation(name="ringfence", version="1"),
                    read_timeout_seconds=self._timeout_s,
                )
                async with session:
                    await _negotiate(session)
                    self._session.set_result(session)
                    await self.valve.closed.wait()
        except Exception as error:
            self.valve.close(_reason(error))
        finally:
            self.valve.close("hung up")
            self._session.cancel()

    async def session(self) -> ClientSession:
        """The session, once it is there; raises ToolError if it does not come about."""
        waits: set[asyncio.Future[Any]] = {self._session, self._task}
        await asyncio.wait(waits, return_when="FIRST_COMPLETED", timeout=2 * self._timeout_s)
        if not self._session.done() or self._session.cancelled():
            self.valve.close("did not begin to talk")
            await self.aclose()
            raise ToolError(f"it {self.valve.why}{self._last_words()}")
        return self._session.result()

    def _last_words(self) -> str:
        said = self.valve.stderr.decode(errors="replace").strip().splitlines()
        return f"; its last words: {said[-1][:200]!a}" if said else ""

    async def offered(self) -> list[JSON]:
        """All tools, as raw JSON; raises MCPError, ToolError."""
        import mcp_types as types

        session, cursor = await self.session(), None
        self._listed.clear()
        self.valve.stale = False
        for _ in range(MAX_PAGES):
            request = types.ListToolsRequest(params=types.PaginatedRequestParams(cursor=cursor) if cursor else None)
            cursor = (await session.send_request(request, types.ListToolsResult)).next_cursor
            if not cursor:
                self.checked = time.monotonic()
                return list(self._listed)
        raise ToolError(f"its list of tools has more than {MAX_PAGES} pages", todo="use a server with fewer tools")

    async def aclose(self) -> None:
        """Hang up, and wait until it is over."""
        self.valve.closed.set()
        if self._task.done():
            return
        if not self._session.done():
            self._task.cancel()
        _, late = await asyncio.wait({self._task}, timeout=CLOSE_S)
        if late:  # it says goodbye to somebody who does not listen
            self._task.cancel()
            await asyncio.wait({self._task})


class Server:
    """A server and its accepted tools. Raises ToolError for whatever goes wrong; the text begins with its name.

    quarantined  tools that may not be called, and why; whoever is here once stays until the next start
    """

    def __init__(
        self,
        alias: str,
        dial: Dial,
        source: Callable[[], Mapping[str, Any]],
        accepted: Accepted,
        *,
        timeout_s: float = 30.0,
        max_bytes: int = 4 * 2**20,
        clean: Callable[[JSON], JSON] = lambda value: value,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self.alias = alias
        self.quarantined: dict[str, str] = {}
        self.run = ""  # which run was served last: what the server tries to reach is on the record of that one
        self.clean = clean
        self._dial = dial
        self._source = source
        self._accepted = accepted
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._backoff_s = backoff_s
        self._link: Link | None = None
        self._lock = asyncio.Lock()
        self._faults = 0
        self._not_before = 0.0

    async def call(self, name: str, args: Mapping[str, JSON], *, run: str = "") -> CallToolResult:
        """Call an accepted tool, once, for a run: a call that broke off is never made again by us."""
        self.run = run
        import mcp_types as types
        from mcp.shared.exceptions import MCPError

        async with self._lock:
            link = await self._linked()
        if why := self.quarantined.get(name):
            raise ToolError(f"{self.alias}.{name} is quarantined: {why}", todo="use another tool")
        meta: Any = {**headers()}  # the keys that MCP reserves for it (SEP-414)
        params = types.CallToolRequestParams(name=name, arguments=dict(args), _meta=meta or None)
        request = types.CallToolRequest(params=params)
        answer: Any = None
        try:
            async with asyncio.timeout(self._timeout_s + GRACE_S):
                session = await link.session()
                answer = await session.send_request(request, _either(), request_read_timeout_seconds=self._timeout_s)
        except MCPError as error:
            self._failed(link, name, error)
        except TimeoutError:
            link.valve.close("took nothing in")
            self._failed(link, name, None)
        except ValueError:  # pydantic's: what came is no result of a tool
            raise Uncertain(f"{self.alias}.{name} answered with something that is no result") from None
        self._faults = 0
        link.served = True
        if isinstance(answer, types.InputRequiredResult):
            todo = "use another tool: a server may not ask the model or the user"
            raise ToolError(f"{self.alias}.{name} wanted to ask something back, which is refused", todo=todo)
        assert isinstance(answer, types.CallToolResult)
        return answer

    def _failed(self, link: Link, name: str, error: Any) -> None:
        """A call without an answer, in words. Two timeouts in a row end a server."""
        from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        if error is not None and error.code not in (CONNECTION_CLOSED, REQUEST_TIMEOUT) and not link.dead:
            text = str(self.clean(error.message))[:500]
            raise ToolError(f"{self.alias}.{name} refused the call: {text}") from None
        self._fault()
        if link.dead or error is None or error.code == CONNECTION_CLOSED:
            link.valve.close("hung up")
            raise Uncertain(
                f"{self.alias} {link.valve.why} before {name} answered; what the call did is not known",
                todo="the server is started again for the next call, and knows nothing of the earlier ones",
            ) from None
        if self._faults > 1:
            link.valve.close("did not answer twice")
        raise Uncertain(
            f"{self.alias}.{name} did not answer within {self._timeout_s:g} s; the call was cancelled, and what it did"
            " is not known",
            todo="ask for less, or use another tool",
        ) from None

    def _fault(self) -> None:
        self._faults += 1
        wait = REST_S if self._faults >= MAX_FAULTS else self._backoff_s * 2 ** (self._faults - 1)
        self._not_before = time.monotonic() + wait

    async def _linked(self) -> Link:
        """A connection whose tools were looked at. A restart that lost something is told once, by a refusal."""
        lost = False
        if self._link is not None and self._link.dead:
            await self._link.aclose()
            lost, why = self._link.served and not self._faults, self._link.valve.why
            self._link = None
        if self._link is None:
            link = await self._start()
            if lost:
                raise ToolError(
                    f"{self.alias} {why}; the server was restarted, and its state is gone",
                    todo="make the call again if it does not need what was there before",
                )
        elif self._link.valve.stale or time.monotonic() - self._link.checked > RECHECK_S:
            link = self._link
            await self._look(link, await asyncio.to_thread(self._source))
        else:
            link = self._link
        return link

    async def _start(self) -> Link:
        wait = self._not_before - time.monotonic()
        if wait > 0 and self._faults >= MAX_FAULTS:
            todo = f"use another tool; it is tried again in {wait:.0f} s"
            raise ToolError(f"{self.alias} failed {self._faults} times in a row", todo=todo)
        await asyncio.sleep(max(wait, 0.0))
        source = await asyncio.to_thread(self._source)
        known = [tool.source for tool in self._accepted.values()]
        if known and all(accepted != source for accepted in known):
            # a program that nobody accepted is not even started: it would get the secrets and the folders
            why = f"its command, its address or one of its files changed since it was accepted; {REVIEW}"
            self.quarantined |= dict.fromkeys(self._accepted, why)
            raise ToolError(f"{self.alias} is quarantined: {why}", todo="use another tool")
        link = self._link = Link(self._dial, max_bytes=self._max_bytes, timeout_s=self._timeout_s)
        try:
            await self._look(link, source)
        except BaseException:
            self._link = None
            await link.aclose()
            raise
        return link

    async def _look(self, link: Link, source: Mapping[str, Any]) -> None:
        """Hold what is offered against what was accepted."""
        now = await self._listing(link, source)
        self.quarantined = changed(self._accepted, now) | self.quarantined

    async def _listing(self, link: Link, source: Mapping[str, Any]) -> Listing:
        from mcp.shared.exceptions import MCPError

        try:
            async with asyncio.timeout(2 * self._timeout_s + GRACE_S):
                return take(await link.offered(), source, clean=self.clean)
        except ToolError as error:
            self._fault()
            raise ToolError(f"{self.alias}: {self.clean(error.what)}", todo=error.todo) from None
        except (MCPError, TimeoutError, ValueError) as error:
            self._fault()
            link.valve.close("did not say which tools it has")
            what = str(self.clean(str(error)))[:200] if isinstance(error, MCPError) else ""
            raise ToolError(f"{self.alias} {link.valve.why}{': ' + what if what else ''}") from None

    async def survey(self) -> Listing:
        """Start it and return what it offers now, accepted or not. For a person to review; it is closed after."""
        source = await asyncio.to_thread(self._source)
        link = Link(self._dial, max_bytes=self._max_bytes, timeout_s=self._timeout_s)
        try:
            return await self._listing(link, source)
        finally:
            await link.aclose()

    async def aclose(self) -> None:
        """Stop the server. A later call starts it again, in another event loop too."""
        link, self._link = self._link, None
        self._lock = asyncio.Lock()
        if link is not None:
            await link.aclose()


async def _negotiate(session: ClientSession) -> None:
    """2026-07-28 where the server has it, else the handshake of the versions before."""
    from mcp.shared.exceptions import MCPError

    try:
        await session.discover()
    except (MCPError, RuntimeError, ValueError):
        await session.initialize()


@cache
def _either() -> Any:
    import mcp_types as types
    from pydantic import TypeAdapter

    return TypeAdapter(types.CallToolResult | types.InputRequiredResult)


def _reason(error: BaseException) -> str:
    """The first cause of a group, in words for the operator."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ToolError):
        return f"could not be started: {error.what}"
    return f"could not be reached: {type(error).__name__}: {str(error)[:200]}".rstrip(": ")
