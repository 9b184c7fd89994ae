"""Anchors as they are: files, folders, a server on loopback, programs."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.audit import anchors
from ringfence.audit.anchors import (
    AnchorError,
    CommandAnchor,
    DirectoryAnchor,
    FileAnchor,
    HttpAnchor,
    from_manifest,
    read,
)
from ringfence.manifest.record import Audit
from ringfence.proof.note import HalfWritten, add, opened, signature_line

from .kit import NEXT, OTHER, OURS, Growing

LOG = Growing()
HEADS = [LOG.head(size) for size in (1, 7, 41)]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_keeps_every_head_in_order_for_others_to_read(tmp_path: Path) -> None:
    file = tmp_path / "heads.txt"
    for head in HEADS:
        FileAnchor(file).put(head)
    assert file.read_text() == "\n".join(HEADS)
    assert read(file) == (HEADS, [])
    assert mode(file) == 0o644 & ~_umask()


@given(st.lists(st.integers(0, len(HEADS[1])), max_size=4))
@settings(max_examples=50)
def test_a_file_that_a_crash_left_with_a_piece_of_a_head_loses_no_later_one(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    file = tmp_path_factory.mktemp("anchor") / "heads.txt"
    for cut in cuts:
        FileAnchor(file).put(HEADS[0])
        with file.open("a") as torn:
            torn.write(HEADS[1][:cut])
    FileAnchor(file).put(HEADS[2])
    kept = read(file)
    assert [note for note in kept.notes if note in (HEADS[0], HEADS[2])] == [HEADS[0]] * len(cuts) + [HEADS[2]]
    for note in kept.notes:
        if note not in HEADS:
            with pytest.raises(HalfWritten):
                opened(note, [OURS.verifier])


def test_two_processes_that_append_at_once_leave_whole_heads(tmp_path: Path) -> None:
    file = tmp_path / "heads.txt"
    code = """if True:
        import sys
        from pathlib import Path
        from ringfence.audit.anchors import FileAnchor
        note = sys.stdin.read()
        for _ in range(40):
            FileAnchor(Path(sys.argv[1])).put(note)
    """
    jobs = [subprocess.Popen([sys.executable, "-c", code, file], stdin=subprocess.PIPE, text=True) for _ in range(2)]
    for job, head in zip(jobs, HEADS, strict=False):
        assert job.stdin is not None
        job.stdin.write(head)
        job.stdin.close()
    assert [job.wait(60) for job in jobs] == [0, 0]
    kept = read(file)
    assert (kept.torn, sorted(kept.notes)) == ([], sorted(HEADS[:2] * 40))


def test_a_folder_keeps_a_file_for_each_head(tmp_path: Path) -> None:
    anchor = DirectoryAnchor(tmp_path)
    for head in [*HEADS, *HEADS]:
        anchor.put(head)
    names = [f"{size:012d}-{LOG.root(size).hex()[:8]}.note" for size in (1, 7, 41)]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert [(tmp_path / name).read_text() for name in names] == HEADS
    assert mode(tmp_path / names[0]) == 0o644 & ~_umask()
    assert read(tmp_path) == (HEADS, [])


def test_a_head_in_a_folder_is_never_replaced(tmp_path: Path) -> None:
    handover = LOG.head(41, OURS, NEXT, next_key=NEXT.verifier)
    cosigned = add(HEADS[2], signature_line("x\n", OTHER))
    for head in (handover, HEADS[2], cosigned, handover):
        DirectoryAnchor(tmp_path).put(head)
    assert sorted(read(tmp_path).notes) == sorted([handover, HEADS[2], cosigned])


def test_a_half_written_head_in_a_folder_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    for head in HEADS:
        DirectoryAnchor(tmp_path).put(head)
    last = max(tmp_path.iterdir())
    last.write_text(HEADS[2][:60])
    assert read(tmp_path) == (HEADS[:2], [HEADS[2][:60]])


def _absent(tmp_path: Path) -> Path:
    return tmp_path / "gone" / "heads"


def _no_folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "heads"


def _pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def _device(tmp_path: Path) -> Path:
    return Path("/dev/full")


@pytest.mark.parametrize("place", [_absent, _no_folder, _pipe, _device])
def test_a_place_that_cannot_keep_a_head_is_told_and_none_is_made_up(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    kinds = [FileAnchor, DirectoryAnchor] if place is not _device else [FileAnchor]
    for anchor in (kind(path) for kind in kinds):
        with pytest.raises(AnchorError, match="failed: ") as caught:
            anchor.put(HEADS[0])
        assert str(path) in caught.value.what
        assert caught.value.todo
    assert sorted(tmp_path.rglob("*")) == before


def test_an_anchor_that_is_not_there_is_told_apart_from_one_without_heads(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="it is not there"):
        read(tmp_path / "gone")
    (tmp_path / "empty").write_text("")
    assert read(tmp_path / "empty") == ([], [])
    assert read(tmp_path) == ([], [])
    (tmp_path / "torn").write_text(HEADS[0][:50])
    assert read(tmp_path / "torn") == ([], [HEADS[0][:50]])
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    assert read(tmp_path / "binary").notes == []


class Server(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers what the test says."""

    status, text, slow, location = 200, "", False, ""
    got: list[tuple[str, str, str]]
    going: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.status)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", str(len(self.text)))
        self.end_headers()
        if self.slow:
            for each in self.text.encode():
                self.wfile.write(bytes([each]))
                if self.going.wait(0.2):
                    return
        else:
            self.wfile.write(self.text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def serving(**how: object) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    got: list[tuple[str, str, str]] = []
    handler = type("Handler", (Server,), {**how, "got": got, "going": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/heads", got
        finally:
            handler.going.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_head_is_posted_as_it_is(status: int) -> None:
    with serving(status=status) as (url, got):
        HttpAnchor(url).put(HEADS[0])
    assert got == [("/heads", "text/plain; charset=utf-8", HEADS[0])]


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 500])
def test_an_answer_that_is_no_yes_is_told_and_never_followed(status: int) -> None:
    with (
        serving() as (elsewhere, missed),
        serving(status=status, text="no", location=elsewhere) as (url, got),
        pytest.raises(AnchorError, match=f"got {status}: 'no'"),
    ):
        HttpAnchor(url).put(HEADS[0])
    assert (len(got), missed) == (1, [])


def test_a_server_that_answers_too_much_or_too_slowly_is_told_in_time() -> None:
    with serving(text="x" * 100_000) as (url, _), pytest.raises(AnchorError, match="more than 65536 bytes"):
        HttpAnchor(url).put(HEADS[0])
    begin = time.monotonic()
    with serving(text="x" * 500, slow=True) as (url, _), pytest.raises(AnchorError, match="no answer within 1 s"):
        HttpAnchor(url, timeout_s=1).put(HEADS[0])
    assert time.monotonic() - begin < 20


def test_a_server_that_is_not_there_is_told_and_the_proxy_of_the_environment_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving() as (proxy, got), socket.socket() as held:
        monkeypatch.setenv("http_proxy", proxy)
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(AnchorError, match="cannot be reached"):
            HttpAnchor(url, timeout_s=5).put(HEADS[0])
    assert got == []


def test_a_command_gets_the_head_on_stdin(tmp_path: Path) -> None:
    CommandAnchor(("tee", "kept"), folder=tmp_path).put(HEADS[0])
    assert (tmp_path / "kept").read_text() == HEADS[0]


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo full >&2; exit 4", "exit code 4: full"), ("sleep 60", "no answer within 1 s"), ("yes", "65536 bytes")],
)
def test_a_command_that_fails_is_told(script: str, said: str) -> None:
    with pytest.raises(AnchorError) as caught:
        CommandAnchor(("sh", "-c", script), timeout_s=1).put(HEADS[0])
    assert said in caught.value.what
    assert caught.value.what.startswith("anchor command sh: ")


def test_a_manifest_names_anchors_of_each_kind(tmp_path: Path) -> None:
    audit = Audit.model_validate(
        {"anchors": [{"file": "heads"}, {"directory": "/d"}, {"url": "http://h/", "timeout_s": 3}, {"command": ["c"]}]},
        strict=False,
    )
    assert from_manifest(audit, tmp_path) == [
        FileAnchor(tmp_path / "heads"),
        DirectoryAnchor(Path("/d")),
        HttpAnchor("http://h/", 3),
        CommandAnchor(("c",), 10, tmp_path),
    ]


def test_a_file_that_is_too_large_to_be_heads_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(anchors._MAX_BYTES + 1)
    with pytest.raises(AnchorError, match="has more than"):
        read(tmp_path / "large")


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now
