"""The dashboard and the alert rules as files: they are what Prometheus takes, and ask for what a server really has."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .hooks import SECRET, hooked
from .kit import served
from .test_metrics import Callers

FOLDER = Path(__file__).parents[2] / "deploy/observability"
NAME = re.compile(r"\b(?:ringfence|process)_[a-z_]+\b")
ROOT = {"Authorization": "Bearer root"}


def named() -> dict[str, set[str]]:
    """Every metric that the dashboard or a rule asks for, by where."""
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    rules = (FOLDER / "alerts.yml").read_text()
    expressions = re.sub(r"annotations:.*|summary:.*|#.*", "", rules)
    return {"dashboard": set(NAME.findall(" ".join(asked))), "alerts": set(NAME.findall(expressions))}


async def test_every_metric_that_they_ask_for_is_one_of_a_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with hooked() as hook:
        manifest = f"""
runtime: {{name: kit}}
inference: {{provider: openai, model: scripted, endpoint: "http://127.0.0.1:1/v1"}}
tools: []
server: {{webhooks: [{{name: ops, url: "{hook.url}", secret: "${{HOOK_SECRET}}"}}]}}
"""
        async with served(tmp_path, manifest=manifest) as (client, web):
            web.state.authenticator = Callers()
            begun = await client.post("/v1/runs", json={"task": "x"}, headers={"Authorization": "Bearer alice"})
            await client.get(f"/v1/runs/{begun.json()['id']}/events", headers={"Authorization": "Bearer alice"})
            text = (await client.get("/metrics", headers=ROOT)).text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    there = set(kinds) | {f"{name}{end}" for name, kind in kinds.items() if kind == "histogram"
                          for end in ("_bucket", "_sum", "_count")}  # fmt: skip
    for where, names in named().items():
        assert len(names) > 10, where
        assert names <= there, (where, names - there)
    made_by_us = {name for name in kinds if name.startswith("ringfence_")} - {"ringfence_build_info"}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named()["dashboard"]}
    assert made_by_us - shown <= {"ringfence_runs_running_limit", "ringfence_webhook_pending"}, made_by_us - shown


def test_panels_have_ids_of_their_own_and_do_not_lie_on_one_another() -> None:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    taken = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(taken)) == len(taken)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
@pytest.mark.parametrize("what", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"],
                                  ["check", "config", "--syntax-only", "prometheus.yml"]])  # fmt: skip
def test_promtool_takes_them_and_each_alert_speaks_and_is_silent_where_it_should(what: list[str]) -> None:
    done = subprocess.run(["promtool", *what], cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
async def test_promtool_finds_nothing_wrong_with_the_metrics_of_a_server(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        begun = await client.post("/v1/runs", json={"task": "x"}, headers={"Authorization": "Bearer alice"})
        await client.get(f"/v1/runs/{begun.json()['id']}/events", headers={"Authorization": "Bearer alice"})
        text = (await client.get("/metrics", headers=ROOT)).content
    checker = await asyncio.create_subprocess_exec("promtool", "check", "metrics", stdin=-1, stdout=-1, stderr=-1)
    _, said = await checker.communicate(text)
    assert checker.returncode == 0, said.decode()
