"""`ringfence privacy`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Manifest, group

privacy = group("What is kept of people: export, erase, retention.")

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="whose: user:alice, patient:4711")]


@privacy.command()
def export(
    subject: Subject,
    manifest: Manifest = HERE,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write to a file (0600) instead of stdout")] = None,
) -> None:
    """What is held about a person, as JSON."""
    from .. import privacy as command

    command.export(manifest, subject, out)


@privacy.command()
def erase(
    subject: Subject,
    manifest: Manifest = HERE,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write the certificate to a file, too")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Destroy the keys of a person: their contents are gone, the log still verifies; prints a signed certificate."""
    from .. import privacy as command

    raise typer.Exit(command.erase(manifest, subject, out, yes=yes))


@privacy.command()
def retention(manifest: Manifest = HERE) -> None:
    """Destroy what was kept long enough, by the manifest's `privacy.retention`."""
    from .. import privacy as command

    command.retention(manifest)
