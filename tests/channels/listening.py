"""A listener at work in a thread of its own, around an app that does little, and clients on plain sockets."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from ringfence.channels.http import listen
from ringfence.manifest.server import Limits, Server

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
PIECE = b"data: " + b"x" * 8192 + b"\n\n"


@dataclass
class World:
    """What the app has seen: the requests that reached it, and how much of its endless stream was taken from it."""

    requests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    streamed: int = 0
    closed: threading.Event = field(default_factory=threading.Event)  # the endless stream has ended


def app_of(world: World) -> FastAPI:
    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/who")
    async def who(request: Request) -> dict[str, Any]:
        world.requests.append("/who")
        return {"client": request.client.host if request.client else "", "scheme": request.url.scheme}

    @app.post("/take")
    async def take(request: Request) -> dict[str, int]:
        world.requests.append("/take")
        body = await request.body()
        world.bodies.append(body)
        return {"bytes": len(body)}

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    world.streamed += len(PIECE)
                    yield PIECE
                    await asyncio.sleep(0)  # as whoever waits for news does
            finally:
                world.closed.set()

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return app


@dataclass
class At:
    """A listener: where it is, and what its app has seen."""

    host: str
    port: int
    world: World
    listener: listen.Listener

    def client(self, *, source: str = "", timeout_s: float = 30.0) -> socket.socket:
        """A connection."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(timeout_s)
        if source:
            made.bind((source, 0))
        made.connect((self.host, self.port))
        return made

    def emptied(self) -> None:
        """Return when nobody is inside: who was hung up on sees it a moment before their place is free."""
        until = time.monotonic() + 30.0
        while self.listener.door.open and time.monotonic() < until:
            time.sleep(0.005)
        assert not self.listener.door.open

    def say(self, *parts: bytes, source: str = "") -> bytes:
        """What comes back for these bytes until the server hangs up."""
        with self.client(source=source) as client:
            for part in parts:
                client.sendall(part)
            return everything(client)


def everything(client: socket.socket) -> bytes:
    """All that comes until the other end hangs up."""
    data = b""
    try:
        while part := client.recv(1 << 16):
            data += part
    except ConnectionResetError:
        pass
    return data


@contextmanager
def listening(
    *, loop: str = "uvloop", host: str = "127.0.0.1", tls: Path | None = None, keep_alive_s: int = 5,
    proxy: tuple[str, ...] = (), **limits: Any,
) -> Iterator[At]:  # fmt: skip
    """A listener with these limits."""
    given: dict[str, Any] = {"host": host, "port": 0, "limits": Limits(**limits)}
    if proxy:
        given["auth"] = {"proxy": {"trusted": proxy}}
    if tls is not None:
        given["tls"] = {"cert": tls / "cert.pem", "key": tls / "key.pem"}
    server, world = Server.model_validate(given), World()
    sockets, started, made = listen.bind(server), threading.Event(), list[listen.Listener]()

    async def work() -> None:
        context = listen.tls_of(server, Path())
        listener = listen.Listener(app_of(world), server, context, sockets, keep_alive_s=keep_alive_s)
        listener.on_start = started.set
        made.append(listener)
        await listener.serve()

    def run() -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(work())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(10)
        yield At(host, sockets[0].getsockname()[1], world, made[0])
    finally:
        made[0].force_exit = made[0].should_exit = True
        thread.join()
        for one in sockets:
            one.close()


def certificate(folder: Path, *, key_of: Path | None = None) -> Path:
    """A certificate for this machine and its key, in `folder`; with `key_of`, somebody else's key beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(own if key_of is None else (key_of / "key.pem").read_bytes())
    return folder


def trusting(folder: Path, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    """A client's TLS that trusts that certificate alone."""
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    for name, version in versions.items():
        setattr(context, name, version)
    return context
