"""Pages that a page of the same site links to. Pure: decided by the record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import answered, brought
from .relevance import words
from .words import LEAVES_OUT

_FOLLOWS = re.compile(
    r"\b(?:follow\w*|open|click\w*(?: on)?|go to|through)\b[^.?!]{0,40}\blinks?\b|"
    r"\b(?:its|their) own page\b|\blinked page\b",
    re.I,
)
_COUNTS = re.compile(r"\b(?:how many|count|which|list)\b[^.?!]{0,30}\blinks?\b", re.I)
_FIGURE = re.compile(r"\d")
_PAGES = 5  # the newest, whose links are looked at
_CHARS, _URL = 100, 2_000  # of a link's text, and of its address


def followed(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a call for a page that a fetched one links to: that one again, and the link.

    Nobody vouches for an address that stands on a page; for the page that it stands on somebody has. A tool says with
    `x-ours: {link-of: url}` that it goes on to such a link of the same site itself, as it follows a redirect.
    """
    for name, rule in (spec.schema or {}).get("properties", {}).items():
        of = _link_of(rule)
        if not of:
            continue
        args = {key: value for key, value in args.items() if key != name}  # the runtime's own word, and no model's
        url = args.get(of)
        if not isinstance(url, str) or turn.origin(url, spec.types.get(of, "")) or spec.name in turn.grant.objects:
            continue
        for page, links in _pages(turn, of, name):
            if turn.origin(page, spec.types.get(of, "")) and (link := _meant(url, links)):
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
        if isinstance(page, str) and isinstance(value, Mapping):  # it may have come from where a redirect led
            site = urlsplit(str(value.get("url", page)))[:2]
            found.append((page, [one for one in links_of(value) if urlsplit(one[0])[:2] == site]))
    return found[: -_PAGES - 1 : -1]


def links_of(value: JSON) -> list[tuple[str, str]]:
    """The links of a page that was fetched: address and text."""
    links = value.get("links") if isinstance(value, Mapping) else None
    return [
        (one["url"], " ".join(str(one.get("text", "")).split())[:_CHARS])
        for one in (links if isinstance(links, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("url"), str) and len(one["url"]) <= _URL
    ]


def _meant(url: str, links: Sequence[tuple[str, str]]) -> str:
    """The link that an address is, or the only one whose text and address say just what it does: a small model asks for
    `/planned-outages` where `Planned outages` leads to `/outages`. Never where a figure or a query tells pages apart.
    """
    asked = urlsplit(url)
    said = set(words(asked.path))
    if same := next((link for link, _ in links if link.rstrip("/") == url.rstrip("/")), ""):
        return same
    if not said or asked.query or _FIGURE.search(asked.path):
        return ""
    near = set()
    for link, text in links:
        to = urlsplit(link)
        own = set(words(to.path))
        if (
            to[:2] == asked[:2]
            and said == set(words(text))
            and own <= said
            and not (to.query or _FIGURE.search(to.path))
        ):
            near.add(link)
    return near.pop() if len(near) == 1 else ""


def named_link(value: JSON, task: str) -> str:
    """The one link of a page whose text is in the task, of most words if there are several; with its address."""
    told, links = set(words(task)), links_of(value)
    known = [(len(said), f"{text}: {link}") for link, text in links if (said := set(words(text))) and said <= told]
    most = max(known, default=(0, ""))[0]
    found = {line for size, line in known if size == most}
    return found.pop() if len(found) == 1 and len(links) > 1 else ""


def unfollowed(turn: Turn) -> str:
    """The link of the one page that was fetched, where the task says to follow it and names it; else empty."""
    task = str(turn.start["task"])
    found = [value for value in brought(turn) if isinstance(value, Mapping) and "links" in value]
    if len(found) != 1 or not _FOLLOWS.search(task) or LEAVES_OUT.search(task) or _COUNTS.search(task):
        return ""
    return named_link(found[0], task)
