"""Proof that a record is in the log: the way from its header to a signed head."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from ringfence.audit import signing
from ringfence.core import chain
from ringfence.core.errors import JournalError
from ringfence.core.values import JSON
from ringfence.manifest.types import Manifest
from ringfence.proof import merkle
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, NoteError, Verifier

VERSION = 1  # of the object that a proof is


def proof_of(log: Any, index: int, held: Sequence[str], trusted: Sequence[Verifier]) -> dict[str, JSON]:
    """The proof of the record at an index, against the newest of the heads `held`; its form is of `VERSION`.

    Raises JournalError for a record that no head covers, and for a log that does not lead to its head.
    """
    origin = notes.ORIGIN + log.id
    note, checkpoint = covering(held, origin, index, trusted)
    try:
        path = merkle.inclusion(map(chain.leaf, log.headers(0, checkpoint.size)), index, checkpoint.size)
    except ValueError as error:
        raise shorter(checkpoint, error) from None
    (header,) = log.headers(index, index + 1)
    leaf = chain.leaf(header)
    if not merkle.included(leaf, index, checkpoint.size, path, checkpoint.root):
        raise JournalError(
            f"record {index} is not under the head over {checkpoint.size} records: this log is not the one that was "
            "signed",
            todo="see what was changed: ringfence audit verify",
        )
    return {"v": VERSION, "origin": origin, "index": index, "size": checkpoint.size, "header": header.decode(),
            "leaf": leaf.hex(), "path": [each.hex() for each in path], "head": note}  # fmt: skip


def trusted_by(manifest: Manifest, log: Any, given: Sequence[Verifier] = ()) -> list[Verifier]:
    """The keys that were given, or that of the manifest; and those that they handed the log over to, one by one."""
    trusted = list(given) or [signing.verifier_of(manifest.audit.key, manifest.root)]
    for head in log.heads():
        with contextlib.suppress(NoteError):
            following = notes.successor(head.note, trusted)
            trusted += [following] if following is not None and following not in trusted else []
    return trusted


def covering(held: Sequence[str], origin: str, index: int, trusted: Sequence[Verifier]) -> tuple[str, Checkpoint]:
    """The newest of the heads, if it is over the record; of those that do not count, the last one says why."""
    best: tuple[str, Checkpoint] | None = None
    failure = JournalError(
        f"expected a signed head of {origin}, got none",
        todo="wait for the next head, or name a file that holds one with --head",
    )
    for note in held:
        try:
            checkpoint = Checkpoint.parse(notes.opened(note, trusted)[0])
        except NoteError as error:
            failure = error
            continue
        if checkpoint.origin == origin and (best is None or checkpoint.size >= best[1].size):
            best = note, checkpoint
    if best is None:
        raise failure
    if best[1].size <= index:
        raise JournalError(
            f"record {index} is not under a head yet: the newest is over {best[1].size} records",
            todo="wait for the next head, or end the run: that makes one",
        )
    return best


def shorter(checkpoint: Checkpoint, error: ValueError) -> JournalError:
    """That a log has fewer records than its head says."""
    return JournalError(
        f"the head is over {checkpoint.size} records, and the log has fewer ({error}): its end is gone",
        todo="see where it ends: ringfence audit verify",
    )
