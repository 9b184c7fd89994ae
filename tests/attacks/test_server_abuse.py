"""Clients that mean no good, on real sockets: what is not HTTP, what never ends, what is never read, and too many."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from ringfence.channels.http.connection import HEAD_BYTES, PIPELINED, URL_BYTES

from ..channels.listening import LOOPS, At, everything, listening

LAST = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HEAD = b"POST /take HTTP/1.1\r\nHost: localhost\r\n"
CONNECTIONS = int(os.environ.get("RINGFENCE_CONNECTIONS", "1500"))  # 10000 is tried by hand, and in the soak
NONSENSE = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no host": b"GET /who HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /who HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /who",
    "chunks and a length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /who",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "a length in hex": HEAD + b"Content-Length: 0x5\r\n\r\nhello",
    "a length with a plus": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "a length beyond 64 bits": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "chunks that are not last": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks in disguise": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks with a space": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk that lies": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "a chunk's size that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a header that is folded": b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "a header without a name": b"GET /who HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
    "a header with a NUL": b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    "a header with a bare CR": b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: a\rb: c\r\n\r\n",
    "a line that ends early": b"GET /who HTTP/1.1\nHost: localhost\n\n",
    "a method that is none": b"GET\x00 /who HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path in bytes": b"GET /wh\xc3\xb6 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path with a space": b"GET /who am i HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a version of its own": b"GET /who HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "HTTP/2 by itself": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an address that is none": b"GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
}


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
def test_what_is_not_http_reaches_no_app_and_ends_its_connection(raw: bytes) -> None:
    with listening(request_s=2.0) as at:
        answer = at.say(raw)
        assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
        assert b"connection: close" in answer.lower()
        assert answer.count(b"HTTP/1.1 ") == 1, "what came behind it was taken for a second request"
        assert at.world.bodies == []
        assert at.world.requests in ([], ["/take"] if b"\r\n\r\n2\r\n" in raw or b"0x5\r\nhello\r\n0" in raw else [])
        assert b"Traceback" not in answer
        assert at.say(LAST).startswith(b"HTTP/1.1 200")


def test_a_body_that_says_it_is_a_request_is_a_body(loop: str) -> None:
    smuggled = b"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with listening(loop=loop) as at:
        head = HEAD + b"Connection: close\r\nContent-Length: " + str(len(smuggled)).encode() + b"\r\n\r\n"
        assert at.say(head + smuggled).count(b"HTTP/1.1 ") == 1
        assert at.world.bodies == [smuggled]
        assert at.world.requests == ["/take"]


def test_a_request_for_another_protocol_is_answered_as_any_other(loop: str) -> None:
    upgrades = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with listening(loop=loop, request_s=2.0) as at:
        raw = b"GET /who HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + upgrades
        answer = at.say(raw + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"101" not in answer.splitlines()[0]


FRAMES = b"".join(  # RFC 6455 5.2: a text, a ping, one that says it has 2**62 bytes, a close; each masked by zeros
    (
        b"\x81\x85\0\0\0\0hello",
        b"\x89\x80\0\0\0\0",
        b"\x82\xff" + (1 << 62).to_bytes(8) + b"\0\0\0\0",
        b"\x88\x80\0\0\0\0",
    )
)


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"WebSocket, h2c", b"websocket" * 1000])
def test_frames_behind_an_upgrade_that_was_not_made_are_no_requests_and_end_the_connection(
    loop: str, protocol: bytes
) -> None:
    head = (
        b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    with listening(loop=loop, request_s=2.0) as at:
        answer = at.say(head + FRAMES)
        statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        assert b"101" not in statuses
        assert statuses in ([b"200"], [b"200", b"400"], [b"400"], [b"431"]), answer[:400]
        assert at.world.requests in (["/who"], [])
        assert at.world.bodies == []
        assert at.say(LAST).startswith(b"HTTP/1.1 200")
        assert _eventually(lambda: at.listener.door.open == 0)


def test_many_who_ask_for_a_socket_and_then_only_hold_it_are_let_go_and_starve_nobody(loop: str) -> None:
    upgrade = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    upgrade += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with listening(loop=loop, request_s=1.0) as at, ExitStack() as stack:
        clients = _hold(stack, at, 100, "127.0.0.3")
        for client in clients:
            client.sendall(upgrade + b"\x81")
        assert at.say(LAST, source="127.0.0.4").startswith(b"HTTP/1.1 200")
        assert all(b" 101 " not in everything(client)[:20] for client in clients)
        assert _eventually(lambda: at.listener.door.open == 0)


def test_one_who_opens_streams_and_leaves_them_leaves_nothing_behind(loop: str) -> None:
    with listening(loop=loop, request_s=2.0) as at:
        for _ in range(50):
            with at.client() as client:
                client.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(64).startswith(b"HTTP/1.1 200")
        assert at.world.closed.wait(10)
        assert _eventually(lambda: at.listener.door.open == 0 and not at.listener.server_state.tasks, within_s=20)
        streamed = at.world.streamed
        assert at.say(LAST).startswith(b"HTTP/1.1 200")
        assert at.world.streamed == streamed, "a stream goes on that nobody has"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /" + b"a" * (URL_BYTES + 1) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"GET /who HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * (HEAD_BYTES + 1) + b"\r\n\r\n", b"431"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    ],
    ids=["a long address", "many headers", "a long header", "many headers behind the body"],
)
def test_heads_that_are_too_long_are_refused(loop: str, raw: bytes, status: bytes) -> None:
    with listening(loop=loop) as at:
        assert at.say(raw).startswith(b"HTTP/1.1 " + status)
        assert at.world.bodies == []


@pytest.mark.parametrize(
    "head",
    [b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: ", b"GET /", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "],
    ids=["header", "address", "trailer"],
)
def test_a_part_of_a_head_that_never_ends_is_kept_nowhere(loop: str, head: bytes) -> None:
    """The parser gathers it without telling anybody: it has to be stopped by what was put in."""
    with listening(loop=loop, request_s=20.0) as at, at.client() as client:
        sent = 0
        client.sendall(head)
        try:
            while sent < 64 << 20:
                client.sendall(b"y" * 65536)
                sent += 65536
        except OSError:
            pass
        assert sent < 8 << 20, "it was taken in, and kept"


def test_more_requests_at_once_than_can_be_answered_are_refused(loop: str) -> None:
    with listening(loop=loop) as at:
        at.say(b"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5000)
        assert len(at.world.requests) <= PIPELINED + 2


def _dripping(client: socket.socket, raw: bytes, pause_s: float) -> bytes:
    """Send a byte at a time until the server has had enough; what it says then."""
    answer, pace = b"", threading.Event()
    client.settimeout(pause_s)
    for at in range(len(raw)):
        try:
            client.sendall(raw[at : at + 1])
            answer = client.recv(4096)
            break
        except TimeoutError:
            pace.wait(0)
        except ConnectionError:
            break
    return answer


@pytest.mark.parametrize(
    ("head", "slow"),
    [
        (b"", b"GET /who HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1000),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"y" * 1000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n" * 200),
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_request_that_comes_a_byte_at_a_time_is_given_up_in_time(loop: str, head: bytes, slow: bytes) -> None:
    with listening(loop=loop, request_s=1.0) as at, at.client() as client:
        began = time.monotonic()
        client.sendall(head)
        answer = _dripping(client, slow, 0.05)
        took = time.monotonic() - began
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert 0.8 < took < 30.0  # the whole of it would take 50 s
        assert at.world.bodies == []
        assert at.listener.door.open <= 1


def test_who_says_nothing_at_all_is_let_go(loop: str) -> None:
    with listening(loop=loop, request_s=1.0) as at, at.client() as client:
        began = time.monotonic()
        assert everything(client).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 30.0


def test_a_large_body_that_comes_steadily_may_take_longer(loop: str) -> None:
    """A file for a collection over a slow line is no attack."""
    size, piece, pace = 512 << 10, 16 << 10, threading.Event()
    with listening(loop=loop, request_s=1.0, body_kb=64) as at, at.client() as client:
        client.sendall(HEAD + f"Content-Length: {size}\r\nConnection: close\r\n\r\n".encode())
        began = time.monotonic()
        for _ in range(0, size, piece):
            client.sendall(b"y" * piece)
            pace.wait(0.08)
        assert time.monotonic() - began > 2.0
        assert everything(client).startswith(b"HTTP/1.1 200")
        assert len(at.world.bodies[0]) == size


def test_who_does_not_read_a_stream_is_dropped_and_little_waits_for_them(loop: str) -> None:
    with listening(loop=loop, request_s=1.0) as at, at.client() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert at.world.closed.wait(60), "the stream goes on for somebody who does not read it"
        assert at.world.streamed < 8 << 20, "too much of it was made for them"


def _hold(stack: ExitStack, at: At, count: int, source: str) -> list[socket.socket]:
    return [stack.enter_context(at.client(source=source)) for _ in range(count)]


def _eventually(so: Callable[[], bool], *, within_s: float = 60.0) -> bool:
    ends, pace = time.monotonic() + within_s, threading.Event()
    while not so():
        if time.monotonic() > ends:
            return False
        pace.wait(0.02)
    return True


def test_one_address_cannot_take_the_room_of_the_others(loop: str) -> None:
    with listening(loop=loop, connections=20, connections_each_address=5) as at, ExitStack() as stack:
        _hold(stack, at, 5, "127.0.0.3")
        assert _eventually(lambda: at.listener.door.open == 5)
        refused = at.say(LAST, source="127.0.0.3")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in refused
        assert at.say(LAST, source="127.0.0.4").startswith(b"HTTP/1.1 200")


def test_a_proxy_speaks_for_many_and_is_counted_in_all_alone(loop: str) -> None:
    more = {"connections": 20, "connections_each_address": 2}
    with listening(loop=loop, proxy=("127.0.0.3/32",), **more) as at, ExitStack() as stack:
        _hold(stack, at, 6, "127.0.0.3")
        assert at.say(LAST, source="127.0.0.3").startswith(b"HTTP/1.1 200")


def test_beyond_all_connections_there_is_503_until_one_ends(loop: str) -> None:
    with listening(loop=loop, connections=4) as at:
        with ExitStack() as stack:
            _hold(stack, at, 4, "127.0.0.3")
            assert _eventually(lambda: at.listener.door.open == 4)
            assert at.say(LAST).startswith(b"HTTP/1.1 503 ")
        assert _eventually(lambda: at.listener.door.open == 0)
        assert at.say(LAST).startswith(b"HTTP/1.1 200")
        assert _eventually(lambda: not at.listener.door.each), "an address is remembered for ever"


def test_thousands_of_connections_do_not_starve_somebody_else(loop: str) -> None:
    """As many as `RINGFENCE_CONNECTIONS` says, and no more than the limit of open files lets both ends have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = min(CONNECTIONS, (hard - 200) // 2)
    try:
        with listening(loop=loop, connections=100_000, connections_each_address=100_000) as at, ExitStack() as stack:
            for n in range(held):
                stack.enter_context(at.client(source=f"127.0.1.{n % 250 + 1}"))
            assert _eventually(lambda: at.listener.door.open == held, within_s=120)
            began = time.monotonic()
            assert at.say(LAST, source="127.0.0.2").startswith(b"HTTP/1.1 200")
            assert time.monotonic() - began < 20.0
        with listening(loop=loop, connections=100_000, connections_each_address=100) as at, ExitStack() as stack:
            for _ in range(held):
                stack.enter_context(at.client(source="127.0.0.3"))
            assert at.say(LAST, source="127.0.0.2").startswith(b"HTTP/1.1 200")
            assert at.listener.door.open <= 101
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_flood_of_connections_that_end_at_once_leaves_nothing_behind(loop: str) -> None:
    with listening(loop=loop) as at:
        for _ in range(500):
            at.client().close()
        assert at.say(LAST).startswith(b"HTTP/1.1 200")
        assert _eventually(lambda: at.listener.door.open == 0 and not at.listener.server_state.connections)
