"""What a world has in plain files: notes, settings, logs, scores."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from again import ways
from names import ERRORS, PIECES, ROOMS, TUNERS, WORDS
from world import Cases, Words, money, says, write

DRESS = "# Concert dress\n\n- Black shoes and black trousers or skirt\n- Scarf in the colour of your voice\n"
TOUR = "# Trip to the festival\n\nThe bus leaves from the church square. Seats are not numbered.\n"
CAKE = "# Cake for the interval\n\nWho brings a cake writes it on the list by the door.\n"
PIANO = "# The piano\n\nOur piano tuner is {}, who comes before each concert. Keep the room warm on the day before.\n"
REMARKS = (
    "The basses were too loud in the second verse.", "We start with the breathing exercises.",
    "Please bring a pencil next time.", "The tempo in the middle part was too slow.",
    "The sopranos practise the last page again.", "The altos sang the opening from memory.",
    "The tenors need a second look at the entry.", "We repeat the ending with the piano.",
)  # fmt: skip
LINE = "Remember to bring the {} next time.\n"
ENDINGS = ("ly", "mid", "pdf")


def rehearsal(rng: random.Random, day: date, lines: int) -> str:
    """The notes of a rehearsal."""
    said = "".join(f"- {rng.choice(PIECES)}: {rng.choice(REMARKS)}\n" for _ in range(lines))
    return f"# Rehearsal of {day.isoformat()}\n\n{said}"


def notes(rng: random.Random, folder: Path, people: list[str]) -> tuple[Cases, Words]:
    """The notes: one has the keys, one the word that is asked for, one is the largest."""
    keepers = list(zip(ROOMS, rng.sample(people, len(ROOMS)), strict=True))
    rng.shuffle(keepers)
    tuner = rng.choice(TUNERS)
    keys = "# Keys\n\n" + "".join(f"- {room}: {name}\n" for room, name in keepers)
    papers = {"dress.md": DRESS, "tour.md": TOUR, "cake.md": CAKE, "keys.md": keys, "piano.md": PIANO.format(tuner)}
    days = [date(2025, 1, 14) + timedelta(days=7 * n) for n in range(6)]
    long = rng.choice(days)
    for day in days:
        papers[f"rehearsal-{day.isoformat()}.md"] = rehearsal(rng, day, 34 if day == long else rng.randrange(8, 20))
    word, place = rng.choice(WORDS), rng.choice(list(papers))
    papers[place] += LINE.format(word)
    for name, held in papers.items():
        write(folder / "notes" / name, held)
    largest = f"rehearsal-{long.isoformat()}.md"
    room, keeper = rng.choice(keepers)
    return {
        "key-keeper": says(keeper, none=[name for _, name in keepers if name != keeper]),
        "tuner-email": {"abstains": True},
        "largest-note": says(largest, none=[name for name in papers if name != largest]),
        "word-file": {
            "files": {"out/word-file.txt": {"contains": [place], "lacks": [name for name in papers if name != place]}}
        },
    }, {"room": room, "tuner": tuner, "word": word}


def config(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Settings of the ticket system, and the fees."""
    hold, adult, payers = rng.randrange(21, 60), rng.randrange(61, 99), rng.randrange(23, 48)
    write(
        folder / "config" / "tickets.toml",
        f"[shop]\nmax_tickets_per_order = {rng.randrange(6, 12)}\nclose_hours_before = {rng.randrange(2, 6)}\n\n"
        f"[reservation]\nhold_minutes = {hold}\nreminder = true\n",
    )
    write(
        folder / "config" / "membership.toml",
        f"[yearly_fee_eur]\nadults = {adult}\nstudents = {adult // 2}\n\n[payment]\ndue_month = 3\n",
    )
    return {
        "hold-minutes": {"answer": {"any": ways(hold)}},
        "fee-total": says(adult * payers),
    }, {"payers": str(payers)}


def ticket_log(rng: random.Random, lines: int) -> tuple[list[str], dict[int, str]]:
    """The log of the ticket system, and what went wrong with which order."""
    moment, told, failed = datetime(2025, 4, 1, 8, 0), [], {}
    for order in range(20_401, 20_401 + lines):
        moment += timedelta(seconds=rng.randrange(60, 4_000))
        level = rng.choices(("INFO", "WARN", "ERROR"), (14, 2, 1))[0]
        if level == "ERROR":
            failed[order] = rng.choice(ERRORS)
            what = f"order {order} failed: {failed[order]}"
        elif level == "WARN":
            what = f"order {order} was slow: {rng.randrange(3, 20)} seconds"
        else:
            count = rng.randrange(1, 7)
            what = f"order {order} paid: {count} tickets, {money(count * 1_450)} EUR"
        told.append(f"{moment} {level} {what}")
    return told, failed


def logs(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Three logs of the ticket system; they differ in their number of lines."""
    counts = dict(zip(("tickets.log", "scanner.log", "newsletter.log"), rng.sample(range(205, 390), 3), strict=True))
    told, failed = ticket_log(rng, counts["tickets.log"])
    write(folder / "logs" / "tickets.log", "\n".join(told) + "\n")
    for name, what in (("scanner.log", "ticket scanned at door"), ("newsletter.log", "letter sent from queue")):
        moment, lines = datetime(2025, 4, 1, 9, 0), []
        for _ in range(counts[name]):
            moment += timedelta(seconds=rng.randrange(10, 3_000))
            lines.append(f"{moment} INFO {what} {rng.randrange(1, 5)}")
        write(folder / "logs" / name, "\n".join(lines) + "\n")
    longest = max(counts, key=lambda name: counts[name])
    order = rng.choice(sorted(failed))
    return {
        "order-error": says(failed[order], none=[error for error in ERRORS if error != failed[order]]),
        "longest-log": says(longest, counts[longest]),
    }, {"order": str(order)}


def scores(rng: random.Random, folder: Path) -> tuple[Cases, Words]:
    """Files of scores with three endings."""
    counts = dict(zip(ENDINGS, rng.sample(range(6, 13), len(ENDINGS)), strict=True))
    for ending, count in counts.items():
        for name in rng.sample(PIECES, count):
            write(folder / "scores" / f"{name.lower()}.{ending}", f"{name}\n")
    asked = rng.choice(ENDINGS)
    return {"score-count": {"answer": {"any": ways(counts[asked])}}}, {"ending": asked}
