"""A real witness on loopback, as a process of its own, and a log that behaves or does not."""

from __future__ import annotations

import hashlib
import http.client
import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ringfence.audit.witness import (
    NotContinued,
    Witness,
    WitnessDown,
    WitnessError,
    WitnessLies,
    WitnessRefuses,
)
from ringfence.core.chain import EMPTY_ROOT
from ringfence.proof.keys import Cosigner, KeySigner
from ringfence.proof.note import ORIGIN, add, cosignature_time, head, opened, signature_line, to_base64

from .kit import ID, NEXT, OTHER, OURS, THIEF, Growing, Process, forked, witness


@pytest.fixture
def log() -> Growing:
    return Growing()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Process]:
    with witness(tmp_path / "witness") as running:
        yield running


def client(peer: Process) -> Witness:
    return Witness(peer.url, peer.key, 20.0)


def post(peer: Process, body: bytes) -> tuple[int, str, str]:
    """A request as it is."""
    connection = http.client.HTTPConnection(urlsplit(peer.url).netloc, timeout=60)
    connection.request("POST", "/add-checkpoint", body)
    answer = connection.getresponse()
    said = answer.status, answer.read().decode(), answer.headers.get_content_type()
    connection.close()
    return said


def request(old: int, note: str, *proof: bytes) -> bytes:
    return "\n".join([f"old {old}", *map(to_base64, proof), "", note]).encode()


def test_a_log_that_grows_is_signed_head_by_head_with_the_time(peer: Process, log: Growing) -> None:
    friend = client(peer)
    for size in (1, 2, 7, 8, 8, 1000, 2000):
        note = log.head(size)
        both = add(note, friend.cosign(note, log.prove))
        assert opened(both, [OURS.verifier, peer.key])[1] == [OURS.verifier, peer.key]
        assert cosignature_time(both, peer.key) > 1_700_000_000


def test_a_client_that_does_not_know_where_the_witness_is_finds_out(peer: Process, log: Growing) -> None:
    client(peer).cosign(log.head(41), log.prove)
    log.asked = 0
    assert client(peer).cosign(log.head(99), log.prove)
    assert log.asked == 2


def test_a_log_that_was_rolled_back_is_refused_and_told_aloud(peer: Process, log: Growing) -> None:
    client(peer).cosign(log.head(41), log.prove)
    with pytest.raises(NotContinued, match="has signed 41 records of this log, which has 40"):
        client(peer).cosign(log.head(40), log.prove)
    assert "shows 40 records, and 41 were signed: was it rolled back?" in peer.said()


def test_two_pasts_of_one_size_are_a_fork_and_kept_as_evidence(peer: Process, log: Growing) -> None:
    client(peer).cosign(log.head(41), log.prove)
    other = forked(7)
    for _ in range(3):
        with pytest.raises(NotContinued, match="forked or rewritten"):
            client(peer).cosign(other.head(41), other.prove)
    assert f"FORK: {ORIGIN}{ID} has signed two pasts of 41 records" in peer.said()
    (kept,) = (peer.folder / "state").glob("*.refused")
    assert kept.read_text() == other.head(41)


def test_a_log_that_was_rewritten_and_grew_is_refused(peer: Process, log: Growing) -> None:
    client(peer).cosign(log.head(41), log.prove)
    other = forked(7)
    with pytest.raises(NotContinued, match="does not continue the 41 records"):
        client(peer).cosign(other.head(99), other.prove)
    assert "NO CONTINUATION" in peer.said()
    assert client(peer).cosign(log.head(99), log.prove)


def test_what_was_signed_is_remembered_across_a_kill(tmp_path: Path, log: Growing) -> None:
    with witness(tmp_path / "w") as first:
        client(first).cosign(log.head(41), log.prove)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(20)
    with witness(tmp_path / "w") as second:
        assert second.key == first.key
        assert f"{ORIGIN}{ID} has 41 signed records" in second.said()
        with pytest.raises(NotContinued):
            client(second).cosign(log.head(40), log.prove)
        assert client(second).cosign(log.head(42), log.prove)
    modes = [path.stat().st_mode for path in (tmp_path / "w" / "witness.key", *(tmp_path / "w/state").glob("*.json"))]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o600, 0o600]


def test_what_cannot_be_remembered_is_not_signed(peer: Process, log: Growing) -> None:
    state = peer.folder / "state"
    name = hashlib.sha256(f"{ORIGIN}{ID}".encode()).hexdigest()
    (state / f"{name}.new").mkdir()  # in the way of the file that is written first
    status, text, _ = post(peer, request(0, log.head(41)))
    assert (status, text) == (500, "what is signed cannot be kept here\n")
    assert "so nothing is" in peer.said()
    (state / f"{name}.new").rmdir()
    assert post(peer, request(0, log.head(40)))[0] == 200


def test_a_witness_that_forgot_what_it_signed_does_not_start(tmp_path: Path, log: Growing) -> None:
    with witness(tmp_path / "w") as peer:
        client(peer).cosign(log.head(41), log.prove)
    (state,) = (tmp_path / "w" / "state").glob("*.json")
    for broken in ("", "{}", state.read_text()[:-9], state.read_text().replace(ID, "x" * 32)):
        state.write_text(broken)
        with pytest.raises(AssertionError, match="must not go on"), witness(tmp_path / "w"):
            pass


def test_a_second_witness_on_the_same_folder_does_not_start(peer: Process) -> None:
    with pytest.raises(AssertionError, match="another witness is running"), witness(peer.folder):
        pass


def test_a_log_or_a_key_that_it_was_not_told_of_is_refused(peer: Process, log: Growing) -> None:
    stranger = Growing(id="another")
    with pytest.raises(WitnessRefuses, match="does not know this log") as caught:
        client(peer).cosign(stranger.head(3, OTHER), stranger.prove)
    assert "--log KEY" in caught.value.todo
    with pytest.raises(WitnessRefuses, match="does not know its key"):
        client(peer).cosign(log.head(3, THIEF), log.prove)
    assert client(peer).cosign(log.head(3), log.prove)


def test_a_hand_over_is_followed_and_the_old_key_is_worth_nothing_afterwards(tmp_path: Path, log: Growing) -> None:
    handover = log.head(41, OURS, NEXT, next_key=NEXT.verifier)
    with witness(tmp_path / "w") as peer:
        client(peer).cosign(log.head(40), log.prove)
        client(peer).cosign(handover, log.prove)
        assert "was handed over after 41 records" in peer.said()
        assert client(peer).cosign(log.head(42, NEXT), log.prove)
        with pytest.raises(WitnessRefuses):
            client(peer).cosign(log.head(43), log.prove)
    with witness(tmp_path / "w") as peer:  # though its command line still names the old key
        with pytest.raises(WitnessRefuses):
            client(peer).cosign(log.head(43), log.prove)
        assert client(peer).cosign(log.head(43, NEXT), log.prove)
    with witness(tmp_path / "w", THIEF.verifier) as peer:  # the operator's word counts more
        assert client(peer).cosign(log.head(44, THIEF), log.prove)


def test_a_witness_that_missed_a_hand_over_is_shown_it(peer: Process, log: Growing) -> None:
    handover = log.head(41, OURS, NEXT, next_key=NEXT.verifier)
    friend = client(peer)
    friend.cosign(log.head(40), log.prove)
    with pytest.raises(WitnessRefuses):
        friend.cosign(log.head(50, NEXT), log.prove)
    assert friend.cosign(log.head(50, NEXT), log.prove, lambda: [handover])
    assert client(peer).cosign(log.head(51, NEXT), log.prove, lambda: [handover])


@pytest.mark.parametrize("signers", [(OURS,), (OURS, THIEF), (NEXT,)])
def test_a_hand_over_that_one_of_the_two_keys_has_not_signed_is_refused(
    peer: Process, log: Growing, signers: tuple[KeySigner, ...]
) -> None:
    status, *_ = post(peer, request(0, log.head(41, *signers, next_key=NEXT.verifier)))
    assert status == 403
    assert post(peer, request(0, log.head(41)))[0] == 200


def test_a_key_with_a_name_of_its_own_begins_the_log_that_it_signs(tmp_path: Path, log: Growing) -> None:
    named, second = KeySigner("ops-assistant", b"5" * 32), KeySigner("another", b"6" * 32)
    with witness(tmp_path / "w", named.verifier, second.verifier) as peer:
        assert client(peer).cosign(log.head(3, named), log.prove)
        assert "its first head, signed by ops-assistant+" in peer.said()
        with pytest.raises(WitnessRefuses, match="does not know its key"):
            client(peer).cosign(log.head(4, second), log.prove)
        other = Growing(id="f" * 32)
        assert client(peer).cosign(other.head(4, second), other.prove)
    with witness(tmp_path / "w", second.verifier) as peer:  # the operator took the first key back
        with pytest.raises(WitnessRefuses):
            client(peer).cosign(log.head(4, named), log.prove)
        assert client(peer).cosign(log.head(4, second), log.prove)


def test_nobody_begins_a_log_that_another_key_is_named_after(tmp_path: Path, log: Growing) -> None:
    second = KeySigner("another", b"6" * 32)
    with witness(tmp_path / "w", OURS.verifier, second.verifier) as peer:
        with pytest.raises(WitnessRefuses):
            client(peer).cosign(log.head(4, second), log.prove)
        assert client(peer).cosign(log.head(4), log.prove)


def test_a_key_begins_only_so_many_logs(tmp_path: Path) -> None:
    named = KeySigner("ops-assistant", b"5" * 32)
    with witness(tmp_path / "w", named.verifier) as peer:
        told = [post(peer, request(0, head(f"{n:032x}", 1, b"r" * 32, 1, named)))[0] for n in range(66)]
    assert told == [200] * 64 + [403] * 2


def test_the_answers_are_those_of_the_specification(peer: Process, log: Growing) -> None:
    note, proof = log.head(41), log.prove(40, 41)
    empty = head(ID, 0, EMPTY_ROOT, 1, OURS)
    assert post(peer, request(0, head(ID, 0, log.root(1), 1, OURS)))[0] == 422
    assert post(peer, request(0, empty))[0] == 200
    assert post(peer, request(0, log.head(40), proof[0]))[0] == 422
    assert post(peer, request(0, log.head(40)))[0] == 200
    assert post(peer, request(0, note)) == (409, "40\n", "text/x.tlog.size")
    assert post(peer, request(42, note))[0] == 400
    assert post(peer, request(40, note))[0] == 422
    assert post(peer, request(40, note, *proof[:-1]))[0] == 422
    assert post(peer, request(40, note, *proof))[0] == 200
    assert post(peer, request(41, note))[0] == 200
    assert post(peer, request(0, note.replace("41", "42")))[0] == 403
    assert post(peer, request(41, log.head(42, OTHER)))[0] == 403


def test_a_monitor_gets_the_last_head_with_both_signatures(peer: Process, log: Growing) -> None:
    def get(path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(urlsplit(peer.url).netloc, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.status, answer.read().decode()
        connection.close()
        return said

    at = hashlib.sha256(f"{ORIGIN}{ID}".encode()).hexdigest()
    assert get(f"/{at}/checkpoint")[0] == 404
    client(peer).cosign(log.head(41), log.prove)
    status, note = get(f"/{at}/checkpoint")
    assert status == 200
    assert opened(note, [OURS.verifier, peer.key])[1] == [OURS.verifier, peer.key]
    assert get("/add-checkpoint")[0] == 405
    assert get("/../../etc/passwd")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n\n",
        b"old 0",
        b"\xff\xfe",
        b"old -1\n\n%s",
        b"old 01\n\n%s",
        b"old 0\n%s",
        b"old 0\nAAAA\n\n%s",
        b"old 0\nnonsense\n\n%s",
        b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n%s",
        b"new 0\n\n%s",
        b"old " + b"9" * 40 + b"\n\n%s",
    ],
)
def test_a_request_that_is_none_is_refused_and_the_next_one_answered(peer: Process, log: Growing, body: bytes) -> None:
    whole = log.head(3).encode()
    assert post(peer, body.replace(b"%s", whole))[0] == 400
    assert post(peer, request(0, log.head(3)[:-9]))[0] == 400
    assert post(peer, request(0, log.head(3)))[0] == 200


def test_a_request_without_end_is_cut_off(peer: Process, log: Growing) -> None:
    assert post(peer, b"x" * 100_000)[0] == 413
    assert post(peer, request(0, log.head(3)))[0] == 200


def test_many_at_once_leave_one_past(peer: Process, log: Growing) -> None:
    """Two histories race for every size: at each, at most one of them is signed."""
    signed: list[tuple[int, str]] = []
    other = forked(0)

    def submit(past: Growing) -> None:
        friend = client(peer)
        for size in range(1, 60, 3):
            try:
                friend.cosign(past.head(size), past.prove)
            except WitnessError:
                continue
            signed.append((size, past.root(size).hex()))

    threads = [threading.Thread(target=submit, args=(past,)) for past in (log, other, log, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roots = {root for _, root in signed}
    assert roots
    assert roots <= {log.root(n).hex() for n in range(60)} or roots <= {other.root(n).hex() for n in range(60)}


def test_sigterm_ends_it_cleanly(tmp_path: Path, log: Growing) -> None:
    with witness(tmp_path / "w") as peer:
        client(peer).cosign(log.head(41), log.prove)
        peer.process.send_signal(signal.SIGTERM)
        assert peer.process.wait(20) == 143
        assert "Traceback" not in peer.said()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "8080"], "expected HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "expected HOST:PORT"),
        (["--listen", "192.0.2.1:0"], "assign requested address"),
        (["--log", "nonsense"], "--log: expected a verifier key"),
        (["--state", "/dev/null/x"], "cannot keep what is signed"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    given = {"--listen": "127.0.0.1:0", "--log": str(OURS.verifier), "--state": str(tmp_path / "s")}
    given |= {arguments[0]: arguments[1], "--key": str(tmp_path / "key")}
    command = [
        sys.executable,
        "-m",
        "ringfence.cli",
        "witness",
        "serve",
        *(part for pair in given.items() for part in pair),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (2, 6)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_witness_that_is_down_is_told(log: Growing) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(WitnessDown, match="cannot be reached"):
            Witness(address, Cosigner(OTHER).verifier, 5.0).cosign(log.head(3), log.prove)


class Liar(BaseHTTPRequestHandler):
    """Answers whatever the test says."""

    status, text, wait = 200, "", threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.text == "never":
            self.wait.wait(30)
            return
        body = self.text.encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "http://192.0.2.1/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


KEY = Cosigner(KeySigner("witness.example/w1", b"9" * 32))
FALSE = Cosigner(KeySigner("witness.example/w1", b"8" * 32))
TEXT = Growing().head(41).rpartition("\n\n")[0] + "\n"


@pytest.mark.parametrize(
    ("status", "text", "error", "said"),
    [
        (200, "", WitnessLies, "expected a line of a signature"),
        (200, "thank you\n", WitnessLies, "expected a line of a signature"),
        (200, signature_line(TEXT, FALSE), WitnessLies, "signatures of other keys alone"),
        (200, signature_line("another\n", KEY), WitnessLies, "is not over this text"),
        (200, "x" * 100_000, WitnessDown, "more than 65536 bytes"),
        (409, "", WitnessLies, "names ''"),
        (409, "0\n", WitnessLies, "says that it is another one"),
        (409, "-5\n", WitnessLies, "names '-5"),
        (409, "many\n", WitnessLies, "names 'many"),
        (409, "9" * 18, NotContinued, "records are gone"),
        (302, "", WitnessDown, "answered 302"),
        (500, "oops", WitnessDown, "answered 500: oops"),
        (503, "\x1b[31mred", WitnessDown, "answered 503"),
        (422, "", NotContinued, "forked or rewritten"),
        (200, "never", WitnessDown, "gave no answer within 1 s"),
    ],
)
def test_a_witness_that_lies_or_fails_is_told_apart(
    log: Growing, status: int, text: str, error: type[WitnessError], said: str
) -> None:
    handler = type("Handler", (Liar,), {"status": status, "text": text, "wait": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            with pytest.raises(error) as caught:
                Witness(address, KEY.verifier, 1.0 if text == "never" else 20.0).cosign(log.head(41), log.prove)
        finally:
            handler.wait.set()
            server.shutdown()
            thread.join()
    assert type(caught.value) is error
    assert said in caught.value.what
    assert caught.value.todo


def test_a_liar_beside_the_right_line_changes_nothing(log: Growing) -> None:
    text = signature_line(TEXT, FALSE) + signature_line(TEXT, KEY)
    handler = type("Handler", (Liar,), {"text": text})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            line = Witness(f"http://127.0.0.1:{server.server_port}/", KEY.verifier).cosign(log.head(41), log.prove)
        finally:
            server.shutdown()
            thread.join()
    assert opened(log.head(41) + line, [KEY.verifier])[1] == [KEY.verifier]


def test_the_state_of_a_witness_is_plain_to_read(peer: Process, log: Growing) -> None:
    client(peer).cosign(log.head(41), log.prove)
    (state,) = (peer.folder / "state").glob("*.json")
    kept = json.loads(state.read_text())
    assert (kept["origin"], kept["size"], kept["root"]) == (f"{ORIGIN}{ID}", 41, log.root(41).hex())
