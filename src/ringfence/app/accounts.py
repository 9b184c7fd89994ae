"""Accounts as a manifest wants them, and every change of them on the record, without a secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.core.errors import ManifestError
from ringfence.core.values import JSON, Principal
from ringfence.manifest.server import Scope
from ringfence.manifest.types import Manifest

from . import operator, privacy, record
from .ids import now_ms

if TYPE_CHECKING:
    from ringfence.stores.accounts import Accounts
    from ringfence.stores.accounts.keys import Key
    from ringfence.stores.accounts.people import Person
    from ringfence.stores.accounts.sessions import Session


def open_accounts(manifest: Manifest) -> Accounts:
    """The accounts of a manifest, made if they are not there: `.ringfence/accounts.db`. Raises JournalError."""
    from ringfence.stores.accounts import Accounts

    accounts = Accounts(manifest.root / record.FOLDER / "accounts.db", now_ms)
    accounts.people.know(manifest.server.users, operator(manifest))
    return accounts


def ensure_operator(manifest: Manifest) -> str | None:
    """Make the account of whoever runs this machine, the first time: its password, which is told this once.

    None if it was made before, and where no passwords are used. Raises ManifestError without the extra `server`.
    """
    with _Hands(manifest).accounts() as accounts:
        if accounts.people.begun():
            return None
        from ringfence.stores.accounts.passwords import generated

        name = operator_name(manifest)
        password = generated() if manifest.server.auth.password else None
        made = accounts.people.first(name, "" if password is None else _hashed(password))
        return password if made else None


def operator_name(manifest: Manifest) -> str:
    """What the operator signs in as."""
    return operator(manifest).subject.removeprefix("user:")


@dataclass(frozen=True, slots=True)
class _Hands:
    """The accounts of a manifest, opened for one thing, or `open` as a server has them."""

    manifest: Manifest
    open: Accounts | None = None

    @contextmanager
    def accounts(self) -> Iterator[Accounts]:
        if self.open is not None:
            yield self.open
            return
        accounts = open_accounts(self.manifest)
        try:
            yield accounts
        finally:
            accounts.close()

    @contextmanager
    def changing(self, by: Principal, task: str, view: dict[str, JSON]) -> Iterator[Accounts]:
        """A run of its own around a change: on the record before it, and whether it was made."""
        with (
            record.open_journal(self.manifest) as journal,
            self.accounts() as accounts,
            privacy.recorded(journal, by, task, {"privacy": "accounts", **view}),
        ):
            yield accounts


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody who looks after the accounts of a manifest, at the terminal or on the page.

    by     who they are on the record
    open   the accounts, where they are open already; else they are opened for each thing
    ruled  whether one admin at least has to be left: on the page, where nobody else could take it back
    """

    manifest: Manifest
    by: Principal
    open: Accounts | None = None
    ruled: bool = False

    def people(self) -> list[Person]:
        """Every account."""
        with _Hands(self.manifest, self.open).accounts() as accounts:
            return accounts.people.all()

    def add(self, person: Person, password: str) -> None:
        """Add an account with a password. Raises ManifestError for a name that is taken or a password too easy."""
        from ringfence.stores.accounts.passwords import acceptable

        self.put(replace(person, hash=_hashed(acceptable(password, person.name))))

    def put(self, person: Person) -> None:
        """Add an account with the hash of its password. Raises ManifestError for a name that is taken."""
        view: dict[str, JSON] = {"roles": list(person.roles), "teams": list(person.teams), "tenant": person.tenant}
        with self._changing("add", person.name, view) as accounts:
            accounts.people.add(person)

    def passwd(self, name: str, password: str) -> None:
        """Another password, which ends the account's sessions and the wait after wrong ones."""
        from ringfence.stores.accounts.passwords import acceptable

        self.rehash(name, _hashed(acceptable(password, name)))

    def rehash(self, name: str, hashed: str) -> Person:
        """`passwd`, with the hash of the new one."""
        with self._changing("passwd", name) as accounts:
            person = accounts.people.change(name, hashed=hashed)
            accounts.attempts.clear(name)
            return person

    def able(self, name: str, able: bool) -> None:
        """Disable an account, which ends its sessions and stops its keys, or let it in again."""
        with self._changing("enable" if able else "disable", name) as accounts:
            accounts.people.change(name, disabled=not able, ruled=self.ruled)

    def roles(self, name: str, roles: Sequence[str] | None, teams: Sequence[str] | None) -> Person:
        """Other roles or teams, from the next request on; None leaves them."""
        view: dict[str, JSON] = {"roles": list(roles or ()), "teams": list(teams or ())}
        with self._changing("roles", name, view) as accounts:
            return accounts.people.change(name, roles=roles, teams=teams, ruled=self.ruled)

    def remove(self, name: str) -> None:
        """Take an account out, its sessions and its keys; what its runs left on the record stays."""
        with self._changing("rm", name) as accounts:
            accounts.people.remove(name)

    def every_key(self) -> list[Key]:
        """Every key, and what is known of it."""
        with _Hands(self.manifest, self.open).accounts() as accounts:
            return accounts.keys.all()

    def add_key(self, name: str, scopes: Sequence[Scope], *, purpose: str, days: float | None) -> tuple[str, Key]:
        """A new key of an account, which is told this once. Raises ManifestError for no such account."""
        view: dict[str, JSON] = {"scopes": list(scopes), "days": days}
        with self._changing("key", name, view) as accounts:
            if (person := accounts.people.find(name)) is None:
                raise ManifestError(f"there is no account {name}", todo="`ringfence users list` shows them")
            return accounts.keys.add(person.name, scopes, purpose=purpose, days=days)

    def revoke(self, ident: str) -> Key:
        """End a key for good."""
        with self._changing("revoke", ident) as accounts:
            return accounts.keys.revoke(ident)

    def sessions(self, name: str = "") -> list[Session]:
        """Who is signed in, or where one of them is; those that came by a provider, who may have no account, too."""
        with _Hands(self.manifest, self.open).accounts() as accounts:
            return accounts.sessions.of(name) if name else accounts.sessions.everyone()

    def sign_out(self, name: str, ident: str = "") -> int:
        """End the sessions of somebody here, or the one of this id; how many there were.

        Raises ManifestError for a session that there is not.
        """
        view: dict[str, JSON] = {"session": ident} if ident else {}
        with self._changing("sign-out", name, view) as accounts:
            ended = accounts.sessions.end(name, ident=ident)
            if ident and not ended:
                raise ManifestError(f"{name} has no session {ident}", todo="`ringfence users sessions` shows them")
            return ended

    @contextmanager
    def _changing(self, what: str, name: str, view: dict[str, JSON] | None = None) -> Iterator[Accounts]:
        said: dict[str, JSON] = {"account": what, "name": name, **(view or {})}
        with _Hands(self.manifest, self.open).changing(self.by, f"accounts: {what} {name}", said) as accounts:
            yield accounts


def _hashed(password: str) -> str:
    """Its hash; raises ManifestError without the extra `server`."""
    from ringfence.stores.accounts.passwords import Passwords

    passwords = Passwords()
    try:
        return passwords.hash(password)
    except ImportError as error:
        what = f"passwords need the extra `server`: {error.name} is not installed"
        raise ManifestError(what, todo="pip install 'ringfence[server]'") from None
    finally:
        passwords.close()
