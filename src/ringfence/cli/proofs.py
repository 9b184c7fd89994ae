"""`ringfence audit prove`, `consistency`, `key` and `rotate`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..audit import anchors, signing
from ..core import chain
from ..core.chain import Frontier
from ..core.errors import JournalError, ManifestError
from ..manifest.loader import load
from ..proof import keys, merkle
from ..proof import note as notes
from ..proof.note import Checkpoint, NoteError, Verifier
from ..stores.reader import SqliteLog
from .exits import Exit
from .runs import open_log

VERSION = 1  # of the object that `prove` prints


def prove(manifest: Path, record: str, *, head: Path | None, out: Path | None) -> None:
    """Print the proof of one record as JSON."""
    with open_log(manifest) as log:
        index = _index(log, record)
        origin = notes.ORIGIN + log.id
        held = anchors.read(head).notes if head else [each.note for each in log.heads()]
        note, checkpoint = _covering(held, origin, index, _trusted(manifest))
        try:
            path = merkle.inclusion(map(chain.leaf, log.headers(0, checkpoint.size)), index, checkpoint.size)
        except ValueError as error:
            raise _shorter(checkpoint, error) from None
        (header,) = log.headers(index, index + 1)
    leaf = chain.leaf(header)
    if not merkle.included(leaf, index, checkpoint.size, path, checkpoint.root):
        raise JournalError(
            f"record {index} is not under the head over {checkpoint.size} records: this log is not the one that was "
            "signed",
            todo="see what was changed: ringfence audit verify",
        )
    proof = {"v": VERSION, "origin": origin, "index": index, "size": checkpoint.size, "header": header.decode(),
             "leaf": leaf.hex(), "path": [each.hex() for each in path], "head": note}  # fmt: skip
    _write(json.dumps(proof, indent=1, ensure_ascii=False) + "\n", out)


def consistency(manifest: Path, old: str, new: str) -> Exit:
    """Print the proof between two heads as JSON, and on stderr whether they agree."""
    with open_log(manifest) as log:
        trusted = _trusted(manifest)
        first, second = (_head(log, each, trusted) for each in (old, new))
        if first.size > second.size:
            raise ManifestError(
                f"expected the smaller head first, got {first.size} and {second.size} records", todo="swap the two"
            )
        try:
            path = merkle.consistency(map(chain.leaf, log.headers(0, second.size)), first.size, second.size)
        except ValueError as error:
            raise _shorter(second, error) from None
    agree = merkle.consistent(first.size, second.size, first.root, second.root, path)
    ends = {
        "old": {"size": first.size, "root": first.root.hex()},
        "new": {"size": second.size, "root": second.root.hex()},
    }
    print(json.dumps({**ends, "path": [each.hex() for each in path], "consistent": agree}, indent=1))
    if agree:
        print(f"the first {first.size} of {second.size} records are the same under both heads", file=sys.stderr)
        return Exit.DONE
    print(
        f"the log does not lead from the head over {first.size} records to that over {second.size}: it was rewritten, "
        "or one of them is of a fork\n  -> see which records differ: ringfence audit verify --anchor FILE",
        file=sys.stderr,
    )
    return Exit.UNANSWERED


def key(manifest: Path) -> None:
    """Print the public key."""
    loaded = load(manifest)
    print(signing.verifier_of(loaded.audit.key, loaded.root))


def rotate(manifest: Path) -> None:
    """Make a key, hand the log over to it, and put it in the place of the old one; in this order, so that a crash
    between two of the steps leaves a key that can sign: `keys.load` brings it to its end.
    """
    from .. import stores
    from .runs import JOURNAL

    loaded = load(manifest)
    if loaded.audit.key is not None and loaded.audit.key.command is not None:
        raise ManifestError(
            "expected a key in a file, got a command: only its owner can make it sign with another key",
            todo="begin a new log with the new key, and keep the old log with its own",
        )
    file = signing.key_file(loaded.audit.key, loaded.root)
    old = keys.load(file)
    following = keys.beside(file)
    new = keys.load(following) if following.exists() else keys.make(following, name=old.verifier.name)
    with stores.open_journal(manifest.parent / JOURNAL) as journal:
        note = journal.hand_over(new)
    keys.take_over(file)
    print(new.verifier)
    size = Checkpoint.parse(notes.unverified(note)).size
    print(f"after {size} records the log goes over from {old.verifier} to this key", file=sys.stderr)


def _index(log: SqliteLog, record: str) -> int:
    """The place of `RUN:SEQ`, or of an index, in the log."""
    if record.isascii() and record.isdigit():
        if int(record) < log.size():
            return int(record)
        raise JournalError(f"the log has {log.size()} records, and none has the index {record}", todo="count from 0")
    run, colon, seq = record.rpartition(":")
    if not colon or not (seq.isascii() and seq.isdigit()):
        raise ManifestError(
            f"expected RUN:SEQ or the index of a record, got {record!r}",
            todo="`ringfence runs list` has the runs, `ringfence runs export ID` their records",
        )
    run = log.find(run)
    found = [each["index"] for each in log.export(run) if each["seq"] == int(seq)]
    if not found:
        raise JournalError(f"run {run} has no record {seq}", todo=f"see which it has: ringfence runs export {run}")
    return int(found[0])


def _trusted(manifest: Path) -> list[Verifier]:
    """The key of the manifest, if it can be had: proofs are made without it too, and checked by whoever gets them."""
    loaded = load(manifest)
    return [signing.verifier_of(loaded.audit.key, loaded.root)]


def _covering(held: Sequence[str], origin: str, index: int, trusted: Sequence[Verifier]) -> tuple[str, Checkpoint]:
    """The newest of the heads, if it is over the record."""
    best: tuple[str, Checkpoint] | None = None
    for note in held:
        checkpoint = _of(note, trusted)
        if checkpoint and checkpoint.origin == origin and (best is None or checkpoint.size >= best[1].size):
            best = note, checkpoint
    if best is None:
        raise JournalError(
            f"expected a head of {origin} that one of {', '.join(map(str, trusted))} signed, got none",
            todo="name a file that holds one with --head, and the key that signed it in the manifest",
        )
    if best[1].size <= index:
        raise JournalError(
            f"record {index} is not under a head yet: the newest is over {best[1].size} records",
            todo="wait for the next head, or end the run: that makes one",
        )
    return best


def _of(note: str, trusted: Sequence[Verifier]) -> Checkpoint | None:
    try:
        return Checkpoint.parse(notes.opened(note, trusted)[0])
    except NoteError:
        return None


def _head(log: SqliteLog, named: str, trusted: Sequence[Verifier]) -> Checkpoint:
    """The head in a file, checked; or that of the log itself over so many records."""
    if named.isascii() and named.isdigit() and not Path(named).exists():
        size, frontier = int(named), Frontier()
        for header in log.headers(0, size):
            frontier.append(chain.leaf(header))
        if frontier.size < size:
            raise JournalError(f"the log has {frontier.size} records, and not {size}", todo="name a smaller number")
        return Checkpoint(notes.ORIGIN + log.id, size, frontier.root())
    kept = anchors.read(Path(named))
    if not kept.notes:
        what = "a half-written head" if kept.torn else "no head"
        raise JournalError(f"expected a signed head in {named}, got {what}", todo="name a file that an anchor keeps")
    checkpoint = Checkpoint.parse(notes.opened(kept.notes[-1], trusted)[0])
    if checkpoint.origin != notes.ORIGIN + log.id:
        raise JournalError(
            f"the head in {named} is of {checkpoint.origin}, and this log is {notes.ORIGIN}{log.id}",
            todo="name a head of this log, or the manifest beside the other one",
        )
    return checkpoint


def _shorter(checkpoint: Checkpoint, error: ValueError) -> JournalError:
    return JournalError(
        f"the head is over {checkpoint.size} records, and the log has fewer ({error}): its end is gone",
        todo="see where it ends: ringfence audit verify",
    )


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {out}", file=sys.stderr)
