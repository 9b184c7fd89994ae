"""What may be reached, and the record of each attempt. The decision is pure; names are resolved once and pinned."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.values import JSON
from ringfence.manifest.tools import Host

from .address import may_connect
from .names import Refused, Target, below, covers, host_name, is_address

MAX_ADDRESSES = 8  # of one name

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request, one tunnel and one proxy may use."""

    sent: int = 1 * 2**20  # bytes of one request's body
    received: int = 4 * 2**20  # bytes of one answer, before and after decompression
    tunnel: int = 256 * 2**20  # bytes of one tunnel, each way
    connections: int = 16  # of one proxy, at once; others wait
    attempts: int = 10_000  # of one proxy, in all
    connect_s: float = 10.0
    head_s: float = 10.0  # to say what is wanted
    answer_s: float = 30.0  # of one proxied request, in all
    idle_s: float = 300.0  # of a tunnel, without a byte either way


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line about one attempt: no query, no header, no body, no secret.

    state    open: recorded before a byte leaves, and closed by one of the others
    method   CONNECT for a tunnel, of whose content only the host is seen
    address  the first of the addresses that were checked and may be connected to
    sent     bytes of target and body, or of a tunnel; `received` likewise
    why      a code, and words
    """

    state: Literal["refused", "open", "done", "failed"]
    method: str
    host: str = ""
    port: int = 0
    path: str = ""
    address: str = ""
    sent: int = 0
    received: int = 0
    why: str = ""
    run: str = ""

    def to_json(self) -> dict[str, JSON]:
        """For a record."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not let out."""

    code: str
    why: str
    todo: str = ""


@dataclass(slots=True)
class Passage:
    """One attempt that was let out: by which entry, to which checked addresses, and its bytes so far."""

    entry: Host
    addresses: tuple[str, ...]
    sent: int = 0
    received: int = 0


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine's resolver knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


@dataclass(frozen=True, slots=True)
class Egress:
    """The way out of one group of tools.

    hosts    what the manifest lets it reach; of several entries for a host the first that allows a request counts
    record   told of every attempt before anything leaves; if it raises, nothing does
    resolve  asked once for each attempt; only addresses that were checked are connected to
    tls      whom to trust; None: the certificates of this machine
    """

    hosts: Sequence[Host]
    record: Callable[[Attempt], None]
    resolve: Resolve = system_resolve
    bounds: Bounds = Bounds()
    tls: ssl.SSLContext | None = None
    _entries: tuple[tuple[str, Host], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_entries", tuple((_pattern(entry.host), entry) for entry in self.hosts))

    def decide(self, host: str, port: int, method: str | None = None, path: str | None = None) -> Host | Refusal:
        """The entry that allows it, or why none does. Pure. `host` is in its one spelling (`names.host_name`).

        Without method and path, what goes on inside is not seen: a tunnel, for which host and port alone are decided.
        """
        named = [entry for pattern, entry in self._entries if covers(pattern, host)]
        if not named:
            return Refusal("host", f"{host} may not be reached", f"what may be: {_listed(e.host for e in self.hosts)}")
        open_ = [entry for entry in named if port in ((entry.port,) if entry.port else (443, 80))]
        if not open_:
            return Refusal("port", f"port {port} of {host} may not be reached")
        if method is None or path is None:
            return open_[0]
        fitting = [entry for entry in open_ if method in entry.methods]
        if not fitting:
            allowed = {allowed for entry in open_ for allowed in entry.methods}
            return Refusal(
                "method", f"{host} may not be asked to {method}", f"what it may be: {_listed(sorted(allowed))}"
            )
        for entry in fitting:
            if any(below(prefix, path) for prefix in entry.paths):
                return entry
        prefixes = dict.fromkeys(prefix for entry in fitting for prefix in entry.paths)
        return Refusal("path", f"{path:.200} of {host} may not be asked for", f"what may be: {_listed(prefixes)}")

    @asynccontextmanager
    async def attempt(self, method: str, target: Callable[[], Target], *, run: str = "") -> AsyncIterator[Passage]:
        """Decide, resolve and record one attempt; inside, it may be connected to. Raises Refused.

        `target` reads where it should go: what cannot be read is refused on record like everything else. A `method`
        of CONNECT is a tunnel.
        """
        line = Attempt("refused", method, run=run)
        passage: Passage | None = None
        try:
            where = target()
            path = "" if method == "CONNECT" else where.path
            line = replace(line, host=where.host, port=where.port, path=path[:512])
            passage = await self._passage(method, where)
            line = replace(line, address=passage.addresses[0])
            self.record(replace(line, state="open"))
            yield passage
        except BaseException as fault:
            state: Literal["refused", "failed"] = "refused" if isinstance(fault, Refused) else "failed"
            self.record(replace(_counted(line, passage), state=state, why=_why(fault)))
            raise
        self.record(replace(_counted(line, passage), state="done"))

    def refuse(self, refused: Refused, method: str = "", target: Target | None = None, *, run: str = "") -> Refused:
        """Put on record what did not even become an attempt, and hand it back to be raised."""
        line = Attempt("refused", method, why=_why(refused), run=run)
        self.record(replace(line, host=target.host, port=target.port, path=target.path[:512]) if target else line)
        return refused

    async def _passage(self, method: str, target: Target) -> Passage:
        tunnel = method == "CONNECT"
        found = self.decide(target.host, target.port, None if tunnel else method, None if tunnel else target.path)
        if isinstance(found, Refusal):
            raise Refused(found.code, found.why, todo=found.todo)
        return Passage(found, await self._addresses(target, found))

    async def _addresses(self, target: Target, entry: Host) -> tuple[str, ...]:
        """Those that may be connected to: a name that has none, or only forbidden ones, is refused."""
        literal = is_address(target.host)
        try:
            async with asyncio.timeout(self.bounds.connect_s):
                found = [target.host] if literal else await self.resolve(target.host, target.port)
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            raise Refused("no-address", f"{target.host} has no address", todo="check its name") from None
        good = [a for a in dict.fromkeys(found) if may_connect(a, private=entry.private, named=literal)]
        if not good:
            todo = "the operator may say `private: true` beside the host, where that is meant"
            raise Refused("address", f"{target.host} leads to an address that is not public", todo=todo)
        return tuple(good[:MAX_ADDRESSES])


def _counted(line: Attempt, passage: Passage | None) -> Attempt:
    return replace(line, sent=passage.sent, received=passage.received) if passage else line


def _why(fault: BaseException) -> str:
    """A code and our own words; of other faults only the kind, since their text may hold the request."""
    match fault:
        case Refused():
            return f"{fault.code}: {fault.what}"
        case ToolError():
            return fault.what
        case _:
            return type(fault).__name__


def _pattern(host: str) -> str:
    """A host of the manifest in its one spelling. Raises ManifestError."""
    star = "*." if host.startswith("*.") else ""
    try:
        return star + host_name(host.removeprefix("*."))
    except Refused as refused:
        raise ManifestError(f"hosts: {refused.what}", todo=refused.todo) from None


def _listed(names: Iterable[str]) -> str:
    few = list(names)
    return ", ".join(few[:6]) + (f" and {len(few) - 6} more" if len(few) > 6 else "") or "nothing"
