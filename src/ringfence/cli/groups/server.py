"""`ringfence serve` and those around it: names, options and help; what a command needs is imported when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Manifest, Offline, group

server = group("The server.")

Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="listen here, instead of the manifest's server.host")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, metavar="N", help="and on this port; 0: any that is free")]
BehindProxy = Annotated[bool, typer.Option("--behind-proxy", help="a proxy in front ends TLS")]
Cert = Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="the server's certificate, PEM")]
Key = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="its private key, PEM")]


@server.command()
def serve(
    manifest: Manifest = HERE,
    host: Host = None,
    port: Port = None,
    behind_proxy: BehindProxy = False,
    tls_cert: Cert = None,
    tls_key: Key = None,
    offline: Offline = False,
) -> None:
    """Serve the agent and its page in the foreground, until Ctrl-C."""
    from .. import serve as command

    raise typer.Exit(command.execute(command.Wanted(manifest, host, port, behind_proxy, tls_cert, tls_key, offline)))
