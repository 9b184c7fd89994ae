"""Syslog: messages of RFC 5424 over TLS (RFC 5425), TCP (RFC 6587, octet counting) and UDP (RFC 5426)."""

from __future__ import annotations

import contextlib
import fcntl
import re
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..core.chain import Kind
from .delivery import Undelivered, untrusted
from .events import Event
from .formats import Encoder, instant

Frame = Callable[[Event], bytes]

AUDIT = 13  # RFC 5424 table 1: log audit
ENTERPRISE = 32473  # RFC 5612: the number for examples; a site with its own names it
_BOM = b"\xef\xbb\xbf"
_SIOCOUTQ = 0x5411  # Linux: bytes that the other side has not acknowledged
_DATAGRAM_BYTES = 65_000
_SETTLE_MS = 2
_CLOSE_S = 3.0


def severity(event: Event) -> int:
    """RFC 5424 table 2: 3 error, 4 warning, 5 notice, 6 informational."""
    if event.copied:
        return 6
    match event.head["kind"]:
        case Kind.CHECKPOINT if event.uncertain:
            return 3
        case Kind.DECISION:
            return 5 if event.text("verdict") == "ask" else 4
        case Kind.APPROVAL:
            return 5
        case Kind.OUTCOME:
            return 4 if event.view.get("ok") is False else 6
        case Kind.FINISHED:
            return 4 if event.text("status") == "failed" else 6
        case _:
            return 6


def message(event: Event, encode: Encoder, *, hostname: str, enterprise: int = ENTERPRISE) -> bytes:
    """One message: what a rule of a receiver looks at as structured data, and the encoded event as its text.

    `meta sequenceId` (RFC 5424 7.3.1) is the place in the log plus one, so that a receiver sees what it has not got.
    """
    head = event.head
    facts = {
        "log": head["log"], "index": event.index, "leaf": event.leaf, "run": head["run"], "seq": head["seq"],
        "principal": head["principal"], "trace": event.trace, "sink": event.sink, "verdict": event.text("verdict"),
        "rule": event.text("rule"), "code": event.text("code"), "status": event.text("status"),
    }  # fmt: skip
    pairs = "".join(f' {name}="{_escaped(str(value))}"' for name, value in facts.items() if value != "")
    data = f'[ringfence@{enterprise}{pairs}][meta sequenceId="{event.index % (2**31 - 1) + 1}"]'
    when = instant(int(head["time"]))
    stamp = when if when.endswith("Z") else "-"
    lead = f"<{AUDIT * 8 + severity(event)}>1 {stamp} {hostname} ringfence - {_name(str(head['kind']), 32)} {data} "
    text = encode(event)
    return lead.encode("utf-8", "replace") + (b"" if text.isascii() else _BOM) + text  # RFC 5424 6.4


def counted(data: bytes) -> bytes:
    """RFC 5425 4.3, RFC 6587 3.4.1: the length in octets, a space, the message."""
    return b"%d %s" % (len(data), data)


def hostname() -> str:
    """This machine's name as RFC 5424 6.2.4 takes it."""
    return _name(socket.gethostname(), 255)


@dataclass
class Stream:
    """A receiver on a stream. The protocol has no acknowledgement (RFC 5425 4.1), so the next best thing is waited for:
    that the other side's kernel has acknowledged every byte (Linux), and at the end that the other side has answered
    our closing of the connection, which it can do only after it has read everything before it.

    settles  False: what was sent may be lost with the connection, and the last of it is sent again after a loss
    """

    host: str
    port: int
    frame: Frame
    tls: ssl.SSLContext | None = None
    timeout_s: float = 10.0
    settles: bool = False
    _socket: socket.socket | None = field(default=None, repr=False)

    def send(self, events: Sequence[Event]) -> None:
        """Return when the other side's machine has the bytes. Raises Undelivered, and Final for a certificate."""
        try:
            if self._socket is None:
                self._socket = self._connect()
            self._refuse_a_closed_one(self._socket)
            self._socket.sendall(b"".join(counted(self.frame(event)) for event in events))
            self._settle(self._socket)
        except ssl.SSLCertVerificationError as error:
            self._drop()
            raise untrusted(self.host, error) from error
        except OSError as error:
            self._drop()
            raise Undelivered(f"{self.host}:{self.port}: {error.strerror or error}") from error

    def check(self) -> None:
        """Raises Undelivered if the other side has closed the connection since."""
        try:
            if self._socket is not None:
                self._refuse_a_closed_one(self._socket)
        except OSError as error:
            self._drop()
            raise Undelivered(f"{self.host}:{self.port}: {error.strerror or error}") from error

    def close(self) -> bool:
        """End the connection in order; whether the other side has confirmed that it read to the end."""
        if self._socket is None:
            return True
        try:
            self._socket.settimeout(min(self.timeout_s, _CLOSE_S))
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()  # RFC 5425 4.4: close_notify, and the other side's
            else:
                self._socket.shutdown(socket.SHUT_WR)
                while self._socket.recv(4096):
                    continue
        except (OSError, ValueError):
            return False
        finally:
            self._drop()
        return True

    def _connect(self) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout=self.timeout_s)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self.tls is None:
            return plain
        try:
            return self.tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def _refuse_a_closed_one(self, connection: socket.socket) -> None:
        """A receiver says nothing: what can be read is the end of the connection."""
        connection.setblocking(False)
        try:
            if not connection.recv(4096):
                raise ConnectionResetError("the other side has closed the connection")
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            connection.settimeout(self.timeout_s)

    def _settle(self, connection: socket.socket) -> None:
        if not sys.platform.startswith("linux"):
            return
        until, ended = time.monotonic() + self.timeout_s, select.poll()
        ended.register(connection, select.POLLRDHUP)
        while struct.unpack("i", fcntl.ioctl(connection.fileno(), _SIOCOUTQ, b"\0" * 4))[0]:
            if ended.poll(_SETTLE_MS):
                raise ConnectionResetError("the other side has closed the connection")
            if time.monotonic() > until:
                raise TimeoutError("the other side does not take what is sent")

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


@dataclass
class Datagrams:
    """A receiver on UDP: nothing tells whether anything arrives. A message that fits no datagram goes without text."""

    host: str
    port: int
    frame: Frame
    bare: Frame
    settles: bool = True
    _socket: socket.socket | None = field(default=None, repr=False)

    def send(self, events: Sequence[Event]) -> None:
        """Hand them to the network."""
        try:
            if self._socket is None:
                found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
                family, kind, protocol, _, address = found[0]
                self._socket = socket.socket(family, kind, protocol)
                self._socket.connect(address)
            for event in events:
                data = self.frame(event)
                self._socket.send(data if len(data) <= _DATAGRAM_BYTES else self.bare(event))
        except OSError as error:
            self.close()
            raise Undelivered(f"{self.host}:{self.port}: {error.strerror or error}") from error

    def check(self) -> None:
        """Nothing tells."""

    def close(self) -> bool:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        return True


def _escaped(text: str) -> str:
    """RFC 5424 6.3.3: quotation marks, backslashes and closing brackets; control characters as JSON writes them."""
    text = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", text)
    return re.sub(r'(["\\\]])', r"\\\1", text)


def _name(text: str, limit: int) -> str:
    """Printable US-ASCII without spaces, as RFC 5424 wants names; `-` for nothing."""
    return re.sub(r"[^\x21-\x7e]", "_", text)[:limit] or "-"
