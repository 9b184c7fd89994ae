"""`ringfence up`, `serve` and those around them: names, options and help; what one needs is imported when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, Offline, Roles, group

server = group("The server.")

Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="listen here, instead of the manifest's server.host")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, metavar="N", help="and on this port; 0: any that is free")]
BehindProxy = Annotated[bool, typer.Option("--behind-proxy", help="a proxy in front ends TLS")]
Cert = Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="the server's certificate, PEM")]
Key = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="its private key, PEM")]


@server.command()
def up(
    manifest: Manifest = HERE,
    host: Host = None,
    port: Port = None,
    behind_proxy: BehindProxy = False,
    tls_cert: Cert = None,
    tls_key: Key = None,
    offline: Offline = False,
) -> None:
    """Start the server and its page in the background, and print its address."""
    from .. import serve as command
    from .. import up as background

    raise typer.Exit(background.up(command.Wanted(manifest, host, port, behind_proxy, tls_cert, tls_key, offline)))


@server.command()
def down(
    manifest: Manifest = HERE,
    now: Annotated[bool, typer.Option("--now", help="do not wait for runs: they go on with the next start")] = False,
    wipe: Annotated[
        bool, typer.Option("--wipe", help="destroy its accounts, sessions, API keys and log, too; the journal stays")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --wipe: do not ask")] = False,
) -> None:
    """Stop the server: it takes no new runs, waits for those at work, and says what is left to resume."""
    from .. import up as command

    raise typer.Exit(command.wipe(manifest, yes=yes) if wipe else command.down(manifest, now=now))


@server.command()
def restart(
    manifest: Manifest = HERE,
    host: Host = None,
    port: Port = None,
    behind_proxy: BehindProxy = False,
    tls_cert: Cert = None,
    tls_key: Key = None,
    offline: Offline = False,
) -> None:
    """Put a new server in the place of the one that runs, with its options and these; no request is refused."""
    from .. import serve as command
    from .. import up as background

    wanted = command.Wanted(manifest, host, port, behind_proxy, tls_cert, tls_key, offline)
    raise typer.Exit(background.restart(wanted))


@server.command()
def reload(manifest: Manifest = HERE) -> None:
    """Have the server read its manifest anew: what is decided from then on follows it, runs under way included."""
    from .. import up as command

    raise typer.Exit(command.reload(manifest))


@server.command()
def status(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """How the server is: its runs, its queue, its models; exit 1 if none runs."""
    from .. import up as command

    raise typer.Exit(command.status(manifest, as_json=as_json))


@server.command()
def logs(
    manifest: Manifest = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what comes, until Ctrl-C")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="of what is there")] = 50,
) -> None:
    """The server's log."""
    from .. import up as command

    raise typer.Exit(command.show_logs(manifest, follow=follow, lines=lines))


@server.command()
def serve(
    manifest: Manifest = HERE,
    host: Host = None,
    port: Port = None,
    behind_proxy: BehindProxy = False,
    tls_cert: Cert = None,
    tls_key: Key = None,
    offline: Offline = False,
    detached: Annotated[bool, typer.Option("--detached", hidden=True)] = False,
    takeover: Annotated[bool, typer.Option("--takeover", help="take the place of the server that runs")] = False,
) -> None:
    """Serve the agent and its page in the foreground, until Ctrl-C."""
    from .. import serve as command

    wanted = command.Wanted(
        manifest, host, port, behind_proxy, tls_cert, tls_key, offline, detached=detached, takeover=takeover
    )
    raise typer.Exit(command.execute(wanted))


@server.command()
def mcp(manifest: Manifest = HERE, offline: Offline = False, roles: Roles = None) -> None:
    """Be an MCP server on stdin and stdout, for an editor that starts this: the agent as tools."""
    from .. import mcp as command

    raise typer.Exit(command.execute(manifest, offline=offline, roles=tuple(roles or ())))
