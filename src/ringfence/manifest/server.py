"""The server: where it listens, who may come in, how much they may ask for, and whom it tells."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from .fields import Folder, HeaderName, HostName, Name, Rate, Reader, SecretRef, Subnet, Url, loopback
from .strict import Conflict, Strict

Scope = Literal["runs", "approvals", "memory", "knowledge", "audit", "admin", "metrics"]
SCOPES: Final[tuple[Scope, ...]] = ("runs", "approvals", "memory", "knowledge", "audit", "admin", "metrics")


class Tls(Strict):
    """The server's own certificate."""

    cert: Annotated[Folder, Field(description="the certificate and those above it, PEM, relative to the manifest")]
    key: Annotated[Folder, Field(description="its private key, PEM")]


class User(Strict):
    """Somebody who may come in. Passwords and keys are never written here: `ringfence users`, `ringfence keys`."""

    name: Annotated[Name, Field(description="what they sign in as; on record they are user:NAME")]
    roles: Annotated[
        tuple[Name, ...], Field(description="what they may: the NAME of role:NAME; admin and auditor too")
    ] = ()
    teams: Annotated[tuple[Name, ...], Field(description="whose memory they share: the NAME of team:NAME")] = ()
    tenant: Annotated[Name | None, Field(description="the house that they belong to, where several share a server")] = (
        None
    )


class Oidc(Strict):
    """Sign in with an OpenID Connect provider: authorisation code with PKCE."""

    issuer: Annotated[Url, Field(description="the provider's issuer, exactly as it calls itself")]
    client_id: Annotated[str, Field(min_length=1, description="as the provider has this server")]
    client_secret: Annotated[
        SecretRef | None, Field(description="as a reference: ${NAME}; none for a public client")
    ] = None
    scopes: Annotated[tuple[str, ...], Field(description="what is asked for beside openid")] = ("profile", "email")
    subject: Annotated[str, Field(min_length=1, description="the claim that names a user: user:VALUE on record")] = (
        "sub"
    )
    groups: Annotated[str, Field(min_length=1, description="the claim that lists a user's groups")] = "groups"
    roles: Annotated[
        dict[str, tuple[Name, ...]], Field(description="the roles of a group: {wards: [nurse], it: [ops, admin]}")
    ] = {}
    tenant: Annotated[str | None, Field(description="the claim that names the tenant; none if not set")] = None
    sign_out: Annotated[
        bool, Field(description="sign out there too, where it can be; PUBLIC/ is registered as where it leads back to")
    ] = True
    require_role: Annotated[bool, Field(description="who is in none of these groups does not come in")] = True


class Proxy(Strict):
    """A proxy in front that has checked who it is, and says so in a header."""

    trusted: Annotated[
        tuple[Subnet, ...], Field(min_length=1, description="the proxy's addresses: nobody else is believed")
    ]
    user: Annotated[HeaderName | None, Field(description="the header that names the user; none: it only forwards")] = (
        None
    )
    groups: Annotated[HeaderName | None, Field(description="the header that lists their groups, with commas")] = None
    roles: Annotated[dict[str, tuple[Name, ...]], Field(description="the roles of a group, as for oidc")] = {}


class Auth(Strict):
    """How people and programs show who they are."""

    password: Annotated[bool, Field(description="with a name and a password, on the page")] = True
    keys: Annotated[bool, Field(description="with an API key, as a bearer token")] = True
    oidc: Annotated[Oidc | None, Field(description="with an OpenID Connect provider")] = None
    proxy: Annotated[Proxy | None, Field(description="through a proxy that has checked them")] = None
    session_hours: Annotated[float, Field(gt=0, le=24 * 90, description="hours for which a sign-in holds")] = 12.0
    idle_minutes: Annotated[float, Field(gt=0, description="minutes without a request after which it ends")] = 120.0
    attempts: Annotated[int, Field(ge=1, le=100, description="wrong passwords in a row before a wait begins")] = 5

    def conflicts(self) -> Iterator[Conflict]:
        """There has to be a way in."""
        if not (self.password or self.keys or self.oidc or (self.proxy and self.proxy.user)):
            yield (), "expected a way to come in, got none; allow password, keys, oidc or a proxy's user"


class Limits(Strict):
    """How much is done at once, and how much is taken in."""

    running: Annotated[int, Field(ge=1, le=4096, description="runs at work at once; the others wait their turn")] = 8
    running_each: Annotated[int, Field(ge=1, le=4096, description="of them, of one principal")] = 2
    queued: Annotated[int, Field(ge=0, le=100_000, description="runs that wait; beyond, 429 with Retry-After")] = 256
    queued_each: Annotated[int, Field(ge=0, le=100_000, description="of them, of one principal")] = 32
    requests: Annotated[Rate, Field(description="requests of one principal")] = "600/minute"
    requests_each_address: Annotated[Rate, Field(description="requests of one address, before anybody is known")] = (
        "1200/minute"
    )
    body_kb: Annotated[int, Field(ge=1, le=1_048_576, description="kilobytes of one request, at most")] = 1024
    upload_mb: Annotated[int, Field(ge=1, le=4096, description="megabytes of one file for a collection")] = 64
    connections: Annotated[int, Field(ge=1, le=100_000, description="open connections; beyond, 503")] = 1024
    connections_each_address: Annotated[int, Field(ge=1, le=100_000, description="of them, of one address")] = 256
    request_s: Annotated[float, Field(gt=0, description="seconds for a request to arrive whole")] = 20.0
    run_s: Annotated[float, Field(gt=0, description="seconds for one run at work")] = 1800.0
    drain_s: Annotated[
        float, Field(ge=0, description="seconds for runs to end when the server stops; the rest resume")
    ] = 30.0


class Webhook(Strict):
    """Somebody who is told, by a signed request (Standard Webhooks), that a run has ended or waits for a person."""

    name: Annotated[Name, Field(description="what the record calls it")]
    url: Annotated[Url, Field(description="where to")]
    secret: Annotated[SecretRef, Field(description="what requests are signed with, as a reference: ${NAME}")]
    events: Annotated[
        tuple[Literal["run.finished", "approval.needed"], ...], Field(min_length=1, description="what is told")
    ] = ("run.finished", "approval.needed")
    audience: Annotated[
        tuple[Reader, ...], Field(description="who reads what is sent: an answer goes along only if all of them may")
    ] = ()
    attempts: Annotated[int, Field(ge=1, le=20, description="tries, ever further apart, before it is given up")] = 8


class Server(Strict):
    """`ringfence up` and `ringfence serve`."""

    host: Annotated[str, Field(min_length=1, description="the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="the port; 0: any that is free")] = 8484
    public_url: Annotated[
        Url | None, Field(description="what people write in their browser, if a proxy is in front")
    ] = None
    hosts: Annotated[tuple[HostName, ...], Field(description="further names under which it may be asked for")] = ()
    tls: Annotated[Tls | None, Field(description="the server's own certificate")] = None
    behind_proxy: Annotated[
        bool, Field(description="a proxy in front ends TLS; without it no other address is bound")
    ] = False
    users: Annotated[tuple[User, ...], Field(description="who may come in, beside those of `ringfence users`")] = ()
    auth: Annotated[Auth, Field(description="how they show who they are")] = Auth()
    limits: Annotated[Limits, Field(description="how much is done and taken in")] = Limits()
    webhooks: Annotated[tuple[Webhook, ...], Field(description="who is told what happens")] = ()
    mcp: Annotated[bool, Field(description="the agent as tools of an MCP server, under /mcp")] = True
    a2a: Annotated[bool, Field(description="the agent for other agents (A2A), under /a2a")] = False
    otlp: Annotated[
        Url | None, Field(description="where traces go (OTLP over HTTP), such as http://127.0.0.1:4318")
    ] = None
    access_log: Annotated[bool, Field(description="a line of the log for each request")] = True

    @property
    def public(self) -> bool:
        """Whether anybody beyond this machine can reach it."""
        return not loopback(f"http://{f'[{self.host}]' if ':' in self.host else self.host}")

    def conflicts(self) -> Iterator[Conflict]:
        """Nothing crosses a network unencrypted; nobody is two people."""
        if self.public and self.tls is None and not self.behind_proxy:
            yield (
                ("host",),
                f"expected tls, or behind_proxy: true, beside host: {self.host}, which others can reach; add one",
            )
        names = [user.name.casefold() for user in self.users]
        for n, name in enumerate(names):
            if name in names[:n]:
                yield ("users", n, "name"), f"expected a name of its own, got {self.users[n].name} again; rename it"
        hooks = [hook.name for hook in self.webhooks]
        for n, name in enumerate(hooks):
            if name in hooks[:n]:
                yield ("webhooks", n, "name"), f"expected a name of its own, got {name} again; rename it"
        if self.auth.proxy is not None:
            for n, subnet in enumerate(self.auth.proxy.trusted):
                try:
                    ipaddress.ip_network(subnet, strict=False)
                except ValueError:
                    yield (
                        ("auth", "proxy", "trusted", n),
                        f"expected an address or a range such as 10.0.0.0/8, got {subnet}",
                    )

    def paths(self, root: Path) -> tuple[Path, Path] | None:
        """Certificate and key; None without TLS."""
        return None if self.tls is None else (root / self.tls.cert, root / self.tls.key)
