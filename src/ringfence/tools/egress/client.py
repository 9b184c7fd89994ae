"""Our own requests: checked, to pinned addresses, bounded both ways, and nothing of a secret in what comes back."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from ringfence.core.errors import ToolError

from .names import Refused, Target
from .policy import Egress, Passage
from .secrets import Sealed, sealed

AGENT = "ringfence"


class Broken(ToolError):
    """The request may have left, and its answer did not come, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. `body` is decompressed; `cut`: there was more than the bounds let in."""

    target: Target
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool

    def header(self, name: str) -> str:
        """The first of this name, which is given in lower case; empty if there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


class _Pinned(AbstractResolver):
    """Answers with the addresses that were checked, whatever it is asked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


class Inflater:
    """Undoes gzip, of which no more than `room` bytes come out."""

    def __init__(self, encoding: str, room: int) -> None:
        if encoding.lower() not in ("", "identity", "gzip", "x-gzip"):
            raise Broken("the answer is compressed in a way that was not asked for")
        self._stream = zlib.decompressobj(31) if "gzip" in encoding.lower() else None
        self._room = room
        self.whole = True  # so far: no member of the stream is half read
        self.full = False

    def feed(self, data: bytes) -> bytes:
        """What comes out of the next bytes; `full` once there is no room for more."""
        out = bytearray()
        try:
            while data and not self.full:
                piece, data = self._step(data)
                out += piece
                self._room -= len(piece)
        except zlib.error:
            raise Broken("the answer's compression is broken") from None
        return bytes(out)

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        piece = data if self._stream is None else self._stream.decompress(data, self._room + 1)
        if len(piece) > self._room:
            self.full = True
            return piece[: self._room], b""
        if self._stream is None:
            return piece, b""
        self.whole = self._stream.eof
        if self._stream.eof:  # a gzip file may have several members (RFC 1952 2.2)
            rest, self._stream = self._stream.unused_data, zlib.decompressobj(31)
            return piece, rest
        return piece, self._stream.unconsumed_tail


async def send(
    egress: Egress,
    method: str,
    url: str | Target,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    run: str = "",
) -> Reply:
    """One request and its answer; redirects are not followed. Time is the caller's to bound.

    Raises Refused if it is not let out, ToolError if the server cannot be reached, Broken if nothing that can be
    read comes back from there.
    """

    def read() -> Target:
        return url if isinstance(url, Target) else Target.parse(url)

    async with egress.attempt(method, read, run=run) as passage:
        target = read()
        if len(body) > egress.bounds.sent:
            raise Refused("bytes", f"the body is larger than {egress.bounds.sent} bytes", todo="send less")
        added = sealed(passage.entry, target)
        said = CIMultiDict(headers or {})
        said.update(added.headers)  # whatever else was said under these names, in whatever case
        try:
            return await _exchange(egress, passage, method, target, said, added, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as fault:
            raise ToolError(f"{target.authority} {_fault(fault)}", todo="try another source, or later") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as fault:
            raise Broken(f"{target.authority} {_fault(fault)}", todo="try another source, or later") from None


async def _exchange(
    egress: Egress,
    passage: Passage,
    method: str,
    target: Target,
    headers: Mapping[str, str],
    added: Sealed,
    body: bytes,
) -> Reply:
    connector = aiohttp.TCPConnector(
        resolver=_Pinned(passage.addresses),
        use_dns_cache=False,
        force_close=True,
        ssl=egress.tls if egress.tls is not None else True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": AGENT, "Accept-Encoding": "gzip"},
        skip_auto_headers=("Content-Type",),
        auto_decompress=False,  # we bound what comes out
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=egress.bounds.connect_s),
        trust_env=False,  # no proxy and no password of the environment
    ) as session:
        passage.sent = len(target.path) + len(target.query) + len(body)
        url = URL(target.url, encoded=True)
        async with session.request(method, url, headers=headers, data=body or None, allow_redirects=False) as response:
            content, cut = await _content(response, passage, egress.bounds.received)
            if cut and added.longest:  # the cut may have gone through a secret
                content = content[: -added.longest]
            pairs = tuple((_blotted(added, name), _blotted(added, value)) for name, value in response.headers.items())
            return Reply(target, response.status, pairs, added.blot(content), cut)


async def _content(response: aiohttp.ClientResponse, passage: Passage, room: int) -> tuple[bytes, bool]:
    """The body, decompressed, and whether there was more than `room`."""
    inflater, body = Inflater(response.headers.get("Content-Encoding", ""), room), bytearray()
    async for chunk in response.content.iter_any():
        passage.received += len(chunk)
        body += inflater.feed(chunk)
        if inflater.full or passage.received > room:
            return bytes(body), True
    return bytes(body), not inflater.whole


def _blotted(added: Sealed, text: str) -> str:
    return added.blot(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def _fault(fault: Exception) -> str:
    """What went wrong on the way, in words; the library's own may hold the request."""
    match fault:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return "shows a certificate that is not trusted"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "does not speak TLS"
        case TimeoutError():
            return "did not answer in time"
        case aiohttp.ClientConnectorError() | ConnectionError():
            return "cannot be reached"
        case _:
            return f"broke off ({type(fault).__name__})"
