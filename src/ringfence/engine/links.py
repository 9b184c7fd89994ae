"""Pages that a page of the same site links to. Pure: decided by the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import answered
from .relevance import words

_PAGES = 5  # the newest, whose links are looked at


def followed(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a call for a page that a fetched one links to: that one again, and the link.

    Nobody vouches for an address that stands on a page; for the page that it stands on somebody has. A tool says with
    `x-ours: {link-of: url}` that it goes on to such a link of the same site itself, as it follows a redirect.
    """
    for name, rule in (spec.schema or {}).get("properties", {}).items():
        of = _link_of(rule)
        url = args.get(of)
        if not isinstance(url, str) or args.get(name) or turn.origin(url, spec.types.get(of, "")):
            continue
        for page, links in _pages(turn, of, name):
            if turn.origin(page, spec.types.get(of, "")) and (link := _meant(url, page, links)):
                return {**args, of: page, name: link}
    return args


def _link_of(rule: JSON) -> str:
    match rule:
        case {"x-ours": {"link-of": str(argument)}}:
            return argument
    return ""


def _pages(turn: Turn, of: str, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The pages that were fetched by their own address, the newest first, and their links with the texts."""
    found = []
    for call, args, value in answered(turn):
        page = args.get(of) if call >= 0 and isinstance(args, Mapping) and not args.get(name) else None
        if isinstance(page, str) and (links := links_of(value)):
            found.append((page, links))
    return found[: -_PAGES - 1 : -1]


def links_of(value: JSON) -> list[tuple[str, str]]:
    """The links of a page that was fetched: address and text."""
    links = value.get("links") if isinstance(value, Mapping) else None
    return [
        (one["url"], str(one.get("text", "")))
        for one in (links if isinstance(links, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("url"), str)
    ]


def _meant(url: str, page: str, links: Sequence[tuple[str, str]]) -> str:
    """The link that an address is, or the only one of the page's site whose words it has: a small model asks for
    `/planned-outages` where `Planned outages` leads to `/outages`.
    """
    site = urlsplit(page)[:2]
    own = [(link, text) for link, text in links if urlsplit(link)[:2] == site]
    if any(link == url for link, _ in own):
        return url
    asked = set(words(urlsplit(url).path)) if urlsplit(url)[:2] == site else set()
    near = {link for link, text in own if asked and asked <= {*words(urlsplit(link).path), *words(text)}}
    return near.pop() if len(near) == 1 else ""


def named_link(value: JSON, task: str) -> str:
    """The one link of a page whose text is in the task, of most words if there are several; with its address."""
    told, links = set(words(task)), links_of(value)
    known = [(len(said), f"{text}: {link}") for link, text in links if (said := set(words(text))) and said <= told]
    most = max(known, default=(0, ""))[0]
    found = {line for size, line in known if size == most}
    return found.pop() if len(found) == 1 and len(links) > 1 else ""
