"""`ringfence webhooks`: names, options and help; what a command needs is imported when called."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, group

webhooks = group("What webhooks are told: list, retry.")

Hook = Annotated[str, typer.Option("--webhook", metavar="NAME", help="of this webhook alone")]


@webhooks.command("list")
def webhooks_list(
    manifest: Manifest = HERE,
    hook: Hook = "",
    limit: Annotated[int, typer.Option("-n", min=0, max=10_000, metavar="N", help="so many of what was sent")] = 20,
    as_json: Json = False,
) -> None:
    """What waits, what was given up and why, and what was sent, the newest first."""
    from .. import webhooks as command

    command.list_events(manifest, hook, limit, as_json=as_json)


@webhooks.command("retry")
def webhooks_retry(
    ident: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="an event, as `list` shows it; none: all given up")
    ] = None,
    manifest: Manifest = HERE,
    hook: Hook = "",
) -> None:
    """Tell it again, what was sent before too: under the same id, so that a receiver sees that it is no other."""
    from .. import webhooks as command

    command.retry(manifest, ident or [], hook)
