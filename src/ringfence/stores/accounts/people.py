"""Accounts: those of the manifest, whose roles it says, and those of `ringfence users`. Passwords are here alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ringfence.core.errors import ManifestError
from ringfence.core.ports import Clock
from ringfence.core.values import Principal
from ringfence.manifest.fields import NAME
from ringfence.manifest.server import User

from .file import File

OPERATOR, OWN, NAMED = "operator", "own", "named"  # of the machine; of `ringfence users`; of the manifest


class LastAdmin(ManifestError):
    """A change after which nobody would be an admin any more."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account.

    kind      who says that it is there: OPERATOR and OWN are in the file, NAMED is in the manifest
    hash      of the password; empty: there is none, and no password is right
    roles     names without `role:`; teams as well
    """

    name: str
    kind: str = OWN
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tenant: str = ""
    disabled: bool = False
    created: int = 0
    hash: str = field(default="", repr=False)

    @property
    def principal(self) -> Principal:
        """Who they are on the record."""
        held = frozenset([f"role:{role}" for role in self.roles] + [f"team:{team}" for team in self.teams])
        return Principal(f"user:{self.name}", held, self.tenant)


class People:
    """The accounts of a server, with what a manifest says of them, which may change while it runs."""

    def __init__(self, file: File, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._named: dict[str, User] = {}
        self._operator: frozenset[str] = frozenset()

    def know(self, users: Sequence[User], operator: Principal) -> None:
        """Take over the users of a manifest, and the roles and teams of whoever runs it."""
        self._named = {user.name.casefold(): user for user in users}
        self._operator = operator.roles | {"role:admin", "role:auditor"}

    def find(self, name: str) -> Person | None:
        """The account of a name, whatever its case; disabled ones too."""
        if not name.isascii():  # as every account's is: other letters that fold to these are somebody else
            return None
        rows = self._file.rows("SELECT * FROM people WHERE name = ?", (name,))
        return self._merged(self._named.get(name.casefold()), _person(rows[0]) if rows else None)

    def all(self) -> list[Person]:
        """Every account, by name."""
        kept = {person.name.casefold(): person for person in map(_person, self._file.rows("SELECT * FROM people"))}
        merged = (self._merged(self._named.get(key), kept.get(key)) for key in sorted({*kept, *self._named}))
        return [person for person in merged if person is not None]

    def _merged(self, user: User | None, kept: Person | None) -> Person | None:
        """The manifest says who they are; the file, what their password is and whether they are disabled."""
        if user is not None:
            person = kept or Person(user.name)
            return replace(
                person, name=user.name, kind=NAMED, roles=user.roles, teams=user.teams, tenant=user.tenant or ""
            )
        if kept is None or kept.kind == NAMED:  # what is left of one whom the manifest named once lets nobody in
            return None
        if kept.kind == OPERATOR:
            return replace(kept, roles=_bare("role:", self._operator), teams=_bare("team:", self._operator))
        return kept

    def first(self, name: str, hashed: str) -> bool:
        """Make the operator's account, if this server never had one; whether it was made."""
        with self._file.changing() as db:
            if self.begun():
                return False
            db.execute("INSERT INTO meta VALUES('operator', ?)", (name.encode(),))
            self._put(db, Person(name, OPERATOR, created=self._clock(), hash=hashed))
        return True

    def begun(self) -> bool:
        """Whether the operator's account was made once."""
        return bool(self._file.rows("SELECT 1 FROM meta WHERE name = 'operator'"))

    def add(self, person: Person) -> None:
        """Add an account; raises ManifestError for a name that is none, or is taken."""
        _check_names(person.name, *person.roles, *person.teams, *filter(None, [person.tenant]))
        with self._file.changing() as db:
            if self.find(person.name) is not None:
                raise ManifestError(f"there is an account {person.name} already", todo="`ringfence users list`")
            _forget(db, person.name)  # of one whom the manifest named once: no key of theirs is this one's
            self._put(db, replace(person, kind=OWN, created=self._clock()))

    def change(
        self, name: str, *, hashed: str | None = None, disabled: bool | None = None,
        roles: Sequence[str] | None = None, teams: Sequence[str] | None = None, ruled: bool = False,
    ) -> Person:  # fmt: skip
        """Change an account; a new password ends its sessions, and so does its being disabled.

        Raises ManifestError for no such account, and for roles that the manifest or the machine says; with `ruled`,
        LastAdmin: who has no terminal could not take it back.
        """
        _check_names(*(roles or ()), *(teams or ()))
        with self._file.changing() as db:
            person = self._there(name)
            if (roles is not None or teams is not None) and person.kind != OWN:
                where = "the manifest says" if person.kind == NAMED else "this machine's operator has"
                raise ManifestError(f"the roles of {person.name} are what {where}", todo="change server.users there")
            changed = replace(
                person,
                hash=person.hash if hashed is None else hashed,
                disabled=person.disabled if disabled is None else disabled,
                roles=person.roles if roles is None else tuple(roles),
                teams=person.teams if teams is None else tuple(teams),
            )
            if not db.execute("SELECT 1 FROM people WHERE name = ?", (name,)).get:
                self._put(db, replace(changed, roles=(), teams=(), tenant=""))  # the manifest's: it says those
            self._update(db, changed)
            if hashed is not None or disabled:
                db.execute("DELETE FROM sessions WHERE name = ?", (person.name,))
            if ruled and _rules(person) and not any(map(_rules, self.all())):
                what = f"{person.name} is the last admin, and without one nobody could look after accounts on the page"
                raise LastAdmin(what, todo="make somebody else an admin first")
        return changed

    @staticmethod
    def _update(db: Any, person: Person) -> None:
        values = (person.hash, int(person.disabled), person.name)
        db.execute("UPDATE people SET hash = ?, disabled = ? WHERE name = ?", values)
        if person.kind == OWN:
            said = (json.dumps(person.roles), json.dumps(person.teams), person.name)
            db.execute("UPDATE people SET roles = ?, teams = ? WHERE name = ?", said)

    def rehash(self, name: str, old: str, new: str) -> None:
        """Keep the same password with today's parameters, unless it was changed meanwhile."""
        with self._file.changing() as db:
            db.execute("UPDATE people SET hash = ? WHERE name = ? AND hash = ?", (new, name, old))

    def remove(self, name: str) -> None:
        """Take an account out, its sessions and its keys. Raises ManifestError for none, and for the manifest's."""
        with self._file.changing() as db:
            person = self._there(name)
            if person.kind == NAMED:
                raise ManifestError(f"{person.name} is named in the manifest", todo="take them out of server.users")
            _forget(db, person.name)

    def _there(self, name: str) -> Person:
        if (person := self.find(name)) is None:
            raise ManifestError(f"there is no account {name}", todo="`ringfence users list` shows them")
        return person

    @staticmethod
    def _put(db: Any, person: Person) -> None:
        db.execute(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (person.name, person.hash, json.dumps(person.roles), json.dumps(person.teams), person.tenant, person.kind,
             int(person.disabled), person.created),
        )  # fmt: skip


def _check_names(*names: str) -> None:
    for name in names:
        if not re.fullmatch(NAME, name):
            what = f"expected a letter, then letters, digits, '-' or '_', 63 at most, got {name!r}"
            raise ManifestError(what, todo="choose another name; roles and teams are named without role: and team:")


def _rules(person: Person) -> bool:
    return "admin" in person.roles and not person.disabled


def _forget(db: Any, name: str) -> None:
    for table in ("people", "sessions", "keys"):
        db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))


def _bare(kind: str, held: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(role.removeprefix(kind) for role in held if role.startswith(kind)))


def _person(row: tuple[Any, ...]) -> Person:
    name, hashed, roles, teams, tenant, kind, disabled, created = row
    return Person(
        name, kind, tuple(json.loads(roles)), tuple(json.loads(teams)), tenant, bool(disabled), created, hashed
    )
