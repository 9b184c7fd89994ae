"""`web.fetch`: a page of a host that the manifest names, as text.

Asking for a page tells its server something, so a fetch is egress: the URL has to be one that somebody vouches for
(POL-4), and everything that shaped it has to be meant for whoever sees it (POL-5). Who that is, the manifest says with
`audience` beside the host: a host that says nothing takes public content only, which what a user asks for is not.

    hosts: [{host: wiki.corp, private: true, audience: [role:staff]}, {host: docs.python.org, audience: [public]}]
"""

from __future__ import annotations

import asyncio
import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from html import unescape
from typing import Annotated

from pydantic import Field

from ringfence import tracing
from ringfence.core.errors import ToolError
from ringfence.core.labels import Audience, Label, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import JSON, Action, Outcome, canonical
from ringfence.manifest.fields import loopback
from ringfence.manifest.tools import BuiltinTool, Host

from .egress import Egress, Refusal, Refused, Reply, Target, send
from .egress.names import MAX_URL
from .readable import readable
from .spread import spread
from .tags import linked_data
from .tool import LINK_OF_URL, Args, Tool, Use, parse, specify
from .workshop import audience_of

TIMEOUT_S = 15.0  # in all, redirects included
MAX_REDIRECTS = 5
MAX_LINKS = 30
MAX_PAGING = 10  # of these, that lead to more of the same
MAX_LOOKED = 2_000  # links of a page
MAX_DEPTH = 64  # of JSON
LITTLE, MAX_DATA = 500, 8_000  # characters of a page's text beside which its data for programs is told; of that data
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = {"Accept": "text/html, text/plain, application/json, application/xml;q=0.9, text/*;q=0.8"}
_TEXT = re.compile(
    r"text/(html|plain|(x-)?markdown|csv|xml|json|calendar|vcard|tab-separated-values|(x-)?yaml)|"
    r"application/(xhtml\+xml|json|xml|yaml|toml|x-ndjson|jsonl|[\w.-]+\+(json|xml))"
)
_PAGING = re.compile(  # of a link that leads to more of the same, which stands below a list that may be long
    r"\W*(next|older|more|load more|show (more|all)|last|weiter|n\u00e4chste|mehr|suivant|siguiente|\d{1,4})\b.{0,20}"
    r"|[\u203a\u00bb>]+",
    re.IGNORECASE,
)
_REFRESH = re.compile(
    r"<meta[^>]{1,200}?http-equiv\s*=\s*[\"']?refresh[^>]{1,200}?url\s*=\s*['\"]?([^'\"\s>]{1,2000})", re.IGNORECASE
)
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{1,100}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})")
_WIDER = {  # what browsers read these as: pages declare the smaller one and write the euro sign all the same
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "shift_jis": "cp932", "gb2312": "gb18030",
    "gbk": "gb18030", "euc_kr": "cp949",
}  # fmt: skip
_TODO = {401: "it wants a login: try another page", 403: "it lets nobody in: try another page", 429: "try again later"}
_CHARSETS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-\d+|cp(125\d|874|932|949)|koi8-[ru]|shift_jis|euc_\w+|gb\w+|big5"
)


Check = Callable[[Mapping[str, JSON]], Mapping[str, JSON]]


class FetchArgs(Args):
    """Arguments of web.fetch."""

    url: Annotated[str, Field(max_length=MAX_URL, description="the page's address, such as https://host/page")]
    follow: Annotated[
        str,
        Field(
            max_length=MAX_URL,
            description="the address of a page of the same site that this one links to, and that is meant",
            json_schema_extra=LINK_OF_URL,
        ),
    ] = ""


def tools(config: BuiltinTool, *, use: Use, egress: Egress, timeout_s: float = TIMEOUT_S) -> list[Tool]:
    """The tool `web.fetch`. `egress` is made of the same hosts as `config` has."""
    spec = specify(
        "web.fetch",
        f"Fetch one page as text. Reaches only: {', '.join(dict.fromkeys(host.host for host in config.hosts))}.",
        FetchArgs,
        use=untrusted(use),
        effect=Effect.EGRESS,
        idempotent=True,  # RFC 9110 9.2.1: GET is safe
        roles={"url": Role.CONTROL, "follow": Role.LOW},
        types={"url": "url"},
        audience=_audience(config.hosts),
        repeats=1,  # what it said is on record; one that failed may be fetched again
        suits=r"https?://",
    )
    return [Tool(replace(spec, check=reachable(spec.check, egress, "GET")), _Fetch(egress, timeout_s))]


def _audience(hosts: Sequence[Host]) -> Audience | None:
    """As declared; who asks, for pages of this very machine, as for a model server there (ADR 0003)."""
    here = all(host.audience is None and loopback(f"//{host.host}") for host in hosts)
    return None if here else audience_of(hosts)


def reachable(check: Check, egress: Egress, method: str) -> Check:
    """A `SinkSpec.check` that refuses what `hosts` does not name: nobody is asked about a call that cannot be made."""

    def checked(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
        full = check(args)
        try:
            target = Target.parse(str(full["url"]))
        except Refused as refused:
            raise ValueError(refused.what) from None
        decided = egress.decide(target.host, target.port, str(full.get("method", method)), target.path)
        if isinstance(decided, Refusal):
            raise ValueError(decided.why)
        return full

    return checked


def untrusted(use: Use) -> Use:
    """Nobody vouches for what a server answers, whatever the group says."""
    return replace(use, output=use.output.join(Label(Trust.UNTRUSTED)))


class _Fetch:
    def __init__(self, egress: Egress, timeout_s: float) -> None:
        self._egress = egress
        self._timeout_s = timeout_s

    async def perform(self, action: Action) -> Outcome:
        args = parse(FetchArgs, action.args)
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await self._follow(args.url, action.run)
                if args.follow:
                    link = await asyncio.to_thread(self._link, reply, args.follow)
                    reply = await self._follow(link, action.run)
                return Outcome(await asyncio.to_thread(self._read, reply))
        except TimeoutError:
            raise ToolError(f"the page did not come within {self._timeout_s:g} s", todo="try another page") from None

    async def _follow(self, url: str | Target, run: str) -> Reply:
        """The page at the end of the redirects: each is a request of its own, decided and recorded anew."""
        for _ in range(MAX_REDIRECTS + 1):
            reply = await send(self._egress, "GET", url, headers={**_ACCEPT, **tracing.outward()}, run=run)
            location = reply.header("location")
            if reply.status not in _REDIRECTS or not location:
                return reply
            try:
                url = reply.target.join(location)
            except Refused as refused:
                raise self._egress.refuse(refused, "GET", run=run) from None
        raise ToolError(f"the page redirects more than {MAX_REDIRECTS} times", todo="try another page")

    def _link(self, reply: Reply, wanted: str) -> Target:
        """The page that this one links to, of its own site: its server sends us there, as by a redirect.

        Raises ToolError where it has no such link.
        """
        base, links = reply.target, list[tuple[str, str]]()
        kind, text = content(reply) if 200 <= reply.status < 300 and reply.body else ("", "")
        if kind.endswith("html") or kind == "application/xhtml+xml":
            moved = _REFRESH.search(text)
            links = [*readable(text).links, *([("", unescape(moved[1]))] if moved else [])]
        for target, _ in _targets(base, links):
            if target.url == wanted and (target.scheme, target.authority) == (base.scheme, base.authority):
                return target
        raise ToolError(f"{base.url} has no link to {wanted}, or that is another site", todo="fetch a link of the page")

    def _read(self, reply: Reply) -> JSON:
        """The page as JSON. Raises ToolError for an error page and for what is no text."""
        if not 200 <= reply.status < 300:
            todo = "try again later, or another page" if reply.status >= 500 else "check the address"
            raise ToolError(f"{reply.target.authority} answered {reply.status}", todo=_TODO.get(reply.status, todo))
        if not reply.body:
            return {"url": reply.target.url, "text": "", "note": "the page is empty"}
        kind, text = content(reply)
        page: dict[str, JSON] = {"url": reply.target.url}
        if kind.endswith("html") or kind == "application/xhtml+xml":
            title, said, links = readable(text)
            if len(said) < LITTLE and (moved := _REFRESH.search(text)):
                links.append(("the page moves on to this one", unescape(moved[1])))
            page |= {"title": title, "text": said, **self._links(reply.target, links)}
            if len(said) < LITTLE and (data := _data(text)):
                page["data"] = data
            elif not said:
                script = ": a program in it writes it, and is not run" if "<script" in text.lower() else ""
                page["note"] = f"the page has no text of its own{script}"
        elif kind.endswith("json") and not reply.cut and (value := as_json(text)) is not None:
            page["json"] = value
            page |= spread(value)
        else:
            page |= {"text": text} if text.strip() else {"text": "", "note": "the page is empty"}
        return {**page, "cut": f"only its first {len(reply.body)} bytes"} if reply.cut else page

    def _links(self, base: Target, links: list[tuple[str, str]]) -> dict[str, JSON]:
        """The first links that lead where a fetch may go, those that lead on included, and how many more there are."""
        found: dict[str, str] = {}
        for target, text in _targets(base, links):
            if text and isinstance(self._egress.decide(target.host, target.port, "GET", target.path), Host):
                found.setdefault(target.url, text[:100])
        all_ = list(found.items())
        on = [link for link in all_[MAX_LINKS:] if _PAGING.fullmatch(link[1])][:MAX_PAGING]
        shown = [*all_[: MAX_LINKS - len(on)], *on]
        left = {"links_left_out": len(all_) - len(shown)} if len(all_) > len(shown) else {}
        return {"links": [{"text": text, "url": url} for url, text in shown], **left}


def _targets(base: Target, links: Sequence[tuple[str, str]]) -> Iterator[tuple[Target, str]]:
    """Where the links of a page lead, with their texts; the first so many."""
    for text, href in links[:MAX_LOOKED]:
        with suppress(Refused):
            yield base.join(href), text


def _data(html: str) -> list[JSON]:
    texts = linked_data(html)
    return [value for text in texts if (value := as_json(text)) is not None] if sum(map(len, texts)) <= MAX_DATA else []


def content(reply: Reply) -> tuple[str, str]:
    """The media type of an answer, and its text. Raises ToolError for what is no text."""
    given, _, parameters = reply.header("content-type").partition(";")
    kind = given.strip().lower()
    if not _TEXT.fullmatch(kind):
        raise ToolError(f"it is {kind[:80] or 'of no stated type'}, not text", todo="ask for a page, text, JSON or XML")
    match = re.search(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", parameters, re.IGNORECASE)
    name = match[1] if match else ""
    if not name and (meta := _DECLARED.search(reply.body[:200]) or _META.search(reply.body[:2048])):
        name = meta[1].decode()
    return kind, reply.body.decode(_charset(name, reply.body), "replace").removeprefix("\ufeff")


def _charset(name: str, body: bytes) -> str:
    """A codec of text; UTF-8 for what is none, or none that is in use: some of Python's are slow or no text at all.

    What names none and is no UTF-8 is what it mostly is then, and browsers take it for: Windows-1252.
    """
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return codec
    try:
        if not name:
            codecs.getincrementaldecoder("utf-8")().decode(body)  # its last character may be cut
            return "utf-8"
        known = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    except UnicodeDecodeError:
        return "cp1252"
    return _WIDER.get(known, known) if _CHARSETS.fullmatch(known) else "utf-8"


def as_json(text: str) -> JSON:
    """The value of a JSON text, None for what is not JSON or could not be kept in the journal."""
    try:
        value = json.loads(text)
        canonical(value)
    except (ValueError, RecursionError):
        return None
    return value if _shallow(value, MAX_DEPTH) else None


def _shallow(value: JSON, room: int) -> bool:
    """What is read here has to be read again from every place in the runtime, however deep its own stack is."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return room > 0 and all(_shallow(item, room - 1) for item in inner)
