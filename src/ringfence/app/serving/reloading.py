"""A manifest that is read anew while runs are at work: what is decided from then on follows it; none is dropped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace

from ringfence.core.errors import ManifestError, RingfenceError
from ringfence.core.values import JSON
from ringfence.manifest.types import Manifest

from .. import operator
from ..agent import Agent
from ..house import furnish
from ..ids import now_ms
from .job import Job
from .noted import noted
from .service import Service

_GRACE_S = 5.0  # for requests that hold something of what was before
_RESTART = "`ringfence restart` takes it in, and refuses no request meanwhile"
_log = logging.getLogger("ringfence")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The names of both policies, and how many runs at work were moved to the new one."""

    before: str
    after: str
    moved: int

    def __str__(self) -> str:
        same = self.before == self.after
        what = f"the policy is {self.after} as before" if same else f"the policy is {self.after}; it was {self.before}"
        runs = f"{self.moved} {'run goes' if self.moved == 1 else 'runs go'} on under it"
        return f"the manifest was read anew: {what}" + (f"; {runs}" if self.moved else "")


class Reload:
    """Takes manifests in, one at a time."""

    def __init__(self, service: Service, notice: Callable[[str], None]) -> None:
        self._service = service
        self._notice = notice
        self._turn = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def take(self, manifest: Manifest) -> Reloaded:
        """Go by another manifest; until this returns well, by the one before.

        It is on the record as a run of the operator's, and in each run that goes on under another policy. Raises
        ManifestError, BackendError for a manifest that cannot be gone by, or only after a restart.
        """
        async with self._turn:
            agent = self._service.agent
            if found := list(_lasting(agent.manifest, manifest)):
                raise ManifestError(f"{', '.join(found)} cannot change while the server runs; nothing was changed",
                                    todo=_RESTART)  # fmt: skip
            fresh = await self._made(agent, manifest)
            before, after = agent._policed().policy.digest, fresh._policed().policy.digest
            view: dict[str, JSON] = {"reload": True, "policy": after, "was": before}
            try:
                async with noted(agent, operator(manifest), "reload the manifest", view):
                    old = _put_in_place(agent, fresh)
            except BaseException:
                if agent.house is not fresh.house:
                    await fresh.house.aclose()
                raise
            self._service.pool.change(manifest.server.limits)
            jobs = list(self._service.jobs.values())
            self._later(self._move(jobs, agent, old))
            return Reloaded(before, after, len(jobs))

    async def _made(self, agent: Agent, manifest: Manifest) -> Agent:
        """An agent of it on the same journal, open."""
        house = await asyncio.to_thread(furnish, manifest, (), clock=now_ms, notice=self._notice)
        fresh = Agent(manifest, operator(manifest), agent.journal, house, agent.durable, agent.observers)
        try:
            if agent.house.redactor is not None or house.redactor is not None:  # who is <EMAIL_1> in runs at work
                raise ManifestError("a manifest with a tier that redacts cannot change while the server runs",
                                    todo=_RESTART)  # fmt: skip
            await fresh.open()
        except BaseException:
            await house.aclose()
            raise
        return fresh

    async def _move(self, jobs: list[Job], agent: Agent, old: Agent) -> None:
        """Runs go on under the new one, each as soon as it can; then the old one is let go of."""
        await asyncio.gather(*(job.move(agent.acting_for(job.agent.principal)) for job in jobs))
        while left := [job.task for job in jobs if job.agent.house is old.house and job.task and not job.task.done()]:
            await asyncio.wait(left, timeout=_GRACE_S)
        await asyncio.sleep(_GRACE_S)
        try:
            await old._disconnect()
        except RingfenceError as error:
            _log.warning("what the manifest named before could not be let go of: %s", error.what)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="reload")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Let go of what was before at once."""
        for task in list(self._leaving):
            task.cancel()
        if self._leaving:
            await asyncio.wait(list(self._leaving))


def _put_in_place(agent: Agent, fresh: Agent) -> Agent:
    """Everybody who holds the agent has the new one from here on; what it was before."""
    old = replace(agent)
    agent.manifest, agent.principal, agent.house = fresh.manifest, fresh.principal, fresh.house
    agent._engine, agent._gate, agent._warming = fresh._engine, fresh._gate, fresh._warming
    return old


def _lasting(before: Manifest, after: Manifest) -> Iterator[str]:
    """What a server keeps for as long as it runs, and this would change."""
    for name in ("audit", "privacy"):
        if getattr(before, name) != getattr(after, name):
            yield name
    if before.runtime.name != after.runtime.name:
        yield "runtime.name"
    for name in ("host", "port", "tls", "behind_proxy", "mcp", "a2a", "otlp"):
        if getattr(before.server, name) != getattr(after.server, name):
            yield f"server.{name}"
