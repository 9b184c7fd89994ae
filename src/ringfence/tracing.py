"""One trace id from whoever asks to the last tool: W3C Trace Context, Level 1 with the random flag of Level 2.

A trace says which lines of which logs belong together, and nothing else: it is no authority, no decision reads it, and
whoever sends a made-up one only mixes up their own logs. A run has one trace id, which its first record names. Each
call has a span id that follows from the record of its intent, so that a line in a server's log leads to that record
and nothing more has to be kept: `span_id(run, seq)`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from .core.chain import Kind, Record
from .core.values import Action

MAX_STATE_CHARS = 512  # 3.3.1.5: at least so much has to be passed on; more is dropped, whole members at a time
MAX_MEMBERS = 32  # 3.3.1.1
_KNOWN_FLAGS = 0x03  # sampled (Level 1), random (Level 2, 3.2.2.5.2); all others are set to zero
_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII | re.DOTALL)
_KEY = r"[a-z0-9][a-z0-9_\-*/@]{0,255}"  # 3.3.1.3.1, in Level 2
_VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"  # 3.3.1.3.2: printable ASCII but for "," and "="; no space at the end
_MEMBER = re.compile(rf"({_KEY})=({_VALUE})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a run belongs: a trace, the span that asked for the run, and what its vendors keep there.

    trace_id   32 lower-case hex digits, not all zero
    parent_id  16 of them; empty for a trace that begins with the run
    flags      sampled (1) and random (2)
    state      `tracestate`: the caller's own words, which go only where the one who asks alone sees them
    """

    trace_id: str
    parent_id: str = ""
    flags: int = _KNOWN_FLAGS
    state: str = ""

    @classmethod
    def new(cls) -> Trace:
        """A trace of its own, its id random (Level 2, 3.2.2.3: sampled, since the journal keeps all of it)."""
        return cls(secrets.token_hex(16))

    @classmethod
    def parse(cls, traceparent: str, tracestate: str = "") -> Trace:
        """The trace that a caller names (3.2 and 4.3); raises ValueError, which repeats nothing of it.

        A `tracestate` that is none is dropped, and the rest holds (3.3.1).
        """
        match = _HEADER.fullmatch(traceparent.strip(" \t"))  # RFC 9110 5.5: white space around is no part of it
        if match is None:
            raise ValueError(
                "expected version-traceid-parentid-flags in lower-case hex digits (2-32-16-2),"
                f" got {len(traceparent)} other characters"
            )
        version, trace_id, parent_id, flags, more = match.groups()
        if version == "ff" or (version == "00" and more):
            raise ValueError("version ff is none" if version == "ff" else "version 00 has 55 characters, got more")
        if not int(trace_id, 16) or not int(parent_id, 16):
            raise ValueError("an id is all zeroes, which stands for none")
        return cls(trace_id, parent_id, int(flags, 16) & _KNOWN_FLAGS, bounded(tracestate))

    @classmethod
    def of(cls, kept: Mapping[str, str], run: str) -> Trace:
        """The trace of a run as `to_json` kept it; of one that was begun without, the same at each resumption."""
        if "id" not in kept:
            return cls(hashlib.sha256(run.encode()).hexdigest()[:32])
        return cls(kept["id"], kept.get("parent", ""), int(kept.get("flags", "3")), kept.get("state", ""))

    def to_json(self) -> dict[str, str]:
        """What a run keeps of it, for the process that resumes it."""
        said = {"id": self.trace_id, "parent": self.parent_id, "flags": str(self.flags), "state": self.state}
        return {name: value for name, value in said.items() if value}


def bounded(tracestate: str) -> str:
    """`tracestate` as it may be passed on: at most 512 characters of whole members, or nothing if it is none (3.3.1).

    Long members go first, then those at the end (3.3.1.5).
    """
    members = [member.strip(" \t") for member in tracestate.split(",")]
    members = [member for member in members if member]
    found = [match for member in members if (match := _MEMBER.fullmatch(member))]
    if len(found) != len(members) or len(found) > MAX_MEMBERS or len({match[1] for match in found}) != len(found):
        return ""
    if len(",".join(members)) > MAX_STATE_CHARS:
        members = [member for member in members if len(member) <= 128]
    while members and len(",".join(members)) > MAX_STATE_CHARS:
        members.pop()
    return ",".join(members)


def span_id(run: str, seq: int) -> str:
    """The span of a call by the record of its intent, and of a run by its first: 8 bytes of SHA-256("run/seq"), hex."""
    return hashlib.sha256(f"{run}/{seq}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Following:
    """The run that this task is at work for. `calls` are its intents, by sink and place in the step."""

    run: str
    principal: str
    trace: Trace
    calls: dict[tuple[str, str, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Call:
    """The call under way: what goes out with it."""

    span_id: str
    headers: Mapping[str, str]


_following: ContextVar[Following | None] = ContextVar("ringfence_following", default=None)
_call: ContextVar[_Call | None] = ContextVar("ringfence_call", default=None)


def current() -> Following | None:
    """The run that this task is at work for. For correlation alone: what may be done never depends on it."""
    return _following.get()


def current_span() -> str:
    """The span id of the call under way, of the run in between, or empty."""
    if (call := _call.get()) is not None:
        return call.span_id
    return span_id(now.run, 0) if (now := _following.get()) is not None else ""


def headers() -> Mapping[str, str]:
    """What to send along with the call under way: `traceparent`, and `tracestate` where nobody else sees it."""
    call = _call.get()
    return call.headers if call is not None else {}


def traceparent() -> str:
    """`traceparent` of the call under way, or empty. A tool of your own sends it with the requests that it makes."""
    return headers().get("traceparent", "")


def outward() -> Mapping[str, str]:
    """`headers` for a host that the manifest names: a trace id is random digits, and the caller's own words stay."""
    return {"traceparent": value} if (value := traceparent()) else {}


@contextmanager
def following(run: str, principal: str, trace: Trace) -> Iterator[None]:
    """Whatever is recorded, logged or sent inside belongs to this run."""
    token = _following.set(Following(run, principal, trace))
    try:
        yield
    finally:
        _following.reset(token)


def observe(record: Record) -> None:
    """An observer of records: remember which record a call is on, so that its sink can name it."""
    if record.kind is Kind.INTENT and (now := _following.get()) is not None:
        now.calls[record.run, record.view["sink"], record.body.get("call", 0)] = record.seq


@contextmanager
def calling(action: Action, *, near: bool) -> Iterator[None]:
    """Inside, `headers` are those of this call. `near`: nobody but the one who asks sees what it sends.

    `tracestate` holds what the caller's vendors wrote, of which nobody here knows who may read it: it goes no further.
    """
    now = _following.get()
    if now is None:
        yield
        return
    span = span_id(action.run, now.calls.get((action.run, action.sink, action.call), 0))
    sent = {"traceparent": f"00-{now.trace.trace_id}-{span}-{now.trace.flags:02x}"}
    if near and now.trace.state:
        sent["tracestate"] = now.trace.state
    with carrying(sent):
        yield


@contextmanager
def carrying(sent: Mapping[str, str]) -> Iterator[None]:
    """Inside, `headers` are these: in the process of a tool, which another one told them to."""
    token = _call.set(_Call(sent.get("traceparent", "")[36:52], sent))
    try:
        yield
    finally:
        _call.reset(token)
