"""The way out: what is decided, what is recorded, how we ask, and the proxy of the sandboxed tools."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import socket
import ssl
import zlib
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import JournalError, ManifestError, ToolError
from ringfence.manifest.tools import BuiltinTool, Host
from ringfence.tools.egress import Bounds, Egress, Proxy, Refusal, Refused, Target, egress_for, send
from ringfence.tools.egress.address import Kind, kind, may_connect
from ringfence.tools.egress.client import Inflater
from ringfence.tools.egress.names import below, host_name
from ringfence.tools.egress.wire import NotYet, read_head, server_name

from .net import LOOPBACK, QUICK, Names, answer, certificate, heard, here, names, proxying, say, serving, way

# -- addresses


@pytest.mark.parametrize(
    ("whose", "addresses"),
    [
        (Kind.PUBLIC, "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.32.0.1 192.0.1.1 2606:4700::1111 2001:4860::1"),
        (Kind.PRIVATE, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 127.9.9.9 ::1 fd00::1 fc00::1"),
        (Kind.PRIVATE, "100.64.0.1 100.127.255.255"),  # carriers' NAT
        (Kind.LINK_LOCAL, "169.254.169.254 169.254.0.1 fe80::1 febf::1"),
        (Kind.SPECIAL, "0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 ::"),
        (Kind.SPECIAL, "192.0.0.1 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 168.63.129.16"),
        (Kind.SPECIAL, "::ffff:8.8.8.8 ::ffff:127.0.0.1 ::7f00:1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1"),
        (Kind.SPECIAL, "2001:db8::1 3fff::1 fec0::1 100::1 5f00::1 4000::1"),
    ],
)
def test_every_kind_of_address_is_told_apart(whose: Kind, addresses: str) -> None:
    assert {a: kind(ip_address(a)) for a in addresses.split()} == dict.fromkeys(addresses.split(), whose)


def test_only_what_the_manifest_calls_private_is_private_and_disguises_never_are() -> None:
    assert may_connect("8.8.8.8", private=False, named=False)
    assert not may_connect("10.0.0.1", private=False, named=True)
    assert may_connect("10.0.0.1", private=True, named=False)
    assert not may_connect("169.254.169.254", private=True, named=False), "a name must not lead to a metadata service"
    assert may_connect("169.254.169.254", private=True, named=True)
    assert not may_connect("::ffff:10.0.0.1", private=True, named=True)


# -- names, URLs and paths


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("Example.COM", "example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"), ("a-1.b2", "a-1.b2"), ("1.example", "1.example"),
    ],
)  # fmt: skip
def test_a_host_has_one_spelling(given: str, spelled: str) -> None:
    assert host_name(given) == spelled


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.0.01", "0177.0.0.1", "127.0.0.0x1", "1.2.3", "1.2.3.4.5",
        "127.0.0.1.", "example.com.", ".example.com", "a..b", "-a.example", "a-.example", "a_b.example", "", ".",
        "bücher.example", "ex\u0430mple.com", "１２７.0.0.1", "[fe80::1%eth0]", "[::1", "[1.2.3.4]",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5), "exa\x00mple.com", "a b", "256.1.1.1", "0x", "example.0x7f", "\u212a.example",
    ],
)  # fmt: skip
def test_a_host_that_can_be_read_in_two_ways_is_refused(host: str) -> None:
    with pytest.raises(Refused) as refused:
        host_name(host)
    assert refused.value.code == "name"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/", "//a.example/", "a.example", "http:/a.example", "http:a.example", "file:///etc/passwd",
        "http://user@a.example/", "http://user:pw@a.example/", "http://allowed.example@evil.example/",
        "http://a.example\\@evil.example/", "http://a.example/\\..\\x", "http://a.example:0/", "http://a.example:99999/",
        "http://a.example:80:80/", "http://a.example:+80/", "http://a.example: 80/", "http://a.example/a b",
        "http://a.example/\r\nHost: x", "http://a.example/\x00", "http:// a.example/", "http://a.example/%zz",
        "http://a.example/%", "http:///path", "http://[::1%25eth0]/", "http://a.example%2eb/", "javascript:alert(1)",
        "http://a.example/" + "x" * 5000, "http://a。example/", "http://a.example/\ud800", " http://a.example/",
        "http://a.example\t/", "http://2130706433/", "http\u017f://a.example/", "http://\u212a.example/",
    ],
)  # fmt: skip
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Target.parse(url)


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("HTTPS://A.Example", "https://a.example/"),
        ("https://a.example:443/x?y=1#z", "https://a.example/x?y=1"),
        ("http://a.example:8080?q", "http://a.example:8080/?q"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("https://a.example/wiki/AC%2FDC", "https://a.example/wiki/AC%2FDC"),
        ("https://a.example/Zürich?q=ü", "https://a.example/Z%C3%BCrich?q=%C3%BC"),
        ('https://a.example/?q={"a":1}', "https://a.example/?q=%7B%22a%22:1%7D"),
    ],
)
def test_a_url_has_one_spelling(url: str, spelled: str) -> None:
    assert Target.parse(url).url == spelled
    assert Target.parse(spelled).url == spelled


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-zA-Z0-9.\[\]:@%\\/?#;_-]{0,40}", fullmatch=True))
def test_any_text_is_a_url_or_is_refused(text: str) -> None:
    try:
        target = Target.parse(text)
    except Refused:
        return
    assert Target.parse(target.url) == target
    assert target.url.isascii()


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/items", "/v1/a.b", "/v1/a%20b", "/v1/..a", "/v1/a..", "/v1/%61"])
def test_what_lies_below_a_beginning_is_let_out(path: str) -> None:
    assert below("/v1", path)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/v2", "/v1x", "/V1/x", "/v1/../admin", "/v1/..", "/v1/./x", "/v1/%2e%2e/admin", "/v1/.%2E/admin",
        "/v1//admin",
        "//v1/x", "/v1/..;/admin", "/v1;x/admin", "/v1/%2fadmin", "/v1/..%2fadmin", "/v1/..%5cadmin",
        "/v1/%252e%252e/admin",
        "/v1/%00", "/v1/%0a", "/v1/%3b", "/%76%31/x", "/v1/x/%2e", "/v1/..%00/",
    ],
)  # fmt: skip
def test_a_path_that_some_server_reads_as_another_one_lies_below_nothing(path: str) -> None:
    assert not below("/v1", path)


_PIECES = st.lists(st.sampled_from(["/", "..", ".", "%2e", "%2E", "%2f", "%5c", "%25", ";", "v1", "admin", "a", "%00"]))


@given(_PIECES.map(lambda pieces: "/v1/" + "".join(pieces)))
def test_however_a_server_reads_a_path_it_stays_below(path: str) -> None:
    if not below("/v1", path):
        return
    for decode in (lambda p: p, unquote, lambda p: unquote(unquote(p)), lambda p: unquote(p).replace("\\", "/")):
        kept: list[str] = []
        for segment in decode(path).split("/")[1:]:
            segment = segment.partition(";")[0]
            if segment == "..":
                kept = kept[:-1]
            elif segment != ".":
                kept.append(segment)
        assert kept[0] == "v1"


# -- the decision


def decide(hosts: list[Host], *what: Any) -> str:
    """The code of the refusal, or the host of the entry that allows it."""
    found = Egress(hosts, lambda line: None).decide(*what)
    return found.code if isinstance(found, Refusal) else found.host


def test_only_what_the_manifest_names_may_be_reached() -> None:
    hosts = [Host(host="Docs.example"), Host(host="*.wiki.example", port=8443)]
    assert decide(hosts, "docs.example", 443, "GET", "/") == "Docs.example"
    assert decide(hosts, "docs.example", 80, "GET", "/") == "Docs.example"
    assert decide(hosts, "a.wiki.example", 8443, "GET", "/") == "*.wiki.example"
    assert decide(hosts, "a.b.wiki.example", 8443) == "*.wiki.example"
    assert decide(hosts, "wiki.example", 8443) == "host"
    assert decide(hosts, "evilwiki.example", 8443) == "host"
    assert decide(hosts, "docs.example.evil.example", 443) == "host"
    assert decide(hosts, "docs.example", 8080) == "port"
    assert decide(hosts, "a.wiki.example", 443) == "port"
    assert decide([], "docs.example", 443) == "host"


def test_one_entry_has_to_allow_all_of_a_request() -> None:
    hosts = [
        Host(host="api.example", methods=("GET",), paths=("/a",)),
        Host(host="api.example", methods=("POST",), paths=("/b",)),
    ]
    assert decide(hosts, "api.example", 443, "GET", "/a/1") == "api.example"
    assert decide(hosts, "api.example", 443, "POST", "/b") == "api.example"
    assert decide(hosts, "api.example", 443, "POST", "/a") == "path"
    assert decide(hosts, "api.example", 443, "GET", "/b") == "path"
    assert decide(hosts, "api.example", 443, "DELETE", "/a") == "method"
    assert decide(hosts, "api.example", 443) == "api.example", "of a tunnel the host alone is seen"


def test_a_wildcard_covers_names_and_no_addresses() -> None:
    with pytest.raises(ManifestError):
        decide([Host(host="*.0.1")], "127.0.0.1", 80)


def test_an_entry_that_can_be_read_in_two_ways_is_the_operators_to_correct() -> None:
    with pytest.raises(ManifestError, match=r"no plain address"):
        Egress([Host(host="127.1")], lambda line: None)


# -- attempts, and our own requests


async def test_an_attempt_is_on_record_before_a_byte_leaves_and_when_it_has_ended() -> None:
    async with serving(answer(b"hello")) as server:
        out = way(here(server.port))
        reply = await send(out.egress, "GET", f"{server.url}/a?key=1", run="r7")
    assert reply.body == b"hello"
    opened, done = out.attempts
    assert (opened.state, opened.address, opened.sent) == ("open", LOOPBACK, 0)
    assert done.to_json() == {
        "state": "done", "method": "GET", "host": LOOPBACK, "port": server.port, "path": "/a", "address": LOOPBACK,
        "sent": len("/a?key=1"), "received": 5, "why": "", "run": "r7",
    }  # fmt: skip


async def test_what_cannot_be_recorded_does_not_leave() -> None:
    def full(line: object) -> None:
        raise JournalError("no space left")

    async with serving(answer()) as server:
        with pytest.raises(JournalError, match="no space"):
            await send(Egress([here(server.port)], full), "GET", server.url)
        async with proxying(way_to(Egress([here(server.port)], full, bounds=QUICK))) as port:
            assert (
                await say(port, f"GET {server.url}/ HTTP/1.1\r\nHost: {LOOPBACK}:{server.port}\r\n\r\n".encode()) == b""
            )
    assert server.heard == []


def way_to(egress: Egress) -> Any:
    out = way()
    out.egress = egress
    return out


@pytest.mark.parametrize(
    ("method", "url", "code"),
    [
        ("GET", "http://elsewhere.test/", "host"),
        ("GET", "http://known.test:81/", "port"),
        ("POST", "http://known.test/", "method"),
        ("GET", "http://known.test/", "path"),
        ("GET", "http://known.test/v1/", "address"),
        ("GET", "http://gone.test/v1/", "no-address"),
        ("GET", "http://a@known.test/v1/", "url"),
        ("GET", "http://0x7f.1/", "name"),
    ],
)
async def test_a_refusal_is_on_record_with_its_code_and_nothing_is_opened(method: str, url: str, code: str) -> None:
    out = way(Host(host="known.test", paths=("/v1",)), Host(host="gone.test"), resolve=names(known_test="10.0.0.1"))
    with pytest.raises(Refused) as refused:
        await send(out.egress, method, url)
    assert refused.value.code == code
    assert out.told == [("refused", code)]


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(tmp_path: Path) -> None:
    server_tls, trust = certificate(tmp_path, "docs.test")
    async with serving(answer(b"hi"), tls=server_tls) as server:
        resolve = names(docs_test=[LOOPBACK, "10.255.255.1"])
        out = way(here(server.port, "docs.test"), resolve=resolve, tls=trust)
        reply = await send(out.egress, "GET", f"https://docs.test:{server.port}/")
    assert reply.body == b"hi"
    assert resolve.asked == ["docs.test"]
    assert server.names == ["docs.test"]
    assert f"Host: docs.test:{server.port}".encode() in server.heard[0]


async def test_forbidden_addresses_of_a_name_are_passed_over() -> None:
    async with serving(answer(b"hi")) as server:
        resolve = Names({"docs.test": [["169.254.169.254", "::ffff:127.0.0.1", LOOPBACK]]})
        out = way(here(server.port, "docs.test"), resolve=resolve)
        await send(out.egress, "GET", f"http://docs.test:{server.port}/")
    assert out.attempts[0].address == LOOPBACK


async def test_a_server_with_the_certificate_of_another_is_not_talked_to(tmp_path: Path) -> None:
    server_tls, trust = certificate(tmp_path, "other.test")
    async with serving(answer(b"hi"), tls=server_tls) as server:
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK), tls=trust)
        with pytest.raises(ToolError, match="certificate that is not trusted"):
            await send(out.egress, "GET", f"https://docs.test:{server.port}/")
    assert server.heard == []
    assert out.told[-1][0] == "failed"


async def test_a_server_that_is_not_there_is_said_in_words() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    out = way(here(port))
    with pytest.raises(ToolError, match=f"{LOOPBACK}:{port} cannot be reached"):
        await send(out.egress, "GET", f"http://{LOOPBACK}:{port}/")


@pytest.mark.parametrize(
    "garbage", [b"", b"220 mail ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"\0" * 99]
)
async def test_a_server_that_talks_nonsense_fails_in_words(garbage: bytes) -> None:
    async with serving(garbage) as server:
        with pytest.raises(ToolError, match=r"broke off|cannot be reached"):
            await send(way(here(server.port)).egress, "GET", server.url)


async def test_bodies_are_bounded_both_ways() -> None:
    bounds = Bounds(sent=100, received=1000)
    async with serving(answer(b"x" * 5000)) as server:
        out = way(here(server.port, methods=("GET", "POST")), bounds=bounds)
        reply = await send(out.egress, "GET", server.url)
        assert (len(reply.body), reply.cut) == (1000, True)
        with pytest.raises(Refused, match="larger than 100 bytes"):
            await send(out.egress, "POST", server.url, body=b"x" * 101)
    assert len(server.heard) == 1


def test_gzip_is_undone_across_its_members() -> None:
    data = gzip.compress(b"one ") + gzip.compress(b"two")
    inflater = Inflater("gzip", 100)
    assert b"".join(inflater.feed(data[n : n + 1]) for n in range(len(data))) == b"one two"
    assert (inflater.whole, inflater.full) == (True, False)


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(1, 50))
def test_no_more_comes_out_than_there_is_room_for(data: bytes, room: int, step: int) -> None:
    for encoding, sent in (("", data), ("gzip", gzip.compress(data))):
        inflater = Inflater(encoding, room)
        out = b"".join(inflater.feed(sent[n : n + step]) for n in range(0, len(sent), step))
        assert out == data[:room]
        assert (inflater.full or not inflater.whole) == (len(data) > room)


async def test_what_is_compressed_otherwise_or_badly_is_refused_in_words() -> None:
    for sent, said in (
        (answer(b"x", Content_Encoding="br"), "not asked for"),
        (answer(b"x" * 20, Content_Encoding="gzip"), "broken"),
    ):
        async with serving(sent) as server:
            with pytest.raises(ToolError, match=said):
                await send(way(here(server.port)).egress, "GET", server.url)


# -- the proxy


def get(url: str, *more: str, host: str = "", method: str = "GET") -> bytes:
    """A request to a proxy, byte for byte."""
    host = host or url.split("/")[2]
    return "\r\n".join([f"{method} {url} HTTP/1.1", f"Host: {host}", *more, "", ""]).encode()


async def test_a_plain_request_is_made_anew_and_its_answer_handed_back() -> None:
    async with serving(answer(b"hello", X_Mine="1", Connection="close, X-Hop", X_Hop="2")) as server:
        out = way(here(server.port, methods=("POST",), paths=("/v1",)))
        async with proxying(out) as port:
            request = get(
                f"{server.url}/v1/x?q=1", "Content-Length: 2", "X-A: b", "Proxy-Authorization: z", method="POST"
            )
            said = await say(port, request + b"{}")
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"X-Mine: 1" in head
    assert b"X-Hop" not in head
    assert body == b"hello"
    assert server.heard[0].startswith(b"POST /v1/x?q=1 HTTP/1.1\r\n")
    assert server.heard[0].endswith(b"{}")
    assert b"x-a: b" in server.heard[0]
    assert b"roxy" not in server.heard[0]
    assert [(line.state, line.method, line.path, line.run) for line in out.attempts] == [
        ("open", "POST", "/v1/x", "r1"),
        ("done", "POST", "/v1/x", "r1"),
    ]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (get("http://elsewhere.test/"), "host"),
        (get("http://known.test/v2"), "path"),
        (get("http://known.test/v1", method="DELETE"), "method"),
        (b"CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test:443\r\n\r\n", "host"),
        (b"CONNECT known.test:22 HTTP/1.1\r\nHost: known.test:22\r\n\r\n", "port"),
        (get("http://known.test/v1", "Content-Length: 9999999999", method="POST"), "bytes"),
    ],
)
async def test_a_refused_request_is_answered_in_words_and_on_record(request_: bytes, code: str) -> None:
    out = way(Host(host="known.test", paths=("/v1",), methods=("GET", "POST")), resolve=names())
    async with proxying(out) as port:
        said = await say(port, request_)
    assert said.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert out.told == [("refused", code)]


async def test_a_tunnel_carries_tls_to_the_host_it_was_asked_for(tmp_path: Path) -> None:
    server_tls, trust = certificate(tmp_path, "docs.test")
    async with serving(answer(b"inside"), tls=server_tls) as server:
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK))
        async with proxying(out) as port:
            said = await tunnelled(port, f"docs.test:{server.port}", trust, "docs.test", b"GET / HTTP/1.1\r\n\r\n")
            opened, done = await out.until(2)
    assert said.endswith(b"inside")
    assert server.heard == [b"GET / HTTP/1.1\r\n\r\n"]
    assert (opened.state, opened.method, opened.path) == ("open", "CONNECT", "")
    assert (done.state, done.host) == ("done", "docs.test")
    assert done.sent > 100
    assert done.received > 500


async def test_a_usual_client_gets_through_and_verifies_the_server_itself(tmp_path: Path) -> None:
    server_tls, trust = certificate(tmp_path, "docs.test")
    async with serving(answer(b"secret page"), tls=server_tls) as inner, serving(answer(b"open page")) as plain:
        known = names(docs_test=LOOPBACK, plain_test=LOOPBACK)
        out = way(here(inner.port, "docs.test"), here(plain.port, "plain.test"), resolve=known)
        async with proxying(out) as port, aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as client:
            proxy = f"http://{LOOPBACK}:{port}"
            for url, page in (
                (f"https://docs.test:{inner.port}/", "secret page"),
                (f"http://plain.test:{plain.port}/", "open page"),
            ):
                async with client.get(url, proxy=proxy) as response:
                    assert await response.text() == page


async def tunnelled(port: int, authority: str, trust: ssl.SSLContext, name: str | None, request: bytes) -> bytes:
    """Ask for a tunnel, speak TLS in it, and return all that comes back; raises what TLS raises."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(60):
            await writer.start_tls(trust, server_hostname=name or "")
            writer.write(request)
            return await reader.read()
    finally:
        writer.transport.abort()


async def test_a_tunnel_to_a_host_that_is_not_there_is_answered_in_words() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        gone = taken.getsockname()[1]
    out = way(here(gone))
    async with proxying(out) as port:
        said = await say(port, f"CONNECT {LOOPBACK}:{gone} HTTP/1.1\r\nHost: {LOOPBACK}:{gone}\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 502 ")
    assert out.attempts[-1].state == "failed"


async def test_the_bytes_of_a_tunnel_are_bounded(tmp_path: Path) -> None:
    server_tls, trust = certificate(tmp_path, "docs.test")
    async with serving(answer(b"x" * 500_000), tls=server_tls) as server:
        bounds = Bounds(tunnel=100_000, head_s=5, idle_s=5)
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK), bounds=bounds)
        async with proxying(out) as port:
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                said = await tunnelled(port, f"docs.test:{server.port}", trust, "docs.test", b"GET / HTTP/1.1\r\n\r\n")
                assert len(said) < 300_000
            await out.until(2)
    assert out.told[-1] == ("refused", "bytes")
    assert out.attempts[-1].received < 300_000


async def test_a_proxy_that_is_closed_cuts_what_is_under_way_and_listens_no_more() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        asked.set()
        await reader.read()
        ended.set()

    async with serving(hang) as server:
        out = way(here(server.port))
        listener = socket.create_server((LOOPBACK, 0))
        port = listener.getsockname()[1]
        proxy = Proxy(out.egress)
        proxy(listener)
        waiting = asyncio.ensure_future(say(port, get(f"{server.url}/")))
        await asyncio.wait_for(asked.wait(), 60)
        await proxy.aclose()
        assert await asyncio.wait_for(waiting, 60) == b""
        await asyncio.wait_for(ended.wait(), 60)
    assert listener.fileno() == -1
    assert out.told[-1] == ("failed", "CancelledError")
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(LOOPBACK, port)


async def test_a_job_that_serves_many_runs_says_whose_each_attempt_is() -> None:
    out, runs = way(), iter(["r1", "r2"])
    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    async with Proxy(out.egress, run=lambda: next(runs)) as proxy:
        proxy(listener)
        for _ in range(2):
            await say(port, get("http://elsewhere.test/"))
    assert [line.run for line in out.attempts] == ["r1", "r2"]


async def test_connections_at_once_are_bounded_and_the_others_wait() -> None:
    inside, two, release = 0, asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal inside
        await heard(reader)
        inside += 1
        if inside == 2:
            two.set()
        await release.wait()
        writer.write(answer(b"ok"))

    async with serving(hold) as server, serving(answer(b"aside")) as other:
        out = way(here(server.port), bounds=Bounds(connections=2))
        async with proxying(out) as port:
            asking = asyncio.gather(*(say(port, get(f"{server.url}/")) for _ in range(6)))
            await asyncio.wait_for(two.wait(), 60)
            for _ in range(20):  # there is time for the others to get in, if they could
                assert b"aside" in await say(other.port, get("http://aside.test/"))
            assert inside == 2
            release.set()
            assert [text[-2:] for text in await asking] == [b"ok"] * 6


async def test_attempts_of_a_job_are_bounded_and_the_end_is_on_record() -> None:
    out = way(bounds=Bounds(attempts=2))
    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    async with Proxy(out.egress) as proxy:
        proxy(listener)
        for _ in range(2):
            assert b"403" in await say(port, get("http://elsewhere.test/"))
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(LOOPBACK, port)
    assert sorted(out.told) == [("refused", "attempts"), ("refused", "host"), ("refused", "host")]


def test_a_proxy_that_cannot_serve_says_so() -> None:
    listener = socket.create_server((LOOPBACK, 0))
    with pytest.raises(ToolError, match="cannot serve"):
        Proxy(way().egress)(listener)
    assert listener.fileno() == -1


def test_a_tool_without_hosts_has_no_way_out() -> None:
    none = BuiltinTool(name="python", type="builtin")
    assert egress_for(none, lambda line: None) is None
    some = BuiltinTool(name="python", type="builtin", hosts=(Host(host="docs.example"),))
    assert isinstance(egress_for(some, lambda line: None), Proxy)


# -- what is read off the wire


_LINES = [
    b"GET http://a.b/ HTTP/1.1",
    b"CONNECT a.b:1 HTTP/1.1",
    b"Host: a.b",
    b"Host: a.b:1",
    b"\r\n",
    b"\n",
    b" x",
    b"\0",
]


@given(st.binary(max_size=400) | st.lists(st.sampled_from(_LINES)).map(b"".join))
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    try:
        head = read_head(data + b"\r\n\r\n")
    except Refused:
        return
    assert head.target.host == "a.b"


@functools.cache
def hello(name: str | None) -> bytes:
    """The ClientHello of a real TLS library."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_the_name_that_tls_asks_for_is_read_from_a_real_hello() -> None:
    assert server_name(hello("docs.example")) == "docs.example"
    assert server_name(hello(None)) is None


def test_a_hello_is_read_however_it_arrives_and_over_records() -> None:
    whole = hello("docs.example")
    for size in range(len(whole)):
        with pytest.raises(NotYet):
            server_name(whole[:size])
    body = whole[5:]
    for cut in (1, 3, 4, 50, len(body) - 1):
        split = b"".join(whole[:3] + len(part).to_bytes(2, "big") + part for part in (body[:cut], body[cut:]))
        assert server_name(split) == "docs.example"


@given(st.data())
def test_any_bytes_are_a_hello_or_refused(data: st.DataObject) -> None:
    start = (
        bytearray(hello("docs.example")) if data.draw(st.booleans()) else bytearray(data.draw(st.binary(max_size=99)))
    )
    for place in data.draw(st.lists(st.integers(0, max(0, len(start) - 1)), max_size=4)) if start else ():
        start[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refused, NotYet):
        server_name(bytes(start))


def test_compressed_data_in_pieces_is_what_zlib_says() -> None:
    data = b"".join(n.to_bytes(2, "big") for n in range(20_000))
    assert Inflater("x-gzip", len(data)).feed(gzip.compress(data)) == data
    assert zlib.crc32(Inflater("GZIP", 1000).feed(gzip.compress(data))) == zlib.crc32(data[:1000])
