"""Receivers on loopback that behave as receivers do: they are down, slow, drop connections and answer 500."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    cert: x509.Certificate

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, host: str = "localhost") -> tuple[Path, Path]:
        """A certificate and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = _certificate(name, key, self.cert.subject, self.key, host=host)
        return _write(self.folder / name, cert, key)

    def server(self, *, clients: bool = False, host: str = "localhost") -> ssl.SSLContext:
        """The context of a server; `clients`: it wants a certificate of ours from them."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("server", host))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context


def authority(folder: Path) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    cert = _certificate("a test's authority", key, subject, key, host=None)
    _write(folder / "ca", cert, key)
    return Authority(folder, key, cert)


def _certificate(name: str, key: Any, issuer: x509.Name, signer: Any, *, host: str | None) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if host is None:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = made.add_extension(usage, critical=True)
    else:
        address = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if host == "localhost" else []
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host), *address]), critical=False)
    return made.sign(signer, hashes.SHA256())


def _write(stem: Path, cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    cert_file, key_file = stem.with_suffix(".pem"), stem.with_suffix(".key")
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return cert_file, key_file


class Syslog:
    """Reads octet-counted messages. `drop(n)`: whether to reset the connection after the n-th message that was read."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, drop: Callable[[int], bool] = lambda _: False) -> None:
        self.messages: list[bytes] = []
        self.connections = 0
        self.arrived = threading.Condition()
        self.paused = threading.Event()
        self.paused.set()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ssl.SSLError, ValueError):
                    outer._serve(self.request, tls, drop)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _serve(self, plain: socket.socket, tls: ssl.SSLContext | None, drop: Callable[[int], bool]) -> None:
        connection = tls.wrap_socket(plain, server_side=True) if tls else plain
        with connection, connection.makefile("rb") as stream:
            with self.arrived:
                self.connections += 1
            while length := _number(stream):
                self.paused.wait()
                data = stream.read(length)
                if len(data) < length:
                    return  # cut off: no message
                with self.arrived:
                    self.messages.append(data)
                    count = len(self.messages)
                    self.arrived.notify_all()
                if drop(count):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()

    def wait(self, count: int, timeout_s: float = 20.0) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.messages) >= count, timeout_s), len(self.messages)

    def indices(self) -> list[int]:
        with self.arrived:
            return [int(message.split(b' index="')[1].split(b'"')[0]) for message in self.messages]

    def close(self) -> None:
        self.paused.set()
        self._server.shutdown()
        self._server.server_close()


def _number(stream: Any) -> int:
    digits = b""
    while (byte := stream.read(1)) != b" ":
        if not byte:
            return 0
        digits += byte
    return int(digits)


@contextmanager
def syslog(**more: Any) -> Iterator[Syslog]:
    server = Syslog(**more)
    try:
        yield server
    finally:
        server.close()


class Collector:
    """An HTTP endpoint. `answer(n, records)` gives the status of the n-th request, 0 to drop the connection unanswered,
    or a status and headers; what a request held counts only if it was answered with 2xx.
    """

    def __init__(self, answer: Callable[[int, int], Any] = lambda n, count: 200, *, port: int = 0) -> None:
        self.records: list[dict[str, Any]] = []
        self.requests: list[dict[str, str]] = []
        self.sizes: list[int] = []
        self.arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                with contextlib.suppress(OSError):
                    outer._take(self, answer)

            def log_message(self, *_: Any) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def _take(self, handler: BaseHTTPRequestHandler, answer: Callable[[int, int], Any]) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        array = handler.headers["Content-Type"] == "application/json"
        found = json.loads(body) if array else list(map(json.loads, body.splitlines()))
        with self.arrived:
            self.requests.append(dict(handler.headers))
            self.sizes.append(len(body))
            decided = answer(len(self.requests), len(found))
            status, more = decided if isinstance(decided, tuple) else (decided, {})
            if not status:
                handler.close_connection = True
                self.arrived.notify_all()
                return
            if 200 <= status < 300:
                self.records += found
            self.arrived.notify_all()
        handler.send_response(status)
        for name, value in more.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def wait(self, ready: Callable[[], bool], timeout_s: float = 20.0) -> None:
        with self.arrived:
            assert self.arrived.wait_for(ready, timeout_s), (len(self.records), len(self.requests))

    def indices(self) -> list[int]:
        with self.arrived:
            return [record["index"] for record in self.records]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def collector(answer: Callable[[int, int], Any] = lambda n, count: 200, **more: Any) -> Iterator[Collector]:
    server = Collector(answer, **more)
    try:
        yield server
    finally:
        server.close()
