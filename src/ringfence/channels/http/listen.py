"""Where the server listens: sockets, TLS, and uvicorn around the app with bounds of our own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from ringfence.core.errors import InternalError, ManifestError
from ringfence.manifest.server import Server

from .connection import Connection, Door, networks, plain_address, refusal

KEEP_ALIVE_S = 15
LAST_ANSWERS_S = 5.0  # for those under way when the server stops
BACKLOG = 2048
SEND_BYTES = 256 * 1024  # of the kernel's buffer for a client that reads slowly
_AT_ONCE = 64  # connections that are accepted, or sent away, before somebody else gets a turn
_PAUSE_S = 1.0
_NO_ROOM = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many connections", retry_s=1)
_SPARE = 256  # files and sockets of our own, beside connections
_log = logging.getLogger("ringfence")
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all fine


def bind(server: Server) -> list[socket.socket]:
    """The sockets to listen on. Raises ManifestError: the port is in use, the address is not of this machine."""
    host, port = server.host, server.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ManifestError(
            f"server.host: {host} is no address of this machine: {error.strerror}", todo="name one, such as 127.0.0.1"
        ) from None
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made.append(_listening(family, kind, protocol, (address[0], port or _port(made), *address[2:])))
    except OSError as error:
        for one in made:
            one.close()
        raise _in_words(error, host, port) from None
    return made


def _listening(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    one = socket.socket(family, kind, protocol)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)  # accepted ones inherit it
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != "::")
        one.bind(address)
        one.listen(BACKLOG)
        one.setblocking(False)
    except BaseException:
        one.close()
        raise
    return one


def _port(made: Sequence[socket.socket]) -> int:
    """The port of the first of them: all addresses of a host have one."""
    return int(made[0].getsockname()[1]) if made else 0


def _in_words(error: OSError, host: str, port: int) -> ManifestError:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return ManifestError(
                f"port {port} is in use: something listens on {where} already",
                todo="see `ringfence status`, stop what is there, or take another: --port 0 finds a free one",
            )
        case errno.EACCES:
            return ManifestError(
                f"port {port} may not be bound by this user", todo="take one from 1024 on, or let a proxy do it"
            )
        case _:
            return ManifestError(
                f"{where} cannot be listened on: {error.strerror}", todo="name an address of this machine: --host"
            )


def url_of(server: Server, sockets: Sequence[socket.socket]) -> str:
    """What a person on this machine writes in their browser."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if server.tls else 'http'}://{host}:{_port(sockets)}"


def tls_of(server: Server, root: Path) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with forward secrecy. Raises ManifestError for a certificate that cannot be used."""
    if (paths := server.paths(root)) is None:
        return None
    cert, key = paths
    for which, path in (("cert", cert), ("key", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ManifestError(
                f"server.tls.{which}: {path} cannot be read: {error.strerror}", todo="name a PEM file that is there"
            ) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=lambda: "")  # never ask at a terminal
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "its password is not known here"
        raise ManifestError(
            f"server.tls: {cert} and {key} are no certificate and its key: {str(reason).lower().replace('_', ' ')}",
            todo="name the certificate with those above it, and its private key without a password, both PEM",
        ) from None
    return context


def room(server: Server) -> int:
    """Connections that the system lets this process have; raises its limit as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = server.limits.connections + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wanted = server.limits.connections
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _SPARE))


class Listener(uvicorn.Server):
    """uvicorn around an app, on sockets that are there already. Signals are not its business."""

    def __init__(
        self,
        app: FastAPI,
        server: Server,
        tls: ssl.SSLContext | None,
        sockets: Sequence[socket.socket],
        *,
        keep_alive_s: int = KEEP_ALIVE_S,
    ) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a client's nonsense is no line of our log
        super().__init__(
            uvicorn.Config(
                app, http=Connection, ws="none", lifespan="on", log_config=None, access_log=False,
                server_header=False, proxy_headers=False,  # auth.guard reads them, and needs the peer as it is
                timeout_keep_alive=keep_alive_s,
            )
        )  # fmt: skip
        self.door = Door(server.limits)
        self.renew(server)
        self.on_start: Callable[[], None] = lambda: None
        self._beginning: set[asyncio.Task[None]] = set()
        self._leaving: deque[socket.socket] = deque()
        self._tls = tls
        self._sockets = sockets

    def renew(self, server: Server) -> None:
        """Go by these limits from now on, as far as the system has room for so many connections."""
        proxy = server.auth.proxy
        self.door.trusted = networks(proxy.trusted if proxy is not None else ())
        self.door.limits = server.limits.model_copy(update={"connections": room(server)})

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the app, then the door."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise InternalError("the app did not start")
        for one in self._sockets:
            self._accepting(one)
        self.started = True
        self.on_start()

    def stop_accepting(self) -> None:
        """Take no new connection; those that are open get their answers, and no second one after it."""
        self.door.closing = True
        for one in self._sockets:
            asyncio.get_running_loop().remove_reader(one)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers that are under way end, for a while, and close the app."""
        self.stop_accepting()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if not self.force_exit:
            await self.door.empty(LAST_ANSWERS_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for beginning in self._beginning:
            beginning.cancel()
        for one in self._leaving:
            one.close()
        await self.door.empty(LAST_ANSWERS_S)  # what was aborted is gone a moment later
        for task in list(self.server_state.tasks):
            task.cancel()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=LAST_ANSWERS_S)
        await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Whoever runs this hears them."""
        yield

    def _accepting(self, listening: socket.socket) -> None:
        if not self.door.closing:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        """Take in who waits at the door: not all at once, for those inside wait meanwhile."""
        loop = asyncio.get_running_loop()
        for _ in range(_AT_ONCE):
            try:
                one, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # nobody more; or another process on the same socket was faster
            except OSError as error:  # no more files: those outside wait, those inside go on
                _log.error("no connection can be accepted: %s", error.strerror)
                loop.remove_reader(listening)
                loop.call_later(_PAUSE_S, self._accepting, listening)
                return
            one.setblocking(False)
            address = plain_address(str(peer[0])) if isinstance(peer, tuple) else ""
            if self.door.enter(address):
                self._admit(one, address)
            else:
                self._send_away(one)

    def _admit(self, one: socket.socket, address: str) -> None:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.get_running_loop().create_task(self._begin(one, address))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, one: socket.socket, address: str) -> None:
        """A connection from its TLS on, which may take as long as a request."""
        made = Connection(self.config, self.server_state, self.lifespan.state, door=self.door, address=address)
        bounds: dict[str, Any] = {"ssl_handshake_timeout": self.door.limits.request_s, "ssl_shutdown_timeout": 2.0}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: made, one, ssl=self._tls, **(bounds if self._tls is not None else {})
            )
        except (OSError, asyncio.CancelledError):  # an SSLError is an OSError: they spoke no TLS, or too slowly
            one.close()
            made.leave()

    def _send_away(self, one: socket.socket) -> None:
        """There is no room. Under TLS nothing can be said."""
        with contextlib.suppress(OSError):
            if self._tls is None:
                one.send(_NO_ROOM)
            one.shutdown(socket.SHUT_WR)
        if len(self._leaving) >= _AT_ONCE:
            self._leaving.popleft().close()
        self._leaving.append(one)  # closed at once, it might be reset before they have read that
        asyncio.get_running_loop().call_later(_PAUSE_S, one.close)
