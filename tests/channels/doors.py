"""A server in process that people come into as they would: with passwords, sessions, keys, a proxy or a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from ringfence import app as composition
from ringfence.app.serving.service import Service
from ringfence.channels.auth.credentials import Credentials
from ringfence.channels.http.app import application
from ringfence.manifest.loader import load
from ringfence.stores.accounts import Accounts
from ringfence.stores.accounts.passwords import Passwords
from ringfence.testing.scripted import ScriptedModel

from .kit import MANIFEST, final

PASSWORD = "four words of mine"
START = 1_800_000_000_000
USERS = """
server:
  users:
    - {name: alice, roles: [ops], tenant: north}
    - {name: bob, roles: [ops], tenant: south}
    - {name: petra, roles: [lead], tenant: north}
    - {name: otto, roles: [auditor]}
    - {name: ada, roles: [admin]}
"""


@dataclass
class Clock:
    """A clock that is set by hand, in milliseconds since 1970."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def later(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.now += int(minutes * 60_000 + seconds * 1000)


@cache
def hashed(password: str) -> str:
    """Its hash, reckoned once for all tests."""
    passwords = Passwords()
    try:
        return passwords.hash(password)
    finally:
        passwords.close()


@dataclass
class Doors:
    """The app, its accounts and its clock; `client` is a browser that keeps cookies."""

    client: httpx2.AsyncClient
    web: FastAPI
    credentials: Credentials
    clock: Clock
    csrf: dict[str, str] = field(default_factory=dict)

    @property
    def accounts(self) -> Accounts:
        return self.credentials.accounts

    def browser(self, *, address: str = "127.0.0.1", base: str = "http://localhost") -> httpx2.AsyncClient:
        """Another one, elsewhere."""
        transport = httpx2.ASGITransport(self.web, client=(address, 1), raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=base)

    async def sign_in(self, name: str, password: str = PASSWORD, client: Any = None) -> httpx2.Response:
        """Sign in; what has to go along with each request that changes something is in `csrf` then."""
        browser = client or self.client
        answer = await browser.post("/auth/login", json={"name": name, "password": password})
        if answer.status_code == 204:
            self.csrf = {"X-CSRF-Token": (await browser.get("/auth/session")).json()["csrf"]}
        return answer


@contextmanager
def accounts_in(folder: Path, clock: Clock) -> Iterator[Accounts]:
    """The accounts of a folder."""
    accounts = Accounts(folder / ".ringfence" / "accounts.db", clock)
    try:
        yield accounts
    finally:
        accounts.close()


@asynccontextmanager
async def doors(
    folder: Path, *, manifest: str = MANIFEST + USERS, base: str = "http://localhost", address: str = "127.0.0.1",
    clock: Clock | None = None, model: Any = None,
) -> AsyncIterator[Doors]:  # fmt: skip
    """A server whose users of the manifest all have PASSWORD."""
    (folder / "ringfence.yaml").write_text(manifest)
    known, clock = load(folder / "ringfence.yaml"), clock or Clock()
    agent = composition.from_manifest(known, model=model or ScriptedModel([final("42")] * 50))
    with accounts_in(folder, clock) as accounts:
        credentials = Credentials(accounts, known.server)
        accounts.people.know(known.server.users, composition.operator(known))
        for user in known.server.users:
            if not accounts.people.find(user.name).hash:  # type: ignore[union-attr]
                accounts.people.change(user.name, hashed=hashed(PASSWORD))
        web = application(Service(agent), credentials)
        async with agent, web.router.lifespan_context(web):
            transport = httpx2.ASGITransport(web, client=(address, 1), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
                yield Doors(client, web, credentials, clock)
        credentials.passwords.close()
