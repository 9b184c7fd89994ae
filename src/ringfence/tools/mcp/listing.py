"""What a server says it offers: taken in tool by tool, so that one that is broken costs only itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from . import schema
from .lock import Pinned, Server

MAX_TOOLS = 128
MAX_DESCRIPTION = 4_096  # characters
FACTS = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
REVIEW = "`ringfence lock --review` shows the difference"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LAYOUT = frozenset("\n\t\r\u00a0\u3000\u200c\u200d")
_HIDDEN = re.compile(r"[\U000E0000-\U000E01EF]|[\uFE00-\uFE0F]{2,}")  # tags, and bytes hidden in variation selectors


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools that can be pinned, and why the others cannot, by name (safe to print)."""

    tools: Server
    refused: Mapping[str, str] = field(default_factory=dict)


def take(offered: Sequence[JSON], source: Mapping[str, Any], *, clean: Callable[[JSON], JSON]) -> Listing:
    """What is on offer. `clean` takes secrets out of it. Raises ToolError for more than `MAX_TOOLS` tools."""
    if len(offered) > MAX_TOOLS:
        raise ToolError(
            f"it offers {len(offered)} tools, more than the {MAX_TOOLS} that a server may have",
            todo="use a server with fewer tools",
        )
    tools: dict[str, Pinned] = {}
    refused: dict[str, str] = {}
    names = [_named(raw) for raw in offered]
    alike = Counter(_alike(name) for name in names)
    for raw, name in zip(offered, names, strict=True):
        shown = name if _NAME.fullmatch(name) else ascii(name[:64])
        if alike[_alike(name)] > 1:
            refused[shown] = "another tool of this server has the same name, or one that differs by case or dashes"
        elif why := next(_faults(raw, name), ""):
            refused[shown] = why
        else:
            facts = {key: raw[key] for key in FACTS if raw.get(key) is not None}
            tools[name] = Pinned(schema.exact(clean(facts)), source)
    return Listing(tools, refused)


def _named(raw: JSON) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else ""


def _alike(name: str) -> str:
    return name.casefold().replace("-", "_")


def _faults(raw: JSON, name: str) -> Iterator[str]:
    """Why a tool cannot be pinned."""
    if not _NAME.fullmatch(name):
        yield "expected a name of letters, digits, '_' and '-', 64 at most"
        return
    for key in ("title", "description"):
        if raw.get(key) is not None and not isinstance(raw[key], str):
            yield f"its {key} is no text"
    if len(raw.get("description") or "") > MAX_DESCRIPTION:
        yield f"its description is longer than {MAX_DESCRIPTION} characters"
    for key in ("inputSchema", "outputSchema"):
        if key == "inputSchema" or raw.get(key) is not None:
            try:
                found = schema.closed(raw.get(key))
            except (schema.BadSchema, RecursionError) as error:
                yield f"its {key}: {error}"
            else:
                if key == "inputSchema" and found.get("type", "object") != "object":
                    yield "its inputSchema is not one of an object"
    annotations = raw.get("annotations")
    if annotations is not None and (not isinstance(annotations, dict) or len(json.dumps(annotations)) > 4_096):
        yield "its annotations are no small object"
    if any(hidden(text) for text in _texts([raw.get(key) for key in FACTS])):
        yield "it holds characters that a person cannot see"


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def hidden(text: str) -> bool:
    """Whether a model would read what a person does not see: control and bidi characters, tags, selectors in a row."""
    if text.isascii() and text.isprintable():
        return False
    return bool(_HIDDEN.search(text)) or any(not c.isprintable() and c not in _LAYOUT for c in text)


def changed(pinned: Server, now: Listing) -> dict[str, str]:
    """Why tools may not be called any more, or not yet: all that differs between what was accepted and what is."""
    found = {}
    for name, tool in pinned.items():
        if name in now.refused:
            found[name] = f"it changed since it was accepted: {now.refused[name]}"
        elif name not in now.tools:
            found[name] = f"its server does not offer it any more; {REVIEW}"
        elif now.tools[name].pin != tool.pin:
            found[name] = f"it changed since it was accepted; {REVIEW}"
    for name in now.tools.keys() - pinned.keys():
        found[name] = f"it is not in ringfence.lock; {REVIEW}"
    return found | {name: why for name, why in now.refused.items() if name not in pinned}
