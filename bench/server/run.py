"""What the server costs beside the model, and beside other frameworks behind FastAPI: `make bench-server`.

1. Idle: the time from a task to the first event of its run, over that of a bare uvicorn that answers at once.
2. Load: streamed runs, 512 at once, against a model that takes 50 ms; one server process, a journal on disk.
3. Rivals: the same requests to LangGraph, Pydantic AI and OpenAI Agents SDK, each behind FastAPI, one after another.

Clients, model and servers are processes of their own on this machine and share its cores: on two cores the server has
one of them at most. Nothing is asserted unless `--check` is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import house

RIVALS = ("langgraph", "pydantic-ai", "openai-agents")
GOALS = "0 errors, 300 runs/s or more, p99 below twice the mean, less than 300 MB, ahead of each rival"


def idle(runs: int) -> dict[str, Any]:
    """First events, one run at a time, of a model that answers at once; the floor before and after."""
    with house.scripted(0.0) as model, house.ringfence(model) as served, house.floor() as bare:
        house.load(bare, runs=50, at_once=1)
        house.load(served, runs=50, at_once=1)
        low = [house.load(bare, runs=runs, at_once=1)]
        ours = house.load(served, runs=runs, at_once=1)
        low.append(house.load(bare, runs=runs, at_once=1))
    floor = min(each["first_p50_ms"] for each in low)
    over = ours["first_p50_ms"] - floor
    print(f"first event, idle, p50: {ours['first_p50_ms']:.2f} ms, bare uvicorn {floor:.2f} ms: {over:.2f} ms over it")
    print(f"  p99 {ours['first_p99_ms']:.2f} ms, CPU of the server {ours['server_cpu_ms']:.2f} ms a run")
    return {"over_ms": over, "ours": ours, "floor": low}


def load(runs: int, at_once: int, rivals: list[str], python: Path) -> dict[str, Any]:
    """The same load on each."""
    told: dict[str, Any] = {}
    with house.scripted(50.0) as model:
        with house.ringfence(model) as served:
            house.load(served, runs=at_once, at_once=at_once)
            told["ringfence"] = line(house.load(served, runs=runs, at_once=at_once), "ringfence", served)
            two = house.load(served, runs=runs // 2, at_once=at_once, kind="twice")
            told["two requests"] = line(two, "  two requests", served)
        for name in rivals:
            with house.rival(name, python, model) as served:
                house.load(served, runs=at_once, at_once=at_once)
                told[name] = line(house.load(served, runs=runs, at_once=at_once), name, served)
    with house.floor() as bare:
        told["floor"] = line(house.load(bare, runs=runs, at_once=at_once), "bare uvicorn", bare)
    for name in rivals:
        ratio = told["ringfence"]["runs_per_s"] / told[name]["runs_per_s"]
        print(f"ringfence is {ratio:.2f} x {name}")
    return told


def line(one: dict[str, Any], name: str, served: house.Served) -> dict[str, Any]:
    """One row, printed."""
    one["peak_mb"] = house.peak_mb(served.pid)
    if not one["runs"]:
        print(f"{name:16} nothing worked: {one['first_error']}")
        return one
    ratio = one["run_p99_ms"] / one["run_mean_ms"]
    print(
        f"{name:16}{one['runs_per_s']:8.0f} runs/s {one['errors']:5} errors  mean {one['run_mean_ms']:6.0f} ms"
        f"  p99 {one['run_p99_ms']:6.0f} ms ({ratio:.2f} x)  CPU {one['server_cpu_ms']:5.2f} ms a run"
        f"  peak {one['peak_mb']:.0f} MB {one['first_error'][:100]}"
    )
    return one


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=6000, help="of the load")
    parser.add_argument("--at-once", type=int, default=512)
    parser.add_argument("--idle", type=int, default=300, help="runs of the idle part; 0 leaves it out")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="which ones, with commas; empty for none")
    parser.add_argument("--python", type=Path, default=Path("/usr/bin/false"), help="of the venv with requirements.txt")
    parser.add_argument("--json", type=Path, help="where all figures go")
    parser.add_argument("--check", action="store_true", help=f"fail unless: {GOALS}")
    args = parser.parse_args()
    rivals = [name for name in args.rivals.split(",") if name]
    told: dict[str, Any] = {}
    if args.idle:
        told["idle"] = idle(args.idle)
    if args.runs:
        told["load"] = load(args.runs, args.at_once, rivals, args.python)
    if args.json:
        args.json.write_text(json.dumps(told, indent=1))
    if args.check and (missed := short(told, rivals)):
        raise SystemExit("missed: " + "; ".join(missed))


def short(told: dict[str, Any], rivals: list[str]) -> list[str]:
    """Which goals were missed."""
    missed = []
    if "idle" in told and told["idle"]["over_ms"] >= 15:
        missed.append(f"first event {told['idle']['over_ms']:.1f} ms over the floor")
    if "load" in told:
        ours = told["load"]["ringfence"]
        missed += [f"{ours['errors']} errors"] if ours["errors"] else []
        missed += [f"{ours['runs_per_s']:.0f} runs/s"] if ours["runs_per_s"] < 300 else []
        missed += [f"p99 {ours['run_p99_ms']:.0f} ms"] if ours["run_p99_ms"] >= 2 * ours["run_mean_ms"] else []
        missed += [f"{ours['peak_mb']:.0f} MB"] if ours["peak_mb"] >= 300 else []
        missed += [f"behind {n}" for n in rivals if told["load"][n]["runs_per_s"] >= ours["runs_per_s"]]
    return missed


if __name__ == "__main__":
    main()
