"""Asking a model for the next step: which model, what of the run fits its window, and under which grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.core.chain import Record
from ringfence.core.errors import BackendError
from ringfence.core.gate import Gate
from ringfence.core.turn import Turn
from ringfence.core.values import Action, Deny, Outcome, Prompt

from .course import MAX_FAILED, STAY, Course, course, named_in
from .live import Live
from .plan import MAX_REPLANS, Planning, Standing, drifts, form, from_words, standing
from .readmore import SPEC as READ_MORE
from .result import in_words
from .settings import Settings
from .step import grammar, handles, takes_words
from .tier import Tier


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends here: `status` is that of its result."""

    why: str
    status: str = "failed"


class Asking:
    """Asks the tiers for steps, through the gate. Holds nothing of a run: what it does depends on the folded state."""

    def __init__(self, gate: Gate, tiers: Sequence[Tier], settings: Settings) -> None:
        self._gate = gate
        self._tiers = {tier.sink: tier for tier in tiers}
        self._first = tiers[0]
        self._settings = settings

    def tier(self, turn: Turn) -> Tier:
        """The model that the run is with."""
        return self._tiers.get(turn.tier, self._first)

    async def ask(self, turn: Turn, live: Live) -> Stop | None:
        """One request, its answer on record; or why there can be none."""
        tier = self.tier(turn)
        try:
            prompt = self.prompt(turn, live)
        except BackendError as error:
            return Stop(f"{error.what} -> {error.todo}")
        label = turn.label.join(live.label)
        seen = label.readable_by(turn.principal.member)  # what streams is shown to the one who asks
        progress = live.progress if seen else None
        action = Action(tier.sink, {}, label, prompt=tier.shown(turn.run, prompt), run=turn.run, progress=progress)
        match await self._gate.perform(turn, action):
            case Outcome(ok=True, value=value):
                live.transcript.learn(value["usage"]["prompt"])
            case Outcome(value=value):
                live.failures += 1
                if value["kind"] == "ContextOverflow" and live.failures <= self._settings.retries:
                    live.window = live.window * 3 // 4  # the server knows better; trim harder
                else:
                    return Stop(in_words(value))
            case Deny(why=why):
                return Stop(why)
        return None

    def prompt(self, turn: Turn, live: Live, *, like: Record | None = None) -> Prompt:
        """The next request to the model; with `like`, the intent of one that was made, trimmed as that one was.

        Raises BackendError if it does not fit the window.
        """
        live.transcript.sync(turn)
        way = self.way(turn, live, last=turn.usage["steps"] + 1 >= self._settings.max_steps)
        bounds = {"window": live.window, "max_tokens": self.tier(turn).max_tokens}
        return live.transcript.prompt(turn, schema=self._schema(turn, live, way), note=way.note, like=like, **bounds)

    def sent(self, turn: Turn, live: Live, *, like: Record) -> Prompt:
        """What was sent for an intent, made again: `prompt`, as the model is shown it."""
        return self.tier(turn).shown(turn.run, self.prompt(turn, live, like=like))

    def way(self, turn: Turn, live: Live, *, last: bool) -> Course:
        """What the next step may be."""
        tool_first = self._settings.tool_first and not live.said  # a conversation may turn on what was said before
        stands = self.standing(turn, live)
        way = course(turn, live.tools, tool_first=tool_first, last=last, left=stands.left)
        notes = [stands.text(), way.note, STAY if drifts(turn) else ""]
        return replace(way, note="\n".join(filter(None, notes)))

    def standing(self, turn: Turn, live: Live) -> Standing:
        """The run's plan, and how far it is."""
        effects = [spec.name for spec in live.tools if not spec.reads]
        reckoners = [spec.name for spec in live.tools if spec.reads and spec.opens is None]
        light = self._settings.planning is Planning.LIGHT
        return standing(turn, reckoners, effects, given=from_words(turn.start["task"]) if light else ())

    def _schema(self, turn: Turn, live: Live, way: Course) -> bytes:
        """The grammar of this step."""
        stands, full = self.standing(turn, live), self._settings.planning is Planning.FULL
        goals = stands.open(self._settings.budget(len(stands.goals))) if full else []
        plan = form() if full and way.calls and self._may_plan(stands, goals) else None
        settings, cut = self._settings, live.transcript.cut and READ_MORE.name in turn.grant.sinks
        choices = {
            key: list(known) for key, known in live.transcript.choices.items() if len(known) <= settings.max_choices
        }
        if named := named_in(turn.start["task"], choices.get("path", ())):
            choices["path"] = named  # the user said which files: calls stay with them
        key = (way, cut, sum(map(len, choices.values())), len(turn.typed), tuple(goals), plan is None)
        if key not in live.schemas:
            shown = [spec for spec in live.tools if takes_words(spec)]
            tools = [spec for spec in shown if spec.name not in way.without] or shown
            if cut:
                tools = [*tools, READ_MORE]
            live.schemas[key] = grammar(
                tools if way.calls and (goals or not full or plan is None) else (),
                final=way.final and (stands.plans > 0 or not full or plan is None),
                goals=goals,
                plan=plan,
                parallel=settings.parallel,
                choices=choices,
                handles=handles(turn, settings.max_choices),
            )
        return live.schemas[key]

    @staticmethod
    def _may_plan(stands: Standing, open_goals: Sequence[int]) -> bool:
        """Before there is a plan, and again when its calls fail or its goals have used up their steps."""
        stuck = stands.failed >= MAX_FAILED or not open_goals
        return stands.plans == 0 or (stuck and stands.plans <= MAX_REPLANS)
