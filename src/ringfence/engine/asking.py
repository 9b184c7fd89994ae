"""Asking a model for the next step: which model, what of the run fits its window, and under which grammar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import BackendError
from ringfence.core.gate import Gate
from ringfence.core.labels import Label, Trust
from ringfence.core.policy import SinkSpec
from ringfence.core.ports import Clock
from ringfence.core.turn import State, Turn
from ringfence.core.values import JSON, Action, Deny, Outcome, Prompt

from .answering import Cite, Verdict, Verify, judge, refused, texts, unasked
from .course import MAX_FAILED, MISSING, NOT_FOUND, STAY, Course, changes, course, doubts
from .evidence import unmentioned
from .folds import folded
from .live import Live, failures
from .mapreduce import SPEC as READ_ALL
from .passages import CITE, NOT_THERE, READ, SEARCH, passages
from .plan import MAX_REPLANS, Planning, Standing, drifts, form, from_words, standing
from .readmore import SPEC as READ_MORE
from .router import Budget, Choice, Health, Router, Rules, Signs, choose, forbidden, why_escalate
from .settings import Settings
from .stated import WHY, Checker, thin
from .step import grammar, handles, in_words, takes_words
from .task import acts, nothing_but_asks
from .tier import Tier
from .unanswered import others, searched, unheard
from .visits import ahead, named_in

MIN_WINDOW = 512  # tokens: less than that is no window
_NEARLY = 0.7  # of the room: from there on the server's own tokenizer is asked how much a request is


_NO_PLAN = Standing(())


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends here: `status` is that of its result."""

    why: str
    status: str = "failed"


@dataclass(frozen=True, slots=True)
class Routing:
    """How tiers are chosen: see `router`. `clock`: milliseconds since 1970."""

    router: Router
    rules: Rules
    health: Health
    clock: Clock
    budget: Budget | None = None


class Asking:
    """Asks the tiers for steps, through the gate. Holds nothing of a run: what it does depends on the folded state."""

    def __init__(
        self, gate: Gate, tiers: Sequence[Tier], settings: Settings, routing: Routing | None = None,
        about: Callable[[str], Iterable[str]] = lambda run: (),
    ) -> None:  # fmt: skip
        self._gate = gate
        self._tiers = {tier.sink: tier for tier in tiers}
        self._settings = settings
        self._routing = routing if len(tiers) > 1 else None  # one model: there is nothing to choose
        self._first = tiers[0].sink
        self._checker = Checker(gate, self.tier, about)

    def route(self, task: str) -> dict[str, JSON]:
        """What the record says of a task's class, where that chooses the model; it holds nothing of the task."""
        if self._routing is None:
            return {}
        found = self._routing.router.classify(task)
        return {"class": found.kind, "reasons": list(found.reasons)}

    def _order(self, turn: Turn) -> tuple[str, ...]:
        if self._routing is None:
            return (self._first,)
        return self._routing.router.order(turn.start.get("route", {}).get("class", "tool"))

    def tier(self, turn: Turn) -> Tier:
        """The model that the run is with."""
        order = self._order(turn)
        return self._tiers[turn.tier if turn.tier in order else order[0]]  # one that the manifest has lost is none

    async def judged(self, answer: str, turn: Turn, live: Live) -> Verdict:
        """An answer held against the record; where that leaves it open, the model looks again at what it cites.

        An answer that it does not find stated there is none, under `cite: strict`; under `warn` it is flagged. Only a
        plain question that documents alone answer is looked at: what was said before may say what it means.
        """
        cite, verify, there = self._settings.cite, self._settings.verify, passages(turn)
        verdict = judge(answer, turn, live, verify, cite)
        if cite is Cite.OFF or not verdict.cited or (verdict.why and not verdict.open) or live.said or others(turn):
            return verdict
        weak = thin(turn.start["task"], verdict.cited, there)
        if not (verdict.open or (weak and cite is Cite.STRICT)):
            return verdict
        stated, used = await self._checker.states(turn, turn.label.join(live.label), verdict.cited, there)
        if stated:
            verdict = judge(answer, turn, live, verify, cite, stated=True)
        elif stated is not None:
            verdict = refused(verdict, cite, there, WHY)
        return replace(verdict, tokens=used)

    async def ask(self, turn: Turn, live: Live) -> Stop | None:
        """One request, its answer on record; or why there can be none."""
        label = turn.label.join(live.label)
        if stop := self._choose(turn, label):
            return stop
        tier, routing = self.tier(turn), self._routing
        try:
            prompt = await self._fitting(turn, live, tier, label)
        except BackendError as error:
            if routing is not None and tier.sink not in live.windows:  # it was asked how large it is, and was not there
                routing.health.note(tier.sink, Outcome({}, ok=False), routing.clock())
            if self.escalate(turn, live, Signs(failed=error.what)):
                return None
            return Stop(f"{error.what} -> {error.todo}")
        seen = label.readable_by(turn.principal.member)  # what streams is shown to the one who asks
        seen = seen and self._settings.verify is not Verify.STRICT  # and an answer waits until it was judged (POL-11)
        progress = live.progress if seen else None
        action = Action(tier.sink, {}, label, prompt=prompt, run=turn.run, progress=progress)
        if routing is not None:
            routing.health.begin(tier.sink, routing.clock())
        result = await self._gate.perform(turn, action)
        if isinstance(result, Outcome) and routing is not None:
            routing.health.note(tier.sink, result, routing.clock())
        match result:
            case Outcome(ok=True, value=value):
                self._learn(turn, live, value)
            case Outcome(value=value) if (
                value["kind"] == "ContextOverflow" and failures(turn) <= self._settings.retries
            ):
                less = min(live.windows[tier.sink], live.transcript.estimate + tier.max_tokens) * 3 // 4
                live.windows[tier.sink] = max(MIN_WINDOW, less)  # the server knows better; trim harder
            case Outcome(value=value):
                # what was heard of an answer that was cut off counts for nothing
                again = value["kind"] == "CutOff" and failures(turn) <= self._settings.retries
                if not (self.escalate(turn, live, Signs.of(result)) or again):
                    return Stop(in_words(value))
            case Deny(why=why) as no:
                return Stop(Choice((), {tier.sink: no}).refusal(turn, self._gate.policy, label).why or why)
        return None

    def _learn(self, turn: Turn, live: Live, value: dict[str, JSON]) -> None:
        """Take what an answer tells about the window; one to a request that the server cut short is put aside."""
        live.transcript.learn(value["usage"]["prompt"])
        lost, tier = value.get("truncated", 0), self.tier(turn)
        if not lost or failures(turn) >= self._settings.retries:
            return
        live.windows[tier.sink] = max(MIN_WINDOW, value["usage"]["prompt"] + tier.max_tokens)
        body: JSON = {"role": "user", "text": "", "retry": True}
        view = {"chars": 0, "truncated": lost}
        self._gate.record(turn, Kind.MESSAGE, label=Label(Trust.OPERATOR), view=view, body=body)

    def _choose(self, turn: Turn, label: Label) -> Stop | None:
        """Stay with the model, or move on where it may not be asked (any more); why nobody may be."""
        routing, order = self._routing, self._order(turn)
        if routing is None:
            return None
        now = routing.clock()
        choice = choose(order, turn, self._gate.policy, label, now=now, health=routing.health, budget=routing.budget)
        if not choice.tiers:
            return Stop(choice.refusal(turn, self._gate.policy, label).why)
        here = self.tier(turn).sink
        if here not in choice.tiers:
            self._move(turn, next(iter(_behind(order, choice, here)), choice.tiers[0]), choice.refused[here].code)
        return None

    def escalate(
        self, turn: Turn, live: Live, signs: Signs, text: str = "", *, label: Label | None = None, **why: JSON
    ) -> bool:
        """Go on with the next tier, if these signs call for it and there is one that may be asked.

        It is asked with `text`, a message that is labelled so and says on record that the run went on.
        """
        routing, said_as = self._routing, label or Label(Trust.OPERATOR)
        if routing is None or (reason := why_escalate(signs, routing.rules, taken=escalations(turn))) is None:
            return False
        label, now, order = turn.label.join(live.label), routing.clock(), self._order(turn)
        choice = choose(order, turn, self._gate.policy, label, now=now, health=routing.health, budget=routing.budget)
        if not (behind := _behind(order, choice, self.tier(turn).sink)):
            return False
        self._move(turn, behind[0], reason.code)
        if turn.state is not State.THINKING:  # cut off while it was asked: nothing came of that
            body: dict[str, JSON] = {"role": "user", "text": text, "escalated": reason.code, **why}
            self._gate.record(turn, Kind.MESSAGE, label=said_as, view={"chars": len(text)}, body=body)
        return True

    def _move(self, turn: Turn, sink: str, code: str) -> None:
        view: dict[str, JSON] = {"tier": sink, "from": self.tier(turn).sink, "why": code}
        self._gate.record(turn, Kind.CHECKPOINT, label=turn.label, view=view, body={})

    async def _fitting(self, turn: Turn, live: Live, tier: Tier, label: Label) -> Prompt:
        """The request as it is sent. Near the window its size is told by the server's own tokenizer, where it has one.

        Raises BackendError if it does not fit.
        """

        def may_see(prompt: Prompt | None = None) -> bool:
            """POL-5: to count is to show; who may not read this is asked nothing, and the gate says why."""
            return forbidden(tier.sink, turn, self._gate.policy, label, now=0, prompt=prompt) is None

        if tier.sink not in live.windows:
            asked = await tier.ask_window() if tier.ask_window is not None and may_see() else None
            live.windows[tier.sink] = shrunk(turn, tier, asked or tier.window)
        prompt = self.prompt(turn, live)
        shown = tier.shown(turn.run, prompt)
        for _ in range(2):
            room = live.windows[tier.sink] - tier.max_tokens
            if tier.count is None or live.transcript.estimate < _NEARLY * room or not may_see(shown):
                break
            if (count := await tier.count(shown)) is None or count <= room:
                break
            live.transcript.learn(count)
            prompt = self.prompt(turn, live)
            shown = tier.shown(turn.run, prompt)
        return shown

    def prompt(self, turn: Turn, live: Live, *, like: Record | None = None) -> Prompt:
        """The next request to the model; with `like`, the intent of one that was made, trimmed as that one was.

        Raises BackendError if it does not fit the window.
        """
        live.transcript.sync(turn)
        way = self.way(turn, live, last=turn.usage["steps"] + 1 >= self._settings.max_steps)
        tier = self.tier(turn)
        bounds = {"window": live.windows.get(tier.sink, tier.window), "max_tokens": tier.max_tokens}
        return live.transcript.prompt(turn, schema=self._schema(turn, live, way), note=way.note, like=like, **bounds)

    def sent(self, turn: Turn, live: Live, *, like: Record) -> Prompt:
        """What was sent for an intent, made again: `prompt`, as the model is shown it."""
        return self.tier(turn).shown(turn.run, self.prompt(turn, live, like=like))

    def prompt_of(self, turn: Turn, live: Live, record: Record) -> Prompt | None:
        """What a decision about a model was about, as far as a policy looks at it; None where it was about no model.

        A refusal holds nothing of its request, which is made again; that of an intent was let through.
        """
        if not record.view["sink"].startswith("model:") or record.view.get("code") != "canary":
            return Prompt(()) if "prompt" in record.body else None
        try:
            return self.tier(turn).shown(turn.run, self.prompt(turn, live))
        except BackendError:  # it does not fit, and is judged by all that it would be made from
            return Prompt(())

    def way(self, turn: Turn, live: Live, *, last: bool) -> Course:
        """What the next step may be."""
        tool_first = self._settings.tool_first and not live.said  # a conversation may turn on what was said before
        stands, known = self.standing(turn, live), live.transcript.choices.get("path", ())
        way = course(
            turn, live.tools, tool_first=tool_first, last=last, left=stands.left, acts_now=stands.acts,
            acts_later=stands.acts_later, ahead=ahead(turn, live.tools, known, acts=acts(turn.start["task"])),
        )  # fmt: skip
        if MISSING in doubts(turn) and (says := self._absent(turn, live)):
            way = replace(way, says=says)  # until a result mentions it
        elif searched(turn) and self._unasked(turn, live) and all(tool.name in (SEARCH, READ) for tool in live.tools):
            way = replace(way, calls=False, final=True, says=NOT_THERE)  # no document has the name, so none is read
        if tool_first and nothing_but_asks(turn.start["task"]):
            way = replace(way, without=way.without.union(spec.name for spec in live.tools if changes(spec)))
        notes = [stands.text(), way.note, STAY if drifts(turn) else ""]
        if self._settings.cite is not Cite.OFF and (there := passages(turn)):
            shown = f"{live.said}\n{others(turn)}".strip()
            notes += [unheard(turn.start["task"], there, shown), CITE] if way.final else []
        note = "\n".join(filter(None, notes))
        return way if note == way.note else replace(way, note=note)

    def _absent(self, turn: Turn, live: Live) -> str:
        """The only answer that is left where nothing mentions what the task asks for; else empty."""
        task, there = turn.start["task"], passages(turn)
        from_documents = bool(there) or bool(searched(turn))
        if unmentioned(task, live.said + texts(turn)):
            return NOT_THERE if from_documents else NOT_FOUND
        return NOT_THERE if from_documents and self._unasked(turn, live) else ""

    def _unasked(self, turn: Turn, live: Live) -> str:
        """What the task is about and nothing that was found mentions; "" if there is no such."""
        if self._settings.cite is Cite.OFF:
            return ""
        return unasked(turn.start["task"], passages(turn), f"{live.said}\n{others(turn)}".strip())

    def standing(self, turn: Turn, live: Live) -> Standing:
        """The run's plan, and how far it is."""
        effects = [spec.name for spec in live.granted if changes(spec)]
        reckoners = [spec.name for spec in live.granted if not changes(spec) and not spec.opens]
        light, full = self._settings.planning is Planning.LIGHT, self._settings.planning is Planning.FULL
        given = from_words(turn.start["task"]) if light else ()
        if not (given or full):
            return _NO_PLAN
        return standing(turn, reckoners, effects, given=given, written=full)

    def _schema(self, turn: Turn, live: Live, way: Course) -> bytes:
        """The grammar of this step."""
        stands, full = self.standing(turn, live), self._settings.planning is Planning.FULL
        goals = stands.open(self._settings.budget(len(stands.goals))) if full else []
        plan = form() if full and way.calls and self._may_plan(stands, goals) else None
        settings, cut = self._settings, live.transcript.cut
        choices = {
            key: list(known) for key, known in live.transcript.choices.items() if len(known) <= settings.max_choices
        }
        if named := named_in(turn.start["task"], choices.get("path", ())):
            choices["path"] = [way.at] if way.at in named else named  # the user said which files: calls stay with them
        key = (
            way,
            cut,
            live.transcript.long,
            tuple((name, len(known)) for name, known in choices.items()),  # they only ever grow
            len(turn.typed),
            tuple(goals),
            plan is None,
        )
        if key not in live.schemas:
            shown = [spec for spec in live.tools if takes_words(spec)]
            tools = [spec for spec in shown if spec.name not in way.without] or list(shown)
            if cut:
                tools += [spec for spec in self._readers(live) if spec.name in turn.grant.sinks]
            live.schemas[key] = grammar(
                tools if way.calls and (goals or not full or plan is None) else (),
                final=way.final and (stands.plans > 0 or not full or plan is None),
                says=way.says,
                goals=goals,
                plan=plan,
                parallel=settings.parallel,
                choices=choices,
                handles=handles(turn, settings.max_choices),
            )
        return live.schemas[key]

    @staticmethod
    def _readers(live: Live) -> tuple[SinkSpec, ...]:
        """What reads on where something was cut: the next part, or, of what is much longer, all of it."""
        return (READ_MORE, READ_ALL) if live.transcript.long else (READ_MORE,)

    @staticmethod
    def _may_plan(stands: Standing, open_goals: Sequence[int]) -> bool:
        """Before there is a plan, and again when its calls fail or its goals have used up their steps."""
        stuck = stands.failed >= MAX_FAILED or not open_goals
        return stands.plans == 0 or (stuck and stands.plans <= MAX_REPLANS)


def escalations(turn: Turn) -> int:
    """How often a run went to the next tier because of what came of the last one, as its record says."""
    return folded(turn, _Escalations).count


class _Escalations:
    count = 0

    def take(self, record: Record, intent: Record | None) -> None:
        self.count += record.kind is Kind.MESSAGE and "escalated" in record.body


def shrunk(turn: Turn, tier: Tier, window: int) -> int:
    """A tier's window in tokens, by what became of requests before a crash: what it refused or cut did not fit."""
    for record, intent in turn.items:
        if intent is None or intent.view["sink"] != tier.sink or "prompt" not in intent.body:
            continue
        value = record.body["value"]
        if value.get("kind") == "ContextOverflow":
            window = max(MIN_WINDOW, window * 3 // 4)
        elif value.get("truncated"):
            window = min(window, max(MIN_WINDOW, value["usage"]["prompt"] + tier.max_tokens))
    return window


def _behind(order: Sequence[str], choice: Choice, here: str) -> list[str]:
    """The tiers that may be asked and come after one, in order."""
    return [sink for sink in order[order.index(here) + 1 :] if sink in choice.tiers] if here in order else []
