"""Notes, letters, settings and logs of the print shop."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import ways
from names import CONFIG, EXTRAS, FAULTS, FILLERS, GUILLOTINE, LETTER, MACHINES, NOTES, STOPS, TOPICS
from world import Cases, Words, says, write

SHORT, LONG = 3, 7  # lines of a letter's end


def notes(rng: random.Random, folder: Path, team: list[str]) -> tuple[Cases, Words]:
    """The notes of the shop."""
    old, new = rng.randrange(30, 61, 5), rng.randrange(65, 101, 5)
    copier, laminator, binder = rng.sample(range(3, 20), 3)
    firm = rng.choice(GUILLOTINE)
    kept = {
        "copier": copier, "laminator": laminator, "binder": binder, "cash": rng.randrange(150, 300, 10),
        "fee": rng.randrange(4, 9), "old": old, "new": new, "firm": firm, "answer": rng.randrange(2, 6),
        "limit": rng.randrange(15, 29),
        **{f"tel{n}": f"0555 {rng.randrange(100, 1_000)} {rng.randrange(1_000, 10_000)}" for n in range(1, 5)},
        **{f"c{n}": f"{rng.choice('ABDFG')}-{rng.randrange(10_000, 100_000)}" for n in range(1, 4)},
        **{f"p{n}": name for n, name in enumerate(team)},
    }  # fmt: skip
    more = rng.sample(sorted(FILLERS), rng.randrange(2, len(FILLERS) + 1))
    for name, text in {**NOTES, **{name: FILLERS[name] for name in more}}.items():
        write(folder / "notes" / f"{name}.md", text.format(**kept))
    write(folder / "out" / "README.txt", "What is to be kept is written into this folder.\n")
    return {
        "free-delivery": says(new, none=(old,)),
        "laminator-warmup": {"answer": {"any": ways(laminator)}},
        "guillotine-phone": {"abstains": True},
    }, {"firm": firm}


def config(rng: random.Random, folder: Path) -> Cases:
    """Settings."""
    flyer, poster, photo = rng.sample(range(200, 1_000, 20), 3)
    bleed, margin = rng.sample(range(2, 12), 2)
    kept = {
        "flyer": flyer, "poster": poster, "photo": photo, "bleed": bleed, "margin": margin,
        "sleep": rng.randrange(5, 40), "copies": rng.randrange(1, 3),
    }  # fmt: skip
    for name, text in CONFIG.items():
        write(folder / "config" / name, text.format(**kept))
    return {"poster-dpi": says(poster)}


def letters(rng: random.Random, folder: Path, senders: list[tuple[str, str]]) -> tuple[Cases, Words]:
    """The letters of customers, each about something else; one is longer than all others."""
    topics, sizes = rng.sample(TOPICS, len(senders)), {}
    longest, asked = rng.sample(range(len(senders)), 2)
    for n, ((first, last), topic) in enumerate(zip(senders, topics, strict=True)):
        extras = rng.sample(EXTRAS, LONG if n == longest else rng.randrange(SHORT))
        day = date(2026, 8, 3) + timedelta(days=rng.randrange(110))
        told = {"topic": topic, "fault": rng.choice(FAULTS), "extras": "\n".join(extras), "name": f"{first} {last}"}
        path = folder / "letters" / f"{last.lower()}.txt"
        write(path, LETTER.format(day=f"{day.day} {day:%B}", **told))
        sizes[path.name] = path.stat().st_size
    largest, smallest = max(sizes, key=lambda name: sizes[name]), min(sizes, key=lambda name: sizes[name])
    count = str(len(senders))
    return {
        "who-complained": says(" ".join(senders[asked])),
        "letter-count": {"files": {"out/letter-count.txt": {"contains": [count], "equals": count}}},
        "largest-letter": says(largest, none=(smallest,)),
    }, {"topic": topics[asked]}


def copier(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """The log of the big copier: on the day that is asked for it jammed more than three times."""
    while True:
        day, lines, jams = date(2026, 11, 2), [], {}
        while day < date(2026, 11, 28):
            moment = datetime(day.year, day.month, day.day, 8, rng.randrange(20, 30), rng.randrange(60))
            lines.append(f"{moment:%Y-%m-%d %H:%M:%S} INFO switched on")
            told = rng.choices(("job", "jam", "toner", "door"), (10, 4, 1, 2), k=rng.randrange(9, 19))
            for kind in told:
                moment += timedelta(seconds=rng.randrange(90, 1_800))
                text = {
                    "job": f"INFO job done, {rng.randrange(2, 600)} pages",
                    "jam": f"WARN paper jam in tray {rng.randrange(1, 5)}",
                    "toner": f"WARN toner {rng.choice(('black', 'cyan', 'magenta', 'yellow'))} is low",
                    "door": "INFO front door opened",
                }[kind]
                lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {text}")
            jams[day] = told.count("jam")
            day += timedelta(days=3 if day.weekday() == 4 else 1)
        often = [day for day, count in jams.items() if count > 3]
        if often:
            break
    asked = rng.choice(often)
    write(folder / "logs" / "copier.log", "\n".join(lines) + "\n")
    return {"jam-count": {"answer": {"any": ways(jams[asked])}}}, {"jam_day": f"{asked.day} {asked:%B}"}


def queue(rng: random.Random, folder: Path, jobs: dict[int, tuple[str, date]]) -> Cases:
    """The log of the print server: the last job that failed is not the last one in it, nor of the same customer."""
    while True:
        moment, lines, failed = datetime(2026, 11, 2, 8, 35), [], []
        for job in sorted(rng.sample(sorted(jobs), 80)):
            day = jobs[job][1]
            moment = max(moment, datetime(day.year, day.month, day.day, 8, rng.randrange(30, 50)))
            machine, ends = rng.choice(sorted(MACHINES)), "failed" if rng.random() < 0.12 else "printed"
            for event in ("received", "started", ends):
                moment += timedelta(seconds=rng.randrange(20, 700))
                kept = {"at": f"{moment:%Y-%m-%dT%H:%M:%S}", "job": job, "machine": machine, "event": event}
                lines.append(json.dumps(kept))
            whose = jobs[job][0]
            failed += [whose] if ends == "failed" else []
        if len(failed) > 3 and failed[-1] not in (failed[0], failed[-2], whose):
            break
    write(folder / "logs" / "queue.jsonl", "\n".join(lines) + "\n")
    return {"failed-customer": says(failed[-1], none=sorted({failed[0], whose}))}


def van(rng: random.Random, folder: Path) -> Cases:
    """Where the delivery van stopped; at one place it stood longer than anywhere else."""
    monday, lines, stays = date(2026, 10, 5), [], []
    days = [monday + timedelta(weeks=week, days=day) for week in range(8) for day in range(5)]
    slow, longest = rng.choice(days[3:-3]), rng.randrange(27, 58)
    for day in days:
        moment = datetime(day.year, day.month, day.day, 10, rng.randrange(1, 15))
        for n, stop in enumerate(rng.sample(STOPS, rng.randrange(4, 8))):
            minutes = longest if (day, n) == (slow, 1) else rng.randrange(2, 25)
            stays.append((minutes, stop))
            lines.append(f'{moment:%Y-%m-%d %H:%M} stop="{stop}" minutes={minutes} parcels={rng.randrange(1, 6)}')
            moment += timedelta(minutes=minutes + rng.randrange(4, 20))
    write(folder / "logs" / "van.log", "\n".join(lines) + "\n")
    return {"longest-stop": says(max(stays)[1], longest)}
