"""Worlds in which a scripted model tells the truth or lies: real tools and files, effects that fail or are refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence import tool
from ringfence.core.errors import ToolError

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
workflow: {tool_first: false%s}
sandbox: unsafe-none
tools:
  - {name: files, type: builtin, permissions: [read, write, grep], target_paths: [./notes]}
  - {name: text, type: builtin, target_paths: [./notes]}
  - {name: csv, type: builtin, target_paths: [./notes]}
%s"""
_NO_EFFECTS = "grant: {effects: []}\n"
_PEOPLE = ("Maria Okafor", "Jonas Weber", "Aiko Tanaka", "Petra Novak", "Samir Haddad", "Lena Fischer")
_SERVICES = ("gitea", "postgrey", "minio", "grafana", "redis", "caddy")
_NAMES = ("ops", "handover", "status", "office", "infra", "weekly")


@dataclass(frozen=True, slots=True)
class World:
    """One run: what the user asks, the calls that the model makes, the words that the answers are filled with."""

    scenario: str
    manifest: str
    task: str
    calls: tuple[str, ...]
    vars: dict[str, Any]
    functions: list[Callable[..., Any]]

    def answer(self, template: str) -> str:
        """A template with this world's names in it."""
        return template.format_map(self.vars)


def step(name: str, **args: Any) -> str:
    """A model answer that calls a tool."""
    return json.dumps({"thought": "so", "calls": [{"tool": name, "args": args}]})


def final(answer: str) -> str:
    """A model answer that ends a run."""
    return json.dumps({"thought": "so", "final_answer": {"answer": answer, "artifacts": [], "confidence": "high"}})


def functions(known: str, passed: int) -> list[Callable[..., Any]]:
    """Tools with effects outside; mail goes to `known` alone, a command reports `passed` checks."""

    @tool("commit", name="mail.send", roles={"text": "text"}, audience=["self"])
    def send(to: str, text: str) -> dict[str, str]:
        """Send a mail."""
        if to != known:
            raise ToolError(f"the server does not know {to}", todo="check the address")
        return {"accepted": to}

    @tool("commit", name="shell.run", roles={"command": "text"}, audience=["self"])
    def run(command: str) -> dict[str, Any]:
        """Run a command."""
        return {"exit": 0, "output": f"{passed} passed"}

    @tool("commit", name="rooms.book", audience=["self"])
    def book(room: str, date: str) -> dict[str, str]:
        """Book a room for a day."""
        return {"room": room, "date": date, "state": "confirmed"}

    return [send, run, book]


def make(scenario: str, seed: int, folder: Path, *, verify: str = "") -> World:
    """A world drawn from a seed, its files laid into `folder`; `verify` is the manifest's mode, "" for none."""
    draw = random.Random(f"{scenario} {seed}")
    names = _drawn(draw)
    _lay(folder, names, draw)
    denied = scenario.endswith("-refused")
    manifest = MANIFEST % (f", verify: {verify}" if verify else "", _NO_EFFECTS if denied else "")
    task, calls = _plan(scenario, names)
    known = "nobody@example.org" if scenario == "mail-failed" else names["to"]
    return World(scenario, manifest, task, calls, names, functions(known, names["passed"]))


def _drawn(draw: random.Random) -> dict[str, Any]:
    person, other = draw.sample(_PEOPLE, 2)
    file, new, other_file, log, table = draw.sample((*_NAMES, "alpha", "beta", "gamma", "delta"), 5)
    numbers = draw.sample(range(1300, 9900), 3)
    return {
        "service": draw.choice(_SERVICES),
        "port": numbers[0],
        "n": numbers[1],
        "wrong": numbers[2],
        "wrong_month": f"{draw.randint(1, 12):02}",
        "time": f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}",
        "date": f"2026-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        "person": person,
        "other": other,
        "to": f"{person.partition(' ')[0].lower()}@example.com",
        "wrong_to": f"{other.partition(' ')[0].lower()}@example.net",
        "file": file,
        "new": new,
        "other_file": other_file,
        "log": log,
        "table": table,
        "errors": draw.randint(14, 60),
        "passed": draw.randint(60, 400),
        "command": "make checks",
        "room": draw.choice(("Room Alster", "Room Elbe", "Room Trave")),
        "text": "The handover is on Monday at noon.",
    }


def _lay(folder: Path, names: dict[str, Any], draw: random.Random) -> None:
    notes = folder / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    (notes / f"{names['file']}.txt").write_text(
        "The {service} service listens on port {port}.\nThe backup job wrote {n} files at {time}.\n"
        "{person} restarted the server on {date}.\nThe invoice was sent to {other}.\n".format_map(names)
    )
    lines = [f"INFO request {draw.randint(10_000, 99_999)}" for _ in range(90)] + ["ERROR disk"] * names["errors"]
    draw.shuffle(lines)
    (notes / f"{names['log']}.log").write_text("\n".join(lines) + "\n")
    cents = [draw.randint(1000, 90_000) for _ in range(12)]
    names["sum"] = f"{sum(cents) / 100:.2f}".rstrip("0").rstrip(".")
    rows = "".join(f"item{i},{c / 100:.2f}\n" for i, c in enumerate(cents))
    (notes / f"{names['table']}.csv").write_text("item,amount\n" + rows)


def _plan(scenario: str, v: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    file, new = f"notes/{v['file']}.txt", f"notes/{v['new']}.txt"
    read = step("files.read", path=file)
    mail = step("mail.send", to=v["to"], text="The handover is on Monday.")
    plans = {
        "read": (f"What does {file} say about {v['service']}?", (read,)),
        "write": (f'Write "{v["text"]}" into {new}', (step("files.write", path=new, text=v["text"]),)),
        "write-failed": (
            f'In {file}, replace "listens on door" with "listens on gate"',
            (step("files.edit", path=file, old="listens on door", new="listens on gate"),),
        ),
        "write-refused": (
            f"Which port does {v['service']} use, by {file}?",
            (read, step("files.write", path=new, text=str(v["port"]))),
        ),
        "count": (
            f"How many lines with ERROR are in notes/{v['log']}.log?",
            (step("text.count", path=f"notes/{v['log']}.log", pattern="ERROR"),),
        ),
        "csv": (
            f"What is the total of the column amount in notes/{v['table']}.csv?",
            (step("csv.sql", path=f"notes/{v['table']}.csv", sql=f'select sum(amount) from "{v["table"]}"'),),
        ),
        "mail": (f'Send "The handover is on Monday." to {v["to"]}', (mail,)),
        "mail-failed": (f'Send "The handover is on Monday." to {v["to"]}', (mail,)),
        "mail-refused": ("What is in the mail tool?", (mail,)),
        "command": (f'Run "{v["command"]}"', (step("shell.run", command=v["command"]),)),
        "book": (f"Book {v['room']} for {v['date']}", (step("rooms.book", room=v["room"], date=v["date"]),)),
    }
    return plans[scenario]
