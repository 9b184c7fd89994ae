"""Who is at the other end: the peer of the connection, or whom a trusted proxy says it speaks for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from ringfence.channels.http.problems import Problem
from ringfence.manifest.server import Server

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = list[tuple[bytes, bytes]]
_SAID = (b"forwarded", b"x-real-ip")  # and each x-forwarded-: only a trusted proxy says such things


class Proxies:
    """The proxies that `server.auth.proxy` trusts."""

    def __init__(self, server: Server) -> None:
        proxy = server.auth.proxy
        self._trusted = tuple(ipaddress.ip_network(one, strict=False) for one in (proxy.trusted if proxy else ()))
        named = (proxy.user, proxy.groups) if proxy else ()
        self._identity = frozenset(name.lower().encode() for name in named if name)
        self._ended_by_proxy = server.behind_proxy and not (server.public_url or "").startswith("http:")

    def seen(self, scope: dict[str, Any]) -> dict[str, Any]:
        """The scope with `client` and `scheme` as they are in front of the proxy.

        What only a proxy may say is taken out of a request that comes from elsewhere. Raises Problem 400 for a proxy
        that names two users: it let a header of its client's through.
        """
        headers: Headers = scope["headers"]
        peer = (scope.get("client") or ("", 0))[0]
        scheme = "https" if self._ended_by_proxy else scope.get("scheme", "http")
        if not self.trusts(peer):
            kept = [header for header in headers if not self._is_said(header[0].lower())]
            return {**scope, "headers": kept, "scheme": scheme}
        for name in self._identity:
            if sum(key.lower() == name for key, _ in headers) > 1:
                raise Problem(400, "proxy", f"expected {name.decode()} once, got it more often",
                              todo="let the proxy replace what its clients send")  # fmt: skip
        if _last(headers, b"x-forwarded-proto") == "https":
            scheme = "https"
        return {**scope, "client": (self._origin(headers, peer), 0), "scheme": scheme}

    def trusts(self, address: str) -> bool:
        """Whether a proxy is there that we believe."""
        known = _address(address)
        return known is not None and any(known in network for network in self._trusted)

    def _origin(self, headers: Headers, peer: str) -> str:
        """From the right, the first address that is not a proxy of ours: what stands left of it, anybody can write."""
        hops = ",".join(value.decode("latin-1") for key, value in headers if key.lower() == b"x-forwarded-for")
        for hop in reversed([one.strip() for one in hops.split(",") if one.strip()]):
            if _address(hop) is None:
                return peer
            if not self.trusts(hop):
                return hop
            peer = hop
        return peer

    def _is_said(self, name: bytes) -> bool:
        return name in self._identity or name in _SAID or name.startswith(b"x-forwarded-")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known


def _last(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    found = [value.decode("latin-1") for key, value in headers if key.lower() == name]
    return found[-1].rpartition(",")[2].strip().lower() if found else ""
