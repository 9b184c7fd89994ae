"""What comes to the proxy, read strictly: the head of a request (RFC 9112) and the start of TLS (RFC 8446 4.1.2).

A request that two parsers could read in two ways is refused: that is what smuggling lives on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .names import Refused, Target

MAX_HEAD = 16 * 1024  # bytes of a request's head
MAX_HELLO = 16 * 1024  # bytes of a ClientHello
MAX_RECORDS = 8  # that it is spread over

_START = re.compile(rb"([A-Z]{3,7}) ([!-~]+) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~]*)")
_LENGTH = re.compile(r"[0-9]{1,10}")
_SINGLE = ("host", "content-length", "content-type", "authorization", "connection")
_REFUSED = (
    "transfer-encoding", "upgrade", "expect", "http2-settings", "trailer",
    "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url",
)  # fmt: skip
_OURS = frozenset(
    {"host", "connection", "content-length", "keep-alive", "te", "accept-encoding", "proxy-connection"}
    | {"proxy-authorization", "proxy-authenticate"}
)


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head. `headers` are those to send on; the hop's own and those that we set are left out."""

    method: str
    target: Target
    headers: dict[str, str]
    length: int


def read_head(data: bytes) -> Head:
    """The head of a request to a proxy, its empty line included.

    A tunnel (`CONNECT host:port`) or an absolute `http://` URL, a `Host` that agrees, a body of stated length.
    Raises Refused.
    """
    first, *rest = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    start = _START.fullmatch(first)
    if start is None:
        raise Refused("request", "the first line is no HTTP/1.1 request line")
    method, text = start[1].decode(), start[2].decode()
    fields = _fields(rest)
    tunnel = method == "CONNECT"
    target = Target.authority_of(text) if tunnel else Target.parse(text)
    if not tunnel and (target.scheme != "http" or "#" in text):
        raise Refused("request", "a proxy is asked for http:// without a fragment, or to CONNECT")
    _agree(target, fields)
    length = fields.get("content-length", "0")
    if not _LENGTH.fullmatch(length) or (tunnel and "content-length" in fields):
        raise Refused("request", "Content-Length is no plain number")
    named = {name.strip().lower() for name in fields.get("connection", "").split(",")}
    return Head(method, target, {k: v for k, v in fields.items() if k not in _OURS | named}, int(length))


def _fields(lines: list[bytes]) -> dict[str, str]:
    """The fields by their names in lower case; repeated ones joined (RFC 9110 5.3) where that may be."""
    fields: dict[str, str] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Refused("request", "a header line is none: folded, without a name, or with control characters")
        name, value = match[1].decode().lower(), match[2].decode().strip(" \t")
        if name in _REFUSED:
            raise Refused("request", f"{name} is not passed on", todo="send one plain request with Content-Length")
        if name in fields and name in _SINGLE:
            raise Refused("request", f"{name} is given twice")
        between = "; " if name == "cookie" else ", "
        fields[name] = f"{fields[name]}{between}{value}" if name in fields else value
    return fields


def _agree(target: Target, fields: dict[str, str]) -> None:
    said = fields.get("host")
    if said is None:
        raise Refused("request", "Host is missing")
    default = target.port if target.port in (80, 443) else None
    host = Target.authority_of(said, target.scheme, default=default)
    if (host.host, host.port) != (target.host, target.port):
        raise Refused("request", f"Host says {said!r:.100}, the target {target.authority}")


class NotYet(Exception):
    """More bytes are needed."""


def server_name(data: bytes) -> str | None:
    """The name (SNI, RFC 6066 3) that a TLS ClientHello asks for, None if it names none.

    `data` is the start of a stream; the hello may be spread over records. Raises NotYet, or Refused for what is no
    ClientHello, for two names, and for an encrypted hello (RFC 9849), whose true name is hidden from us.
    """
    hello = _Reader(_handshake(data))
    try:
        hello.take(2 + 32)  # version, random
        hello.vector(1)  # session id
        hello.vector(2)  # cipher suites
        hello.vector(1)  # compression methods
        extensions = _Reader(hello.vector(2)) if hello.left else _Reader(b"")
        names = [name for kind, body in _extensions(extensions) for name in _named(kind, body)]
    except IndexError:
        raise Refused("tls", "the ClientHello is malformed") from None
    if len(names) > 1:
        raise Refused("tls", "the ClientHello asks for more than one name")
    return names[0] if names else None


def _handshake(data: bytes) -> bytes:
    """The body of the first handshake message, which has to be a ClientHello, out of its records."""
    message = b""
    for _ in range(MAX_RECORDS):
        if data and data[0] != 22:
            raise Refused("tls", "what goes through a tunnel has to be TLS", todo="ask for http:// without a tunnel")
        size = int.from_bytes(data[3:5], "big")
        if len(data) >= 5 and (data[1] != 3 or not 0 < size <= 2**14):
            raise Refused("tls", "the first TLS record is malformed")
        if len(data) < 5 or len(data) < 5 + size:
            raise NotYet
        message, data = message + data[5 : 5 + size], data[5 + size :]
        length = int.from_bytes(message[1:4], "big")
        if message[0] != 1:
            break
        if len(message) >= 4 + length and length:
            return message[4 : 4 + length]
    raise Refused("tls", f"TLS has to begin with a ClientHello, in {MAX_RECORDS} records at most")


def _extensions(reader: _Reader) -> Iterator[tuple[int, bytes]]:
    while reader.left:
        yield int.from_bytes(reader.take(2), "big"), reader.vector(2)


def _named(kind: int, body: bytes) -> Iterator[str]:
    if kind == 0xFE0D:
        raise Refused("tls", "the ClientHello is encrypted: who is asked for cannot be seen", todo="turn ECH off")
    if kind == 0:
        names = _Reader(_Reader(body).vector(2))
        while names.left:
            if names.take(1) != b"\0":
                raise Refused("tls", "the ClientHello asks for a name of an unknown kind")
            yield names.vector(2).decode("latin-1")


class _Reader:
    """Takes bytes off the front; IndexError when there are too few."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        if len(self.left) < count:
            raise IndexError(count)
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def vector(self, width: int) -> bytes:
        """A length in `width` bytes, and so many bytes."""
        return self.take(int.from_bytes(self.take(width), "big"))
