"""The publisher with real anchors and a real witness: what is sent, what is told, what is tried again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ringfence.audit.anchors import AnchorError, DirectoryAnchor, FileAnchor, read
from ringfence.audit.publish import Published, Publisher
from ringfence.audit.witness import NotContinued, Witness, WitnessDown, from_manifest
from ringfence.manifest.record import Audit
from ringfence.proof.keys import Cosigner
from ringfence.proof.note import NoteError, opened

from .kit import NEXT, OTHER, OURS, Growing, forked, witness


def test_witnesses_sign_first_and_anchors_keep_what_they_signed(tmp_path: Path) -> None:
    log = Growing()
    with witness(tmp_path / "w") as peer:
        (named,) = from_manifest(
            Audit.model_validate({"witnesses": [{"url": peer.url, "key": str(peer.key)}]}, strict=False)
        )
        publisher = Publisher([FileAnchor(tmp_path / "heads")], [named], log.prove)
        for size in (3, 41):
            done = publisher.publish(log.head(size))
            assert (done.ok, done.size) == (True, size)
            assert opened(done.note, [OURS.verifier, peer.key])[1] == [OURS.verifier, peer.key]
            assert read(tmp_path / "heads").notes[-1] == done.note


def test_whoever_fails_is_named_and_the_others_get_the_head(tmp_path: Path) -> None:
    log = Growing()
    down = Witness("http://127.0.0.1:1", Cosigner(OTHER).verifier, 5.0)
    publisher = Publisher([DirectoryAnchor(tmp_path / "gone"), FileAnchor(tmp_path / "heads")], [down], log.prove)
    done = publisher.publish(log.head(3))
    assert [(each.name, type(each.error)) for each in done.failures] == [
        ("witness http://127.0.0.1:1", WitnessDown),
        (f"directory {tmp_path / 'gone'}", AnchorError),
    ]
    assert not done.ok
    assert read(tmp_path / "heads").notes == [log.head(3)]


def test_an_anchor_that_failed_gets_the_next_head(tmp_path: Path) -> None:
    log = Growing()
    publisher = Publisher([DirectoryAnchor(tmp_path / "late")], [], log.prove)
    assert not publisher.publish(log.head(3)).ok
    (tmp_path / "late").mkdir()
    assert publisher.publish(log.head(3)).ok
    assert publisher.publish(log.head(7)).ok
    assert read(tmp_path / "late").notes == [log.head(3), log.head(7)]


def test_a_fork_is_told_by_the_publisher_too(tmp_path: Path) -> None:
    log, other = Growing(), forked(2)
    with witness(tmp_path / "w") as peer:
        friend = Witness(peer.url, peer.key)
        assert Publisher([], [friend], log.prove).publish(log.head(41)).ok
        (failure,) = Publisher([], [friend], other.prove).publish(other.head(41)).failures
    assert isinstance(failure.error, NotContinued)


def test_a_witness_that_missed_a_hand_over_is_shown_it(tmp_path: Path) -> None:
    log = Growing()
    handover = log.head(41, OURS, NEXT, next_key=NEXT.verifier)
    with witness(tmp_path / "w") as peer:
        friend = Witness(peer.url, peer.key)
        publisher = Publisher([], [friend], log.prove, lambda: [handover])
        assert publisher.publish(log.head(50, NEXT)).ok


class Counting:
    """A real file behind a gate that the test opens."""

    name = "counting"

    def __init__(self, file: Path) -> None:
        self.inner, self.gate, self.waiting = FileAnchor(file), threading.Event(), threading.Event()

    def put(self, note: str) -> None:
        self.waiting.set()
        assert self.gate.wait(30)
        self.inner.put(note)


def test_heads_that_come_while_one_is_sent_are_sent_as_one(tmp_path: Path) -> None:
    log = Growing()
    anchor = Counting(tmp_path / "heads")
    publisher = Publisher([anchor], [], log.prove)
    got: dict[int, int] = {}
    entered = threading.Semaphore(0)

    def publish(size: int) -> None:
        note = log.head(size)
        entered.release()
        got[size] = publisher.publish(note).size

    first = threading.Thread(target=publish, args=(1,))
    first.start()
    assert anchor.waiting.wait(30)
    later = [threading.Thread(target=publish, args=(size,)) for size in (5, 3, 9, 7)]
    for thread in later:
        thread.start()
    while publisher._newest[0] != 9:
        assert any(thread.is_alive() for thread in later)
    anchor.gate.set()
    for thread in [first, *later]:
        thread.join()
    sizes = [int(note.split("\n")[1]) for note in read(tmp_path / "heads").notes]
    assert sizes[0] == 1
    assert sizes[-1] == max(sizes) == 9
    assert got[1] == 1
    assert all(got[size] >= size for size in got)
    assert sizes.count(9) == 1


def test_a_fault_of_ours_is_told_and_not_raised(tmp_path: Path) -> None:
    class Broken:
        name = "broken"

        def put(self, note: str) -> None:
            raise ZeroDivisionError

    log = Growing()
    done = Publisher([Broken(), FileAnchor(tmp_path / "heads")], [], log.prove).publish(log.head(3))
    assert [(each.name, "ZeroDivisionError" in each.error.what) for each in done.failures] == [("broken", True)]
    assert read(tmp_path / "heads").notes == [log.head(3)]


def test_what_is_no_head_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(NoteError):
        Publisher([FileAnchor(tmp_path / "heads")], [], Growing().prove).publish("nonsense")
    assert not (tmp_path / "heads").exists()


def test_a_slow_anchor_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    log = Growing()
    slow = Counting(tmp_path / "slow")
    publisher = Publisher([slow, FileAnchor(tmp_path / "quick")], [], log.prove)
    done: list[Published] = []
    thread = threading.Thread(target=lambda: done.append(publisher.publish(log.head(3))))
    thread.start()
    assert slow.waiting.wait(30)
    while not (tmp_path / "quick").exists() or not read(tmp_path / "quick").notes:
        assert thread.is_alive()
    slow.gate.set()
    thread.join()
    assert done[0].ok  # else the quick one came after the slow one had given up
