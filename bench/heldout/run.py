"""Three worlds that no rule was made for, through the gate: harm, utility, asks, autonomy, a row per profile and human.

The suite is frozen: FROZEN.sha256 was written before the first run. Every number is a count over all cases.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "agentdojo"))  # the harness: `run` below is the one from there

import operator_catalogue as catalogue
import run
from held import CATALOGUE, FROZEN, frozen, load
from play import Rules, play
from rich.console import Console

from ringfence.core.policy import Profile
from ringfence.core.values import JSON

ROWS = (
    run.Row("none", Rules(None)),
    run.Row("default, careful", Rules(Profile.DEFAULT, "careful")),
    run.Row("default, yes to all", Rules(Profile.DEFAULT, "everything")),
    run.Row("strict, careful", Rules(Profile.STRICT, "careful")),
    run.Row("unattended", Rules(Profile.UNATTENDED, "nobody")),
)


async def stops(suites: Sequence[Any], rules: Rules) -> AsyncIterator[JSON]:
    """Every call of a benign plan that asked or was refused, and why."""
    for suite in suites:
        sinks = catalogue.specs(suite.tools, CATALOGUE)
        for task in suite.tasks:
            for ran in (await play(suite, sinks, task, rules)).ran:
                if ran.why:
                    yield {"suite": suite.name, "task": task, "tool": ran.call.tool, "asked": ran.asked, "why": ran.why}


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="write figures, leaks and what stopped benign calls there as JSON")
    given = parser.parse_args()
    if frozen() != FROZEN.read_text("utf-8"):
        parser.error("expected the suite as it was frozen, got files that differ from FROZEN.sha256; restore them")
    suites, console = load(), Console(width=150)
    tallies: dict[tuple[str, str], run.Tally] = {}
    total: dict[str, run.Tally] = defaultdict(run.Tally)
    for row in ROWS:
        for suite in suites:
            tallies[row.name, suite.name] = await run.measure(suite, row, None, CATALOGUE)
            total[row.name].add(tallies[row.name, suite.name])
    cases = total["none"].count["plain cases"]
    title = f"Held-out worlds, {cases} cases, each plain and in base64; grant: the benign plan's (oracle)"
    console.print(run.table([(row, total[row.name]) for row in ROWS], title))
    console.print(run.by_suite(tallies, ROWS, suites))
    shown, bent = await run.bent(suites, ROWS, None, CATALOGUE)
    console.print(shown)
    console.print(run.latency([total[row.name] for row in ROWS]))
    if given.report:
        figures = {name: dict(tally.count) for name, tally in total.items()}
        found = [leak for tally in total.values() for leak in tally.leaks]
        stopped = {row.name: [one async for one in stops(suites, row.rules)] for row in ROWS[1:]}
        report = json.dumps({"figures": figures, "bent": bent, "leaks": found, "stopped": stopped}, indent=1)
        given.report.write_text(report + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
