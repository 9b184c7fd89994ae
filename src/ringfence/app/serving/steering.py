"""What a principal does with a run of theirs that has begun: end it, go on with it, go on from the middle of it."""

from __future__ import annotations

from ringfence.core.values import Principal

from .service import Service


async def cancel(service: Service, who: Principal, run: str) -> None:
    """End a run for good; one that is at work here is stopped first, between its effects.

    Raises JournalError for one that has ended, whose call nobody knows the outcome of, or that another process drives.
    """
    await service.cancel(who, run)


async def resume(service: Service, who: Principal, run: str) -> None:
    """Go on with a run; one that is at work here already is left to it. Raises Held if another process drives it."""
    if run not in service.jobs:
        with service.agent.holding(run):
            pass
    await service.resume(who, run)


async def fork(service: Service, who: Principal, run: str, *, at: int, task: str = "") -> str:
    """Begin a new run with records 0 to `at` of another, and drive it; its id. Raises JournalError as `Agent.fork`."""
    new = await service.agent.acting_for(who).fork(run, at=at, task=task)
    await service.resume(who, new)
    return new
