"""The recorder: a log that its writers can only append to, each to runs of their own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import JournalError
from ringfence.stores import recorder as module
from ringfence.stores import wire
from ringfence.stores.remote import SocketJournal, SocketLog
from ringfence.stores.sqlite import SqliteJournal
from ringfence.stores.vault import Sealed, Vault

from .as_user import record
from .recording import recording

RECORDER, ALICE, BOB, GROUP = 12001, 12002, 12003, 12010
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become several users")
AS_USER = Path(__file__).parent / "as_user.py"


class Program:
    """`as_user.py` as a process: one question a line, one answer a line."""

    def __init__(self, uid: int, role: str, sock: Path, journal: Path, *limit: str) -> None:
        words = [sys.executable, "-m", "tests.stores.as_user", str(uid), str(GROUP), role, str(sock), str(journal)]
        words += limit
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=Path(__file__).parents[2]
        )
        if role == "recorder":
            assert self.process.stderr
            first = self.process.stderr.readline()
            assert first.startswith("recording"), first + self.process.stderr.read()

    def ask(self, *words: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def place() -> Iterator[tuple[Path, Path]]:
    """A socket and a journal in a folder of the recorder's user, that others may pass through."""
    base = Path(tempfile.mkdtemp(prefix="ringfence-recorder-", dir="/tmp"))
    base.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(base, RECORDER, RECORDER)
    yield base / "r.sock", base / "log" / "journal.db"
    shutil.rmtree(base)


@pytest.fixture
def start(place: tuple[Path, Path]) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []

    def run(uid: int, role: str, *limit: str) -> Program:
        made.append(Program(uid, role, *place, *limit))
        return made[-1]

    yield run
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


Start = Callable[..., Program]


@as_root
def test_an_agent_under_another_user_appends_and_reads_and_can_do_nothing_else_to_the_log(
    place: tuple[Path, Path], start: Start
) -> None:
    sock, journal = place
    start(RECORDER, "recorder")
    agent = start(ALICE, "agent")
    assert agent.ask("append", "run1", 0, 5) == "ok"
    assert agent.ask("read", "run1") == [[n, "task of run1"] for n in range(5)]
    assert agent.ask("verify") == ""
    assert journal.stat().st_uid == RECORDER
    for verb, *words in (
        ("open",), ("write",), ("unlink", str(journal)), ("rename", str(journal)), ("unlink", str(sock)),
        ("rename", str(journal.parent)), ("unlink", str(journal) + ".owners"),
    ):  # fmt: skip
        assert "denied" in agent.ask(verb, *words)["error"], verb
    assert agent.ask("append", "run1", 5, 6) == "ok"


@as_root
def test_a_run_goes_on_as_the_user_who_began_it_even_after_the_recorder_was_started_again(
    place: tuple[Path, Path], start: Start
) -> None:
    serving = start(RECORDER, "recorder")
    assert start(ALICE, "agent").ask("append", "run1", 0, 2) == "ok"
    bob = start(BOB, "agent")
    assert f"run run1 is not one of uid {BOB}" in bob.ask("append", "run1", 2, 3)["error"]
    assert serving.end() == 143
    start(RECORDER, "recorder")
    bob = start(BOB, "agent")
    assert f"run run1 is not one of uid {BOB}" in bob.ask("append", "run1", 2, 3)["error"]
    alice = start(ALICE, "agent")
    assert alice.ask("append", "run1", 2, 3) == "ok"
    assert len(alice.ask("read", "run1")) == 3


@as_root
def test_the_contents_of_a_run_are_read_by_its_owner_and_headers_by_everybody(
    place: tuple[Path, Path], start: Start
) -> None:
    start(RECORDER, "recorder")
    alice, bob = start(ALICE, "agent"), start(BOB, "agent")
    assert alice.ask("append", "secret", 0, 3) == "ok"
    assert bob.ask("append", "own", 0, 2) == "ok"
    assert bob.ask("read", "secret") == []
    assert (bob.ask("runs"), alice.ask("runs")) == (["own"], ["secret"])
    assert bob.ask("headers") == 5


@as_root
def test_whoever_is_not_in_the_group_cannot_even_connect(place: tuple[Path, Path], start: Start) -> None:
    start(RECORDER, "recorder")
    sock, _ = place
    code = (
        "import socket,os,sys; os.setgroups([]); os.setresgid(12004,12004,12004); os.setresuid(12004,12004,12004)\n"
        "s=socket.socket(socket.AF_UNIX)\n"
        "try: s.connect(sys.argv[1])\nexcept PermissionError: print('denied')"
    )
    found = subprocess.run([sys.executable, "-c", code, str(sock)], capture_output=True, text=True, check=True)
    assert found.stdout == "denied\n"


@as_root
def test_kill_9_of_the_recorder_is_an_error_for_its_agents_and_loses_nothing_that_was_flushed(
    place: tuple[Path, Path], start: Start
) -> None:
    serving, agent = start(RECORDER, "recorder"), start(ALICE, "agent")
    assert agent.ask("append", "run1", 0, 50) == "ok"
    serving.end(signal.SIGKILL)
    assert "cannot be reached" in agent.ask("append", "run1", 50, 51)["error"]
    assert "cannot be reached" in agent.ask("append", "run1", 51, 52)["error"]
    start(RECORDER, "recorder")
    again = start(ALICE, "agent")
    assert len(again.ask("read", "run1")) == 50
    assert again.ask("append", "run1", 50, 51) == "ok"
    assert again.ask("verify") == ""


@as_root
def test_kill_9_of_an_agent_leaves_the_recorder_at_work_for_others(place: tuple[Path, Path], start: Start) -> None:
    start(RECORDER, "recorder")
    dying, other = start(ALICE, "agent"), start(BOB, "agent")
    assert dying.ask("append", "run1", 0, 3) == "ok"
    assert dying.process.stdin
    dying.process.stdin.write(json.dumps(["append", "run1", 3, 100_000]) + "\n")
    dying.process.stdin.flush()
    assert other.ask("append", "run2", 0, 10) == "ok"
    dying.end(signal.SIGKILL)
    assert other.ask("append", "run2", 10, 20) == "ok"
    whole = start(ALICE, "agent")
    count = len(whole.ask("read", "run1"))
    assert whole.ask("append", "run1", count, count + 1) == "ok"
    assert whole.ask("verify") == ""


@as_root
def test_a_disk_that_takes_no_more_ends_the_recorder_and_what_was_flushed_is_whole(
    place: tuple[Path, Path], start: Start
) -> None:
    serving, agent = start(RECORDER, "recorder", "200000"), start(ALICE, "agent")
    assert agent.ask("append", "run1", 0, 20) == "ok"
    failed = agent.ask("append", "run1", 20, 100_000)
    assert "journal.db" in failed["error"]
    assert serving.process.wait(timeout=60) == 6
    start(RECORDER, "recorder")
    again = start(ALICE, "agent")
    count = len(again.ask("read", "run1"))
    assert count >= 20
    assert again.ask("append", "run1", count, count + 1) == "ok"
    assert again.ask("verify") == ""


def test_who_began_a_run_first_stays_its_owner_whatever_became_of_its_first_record(tmp_path: Path) -> None:
    owners = module.Owners(tmp_path / "owners")
    owners.bind(["a"], ALICE)
    owners.bind(["a", "b"], BOB)
    assert (owners.of("a"), owners.of("b"), owners.of("c")) == (ALICE, BOB, None)
    owners.close()


# --- what a hostile client sends


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    with recording(tmp_path / "r.sock", tmp_path / "j" / "journal.db"):
        yield tmp_path / "r.sock"


def raw(path: Path, *data: bytes) -> bytes:
    """Everything that is answered to these bytes until the connection ends."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path))
        for piece in data:
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := client.recv(65_536):
                answer += piece
        except ConnectionResetError:  # it left before it had read all of it
            pass
        return answer


def line(run: str, seq: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(wire.encoded(record(run, seq)))
    return found


GOOD = line("a", 0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"delete": "a"}, "expected append, flush or ask"),
        ({"append": [GOOD], "index": 0}, "expected append, flush or ask"),
        ({"append": [GOOD | {"index": 3}]}, "expected a record"),
        ({"append": [GOOD | {"log": "x"}]}, "expected a record"),
        ({"append": [GOOD | {"seq": True}]}, "expected a record"),
        ({"append": [GOOD | {"seq": -1}]}, "expected a record"),
        ({"append": [GOOD | {"kind": "deleted"}]}, "not a valid Kind"),
        ({"append": [GOOD | {"label": {"trust": "god", "readers": []}}]}, "no label"),
        ({"append": [GOOD | {"run": "a b"}]}, "expected a record"),
        ({"append": [GOOD | {"run": "x" * 129}]}, "expected a record"),
        ({"append": [GOOD | {"body": 1}]}, "expected a record"),
        ({"append": [7]}, "expected a record"),
        ({"append": [GOOD | {"time": 10**18}]}, "a time of this age"),
        ({"append": [GOOD | {"time": -(10**15)}]}, "a time of this age"),
        ({"append": [GOOD | {"view": {"subjects": 5}}]}, "names of subjects"),
        ({"append": [GOOD | {"view": {"subjects": [["x"]]}}]}, "names of subjects"),
        ({"append": [line("a", 1)]}, "run a is not one of uid"),
        ({"append": [GOOD, line("a", 2)]}, "record 2 was appended, and the next one is 1"),
        ({"append": [GOOD, GOOD]}, "record 0 was appended, and the next one is 1"),
        ({"append": [GOOD | {"principal": "\ud800"}]}, "cannot be written"),
        ({"append": [GOOD | {"body": {"n": 2**60}}]}, "cannot be written"),
        ({"state": ["a", 0, "e"]}, "expected base64"),
        ({"flush": 1}, "expected append, flush or ask"),
        ({"ask": "erase", "with": []}, "expected one of size"),
        ({"ask": "headers", "with": ["x", "y"]}, "cannot be asked so"),
        ({"ask": "read", "with": []}, "cannot be asked so"),
        ({"hello": 3}, "expected version 2"),
        ([], "expected a JSON object"),
    ],
)
def test_what_is_no_append_of_the_next_record_ends_the_connection_and_harms_nobody(
    served: Path, asked: Any, words: str
) -> None:
    answer = raw(served, wire.frame(json.dumps(asked).encode()))
    assert words in json.loads(answer[4:])["error"]
    with SocketJournal(served) as other:
        other.append(record("b", 0))
        asyncio.run(other.flush())
        assert other.log.verify().problem == ""
        assert len(other.log.read("b")) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff" + b"x" * 1000,  # a length that no frame may have
        b"\0\0\0\x10{",  # less than was said
        b"\0\0",
        b"\0\0\0\x01{",
        b"\0\0\0\0",
        wire.LENGTH.pack(200_000) + b"[" * 200_000,
    ],
)
def test_a_client_that_lies_about_lengths_or_dies_in_a_frame_costs_itself(served: Path, data: bytes) -> None:
    with SocketJournal(served) as other:
        raw(served, data)
        other.append(record("b", 0))
        asyncio.run(other.flush())


def test_a_client_that_stalls_within_a_frame_is_left(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_S", 0.05)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(served))
        client.sendall(b"\0\0\0\x10{")
        answer = client.recv(65_536)
    assert b"the rest of a frame" in answer


def test_a_user_has_so_many_connections_and_no_more(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS", 3)
    journals = [SocketJournal(served) for _ in range(3)]
    with pytest.raises(JournalError, match="has 3 connections already"):
        SocketJournal(served)
    journals.pop().close()
    for each in journals:
        each.close()


async def test_a_client_that_never_waits_fills_no_memory_and_keeps_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUEUED_BYTES", 50_000)
    monkeypatch.setattr(module, "_KNOWN", 16)
    with recording(tmp_path / "r.sock", tmp_path / "journal.db") as (serving,):
        many = [json.dumps({"append": [line(f"r{n}", 0)]}).encode() for n in range(2000)]
        again = json.dumps({"append": [line("r0", 0)]}).encode()
        await asyncio.to_thread(raw, tmp_path / "r.sock", *map(wire.frame, many))
        answer = await asyncio.to_thread(raw, tmp_path / "r.sock", wire.frame(again))
        assert "record 0 was appended, and the next one is 1" in json.loads(answer[4:])["error"]
        assert len(serving._next) < 500
        assert not serving.failed.done()
        flushed = await asyncio.to_thread(raw, tmp_path / "r.sock", wire.frame(b'{"flush":1,"anchored":false}'))
        assert json.loads(flushed[4:])["flushed"] == 1
        with SocketLog(tmp_path / "r.sock") as log:
            assert log.size() == 2000


# --- the ends of it


def test_an_answer_of_several_frames_is_put_together(served: Path) -> None:
    with SocketJournal(served) as journal:
        for seq in range(40):
            journal.append(record("big", seq, "x" * 100_000))
        asyncio.run(journal.flush())
        assert [len(each.body["task"]) for each in journal.log.read("big")] == [100_000] * 40


async def test_a_snapshot_is_kept_with_its_record_and_one_whose_record_does_not_come_is_left_out(served: Path) -> None:
    with SocketJournal(served) as journal:
        journal.append(record("a", 0))
        journal.keep_state("a", 0, b"state")
        await journal.flush()
        assert journal.log.state("a") == (0, b"state")
        journal.append(record("a", 1))
        journal.keep_state("a", 2, b"too early")
        await journal.flush()
        journal.append(record("a", 2))
        await journal.flush()
        assert journal.log.state("a") == (0, b"state")


async def test_a_snapshot_that_takes_long_to_arrive_goes_with_its_record(served: Path) -> None:
    """Its record would be committed long before all of it is here, if that came first."""
    state = os.urandom(9 << 20)
    with SocketJournal(served) as journal:
        for seq in range(3):
            journal.append(record("a", seq))
            journal.keep_state("a", seq, state + b"%d" % seq)
            await journal.flush()
            assert journal.log.state("a") == (seq, state + b"%d" % seq)


async def test_a_snapshot_that_fits_no_frame_is_left_out_and_ends_nothing(served: Path) -> None:
    with SocketJournal(served) as journal:
        journal.append(record("a", 0))
        journal.keep_state("a", 0, bytes(wire.FRAME_BYTES))
        await journal.flush()
        assert journal.log.state("a") is None
        assert len(journal.log.read("a")) == 1


def test_snapshots_that_wait_for_no_record_are_bounded(served: Path) -> None:
    def state(seq: int) -> bytes:
        return wire.frame(wire.dumps({"state": ["a", seq, base64.b64encode(bytes(3 << 20)).decode()]}))

    records = wire.frame(wire.dumps({"append": [line("a", seq) for seq in range(3)]}))
    flush = wire.frame(wire.dumps({"flush": 3, "anchored": False}))
    raw(served, b"".join([*map(state, range(3)), records, flush]))
    with SocketJournal(served) as journal:
        assert journal.log.state("a") == (2, bytes(3 << 20))


def test_empty_snapshots_that_wait_are_bounded_by_their_number(served: Path) -> None:
    states = b"".join(wire.frame(wire.dumps({"state": ["a", seq, ""]})) for seq in range(1025))
    raw(served, states + wire.frame(wire.dumps({"append": [line("a", 0), line("a", 1)]})))
    with SocketJournal(served) as journal:
        journal.append(record("a", 2))
        asyncio.run(journal.flush())
        assert journal.log.state("a") == (1, b"")  # that of the first record was pushed out


def test_a_snapshot_whose_record_is_refused_is_not_taken(served: Path) -> None:
    with SocketJournal(served) as journal:
        journal.append(record("a", 0))
        asyncio.run(journal.flush())
        asked = {"state": ["a", 0, "eA=="]}, {"append": [line("a", 0)]}
        assert b"record 0 was appended" in raw(served, b"".join(wire.frame(wire.dumps(each)) for each in asked))
        assert journal.log.state("a") is None


def test_a_subject_that_was_erased_has_another_alias_from_then_on(tmp_path: Path) -> None:
    with recording(tmp_path / "r.sock", tmp_path / "j" / "journal.db"), SocketJournal(tmp_path / "r.sock") as journal:
        first = journal.alias("patient:1")
        vault = Vault(tmp_path / "j" / "keys")
        vault.destroy(0, subject="patient:1")
        assert vault.known("patient:1") is None
        second = journal.alias("patient:1")
        assert second != first
        assert vault.known("patient:1") == second  # or nobody could ever find, or erase, what is kept under it
        vault.close()


def test_contents_that_were_destroyed_are_told_from_a_fault(tmp_path: Path) -> None:
    with recording(tmp_path / "r.sock", tmp_path / "j" / "journal.db"), SocketJournal(tmp_path / "r.sock") as journal:
        journal.append(record("a", 0))
        asyncio.run(journal.flush())
        vault = Vault(tmp_path / "j" / "keys")
        vault.destroy(0, subject="user:a")
        vault.close()
        with pytest.raises(Sealed) as error:
            journal.log.read("a")
        assert error.value.destroyed


def test_where_anchors_are_required_a_recorder_that_waits_for_none_lets_no_effect_happen(served: Path) -> None:
    with SocketJournal(served, required=True) as journal:
        journal.append(record("a", 0))
        asyncio.run(journal.flush())  # whatever is no effect
        with pytest.raises(JournalError, match="waits for no anchor"):
            asyncio.run(journal.flush(anchored=True))
        asyncio.run(journal.flush())


def test_a_record_that_is_too_large_is_refused_before_it_is_sent(served: Path) -> None:
    with SocketJournal(served) as journal:
        journal.append(record("a", 0, "x" * (wire.FRAME_BYTES + 1)))
        with pytest.raises(JournalError, match="bytes in a record"):
            asyncio.run(journal.flush())


def test_without_a_recorder_a_journal_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"r.sock cannot be reached: .*\n.*audit recorder"):
        SocketJournal(tmp_path / "r.sock")


def test_a_socket_that_somebody_serves_is_not_taken_over_and_a_dead_one_is(tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with recording(path, tmp_path / "journal.db"):
        assert path.stat().st_mode & 0o777 == 0o660

        async def second() -> None:
            async with module.listening(path, SqliteJournal(tmp_path / "other.db")):
                raise AssertionError("it was taken over")

        with pytest.raises(JournalError, match="cannot be made"):
            asyncio.run(second())
        SocketLog(path).close()


def test_a_log_that_was_recorded_is_an_ordinary_journal(tmp_path: Path) -> None:
    with recording(tmp_path / "r.sock", tmp_path / "journal.db"), SocketJournal(tmp_path / "r.sock") as far:
        for seq in range(100):
            far.append(record("a", seq))
        asyncio.run(far.flush())
        heads = list(far.log.headers())
    with SqliteJournal(tmp_path / "journal.db") as near:
        assert list(near.log.headers()) == heads
        assert near.log.verify().problem == ""
