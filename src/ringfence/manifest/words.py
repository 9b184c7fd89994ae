"""What a manifest means here, key by key, and what of it cannot be enforced: in plain words, for `init`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from .fields import SecretRef, loopback
from .problems import words
from .types import AVAILABLE_BUILTINS, BuiltinTool, Manifest, McpTool, PythonTool, Tier, Tool

_NOT_YET = "is read, but not available in this release"
_NEVER_ASKED = "is read, but never asked in this release (escalation comes later)"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about a key. A `warn` is about what an operator may believe and should not."""

    level: Literal["info", "warn"]
    path: str
    text: str


def plain_words(manifest: Manifest) -> list[Notice]:
    """A notice for every key that was written, then the warnings, in the order of the manifest."""
    notices = [Notice("info", path, text) for path, text in _meanings(manifest, "")]
    if manifest.runtime.telemetry:
        notices.append(
            Notice("warn", "runtime.telemetry", "there is no telemetry that could be switched on: nothing is sent")
        )
    if "log_level" in manifest.runtime.model_fields_set:
        notices.append(
            Notice("warn", "runtime.log_level", "there is no log beside the journal yet, so there is nothing to set")
        )
    first, *further = manifest.inference.tiers
    for n, tier in enumerate(further, 1):
        text = f"{tier.name} {_NEVER_ASKED}: every step goes to {first.name}"
        notices.append(Notice("warn", f"inference.tiers[{n}]", text))
    for n, tier in enumerate(manifest.inference.tiers):
        notices += [Notice("warn", f"inference.tiers[{n}].{key}", text) for key, text in _about_tier(tier)]
    for n, tool in enumerate(manifest.tools):
        notices += [Notice("warn", f"tools[{n}].{key}".rstrip("."), text) for key, text in _about_tool(tool)]
    if manifest.knowledge.collections:
        notices.append(Notice("warn", "knowledge", f"knowledge {_NOT_YET}: the agent searches no collection"))
    return notices


def _meanings(part: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    """Each written key with its value and the meaning that its type declares."""
    for key, field in type(part).model_fields.items():
        value = getattr(part, key)
        if key not in part.model_fields_set or key == "source":
            continue
        here = f"{path}.{key}".removeprefix(".")
        if isinstance(value, BaseModel):
            yield from _meanings(value, here)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for n, item in enumerate(value):
                yield from _meanings(item, f"{here}[{n}]")
        else:
            yield here, f"{_shown(value)}: {field.description or 'what kind of tool it is'}"


def _shown(value: Any) -> str:
    match value:
        case tuple():
            return ", ".join(map(str, value)) or "an empty list"
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items()) or "none"
        case SecretRef():
            return f"${{{value.name}}}"
        case str():
            return value
        case _:
            return words(value)


def _about_tier(tier: Tier) -> Iterator[tuple[str, str]]:
    elsewhere = tier.endpoint is not None and not loopback(tier.endpoint)
    if elsewhere and tier.audience is None:
        yield (
            "audience",
            f"{tier.endpoint} is another machine and nobody is named who can see it: takes public content only",
        )
    if elsewhere and str(tier.endpoint).startswith("http:"):
        key = " and the key" if tier.api_key else ""
        yield (
            "endpoint",
            f"what is sent to {tier.endpoint}{key} can be read on the way: use https, or a network you trust",
        )
    if tier.api_key is not None and tier.api_key.reveal() is None:
        yield "api_key", f"{tier.api_key.name} is not set: set it in the environment or in .env"


def _about_tool(tool: Tool) -> Iterator[tuple[str, str]]:
    match tool:
        case McpTool():
            yield "", f"an MCP server {_NOT_YET}: {tool.name} cannot be called"
            if tool.server_url is not None and tool.sandbox:
                yield (
                    "sandbox",
                    "Ringfence cannot put a sandbox around a server that it does not start; its permissions and paths"
                    " are enforced on our side of the wire",
                )
        case PythonTool():
            yield (
                "",
                f"a function named in a manifest {_NOT_YET}: give it in code, ringfence.load(path, functions=[...])",
            )
        case BuiltinTool() if tool.name not in AVAILABLE_BUILTINS:
            yield "", f"{tool.name} {_NOT_YET}: it cannot be called"
        case BuiltinTool():
            beyond = [permission for permission in tool.permissions or () if permission in ("write", "execute")]
            if beyond:
                yield "permissions", f"the tools of this release only read: {' and '.join(beyond)} gives nothing"
