"""The log: lines of JSON that say where they belong, and nothing of what was said or read."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError
from ringfence.core.labels import IDENTITY
from ringfence.telemetry import logs
from ringfence.tracing import Trace, following, span_id

TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736")
OURS, LIBRARY = logging.getLogger("ringfence"), logging.getLogger("somelibrary.client")


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    yield
    logs.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def record(kind: Kind = Kind.INTENT, seq: int = 4, **view: Any) -> Record:
    return Record("run1", seq, 0, kind, "user:alice", IDENTITY, view, {"args": {"text": "CANARY"}})


def test_a_record_is_one_line_with_codes_and_counts_and_where_it_belongs(file: Path) -> None:
    logs.configure("info", file=file)
    with following("run1", "user:alice", TRACE):
        logs.observe(record(sink="tool:x", rule="POL-8"))
        logs.observe(record(Kind.OUTCOME, 5, of=4, ok=True, ms=7, signals=["override"]))
    intent, outcome = lines(file)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", intent.pop("time"))
    place = {"run": "run1", "principal": "user:alice", "trace_id": TRACE.trace_id, "span_id": span_id("run1", 4)}
    assert intent == {"level": "info", "event": "intent", "seq": 4, "sink": "tool:x", "rule": "POL-8", **place}
    assert {key: outcome[key] for key in ("of", "ok", "ms", "signals", *place)} == {
        "of": 4, "ok": True, "ms": 7, "signals": ["override"], **place,
    }  # fmt: skip


def test_nothing_that_was_said_or_read_is_in_a_line(file: Path) -> None:
    logs.configure("debug", file=file)
    egress = {"state": "open", "host": "api.example", "port": 443, "method": "GET", "path": "/CANARY", "why": "CANARY"}
    logs.observe(record(Kind.CHECKPOINT, egress=egress, shown={"args": "CANARY"}, whatever_comes_later="CANARY"))
    (line,) = lines(file)
    assert line["egress"] == {"state": "open", "host": "api.example", "port": 443, "method": "GET"}
    assert "CANARY" not in file.read_text()


def test_every_text_of_a_line_is_redacted_tracebacks_too_and_ids_are_not(file: Path) -> None:
    logs.configure("info", file=file, redact=lambda text: re.sub(r"s3cret|4bf9", "***", text))
    with following("run1", "user:alice", TRACE):
        try:
            raise ValueError("the s3cret of it")
        except ValueError:
            OURS.exception("it is %s", "s3cret")
        logs.observe(record(sink="tool:s3cret", signals=["s3cret"], usage={"s": "s3cret"}))
        LIBRARY.warning("s3cret")
    assert "s3cret" not in file.read_text()
    failed, seen, _ = lines(file)
    assert failed["event"] == "it is ***"
    assert "ValueError: the *** of it" in failed["exception"]
    assert (seen["sink"], seen["signals"], seen["usage"]) == ("tool:***", ["***"], {"s": "***"})
    assert {line["trace_id"] for line in lines(file)} == {TRACE.trace_id}


def test_a_librarys_line_says_whose_it_is_and_belongs_to_the_run_at_work(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("debug", file=file)
    monkeypatch.setattr(LIBRARY, "level", logging.DEBUG)  # whoever else wants to hear all of it
    LIBRARY.info("Sending client message: CANARY")  # what they say below a warning may be what a model is told
    with following("run1", "user:alice", TRACE):
        LIBRARY.warning("it \x1b[2J broke\noff\u202e")
    (line,) = lines(file)
    assert (line["logger"], line["event"], line["run"]) == ("somelibrary.client", "it \x1b[2J broke\noff\u202e", "run1")
    assert line["span_id"] == span_id("run1", 0)
    assert file.read_text().isascii()
    assert file.read_text().count("\n") == 1
    assert "\x1b" not in file.read_text()


def test_a_terminal_stays_quiet_until_a_log_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.observe(record(sink="tool:x"))
    LIBRARY.warning("retrying")
    assert capfd.readouterr() == ("", "")
    OURS.warning("look at this")
    out, err = capfd.readouterr()
    assert (out, json.loads(err)["event"]) == ("", "look at this")
    logs.configure("info")
    logs.observe(record(sink="tool:x"))
    out, err = capfd.readouterr()
    assert (out, json.loads(err)["sink"]) == ("", "tool:x")


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_filters_our_lines(file: Path, level: logs.Level, count: int) -> None:
    logs.configure(level, file=file)
    logs.observe(record(sink="tool:x"))
    OURS.warning("w")
    OURS.error("e")
    assert len(lines(file)) == count


def test_the_file_is_for_its_owner_alone_and_made_anew_when_it_was_moved_away(file: Path) -> None:
    before = os.umask(0)
    try:
        logs.configure("info", file=file)
        OURS.warning("one")
        file.rename(file.with_suffix(".1"))
        OURS.warning("two")
    finally:
        os.umask(before)
    assert [line["event"] for line in lines(file)] == ["two"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


def test_a_log_that_cannot_be_opened_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be written: No such file") as refused:
        logs.configure("info", file=tmp_path / "absent" / "log")
    assert "RINGFENCE_LOG" in refused.value.todo


def test_a_full_disk_is_said_once_and_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", file=Path("/dev/full"))
    for seq in range(3):
        logs.observe(record(seq=seq, sink="tool:x"))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "cannot be written" in err
    assert "No space left" in err


def test_the_logging_of_a_program_that_embeds_an_agent_is_left_as_it_is() -> None:
    code = (
        "import sys, logging, ringfence.app; from ringfence.telemetry import logs;"
        "assert 'structlog' not in sys.modules;"
        "assert not logging.getLogger().handlers and not logging.getLogger('ringfence').handlers;"
        "logging.basicConfig(level='INFO', stream=sys.stdout);"
        "from ringfence.core.chain import *; from ringfence.core.labels import IDENTITY;"
        "logs.observe(Record('run1', 0, 0, Kind.MESSAGE, 'user:a', IDENTITY, {'chars': 3}, {}));"
        "import structlog; assert not structlog.is_configured()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INFO:ringfence.record:")
    assert "'chars': 3" in done.stdout
