"""`ringfence users` and `ringfence keys`: who may come in to the server."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from .. import app
from ..app.accounts import Desk, ensure_operator, operator_name
from ..core.errors import ManifestError
from ..manifest.loader import load
from ..manifest.server import Scope
from ..stores.accounts.passwords import generated
from ..stores.accounts.people import Person
from .exits import Exit
from .text import decoded, plain


def list_users(manifest: Path, *, as_json: bool) -> None:
    """A line each."""
    for person in _desk(manifest).people():
        if as_json:
            print(json.dumps(_person(person), ensure_ascii=False))
            continue
        words = [*person.roles, *(f"team:{team}" for team in person.teams)]
        state = "disabled" if person.disabled else "" if person.hash else "no password"
        tenant = f"of {person.tenant}" if person.tenant else ""
        print(
            "  ".join(filter(None, (f"{person.name:<16}", f"{person.kind:<8}", " ".join(words) or "-", tenant, state)))
        )


def add_user(
    manifest: Path, name: str, roles: Sequence[str], teams: Sequence[str], tenant: str, *, stdin: bool
) -> None:
    """Add an account."""
    desk, (password, made) = _desk(manifest), _password(stdin=stdin)
    desk.add(Person(name, roles=tuple(roles), teams=tuple(teams), tenant=tenant), password)
    _told(name, password, made=made)


def passwd(manifest: Path, name: str, *, stdin: bool) -> None:
    """Another password."""
    desk, (password, made) = _desk(manifest), _password(stdin=stdin)
    desk.passwd(name, password)
    _told(name, password, made=made)


def roles(manifest: Path, name: str, held: Sequence[str] | None, teams: Sequence[str] | None) -> None:
    """Other roles; or which there are."""
    desk = _desk(manifest)
    if held is not None or teams is not None:
        person = desk.roles(name, held, teams)
    else:
        found = [person for person in desk.people() if person.name.casefold() == name.casefold()]
        if not found:
            raise ManifestError(f"there is no account {name}", todo="`ringfence users list` shows them")
        person = found[0]
    print(plain(f"{person.name}: {' '.join(sorted(person.principal.roles)) or 'no roles'}"))


def able(manifest: Path, name: str, *, able: bool) -> None:
    """Disable or enable an account."""
    _desk(manifest).able(name, able)
    print(plain(f"{name} may sign in again" if able else f"{name} is disabled; sessions have ended"), file=sys.stderr)


def remove_user(manifest: Path, name: str, *, yes: bool) -> Exit:
    """Take an account out."""
    desk = _desk(manifest)
    if not yes:
        if not sys.stdin.isatty():
            raise ManifestError("expected --yes where nobody can be asked, got none", todo="add it")
        print(f"Take out {plain(name)}, with all sessions and keys? Type yes: ", end="", file=sys.stderr, flush=True)
        if input().strip() != "yes":
            print("nothing was changed", file=sys.stderr)
            return Exit.UNANSWERED
    desk.remove(name)
    print(plain(f"took out {name}"), file=sys.stderr)
    return Exit.DONE


def list_sessions(manifest: Path, name: str, *, as_json: bool) -> None:
    """A line each."""
    for one in _desk(manifest).sessions(name):
        if as_json:
            fields = ("ident", "name", "provider", "roles", "tenant", "created", "used", "ends", "address", "agent")
            print(json.dumps({field: getattr(one, field) for field in fields}, ensure_ascii=False))
            continue
        way = f"by {one.provider}" if one.provider else "with a password"
        when = f"used {_minute(one.used)}, until {_minute(one.ends)}"
        print(plain(f"{one.ident}  {one.name:<16}  {way}, from {one.address or 'nowhere known'}, {when}  {one.agent}"))


def sign_out(manifest: Path, name: str, ident: str) -> None:
    """End somebody's sessions."""
    desk = _desk(manifest)
    found = [one for one in desk.sessions(name) if ident in ("", one.ident)]
    if not found:
        what = f"{name} has no session {ident}" if ident else f"{name} is signed in nowhere"
        raise ManifestError(what, todo="`ringfence users sessions` shows who is")
    count = desk.sign_out(found[0].name, ident)
    ended = "1 session" if count == 1 else f"{count} sessions"
    there = "; at the provider they may be signed in still" if any(one.provider for one in found) else ""
    print(plain(f"{found[0].name}: ended {ended}{there}"), file=sys.stderr)


def list_keys(manifest: Path, *, as_json: bool) -> None:
    """A line each."""
    now = app.now_ms()
    for key in _desk(manifest).every_key():
        state = "revoked" if key.revoked else "holds" if key.holds(now) else "expired"
        if as_json:
            fields = ("ident", "name", "purpose", "scopes", "created", "ends", "used", "revoked")
            print(json.dumps({field: getattr(key, field) for field in fields} | {"state": state}, ensure_ascii=False))
            continue
        ends = f"until {_day(key.ends)}" if key.ends else "without an end"
        used = f"used {_day(key.used)}" if key.used else "never used"
        print(plain(f"{key.ident}  {key.name:<16}  {state:<7}  {','.join(key.scopes)}  {ends}, {used}  {key.purpose}"))


def add_key(manifest: Path, name: str | None, scopes: Sequence[str], days: float | None, purpose: str) -> None:
    """A new key, on stdout."""
    desk = _desk(manifest)
    if name is None and (password := ensure_operator(desk.manifest)) is not None:
        print(plain(f"{operator_name(desk.manifest)} signs in with {password}, not shown again"), file=sys.stderr)
    text, key = desk.add_key(
        name or operator_name(desk.manifest), cast("Sequence[Scope]", scopes), purpose=purpose, days=days
    )
    print(text)
    ends = f"until {_day(key.ends)}" if key.ends else "until it is taken out"
    print(
        plain(f"{key.ident} of {key.name}, for {', '.join(key.scopes)}, {ends}; it is not shown again"), file=sys.stderr
    )


def revoke(manifest: Path, ident: str) -> None:
    """End a key."""
    key = _desk(manifest).revoke(ident)
    print(plain(f"{key.ident} of {key.name} is revoked"), file=sys.stderr)


def _desk(manifest: Path) -> Desk:
    loaded = load(manifest)
    return Desk(loaded, app.operator(loaded))


def _password(*, stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made here; typed twice at a terminal, where nothing typed means: make one."""
    if stdin:
        return decoded(sys.stdin.readline().rstrip("\r\n")), False
    if not sys.stdin.isatty():
        return generated(), True
    typed = getpass.getpass("Password (none: one is made): ")
    if not typed:
        return generated(), True
    if getpass.getpass("Again: ") != typed:
        raise ManifestError("expected the same password twice, got two", todo="try again")
    return typed, False


def _told(name: str, password: str, *, made: bool) -> None:
    print(plain(f"{name} signs in with {'this password, which is not shown again:' if made else 'it from now on'}"),
          file=sys.stderr)  # fmt: skip
    if made:
        print(password)


def _person(person: Person) -> dict[str, Any]:
    return {
        "name": person.name, "kind": person.kind, "roles": list(person.roles), "teams": list(person.teams),
        "tenant": person.tenant, "disabled": person.disabled, "password": bool(person.hash),
    }  # fmt: skip


def _minute(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d %H:%M}"


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d}"
