"""`ringfence chat`: one run per message, through a pipe and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
from pathlib import Path

from .conftest import Serve, Shell, final, step

LOOK = step("files.read", path="notes/a.txt")


def test_each_message_is_a_run_of_one_conversation(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, final("It is full."), LOOK, final("The fan."))
    shown = ringfence("chat", "--conversation", "c1", stdin="what is wrong?\n\nand what is loud?\n")
    assert (shown.code, shown.out) == (0, "It is full.\nThe fan.\n")
    assert "conversation c1" in shown.err
    assert len(ringfence("runs", "list").out.splitlines()) == 2


def test_what_was_said_before_is_seen_by_the_next_message(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, {"when": "It is full.", "text": final("I remember.")}, final("It is full."))
    shown = ringfence("chat", stdin="what is wrong?\nwhat did you say?\n")
    assert shown.out == "It is full.\nI remember.\n"


def test_commands_show_runs_and_begin_anew(ringfence: Shell, serve: Serve) -> None:
    serve(LOOK, final("It is full."))
    ringfence("run", "what is wrong?", "-q")
    run_id = ringfence("runs", "list").out.split()[0]
    typed = f"/help\n/runs\n/run {run_id}\n/new\n/nope\x1b\n/run zzz\n/quit\nnever read\n"
    shown = ringfence("chat", stdin=typed)
    assert shown.code == 0
    assert "/run ID   the timeline of a run" in shown.out
    assert f"run {run_id}: what is wrong?" in shown.out
    assert shown.err.count("conversation ") == 2
    assert r"no command /nope\x1b" in shown.err
    assert "no run starts with 'zzz'" in shown.err
    assert len(ringfence("runs", "list").out.splitlines()) == 1


def test_a_server_that_is_gone_ends_a_message_and_not_the_conversation(ringfence: Shell, serve: Serve) -> None:
    serve(mode="500")
    shown = ringfence("chat", stdin="x\n/help\n")
    assert shown.code == 0
    assert "/quit   leave" in shown.out


def test_on_a_terminal_the_history_is_kept_for_its_owner_alone(serve: Serve, folder: Path) -> None:
    serve(LOOK, final("It is full."))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-m", "ringfence.cli", "chat"]
    chat = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    read_until(ours, b"> ")
    os.write(ours, b"what is wrong?\n")
    read_until(ours, b"It is full.")
    read_until(ours, b"> ")
    os.write(ours, b"\x04")
    assert chat.wait(timeout=60) == 0
    os.close(ours)
    history = folder / ".ringfence" / "history"
    assert history.read_text().splitlines() == ["what is wrong?"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def read_until(terminal: int, wanted: bytes) -> None:
    """Wait for something to appear on a terminal."""
    seen = b""
    while wanted not in seen:
        assert select.select([terminal], [], [], 20)[0], f"{wanted!r} did not appear after {seen!r}"
        seen += os.read(terminal, 1)


def test_a_conversation_is_about_whom_it_is_said_to_be_about(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(LOOK, final("It is full."))
    assert ringfence("chat", "--about", "patient:1", stdin="what is wrong?\n").out == "It is full.\n"
    held = ringfence("privacy", "export", "patient:1")
    assert (held.code, "It is full." in held.out) == (0, True)


def test_a_chat_says_at_its_end_that_nobody_else_holds_its_newest_head(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(LOOK, final("It is full."))
    manifest = folder / "ringfence.yaml"
    manifest.write_text(manifest.read_text() + "audit: {anchors: [{directory: gone}]}\n")
    shown = ringfence("chat", stdin="what is wrong?\n")
    assert (shown.out, "warning: " in shown.err, "gone" in shown.err) == ("It is full.\n", True, True), shown.err
    assert (
        "its next head goes there again" in ringfence("runs", "fork", run_of(ringfence), "--at", "1", "--no-resume").err
    )


def run_of(ringfence: Shell) -> str:
    return ringfence("runs", "list").out.split()[0]
