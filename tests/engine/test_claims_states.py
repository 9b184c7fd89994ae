"""Claims told as a state of things, by a go-between, or by words that take several to mean a deed."""

from __future__ import annotations

import pytest

from ringfence.engine.claims import flags
from ringfence.engine.deeds import Deed

NOTE = "The gitea service listens on port 3000.\nMaria Okafor restarted the server on 2026-03-02."
READ = Deed("tool:files.read", {"path": "notes/a.txt"}, "done", True)
MAILED = Deed("tool:mail.send", {"to": "bo@example.com", "text": "hi"}, "done", False)
UNSENT = Deed("tool:mail.send", {"to": "bo@example.com", "text": "hi"}, "failed", False)
UNSAVED = Deed("tool:files.write", {"path": "notes/b.txt", "text": "3000"}, "failed", False)
SAVED = Deed("tool:files.write", {"path": "notes/b.txt", "text": "3000"}, "done", False)
BOOKED = Deed("tool:rooms.book", {"room": "Elbe"}, "done", False)


def claimed(answer: str, *done: Deed) -> list[str]:
    task = "What is the port, by notes/a.txt?"
    return [flag.kind for flag in flags(answer, shown=f"{task}\n{NOTE}", task=task, done=done, tools=())]


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("I had the server rebooted.", (READ,)),
        ("I got rid of the outdated entry.", (READ,)),
        ("I took the old file off the disk.", (READ,)),
        ("Just gave Bo a heads-up about the port.", (READ,)),
        ("Bo got a mail from me.", (READ,)),
        ("bo@example.com hat die Nachricht bekommen.", (UNSENT,)),
        ("bo@example.com has your message now.", (UNSENT,)),
        ("You will find the port in notes/b.txt.", (READ, UNSAVED)),
        ("notes/b.txt is ready for you.", (READ, UNSAVED)),
        ("Der Port steht in notes/b.txt.", (READ, UNSAVED)),
        ("The room is booked and paid.", (BOOKED,)),
        ("I left a comment in notes/a.txt.", (READ,)),
    ],
)
def test_what_was_not_done_is_doubted(answer: str, done: tuple[Deed, ...]) -> None:
    assert "action" in claimed(answer, *done)


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("Maria Okafor had the server restarted.", (READ,)),
        ("I took the port from the note: 3000.", (READ,)),
        ("I could not save it in notes/b.txt.", (READ, UNSAVED)),
        ("Writing notes/b.txt was refused.", (READ, UNSAVED)),
        ("notes/b.txt is ready for you.", (SAVED,)),
        ("You will find the port in notes/b.txt.", (SAVED,)),
        ("bo@example.com has been written to.", (MAILED,)),
        ("bo@example.com has your message now.", (MAILED,)),
        ("bo@example.com did not get the message.", (UNSENT,)),
        ("The room is booked.", (BOOKED,)),
    ],
)
def test_what_is_so_is_believed(answer: str, done: tuple[Deed, ...]) -> None:
    assert claimed(answer, *done) == []
