"""P6: no network beyond the manifest, whatever a tool, a server or a name server tries."""

from __future__ import annotations

import asyncio
import base64
import shutil
import ssl
import tracemalloc
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.jobs import Job
from ringfence.manifest.tools import BuiltinTool, Host
from ringfence.sandboxes import choose
from ringfence.tools import http, web
from ringfence.tools.egress import Bounds, Proxy, Refused, send
from ringfence.tools.tool import Tool, Use

from ..tools.net import LOOPBACK, Way, answer, certificate, heard, here, names, proxying, say, serving, way
from ..tools.test_egress import hello, tunnelled

KEY = "sk-live-0123456789/abc+def=="


def tool(out: Way, name: str = "web", **more: float) -> Tool:
    config = BuiltinTool(name=name, type="builtin", hosts=tuple(out.egress.hosts))
    made = web.tools if name == "web" else http.tools
    return made(config, use=Use(), egress=out.egress, **more)[0]


async def call(tool: Tool, **args: object) -> str:
    """What the journal would keep of the result."""
    outcome = await tool.sink.perform(Action(tool.spec.name, args, IDENTITY, run="r1"))
    return canonical(outcome.value).decode()


# -- name servers


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
async def test_a_public_name_that_leads_inside_is_refused_and_nothing_is_opened(leads_to: str) -> None:
    async with serving(answer(b"inside")) as server:
        out = way(Host(host="evil.test", port=server.port), resolve=names(evil_test=leads_to))
        with pytest.raises(ToolError, match="not public"):
            await call(tool(out), url=f"http://evil.test:{server.port}/")
        async with proxying(out) as port:
            said = await say(
                port, f"GET http://evil.test:{server.port}/ HTTP/1.1\r\nHost: evil.test:{server.port}\r\n\r\n".encode()
            )
            assert said.startswith(b"HTTP/1.1 403 ")
            said = await say(
                port, f"CONNECT evil.test:{server.port} HTTP/1.1\r\nHost: evil.test:{server.port}\r\n\r\n".encode()
            )
            assert said.startswith(b"HTTP/1.1 403 ")
    assert server.heard == []
    assert out.told == [("refused", "address")] * 3


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    """DNS rebinding: the address that was checked is the one that is connected to, and nobody is asked again."""
    async with serving(answer(b"inside")) as server:
        resolve = names(evil_test=["127.0.0.2", LOOPBACK, "127.0.0.2", LOOPBACK])
        out = way(here(server.port, "evil.test"), resolve=resolve)
        with pytest.raises(ToolError, match="cannot be reached"):
            await send(out.egress, "GET", f"http://evil.test:{server.port}/")
        assert resolve.asked == ["evil.test"]
        resolve.answers["evil.test"] = [["127.0.0.2"], [LOOPBACK]]
        async with proxying(out) as port:
            authority = f"evil.test:{server.port}"
            said = await say(port, f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 502 ")
    assert resolve.asked == ["evil.test"] * 2
    assert server.heard == []
    assert {line.address for line in out.attempts} == {"127.0.0.2"}


@pytest.mark.parametrize(
    "spelled", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "[::ffff:7f00:1]", "0"]
)
async def test_no_spelling_of_a_loopback_address_gets_round_the_list(spelled: str) -> None:
    async with serving(answer(b"inside")) as server:
        out = way(here(server.port), Host(host="*.test"))
        with pytest.raises(Refused):
            await send(out.egress, "GET", f"http://{spelled}:{server.port}/")
        async with proxying(out) as port:
            said = await say(
                port, f"CONNECT {spelled}:{server.port} HTTP/1.1\r\nHost: {spelled}:{server.port}\r\n\r\n".encode()
            )
    assert said.startswith(b"HTTP/1.1 403 ")
    assert server.heard == []


# -- redirects


async def redirected(location: str, *hosts: Host, **resolves: str) -> Way:
    """Where a fetch goes that is redirected; raises what the fetch raises."""
    async with serving(answer(status=302, Location=location)) as server:
        out = way(here(server.port), *hosts, resolve=names(**resolves))
        with pytest.raises(ToolError):
            await call(tool(out), url=f"{server.url}/start")
    assert len(server.heard) == 1
    return out


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://elsewhere.test/", "host"), ("http://169.254.169.254/latest/meta-data", "host"),
        ("//elsewhere.test/", "host"), ("http://known.test/admin", "path"), ("http://known.test/v1/../admin", "path"),
        ("http://inside.test/", "address"),
        ("http://known.test:22/v1", "port"), ("file:///etc/passwd", "url"), ("gopher://known.test/", "url"),
        ("http://u:p@known.test/v1", "url"), ("http://[::1", "url"), ("http://127.1/", "name"), ("http://a b/", "url"),
    ],
)  # fmt: skip
async def test_a_redirect_is_decided_like_a_request_of_its_own(location: str, code: str) -> None:
    hosts = (Host(host="known.test", paths=("/v1",)), Host(host="inside.test"))
    out = await redirected(location, *hosts, known_test="192.0.2.1", inside_test="10.0.0.1")
    assert out.told == [("open", ""), ("done", ""), ("refused", code)]


async def test_a_server_that_redirects_for_ever_is_left() -> None:
    async with serving(answer(status=302, Location="/again")) as server:
        out = way(here(server.port))
        with pytest.raises(ToolError, match="more than 5 times"):
            await call(tool(out), url=server.url)
    assert len(server.heard) == 6


async def test_a_redirect_takes_no_header_of_one_host_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    async with serving(answer(b"there")) as other:
        there = f"http://other.test:{other.port}/"
        async with serving(answer(status=307, Location=there)) as first:
            keyed = here(first.port, "first.test", headers={"X-Key": "${API_KEY}"})
            resolve = names(first_test=LOOPBACK, other_test=LOOPBACK)
            out = way(keyed, here(other.port, "other.test"), resolve=resolve)
            assert "there" in await call(tool(out), url=f"http://first.test:{first.port}/")
    assert KEY.encode() in first.heard[0]
    assert b"key" not in other.heard[0].lower()


# -- secrets


@pytest.mark.parametrize(("template", "held"), [("Bearer ${API_KEY}", KEY), ("${API_KEY}", f"Bearer {KEY}")])
async def test_a_secret_is_sent_and_seen_by_nobody_here(
    monkeypatch: pytest.MonkeyPatch, template: str, held: str
) -> None:
    """A server that repeats its request, however it writes it: not in a result, a header, a record or the sandbox."""
    monkeypatch.setenv("API_KEY", held)
    bearer = f"Bearer {KEY}"
    forms = [
        bearer,
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
        base64.b64encode(KEY.encode()).decode(),
        KEY.upper(),
    ]
    forms.append(KEY.replace("/", "\\/"))
    body = "\n".join(forms).encode() + KEY.encode("utf-16-le")
    async with serving(answer(body, ETag=KEY, Location=f"/?k={quote(KEY, safe='')}")) as server:
        out = way(here(server.port, headers={"Authorization": "${API_KEY}"}))
        monkeypatch.setenv("API_KEY", bearer)
        seen = [await call(tool(out), url=server.url), await call(tool(out, "http"), method="GET", url=server.url)]
        async with proxying(out) as port:
            host = f"{LOOPBACK}:{server.port}"
            request = f"GET {server.url}/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: mine\r\n\r\n"
            seen.append((await say(port, request.encode())).decode("latin-1"))
    assert [f"Authorization: {bearer}".encode() in request for request in server.heard] == [True] * 3
    assert all(b"mine" not in request for request in server.heard)
    for text in [*seen, *(str(line.to_json()) for line in out.attempts), repr(out.egress)]:
        for secret in (*forms, KEY, KEY[8:20]):
            assert secret not in text.replace("\0", "")
    assert all("***" in text for text in seen)


@pytest.mark.parametrize(
    "url", ["http://u:hunter22@a.test/", "http://a.test/x?k=hunter22", "http://a.test/%zz?hunter22"]
)
async def test_what_a_refused_url_holds_is_not_on_record(url: str) -> None:
    out = way()
    with pytest.raises(Refused):
        await send(out.egress, "GET", url)
    async with proxying(out) as port:
        await say(port, f"GET {url} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        await say(port, b"CONNECT u:hunter22@a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n")
    assert len(out.attempts) == 3
    assert "hunter22" not in str(out.attempts)


async def test_the_password_that_basic_hides_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIR", base64.b64encode(b"ann:correct horse battery").decode())
    async with serving(answer(b"hello ann:correct horse battery, is it correct horse battery?")) as server:
        out = way(here(server.port, headers={"Authorization": "Basic ${PAIR}"}))
        reply = await send(out.egress, "GET", server.url)
    assert reply.body == b"hello ***, is it ***?"


async def test_a_secret_in_the_middle_of_a_cut_is_not_half_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    for room in range(100, 100 + len(KEY) + 2):
        async with serving(answer(b"x" * 100 + KEY.encode() + b"y" * 100)) as server:
            bounds = Bounds(received=room)
            out = way(here(server.port, headers={"X-Key": "${API_KEY}"}), bounds=bounds)
            reply = await send(out.egress, "GET", server.url)
        assert set(reply.body) <= set(b"x*y"), room


@pytest.mark.parametrize(
    ("value", "said"), [(None, "not set"), ("", "not set"), ("short", "too short"), ("a\r\nX: long", "cannot")]
)
async def test_a_secret_that_cannot_be_kept_stops_the_request(
    monkeypatch: pytest.MonkeyPatch, value: str | None, said: str
) -> None:
    monkeypatch.delenv("API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("API_KEY", value)
    async with serving(answer()) as server:
        out = way(here(server.port, headers={"X-Key": "${API_KEY}"}))
        with pytest.raises(Refused, match=said) as refused:
            await send(out.egress, "GET", server.url)
    assert server.heard == []
    assert "X: long" not in str(refused.value)


async def test_a_secret_does_not_leave_in_clear_because_somebody_wrote_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    keyed = Host.model_validate({"host": "api.test", "headers": {"X-Key": "${API_KEY}"}})
    out = way(keyed, resolve=names(api_test="8.8.8.8"))
    with pytest.raises(Refused) as refused:
        await send(out.egress, "GET", "http://api.test/")
    assert refused.value.code == "in-clear"


# -- what a tool in the sandbox sends to the proxy


def plain(port: int, *lines: str, first: str = "") -> bytes:
    head = [first or f"GET http://{LOOPBACK}:{port}/ok HTTP/1.1", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1")


SMUGGLED = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: {host}", "Content-Length: 4", "Content-Length: 60"],
        ["Host: {host}", "Content-Length: 4, 60"],
        ["Host: {host}", "Content-Length: +4"],
        ["Host: {host}", "Content-Length: 0x4"],
        ["Host: {host}", "Content-Length: -1"],
        ["Host: {host}", "Transfer-Encoding: chunked"],
        ["Host: {host}", "Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Host: {host}", "Transfer-Encoding: xchunked"],
        ["Host: {host}", "Transfer-Encoding : chunked"],
        ["Host: {host}", "Transfer-Encoding\t: chunked"],
        ["Host: {host}", " Transfer-Encoding: chunked"],
        ["Host: {host}", "X: y\nTransfer-Encoding: chunked"],
        ["Host: {host}", "X: y\rTransfer-Encoding: chunked"],
        ["Host: {host}", "X: y\0"],
        ["Host: {host}", "X: \xe9"],
        ["Host: {host}", "X: y", "\tfolded: z"],
        ["Host: {host}", ": y"],
        ["Host: {host}", "no colon"],
        ["Host: {host}", "Host: elsewhere.test"],
        ["Host: elsewhere.test"],
        ["Host: elsewhere.test:{port}"],
        ["Host: {host}@elsewhere.test"],
        ["Host:"],
        [],
        ["X-Host: {host}"],
        ["Host: {host}", "Upgrade: websocket", "Connection: Upgrade"],
        ["Host: {host}", "Connection: close", "Connection: X"],
        ["Host: {host}", "Expect: 100-continue", "Content-Length: 4"],
        ["Host: {host}", "X-HTTP-Method-Override: DELETE"],
        ["Host: {host}", "X-Original-URL: /admin"],
        ["Host: {host}", "X-Rewrite-URL: /admin"],
        ["Host: {host}", "Authorization: a", "Authorization: b"],
    ],
)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(lines: list[str]) -> None:
    async with serving(answer(b"reached")) as server:
        out = way(here(server.port, methods=("GET", "POST"), paths=("/ok",)))
        async with proxying(out) as port:
            host = f"{LOOPBACK}:{server.port}"
            filled = [line.replace("{host}", host).replace("{port}", str(server.port)) for line in lines]
            said = await say(port, plain(server.port, *filled) + SMUGGLED.encode())
    assert said.startswith(b"HTTP/1.1 403 ")
    assert server.heard == []
    assert [state for state, _ in out.told] == ["refused"]


@pytest.mark.parametrize(
    "first",
    [
        "GET /ok HTTP/1.1", "GET http://{host}/ok HTTP/1.0", "GET http://{host}/ok HTTP/2", "GET http://{host}/ok",
        "get http://{host}/ok HTTP/1.1", "GET  http://{host}/ok HTTP/1.1", "GET http://{host}/ok  HTTP/1.1",
        "GET http://{host}/ok HTTP/1.1 ", "GET\thttp://{host}/ok HTTP/1.1", "GET https://{host}/ok HTTP/1.1",
        "GET http://{host}/ok#x HTTP/1.1", "GET http://u@{host}/ok HTTP/1.1", "GET {host} HTTP/1.1", "* * HTTP/1.1",
        "GET http://{host}/ok\nX: HTTP/1.1", "GET ftp://{host}/ok HTTP/1.1", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0",
        "GET http://{host}/ok/../admin HTTP/1.1", "GET http://{host}/ok/%2e%2e/admin HTTP/1.1",
        "GET http://{host}//ok HTTP/1.1", "GET http://{host}/ok;/../admin HTTP/1.1",
        "GET http://{host}/ok/..%2fadmin HTTP/1.1", "GET http://{host}/okay HTTP/1.1",
        "GET http://{host}/ok\\..\\admin HTTP/1.1", "DELETE http://{host}/ok HTTP/1.1",
        "TRACE http://{host}/ok HTTP/1.1", "CONNECT http://{host}/ HTTP/1.1", "CONNECT {host}/ HTTP/1.1",
        "CONNECT 127.0.0.1 HTTP/1.1", "CONNECT {host}:1 HTTP/1.1",
    ],
)  # fmt: skip
async def test_a_request_line_that_is_not_plain_is_refused(first: str) -> None:
    async with serving(answer(b"reached")) as server:
        out = way(here(server.port, paths=("/ok",)))
        async with proxying(out) as port:
            host = f"{LOOPBACK}:{server.port}"
            said = await say(port, plain(server.port, f"Host: {host}", first=first.replace("{host}", host)))
    assert said.startswith(b"HTTP/1.1 403 ")
    assert server.heard == []
    assert {state for state, _ in out.told} == {"refused"}


async def test_a_second_request_on_a_connection_reaches_nobody() -> None:
    async with serving(answer(b"reached")) as server:
        out = way(here(server.port, methods=("POST",)))
        host = f"{LOOPBACK}:{server.port}"
        first = f"POST {server.url}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n\r\nbody"
        second = f"POST {server.url}/second HTTP/1.1\r\nHost: {host}\r\n\r\n"
        async with proxying(out) as port:
            said = await say(port, (first + second).encode())
    assert said.count(b"HTTP/1.1") in (0, 1)  # 0: what was left unread resets the connection
    assert [request[-4:] for request in server.heard] == [b"body"]


async def test_an_answer_with_another_behind_it_is_not_handed_on() -> None:
    inner = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    split = answer(b"one", X_Evil="1") + inner
    async with serving(split) as server:
        out = way(here(server.port))
        async with proxying(out) as port:
            said = await say(port, plain(server.port, f"Host: {LOOPBACK}:{server.port}"))
    assert b"evil" not in said
    assert said.count(b"HTTP/1.1") == 1


# -- tunnels


@pytest.mark.parametrize("asks_for", ["elsewhere.test", "docs.test.evil.test", "a.docs.test", None])
async def test_a_tunnel_to_one_host_carries_no_tls_to_another(tmp_path: Path, asks_for: str | None) -> None:
    """Domain fronting: an allowed host in CONNECT, another one in the ClientHello."""
    server_tls, _ = certificate(tmp_path, "docs.test")
    async with serving(answer(b"inside"), tls=server_tls) as server:
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK))
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        async with proxying(out) as port:
            with pytest.raises((ssl.SSLError, OSError)):
                await tunnelled(port, f"docs.test:{server.port}", trust, asks_for, b"GET / HTTP/1.1\r\n\r\n")
            await out.until(2)
    assert server.names == []
    assert out.told == [("open", ""), ("refused", "sni")]


ENCRYPTED = b"\xfe\x0d\x00\x04\x00\x01\x02\x03"  # an encrypted ClientHello (RFC 9849)
SECOND_NAME = b"\x00\x00\x00\x0e\x00\x0c\x00\x00\x09evil.test"


def hello_with(extension: bytes) -> bytes:
    """A ClientHello for docs.test, and something more in it."""
    plain = hello("docs.test")
    message = plain[9:]
    at = 2 + 32
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    extensions = message[at + 2 :] + extension
    body = message[:at] + len(extensions).to_bytes(2, "big") + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return plain[:3] + len(handshake).to_bytes(2, "big") + handshake


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"GET /admin HTTP/1.1\r\nHost: docs.test\r\n\r\n", "tls"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "tls"),
        (b"\x80\x2e\x01\x00\x02" + b"\0" * 60, "tls"),  # SSL 2
        (b"\x16\x03\x01\xff\xff" + b"\0" * 60, "tls"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "tls"),
        (b"\x16\x03\x01\x00\x01\x01" * 20, "tls"),
        (b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + b"\0" * 20_000, "tls"),
        (hello_with(ENCRYPTED), "tls"),
        (hello_with(SECOND_NAME), "tls"),
        (b"\x17" + hello("docs.test")[1:], "tls"),
    ],
    ids=["http", "ssh", "ssl2", "long", "no hello", "pieces", "long hello", "ech", "two names", "no handshake"],
)  # fmt: skip
async def test_a_tunnel_carries_nothing_whose_host_cannot_be_seen(said: bytes, code: str) -> None:
    reached: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read())

    async with serving(listen) as server:
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK))
        async with proxying(out) as port:
            authority = f"docs.test:{server.port}"
            await say(port, f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode(), said)
            await out.until(2)
    assert reached in ([], [b""])
    assert out.told == [("open", ""), ("refused", code)]


# -- time and size


@pytest.mark.parametrize(
    "start", [b"", b"GET http://a", b"CONNECT docs.test:{port} HTTP/1.1\r\nHost: docs.test:{port}\r\n\r\n\x16\x03"]
)
async def test_a_client_that_says_nothing_more_is_hung_up_on(start: bytes) -> None:
    """Slow loris: `say` returns when the proxy hangs up, and not before."""
    async with serving(answer()) as server:
        bounds = Bounds(head_s=0.2, connect_s=5)
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK), bounds=bounds)
        async with proxying(out) as port:
            async with asyncio.timeout(60):
                await say(port, start.replace(b"{port}", b"%d" % server.port))


async def test_a_server_that_drips_is_left_in_time() -> None:
    gone = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nx")
        await reader.read()
        gone.set()

    async with serving(drip) as server:
        out = way(here(server.port))
        with pytest.raises(ToolError, match=r"within 0\.2 s"):
            await call(tool(out, timeout_s=0.2), url=server.url)
        await asyncio.wait_for(gone.wait(), 60)
        quick = way(here(server.port), bounds=Bounds(answer_s=0.2))
        async with proxying(quick) as port:
            said = await say(port, plain(server.port, f"Host: {LOOPBACK}:{server.port}"))
    assert said.startswith(b"HTTP/1.1 504 ")
    assert [line.state for line in out.attempts + quick.attempts] == ["open", "failed"] * 2


async def test_a_tunnel_without_a_byte_either_way_is_cut(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as server:
        bounds = Bounds(idle_s=0.2)
        out = way(here(server.port, "docs.test"), resolve=names(docs_test=LOOPBACK), bounds=bounds)
        async with proxying(out) as port:
            authority = f"docs.test:{server.port}"
            async with asyncio.timeout(60):
                await say(
                    port, f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode(), hello("docs.test")
                )
            await out.until(2)
    assert out.told[-1] == ("failed", "TimeoutError")


async def test_fifty_megabytes_are_not_read() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 52428800\r\n\r\n")
        while sent < 50 * 2**20:
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    async with serving(flood) as server:
        out = way(here(server.port), bounds=Bounds(received=2**20))
        page = await call(tool(out), url=server.url)
        assert page.count("x") <= 2**20 + 10
        assert '"cut":' in page
        async with proxying(out) as port:
            said = await say(port, plain(server.port, f"Host: {LOOPBACK}:{server.port}"))
    assert said.startswith(b"HTTP/1.1 502 ")
    assert all(line.received < 2 * 2**20 for line in out.attempts)


async def test_a_gigabyte_of_zeros_in_a_megabyte_is_not_unpacked() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)  # may stand any number of times
    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + megabyte * 1024 + packer.flush()
    assert len(bomb) < 2 * 2**20
    async with serving(answer(bomb, Content_Encoding="gzip")) as server:
        out = way(here(server.port))
        tracemalloc.start()
        try:
            page = await call(tool(out), url=server.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert '"cut":' in page
    assert peak < 100 * 2**20


async def test_a_head_without_end_is_refused() -> None:
    out = way()
    async with proxying(out) as port:
        await say(port, b"GET http://a.test/ HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
        assert (await out.until(1))[0].why.startswith("request: its head is longer")


# -- all of it, from within the sandbox

SCRIPT = """
ask() {
  exec 3<>/dev/tcp/127.0.0.1/"$1" && printf 'GET %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' "$2" "$3" >&3 && cat <&3
}
ask 3128 "http://$HOST/ok" "$HOST"
ask 3128 "http://$HOST/admin" "$HOST"
ask 3128 http://elsewhere.test/ elsewhere.test
ask "${HOST#*:}" /direct "$HOST" || echo "no way but the proxy"
"""


async def test_a_job_in_the_sandbox_has_the_proxy_as_its_only_way_out() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed: it connects without another program")
    try:
        launcher = await choose("bubblewrap")
    except ManifestError as error:
        pytest.skip(f"bubblewrap does not start here: {error.what}")
    async with serving(answer(b"the page")) as server:
        out = way(here(server.port, paths=("/ok",)))
        try:
            async with Proxy(out.egress, run="r1") as proxy:
                env = {"HOST": f"{LOOPBACK}:{server.port}", "PATH": "/usr/bin:/bin"}
                process = await launcher.start(Job(argv=(bash, "-c", SCRIPT), env=env, egress=proxy))
                said = (await process.stdout.read()).decode()
                assert await process.wait() == "exit 0"
        finally:
            launcher.close()
    assert "the page" in said
    assert "/admin of 127.0.0.1 may not be asked for" in said
    assert "elsewhere.test may not be reached" in said
    assert said.endswith("no way but the proxy\n")
    assert len(server.heard) == 1
    assert out.told == [("open", ""), ("done", ""), ("refused", "path"), ("refused", "host")]
