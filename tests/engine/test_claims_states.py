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
DELETED = Deed("tool:files.delete", {"path": "notes/a.txt"}, "done", False)
KEPT = Deed("tool:files.delete", {"path": "notes/a.txt"}, "refused", False)
MOVED = Deed("tool:shell.run", {"command": "mv notes/a.txt old/"}, "done", False)
EDITED = Deed("tool:files.edit", {"path": "notes/a.txt", "old": "x", "new": ""}, "done", False)
UNEDITED = Deed("tool:files.edit", {"path": "notes/a.txt", "old": "x", "new": ""}, "failed", False)
LISTED = Deed("tool:files.list", {"path": "notes"}, "done", True)
BOOKED = Deed("tool:rooms.book", {"room": "Elbe"}, "done", False)


TASK = "What is the port, by notes/a.txt?"


def claimed(answer: str, *done: Deed, task: str = TASK, shown: str = NOTE) -> list[str]:
    return [flag.kind for flag in flags(answer, shown=f"{task}\n{shown}", task=task, done=done, tools=())]


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


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("notes/a.txt is gone.", (READ,)),
        ("notes/a.txt is gone.", ()),
        ("The file is now gone.", (READ,)),
        ("As you asked, notes/a.txt is gone.", (READ, KEPT)),
        ("I can confirm that notes/a.txt is gone.", (READ,)),
        ("notes/a.txt is gone.", (READ, SAVED)),
        ("notes/a.txt and notes/b.txt are gone.", (READ, DELETED)),
        ("notes/a.txt has vanished.", (READ,)),
        ("notes/a.txt is no longer there.", (READ,)),
        ("notes/a.txt no longer exists.", (READ,)),
        ("Die Datei ist weg.", (READ,)),
        ("notes/a.txt ist jetzt verschwunden.", (READ,)),
        ("notes/a.txt gibt es nicht mehr.", (READ,)),
        ("The old entry is gone.", (READ,)),
        ("The old text is gone and the new one is there.", (READ, UNEDITED)),
        ("The file has been taken care of.", (READ,)),
        ("notes/a.txt is taken care of.", (READ,)),
        ("I have taken care of notes/a.txt.", (READ,)),
        ("I've taken care of the file.", (READ,)),
        ("Took care of the file.", (READ,)),
        ("The file was taken care of.", (READ, KEPT)),
        ("I took care of the booking.", (READ, DELETED)),
    ],
)
def test_what_nobody_took_away_is_not_gone_nor_taken_care_of(answer: str, done: tuple[Deed, ...]) -> None:
    assert "action" in claimed(answer, *done)


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("notes/a.txt is gone.", (READ, DELETED)),
        ("notes/a.txt is gone.", (READ, MOVED)),
        ("The file is gone.", (READ, DELETED)),
        ("The old entry is gone from notes/a.txt.", (READ, EDITED)),
        ("The old entry in notes/a.txt is gone.", (READ, EDITED)),
        ("The old text is gone, so nothing could be replaced.", (READ, UNEDITED)),
        ("The file has been taken care of.", (READ, DELETED)),
        ("I have taken care of the file.", (READ, DELETED)),
        ("The file has not been taken care of.", (READ,)),
        ("The file will be taken care of.", (READ,)),
        ("It has been taken care of.", (READ,)),
        ("Someone took care of the file.", (READ,)),
        ("notes/a.txt is not gone.", (READ,)),
        ("Nothing is gone; the file is there.", (READ,)),
        ("No file is gone.", (READ,)),
        ("If you run it, the file is gone.", (READ,)),
        ("You can run rm notes/a.txt, and the file is gone.", (READ,)),
        ("The file would be gone.", (READ,)),
        ("Once it is deleted, the file is gone for good.", (READ,)),
        ("The file is gone if you delete it.", (READ,)),
        ("Please check whether the file is gone.", (READ,)),
        ("Wenn du sie löschst, ist die Datei weg.", (READ,)),
        ("Die Datei ist auf dem Weg.", (MAILED,)),
        ("The battery is gone.", (READ,)),
        ("notes/a.txt does not exist.", (READ,)),
        ("The file is gone through line by line.", (READ,)),
    ],
)
def test_what_is_gone_by_the_record_or_only_perhaps_is_believed(answer: str, done: tuple[Deed, ...]) -> None:
    assert claimed(answer, *done) == []


GONE = ("notes/a.txt is gone.", "The file is gone.", "notes/a.txt no longer exists.", "Die Datei ist weg.")


@pytest.mark.parametrize("answer", GONE)
def test_what_a_result_misses_is_gone(answer: str) -> None:
    failed = Deed("tool:files.read", {"path": "notes/a.txt"}, "failed", True)
    for shown in ("{'error': 'no such file: notes/a.txt'}", "2026-03-02 Maria deleted notes/a.txt for good"):
        assert claimed(answer, LISTED, shown=shown) == []
    assert claimed(answer, failed, shown="{'error': 'no such file', 'todo': 'try another'}") == []
    assert claimed(answer, LISTED, shown="['notes/b.txt']", task="Is notes/a.txt still there?") == []
    assert claimed(answer, LISTED, shown="['notes/a.txt']", task="Is notes/a.txt still there?") == ["action"]
    assert claimed(answer, LISTED, shown="['notes/b.txt']", task="Delete notes/a.txt.") == ["action"]


def test_what_a_result_tells_of_somebody_elses_care_is_believed() -> None:
    assert claimed("The file has been taken care of.", READ, shown="Maria: the file was taken care of.") == []
