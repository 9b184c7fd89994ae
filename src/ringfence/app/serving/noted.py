"""What a person does beside runs, on the record: a run of its own, begun before it is done and ended after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ringfence.core.chain import Kind, Record
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label, Trust
from ringfence.core.values import JSON, Principal

from ..agent import Agent
from ..ids import new_run_id, now_ms


@asynccontextmanager
async def noted(agent: Agent, who: Principal, task: str, view: dict[str, JSON]) -> AsyncIterator[str]:
    """The id of the run; its first record is durable inside, and its last one afterwards.

    `view` is for readers without a key: codes, counts and names. Nothing resumes it. Raises JournalError.
    """
    run, journal = new_run_id(now_ms()), agent.journal
    label = Label(Trust.OPERATOR, frozenset({who.member}))
    own: JSON = {"subject": who.subject, "roles": sorted(who.roles), "tenant": who.tenant}
    body: JSON = {"task": task, "principal": own, "grant": TaskGrant(frozenset(), {}).to_json(), "destroys": True}
    status = "failed"
    with agent.holding(run):
        journal.append(Record(run, 0, now_ms(), Kind.STARTED, who.subject, label, view, body))
        await journal.flush()
        try:
            yield run
            status = "done"
        finally:
            end: JSON = {"status": status, "answer": f"{task}: {status}"}
            ended = {**view, "status": status, "usage": {}}
            journal.append(Record(run, 1, now_ms(), Kind.FINISHED, who.subject, label, ended, end))
            await journal.flush()
