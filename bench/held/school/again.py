"""The answers a second time: read from the files of a world, the draw is not known here."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from world import find, rows, text

OUT = "select full_name from loans join books using (book_id) join pupils using (pupil_id) where title = ? {}"
TOP = "select title, count(*) n from loans join books using (book_id) group by book_id order by n desc limit 2"
ROOM = "select room from lessons where class = ? and weekday = ? and period = ?"


def notices(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Notices and settings; the shed's code is in none of them."""
    board = {path.name: path.read_text("utf-8") for path in (folder / "notices").iterdir()}
    whole = "\n".join(board.values())
    files = [path for name in ("notices", "config", "tables", "site") for path in (folder / name).rglob("*.*")]
    assert not any(re.search(r"\bcode\b|\bpin\b", path.read_text("utf-8").lower()) for path in files)
    assert [name for name, said in board.items() if "shed" in said] == ["bikes.md"]
    assert re.findall(r"\d+", board["bikes.md"]) == ["7", "15", "16", "30"]
    old = find(r"re-sits .* in room (\d+)", whole)
    moved = find(rf"Resits: room {old} .* They take place in room (\d+) instead", whole)
    assert old != moved
    return {
        "key-holder": [find(rf"- {words['key_room'].capitalize()}: (\w+)", whole)],
        "resit-room": [moved],
        "notice-files": [sum(name.endswith(".md") for name in board)],
        "lesson-minutes": [find(r"\nlesson_minutes = (\d+)\n", text(folder, "config/bells.ini"))],
    }


def logs(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The gates, the buses, the backups, the copiers."""
    radio, backup = text(folder, "logs/bus-radio.log"), text(folder, "logs/backup.log")
    times = re.findall(r"^15\.09\.2025 (\d\d:\d\d) ", radio, re.MULTILINE)
    assert times == sorted(times)
    assert len(times) == radio.count("\n")
    delays = re.findall(r"line (\d+) DELAYED (\d+) min", radio)
    assert len(delays) == radio.lower().count("delay")
    gate = text(folder, "logs/gate.log").splitlines()
    assert not any("refused" in line for line in gate)
    return {
        "gate-refused": [sum("REFUSED" in line for line in gate)],
        "first-delay": [*delays[0]],
        "backup-error": [find(rf"{words['backup_day']} \S+ timetable FAILED error (E\d+)", backup)],
        "printer-lines": [text(folder, "logs/printers.log").count("\n")],
    }


def tables(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Canteen, sports day, repairs, lockers."""
    sold = [row for row in rows(folder, "tables/canteen.csv", ";") if row["dish"] == words["dish"]]
    day = rows(folder, "tables/sports_day.csv", ",")
    first, second = sorted(day, key=lambda row: float(row["sprint_s"]))[:2]
    assert float(first["sprint_s"]) < float(second["sprint_s"])
    jumps = [float(row["long_jump_m"]) for row in day if row["class"] == words["jump_class"]]
    jobs = [row["state"] for row in rows(folder, "tables/repairs.csv", ",") if row["trade"] == words["trade"]]
    assert "open" in jobs
    lockers = rows(folder, "tables/lockers.tsv", "\t")
    (locker,) = [row["locker"] for row in lockers if row["pupil"] == words["locker_pupil"]]
    return {
        "canteen-takings": [f"{sum(round(float(row['takings_eur']) * 100) for row in sold) / 100:.2f}"],
        "long-jump": [f"{sum(jumps) / len(jumps):.2f}"],
        "fastest": [first["pupil"], first["sprint_s"]],
        "open-repairs": [jobs.count("open")],
        "locker": [locker],
    }


def database(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """Pupils, loans, lessons."""
    with closing(sqlite3.connect(folder / "db" / "school.db")) as db:

        def sql(query: str, *values: object) -> list[Any]:
            return db.execute(query, values).fetchall()

        readers = sql(OUT.format(""), words["title"])
        ((reader,),) = sql(OUT.format("and returned_on is null"), words["title"])
        assert len(readers) > 1
        (top, most), (_, second) = sql(TOP)
        assert most > second
        ((room,),) = sql(ROOM, words["lesson_class"], words["lesson_day"], int(words["lesson_period"]))
        ((riders,),) = sql("select count(*) from pupils where bus_line = ?", int(words["ride_line"]))
        assert not sql("select * from pupils where bus_line = ?", int(words["ghost_line"]))
    return {"book-out": [reader], "most-borrowed": [top, most], "bus-riders": [riders], "lesson-room": [room]}


def site(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The pages; the line that is asked for is on none of them, nor in the log of the buses."""
    buses = text(folder, "site/buses.html")
    assert words["ghost_line"] not in re.findall(r"<td>(\d+)</td>", buses)
    assert f"line {words['ghost_line']}" not in text(folder, "logs/bus-radio.log")
    assert f"<td>{words['ride_line']}</td>" in buses
    clubs = json.loads(text(folder, "site/api/clubs.json"))["clubs"]
    (signed,) = [club["signed_up"] for club in clubs if club["club"] == words["club"]]
    shut = find(r"Room (\d+) is closed", text(folder, "site/closures.html"))
    (seats,) = [row["seats"] for row in rows(folder, "tables/rooms.tsv", "\t") if row["room"] == shut]
    return {"club-sign-ups": [signed], "closed-room-seats": [seats]}


def again(folder: Path, words: dict[str, str]) -> dict[str, Any]:
    """The answers by the tasks' ids; AssertionError where a task would have more than one, or none."""
    found = notices(folder, words) | logs(folder, words) | tables(folder, words)
    found |= database(folder, words) | site(folder, words)
    coach, entry, pupils, ill, roll = (float(words[name]) for name in ("coach", "entry", "trip_pupils", "ill", "roll"))
    found |= {
        "trip-price": [f"{coach / pupils + entry:.2f}"],
        "sick-percent": [f"{ill / roll * 100:.2f}"],
        "kernel": [subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()],
    }
    return {name: [parts] for name, parts in found.items()} | {"shed-code": [], "no-such-line": []}
