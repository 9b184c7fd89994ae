"""What was said before a task, as far as it is on record: a question and an answer that are a run are that run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from ringfence.app.past import Quoted
from ringfence.app.serving.history import History, Wanted
from ringfence.core.values import Principal, digest

from .messages import Role, pairs, quoted

KEPT: Final = 10_000  # answers that are known at once
LOOKED_AT: Final = 20  # runs with the same task, among which an answer is looked for, as after a restart

ENDED: Final = frozenset({"done", "partial", "failed"})


class Answers:
    """Which run gave an answer; the newest are known at once, older ones are looked for on record."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: OrderedDict[str, str] = OrderedDict()

    def keep(self, who: Principal, task: str, answer: str, run: str) -> None:
        """Remember which run this was."""
        key = _key(who, task, answer)
        self._known[key] = run
        self._known.move_to_end(key)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)

    async def earlier(self, who: Principal, said: Sequence[tuple[Role, str]], *, window: int) -> list[str | Quoted]:
        """The last `window` messages before a task: runs of this principal, by id, and what is quoted between them."""
        said = said[max(0, len(said) - window) :]
        runs = await self._runs(who, said)
        found: list[str | Quoted] = []
        rest: list[tuple[Role, str]] = []
        place = 0
        while place < len(said):
            if place in runs:
                found += [*quoted(rest, who), runs[place]]
                rest, place = [], place + 2
            else:
                rest.append(said[place])
                place += 1
        return [*found, *quoted(rest, who)]

    async def _runs(self, who: Principal, said: Sequence[tuple[Role, str]]) -> dict[int, str]:
        """Runs by the place of their question."""
        wanted = {n: (task, answer) for n, task, answer in pairs(said)}
        found = {n: run for n, pair in wanted.items() if (run := self._known.get(_key(who, *pair)))}
        missing = {n: pair for n, pair in wanted.items() if n not in found}
        for n, (task, answer) in missing.items():
            if run := await self._on_record(who, task, answer):
                found[n] = run
        return found

    async def _on_record(self, who: Principal, task: str, answer: str) -> str:
        """The newest run of theirs with this task and this answer; "" if there is none."""
        runs, _ = await self._history.page(who, Wanted(words=task), LOOKED_AT, None)
        for run in runs:
            if run.task.strip() == task and run.state in ENDED:
                last = await self._history.record(who, run.run, run.records - 1)
                if str(last.body.get("answer", "")).strip() == answer:
                    self.keep(who, task, answer, run.run)
                    return run.run
        return ""


def _key(who: Principal, task: str, answer: str) -> str:
    return digest([who.subject, who.tenant, task, answer])
