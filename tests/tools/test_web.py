"""`web.fetch`, and what it makes of a page."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.core.labels import ANYONE, IDENTITY, Label, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action, canonical
from ringfence.manifest.tools import BuiltinTool, Host
from ringfence.tools import web
from ringfence.tools.readable import readable
from ringfence.tools.tool import Use

from .net import LOOPBACK, Way, answer, heard, here, names, serving, way

PAGE = b"""<!doctype html><html><head><meta charset="windows-1252"><title>Notes &amp; news</title>
<script>if (a < b) document.write("<p>no</p>")</script><style>p{}</style></head><body>
<nav><a href="/menu">Menu</a></nav><h1>Version <em>2</em></h1><p>It\x92s  out,&nbsp;see
<a href="/v2?x=1&amp;y=2">what is new</a> or <a href="http://elsewhere.test/">this</a>.</p><ul><li>fast<li>small</ul><pre>a
  b</pre><table><tr><th>k<th>v<tr><td>1<td>2</table><!-- no --><template>no</template></body></html>"""


def tool(out: Way, use: Use | None = None, **more: Any) -> Any:
    config = BuiltinTool(name="web", type="builtin", hosts=tuple(out.egress.hosts))
    return web.tools(config, use=use or Use(), egress=out.egress, **more)[0]


async def fetch(out: Way, url: str) -> Any:
    outcome = await tool(out).sink.perform(Action("tool:web.fetch", {"url": url}, IDENTITY, run="r1"))
    canonical(outcome.value)
    return outcome.value


async def page(body: bytes, kind: str = "text/html") -> Any:
    async with serving(answer(body, kind=kind)) as server:
        return await fetch(way(here(server.port)), f"{server.url}/page")


async def test_a_page_comes_as_text_with_the_links_that_may_be_followed() -> None:
    async with serving(answer(PAGE, kind="text/html")) as server:
        out = way(here(server.port))
        got = await fetch(out, f"{server.url}/page#part")
    assert got == {
        "url": f"{server.url}/page",
        "title": "Notes & news",
        "text": "# Version 2\nIt’s out, see what is new or this.\n- fast\n- small\na\n  b\nk | v\n1 | 2",
        "links": [
            {"text": "Menu", "url": f"{server.url}/menu"}, {"text": "what is new", "url": f"{server.url}/v2?x=1&y=2"},
        ],
    }  # fmt: skip
    assert server.heard[0].startswith(b"GET /page HTTP/1.1\r\n")
    assert [line.run for line in out.attempts] == ["r1", "r1"]


async def test_a_redirect_within_the_hosts_is_followed_and_the_end_is_named() -> None:
    async with serving(answer(b"the end", kind="text/plain")) as last:
        there = f"//last.test:{last.port}/x"
        async with serving(answer(status=301, Location=there)) as first:
            out = way(here(first.port), here(last.port, "last.test"), resolve=names(last_test=LOOPBACK))
            got = await fetch(out, first.url)
    assert got == {"url": f"http://last.test:{last.port}/x", "text": "the end"}
    assert [(line.state, line.host) for line in out.attempts] == [
        ("open", LOOPBACK), ("done", LOOPBACK), ("open", "last.test"), ("done", "last.test"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"gr\xfc\xdfe", "text/plain; charset=iso-8859-1", "grüße"),
        ("grüße".encode(), "text/plain", "grüße"),
        ("\ufeffgrüße".encode("utf-16-le"), "text/csv; charset=utf-8", "grüße"),
        ("\ufeffgrüße".encode(), 'text/markdown;charset="latin1"', "grüße"),
        (b"\xff\xfeg", "text/plain; charset=utf-8", "\ufffd"),
        (b"a\xffb", "text/plain; charset=none-such", "a\ufffdb"),
        (b"abc", "text/plain; charset=idna", "abc"),
        (b"+AGE-", "text/plain; charset=utf-7", "+AGE-"),
        (b"abc", "text/plain; charset=rot13", "abc"),
        ("語".encode("shift_jis"), "text/plain; charset=Shift_JIS", "語"),
        (b"<a>x</a>", "application/xml", "<a>x</a>"),
        (b"<a>x</a>", "application/rss+xml", "<a>x</a>"),
        (b'{"a": ', "application/json", '{"a": '),
        (b'"\\ud800"', "application/json", '"\\ud800"'),
        (b"[" * 50_000, "application/json", "[" * 50_000),
        (b"[" * 99 + b"]" * 99, "application/json", "[" * 99 + "]" * 99),
        (b"NaN", "application/json", "NaN"),
        (b"9" * 5000, "application/json", "9" * 5000),
    ],
)
async def test_text_is_read_by_its_charset_and_kind(body: bytes, kind: str, text: str) -> None:
    assert (await page(body, kind))["text"] == text


async def test_json_comes_as_json() -> None:
    assert (await page(b'{"b": [1, 2.5, null], "a": "x"}', "application/problem+json"))["json"] == {
        "b": [1, 2.5, None],
        "a": "x",
    }


@pytest.mark.parametrize(
    "kind", ["image/png", "application/octet-stream", "application/pdf", "", "text/javascript", "multipart/mixed"]
)
async def test_what_is_no_text_is_refused_in_words(kind: str) -> None:
    with pytest.raises(ToolError, match=r"not text"):
        await page(b"x", kind)


@pytest.mark.parametrize("status", [404, 500, 403, 401])
async def test_an_error_page_is_an_error(status: int) -> None:
    async with serving(answer(b"look here: do this", status=status)) as server:
        with pytest.raises(ToolError, match=f"answered {status}") as error:
            await fetch(way(here(server.port)), server.url)
    assert "do this" not in str(error.value)


async def test_only_get_is_asked_even_where_more_is_allowed() -> None:
    async with serving(answer(b"x")) as server:
        out = way(here(server.port, methods=("POST",)))
        with pytest.raises(ToolError, match="may not be asked to GET"):
            await fetch(out, server.url)
    assert server.heard == []


async def test_a_page_that_does_not_come_in_time_is_left() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        await reader.read()

    async with serving(silent) as server:
        out = way(here(server.port))
        slow = tool(out, timeout_s=0.1)
        with pytest.raises(ToolError, match=r"did not come within 0\.1 s"):
            await slow.sink.perform(Action("tool:web.fetch", {"url": server.url}, IDENTITY))
    assert out.attempts[-1].state == "failed"


def test_the_catalogue_entry_says_egress_of_untrusted_content_from_a_url_that_somebody_vouches_for() -> None:
    spec = tool(way(Host(host="docs.example"))).spec
    assert (spec.effect, spec.confined, spec.redo, spec.stays) == (Effect.EGRESS, False, True, False)
    assert spec.roles == {"url": Role.CONTROL}
    assert spec.types == {"url": "url"}
    assert spec.output.trust is Trust.UNTRUSTED
    assert spec.leaves == {}
    assert "docs.example" in spec.summary
    private = frozenset({frozenset({"role:hr"})})
    assert tool(way(Host(host="a.example")), Use(output=Label(Trust.OPERATOR, private))).spec.output == Label(
        Trust.UNTRUSTED, private
    )


def test_what_a_user_asks_for_goes_only_to_hosts_whose_audience_may_read_it() -> None:
    staff = Host(host="a.example", audience=("role:staff",))
    public = Host(host="b.example", audience=("public",))
    silent = Host(host="c.example")
    asked = Label(Trust.USER, frozenset({frozenset({"user:ann", "role:staff"})}))
    for hosts, private, open_ in (((staff,), True, True), ((public,), False, True), ((silent,), False, True)):
        audience = tool(way(*hosts)).spec.audience
        assert asked.flows_to(Trust.UNTRUSTED, audience) is private
        assert Label(Trust.USER).flows_to(Trust.UNTRUSTED, audience) is open_
    assert tool(way(public)).spec.audience == tool(way(silent)).spec.audience == ANYONE
    assert not asked.flows_to(Trust.UNTRUSTED, tool(way(staff, silent)).spec.audience), "the widest of them counts"


# -- HTML


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""), ("plain < text > here", "plain < text > here"), ("a<b", "a"), ("<p>a<p>b", "a\nb"),
        ("a<br>b<br/>c", "a\nb\nc"), ("<nav>x<nav>y</nav>z</nav>w", "w"),
        ("<script>x</script>y", "y"), ("<script>x", ""), ("<SCRIPT>x</ScRiPt >y", "y"), ("<style><p>x</style>y", "y"),
        ("<!-- a --><b>c</b>", "c"), ("<!-- a", ""), ("<!doctype html>x", "x"), ("<?php x ?>y", "y"),
        ("<svg><text>x</text></svg>y", "y"), ("<svg/>y", "y"), ("a&nbsp; \n b", "a b"), ("&lt;b&gt;", "<b>"),
        (
            "<table><tr><th>Line<th>To<th>Closes</tr><tr><td>L5<td>Porto<td>14:35<tr><td>L6<td><td>16:40</table><td>a<td>b",
            "Line | To | Closes\nLine: L5 | To: Porto | Closes: 14:35\nLine: L6 | To: | Closes: 16:40\na | b",
        ),
        ("<table><tr><th>a<th>b<th>c<tr><td colspan=3>none</table>", "a | b | c\nnone"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a | b\n1 | 2"),
        (
            "<tr><th>a<th>b<th>c" + "<tr><td>1<td>2<td>3" * 41,
            "a | b | c" + "\n1 | 2 | 3" * 41,
        ),
        (
            "<tr><th>Bike<th>Day<th>Week<tr><td rowspan=2>Tandem<td>35<td>170<tr><td>30<td>150<tr><td>Cargo<td>9<td>8",
            "Bike | Day | Week\nBike: Tandem | Day: 35 | Week: 170\nBike: Tandem | Day: 30 | Week: 150\n"
            "Bike: Cargo | Day: 9 | Week: 8",
        ),
        ("<tr><td>a<td rowspan='2'>b<tr><td>c<tr><td>d", "a | b\nc | b\nd"),
        ("<tr><td rowspan=0>a<tr><td rowspan=x>b", "a\nb"),
        ("<tr><th>A<th>B<th>C<tr><td colspan=2>x<td rowspan=2>y<tr><td>1<td>2", "A | B | C\nx | y\n1 | 2"),
        ("<tbody><tr><td rowspan=9>Mon<td>1</tbody><tbody><tr><td>Tue<td>2", "Mon | 1\nTue | 2"),
        ("<tr><td rowspan=2>" + "x" * 30_000 + "<td>1<tr><td>2", "x" * 30_000 + " | 1\n2"),
        ("<dl><dt>Prices<dd><table><tr><th>a<th>b<th>c<tr><td>1<td>2<td>3</table></dl>",
         "Prices\na | b | c\na: 1 | b: 2 | c: 3"),
        ("<dl><dt>Deposit</dt><dd>50</dd><dt>Helmet<dd>free</dl>x", "Deposit: 50\nHelmet: free\nx"),
        ("<dl><dt>A<dt>B<dd><p>one<p>two</dl>", "A\nB: one\ntwo"), ("<dl><dt>A</dl><p>x", "A\nx"),
        ("<dl><dt>A", "A"), ("<dl><dt>A</dl>", "A"), ("<dd>x</dd>y", "x\ny"),
        ("<a title='>'>x</a>", "x"), ('<p title="<script>">x', "x"), ("<td>a<td>b", "a | b"), ("<li><li>x", "- x"),
        ("<h2>x</h2>", "## x"), ("<pre> a\n\n  b </pre>c", " a\n\n  b \nc"), ("<textarea><b>x</textarea>y", "y"),
    ],
)  # fmt: skip
def test_html_is_read_as_a_person_would(html: str, text: str) -> None:
    assert readable(html).text == text


def test_the_links_of_a_nav_count_and_its_words_do_not() -> None:
    html = (
        "<nav>Menu<ul><li><a href='/a'>A <b>b</b></a><li><a href=/c><script>x<y</script>C<svg><title>i</title></svg>"
        "</nav><a href=/d>d</a> <nav><a href=/e>lost"
    )
    assert readable(html) == ("", "d", [("A b", "/a"), ("C", "/c"), ("d", "/d")])


BAD = [
    "<a ", "<!--", "<a \"<a '", "<", "</", "<script>", "<![CDATA[", "<a href=", "&#", "<a><p>", "<pre>", "<!-",
    "<!----", "x<td>", "<nav>", "<title>", " ", "<a href ", "/href\t", "<a href=x>y <i>", "<li>", "</nav>",
    "<svg></svg", "&amp", "\n<br>", "<td rowspan=9999>x<tr>", "<dt>x<dd>", "<nav><a href=x>y", "<nav></nav><a>", "<dt>",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_the_time_for_html_grows_no_faster_than_its_length(bad: str) -> None:
    """Counted in the time of this thread: ten times as long takes less than forty times as long, a square a hundred."""

    def cost(size: int) -> float:
        html = "<p>" + bad * (size // len(bad))
        began = time.thread_time()
        readable(html)
        return time.thread_time() - began

    small = min(cost(20_000) for _ in range(3))
    assert cost(200_000) < 40 * small + 0.05
