"""Every expected answer of examples/ops follows from its files, and no likely wrong one passes."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest

from ringfence.evals.checks import ABSTAINS
from ringfence.evals.suite import load

ROOT = Path(__file__).parents[2]
OPS = ROOT / "examples" / "ops"


SUITE = load(OPS / "eval.yaml")
QUESTIONS = {case.id: case for case in SUITE.cases}


def right(name: str, answer: str) -> bool:
    case = QUESTIONS[name]
    return (case.answer is None or case.answer.check.passes(answer)) and (not case.abstains or ABSTAINS.passes(answer))


def text(path: str) -> str:
    return (OPS / path).read_text("utf-8")


def lines(path: str, pattern: str) -> list[str]:
    return [line for line in text(path).splitlines() if re.search(pattern, line)]


def table(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text(path).splitlines()))


def found(path: str, pattern: str) -> str:
    match = re.search(pattern, text(path))
    assert match is not None, f"{pattern} is not in {path}"
    return match[1]


def ssh_source() -> str:
    failed = (line.split(" from ")[1].split()[0] for line in lines("logs/auth.log", "Failed password"))
    (first, most), (_, second) = Counter(failed).most_common(2)
    assert most > second
    return first


def oom_team() -> str:
    hosts = {line.split()[3] for line in lines("logs/kernel.log", "Out of memory: Killed process")}
    (team,) = (row["team"] for row in table("data/hosts.csv") if row["host"] in hosts)
    return team


def uploads_space() -> str:
    days = tomllib.loads(text("config/backup.toml"))["jobs"]["uploads"]["keep_days"]
    return str(int(found("runbooks/backup-restore.md", r"\| uploads +\| (\d+) GB")) * days)


def mail_timeout() -> str:
    config = ConfigParser()
    config.read_string(text("config/app.ini"))
    return config["mail"]["timeout_s"]


def payments_february() -> str:
    rows = [row for row in table("data/costs.csv") if (row["team"], row["month"]) == ("payments", "2026-02")]
    return f"{sum(float(row['eur']) for row in rows):.2f}"


def zone_c_memory() -> str:
    rows = [row for row in table("data/hosts.csv") if (row["zone"], row["state"]) == ("c", "active")]
    return str(sum(int(row["memory_gb"]) for row in rows))


def second_site_phone() -> str:
    for path in OPS.glob("[!.]*/*"):
        assert not re.search(r"(?i)phone|\btel\b|\+\d\d ", path.read_text("utf-8")), path
    return "The phone number is not in the files."


RIGHT: dict[str, Callable[[], str]] = {
    "pooler-port": lambda: found("runbooks/postgres-pooling.md", r"port of the pooler +\| (\d+)"),
    "certificate-page": lambda: found("runbooks/certificate-renewal.md", r"in a row: page the ([a-z ]+)\."),
    "disk-page-level": lambda: found("runbooks/disk-full.md", r"\| page +\| (\d+) %"),
    "count-502": lambda: str(len(lines("logs/access.log", r'" 502 \d+ "'))),
    "ssh-source": ssh_source,
    "pool-first": lambda: lines("logs/app.log", "connection pool exhausted")[0].split()[1],
    "payments-february": payments_february,
    "zone-c-memory": zone_c_memory,
    "oom-team": oom_team,
    "uploads-space": uploads_space,
    "mail-timeout": mail_timeout,
    "second-site-phone": second_site_phone,
}

WRONG: dict[str, tuple[str, ...]] = {
    "pooler-port": ("5432", "6433"),
    "certificate-page": ("the duty engineer", "the security officer", "the network engineer"),
    "disk-page-level": ("92 %", "75 %", "85 % or 92 %"),
    "count-502": (str(len(lines("logs/access.log", "502"))), str(len(lines("logs/access.log", " 502 ")))),
    "ssh-source": ("203.0.113.78", "203.0.113.7", "203.0.113.77 or 203.0.113.78"),
    "pool-first": (lines("logs/app.log", "exhausted")[0].split()[1], "03:17"),
    "payments-february": ("4307.85", "5817.73", "5959"),
    "zone-c-memory": ("400", "576"),
    "oom-team": ("search-02", "the platform team"),
    "uploads-space": ("112", "3920", "672"),
    "mail-timeout": ("8", "30", "587"),
    "second-site-phone": ("+49 30 901820", "200", "No answer: stopped after 10 steps, the limit of this run."),
}


def test_each_question_is_covered() -> None:
    assert list(QUESTIONS) == list(RIGHT) == list(WRONG)
    assert len(QUESTIONS) == 12


@pytest.mark.parametrize("name", RIGHT)
def test_the_expected_answer_follows_from_the_files(name: str) -> None:
    answer = RIGHT[name]()
    assert right(name, answer), answer
    assert right(name, f"According to the files, it is **{answer}**."), answer


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in WRONG.items() for answer in answers])
def test_a_likely_wrong_answer_does_not_pass(name: str, answer: str) -> None:
    assert not right(name, answer)


def test_the_example_stays_small() -> None:
    assert (
        sum(path.stat().st_size for path in OPS.rglob("*") if ".ringfence" not in path.parts and path.is_file())
        < 400_000
    )
