"""`ringfence memory`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, Roles, group

memory = group("What an agent remembers: list, show, edit, rm, promote, export, wipe.")

Ident = Annotated[str, typer.Argument(metavar="ID", help="an item's id, or the beginning of it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]


@memory.command("list")
def memory_list(
    manifest: Manifest = HERE,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="fact, preference, episode or procedure alone")
    ] = None,
    scope: Annotated[str | None, typer.Option(metavar="SCOPE", help="of one alone, such as role:ops")] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="what waits for a person's word")] = False,
    everything: Annotated[bool, typer.Option("--all", help="what was superseded, too")] = False,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """What you may read of it, the newest first."""
    from .. import memory as command

    wanted = command.Wanted(kind or "", scope or "", quarantined, everything)
    command.list_items(manifest, wanted, roles or (), as_json=as_json)


@memory.command()
def show(ident: Ident, manifest: Manifest = HERE, roles: Roles = None, as_json: Json = False) -> None:
    """One item: its text, who may read it, where it comes from, what superseded it."""
    from .. import memory as command

    command.show(manifest, ident, roles or (), as_json=as_json)


@memory.command()
def edit(
    ident: Ident,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the new text; `-` reads it from stdin")],
    manifest: Manifest = HERE,
    as_json: Json = False,
) -> None:
    """Other words for an item: you vouch for them."""
    from .. import memory as command

    command.edit(manifest, ident, text, as_json=as_json)


@memory.command()
def rm(
    idents: Annotated[list[str], typer.Argument(metavar="ID...", help="items, by id or beginning")],
    manifest: Manifest = HERE,
    yes: Yes = False,
) -> None:
    """Destroy items."""
    from .. import memory as command

    raise typer.Exit(command.remove(manifest, idents, yes=yes))


@memory.command()
def promote(ident: Ident, manifest: Manifest = HERE, yes: Yes = False, as_json: Json = False) -> None:
    """Let an item out of quarantine: you vouch for it. No model can."""
    from .. import memory as command

    raise typer.Exit(command.promote(manifest, ident, yes=yes, as_json=as_json))


@memory.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="where to write it (0600); `-` for stdout")],
    manifest: Manifest = HERE,
    roles: Roles = None,
) -> None:
    """All that you may read of it, as JSON."""
    from .. import memory as command

    command.export(manifest, out, roles or ())


@memory.command()
def wipe(
    manifest: Manifest = HERE,
    yes: Yes = False,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="what others have, too, which you may not read")
    ] = False,
) -> None:
    """Destroy all that you may read of it."""
    from .. import memory as command

    raise typer.Exit(command.wipe(manifest, yes=yes, everybody=everybody))
