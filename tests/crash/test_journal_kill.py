"""kill -9 of a writer at random instants: every record that was acknowledged is there, and the log verifies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.stores import open_journal, open_log

WRITER = Path(__file__).with_name("journal_writer.py")


def acknowledged(lines: list[str]) -> dict[str, int]:
    """The last acknowledged seq of each run; a last line that was cut off says nothing."""
    return {run: int(seq) for run, seq in (line.split() for line in lines)}


def write_until_killed(path: Path, name: str, lines: int) -> dict[str, int]:
    """Kill the writer right after it has said so many lines: wherever it is by then."""
    writer = subprocess.Popen([sys.executable, WRITER, path, name], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    said = [writer.stdout.readline() for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read()
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    return acknowledged(said + rest.splitlines())


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    """Fifteen kills on one journal; each new writer opens what the killed one left."""
    path, dice = tmp_path / "journal.db", random.Random(os.environ.get("SEED", "20"))
    told: dict[str, int] = {}
    for kill in range(15):
        told |= write_until_killed(path, f"w{kill:02}-", dice.choice([0, 1, dice.randrange(200)]))
        with open_log(path) as log:
            for run, seq in told.items():
                assert len(log.read(run)) >= seq + 1
            assert log.verify().problem == ""
    assert len(told) > 100


def test_the_killed_writers_run_can_be_written_by_another(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    told = write_until_killed(path, "w", 2)
    run = max(told)
    with open_journal(path) as journal:
        left = journal.log.read(run)
        assert [each.seq for each in left] == list(range(len(left)))
        assert journal.log.runs(limit=1)[0].run >= run


@pytest.mark.parametrize("cut", [1, 100, 536, 700, 2000])
def test_a_torn_tail_is_dropped_and_the_rest_verifies(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.db"
    write_until_killed(path, "w", 30)
    wal = path.with_name("journal.db-wal")
    os.truncate(wal, wal.stat().st_size - cut)
    path.with_name("journal.db-shm").unlink()
    with open_log(path) as log:
        report = log.verify()
        assert report.problem == ""
        assert report.records > 20
