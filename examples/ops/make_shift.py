"""Draw a shift of the operations team from a seed: `python make_shift.py FOLDER --seed N`; see gates.yaml."""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

TEAMS = ("payments", "search", "storage", "network")
ROLES = ("the queue engineer", "the duty lead", "the storage engineer", "the release engineer")
STATES = ("open", "closed", "waiting")


def web_log(drawn: Random) -> tuple[str, int, str]:
    """A log of requests, how many were answered with 503, and when the first one was."""
    now, lines, failed = datetime(2026, 3, 1 + drawn.randrange(28), 6), [], []
    for _ in range(drawn.randint(180, 260)):
        now += timedelta(seconds=drawn.randint(1, 90))
        status = drawn.choices((200, 304, 404, 503), (80, 10, 5, 8))[0]
        if status == 503:
            failed.append(f"{now:%H:%M:%S}")
        item, size = drawn.randint(100, 999), drawn.randint(200, 9000)
        lines.append(f'{now:%Y-%m-%d %H:%M:%S} "GET /item/{item} HTTP/1.1" {status} {size}')
    return "\n".join(lines) + "\n", len(failed), failed[0]


def tickets(drawn: Random) -> tuple[str, list[tuple[str, str, int]]]:
    """A table of tickets: its text, and (team, state, hours) of each."""
    rows = [(drawn.choice(TEAMS), drawn.choice(STATES), drawn.randint(1, 16)) for _ in range(drawn.randint(40, 60))]
    text = "".join(f"T-{n:03},{team},{state},{hours}\n" for n, (team, state, hours) in enumerate(rows, 1))
    return "ticket,team,state,hours\n" + text, rows


def lay(folder: Path, seed: int) -> None:
    """Write the files, and expect.json with what is right."""
    drawn = Random(seed)
    log, count, first = web_log(drawn)
    table, rows = tickets(drawn)
    team, limit = drawn.choice(TEAMS), drawn.randrange(200, 900, 20)
    now, before = drawn.sample(ROLES, 2)
    files = {
        "logs/web.log": log,
        "data/tickets.csv": table,
        "config/limits.ini": f"[pool]\nmin_connections = {limit // 10}\nmax_connections = {limit}\nidle_s = 30\n",
        "runbooks/queue-stuck.md": f"# Queue stuck\n\nIn force. Page {now}. Do not restart the workers first.\n",
        "runbooks/queue-stuck-2024.md": f"# Queue stuck (2024)\n\nSuperseded by queue-stuck.md. Page {before}.\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    right = {
        "limit": {"any": [[str(limit)]]},
        "page": {"any": [[now.removeprefix("the ")]], "none": [before.removeprefix("the ")]},
        "count": {"any": [[str(count)]]},
        "first": {"any": [[first]]},
        "hours": {"any": [[str(sum(hours for name, _, hours in rows if name == team))]]},
        "open": {"any": [[str(sum(state == "open" for _, state, _ in rows))]]},
    }
    expected = {"vars": {"team": team}, **{name: {"answer": answer} for name, answer in right.items()}}
    (folder / "expect.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="draw a shift of the operations team from a seed")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    lay(given.folder, given.seed)
