"""The loop: ask the model for a step, make its calls, show it the results, until an answer, a budget or a stop.

It holds sink names and the gate, never a tool or a model. What comes next depends on the folded state alone, so a run
that was cut off anywhere goes on by folding its records and entering the loop again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ringfence.core.chain import Kind, Record
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import Label, Trust, join_all
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Action, Deny, Outcome, Principal, Prompt, canonical
from ringfence.tracing import Trace

from .answering import ended, may_go_back
from .asking import Asking, Routing
from .context import Said, Transcript
from .course import INVALID, made
from .founded import as_the_task_has_it, unfounded
from .joined import of_its_tables
from .ladder import Unreadable, mended, rungs
from .ledger import Ledger, Reconcile
from .live import Live, Progress, failures, last_thought
from .mapreduce import SPEC as READ_ALL
from .mapreduce import spent as beside
from .origin import origin
from .plan import Planning, may_write
from .plan import read as read_plan
from .readmore import SPEC as READ_MORE
from .readmore import ReadMore
from .relevance import relevant
from .result import Result, result_of
from .router import Signs
from .settings import Settings
from .snapshot import Keep, due, packed, stamp
from .step import TOOL, Call, Step, in_words, signatures, takes_words
from .task import acts
from .tier import Tier
from .validating import Validating, told_before

OWN = frozenset({READ_MORE.name, READ_ALL.name})  # tools of the runtime's own, offered where something was cut
LOOK_AGAIN = "Look again: is that the answer?"
_SHOWN = 80  # characters of an argument that a run without an answer repeats
REPLY = -1  # the number of the reply among a step's calls; those that open a run come before it


class Engine:
    """Drives runs. One engine serves any number of runs at once."""

    def __init__(
        self,
        gate: Gate,
        tiers: Sequence[Tier],
        settings: Settings,
        *,
        reply: str,
        read_more: ReadMore | None = None,
        keep: Keep | None = None,
        reconcile: Mapping[str, Reconcile] | None = None,
        routing: Routing | None = None,
        about: Callable[[str], Iterable[str]] = lambda run: (),
    ) -> None:
        self._gate = gate
        self._keep = keep  # where snapshots go
        self._asking = Asking(gate, tiers, settings, routing, about)
        self._settings = settings
        self._reply = reply
        self._validating = Validating(gate, settings)
        self._ledger = Ledger(gate, reconcile or {})
        self._read_more = read_more or ReadMore(chars=settings.result_chars)

    def start(
        self,
        task: str,
        *,
        run: str,
        principal: Principal,
        grant: TaskGrant,
        conversation: str = "",
        before: Sequence[str] = (),
        origin: Mapping[str, JSON] | None = None,
        trace: Trace | None = None,
        about: Sequence[str] = (),
        meta: JSON = None,
    ) -> Turn:
        """Open a run: its grant is fixed here, from trusted words, before any data is read (POL-3).

        `before` names the runs of the conversation that the model is shown, oldest first; `origin` the run and the
        record that a fork goes on from; `meta` is kept for the caller, and shown to no model.
        """
        turn, trace = Turn(), trace or Trace.new()
        label = Label(Trust.USER, frozenset({principal.member}))
        who = {"subject": principal.subject, "roles": sorted(principal.roles), "tenant": principal.tenant}
        body: dict[str, Any] = {
            "task": task,
            "principal": who,
            "grant": grant.to_json(),
            "trace": trace.to_json(),
            **self._settings.about,
        }
        if conversation:
            body["conversation"] = conversation
        if meta is not None:
            body["meta"] = meta
        if conversation or before:
            body["before"] = list(before)
        policy = self._gate.policy
        effects = sorted(name for name in grant.sinks if (spec := policy.sinks.get(name)) and not spec.reads)
        view: dict[str, JSON] = {"policy": policy.digest, "profile": str(policy.profile), "effects": effects}
        view["trace"] = trace.trace_id
        if route := self._asking.route(task):
            body["route"] = view["route"] = route
        if about:
            view["subjects"] = list(about)
        if origin is not None:
            view["forked"] = dict(origin)
        self._gate.record(turn, Kind.STARTED, label=label, view=view, body=body, run=run)
        return turn

    async def drive(self, turn: Turn, *, history: Sequence[Said] = (), progress: Progress | None = None) -> Result:
        """Take a run to its end, or to the point where a human is asked. Resumes wherever the turn stands.

        Raises JournalError if the record cannot be kept, InternalError for a fault of ours.
        """
        self._read_more.live[turn.run] = turn
        try:
            live = self.live(turn, history, progress)
            if turn.state is State.READY and not turn.items:
                self._say(turn, turn.start["task"], Label(Trust.USER, frozenset({turn.principal.member})))
            if turn.state is State.READY and not turn.usage["steps"]:
                await self._orient(turn, live)
            while turn.state not in (State.DONE, State.WAITING):
                await self._advance(turn, live)
                if turn.uncertain is not None:
                    break
            await self._gate.flush()
        finally:
            self._read_more.live.pop(turn.run, None)
        return result_of(turn)

    async def cancel(self, turn: Turn, reason: str, *, by: str = "", status: str = "cancelled") -> Result:
        """End a run that will not be resumed; `by` is whoever said so, which a reader needs no key to see."""
        self._finish(turn, status, {"answer": "", "reason": reason}, by=by)
        await self._gate.flush()
        return result_of(turn)

    def live(self, turn: Turn, history: Sequence[Said], progress: Progress | None = None) -> Live:
        """What a run needs in memory, before any of it was shown to the model."""
        sinks = self._gate.policy.sinks
        tools = [sinks[name] for name in sorted(turn.grant.sinks) if name.startswith(TOOL) and name in sinks]
        tools = [spec for spec in tools if spec.name not in OWN]
        task, most, granted = turn.start["task"], self._settings.most_tools, tools
        tools = relevant(task, granted, at_most=most, acts=acts(task))
        shown = [spec for spec in tools if takes_words(spec)]
        system = self._settings.system + signatures(shown, short=self._settings.lean)
        transcript = Transcript(system, history, result_chars=self._settings.result_chars)
        label = join_all(said.label for said in history)
        before = "\n".join(said.text for said in history)
        return Live(transcript, tools, granted, before, label, progress=progress)

    async def _orient(self, turn: Turn, live: Live) -> None:
        """Before the first step, look around: the tools that open a run are called with the user's own words."""
        opening = [spec for spec in live.tools if spec.opens is not None and spec.stays]  # nobody is asked yet
        actions = [
            self._call(turn, live, Call(spec.name, {spec.opens: turn.start["task"]} if spec.opens else {}), number)
            for number, spec in enumerate(opening, -1 - len(opening))
            if number not in turn.answered
        ]
        if actions:
            await self._gate.perform_all(turn, actions)

    async def _advance(self, turn: Turn, live: Live) -> None:
        if turn.state is not State.ACTING:
            await self._think(turn, live)
            return
        if not await self._ledger.clear(turn, live.tried, live.why):
            return
        try:
            step = live.read(turn)
        except Unreadable as problem:
            text = last_thought(turn).body["value"]["text"]
            if not text.strip() and self._asking.escalate(turn, live, Signs(text="")):
                return
            if not (problem.prose and failures(turn) >= self._settings.retries):
                await self._retry(turn, live, f"{problem}".rstrip(".") + ".")
                return
            step = Step("", final={"answer": problem.prose, "artifacts": [], "confidence": "low"})  # its own words
        fresh = not (turn.answered or turn.approvals)  # nothing of the step was done, and nobody has said yes to it
        if fresh and self._asking.escalate(turn, live, Signs.of(Outcome(last_thought(turn).body["value"]))):
            pass  # asked again, of the next model
        elif len(step.calls) > self._settings.parallel:
            await self._retry(turn, live, f"make at most {self._settings.parallel} calls in one step")
        elif step.plan is not None:
            await self._plan(turn, live, step.plan)
        elif step.final is not None:
            await self._deliver(turn, live, step)
        elif waiting := [n for n in range(len(step.calls)) if n not in turn.answered]:
            await self._act(turn, live, step.calls, waiting)
        elif why := await self._validating.results(turn):
            signs, again = Signs(text="?", invalid=why), told_before(turn)
            if not (again and self._asking.escalate(turn, live, signs, why, label=turn.label, invalid=True)):
                self._say(turn, why, turn.label, invalid=True)
        else:
            await self._think(turn, live)

    async def _think(self, turn: Turn, live: Live) -> None:
        settings, steps = self._settings, turn.usage["steps"]
        spent = turn.usage["prompt"] + turn.usage["completion"] + beside(turn)
        if steps >= settings.max_steps or spent >= settings.max_tokens:
            what = f"{steps} steps" if steps >= settings.max_steps else f"{spent} tokens"
            await self._give_up(turn, live, f"stopped after {what}, the limit of this run", status="partial")
            return
        if steps and steps % settings.checkpoint_interval == 0 and turn.marked != steps:
            await self._checkpoint(turn, steps)
        if stop := await self._asking.ask(turn, live):
            await self._give_up(turn, live, stop.why, status=stop.status)

    def tier(self, turn: Turn) -> Tier:
        """The model that a run is with."""
        return self._asking.tier(turn)

    def sent(self, turn: Turn, live: Live, *, like: Record) -> Prompt:
        """What was sent to the model for an intent, made again."""
        return self._asking.sent(turn, live, like=like)

    def again(self, turn: Turn, live: Live, record: Record) -> tuple[Action, Deny | None]:
        """What an intent or a refusal is about, made again from the model's words, and what speaks against it here.

        Raises ValueError if no step asks for it.
        """
        sink, args, number = record.view["sink"], record.body.get("args", {}), record.body.get("call", 0)
        if not sink.startswith(TOOL) or number < 0:  # the loop's own
            prompt = self._asking.prompt_of(turn, live, record)
            return Action(sink, args, record.label, prompt=prompt, call=number, run=turn.run), None
        calls = live.read(turn).calls
        if number >= len(calls):
            raise ValueError(f"the step has {len(calls)} calls, and not one numbered {number}")
        action = replace(self._call(turn, live, calls[number], number), label=record.label)
        return action, self._unfounded(turn, live, calls[number], action)

    async def _checkpoint(self, turn: Turn, steps: int) -> None:
        """Make everything so far durable, and now and then a snapshot of the state, whose digest is on record."""
        view: dict[str, JSON] = {"steps": steps, "usage": dict(turn.usage)}
        state = b""
        if self._keep is not None and due(steps // self._settings.checkpoint_interval):
            state = packed(turn)
            view["state"] = stamp(state)
        record = self._gate.record(turn, Kind.CHECKPOINT, label=turn.label, view=view, body={})
        if self._keep is not None and state:
            self._keep(turn.run, record.seq, state)
        await self._gate.flush()

    async def _plan(self, turn: Turn, live: Live, plan: JSON) -> None:
        try:
            if self._settings.planning is not Planning.FULL or not may_write(turn):  # a server ignores the grammar
                raise ValueError("Plan no more: call a tool, or answer.")
            goals = read_plan(plan)
        except ValueError as wrong:
            await self._retry(turn, live, str(wrong))
            return
        text = f"The plan has {len(goals)} goals. Work on them one after another."
        self._say(turn, text, Label(Trust.OPERATOR), goals=len(goals))

    async def _act(self, turn: Turn, live: Live, calls: Sequence[Call], waiting: Sequence[int]) -> None:
        """Make the calls that have no answer yet: reads side by side, an effect alone."""
        sinks = self._gate.policy.sinks
        actions = []
        for n in waiting:
            action = self._call(turn, live, calls[n], n)
            if refusal := self._unfounded(turn, live, calls[n], action):
                self._gate.refuse(turn, action, refusal)
            else:
                actions.append(action)
        if not actions:
            return
        reads = [a for a in actions if (spec := sinks.get(a.sink)) is None or spec.reads]
        batch = reads if reads and reads[0] is actions[0] else actions[:1]
        failed = [r for r in await self._gate.perform_all(turn, batch) if isinstance(r, Outcome) and not r.ok]
        live.why = in_words(failed[0].value) if failed and turn.open else ""
        if failed and not live.why and not self._settings.retry_with_context:
            await self._give_up(turn, live, in_words(failed[0].value), status="failed")

    def _call(self, turn: Turn, live: Live, call: Call, number: int) -> Action:
        """A call as an action, its arguments in full, so that the same call is known as the same."""
        sinks = self._gate.policy.sinks
        call = of_its_tables(call, turn, sinks)
        args, spec = call.args, sinks.get(call.sink)
        if spec is not None:
            with suppress(ValueError, LookupError):  # the gate refuses it, in words for the model
                args = turn.resolve(args)
                thought = live.read(turn).thought if number >= 0 else ""
                full = dict(as_the_task_has_it(mended(args, spec), spec, turn, said=live.said, thought=thought))
                canonical(full)  # what cannot be recorded stays as it was asked for
                args = full
        action = Action(call.sink, args, turn.label.join(live.label), call=number, run=turn.run)
        return self._asking.tier(turn).given(turn, action, spec)

    def _unfounded(self, turn: Turn, live: Live, call: Call, action: Action) -> Deny | None:
        """A handle of nothing; or numbers to reckon with that stand neither in the task nor in a result."""
        try:
            turn.resolve(call.args)
        except LookupError as error:
            return Deny("POL-4", "bad-ref", str(error))
        spec = self._gate.policy.sinks.get(action.sink)
        return unfounded(action.args, spec, turn, live) if spec is not None else None

    async def _deliver(self, turn: Turn, live: Live, step: Step) -> None:
        final, last = dict(step.final or {}), turn.usage["steps"] >= self._settings.max_steps
        if not self._asking.way(turn, live, last=last).final:  # a server that ignores the grammar
            await self._retry(turn, live, "Call a tool first: no result answers the task yet.")
            return
        verdict = await self._asking.judged(str(final["answer"]), turn, live)
        if not verdict.why and (wrong := await self._validating.answer(turn, verdict.answer)):
            verdict = replace(verdict, why=wrong, kind=INVALID)
        used: dict[str, JSON] = {"tokens": verdict.tokens} if verdict.tokens else {}
        if verdict.why and not last and may_go_back(turn):
            self._say(turn, verdict.why, turn.label, doubt=verdict.kind, **used)
            return
        confidence = "" if made(turn, live.granted) else str(final.get("confidence", ""))
        signs, said = Signs(text="?", invalid=verdict.why, confidence=confidence), verdict.why or LOOK_AGAIN
        if not last and self._asking.escalate(turn, live, signs, said, label=turn.label, **used):
            return
        status, end = ended(turn, live, final, verdict, verify=self._settings.verify, last=last)
        await self._reply_and_finish(turn, live, status, end)

    async def _give_up(self, turn: Turn, live: Live, why: str, *, status: str) -> None:
        """End honestly: what happened, and what the tools found until then."""
        steps = [step for step in result_of(turn).steps if step.ok]
        found = [f"- {s.tool}({', '.join(str(value)[:_SHOWN] for value in s.args.values())})" for s in steps]
        known = "\nWhat was looked at until then:\n" + "\n".join(found[-5:]) if found else ""
        answer = f"No answer: {why.rstrip('.')}.{known}"
        await self._reply_and_finish(turn, live, status, {"answer": answer, "summary": why})

    async def _reply_and_finish(self, turn: Turn, live: Live, status: str, end: dict[str, JSON]) -> None:
        action = Action(self._reply, {"text": end["answer"]}, turn.label.join(live.label), run=turn.run, call=REPLY)
        match None if REPLY in turn.answered else await self._gate.perform(turn, action):
            case Deny(why=why):
                found = origin(turn, action.label, frozenset({turn.principal.member}), args=False)
                end = {"answer": "", "summary": ". ".join((f"the answer may not be shown here: {why}", *found))}
                status = "failed"
            case Outcome(ok=False, value=value):
                end, status = {**end, "reason": in_words(value)}, "failed"
        self._finish(turn, status, end, steps=live.steps)

    def _finish(
        self, turn: Turn, status: str, end: dict[str, JSON], *, by: str = "", steps: Mapping[int, Step] | None = None
    ) -> Record:
        used = rungs(turn, self._gate.policy.sinks, steps)
        view: dict[str, JSON] = {"status": status, "usage": dict(turn.usage), **({"by": by} if by else {})}
        if used.keys() - {"grammar"}:  # the usual way is not worth a word
            view["rungs"] = used
        if flagged := end.get("flags"):
            view["flags"] = dict(Counter(flag["kind"] for flag in flagged))
        if cited := end.get("sources"):
            view["sources"] = len(cited)
        body = {"status": status, "rungs": used, **end}
        return self._gate.record(turn, Kind.FINISHED, label=turn.label, view=view, body=body)

    async def _retry(self, turn: Turn, live: Live, problem: str) -> None:
        if failures(turn) >= self._settings.retries or not self._settings.retry_with_context:
            if self._asking.escalate(turn, live, Signs(text="?", exhausted=problem), problem, retry=True):
                return
            await self._give_up(turn, live, f"the model's answers could not be read: {problem}", status="failed")
            return
        self._say(turn, problem, Label(Trust.OPERATOR), retry=True)

    def _say(self, turn: Turn, text: str, label: Label, **why: JSON) -> None:
        body = {"role": "user", "text": text, **why}
        self._gate.record(turn, Kind.MESSAGE, label=label, view={"chars": len(text)}, body=body)
