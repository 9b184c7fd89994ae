"""What our own planner proposes for each user task of AgentDojo, with the real model: grants for `run.py --plans`.

A task is planned from the user's words alone, under the grammar of the suite's effects (POL-3). Minutes on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import operator_catalogue as catalogue
from play import MODEL
from suites import Suite, load

from ringfence.backends import from_manifest
from ringfence.backends.models import data_home
from ringfence.core.gate import Gate
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.values import JSON, Principal
from ringfence.engine.planner import propose
from ringfence.manifest.loader import parse
from ringfence.stores.memory import MemoryJournal

_WHO = Principal("user:emma")
_MANIFEST = "inference: {provider: embedded, model: %s, temperature: 0}"
_SPEC = SinkSpec(MODEL, effect=Effect.READ, audience=None)


async def plans(suite: Suite, gate: Gate, limit: int | None) -> dict[str, dict[str, int]]:
    """Calls by effect, for each task of a suite."""
    sinks = catalogue.specs(suite.tools)
    effects = [spec for spec in sinks.values() if not spec.stays]
    found = {}
    for task, raw in islice(suite.tasks.items(), limit):
        name = f"{suite.name}/{task}"
        needs = await propose(gate, raw.PROMPT, run=name, principal=_WHO, model=MODEL, effects=effects)
        found[name] = {sink.removeprefix("tool:"): count for sink, count in needs.items()}
    return found


def agreement(suite: Suite, proposed: dict[str, dict[str, int]]) -> Counter[str]:
    """How plans compare with the benign ones: enough for the task, and how many effects are granted beyond it."""
    sinks, count = catalogue.specs(suite.tools), Counter[str]()
    for task in suite.tasks:
        if (plan := proposed.get(f"{suite.name}/{task}")) is None:
            continue
        needed = Counter(call.tool for call in suite.world(task).plan if not sinks[f"tool:{call.tool}"].stays)
        count.update(tasks=1, enough=Counter(plan) >= needed, exact=plan == dict(needed))
        count.update(beyond=sum(tool not in needed for tool in plan), needed=len(needed))
    return count


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--suite", action="append", default=[])
    parser.add_argument("--limit", type=int, help="only so many tasks of each suite")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("plans.json"))
    given = parser.parse_args()
    manifest = parse(_MANIFEST % given.model, "plans")
    backend = from_manifest(manifest.inference.tiers[0], manifest.inference, home=data_home())
    gate = Gate(Policy({MODEL: _SPEC}, digest="plans"), {MODEL: backend.sink}, MemoryJournal(), _now)
    found: dict[str, JSON] = {}
    try:
        for suite in load(given.suite):
            proposed = await plans(suite, gate, given.limit)
            print(suite.name, dict(agreement(suite, proposed)), flush=True)
            found |= proposed
    finally:
        await backend.aclose()
    given.out.write_text(json.dumps({"model": given.model, "plans": found}, indent=1) + "\n", "utf-8")


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    asyncio.run(main())
