"""`ringfence kb canary`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, group

canary = group("Codes planted in documents, whose appearance in anything that leaves is denied: plant, list, rm.")


@canary.command()
def plant(
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="append it to this text file; else it is only printed")
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="where it will stand, for `list`")] = "",
    manifest: Manifest = HERE,
    as_json: Json = False,
) -> None:
    """Make a random, plausible code; it is printed this once, and only a hash of it is kept."""
    from .. import canary as command

    command.plant(manifest, into, note, as_json=as_json)


@canary.command("list")
def canary_list(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """The canaries that are watched for."""
    from .. import canary as command

    command.list_planted(manifest, as_json=as_json)


@canary.command()
def rm(
    name: Annotated[str, typer.Argument(metavar="ID", help="as `list` prints it")], manifest: Manifest = HERE
) -> None:
    """Watch for one no longer."""
    from .. import canary as command

    command.remove(manifest, name)
