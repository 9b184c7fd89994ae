"""Which IP addresses are whose. Own tables: those of `ipaddress` differ between Python 3.11, 3.12 and 3.13.

Sources: the IANA special-purpose address registries (RFC 6890, as of 2024) and the clouds' metadata addresses.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


class Kind(StrEnum):
    """Of an address; whatever is in no table is `SPECIAL`."""

    PUBLIC = "public"
    PRIVATE = "private"  # reached only where the manifest says `private: true`
    LINK_LOCAL = "link-local"  # and only where it names this very address: the clouds' metadata services live here
    SPECIAL = "special"  # never: multicast, reserved, or another address in disguise


_PRIVATE = [
    ip_network(net)
    for net in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "100.64.0.0/10",  # RFC 6598, carriers' NAT
        "127.0.0.0/8", "::1/128", "fc00::/7",
    )
]  # fmt: skip
_LINK_LOCAL = [ip_network(net) for net in ("169.254.0.0/16", "fe80::/10")]
_SPECIAL = [
    ip_network(net)
    for net in (
        "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/3",  # multicast, reserved and broadcast
        "168.63.129.16/32",  # public by its number, and the metadata service of a cloud's virtual machines
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32", "3fff::/20", "2002::/16",  # documentation, 6to4
    )
]  # fmt: skip
_GLOBAL_6 = ip_network("2000::/3")  # what IANA gives out: mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96) lie outside


def kind(address: IPv4Address | IPv6Address) -> Kind:
    """Whose it is. An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64, Teredo) is `SPECIAL`, whatever it hides."""
    if any(address in net for net in _SPECIAL):
        return Kind.SPECIAL
    if any(address in net for net in _PRIVATE):
        return Kind.PRIVATE
    if any(address in net for net in _LINK_LOCAL):
        return Kind.LINK_LOCAL
    return Kind.PUBLIC if address.version == 4 or address in _GLOBAL_6 else Kind.SPECIAL


def may_connect(address: str, *, private: bool, named: bool) -> bool:
    """Whether to connect there. `private`: the manifest says so; `named`: it names the address itself, not a name."""
    match kind(ip_address(address)):
        case Kind.PUBLIC:
            return True
        case Kind.PRIVATE:
            return private
        case Kind.LINK_LOCAL:
            return private and named
        case Kind.SPECIAL:
            return False
