"""What a task is granted (POL-3): by the manifest, by a plan, or by the manifest as it is now for a run of before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.provenance import Words
from ringfence.core.turn import Turn
from ringfence.core.values import Principal
from ringfence.engine import planner
from ringfence.engine.task import only_asks
from ringfence.manifest.types import Manifest
from ringfence.tracing import Trace

from .house import House


def of_task(house: House, manifest: Manifest, task: str, *, version: int = 1) -> TaskGrant:
    """What the manifest grants a task."""
    effects = house.effects
    if manifest.grant.effects is None and only_asks(task):
        effects = house.given  # a plain question changes nothing, whatever is read on the way to its answer
        fetching = {name for name in house.effects if _fetches(house.specs[name])}
        if fetching and Words((task,)).names("url"):  # but the page that it names is to be read
            effects |= fetching
    objects = {f"tool:{name}": list(values) for name, values in manifest.grant.objects.items()}
    return TaskGrant(house.reads | effects, house.budgets(manifest), objects, version)


def _fetches(spec: SinkSpec) -> bool:
    """Whether a tool does no more than get what is at an address: it takes no words that nobody has to vouch for."""
    gets = spec.effect is Effect.EGRESS and spec.idempotent and set(spec.types.values()) == {"url"}
    arguments = (spec.schema or {}).get("properties", {})
    ours = {name for name, rule in arguments.items() if "x-ours" in rule}  # which link of a page: the runtime's word
    asked = {*arguments, *spec.roles} - ours
    return gets and all(spec.roles.get(name, Role.CONTROL) is Role.CONTROL for name in asked)


async def planned(
    grant: TaskGrant,
    task: str,
    gate: Gate,
    house: House,
    manifest: Manifest,
    *,
    run: str,
    principal: Principal,
    trace: Trace,
    about: Sequence[str] = (),
) -> TaskGrant:
    """Of a grant's effects only those that the model finds in the task's own words, as often as it says."""
    candidates = [house.specs[name] for name in sorted(grant.sinks - house.reads)]
    if not candidates:
        return grant
    model, name = f"model:{manifest.inference.tiers[0].name}", planner.PREFIX + run
    needs = await planner.propose(
        gate,
        task,
        run=name,
        principal=principal,
        model=model,
        effects=candidates,
        trace=trace,
        veil=house.veils.get(model),
        about=about,
    )
    return _within(grant, needs, house)


def of_run(house: House, manifest: Manifest, turn: Turn) -> TaskGrant:
    """What the manifest would grant a run's task now. A plan is not made again: what it left out stays out."""
    then = TaskGrant.from_json(turn.start["grant"])
    if turn.start.get("plans"):
        return turn.grant
    now = of_task(house, manifest, str(turn.start["task"]), version=then.version)
    if not manifest.grant.planned:
        return now
    effects = (now.sinks & then.sinks) - house.reads
    return _within(now, {name: then.budgets[name] for name in effects if name in then.budgets}, house, also=effects)


def _within(grant: TaskGrant, needs: dict[str, int], house: House, also: frozenset[str] = frozenset()) -> TaskGrant:
    budgets = {**grant.budgets, **{name: min(calls, grant.budgets.get(name, calls)) for name, calls in needs.items()}}
    return replace(grant, sinks=house.reads | frozenset(needs) | also, budgets=budgets)
