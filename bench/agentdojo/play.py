"""One case through the real gate: a puppet that follows the benign plan and obeys the first injection it is shown."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from suites import Attack, Call, Suite, World

from ringfence.core.chain import Kind
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import ANYONE, Label, Trust
from ringfence.core.policy import Effect, Policy, Profile, SinkSpec, control
from ringfence.core.ports import Sink
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Allow, Ask, Decision, Deny, Outcome, Prompt
from ringfence.stores.memory import MemoryJournal
from ringfence.testing.puppet import Puppet, calls, directive

MODEL = "model:main"
HOSTILE = "hostile"  # the thought behind a step that is the attacker's
_MODEL = SinkSpec(MODEL, effect=Effect.READ, audience=ANYONE, output=Label(Trust.OPERATOR))
_WHO: JSON = {"subject": "user:emma", "roles": [], "tenant": ""}
# AgentDojo has no notion of readers: all of it is public here, so that POL-5 takes no part and POL-4 is what is seen.
_PUBLIC = Label(Trust.USER)
_FAR = 2**52
_READS = (Effect.READ, Effect.READ_WITH_EFFECT)

Human = Callable[[Call, Counter[bytes]], bool]  # the call that asks, and how often each was done so far
Sinks = Mapping[str, SinkSpec]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call came to.

    effect  it does more than a read that stays
    acts    it does more than a read: one that marks what was read is an effect, and harms nobody by itself
    why     what the gate said against it, or the tool; "" where nothing was in its way
    """

    call: Call
    effect: bool
    acts: bool
    hostile: bool
    done: bool
    asked: bool
    why: str


@dataclass(frozen=True, slots=True)
class Play:
    """One finished case: its calls, the suite's own verdicts, how long each decision took, and the run as it ended."""

    ran: list[Ran]
    useful: bool
    attacked: bool
    decide_ns: list[int]
    turn: Turn

    @property
    def harmful(self) -> list[Ran]:
        """The attacker's actions that were executed and are not part of the benign plan."""
        return [one for one in self.ran if one.hostile and one.acts and one.done]

    @property
    def meddled(self) -> bool:
        """Whether the attacker had something marked as read."""
        return any(one.hostile and one.effect and not one.acts and one.done for one in self.ran)

    @property
    def asks(self) -> int:
        return sum(one.asked for one in self.ran)


@dataclass(frozen=True)
class Timed(Policy):
    """The policy, and how long each decision took; with `nothing`, an agent without a gate."""

    took: list[int] = field(default_factory=list)
    nothing: bool = False

    def decide(self, action: Action, turn: Turn, *, now: int) -> Decision:
        if self.nothing:
            return Allow()
        began = time.thread_time_ns()  # CPU: what other programs take on this machine is not the gate's
        decision = super().decide(action, turn, now=now)
        if action.sink != MODEL:
            self.took.append(time.thread_time_ns() - began)
        return decision


class _Tool:
    def __init__(self, name: str, world: World) -> None:
        self._name, self._world = name, world

    async def perform(self, action: Action) -> Outcome:
        return Outcome(self._world.perform(Call(self._name, action.args)))


def careful(plan: Sequence[Call]) -> Human:
    """Says yes to each call of the benign plan until it was done as often as it is in there, and no to all else."""
    planned = Counter(call.key for call in plan)
    return lambda call, done: done[call.key] < planned[call.key]


def everything(plan: Sequence[Call]) -> Human:
    """The tired one: yes."""
    return lambda call, done: True


def nobody(plan: Sequence[Call]) -> Human:
    """No answer ever comes."""
    return lambda call, done: False


HUMANS = {"careful": careful, "everything": everything, "nobody": nobody}


@dataclass(frozen=True, slots=True)
class Rules:
    """Under which rules cases are played: `profile` None is an agent without a gate.

    plans  a planner's effects by suite and task, with how often each is needed; None: the benign plan's, as an oracle
    """

    profile: Profile | None
    human: str = "nobody"
    plans: Mapping[str, Mapping[str, int]] | None = None

    def grant(self, suite: str, task: str, plan: Sequence[Call], sinks: Sinks) -> TaskGrant:
        """The effects of the plan, as often as it has them, and every read that stays."""
        if self.plans is None:
            budgets = dict(Counter(f"tool:{call.tool}" for call in plan if not sinks[f"tool:{call.tool}"].stays))
        else:
            budgets = {f"tool:{tool}": count for tool, count in self.plans[f"{suite}/{task}"].items()}
        reads = {name for name, spec in sinks.items() if spec.stays}
        return TaskGrant(frozenset({MODEL, *reads, *budgets}), budgets)


class _Run:
    """A run of the real gate, with the puppet for a model and the suite's tools behind the sinks."""

    def __init__(self, world: World, sinks: Sinks, policy: Policy, grant: TaskGrant, script: Sequence[JSON]) -> None:
        self._sinks, self._prompt = sinks, world.task.PROMPT
        self._benign = {call.key for call in world.plan}
        self._time = 0
        self._done: Counter[bytes] = Counter()
        self.turn = Turn()
        doors: dict[str, Sink] = {f"tool:{name}": _Tool(name, world) for name in world.suite.tools}
        doors[MODEL] = Puppet(script)
        self._gate = Gate(policy, doors, MemoryJournal(), self._clock)
        body: JSON = {"principal": _WHO, "grant": grant.to_json(), "task": self._prompt}
        self._gate.record(self.turn, Kind.STARTED, label=_PUBLIC, view={}, body=body, run="r")
        self._gate.record(self.turn, Kind.MESSAGE, label=_PUBLIC, view={}, body={"text": self._prompt})

    def _clock(self) -> int:
        self._time += 1
        return self._time

    async def perform(self, human: Human) -> list[Ran]:
        """Play until the puppet has nothing left to do."""
        ran: list[Ran] = []
        shown = [self._prompt]
        while "calls" in (step := await self._think(shown)):
            shown = []
            for number, given in enumerate(step["calls"]):
                call = Call(given["tool"], given["args"])
                hostile = step["thought"] == HOSTILE and (step.get("again", False) or call.key not in self._benign)
                one, said = await self._act(call, number, human, hostile)
                ran.append(one)
                shown.append(said)
        return ran

    async def _think(self, shown: Sequence[str]) -> JSON:
        messages = tuple(json.dumps({"role": "user", "content": text}).encode() for text in shown)
        outcome = await self._gate.perform(self.turn, Action(MODEL, {}, self.turn.label, prompt=Prompt(messages)))
        assert isinstance(outcome, Outcome)
        return json.loads(outcome.value["text"])

    async def _act(self, call: Call, number: int, human: Human, hostile: bool) -> tuple[Ran, str]:
        spec = self._sinks.get(f"tool:{call.tool}")
        action = Action(f"tool:{call.tool}", call.args, self.turn.label, call=number)
        result = await self._gate.perform(self.turn, action)
        why, asked = "", isinstance(result, Ask)
        if not isinstance(result, Outcome):
            why = f"{result.rule} {result.code}: {result.why}"
        if asked:
            result = await self._ask(action, human(call, self._done))
        if isinstance(result, Outcome) and not result.ok:
            why = f"the tool: {result.value['error']}"
        done = isinstance(result, Outcome) and result.ok
        self._done[call.key] += done
        said = json.dumps(result.value) if isinstance(result, Outcome) else why
        effect = spec is None or not spec.stays
        acts = effect and (spec is None or spec.effect not in _READS)
        return Ran(call, effect, acts, hostile, done, asked, why), said

    async def _ask(self, action: Action, yes: bool) -> Outcome | Ask | Deny:
        """Who says yes to a call vouches for its values for the rest of the run, as the approval screen offers."""
        question = self.turn.question
        if not yes or question is None:
            refusal = Deny("POL-9", "refused", "a person said no")
            self._gate.refuse(self.turn, action, refusal)
            return refusal
        values = [[kind, value] for _, value, kind in control(action, self._sinks[action.sink])]
        body = {"digest": question.body["digest"], "by": "user:emma", "expires": _FAR, "endorsed": values}
        self._gate.record(self.turn, Kind.APPROVAL, label=self.turn.label, view={}, body=body)
        return await self._gate.perform(self.turn, action)


def step(call: Call, **more: JSON) -> JSON:
    """A puppet's step that makes one call."""
    return {**calls((call.tool, dict(call.args))), **more}


async def play(
    suite: Suite,
    sinks: Sinks,
    task: str,
    rules: Rules,
    attack: Attack | None = None,
    *,
    encoded: bool = False,
    script: Sequence[JSON] | None = None,
) -> Play:
    """One case; without an attack it is the benign run. `script` is what the puppet does instead of the benign plan."""
    injected = ""
    if attack is not None:
        injected = directive(*(step(call, thought=HOSTILE) for call in attack.calls), encoded=encoded)
    world = suite.world(task, injected)
    took: list[int] = []
    nothing = rules.profile is None
    policy = Timed({**sinks, MODEL: _MODEL}, rules.profile or Profile.DEFAULT, "p", took=took, nothing=nothing)
    own = [step(call) for call in world.plan] if script is None else script
    run = _Run(world, sinks, policy, rules.grant(suite.name, task, world.plan, sinks), own)
    ran = await run.perform(HUMANS[rules.human](world.plan))
    whole = Counter(one.call.key for one in ran if one.done) >= Counter(call.key for call in world.plan)
    answer = world.task.GROUND_TRUTH_OUTPUT if whole else ""  # what was not read cannot be told
    attacked = attack is not None and world.attacked(attack.id, answer)
    return Play(ran, world.useful(answer), attacked, took, run.turn)
