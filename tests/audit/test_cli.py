"""`ringfence audit export`, `tail`, `forward`, `stats`, as commands."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli import main
from ringfence.core.chain import Kind, Record
from ringfence.stores.sqlite import SqliteJournal

from .conftest import LABEL, TRACE, append, records_of
from .receivers import collector


@pytest.fixture
def audit(manifest: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `ringfence audit ...`; returns its exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["audit", *words, "--manifest", str(manifest)])
        caught = capsys.readouterr()
        assert "Traceback" not in caught.out + caught.err
        return int(left.value.code or 0), caught.out, caught.err

    return call


def process(manifest: Path, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "ringfence.cli", "audit", *words, "--manifest", str(manifest)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_run_is_exported_by_the_beginning_of_its_id(filled: SqliteJournal, audit: Any) -> None:
    code, out, _ = audit("export", "--run", "run-b")
    assert code == 0
    assert [json.loads(line)["header"]["run"] for line in out.splitlines()] == ["run-b"] * 17


def test_an_export_of_a_time_is_given_as_iso_8601_or_milliseconds(filled: SqliteJournal, audit: Any) -> None:
    by_iso = audit("export", "--since", "2026-01-31T12:01:00Z", "--until", "2026-01-31T12:01:00.003+00:00")[1]
    assert [json.loads(line)["index"] for line in by_iso.splitlines()] == [17, 18, 19]
    assert audit("export", "--since", "1769860860000", "--until", "1769860860003")[1] == by_iso
    code, _, err = audit("export", "--since", "yesterday")
    assert (code, "got 'yesterday'" in err) == (2, True)


def test_an_exported_file_is_for_its_owner_and_appears_whole(filled: SqliteJournal, audit: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert audit("export", "--format", "csv", "--out", str(out))[0] == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes().count(b"\r\n") == 35
    assert not out.with_name("out.csv.part").exists()


def test_an_export_that_was_cut_off_is_not_written_over_and_a_failed_one_leaves_the_old_file(
    filled: SqliteJournal, audit: Any, tmp_path: Path
) -> None:
    out, half = tmp_path / "out", tmp_path / "out.part"
    half.write_text("half")
    code, _, err = audit("export", "--out", str(out))
    assert (code, half.read_text()) == (2, "half")
    assert "was cut off" in err
    half.unlink()
    out.write_text("the old one")
    import apsw

    db = apsw.Connection(str(filled.path))
    db.execute("UPDATE chunks SET heads = x'00'")
    db.close()
    assert audit("export", "--out", str(out))[0] == 6
    assert out.read_text() == "the old one"
    assert not half.exists()


def test_without_a_journal_each_command_says_so(audit: Any) -> None:
    for words in (["export"], ["tail"], ["stats"], ["forward", "http://localhost:1/"]):
        code, _, err = audit(*words)
        assert (code, "no journal at" in err) == (6, True), words


def test_statistics_are_for_people_and_for_programs(filled: SqliteJournal, audit: Any) -> None:
    code, out, _ = audit("stats")
    assert code == 0
    assert "records          34" in out
    assert "POL-3 grant" in out
    assert json.loads(audit("stats", "--json")[1])["runs"] == 2


async def test_what_a_record_holds_cannot_drive_the_terminal(journal: SqliteJournal, audit: Any) -> None:
    evil = "\x1b]0;owned\x07\u202e\nnew line"
    view = {"sink": evil, "code": evil, "rule": evil, "verdict": evil, "status": evil, "shown": evil, "effects": [evil]}
    every = [Record(evil, n, 1, kind, evil, LABEL, view, {}) for n, kind in enumerate(Kind)]
    await append(journal, every)
    for words in (["tail"], ["stats"]):
        _, out, _ = audit(*words)
        assert not set(out) & set("\x1b\x07\u202e\r")
        assert "owned" in out
    assert len(audit("tail")[1].splitlines()) == len(every)


def test_the_tail_is_the_newest_records_one_a_line(filled: SqliteJournal, audit: Any) -> None:
    out = audit("tail", "-n", "3")[1].splitlines()
    assert [line.split()[0] for line in out] == ["31", "32", "33"]
    assert "user:bob" in out[0]
    (last,) = audit("tail", "-n", "1", "--json")[1].splitlines()
    assert (json.loads(last)["index"], json.loads(last)["trace"]) == (33, "")
    assert "tool:shell.run deny POL-3 grant" in audit("tail")[1]


def test_a_tail_follows_what_another_process_writes_and_ends_by_ctrl_c(filled: SqliteJournal, manifest: Path) -> None:
    follower = process(manifest, "tail", "--follow", "--json", "-n", "1")
    assert follower.stdout
    assert json.loads(follower.stdout.readline())["index"] == 33
    asyncio.run(append(filled, records_of("run-c")))
    found = [json.loads(follower.stdout.readline()) for _ in range(17)]
    assert [line["index"] for line in found] == list(range(34, 51))
    assert {line["trace"] for line in found} == {TRACE}
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=60)
    assert (follower.returncode, "Traceback" in err) == (130, False)


def test_a_reader_that_has_had_enough_is_no_error(filled: SqliteJournal, manifest: Path) -> None:
    asyncio.run(append(filled, *[records_of(f"more{n}") for n in range(60)]))
    export = process(manifest, "export")
    assert export.stdout
    export.stdout.readline()
    export.stdout.close()
    assert export.stderr
    assert (export.wait(timeout=60), export.stderr.read()) == (0, "")
    export.stderr.close()


def test_a_token_for_the_siem_comes_from_a_file(filled: SqliteJournal, audit: Any, tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Splunk t0ken\n\n")
    with collector() as siem:
        code, _, err = audit("forward", siem.url, "--once", "--headers", str(headers), "--format", "ocsf")
        assert code == 0, err
        assert siem.requests[0]["Authorization"] == "Splunk t0ken"
        assert len(siem.records) == 34
    assert "t0ken" not in err
    headers.write_text("nonsense\n")
    assert audit("forward", siem.url, "--once", "--headers", str(headers))[0] == 2


def test_that_udp_loses_records_is_said(filled: SqliteJournal, audit: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as siem:
        siem.bind(("127.0.0.1", 0))
        code, _, err = audit("forward", f"syslog+udp://127.0.0.1:{siem.getsockname()[1]}", "--once")
        assert (code, "loses records" in err) == (0, True)
