"""URLs, hosts and paths, read strictly: what two programs could read in two ways is refused, not repaired."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Self
from urllib.parse import quote, urljoin

from ringfence.core.errors import ToolError

MAX_URL = 4096  # characters
PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(/[^?#]*)?(\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.ASCII,  # without ASCII, [a-z] takes the Kelvin sign for a k
)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?")
_IPV6 = re.compile(r"\[([0-9a-f:.]+)\]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # as a last label it makes an address (WHATWG URL 3.5)
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SAFE = "%/:@!$&'()*+,;=-._~[]?"
_AMBIGUOUS = re.compile(r"//|;|%2f|%5c|%25|%3b|%0|%1|%7f|(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


class Refused(ToolError):
    """Not let out. `code` says which rule, for the record."""

    def __init__(self, code: str, what: str, *, todo: str = "") -> None:
        super().__init__(what, todo=todo)
        self.code = code


def host_name(text: str) -> str:
    """A host in its one spelling: lower case, IPv6 compressed and without brackets.

    Raises Refused for addresses in decimal, octal, hex or short form, zones, trailing dots and whatever is not ASCII.
    """
    name = text.lower()
    labels = name.split(".")
    try:
        if match := _IPV6.fullmatch(name):
            return IPv6Address(match[1]).compressed
        if _NUMBER.fullmatch(labels[-1]):
            return str(IPv4Address(name))
    except AddressValueError:
        raise Refused(
            "name", f"{text!r:.100} is no plain address", todo="write it as 192.0.2.1 or [2001:db8::1]"
        ) from None
    if not text.isascii() or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        todo = "write it with letters, digits, hyphens and dots, without a dot at its end"
        raise Refused("name", f"{text!r:.100} is no plain host name", todo=todo)
    return name


def is_address(host: str) -> bool:
    """Whether a host in its one spelling is an address rather than a name."""
    return ":" in host or host.rpartition(".")[2].isdecimal()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `path` begins with a slash, `query` is empty or begins with `?`; both as they are sent."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    query: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """From an absolute http or https URL. Raises Refused."""
        match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
        if match is None or _CONTROL.search(url):
            todo = f"give one such as https://host/path: no user name, space or backslash, {MAX_URL} characters at most"
            raise Refused("url", "that is no plain URL", todo=todo)  # not repeated: it may hold a password
        scheme, host, port = match[1].lower(), host_name(match[2]), int(match[3] or PORTS[match[1].lower()])
        path, query = match[4] or "/", match[5] or ""
        if port > 65535 or _ESCAPE.search(path + query):
            raise Refused("url", "the URL has a port or a %-escape that does not exist")
        try:
            return cls(scheme, host, port, quote(path, _SAFE), quote(query, _SAFE))
        except UnicodeEncodeError:
            raise Refused("url", "the URL holds characters that do not exist") from None

    @classmethod
    def authority_of(cls, text: str, scheme: str = "https", *, default: int | None = None) -> Self:
        """From `host:port`; without a port only where there is a default. Raises Refused."""
        match = _AUTHORITY.fullmatch(text)
        port = int(match[2] or default or 0) if match else 0
        if match is None or not 0 < port <= 65535:
            raise Refused("url", "that is not host:port")
        return cls(scheme, host_name(match[1]), port)

    def join(self, location: str) -> Target:
        """Where a redirect leads. Raises Refused."""
        try:
            return Target.parse(urljoin(self.url, location.strip(" ")))
        except ValueError:
            raise Refused("url", "the server sent us to something that is no URL") from None

    @property
    def authority(self) -> str:
        """`host` or `host:port`, the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """In its one spelling, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}{self.query}"


def covers(pattern: str, host: str) -> bool:
    """Whether a host of the manifest (`*.example.com`: all names below it) covers one in its one spelling."""
    if pattern.startswith("*."):
        return not is_address(host) and host.endswith(pattern[1:])
    return host == pattern


def below(prefix: str, path: str) -> bool:
    """Whether a path lies at or below the beginning that the manifest gives, by whole segments.

    Under a beginning other than `/`, a path that some server might read as another one is below nothing: dot segments,
    empty ones, `;`, and escapes of these or of slashes, percent signs and control characters.
    """
    if prefix == "/":
        return True
    return not _AMBIGUOUS.search(path) and (path == prefix or path.startswith(prefix.rstrip("/") + "/"))
