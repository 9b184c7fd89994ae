"""What an operator may believe of a manifest and should not: each with the place that gives rise to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .fields import SecretRef, SecretText, loopback
from .problems import shorten
from .routing import Classes
from .tools import ALONE
from .types import LOCK, BuiltinTool, Host, Manifest, McpTool, Tier, Tool

Caution = tuple[str, str]  # the path of a key, and what to know about it


def warnings(manifest: Manifest) -> Iterator[Caution]:
    """In the order of the manifest, but for the loudest, which comes first."""
    if manifest.sandbox == "unsafe-none":
        yield (
            "sandbox",
            "UNSAFE: NOTHING CONFINES THE TOOLS. Whatever they start may read, change and send all that you can;"
            " use sandbox: auto",
        )
    if manifest.runtime.telemetry:
        yield "runtime.telemetry", "there is no telemetry that could be switched on: nothing is sent"
    yield from _about_routing(manifest)
    for n, tier in enumerate(manifest.inference.tiers):
        yield from _below(f"inference.tiers[{n}]", _about_tier(tier))
    for n, tool in enumerate(manifest.tools):
        yield from _below(f"tools[{n}]", _about_tool(tool))
    yield from _about_catalogue(manifest)
    yield from _about_grant(manifest)
    yield from _about_approvals(manifest)
    if any(isinstance(tool, McpTool) for tool in manifest.tools) and not (manifest.root / LOCK).is_file():
        yield (
            "tools",
            f"there is no {LOCK}: no tool of an MCP server can be called before a person accepts it; `ringfence lock`",
        )


def _about_routing(manifest: Manifest) -> Iterator[Caution]:
    tiers, routing = manifest.inference.tiers, manifest.routing
    classes = routing.classes.named
    asked = {name for names in classes.values() for name in names}
    for n, tier in enumerate(tiers):
        at = f"inference.tiers[{n}]"
        if len(classes) == len(Classes.model_fields) and tier.name not in asked:
            yield at, f"no class of task names {tier.name}: it is never asked"
        if tier.price is not None and tier.budgets.money_per_day is None:
            yield f"{at}.price", "it costs money, and nothing bounds how much: budgets: {money_per_day: ...}"
    if len(tiers) > 1 and not (routing.escalate.when and routing.escalate.at_most):
        yield "routing.escalate", "a step never goes to the next tier, whatever comes back"
    if manifest.inference.cache and any(tier.temperature != 0 for tier in tiers):
        names = ", ".join(tier.name for tier in tiers if tier.temperature != 0)
        yield "inference.cache", f"nothing is kept of {names}: an answer can only be the same again at temperature: 0"


def _below(path: str, cautions: Iterable[Caution]) -> Iterator[Caution]:
    return ((f"{path}.{key}".rstrip("."), text) for key, text in cautions)


def _about_tier(tier: Tier) -> Iterator[Caution]:
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
    if tier.api_key is not None:
        yield from _unset("api_key", tier.api_key)


def _unset(key: str, secret: SecretText) -> Iterator[Caution]:
    if secret.reveal() is None:
        yield key, f"{' or '.join(secret.names)} is not set: set it in the environment or in .env"


def _about_tool(tool: Tool) -> Iterator[Caution]:
    match tool:
        case McpTool():
            yield from _about_server(tool)
        case BuiltinTool():
            yield from _about_builtin(tool)
    if tool.sandbox is False:
        yield "sandbox", "false changes nothing: whatever touches the world is confined; `sandbox` at the top says how"
    for n, host in enumerate(tool.hosts):
        yield from _below(
            f"hosts[{n}]",
            _about_host(
                host,
                ours=tool.type == "builtin" and tool.name in ("web", "http"),
                here=tool.type == "builtin" and tool.name == "web" and loopback(f"//{host.host}"),
            ),
        )
    for name, secret in tool.secrets.items():
        yield from _unset(f"secrets.{shorten(name)}", secret)


def _about_server(tool: McpTool) -> Iterator[Caution]:
    if tool.server_url is None:
        return
    if tool.sandbox:
        yield (
            "sandbox",
            "Ringfence cannot put a sandbox around a server that it does not start; its permissions and paths"
            " are enforced on our side of the wire",
        )
    if not loopback(tool.server_url):
        safe = "" if tool.server_url.startswith("https:") else ", and it can be read on the way: use https"
        yield "server_url", f"{tool.server_url} is another machine: arguments of its tools leave this one{safe}"


def _about_builtin(tool: BuiltinTool) -> Iterator[Caution]:
    idle = [p for p in tool.permissions or () if p == "execute" or (p == "write" and tool.name != "files")]
    if idle and tool.name in ALONE:
        yield "permissions", f"{tool.name} has no tool for it: {' and '.join(idle)} gives nothing"
    if tool.name == "shell" and not tool.allow:
        yield "allow", "no command is named: none may be run"
    if isinstance(tool.database, SecretRef):
        yield from _unset("database", tool.database)


def _about_host(host: Host, *, ours: bool, here: bool) -> Iterator[Caution]:
    """`ours`: Ringfence itself makes the requests, and so sees all of them; `here`: for pages of this very machine."""
    if host.audience is None and not here:
        yield (
            "audience",
            f"nobody is named who sees what is sent to {host.host}: it asks before anything of a user's goes there",
        )
    if host.private:
        yield (
            "private",
            f"{host.host} may lead into your own network: whatever answers there can be asked by the model's calls",
        )
    if host.host.startswith("*."):
        yield "host", f"{host.host} is every name below it: whoever can make one there can be sent data; name the hosts"
    if not ours and {"methods", "paths"} & host.model_fields_set:
        key = "methods" if "methods" in host.model_fields_set else "paths"
        yield key, "inside a program's own TLS Ringfence sees the host alone: methods and paths are not held there"
    if not ours and host.headers:
        yield "headers", "inside a program's own TLS Ringfence can add nothing: use http.call, or secrets"
    for name, text in host.headers.items():
        yield from _unset(f"headers.{name}", text)


def _about_catalogue(manifest: Manifest) -> Iterator[Caution]:
    reaching = {tool.name for tool in manifest.tools if tool.hosts or (isinstance(tool, McpTool) and tool.server_url)}
    for name, entry in manifest.catalogue.items():
        if entry.confined and name.partition(".")[0] in reaching:
            yield (
                f"catalogue.{shorten(name)}.confined",
                "you vouch that nothing leaves by it, though it may reach beyond this machine: its arguments may then"
                " come from anywhere",
            )


def _about_grant(manifest: Manifest) -> Iterator[Caution]:
    able = [tool.name for tool in manifest.tools if _acts(tool)]
    if manifest.grant.effects == () and able:
        yield (
            "grant.effects",
            f"no tool with an effect is in any task: {', '.join(able)} can change nothing, whatever is approved",
        )
    if manifest.grant.planned and not (manifest.grant.effects or able):
        yield "grant.planned", "there is no effect that could be planned: it changes nothing"


def _acts(tool: Tool) -> bool:
    """Whether the manifest lets this group do more than read."""
    permissions = tool.permissions if isinstance(tool, BuiltinTool | McpTool) else ()
    return any(permission in ("write", "execute") for permission in permissions or ())


def _about_approvals(manifest: Manifest) -> Iterator[Caution]:
    approvals, attended = manifest.approvals, manifest.runtime.profile != "unattended"
    if not attended and "approvals" in manifest.model_fields_set:
        yield "approvals", "under profile: unattended nobody is asked: whatever would ask is refused"
    if approvals.approvers == ():
        yield "approvals.approvers", "nobody is named who may say yes: whatever asks is refused"
    if approvals.four_eyes and attended:
        yield (
            "approvals.four_eyes",
            "a task waits for somebody else, who says yes from an account of their own; whoever may write the"
            " journal's file can pass for anybody",
        )
