"""Forwarding: at least once, whatever the receiver, the network and kill -9 do; never on from a log that changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.audit import forward as module
from ringfence.audit.events import events
from ringfence.audit.forward import Cursor, Forwarder, Options, target
from ringfence.audit.syslog import message
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import JournalError, ManifestError
from ringfence.stores.sqlite import SqliteJournal

from .conftest import LABEL, append, records_of
from .receivers import authority, collector, syslog

RFC5424 = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) - (?P<msgid>[!-~]{1,32}) "
    rb'(?P<data>(?:\[[!-~]{1,32}(?: [!-~]{1,32}="(?:[^"\\\]]|\\.)*")*\])+) (?P<msg>.*)',
    re.S,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)


def send(log: Any, address: str, state: Path, **more: Any) -> int:
    """Everything that there is now, by a forwarder of its own."""
    start = more.pop("start", None)
    notice = more.pop("notice", lambda _: None)
    patience_s = more.pop("patience_s", 10.0)
    to = target(address, Options(**more))
    with Cursor(state, log, start=start).held() as cursor:
        return Forwarder(log, to, cursor, notice=notice, patience_s=patience_s, poll_s=0.01).run(once=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "cursor.json"


# --- HTTP


def test_a_batch_counts_once_it_was_answered_with_2xx(filled: SqliteJournal, state: Path) -> None:
    answers = iter([500, 0, 429, 200])
    with collector(lambda n, count: next(answers, 200)) as siem:
        assert send(filled.log, siem.url, state) == 34
        assert siem.indices() == list(range(34))
        assert len(siem.requests) == 4
    assert json.loads(state.read_text())["next"] == 34


@pytest.mark.parametrize(("array", "kind"), [(False, "application/x-ndjson"), (True, "application/json")])
def test_a_batch_is_a_line_each_or_an_array(filled: SqliteJournal, state: Path, array: bool, kind: str) -> None:
    with collector() as siem:
        send(filled.log, siem.url, state, array=array, headers={"Authorization": "Splunk t0ken"}, form="ocsf")
        assert siem.requests[0]["Content-Type"] == kind
        assert siem.requests[0]["Authorization"] == "Splunk t0ken"
        assert [record["metadata"]["sequence"] for record in siem.records] == list(range(34))


def test_what_was_sent_is_not_sent_again_and_what_is_new_is(filled: SqliteJournal, state: Path) -> None:
    with collector() as siem:
        send(filled.log, siem.url, state)
        asyncio.run(append(filled, records_of("run-c")))
        send(filled.log, siem.url, state)
        send(filled.log, siem.url, state)
        assert siem.indices() == list(range(51))
        assert siem.records[-1]["trace"]


def test_a_server_that_wants_to_be_left_alone_is(filled: SqliteJournal, state: Path) -> None:
    asked: list[float] = []

    def answer(n: int, count: int) -> Any:
        asked.append(time.monotonic())
        return (503, {"Retry-After": "1"}) if n == 1 else 200

    with collector(answer) as siem:
        send(filled.log, siem.url, state)
    assert asked[1] - asked[0] >= 1.0


def test_a_batch_that_is_too_large_is_halved_and_nothing_is_skipped(filled: SqliteJournal, state: Path) -> None:
    with collector(lambda n, count: 413 if count > 5 else 200) as siem:
        assert send(filled.log, siem.url, state) == 34
        assert siem.indices() == list(range(34))


def test_a_record_that_is_too_large_ends_the_forwarding_in_words(filled: SqliteJournal, state: Path) -> None:
    with collector(lambda n, count: 413) as siem, pytest.raises(JournalError, match=r"record 0: it is too large"):
        send(filled.log, siem.url, state)
    assert not state.exists()


def test_a_refusal_ends_the_forwarding_and_moves_nothing(filled: SqliteJournal, state: Path) -> None:
    with collector(lambda n, count: 403) as siem:
        with pytest.raises(JournalError, match=r"2xx, got 403\n.*--headers"):
            send(filled.log, siem.url, state)
        assert len(siem.requests) == 1
    assert not state.exists()


def test_a_redirect_is_not_followed(filled: SqliteJournal, state: Path) -> None:
    with collector() as elsewhere:
        with (
            collector(lambda n, count: (307, {"Location": elsewhere.url})) as siem,
            pytest.raises(JournalError, match="307"),
        ):
            send(filled.log, siem.url, state)
        assert elsewhere.requests == []


def test_a_target_that_stays_away_is_given_up_after_its_time_and_named(filled: SqliteJournal, state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(JournalError, match=rf"not delivered: 127.0.0.1:{port}: .*refused"):
        send(filled.log, f"http://127.0.0.1:{port}/", state, patience_s=0.2)


async def test_a_batch_is_bounded_in_records_and_in_bytes(journal: SqliteJournal, state: Path) -> None:
    big = [Record("big", n, 1, Kind.STARTED, "user:a", LABEL, {"shown": "x" * 200_000}, {}) for n in range(20)]
    await append(journal, big, [Record("b", n, 1, Kind.MESSAGE, "user:a", LABEL, {}, {}) for n in range(1000)])
    with collector() as siem:
        await asyncio.to_thread(send, type(journal)(journal.path).log, siem.url, state)
        assert siem.indices() == list(range(1020))
        assert max(siem.sizes) < (1 << 20) + 300_000
        assert len(siem.sizes) >= 4 + 1000 // 256


# --- syslog


def test_a_message_is_what_rfc_5424_says(filled: SqliteJournal) -> None:
    for event in events(filled.log):
        data = message(event, lambda each: each.raw, hostname="here", enterprise=4711)
        found = RFC5424.fullmatch(data)
        assert found, data
        facility, severity = divmod(int(found["pri"]), 8)
        assert facility == 13
        kind, verdict, ok = event.head["kind"], event.text("verdict"), event.view.get("ok")
        expected = {"deny": 4, "ask": 5}.get(verdict, 5 if kind == "approval" else 4 if ok is False else 6)
        assert severity == expected
        assert found["msgid"].decode() == kind
        assert f'[ringfence@4711 log="{filled.log.id}" index="{event.index}" leaf="{event.leaf}"'.encode() in data
        assert f'[meta sequenceId="{event.index + 1}"]'.encode() in data
        assert found["msg"].removeprefix(b"\xef\xbb\xbf") == event.raw
        assert found["msg"].startswith(b"\xef\xbb\xbf") == (not event.raw.isascii())


async def test_a_value_cannot_break_out_of_its_structured_data(journal: SqliteJournal) -> None:
    evil = 'x"] <0>1 - - - - - [admin@1 a="\\'
    await append(journal, [Record("a", 0, 1, Kind.STARTED, evil, LABEL, {"sink": "a\nb", "code": "]"}, {})])
    (event,) = events(journal.log)
    data = message(event, lambda _: b"{}", hostname="here")
    found = RFC5424.fullmatch(data)
    assert found
    assert found["data"].count(b"[ringfence@") == 1
    assert re.findall(rb"(?<!\\)\]", found["data"]) == [b"]", b"]"]
    assert b"\n" not in data


def test_records_go_over_tls_whose_certificate_was_checked(filled: SqliteJournal, state: Path, tmp_path: Path) -> None:
    ca = authority(tmp_path / "ca")
    with syslog(tls=ca.server()) as siem:
        assert send(filled.log, f"syslog+tls://localhost:{siem.port}", state, ca=ca.file) == 34
        assert siem.indices() == list(range(34))
        assert all(map(RFC5424.fullmatch, siem.messages))
    assert json.loads(state.read_text())["next"] == 34


@pytest.mark.parametrize("how", ["another authority", "another host"])
def test_a_certificate_that_is_not_to_be_trusted_gets_no_record(
    filled: SqliteJournal, state: Path, tmp_path: Path, how: str
) -> None:
    ca, other = authority(tmp_path / "ca"), authority(tmp_path / "other")
    tls = ca.server(host="elsewhere.example" if how == "another host" else "localhost")
    trusted = other.file if how == "another authority" else ca.file
    with syslog(tls=tls) as siem:
        with pytest.raises(JournalError, match=r"certificate of localhost is not to be trusted: .*\n.*--ca"):
            send(filled.log, f"syslog+tls://localhost:{siem.port}", state, ca=trusted)
        assert siem.messages == []
    assert not state.exists()


def test_a_receiver_may_ask_for_our_certificate(filled: SqliteJournal, state: Path, tmp_path: Path) -> None:
    ca = authority(tmp_path / "ca")
    cert, key = ca.issue("client")
    with syslog(tls=ca.server(clients=True)) as siem:
        address = f"syslog+tls://localhost:{siem.port}"
        with pytest.raises(JournalError):
            send(filled.log, address, state, ca=ca.file, patience_s=0.1)
        assert (siem.messages, state.exists()) == ([], False)
        assert send(filled.log, address, state, ca=ca.file, cert=cert, key=key) == 34
        assert siem.indices() == list(range(34))


@pytest.mark.parametrize("secure", [True, False])
def test_a_connection_that_is_dropped_again_and_again_loses_nothing(
    filled: SqliteJournal, state: Path, tmp_path: Path, secure: bool
) -> None:
    ca = authority(tmp_path / "ca")
    with syslog(tls=ca.server() if secure else None, drop=lambda n: n in (3, 4, 20, 41)) as siem:
        address = f"syslog+{'tls' if secure else 'tcp'}://localhost:{siem.port}"
        for _ in range(5):
            with contextlib.suppress(JournalError):  # the end was not confirmed
                send(filled.log, address, state, ca=ca.file if secure else None)
                break
        assert json.loads(state.read_text())["next"] == 34
        assert set(siem.indices()) == set(range(34))
        assert siem.connections >= 5


def test_a_stream_that_was_not_read_to_its_end_moves_no_cursor(filled: SqliteJournal, state: Path) -> None:
    """The bytes are in the other side's kernel, and its program dies before it reads them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            connection, _ = listening.accept()
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            taken.append(connection)
            while connection.recv(1, socket.MSG_PEEK) != b"" and not done.wait(0.05):
                continue
            connection.close()

        done = threading.Event()
        thread = threading.Thread(target=take)
        thread.start()
        threading.Timer(0.3, done.set).start()
        with pytest.raises(JournalError, match="did not confirm"):
            send(filled.log, f"syslog+tcp://127.0.0.1:{listening.getsockname()[1]}", state)
        thread.join()
    assert not state.exists()
    with syslog() as siem:
        send(filled.log, f"syslog+tcp://127.0.0.1:{siem.port}", state)
        assert siem.indices() == list(range(34))


def test_datagrams_are_sent_one_a_message(filled: SqliteJournal, state: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as siem:
        siem.bind(("127.0.0.1", 0))
        siem.settimeout(60)
        send(filled.log, f"syslog+udp://127.0.0.1:{siem.getsockname()[1]}", state)
        found = [siem.recv(65_535) for _ in range(34)]
    assert all(map(RFC5424.fullmatch, found))


async def test_a_record_that_fits_no_datagram_goes_without_its_text(journal: SqliteJournal, state: Path) -> None:
    await append(journal, [Record("a", 0, 1, Kind.STARTED, "user:a", LABEL, {"shown": "x" * 80_000}, {})])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as siem:
        siem.bind(("127.0.0.1", 0))
        siem.settimeout(60)
        send(journal.log, f"syslog+udp://127.0.0.1:{siem.getsockname()[1]}", state)
        found = RFC5424.fullmatch(siem.recv(65_535))
    assert found
    assert found["msg"] == b""


# --- a file


def test_a_file_is_appended_to_and_followed_through_a_rotation(
    filled: SqliteJournal, state: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    to = target(f"file://{out}", Options())
    with Cursor(state, filled.log).held() as cursor:
        Forwarder(filled.log, to, cursor, poll_s=0.01)._deliver()
        out.rename(tmp_path / "out.1")
        asyncio.run(append(filled, records_of("run-c")))
        Forwarder(filled.log, to, cursor, poll_s=0.01).run(once=True)
    assert len((tmp_path / "out.1").read_text().splitlines()) == 34
    assert [json.loads(line)["index"] for line in out.read_text().splitlines()] == list(range(34, 51))
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_of_the_file_stays_a_line_of_its_own(
    filled: SqliteJournal, state: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text('{"index":0,"le')
    send(filled.log, f"file://{out}", state)
    torn, *whole = out.read_text().splitlines()
    assert torn == '{"index":0,"le'
    assert [json.loads(line)["index"] for line in whole] == list(range(34))


def test_a_full_disk_is_waited_for_and_then_told(filled: SqliteJournal, state: Path) -> None:
    with pytest.raises(JournalError, match="/dev/full: No space left"):
        send(filled.log, "file:///dev/full", state, patience_s=0.1)
    assert not state.exists()


# --- the cursor and the log under it


def copied(journal: SqliteJournal, to: Path) -> Path:
    """A copy of the journal as a backup takes it."""
    import apsw

    to.parent.mkdir(parents=True, exist_ok=True)
    source, made = apsw.Connection(str(journal.path)), apsw.Connection(str(to))
    with made.backup("main", source, "main") as backup:
        backup.step(-1)
    source.close()
    made.close()
    return to


@pytest.mark.parametrize("how", ["cut", "rewritten", "another"])
def test_a_log_that_does_not_go_on_from_where_it_was_is_refused(
    filled: SqliteJournal, state: Path, tmp_path: Path, how: str
) -> None:
    older = copied(filled, tmp_path / "older" / "journal.db")
    asyncio.run(append(filled, records_of("run-c")))
    send(filled.log, f"file://{tmp_path / 'out'}", state)
    known = state.read_text()
    other = tmp_path / "new" / "journal.db"
    with SqliteJournal(other if how == "another" else older) as now:
        if how != "cut":
            asyncio.run(append(now, *[records_of(f"evil{n}") for n in range(3)]))
        words = {"cut": "cut or rolled back", "rewritten": "was rewritten", "another": "another log took its place"}[
            how
        ]
        with pytest.raises(JournalError, match=words):
            send(now.log, f"file://{tmp_path / 'out'}", state)
    assert state.read_text() == known
    assert len((tmp_path / "out").read_text().splitlines()) == 51


def test_one_cursor_has_one_forwarder(filled: SqliteJournal, state: Path) -> None:
    with (
        Cursor(state, filled.log).held(),
        pytest.raises(JournalError, match="another process forwards"),
        Cursor(state, filled.log).held(),
    ):
        pass


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"v":2,"log":"a","next":1,"leaf":""}', '{"v":1,"log":"a","next":-1,"leaf":""}']
)
def test_a_cursor_that_is_none_is_refused_in_words(filled: SqliteJournal, state: Path, text: str) -> None:
    state.write_text(text)
    with pytest.raises(JournalError, match=r"cursor.json cannot be read: .*\n.*--from"):
        Cursor(state, filled.log)


def test_it_begins_where_it_is_told_to(filled: SqliteJournal, state: Path) -> None:
    with collector() as siem:
        send(filled.log, siem.url, state, start=30)
        assert siem.indices() == [30, 31, 32, 33]
        send(filled.log, siem.url, state, start=32)
        assert siem.indices()[4:] == [32, 33]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a/b",
        "http://",
        "https://user:pass@host/",
        "file://relative",
        "syslog+tls://host:99999",
        "nothing",
        "http://a/#b",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(ManifestError, match=r"expected syslog\+tls"):
        target(address, Options())


def test_certificates_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for options in (
        Options(ca=tmp_path / "ca.pem"),
        Options(ca=tmp_path / "absent"),
        Options(cert=tmp_path / "absent"),
    ):
        with pytest.raises(ManifestError, match="certificates cannot be used"):
            target("https://localhost/", options)


# --- as a process


def command(manifest: Path, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "ringfence.cli", "audit", "forward", *arguments, "--manifest", str(manifest)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(manifest: Path, *arguments: str) -> None:
    last = command(manifest, *arguments, "--once")
    out, err = last.communicate(timeout=60)
    assert last.returncode == 0, out + err


def await_cursor(manifest: Path, place: int, timeout_s: float = 60.0) -> None:
    """Until a forwarder has made it durable how far it got."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for state in (manifest.parent / ".ringfence" / "forward").glob("*.json"):
            if json.loads(state.read_text())["next"] == place:
                return
        os.sched_yield()
    raise AssertionError(f"the cursor never came to {place}")


async def keep_writing(journal: SqliteJournal, stop: threading.Event) -> int:
    runs = 0
    while not stop.is_set():
        await append(journal, records_of(f"busy{runs}"))
        runs += 1
        await asyncio.sleep(0.01)
    return runs * 17


def kill_again_and_again(journal: SqliteJournal, start: Callable[[], subprocess.Popen[str]], seed: int) -> int:
    """kill -9 at random instants while records are written; returns how many there are."""
    chance, stop, counted = random.Random(seed), threading.Event(), []
    writer = threading.Thread(target=lambda: counted.append(asyncio.run(keep_writing(journal, stop))))
    writer.start()
    try:
        for _ in range(6):
            process = start()
            assert process.stderr
            process.stderr.readline()  # it has begun
            time.sleep(chance.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
    finally:
        stop.set()
        writer.join()
    return 34 + counted[0]


def test_kill_9_at_any_point_loses_nothing_over_http(filled: SqliteJournal, manifest: Path) -> None:
    chance = random.Random(4)
    with collector(lambda n, count: chance.choice([200, 200, 200, 200, 500, 0])) as siem:
        total = kill_again_and_again(filled, lambda: command(manifest, siem.url), 1)
        finish(manifest, siem.url)
        assert set(siem.indices()) == set(range(total))


def test_kill_9_at_any_point_loses_nothing_over_tls(filled: SqliteJournal, manifest: Path, tmp_path: Path) -> None:
    ca = authority(tmp_path / "ca")
    with syslog(tls=ca.server(), drop=lambda n: n % 301 == 0) as siem:
        words = (f"syslog+tls://localhost:{siem.port}", "--ca", str(ca.file))
        total = kill_again_and_again(filled, lambda: command(manifest, *words), 2)
        for _ in range(20):
            last = command(manifest, *words, "--once")
            if last.communicate(timeout=60) and last.returncode == 0:
                break
        assert last.returncode == 0
        assert set(siem.indices()) == set(range(total))


def test_a_target_that_is_down_at_first_gets_everything_later(filled: SqliteJournal, manifest: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = command(manifest, f"http://127.0.0.1:{port}/in")
    assert process.stderr
    lines = [process.stderr.readline(), process.stderr.readline()]
    assert "will be tried again" in lines[1]
    with collector(port=port) as siem:
        siem.wait(lambda: len(siem.records) >= 34)
        await_cursor(manifest, 34)
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143, err
        assert "Traceback" not in err


def test_sigterm_is_obeyed_while_a_slow_receiver_holds_everything_up(filled: SqliteJournal, manifest: Path) -> None:
    with syslog() as siem:
        siem.paused.clear()
        big = [Record("big", n, 1, Kind.MESSAGE, "user:a", LABEL, {"shown": "x" * 100_000}, {}) for n in range(200)]
        asyncio.run(append(filled, big))
        process = command(manifest, f"syslog+tcp://127.0.0.1:{siem.port}")
        with siem.arrived:
            while not siem.connections:
                siem.arrived.wait(0.01)
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 143
        siem.paused.set()
        finish(manifest, f"syslog+tcp://127.0.0.1:{siem.port}")
        assert set(siem.indices()) == set(range(234))


def test_a_rollback_by_a_file_of_the_same_name_ends_the_forwarding(
    filled: SqliteJournal, manifest: Path, tmp_path: Path
) -> None:
    older = copied(filled, tmp_path / "older" / "journal.db")
    asyncio.run(append(filled, records_of("run-c")))
    filled.close()
    with collector() as siem:
        process = command(manifest, siem.url)
        siem.wait(lambda: len(siem.records) >= 51)
        await_cursor(manifest, 51)
        for beside in filled.path.parent.glob("journal.db-*"):
            beside.unlink()
        shutil.move(older, filled.path)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "expected at least 51 records in the log, got 34" in err
