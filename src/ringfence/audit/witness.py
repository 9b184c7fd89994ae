"""The client of a witness: a host that signs a head only if it continues the last one it signed (C2SP tlog-witness)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from ringfence.core.errors import JournalError
from ringfence.manifest.types import Audit
from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, NoteError, UnknownKey, Verifier

from .post import Answer, Unreachable, post

Prove = Callable[[int, int], Sequence[bytes]]  # a consistency proof between two sizes
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n?")
_ATTEMPTS = 4  # another process of this log may be at the same witness


class WitnessError(JournalError):
    """No cosignature of a witness."""


class WitnessDown(WitnessError):
    """It cannot be reached, or fails."""


class WitnessLies(WitnessError):
    """It answers what no honest witness would."""


class WitnessRefuses(WitnessError):
    """It does not know this log or its key."""


class NotContinued(WitnessError):
    """What the witness has signed is no beginning of this log: it was rolled back, forked or rewritten."""


class Witness:
    """One witness, as the manifest names it. For one thread at a time."""

    def __init__(self, url: str, verifier: Verifier, timeout_s: float = 10.0) -> None:
        self.name = f"witness {url}"
        self.verifier = verifier
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._size = 0  # of the last head that it is known to have signed

    def cosign(self, note: str, prove: Prove, handovers: Callable[[], Sequence[str]] = tuple) -> str:
        """Its signature line under a head of ours, checked.

        A witness that does not know the key yet is shown the `handovers`, oldest first, that lead to it.
        Raises WitnessDown, WitnessLies, WitnessRefuses, NotContinued.
        """
        try:
            return self._submit(note, prove)
        except WitnessRefuses:
            if not (earlier := handovers()):
                raise
        for handover in earlier:
            try:
                self._submit(handover, prove)
            except (WitnessRefuses, NotContinued):
                continue  # it knows of that one, and has signed later heads; the last word is had below
        return self._submit(note, prove)

    def _submit(self, note: str, prove: Prove) -> str:
        size = Checkpoint.parse(notes.unverified(note)).size
        old = min(self._size, size)
        for _ in range(_ATTEMPTS):
            answer = self._ask(old, prove(old, size), note)
            if answer.status != 409:
                return self._line(answer, note, old, size)
            there = self._there(answer, old)
            if there > size:
                raise NotContinued(
                    f"{self.name} says that it has signed {there} records of this log, which has {size}: records are "
                    "gone, or a copy of the log was used elsewhere",
                    todo=f"stop writing, keep the file, and compare it with the head at {self._evidence(note)}: "
                    "if no key of yours has signed that one, the witness lies",
                )
            old = there
        raise WitnessDown(f"{self.name} names another size each time", todo="see who else sends it heads of this log")

    def _evidence(self, note: str) -> str:
        """Where a witness shows the last head that it has signed (tlog-witness, for monitors)."""
        origin = Checkpoint.parse(notes.unverified(note)).origin
        return f"{self._url}/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"

    def _ask(self, old: int, proof: Sequence[bytes], note: str) -> Answer:
        lines = [f"old {old}", *map(notes.to_base64, proof), "", ""]
        try:
            return post(self._url + "/add-checkpoint", "\n".join(lines) + note, timeout_s=self._timeout_s)
        except Unreachable as error:
            raise WitnessDown(f"{self.name}: {error.what}", todo=error.todo) from None

    def _there(self, answer: Answer, old: int) -> int:
        found = _SIZE.fullmatch(answer.text)
        if found is None or int(found[1]) == old:
            raise WitnessLies(
                f"{self.name} was told the size {old}, says that it is another one, and names {answer.text[:60]!r}",
                todo="see what listens there; do not count on it until it is explained",
            )
        return int(found[1])

    def _line(self, answer: Answer, note: str, old: int, size: int) -> str:
        match answer.status:
            case 200:
                line = self._checked(answer.text, note)
                self._size = size
                return line
            case 403 | 404:
                known = "its key" if answer.status == 403 else "this log"
                raise WitnessRefuses(
                    f"{self.name} does not know {known}: {answer.text.strip()[:200]}",
                    todo="add the key there: ringfence witness serve --log KEY, with the KEY of `ringfence audit key`",
                )
            case 422:
                raise NotContinued(
                    f"{self.name} says that this log does not continue the {old} records that it has signed: it was "
                    "forked or rewritten",
                    todo="stop writing, keep the file, and compare it with the heads at the anchors: "
                    "ringfence audit verify --anchor FILE",
                )
            case status:
                raise WitnessDown(
                    f"{self.name} answered {status}: {answer.text.strip()[:200]}", todo="look at its own messages"
                )

    def _checked(self, text: str, note: str) -> str:
        """The line of its answer that its key signed; lines of other keys are ignored."""
        why = "it is empty"
        for line in text.removesuffix("\n").split("\n"):
            try:
                if notes.opened(notes.add(note, line), [self.verifier])[1]:
                    return line + "\n"
            except UnknownKey:
                why = "it has signatures of other keys alone"
            except NoteError as error:
                why = error.what
                break
        raise WitnessLies(
            f"{self.name} was asked to sign a head, and its answer does not count: {why}",
            todo=f"compare the key that it prints with {self.verifier} in `audit.witnesses`; do not count on it before",
        )


def from_manifest(audit: Audit) -> list[Witness]:
    """The witnesses of a manifest. Raises NoteError for a key that is none."""
    return [Witness(config.url, Verifier.parse(config.key), config.timeout_s) for config in audit.witnesses]
