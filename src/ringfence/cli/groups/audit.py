"""`ringfence audit`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, group

audit = group("How the log proves itself: verify, prove, export, forward.")
witness = group("Sign the heads of other hosts' logs, if they only grow.")


@audit.command()
def verify(
    manifest: Manifest = HERE,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a copy of a journal, instead of the manifest's")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="a public key that is trusted, or a file with one")
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="heads that were kept elsewhere: a file or a folder")
    ] = None,
    since: Annotated[str, typer.Option(metavar="HEAD", help="a head that is trusted: a file, or the size of one")] = "",
    no_bodies: Annotated[
        bool, typer.Option("--no-bodies", help="look at what is signed alone, though keys are here")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute the log: exit 0 if it is what was written, 1 if not, 3 if somebody should look."""
    from .. import verify as command

    wanted = command.Wanted(manifest, log, tuple(key or ()), tuple(anchor or ()), since, not no_bodies, as_json)
    raise typer.Exit(command.execute(wanted))
