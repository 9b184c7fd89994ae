"""What the tests of the kernel share: a principal, runs, a journal and sinks that keep what reached them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import ANYONE, IDENTITY, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Policy, Profile, SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome, Principal

ALICE = Principal("user:alice", frozenset({"role:ops"}))
USER = Label(Trust.USER)
PUBLIC = Label(Trust.UNTRUSTED)


def record(
    seq: int,
    kind: Kind,
    *,
    view: JSON = None,
    body: JSON = None,
    label: Label = IDENTITY,
    run: str = "r1",
    principal: str = "user:alice",
) -> Record:
    return Record(run, seq, 1000 + seq, kind, principal, label, view or {}, body or {})


def start_body(
    *sinks: str, budgets: Mapping[str, int] | None = None, objects: JSON = None, **more: JSON
) -> dict[str, JSON]:
    who = {"subject": ALICE.subject, "roles": sorted(ALICE.roles), "tenant": ALICE.tenant}
    return {"principal": who, "grant": TaskGrant(frozenset(sinks), budgets or {}, objects or {}).to_json(), **more}


def started(*sinks: str, budgets: Mapping[str, int] | None = None, **more: JSON) -> Turn:
    turn = Turn()
    turn.apply(record(0, Kind.STARTED, body=start_body(*sinks, budgets=budgets, **more)))
    return turn


def acting(*sinks: str, **more: Any) -> Turn:
    """A run whose model has answered, so that calls are to be made."""
    turn = started(*sinks, **more)
    turn.apply(record(1, Kind.INTENT, view={"sink": "model:main"}, body={"prompt": "0"}))
    turn.apply(record(2, Kind.OUTCOME, view={"of": 1, "ok": True, "usage": {"prompt": 5}}, body={"value": {}}))
    return turn


def reader(name: str = "tool:read", **parts: Any) -> SinkSpec:
    defaults: dict[str, Any] = {"effect": Effect.READ, "confined": True, "audience": NOBODY}
    return SinkSpec(name, **{**defaults, **parts})


def writer(name: str = "tool:write", **parts: Any) -> SinkSpec:
    defaults: dict[str, Any] = {"effect": Effect.WRITE, "audience": ANYONE, "pin": "v1"}
    return SinkSpec(name, **{**defaults, **parts})


def policy(*specs: SinkSpec, profile: Profile = Profile.DEFAULT, digest: str = "p1") -> Policy:
    return Policy({spec.name: spec for spec in specs}, profile, digest)


@dataclass
class Log:
    """A journal in memory; `flushed` is how much of it was durable."""

    records: list[Record] = field(default_factory=list)
    durable: int = 0
    flushes: int = 0
    broken: bool = False

    def append(self, record: Record) -> None:
        self.records.append(record)

    async def flush(self, *, anchored: bool = False) -> None:
        self.flushes += 1
        if self.broken:
            raise JournalError("the disk is full")
        self.durable = len(self.records)

    @property
    def kinds(self) -> list[str]:
        return [str(record.kind) for record in self.records]


@dataclass
class Keeper:
    """A sink that keeps the actions that reached it, and answers by `does`."""

    does: Callable[[Action], Awaitable[Outcome]] | None = None
    reached: list[Action] = field(default_factory=list)

    async def perform(self, action: Action) -> Outcome:
        self.reached.append(action)
        await asyncio.sleep(0)
        return await self.does(action) if self.does else Outcome(dict(action.args))


@dataclass
class House:
    """A gate with everything around it."""

    gate: Gate
    log: Log
    sinks: dict[str, Keeper]
    turn: Turn
    time: list[int]


def house(*specs: SinkSpec, profile: Profile = Profile.DEFAULT, observers: Any = (), **start: Any) -> House:
    time, log = [5000], Log()
    sinks = {spec.name: Keeper() for spec in specs}
    gate = Gate(policy(*specs, profile=profile), sinks, log, lambda: time[0], observers)
    return House(gate, log, sinks, acting(*sinks, **start), time)
