"""`ringfence kb`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, Offline, Roles, group
from .canary import canary

kb = group("The documents that an agent knows: add, list, search, show, rm, reindex, status, watch.")
kb.add_typer(canary, name="canary")

Names = Annotated[list[str] | None, typer.Argument(metavar="[COLLECTION]...", help="all of them, if none is named")]
Document = Annotated[str, typer.Argument(metavar="DOCUMENT", help="collection/path, as `kb list` prints it")]


@kb.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="files and folders")],
    collection: Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="where they belong")],
    readers: Annotated[
        list[str] | None,
        typer.Option(metavar="READER", help="who may read them, in a new collection: role:NAME, public; else you"),
    ] = None,
    manifest: Manifest = HERE,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Take documents in: they stay where they are, and are read again when they change."""
    from .. import kb as command

    raise typer.Exit(command.add(manifest, paths, collection, readers, offline=offline, as_json=as_json))


@kb.command("list")
def kb_list(names: Names = None, manifest: Manifest = HERE, roles: Roles = None, as_json: Json = False) -> None:
    """The documents that you may read."""
    from .. import kb as command

    command.list_documents(manifest, names or (), roles or (), as_json=as_json)


@kb.command()
def search(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="a question, or some words")],
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", metavar="NAME", help="here alone; may be repeated")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="documents whose path matches; may be repeated")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="how many passages")] = 5,
    manifest: Manifest = HERE,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """The best passages among the documents that you may read."""
    from .. import kb as command

    wanted = command.Wanted(question, tuple(collection or ()), tuple(path or ()), limit)
    raise typer.Exit(command.search(manifest, wanted, roles or (), as_json=as_json))


@kb.command()
def show(
    document: Document,
    at: Annotated[int, typer.Option(min=0, metavar="CHARACTER", help="from here on")] = 0,
    manifest: Manifest = HERE,
    roles: Roles = None,
) -> None:
    """A document as it was read: its text, who may read it, how far it is trusted."""
    from .. import kb as command

    raise typer.Exit(command.show(manifest, document, roles or (), at=at))


@kb.command()
def rm(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="a path that was added, or all of a collection")],
    collection: Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="of the path")] = "",
    manifest: Manifest = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Forget documents: their text and vectors are destroyed here, the files stay where they are."""
    from .. import kb as command

    raise typer.Exit(command.remove(manifest, what, collection, yes=yes))


@kb.command()
def reindex(names: Names = None, manifest: Manifest = HERE, offline: Offline = False, as_json: Json = False) -> None:
    """Make collections anew, as another embedding model asks for."""
    from .. import kb as command

    raise typer.Exit(command.refresh(manifest, names or (), anew=True, offline=offline, as_json=as_json))


@kb.command()
def refresh(names: Names = None, manifest: Manifest = HERE, offline: Offline = False, as_json: Json = False) -> None:
    """Take in what has changed, as the next run does by itself."""
    from .. import kb as command

    raise typer.Exit(command.refresh(manifest, names or (), anew=False, offline=offline, as_json=as_json))


@kb.command()
def status(names: Names = None, manifest: Manifest = HERE, as_json: Json = False) -> None:
    """What each collection holds, what is skipped and why, what has changed on disk; changes nothing."""
    from .. import kb as command

    command.status(manifest, names or (), as_json=as_json)


@kb.command()
def watch(manifest: Manifest = HERE, offline: Offline = False) -> None:
    """Take changes in as they happen, until you press Ctrl-C."""
    from .. import kb as command

    raise typer.Exit(command.watch(manifest, offline=offline))
