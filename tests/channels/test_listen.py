"""Where the server listens: its sockets, TLS, connections that are kept, and the word of a proxy."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from ringfence.channels.http import listen
from ringfence.channels.http.connection import plain_address
from ringfence.core.errors import ManifestError
from ringfence.manifest.server import Server

from .listening import LOOPS, certificate, everything, listening, trusting

GET = b"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def body_of(answer: bytes) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def test_a_request_is_answered_and_nothing_tells_what_serves_it(loop: str) -> None:
    with listening(loop=loop) as at:
        answer = at.say(LAST)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"server:" not in answer.lower()
    assert body_of(answer)["client"] == "127.0.0.1"


def test_a_connection_is_kept_for_a_second_request_and_closed_when_none_comes(loop: str) -> None:
    with listening(loop=loop, keep_alive_s=1) as at, at.client() as client:
        for _ in range(2):
            client.sendall(GET)
            answer = b""
            while not answer.endswith(b"}"):
                answer += client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert client.recv(4096) == b""
        assert time.monotonic() - began < 12  # of its own accord it would wait for 15


def test_ipv6_is_listened_on(loop: str) -> None:
    with listening(loop=loop, host="::1") as at:
        assert body_of(at.say(LAST))["client"] == "::1"


def test_localhost_is_one_port_on_all_its_addresses() -> None:
    sockets = listen.bind(Server(host="localhost", port=0))
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize(
    ("given", "plain"),
    [("::ffff:10.0.0.7", "10.0.0.7"), ("fe80::1%eth0", "fe80::1"), ("10.0.0.7", "10.0.0.7"), ("", "")],
)
def test_an_ipv4_address_that_came_in_over_ipv6_is_counted_as_what_it_is(given: str, plain: str) -> None:
    assert plain_address(given) == plain


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ManifestError, match="is in use") as said:
        listen.bind(Server(port=other.getsockname()[1]))
    assert "--port 0" in said.value.todo


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_said(host: str) -> None:
    with pytest.raises(ManifestError, match=r"cannot be listened on|no address of this machine"):
        listen.bind(Server(host=host, port=0, behind_proxy=True))


def test_tls_is_spoken_in_its_newer_versions_with_forward_secrecy(loop: str, tmp_path: Path) -> None:
    folder = certificate(tmp_path)
    with listening(loop=loop, tls=folder) as at:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(folder, minimum_version=version, maximum_version=version)
            with context.wrap_socket(at.client(), server_hostname="localhost") as client:
                client.sendall(LAST)
                assert body_of(everything(client)) == {"client": "127.0.0.1", "scheme": "https"}
                chosen = client.cipher()
                assert chosen is not None
                assert "GCM" in chosen[0] or "CHACHA20" in chosen[0]


def test_an_older_tls_is_refused(loop: str, tmp_path: Path) -> None:
    folder = certificate(tmp_path)
    with listening(loop=loop, tls=folder) as at:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the very version that we offer
            context = trusting(folder)
            context.minimum_version = ssl.TLSVersion.TLSv1_1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        with at.client() as client, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(client, server_hostname="localhost")
        assert at.world.requests == []


def test_who_asks_for_tls_and_says_nothing_is_let_go_and_counted_meanwhile(loop: str, tmp_path: Path) -> None:
    folder = certificate(tmp_path)
    with listening(loop=loop, tls=folder, request_s=1.0, connections=2) as at:
        with at.client() as one, at.client() as two, at.client() as three:
            assert everything(three) == b""  # there is no room, and nothing that could be said
            assert at.listener.door.open == 2
            assert everything(one) == b""
            assert everything(two) == b""
        at.emptied()
        context = trusting(folder)
        with context.wrap_socket(at.client(), server_hostname="localhost") as client:
            client.sendall(LAST)
            assert everything(client).startswith(b"HTTP/1.1 200")


def test_plain_http_on_a_port_with_tls_reaches_no_app(loop: str, tmp_path: Path) -> None:
    with listening(loop=loop, tls=certificate(tmp_path)) as at:
        assert not at.say(LAST).startswith(b"HTTP/1.1 200")
        assert at.world.requests == []


def test_what_comes_with_the_end_of_a_handshake_is_not_lost(loop: str, tmp_path: Path) -> None:
    folder = certificate(tmp_path)
    with listening(loop=loop, tls=folder) as at:
        context = trusting(folder)
        for _ in range(20):
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(into, out, server_hostname="localhost")
            with at.client() as client:
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        client.sendall(out.read())
                        into.write(client.recv(1 << 16))
                tls.write(LAST)
                client.sendall(out.read())  # our last words of the handshake and the request, in one piece
                answer = b""
                while not answer.endswith(b"}"):
                    into.write(client.recv(1 << 16))
                    with suppress(ssl.SSLWantReadError):
                        answer += tls.read(1 << 16)
                assert answer.startswith(b"HTTP/1.1 200")


def test_a_certificate_with_another_ones_key_is_refused_at_the_start(tmp_path: Path) -> None:
    mine, other = certificate(tmp_path / "mine"), certificate(tmp_path / "other")
    wrong = certificate(tmp_path / "wrong", key_of=mine)
    for cert, key, said in (
        (wrong / "cert.pem", wrong / "key.pem", "are no certificate and its key"),
        (mine / "key.pem", mine / "cert.pem", "are no certificate and its key"),
        (other / "none.pem", other / "key.pem", "cannot be read"),
    ):
        server = Server.model_validate({"tls": {"cert": cert, "key": key}})
        with pytest.raises(ManifestError, match=said):
            listen.tls_of(server, tmp_path)


def test_the_peer_is_told_as_it_is_whatever_a_header_says(loop: str) -> None:
    """Whose word counts is for the guard to say, by the address that the connection came from."""
    said = LAST.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n")
    with listening(loop=loop, proxy=("127.0.0.1/32",)) as at:
        assert body_of(at.say(said)) == {"client": "127.0.0.1", "scheme": "http"}


def test_a_stream_that_is_read_goes_on_for_as_long_as_it_likes(loop: str) -> None:
    """What bounds a client that does not read bounds nobody who does, however slowly."""
    with listening(loop=loop, request_s=1.0) as at, at.client() as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ends, taken = time.monotonic() + 3.0, 0
        pace = threading.Event()
        while time.monotonic() < ends:
            taken += len(client.recv(1 << 18))
            pace.wait(0.01)
        assert taken > 1 << 20
        assert not at.world.closed.is_set()
