"""MCP servers as tools: what the model reads is what a person accepted, what they may do is what the operator says.

The tools come from `ringfence.lock`, so that an agent is made without starting a server; a server is started at its
first call, and held against the lock then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import ANYONE, Audience
from ringfence.core.values import Action, Outcome
from ringfence.manifest.fields import SecretText, loopback
from ringfence.manifest.security import Entry
from ringfence.manifest.types import TOOLS_OF, Host, McpTool

from ..tool import Tool, Use
from ..workshop import Workshop, audience_of
from . import entries, launch, results, schema, session, wire
from .listing import Listing
from .lock import Lock, Pinned, read, write
from .paths import Paths

__all__ = ["Listing", "Lock", "Pinned", "Server", "from_manifest", "read", "write"]

NOT_LOCKED = "it is not in ringfence.lock: nobody has accepted it; run `ringfence lock`"


@dataclass
class Server:
    """The tools of one MCP server that may be called, and why its others may not be."""

    alias: str
    _live: session.Server
    tools: list[Tool] = field(default_factory=list)
    _withheld: dict[str, str] = field(default_factory=dict)

    @property
    def quarantined(self) -> Mapping[str, str]:
        """By tool, why it may not be called; `*` stands for all of them. Grows when the server is started."""
        return {**self._withheld, **self._live.quarantined}

    async def survey(self) -> Listing:
        """Start the server, unaccepted or not, and return what it offers. Raises ToolError."""
        return await self._live.survey()

    async def aclose(self) -> None:
        """Stop the server, if it runs."""
        await self._live.aclose()


def from_manifest(
    config: McpTool,
    *,
    root: Path,
    workshop: Workshop,
    lock: Lock | None,
    catalogue: Mapping[str, Entry],
    use: Use,
    confined: bool,
) -> Server:
    """The server of a manifest's entry. Starts and reaches nothing.

    root       the manifest's folder
    workshop   starts a command, confined, and is its way out to `hosts`
    lock       what was accepted, see `lock.read`
    catalogue  the operator's word, by `<alias>.<tool>`
    use        who may call, and who may read what comes out
    confined   whether the workshop's launcher confines anything: with `sandbox: unsafe-none` nothing vouches for it
    Raises ManifestError for what cannot be meant, and for an entry about a tool that was not accepted.
    """
    _refuse(config)
    root = root.resolve()  # a sandbox is given real paths
    paths = Paths(config.target_paths, root)
    accepted = {} if lock is None else dict(lock.servers.get(config.name, {}))
    live = _live(config, root, workshop, accepted)
    alone = confined and config.command is not None and not config.hosts
    server = Server(config.name, live)
    if not accepted:
        server._withheld["*"] = NOT_LOCKED
        return server
    prefix = f"{config.name}."
    for name in catalogue:
        if name.startswith(prefix) and name.removeprefix(prefix) not in accepted:
            todo = f"accepted are {', '.join(sorted(accepted))}; `ringfence lock --review` shows what else is there"
            raise ManifestError(f"catalogue: there is no accepted tool {name!r}", todo=todo)
    for name, pinned in sorted(accepted.items()):
        entry = catalogue.get(prefix + name)
        if why := entries.forbidden(name, entry, config.permissions):
            server._withheld[name] = why
            continue
        try:
            server.tools.append(_tool(config, pinned, entry, use=use, paths=paths, live=live, alone=alone))
        except schema.BadSchema as error:
            server._withheld[name] = f"{error}; run `ringfence lock --review`"
    return server


def _refuse(config: McpTool) -> None:
    """What an entry cannot mean."""
    name = config.name
    if name in TOOLS_OF:
        raise ManifestError(f"tools: {name} is the name of tools that ship with Ringfence", todo="give it another name")
    if config.command is not None and config.sandbox is False:
        todo = "remove `sandbox: false`; only `sandbox: unsafe-none` for the whole manifest goes without"
        raise ManifestError(f"tools: the MCP server {name} is never run outside of a sandbox", todo=todo)


def _live(
    config: McpTool,
    root: Path,
    workshop: Workshop,
    accepted: Mapping[str, Pinned],
) -> session.Server:
    launcher, egress = workshop.way_out(config, lambda: server.run)
    secrets: dict[str, SecretText] = {}
    if config.command is not None:
        argv = launch.resolve(config.command, root)
        secrets.update(config.secrets)
    elif (host := _host(config)) is not None:
        secrets.update(host.headers)

    def dial(valve: wire.Valve) -> Any:
        if config.command is not None:
            return wire.stdio(launcher, launch.job(config, argv, root, egress), valve)
        return wire.http(str(config.server_url), launch.revealed(secrets), config.timeout_s, valve)

    def source() -> Mapping[str, Any]:
        if config.command is None:
            return {"server_url": str(config.server_url)}
        return {"command": list(config.command), "files": launch.digests(argv, root)}

    server = session.Server(
        config.name,
        dial,
        source,
        accepted,
        timeout_s=config.timeout_s,
        max_bytes=config.max_message_kb * 1024,
        clean=results.masked({name: secret.reveal for name, secret in secrets.items()}),
    )
    return server


def _host(config: McpTool) -> Host | None:
    """What the manifest says about the host of `server_url`: its headers, and who is behind it."""
    parts = urlsplit(str(config.server_url))
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return next((h for h in config.hosts if h.host == parts.hostname and h.port in (None, port)), None)


def _sees(config: McpTool, *, alone: bool) -> Audience | None:
    """Who sees what goes in: on this machine the one who asks; elsewhere whoever the manifest names, or anyone."""
    if config.command is not None:
        return None if alone else ANYONE
    host = _host(config)
    if host is not None and host.audience is not None:
        return audience_of([host])
    return None if loopback(str(config.server_url)) else ANYONE


def _tool(
    config: McpTool, pinned: Pinned, entry: Entry | None, *, use: Use, paths: Paths, live: session.Server, alone: bool
) -> Tool:
    sees = _sees(config, alone=alone)
    spec = entries.specify(config.name, pinned, entry, use=use, sees=sees, alone=alone, paths=paths)
    output = pinned.facts.get("outputSchema")
    check = schema.checked(schema.closed(output)) if output is not None else None
    return Tool(spec, _Call(live, pinned.name, spec.types, paths, check))


@dataclass(frozen=True)
class _Call:
    """The sink of one tool."""

    server: session.Server
    name: str
    kinds: Mapping[str, str]
    paths: Paths
    check: schema.Check | None

    async def perform(self, action: Action) -> Outcome:
        try:
            self.paths.hold(action.args, self.kinds, real=True)
        except ValueError as error:
            raise ToolError(str(error), todo="name a path inside of target_paths") from None
        result = await self.server.call(self.name, action.args, run=action.run)
        return Outcome(results.value(result, self.check, clean=self.server.clean))
