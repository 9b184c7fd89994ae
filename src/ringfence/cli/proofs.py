"""`ringfence audit prove`, `consistency`, `key` and `rotate`."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..app.proving import proof_of, shorter, trusted_by
from ..audit import anchors, signing
from ..core import chain
from ..core.chain import Frontier
from ..core.errors import JournalError, ManifestError
from ..manifest.loader import load
from ..proof import keys, merkle
from ..proof import note as notes
from ..proof.note import Checkpoint, Verifier
from ..stores import rows
from ..stores.log import Log
from .exits import Exit
from .runs import open_log


def prove(manifest: Path, record: str, *, head: Path | None, given: Sequence[str], out: Path | None) -> None:
    """Print the proof of one record as JSON."""
    with open_log(manifest) as log:
        index = _index(log, record)
        held = _kept(head) if head else [each.note for each in log.heads()]
        proof = proof_of(log, index, held, _trusted(manifest, given, log))
    _write(json.dumps(proof, indent=1, ensure_ascii=False) + "\n", out)


def consistency(manifest: Path, old: str, new: str, *, given: Sequence[str]) -> Exit:
    """Print the proof between two heads as JSON, and on stderr whether they agree."""
    with open_log(manifest) as log:
        trusted = _trusted(manifest, given, log)
        first, second = (_head(log, each, trusted) for each in (old, new))
        if first.size > second.size:
            raise ManifestError(
                f"expected the smaller head first, got {first.size} and {second.size} records", todo="swap the two"
            )
        try:
            path = merkle.consistency(map(chain.leaf, log.headers(0, second.size)), first.size, second.size)
        except ValueError as error:
            raise shorter(second, error) from None
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
    """Hand the log over to a new key, in the place of the old one; processes that write meanwhile go on with the new.

    The file changes hands within the transaction of the head that both keys sign: no other head is signed between.
    """
    from ..app import record
    from .approvals import warn

    loaded = load(manifest)
    if loaded.audit.key is not None and loaded.audit.key.command is not None:
        raise ManifestError(
            "expected a key in a file, got a command: only its owner can make it sign with another key",
            todo="begin a new log with the new key, and keep the old log with its own",
        )
    with open_log(manifest) as log:
        origin, held = log.id, log.heads()
    file = signing.key_file(loaded.audit.key, loaded.root)
    keys.load(file, newest=held[-1].note if held else None)
    with record.open_journal(loaded) as journal, contextlib.ExitStack() as until_durable:

        def hand_over(size: int, root: bytes) -> str:
            old, new = until_durable.enter_context(keys.rotating(file))
            return notes.head(origin, size, root, int(time.time() * 1000), old, new, next_key=new.verifier)

        note = journal.hand_over(hand_over)
    warn(journal)
    checkpoint = Checkpoint.parse(notes.unverified(note))
    print(notes.next_key_of(checkpoint))
    print(f"the log went over to this key after {checkpoint.size} records; give it to whoever checks", file=sys.stderr)


def _index(log: Log, record: str) -> int:
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
    run, needle = log.find(run), int(seq)
    for index, header in enumerate(log.headers()):  # no content is opened: an auditor has no key for it
        if (
            rows.marker(run, needle) in header
            and (parsed := rows.parse(header))["run"] == run
            and parsed["seq"] == needle
        ):
            return index
    raise JournalError(f"run {run} has no record {seq}", todo=f"see which it has: ringfence runs export {run}")


def _trusted(manifest: Path, given: Sequence[str], log: Log) -> list[Verifier]:
    return trusted_by(load(manifest), log, [Verifier.parse(vkey) for vkey in given])


def _head(log: Log, named: str, trusted: Sequence[Verifier]) -> Checkpoint:
    """The head in a file, checked; or that of the log itself over so many records."""
    if named.isascii() and named.isdigit() and not Path(named).exists():
        size, frontier = int(named), Frontier()
        for header in log.headers(0, size):
            frontier.append(chain.leaf(header))
        if frontier.size < size:
            raise JournalError(f"the log has {frontier.size} records, and not {size}", todo="name a smaller number")
        return Checkpoint(notes.ORIGIN + log.id, size, frontier.root())
    checkpoint = Checkpoint.parse(notes.opened(_kept(Path(named))[-1], trusted)[0])
    if checkpoint.origin != notes.ORIGIN + log.id:
        raise JournalError(
            f"the head in {named} is of {checkpoint.origin}, and this log is {notes.ORIGIN}{log.id}",
            todo="name a head of this log, or the manifest beside the other one",
        )
    return checkpoint


def _kept(path: Path) -> list[str]:
    kept = anchors.read(path)
    if not kept.notes:
        what = "a half-written head" if kept.torn else "no head"
        raise JournalError(f"expected a signed head in {path}, got {what}", todo="name a file that an anchor keeps")
    return kept.notes


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {out}", file=sys.stderr)
