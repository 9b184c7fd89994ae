"""Servers on loopback, names that resolve as a test says, and a record of attempts."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringfence.manifest.tools import Host
from ringfence.tools.egress import Attempt, Bounds, Egress, Proxy

LOOPBACK = "127.0.0.1"
QUICK = Bounds(connect_s=5, head_s=5, answer_s=5, idle_s=5)


@dataclass
class Names:
    """A resolver: the answers of each name in turn, the last one again and again."""

    answers: dict[str, list[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        known = self.answers.get(host)
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known.pop(0) if len(known) > 1 else known[0]


def names(**answers: str | list[str]) -> Names:
    """`names(docs_test="127.0.0.1")` resolves docs.test; a list is what it answers in turn."""
    turns = {key: [given] if isinstance(given, str) else given for key, given in answers.items()}
    return Names({key.replace("_", "."): [[a] for a in given] for key, given in turns.items()})


@dataclass
class Way:
    """An `Egress` and what it recorded."""

    egress: Egress
    attempts: list[Attempt]
    told_more: asyncio.Event

    async def until(self, count: int) -> list[Attempt]:
        """The lines, as soon as there are so many."""
        async with asyncio.timeout(60):
            while len(self.attempts) < count:
                self.told_more.clear()
                await self.told_more.wait()
        return self.attempts

    @property
    def told(self) -> list[tuple[str, str]]:
        """(state, the code of why) of each line."""
        return [(line.state, line.why.partition(":")[0]) for line in self.attempts]


def way(*hosts: Host, resolve: Any = None, bounds: Bounds = QUICK, tls: ssl.SSLContext | None = None) -> Way:
    """A way out to these hosts, where every name is unknown unless `resolve` knows it."""
    attempts: list[Attempt] = []
    more = asyncio.Event()

    def record(line: Attempt) -> None:
        attempts.append(line)
        more.set()

    return Way(Egress(hosts, record, resolve=resolve or Names({}), bounds=bounds, tls=tls), attempts, more)


def here(port: int, host: str = LOOPBACK, **more: Any) -> Host:
    """A host of the manifest on this machine."""
    return Host(host=host, port=port, private=True, **more)


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A server on loopback. `heard`: what each connection said, up to the end of its head and body."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # what TLS clients asked for

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@asynccontextmanager
async def serving(answer: bytes | Handle, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer every request with these bytes and hang up, or let `answer` do as it likes."""
    server, busy = Server(), set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.add(task)
        try:
            if callable(answer):
                await answer(reader, writer)
            else:
                server.heard.append(await heard(reader))
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            busy.discard(task)
            writer.close()

    if tls is not None:
        tls.sni_callback = lambda _, name, __: server.names.append(name)
    listener = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One request: its head, and a body of stated length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def answer(body: bytes = b"", status: int = 200, kind: str = "text/plain", **headers: str) -> bytes:
    """A response that ends with its connection. `content_encoding="gzip"` is a header."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def proxying(way: Way) -> AsyncIterator[int]:
    """The port of a proxy on loopback, as a job would see it inside."""
    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    async with Proxy(way.egress, run="r1") as proxy:
        proxy(listener)
        yield port


async def say(port: int, *pieces: bytes) -> bytes:
    """Say something to a port and return all that comes back, until it hangs up."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def certificate(folder: Path, *hosts: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(of a server, of a client that trusts it): self-signed, for these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName(h) if h[-1].isalpha() else x509.IPAddress(ip_address(h)) for h in hosts]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, secret)
    return server, ssl.create_default_context(cafile=str(chain))
