"""Any OpenAI-compatible server (Ollama, llama.cpp, vLLM, LM Studio) as the sink of one tier."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.values import JSON, Action, Outcome, Prompt
from ringfence.tracing import headers as traced

from . import answers
from .answers import Place, Unreachable
from .probe import TIMEOUT_S, Capabilities, ask_server

MAX_BYTES = 8 * 1024 * 1024  # of one answer
CONNECT_S = 5.0
MAX_WAIT_S = 30.0  # longest Retry-After that is waited for
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


class _TryAgain(Exception):
    """An answer that a later attempt may better; `error` is what to raise when there is none."""

    def __init__(self, error: BackendError, after_s: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after_s = after_s


class OpenAIChat:
    """Sends `action.prompt` to `/v1/chat/completions`; the outcome is `answers.outcome`.

    place      the server's base address, with or without `/v1`, and the names for errors
    key        the key's value, revealed at each call; raises BackendError where it is missing
    sampling   `temperature`, `top_p`: sent as they are
    timeout_s  for a whole answer; when it streams, between two pieces of it
    backoff_s  before the first retry; doubles, with jitter
    """

    def __init__(
        self,
        place: Place,
        *,
        key: Callable[[], str | None] = lambda: None,
        sampling: Mapping[str, float] | None = None,
        timeout_s: float = 120.0,
        retries: int = 2,
        backoff_s: float = 0.25,
    ) -> None:
        self.place = place
        self._base = URL(place.url.rstrip("/").removesuffix("/v1"))
        self._url = self._base / "v1/chat/completions"
        self._key = key
        self._timeout_s = timeout_s
        self._retries = retries
        self._backoff_s = backoff_s
        extra: dict[str, JSON] = {"cache_prompt": True} if place.provider in ("embedded", "llamacpp") else {}
        fixed = json.dumps({"model": place.model, **(sampling or {}), **extra}, separators=(",", ":")).encode()
        self._head = fixed[:-1] + b',"max_tokens":'
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    async def perform(self, action: Action) -> Outcome:
        """One completion; streams to `action.progress` when it is set.

        Raises BackendError (ContextOverflow if it does not fit the window). Retries connection faults, 429 and 5xx,
        but never once text was passed on.
        """
        prompt, progress = action.prompt, action.progress
        if prompt is None:
            raise InternalError(f"{action.sink} was given no prompt")
        body, headers = self._body(prompt, stream=progress is not None), self._headers()
        for attempt in range(self._retries + 1):
            try:
                if progress is None:
                    return await self._whole(body, headers)
                return await self._streamed(body, headers, progress)
            except _TryAgain as again:
                error, after_s = again.error, again.after_s
            if attempt == self._retries or (after_s or 0) > MAX_WAIT_S:
                raise error
            await asyncio.sleep(after_s if after_s is not None else self._wait_s(attempt))
        raise InternalError("no attempt was made")

    async def probe(self) -> Capabilities:
        """What the server really has; raises BackendError if it is absent."""
        return await ask_server(self._session(), self._base, self._headers(), self.place)

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
                timeout=aiohttp.ClientTimeout(total=min(TIMEOUT_S, self._timeout_s), connect=CONNECT_S),  # of a probe
                trust_env=False,  # the manifest names the server; a proxy of the environment would be another reader
            )
        return session

    def _headers(self) -> dict[str, str]:
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **traced()}
        return headers if key is None else {**headers, "Authorization": f"Bearer {key}"}

    def _body(self, prompt: Prompt, *, stream: bool) -> bytes:
        parts = [self._head, b"%d" % prompt.max_tokens]
        if stream:
            parts.append(b',"stream":true,"stream_options":{"include_usage":true}')
        if prompt.schema is not None:
            parts.append(
                b',"response_format":{"type":"json_schema","json_schema":{"name":"step","strict":true,"schema":'
            )
            parts += [prompt.schema, b"}}"]
        parts += [b',"messages":[', b",".join(prompt.messages), b"]}"]
        return b"".join(parts)

    async def _whole(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        timeout = aiohttp.ClientTimeout(total=self._timeout_s, connect=CONNECT_S)
        try:
            async with self._session().post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                data = await self._read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise self._fault(fault, spoken=False) from fault
        return answers.completed(self.place, answers.parse(self.place, data))

    async def _streamed(self, body: bytes, headers: Mapping[str, str], progress: Callable[[str], None]) -> Outcome:
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=self._timeout_s)
        text: list[str] = []
        finish: str | None = None
        last: dict[str, JSON] = {}
        try:
            async with self._session().post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status != 200 or response.content_type != "text/event-stream":
                    whole = answers.completed(self.place, answers.parse(self.place, await self._read(response)))
                    progress(whole.value["text"])  # a server that cannot stream
                    return whole
                async for event in self._events(response):
                    last = {"usage": event.get("usage") or last.get("usage"), "model": event.get("model")}
                    for choice in event.get("choices") or ():
                        finish = choice.get("finish_reason") or finish
                        if delta := (choice.get("delta") or {}).get("content"):
                            text.append(delta)
                            progress(delta)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise self._fault(fault, spoken=bool(text)) from fault
        if finish is None:
            raise self._unless_spoken(answers.hung_up(self.place, spoken=bool(text)))
        return answers.outcome(self.place, "".join(text), finish, last)

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
                if "error" in event:
                    raise answers.refused(self.place, 500, data)
                yield event

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body of a 200, bounded; raises for any other status."""
        size = response.content_length
        if size is not None and size <= MAX_BYTES:
            data = await response.read()
        else:
            data = b""
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise answers.too_long(self.place, MAX_BYTES)
        if response.status == 200:
            return data
        raise await self._refusal(response, data)

    async def _refusal(self, response: aiohttp.ClientResponse, data: bytes) -> Exception:
        status, key = response.status, self._key()
        if 300 <= status < 400:
            return answers.redirected(self.place, status, response.headers.get("Location", ""))
        if key:
            data = data.replace(key.encode(), b"***")  # some servers repeat the key that they refuse
        models: tuple[str, ...] = ()
        if status == 404:
            with contextlib.suppress(BackendError):
                models = (await self.probe()).models
        error = answers.refused(self.place, status, data, models=models)
        if status in _RETRIED and type(error) is BackendError:
            return _TryAgain(error, _retry_after_s(response.headers.get("Retry-After")))
        return error

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


def _retry_after_s(value: str | None) -> float | None:
    """RFC 9110 10.2.3, in its form of seconds; a date is taken as no word at all."""
    return float(value) if value is not None and value.strip().isdigit() else None
