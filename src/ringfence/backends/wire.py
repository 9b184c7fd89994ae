"""HTTP to one model server: connections, bounded reads, retries, precise faults. A redirect is never followed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.values import JSON, Outcome
from ringfence.tracing import headers as traced

from . import answers
from .answers import Place, Refused, Unreachable

MAX_BYTES = 8 * 1024 * 1024  # of one answer
LOOK_S = 10.0  # of one question about the server, at most
CONNECT_S = 5.0
MAX_WAIT_S = 30.0  # longest Retry-After that is waited for
_TELLING = 12  # characters of a key that no answer holds by chance
_LOOK_BYTES = 4 * 1024 * 1024
_RETRIED = frozenset({408, 429, 500, 502, 503, 504, 529})  # 529: Anthropic's word for overloaded


class Answer(Protocol):
    """How one answer is read: whole, or event by event. Each attempt has a new one."""

    @property
    def streams(self) -> bool:
        """Whether it was asked for in pieces."""
        ...

    @property
    def spoken(self) -> bool:
        """Whether any of it was passed on, so that it cannot be asked for again."""
        ...

    def whole(self, body: JSON) -> Outcome:
        """The outcome of an answer that came at once."""
        ...

    def event(self, event: JSON) -> bool:
        """Take one event of a stream; False when no more is wanted."""
        ...

    def end(self) -> Outcome | None:
        """The outcome of the events; None if the last of them is missing."""
        ...


class _TryAgain(Exception):
    """An answer that a later attempt may better; `error` is what to raise when there is none."""

    def __init__(self, error: BackendError, after_s: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after_s = after_s


class Wire:
    """place      the server, and its names for errors
    key        the key's value, revealed at each call; raises BackendError where it is missing
    headers    what carries that key
    timeout_s  for a whole answer; when it streams, between two pieces of it
    backoff_s  before the first retry; doubles, with jitter
    models     asked which models there are, when the server does not know ours
    """

    def __init__(
        self,
        place: Place,
        *,
        key: Callable[[], str | None],
        headers: Callable[[str], Mapping[str, str]],
        timeout_s: float,
        retries: int,
        backoff_s: float,
        models: Callable[[], Awaitable[tuple[str, ...]]],
    ) -> None:
        self.place = place
        self.base = URL(place.url.rstrip("/").removesuffix("/v1"))
        self._key = key
        self._with_key = headers
        self._timeout_s = timeout_s
        self._retries = retries
        self._backoff_s = backoff_s
        self._models = models
        self._whole = aiohttp.ClientTimeout(total=timeout_s, connect=CONNECT_S)
        self._pieces = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=timeout_s)
        self._urls: dict[str, URL] = {}  # of our own few paths: to join one takes longer than to look it up
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    def hasty(self, timeout_s: float) -> Wire:
        """The same server, waited for no longer, and asked again once: it may close a connection after use."""
        return Wire(
            self.place,
            key=self._key,
            headers=self._with_key,
            timeout_s=min(timeout_s, self._timeout_s),
            retries=1,
            backoff_s=0.05,
            models=self._models,
        )

    async def ask(self, path: str, body: bytes, make: Callable[[], Answer]) -> Outcome:
        """Post one request for a completion; raises BackendError.

        Connection faults, 429 and 5xx are retried, but never once text was passed on.
        """
        headers = self.headers()
        if (url := self._urls.get(path)) is None:
            url = self._urls[path] = self.base / path
        for attempt in range(self._retries + 1):
            try:
                return await self._post(url, body, headers, make())
            except _TryAgain as again:
                error, after_s = again.error, again.after_s
            if attempt == self._retries or (after_s or 0) > MAX_WAIT_S:
                raise error
            await asyncio.sleep(after_s if after_s is not None else self._wait_s(attempt))
        raise InternalError("no attempt was made")

    async def look(self, path: str, send: JSON = None, *, timeout_s: float | None = None) -> tuple[int, JSON]:
        """Ask something about the server: (status, the JSON object that came or None). Raises BackendError."""
        limit = aiohttp.ClientTimeout(total=timeout_s or min(LOOK_S, self._timeout_s), connect=CONNECT_S)
        try:
            async with self._session().request(
                "GET" if send is None else "POST",
                self.base / path,
                json=send,
                headers=self.headers(),
                timeout=limit,
                allow_redirects=False,
            ) as response:
                if 300 <= response.status < 400:
                    raise answers.redirected(self.place, response.status, response.headers.get("Location", ""))
                data = await _bounded(response, self.place, _LOOK_BYTES)
                if response.status != 200:
                    data = self._masked(data)
        except aiohttp.ClientConnectorError as fault:
            raise answers.absent(self.place, fault.strerror or fault) from fault
        except TimeoutError as fault:
            raise answers.too_slow(self.place, limit.total or 0) from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise answers.absent(self.place, fault) from fault
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            return response.status, None
        return response.status, body if isinstance(body, dict) else None

    def headers(self) -> dict[str, str]:
        """Of each request; reveals the key."""
        key = self._key()
        fixed = {"Content-Type": "application/json", "Accept-Encoding": "identity", **traced()}
        return fixed if key is None else {**fixed, **self._with_key(key)}

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _wait_s(self, attempt: int) -> float:
        wait_s: float = min(MAX_WAIT_S, self._backoff_s * 2**attempt) * random.uniform(0.5, 1.0)
        return wait_s

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # nothing compressed is asked for, so nothing can swell
                trust_env=False,  # the manifest names the server; a proxy of the environment would be another reader
            )
        return session

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str], answer: Answer) -> Outcome:
        limit = self._pieces if answer.streams else self._whole
        try:
            async with self._session().post(
                url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                if not answer.streams or response.status != 200 or response.content_type != "text/event-stream":
                    return answer.whole(answers.parse(self.place, await self._read(response)))
                async for event in self._events(response):
                    if not answer.event(event):
                        break
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise self._fault(fault, spoken=answer.spoken) from fault
        outcome = answer.end()
        if outcome is None:
            raise self._unless_spoken(answers.hung_up(self.place, spoken=answer.spoken))
        return outcome

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, JSON]]:
        """The `data:` objects of a server-sent event stream (WHATWG HTML 9.2), up to `[DONE]`."""
        rest, total = b"", 0
        async for chunk in response.content.iter_any():
            total += len(chunk)
            if total > MAX_BYTES:
                raise answers.too_long(self.place, MAX_BYTES)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if not line.startswith(b"data:"):
                    continue
                data = line[5:].strip()
                if data == b"[DONE]":
                    return
                event = answers.parse(self.place, data)
                if event.get("error"):
                    raise answers.refused(self.place, 500, self._masked(data))
                yield event

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body of a 200, bounded; raises for any other status."""
        data = await _bounded(response, self.place, MAX_BYTES)
        if response.status == 200:
            return self._masked(
                data, least=_TELLING
            )  # an error may come as 200; a short key may be a word of an answer
        raise await self._refusal(response, data)

    async def _refusal(self, response: aiohttp.ClientResponse, data: bytes) -> Exception:
        status = response.status
        if 300 <= status < 400:
            return answers.redirected(self.place, status, response.headers.get("Location", ""))
        data = self._masked(data)
        models: tuple[str, ...] = ()
        if status == 404:
            with contextlib.suppress(BackendError):
                models = await self._models()
        error = answers.refused(self.place, status, data, models=models)
        if status in _RETRIED and isinstance(error, Refused):
            return _TryAgain(error, _retry_after_s(response.headers.get("Retry-After")))
        return error

    def _masked(self, data: bytes, *, least: int = 1) -> bytes:
        """A server's complaint without our key, which some repeat; `least`: characters of a key that is looked for."""
        key = (self._key() or "").encode()
        return data.replace(key, b"***") if len(key) >= least else data

    def _fault(self, fault: Exception, *, spoken: bool) -> Exception:
        """What to raise for what went wrong on the wire."""
        match fault:
            case aiohttp.ConnectionTimeoutError():
                return self._unless_spoken(answers.absent(self.place, f"no connection within {CONNECT_S:g} s"))
            case TimeoutError():
                return answers.too_slow(self.place, self._timeout_s)
            case aiohttp.ClientConnectorError():
                return self._unless_spoken(answers.absent(self.place, fault.strerror or fault))
            case _:
                return self._unless_spoken(answers.hung_up(self.place, spoken=spoken))

    def _unless_spoken(self, error: Unreachable) -> Exception:
        return error if error.spoken else _TryAgain(error)


async def _bounded(response: aiohttp.ClientResponse, place: Place, limit: int) -> bytes:
    size = response.content_length
    if size is not None and size <= limit:
        return await response.read()
    pieces, total = [], 0
    async for chunk in response.content.iter_any():
        pieces.append(chunk)
        total += len(chunk)
        if total > limit:
            raise answers.too_long(place, limit)
    return b"".join(pieces)


def _retry_after_s(value: str | None) -> float | None:
    """RFC 9110 10.2.3, in its form of seconds; a date is taken as no word at all."""
    return float(value) if value is not None and value.strip().isdigit() else None
