"""One client's connection: bounded in time, size and number, whatever the client does.

uvicorn and httptools take a request that never ends, headers without end, and a reader that never reads. Here a
request arrives whole in `server.limits.request_s` or is refused (408), as are headers that are too many or too long
(431), and a client that leaves what it was sent unread for so long is dropped.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ringfence.manifest.server import Limits

HEAD_BYTES = 32 * 1024  # of a request's headers
URL_BYTES = 8 * 1024
HEADERS = 100
PIPELINED = 16  # requests that are sent before the first of them is answered
BYTES_PER_S = 64 * 1024  # at which the part of a body beyond `body_kb` has to arrive: files for a collection
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(subnets: Sequence[str]) -> tuple[Network, ...]:
    """Ranges of addresses as the manifest writes them."""
    return tuple(ipaddress.ip_network(subnet, strict=False) for subnet in subnets)


class Door:
    """How many connections are open, in all and of each address.

    trusted  proxies, which speak for many: they count in all, and not each
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.trusted: tuple[Network, ...] = ()
        self.closing = False  # each connection ends with its next answer
        self.open = 0
        self.each: Counter[str] = Counter()
        self._empty = asyncio.Event()

    def enter(self, address: str) -> bool:
        """Whether one more may come in, who then has to `leave`."""
        if self.open >= self.limits.connections:
            return False
        if self.each[address] >= self.limits.connections_each_address and not self._is_proxy(address):
            return False
        self.open += 1
        self.each[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One of them has gone."""
        self.open -= 1
        self.each[address] -= 1
        if not self.each[address]:
            del self.each[address]
        if not self.open:
            self._empty.set()

    async def empty(self, timeout_s: float) -> None:
        """Return when the last one has gone, or after so long."""
        if self.open:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), timeout_s)

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return address == ""  # a Unix socket, whose folder says who may use it
        return any(known in network for network in self.trusted)


class Refused(Exception):
    """A request that is not taken further than its headers."""

    def __init__(self, status: HTTPStatus, what: str) -> None:
        super().__init__(what)
        self.status = status


class Connection(HttpToolsProtocol):
    """A connection that came in by the door."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], *, door: Door, address: str
    ) -> None:
        """`address`: whose it is; they were let in, and leave when it ends."""
        super().__init__(config, server_state, app_state)
        self._door = door
        self._address = address
        self._inside = True
        self._early = b""
        self._head = self._body = 0  # bytes of the request that arrives
        self._raw = 0  # of them, those that the parser has taken in and told nothing of
        self._arrives = False
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins, after the handshake of its TLS."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (self._address, self.client[1])
        self._expect()
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, and so is what it held."""
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()
        self.leave()
        if self.transport is not None:
            super().connection_lost(exc)

    def leave(self) -> None:
        """Its place is free, which it never is before."""
        if self._inside:
            self._inside = False
            self._door.leave(self._address)

    def data_received(self, data: bytes) -> None:
        """Take in what has come."""
        if self.transport is None:  # TLS hands over what came with the end of its handshake
            self._early += data
            return
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if not self._arrives:
            self._expect()
        self._raw += len(data)
        try:
            self.parser.feed_data(data)
            if self._raw > HEAD_BYTES + URL_BYTES + len(data):
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a header is longer than {HEAD_BYTES} bytes")
        except httptools.HttpParserUpgrade:
            return  # nothing else is spoken here: it was answered as any request
        except Refused as error:
            self._answer(error.status, str(error))
        except httptools.HttpParserError as error:
            cause = error.__context__ or error.__cause__
            if isinstance(cause, Refused):
                self._answer(cause.status, str(cause))
            else:
                self._answer(HTTPStatus.BAD_REQUEST, "the request is not what RFC 9112 calls one")

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= PIPELINED:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many requests before an answer")
        super().on_message_begin()
        self._head = self._body = self._raw = 0
        self._expect()

    def on_url(self, url: bytes) -> None:
        """A part of what is asked for."""
        super().on_url(url)
        if len(self.url) > URL_BYTES:
            raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, f"the address is longer than {URL_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one behind a body that came in chunks."""
        self._head += len(name) + len(value) + 4
        if self._head > HEAD_BYTES or len(self.headers) >= HEADERS:
            what = f"the headers are more than {HEADERS} or longer than {HEAD_BYTES} bytes"
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, what)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All that says what is asked for is here."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):  # RFC 9112, 3.2
            raise Refused(HTTPStatus.BAD_REQUEST, "expected one Host header")
        if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in self.headers):
            raise Refused(HTTPStatus.BAD_REQUEST, "expected no Transfer-Encoding other than chunked")
        super().on_headers_complete()
        self._raw = 0
        if self._door.closing:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body += len(body)
        self._raw = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._arrives, self._raw = False, 0
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read: what waits for it is bounded, and so is how long."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self._door.limits.request_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _expect(self) -> None:
        """A request is to arrive whole from now on."""
        self._arrives = True
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(self._door.limits.request_s, self._too_late, self.loop.time())

    def _too_late(self, began: float) -> None:
        self._late = None
        if self.transport.is_closing():
            return
        beyond = self._body - self._door.limits.body_kb * 1024
        left = began + self._door.limits.request_s + max(0, beyond) / BYTES_PER_S - self.loop.time()
        if left > 0 or self.flow.read_paused:  # in time so far; or it is we who do not take it
            self._late = self.loop.call_later(max(left, 1.0), self._too_late, began)
            return
        self._answer(HTTPStatus.REQUEST_TIMEOUT, f"the request was not here in {self._door.limits.request_s:g} s")

    def _answer(self, status: HTTPStatus, what: str, *, retry_s: int = 0) -> None:
        """Say it, unless an answer is under way, and hang up."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value,
                               "code": status.name.lower().replace("_", "-"), "detail": what}).encode()  # fmt: skip
            retry = f"retry-after: {retry_s}\r\n" if retry_s else ""
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n".encode()
                + body
            )
        if self.cycle is not None and not self.cycle.response_complete:  # whoever reads the body stops waiting for it
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
        self.loop.call_later(5.0, self.transport.abort)  # whoever does not read this is not waited for


def refusal(status: HTTPStatus, what: str, *, retry_s: int = 0) -> bytes:
    """An answer to a request that never reaches the app, as a problem (RFC 9457)."""
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value,
                       "code": status.name.lower().replace("_", "-"), "detail": what}).encode()  # fmt: skip
    retry = f"retry-after: {retry_s}\r\n" if retry_s else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body


def plain_address(address: str) -> str:
    """An IPv4 address that came in over IPv6, as what it is."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return str(mapped or known)
