"""`ringfence users` and `ringfence keys`: names, options and help; what a command needs is imported when called."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import HERE, Json, Manifest, group

users = group("Who may sign in, and who is: list, add, rm, passwd, disable, enable, roles, sessions, sign-out.")
keys = group("API keys, for programs: list, add, rm.")

Who = Annotated[str, typer.Argument(metavar="NAME", help="the account's name")]
Held = Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help="a role, such as ops, admin or auditor")]
Teams = Annotated[list[str] | None, typer.Option("--team", metavar="TEAM", help="a team, whose memory they share")]
Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from stdin, instead of one that is made")
]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]


@users.command("list")
def users_list(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """Every account, its roles, and whether it has a password."""
    from .. import accounts as command

    command.list_users(manifest, as_json=as_json)


@users.command("add")
def users_add(
    name: Who,
    manifest: Manifest = HERE,
    role: Held = None,
    team: Teams = None,
    tenant: Annotated[str, typer.Option(metavar="NAME", help="the house that they belong to")] = "",
    stdin: Stdin = False,
) -> None:
    """Add an account. Its password is made and printed once, typed, or read from stdin."""
    from .. import accounts as command

    command.add_user(manifest, name, role or (), team or (), tenant, stdin=stdin)


@users.command("passwd")
def users_passwd(name: Who, manifest: Manifest = HERE, stdin: Stdin = False) -> None:
    """Another password, for an account of the manifest too; it ends the account's sessions."""
    from .. import accounts as command

    command.passwd(manifest, name, stdin=stdin)


@users.command("roles")
def users_roles(name: Who, manifest: Manifest = HERE, role: Held = None, team: Teams = None) -> None:
    """Other roles or teams instead of those until now; without any, say which there are."""
    from .. import accounts as command

    command.roles(manifest, name, role, team)


@users.command("disable")
def users_disable(name: Who, manifest: Manifest = HERE) -> None:
    """Let an account in no more: its sessions end, its keys stop."""
    from .. import accounts as command

    command.able(manifest, name, able=False)


@users.command("enable")
def users_enable(name: Who, manifest: Manifest = HERE) -> None:
    """Let an account in again."""
    from .. import accounts as command

    command.able(manifest, name, able=True)


@users.command("rm")
def users_rm(name: Who, manifest: Manifest = HERE, yes: Yes = False) -> None:
    """Take an account out, with its sessions and its keys. What it did stays on the record."""
    from .. import accounts as command

    raise typer.Exit(command.remove_user(manifest, name, yes=yes))


@users.command("sessions")
def users_sessions(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="whose; everybody's, if nobody is named")] = None,
    manifest: Manifest = HERE,
    as_json: Json = False,
) -> None:
    """Who is signed in, and where; those that came by a provider too."""
    from .. import accounts as command

    command.list_sessions(manifest, name or "", as_json=as_json)


@users.command("sign-out")
def users_sign_out(
    name: Annotated[str, typer.Argument(metavar="NAME", help="whose sessions end, as `users sessions` shows it")],
    manifest: Manifest = HERE,
    session: Annotated[str, typer.Option(metavar="ID", help="this one alone, instead of all of them")] = "",
) -> None:
    """End somebody's sessions here, at once. At a provider that they came by they stay signed in."""
    from .. import accounts as command

    command.sign_out(manifest, name, session)


@keys.command("list")
def keys_list(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """Every key: whose it is, what for, until when, when it was used last."""
    from .. import accounts as command

    command.list_keys(manifest, as_json=as_json)


@keys.command("add")
def keys_add(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="whose it is; you, if nobody is named")] = None,
    manifest: Manifest = HERE,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCOPE", help="runs (if none is named), approvals, memory, knowledge, audit, admin, metrics"
        ),
    ] = None,
    days: Annotated[float, typer.Option(min=0.001, metavar="N", help="days until it ends")] = 90.0,
    forever: Annotated[bool, typer.Option("--no-expiry", help="it ends when it is taken out, and not before")] = False,
    purpose: Annotated[str, typer.Option("--for", metavar="TEXT", help="what it is for, in a few words")] = "",
) -> None:
    """A new key, printed once on stdout. It may do what its scopes say, and never more than its account."""
    from .. import accounts as command

    command.add_key(manifest, name, scope or ("runs",), None if forever else days, purpose)


@keys.command("rm")
def keys_rm(ident: Annotated[str, typer.Argument(metavar="ID", help="a key's id, as `keys list` shows it")],
            manifest: Manifest = HERE) -> None:  # fmt: skip
    """End a key for good."""
    from .. import accounts as command

    command.revoke(manifest, ident)
