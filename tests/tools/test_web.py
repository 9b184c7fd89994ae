"""`web.fetch`, and what it makes of a page."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from ringfence.app.grants import _fetches
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


async def fetch(out: Way, url: str, **more: str) -> Any:
    outcome = await tool(out).sink.perform(Action("tool:web.fetch", {"url": url, **more}, IDENTITY, run="r1"))
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


HOME = b"<a href=/outages#today>Outages</a><a href=//other.test/x>Other</a><a href='/more?a=1&amp;b=2'>More</a>"


async def test_a_link_of_a_page_is_gone_on_to_and_what_is_no_link_of_it_is_not() -> None:
    pages = {"/": HOME, "/outages": b"<p>until 14:30</p>", "/more?a=1&b=2": b"<p>more</p>", "/admin": b"<p>secret</p>"}
    paths: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paths.append((await heard(reader)).split()[1].decode())
        writer.write(answer(pages.get(paths[-1], b""), kind="text/html", status=200 if paths[-1] in pages else 404))
        await writer.drain()

    async with serving(serve) as server:
        out = way(here(server.port), here(80, "other.test"))
        assert (await fetch(out, server.url, follow=f"{server.url}/outages"))["text"] == "until 14:30"
        assert (await fetch(out, server.url, follow=f"{server.url}/more?a=1&b=2"))["text"] == "more"
        paths.clear()
        for link in (f"{server.url}/admin", "http://other.test/x", "/outages", f"{server.url}/more?a=1"):
            with pytest.raises(ToolError, match="has no link to"):
                await fetch(out, server.url, follow=link)
        with pytest.raises(ToolError, match="has no link to"):
            await fetch(out, f"{server.url}/none", follow=f"{server.url}/outages")
    assert set(paths) == {"/", "/none"}


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"gr\xfc\xdfe", "text/plain; charset=iso-8859-1", "grüße"),
        ("grüße".encode(), "text/plain", "grüße"),
        ("\ufeffgrüße".encode("utf-16-le"), "text/csv; charset=utf-8", "grüße"),
        ("\ufeffgrüße".encode(), 'text/markdown;charset="latin1"', "grüße"),
        (b"\xff\xfeg", "text/plain; charset=utf-8", "\ufffd"),
        (b"a\xffb", "text/plain; charset=none-such", "a\ufffdb"),
        (b"gr\xfc\xdfe, 5 \x80", "text/csv", "grüße, 5 €"),
        (b"5 \x80, it\x92s", "text/plain; charset=iso-8859-1", "5 €, it’s"),
        (
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>",
            "text/xml",
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>",
        ),
        ("grü".encode()[:-1], "text/plain", "gr\ufffd"),
        (b"BEGIN:VCALENDAR", "text/calendar", "BEGIN:VCALENDAR"),
        (b"a\tb", "text/tab-separated-values", "a\tb"),
        (b'{"a": 1}\n{}', "application/x-ndjson", '{"a": 1}\n{}'),
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


@pytest.mark.parametrize(
    ("body", "kind", "note"),
    [
        (b"<div id=app></div><script>go()</script>", "text/html", "a program in it writes it, and is not run"),
        (b"<p> </p>", "text/html", "the page has no text of its own"), (b" \n", "text/plain", "the page is empty"),
        (b"", "", "the page is empty"),
    ],
)  # fmt: skip
async def test_a_page_without_a_text_says_so(body: bytes, kind: str, note: str) -> None:
    got = await page(body, kind)
    assert got["text"].strip() == ""
    assert got["note"].endswith(note)


async def test_a_page_that_a_program_writes_tells_what_it_says_of_itself() -> None:
    data = '<script type="application/ld+json">{"name": "Kettle", "offers": {"price": "39.90"}}</script>'
    got = await page(f"<h1>Kettle</h1>{data}<script type=application/ld+json>no</script>".encode())
    assert got["data"] == [{"name": "Kettle", "offers": {"price": "39.90"}}]
    assert "data" not in await page(f"<p>{'words ' * 200}</p>{data}".encode())
    assert "data" not in await page(data.replace("Kettle", "x" * 9_000).encode())


async def test_a_page_that_only_moves_on_says_where_to() -> None:
    got = await page(b"<meta http-equiv=refresh content='0; url=/new?a=1&amp;b=2'>")
    assert [(link["text"], link["url"].partition("/new")[2]) for link in got["links"]] == [
        ("the page moves on to this one", "?a=1&b=2")
    ]


async def test_the_way_to_the_next_page_is_told_however_many_links_stand_before_it() -> None:
    items = "".join(f"<a href=/i/{n}>Item {n}</a>" for n in range(50))
    got = await page(f"{items}<a href=/?p=2>Next page</a><a href=/?p=9>9</a><a href=/about>About</a>".encode())
    assert [link["text"] for link in got["links"]] == [*(f"Item {n}" for n in range(28)), "Next page", "9"]
    assert got["links_left_out"] == 23


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
    assert {404: "address", 500: "later", 403: "nobody", 401: "login"}[status] in error.value.todo


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
    assert spec.roles == {"url": Role.CONTROL, "follow": Role.LOW}  # which link: never where to
    assert _fetches(spec)  # and is granted to a question that names a page
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
        ("<tr><th>A<th>B<th>C<tr><td colspan=2>x<td rowspan=2>y<tr><td>1<td>2",
         "A | B | C\nA, B: x | C: y\nA: 1 | B: 2 | C: y"),
        ("<tbody><tr><td rowspan=9>Mon<td>1</tbody><tbody><tr><td>Tue<td>2", "Mon | 1\nTue | 2"),
        ("<tr><td rowspan=2>" + "x" * 30_000 + "<td>1<tr><td>2", "x" * 30_000 + " | 1\n2"),
        ("<dl><dt>Prices<dd><table><tr><th>a<th>b<th>c<tr><td>1<td>2<td>3</table></dl>",
         "Prices\na | b | c\na: 1 | b: 2 | c: 3"),
        ("<dl><dt>Deposit</dt><dd>50</dd><dt>Helmet<dd>free</dl>x", "Deposit: 50\nHelmet: free\nx"),
        ("<dl><dt>A<dt>B<dd><p>one<p>two</dl>", "A, B: one\ntwo"), ("<dl><dt>A</dl><p>x", "A\nx"),
        ("<dl><dt>A", "A"), ("<dl><dt>A</dl>", "A"), ("<dd>x</dd>y", "x\ny"),
        ("<a title='>'>x</a>", "x"), ('<p title="<script>">x', "x"), ("<td>a<td>b", "a | b"), ("<li><li>x", "- x"),
        ("<h2>x</h2>", "## x"), ("<pre> a\n\n  b </pre>c", " a\n\n  b \nc"), ("<textarea><b>x</textarea>y", "y"),
    ],
)  # fmt: skip
def test_html_is_read_as_a_person_would(html: str, text: str) -> None:
    assert readable(html).text == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<tr><th rowspan=2>Room<th colspan=2>Summer<th>Winter<tr><th>Single<th>Double<th>Single"
            "<tr><td>Sea<td>80<td>120<td>60",
            "Room | Summer Single | Summer Double | Winter Single\n"
            "Room: Sea | Summer Single: 80 | Summer Double: 120 | Winter Single: 60",
        ),
        (
            "<tr><th>Day<th>Time<th>Class<tr><td rowspan=2>Mon<td>9<td>Yoga<tr><td colspan=2>closed",
            "Day | Time | Class\nDay: Mon | Time: 9 | Class: Yoga\nDay: Mon | Time, Class: closed",
        ),
        (
            "<tr><th colspan=3>2025<tr><th>Item<th>S<th>L<tr><th colspan=3>Coffee<tr><td>Latte<td>3<td>4",
            "2025\nItem | S | L\nCoffee\nItem: Latte | S: 3 | L: 4",
        ),
        ("<tr><td><th>Basic<th>Pro<tr><th>Price<td>5<td>9", "| Basic | Pro\nPrice | Basic: 5 | Pro: 9"),
        ("<thead><tr><td>A<td>B<td>C</thead><tr><td>1<td><td>3", "A | B | C\nA: 1 | B: | C: 3"),
        ("<tr><th>A<th>B<th>C<tr><td>1<td>2<td>3<tr><th>D<th>E<th>F<tr><td>4<td>5<td>6",
         "A | B | C\nA: 1 | B: 2 | C: 3\nD | E | F\nD: 4 | E: 5 | F: 6"),
        ("<tr><th>A<th>B<th>C<tr><th>1<th>2<th>3<tr><th>4<th>5<th>6",
         "A | B | C\nA: 1 | B: 2 | C: 3\nA: 4 | B: 5 | C: 6"),
        (
            "<tr><th><p>Day</p><th>Open<br>hours<th>Note<tr><td><p>Mon</p><td><p>9-12</p><p>14-18</p><td><ul><li>a<li>b</ul>",
            "Day | Open hours | Note\nDay: Mon | Open hours: 9-12; 14-18 | Note: a; b",
        ),
        (
            "<tr><th>Room<th>Price<th>View<tr><td>101<td><table><tr><td>low<td>80<tr><td>high<td>120</table><td>sea</table>x",
            "Room | Price | View\nRoom: 101 | Price: low, 80; high, 120 | View: sea\nx",
        ),
        (
            "<table><tr><td><table><tr><td>Mon<td>9<tr><td>Tue<td>8</table><td>one<td>two</table>",
            "Mon | 9\nTue | 8\none | two",
        ),
        ("<table><tr><td><h2>News</h2><p>one<p>two<td>side</table>", "## News\none\ntwo\nside"),
        ("<table><caption>In EUR</caption><tr><td>a<td>1</table>", "In EUR\na | 1"),
    ],
)  # fmt: skip
def test_each_cell_of_a_table_stays_in_its_row_and_below_its_names(html: str, text: str) -> None:
    assert readable(html).text == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Now <s>25 EUR</s> <ins>19 EUR</ins>", "Now (crossed out: 25 EUR) 19 EUR"),
        ("<b>5</b><b>0</b> EUR, <em>Mc</em><em>Donald</em>, <span>3</span><span>rd</span>", "50 EUR, McDonald, 3rd"),
        ("10<sup>12</sup> EUR, 12<sup>99</sup> EUR", "10^12 EUR, 12.99 EUR"),
        ("was <s>20</s>, now 15", "was (crossed out: 20), now 15"),
        ("<span style='text-decoration: line-through'>20</span> 15", "(crossed out: 20) 15"),
        ("<dl><dt>A<dd></dd><dt>B<dd>2</dl>", "A\nB: 2"), ("<b>Zone A</b><b>Zone B</b>", "Zone A Zone B"),
        ("<strike>10</strike>12", "(crossed out: 10) 12"), ("<td><del>9<td>8", "(crossed out: 9) | 8"),
        ("<del><p>a<p>b</del>c", "(crossed out: a\nb) c"), ("<s></s>x", "x"), ("<s>x", "(crossed out: x)"),
        ("<div style='display: none'><div>1</div><p>2</div>3", "(not shown at first: 1\n2)\n3"),
        ("<p hidden>1<p>2", "(not shown at first: 1)\n2"), ("<p hidden>1<div>2", "(not shown at first: 1)\n2"),
        ("<dialog>1</dialog><dialog open>2</dialog>", "(not shown at first: 1)\n2"),
        ("<div hidden><table><tr><td>a<td>b</table></div>c", "(not shown at first:\na | b)\nc"),
        ("<p title='a hidden one'>1", "1"), ("<div hidden=until-found>1</div>", "1"), ("<b hidden></b>x", "x"),
        ("1875<sup><a href='#n'>2</a></sup> 10<sup>6</sup> m<sup>2</sup> 5<sup>th</sup> 1<sup>[3]</sup>",
         "1875 [2] 10^6 m2 5th 1[3]"),
        ("$12<sup>99</sup>, 7<sup>50</sup> EUR", "$12.99, 7.50 EUR"),
        ("<li><span>Zone 4</span><span>12</span><b>Mon</b>", "- Zone 4 12 Mon"),
        ("<a href=/>Home</a><a href=/b>Shop</a> <code><b>x</b><b>1</b></code>", "Home Shop x1"),
        ("<b>H</b><i>ello</i>", "Hello"),
        ("Size <select><option>S<option selected>M<option disabled>L</select>!",
         "Size [choices: S; M (chosen); L (not available)] !"),
        ("<select>" + "<option>x" * 25, "[choices: " + "x; " * 20 + "5 more]"), ("<select></select>x", "x"),
        ("<select><option>a<p>b", "[choices: a]\nb"),
        ("<input type=radio> A <input type=checkbox checked> B <input value=7> <input type=hidden value=8>",
         "[ ] A [x] B [7]"),
        ("Stars: <img alt='3 of 5'> <img alt=''> <i role=img aria-label=warm></i>",
         "Stars: [image: 3 of 5] [image: warm]"),
        ("<progress value=70 max=100></progress>", "[70 of 100]"),
        ("<time datetime=2025-06-01>yesterday</time>, <time datetime=2025-06-02>2 June</time>",
         "yesterday (2025-06-01), 2 June"),
        ("<ol start=3><li>a<ul><li>b</ul><li>c</ol><li>d", "3. a\n  - b\n4. c\n- d"), ("<li><p>x", "- x"),
        ("<dl><dt>Mon<dd>9-12<dd>14-17<dt>Sat<dt>Sun<dd>closed</dl>", "Mon: 9-12\nMon: 14-17\nSat, Sun: closed"),
        ("<a href='mailto:a%2Bb@c.de?subject=x'>write</a> <a href=tel:+493055>030 55</a>", "write (a+b@c.de) 030 55"),
        ("<nav><a href=tel:+4930>Call</a><svg><text>12 x</text></svg><b>Page 2 of 9</b></nav>",
         "Call (+4930)\nPage 2 of 9"),
    ],
)  # fmt: skip
def test_what_a_person_sees_of_a_page_is_in_its_text(html: str, text: str) -> None:
    assert readable(html).text == text


def test_the_names_of_columns_do_not_make_a_page_much_longer() -> None:
    html = f"<tr><th colspan=99>{'x' * 9_000}<th>y" + f"<tr>{'<td>1' * 100}" * 40
    assert len(readable(html).text) < 3 * len(html)


def test_a_link_without_a_text_is_called_what_it_says_and_leads_from_where_the_page_says() -> None:
    html = "<base href=/docs/><a href=2 aria-label='Next page'><svg/></a>"
    html += "<a href=/3><img alt=Last></a><a href=4 title=x></a>"
    assert readable(html).links == [("Next page", "/docs/2"), ("Last", "/3"), ("x", "/docs/4")]


def test_the_links_of_a_nav_count_and_its_words_do_not() -> None:
    html = (
        "<nav>Menu<ul><li><a href='/a'>A <b>b</b></a><li><a href=/c><script>x<y</script>C<svg><title>i</title></svg>"
        "</nav><a href=/d>d</a> <nav><a href=/e>lost"
    )
    assert readable(html) == ("", "d", [("A b", "/a"), ("C", "/c"), ("d", "/d")])


BAD = [
    "<a ", "<!--", "<a \"<a '", "<", "</", "<script>", "<![CDATA[", "<a href=", "&#", "<a><p>", "<pre>", "<!-",
    "<!----", "x<td>", "<nav>", "<title>", " ", "<a href ", "/href\t", "<a href=x>y <i>", "<li>", "</nav>",
    "<svg></svg", "&amp", "\n<br>", "<td rowspan=9999>x<tr>", "<dt>x<dd>", "<s>x", "<s>x</s>",
    "<b style='text-decoration:x",
    "<div hidden>x", "<sup>1</sup>", "<select><option>x", "<option>x", "<table><td>x", "<td colspan=99>x", "<ol><li>x",
    "<b>x</b>", "1<sup>", "<nav>1", "<nav>1 ", "<h2>", "<input checked type=radio>", "<time datetime=x>y", "$1", "$1^",
    "<th colspan=99>x<tr>", "<a href=mailto:x>y</a>", "<p hidden>x", "<img alt=x>", "<td><table>", "a=", "<p a",
    "<nav><a href=x>y", "<nav></nav><a>", "<dt>",
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
