"""`ringfence.lock`: what each tool of a server was when a person accepted it, word for word.

The model only ever reads what stands here. A server that says something else later has its tool quarantined.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import ManifestError
from ringfence.core.values import JSON, digest
from ringfence.manifest.tools import LOCK as FILE

MAX_BYTES = 32 * 2**20
VERSION = 1
RENEW = "take the file from your version control, or delete it and run `ringfence lock`"


@dataclass(frozen=True, slots=True)
class Pinned:
    """One tool, with its server's command or address and the SHA-256 of the files that the command names.

    facts   name, title, description, inputSchema, outputSchema and annotations, as the server gave them
    source  {"command": [...], "files": {path: SHA-256}} or {"server_url": ...}
    """

    facts: Mapping[str, Any]
    source: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What its server calls it."""
        return str(self.facts["name"])

    @property
    def description(self) -> str:
        """What its server says about it, which nobody vouches for."""
        return str(self.facts.get("description") or "")

    @property
    def pin(self) -> str:
        """SHA-256 of the canonical bytes (RFC 8785) of all of it; hex."""
        return digest([dict(self.facts), dict(self.source)])

    def lines(self) -> list[str]:
        """All of it, for a person to read: the description line by line, the rest as JSON."""
        rest = {key: value for key, value in self.facts.items() if key != "description"}
        text = json.dumps({**rest, **self.source}, indent=2, ensure_ascii=False, sort_keys=True)
        return [*self.description.splitlines(), *text.splitlines()]


Server = Mapping[str, Pinned]  # by tool name


@dataclass(frozen=True, slots=True)
class Lock:
    """The accepted tools, by server and name."""

    servers: Mapping[str, Server]

    def to_json(self) -> JSON:
        """Sorted, each tool with its pin."""
        return {
            "version": VERSION,
            "servers": {
                alias: {
                    name: {"pin": tool.pin, "facts": dict(tool.facts), "source": dict(tool.source)}
                    for name, tool in sorted(tools.items())
                }
                for alias, tools in sorted(self.servers.items())
            },
        }

    @classmethod
    def from_json(cls, value: JSON) -> Lock:
        """Inverse of `to_json`; raises ValueError for a pin that is not that of what stands beside it."""
        if value["version"] != VERSION:
            raise ValueError(f"expected version {VERSION}, got {value['version']!r}")
        servers: dict[str, dict[str, Pinned]] = {}
        for alias, tools in value["servers"].items():
            servers[alias] = {}
            for name, entry in tools.items():
                tool = Pinned(entry["facts"], entry["source"])
                if tool.pin != entry["pin"] or tool.name != name:
                    raise ValueError(f"{alias}.{name} is not what its pin says")
                servers[alias][name] = tool
        return cls(servers)


def read(folder: Path) -> Lock | None:
    """The lock beside a manifest; None if there is none. Raises ManifestError for one that is damaged."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestError(f"{FILE} cannot be read: {error.strerror}", todo="check its owner and its mode") from None
    if len(data) > MAX_BYTES:
        raise ManifestError(f"{FILE} is larger than {MAX_BYTES // 2**20} MB", todo=RENEW)
    try:
        return Lock.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError(f"{FILE} is damaged: {str(error)[:200] or type(error).__name__}", todo=RENEW) from None


def write(folder: Path, lock: Lock) -> None:
    """Write the lock, all of it or nothing."""
    text = json.dumps(lock.to_json(), indent=1, ensure_ascii=False) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=f".{FILE}.", delete=False, encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(folder / FILE)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def differences(old: Pinned | None, new: Pinned | None) -> Iterator[str]:
    """The lines of a unified diff between what was accepted and what is there; raw text of strangers."""
    before, after = old.lines() if old else [], new.lines() if new else []
    diff = difflib.unified_diff(before, after, "accepted", "now", lineterm="", n=2)
    return (line for line in diff if not line.startswith("@@"))
