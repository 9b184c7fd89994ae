"""Heads against the log: those that are kept with it, and those that somebody else has kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.proof import note as notes
from ringfence.proof.note import Checkpoint, Verifier

from .log import Finding

_MANY = 20  # findings of one kind that are told one by one


@dataclass(frozen=True, slots=True)
class Claim:
    """What a head says that can be held against the log: its first `size` records have this `root`."""

    size: int
    root: bytes
    where: str
    anchored: bool = False
    witnessed: bool = False


class Heads:
    """Reads the heads of one log by the keys that are `trusted`, and follows its hand-overs.

    witnesses  keys of hosts that sign a head only if it continues the last one that they saw

    findings  what is wrong with heads themselves
    claims    what those that count say, by size
    """

    def __init__(self, log: str, trusted: Sequence[Verifier], witnesses: Sequence[Verifier] = ()) -> None:
        self._origin = notes.ORIGIN + log
        self._trusted = list(trusted)  # those that may still sign
        self._witnesses = list(witnesses)
        self._since = 0  # before this size the log was another key's, which handed it over to one that is trusted
        self._past: dict[Verifier, int] = {}  # keys that were handed over, and the size of the log by then
        self.findings: list[Finding] = []
        self.claims: list[Claim] = []

    def own(self, kept: Iterable[str]) -> None:
        """The heads that are kept with the log, in order; those before the first of a trusted key count for nothing."""
        began = False
        for number, text in enumerate(kept, 1):
            where = f"head {number} of the log"
            try:
                checkpoint, signed = self._checkpoint(text)
                if not began and notes.next_key_of(checkpoint) in self._trusted:
                    self._since = checkpoint.size
                began = True
            except notes.UnknownKey as error:
                if began:
                    self._tell("unknown-key", f"{where}: {error.what}")
                continue
            except notes.NoteError as error:
                self._tell("bad-signature", f"{where}: {error.what}")
                continue
            if self._counts(checkpoint, signed, where):
                self._claim(text, checkpoint, where, anchored=False)
                self._hand_over(text, checkpoint, signed, where)

    def elsewhere(self, kept: Iterable[str], name: str, *, torn: int = 0) -> None:
        """Heads that an anchor has kept, and how many `torn` ones; call it after `own`, which learns the keys."""
        seen = 0
        if torn:
            text = f"{name} holds {torn} half-written heads: whoever wrote them was interrupted; the others count"
            self.findings.append(Finding("half-written", text, sure=False))
        for number, text in enumerate(kept, 1):
            where = f"head {number} of {name}"
            try:
                checkpoint, signed = self._checkpoint(text)
            except notes.UnknownKey as error:
                if not self._earlier(text):
                    self._tell("unknown-key", f"{where}: {error.what}")
                continue
            except notes.NoteError as error:
                self._tell("bad-signature", f"{where}: {error.what}")
                continue
            if self._counts(checkpoint, signed, where):
                seen += 1
                self._claim(text, checkpoint, where, anchored=True)
        if not seen and not any(finding.sure for finding in self.findings):
            text = f"{name} holds no head that could be checked: it is empty, or its heads are an earlier key's"
            self.findings.append(Finding("no-head", text, sure=False))

    def _earlier(self, text: str) -> bool:
        """Whether a head claims to be from before the log was handed over to the first key that is trusted here."""
        checkpoint = Checkpoint.parse(notes.unverified(text))
        return checkpoint.origin == self._origin and checkpoint.size <= self._since

    def _checkpoint(self, text: str) -> tuple[Checkpoint, list[Verifier]]:
        """What a head says, and which of the keys that count signed it."""
        opened, signed = notes.opened(text, [*self._trusted, *self._past])
        return Checkpoint.parse(opened), signed

    def _counts(self, checkpoint: Checkpoint, signed: Sequence[Verifier], where: str) -> bool:
        if checkpoint.origin != self._origin:
            self._tell("other-log", f"{where} is of {checkpoint.origin}, and this log is {self._origin}")
            return False
        limits = [self._past[key] for key in signed if key in self._past]
        if limits and not any(key in self._trusted for key in signed) and checkpoint.size > max(limits):
            self._tell(
                "expired-key",
                f"{where}, over {checkpoint.size} records, was signed with a key that was handed over at {max(limits)}",
            )
            return False
        return True

    def _hand_over(self, text: str, checkpoint: Checkpoint, signed: Sequence[Verifier], where: str) -> None:
        try:
            if notes.next_key_of(checkpoint) is None and any(key in self._trusted for key in signed):
                return  # as nearly all heads are: its signatures have been checked, once
            following = notes.successor(text, self._trusted)
        except notes.NoteError as error:
            self._tell("bad-signature", f"{where} hands the log over: {error.what}")
            return
        if following is not None and following not in self._trusted:
            self._past |= dict.fromkeys(self._trusted, checkpoint.size)
            self._trusted = [following]

    def _claim(self, text: str, checkpoint: Checkpoint, where: str, *, anchored: bool) -> None:
        try:
            witnessed = bool(self._witnesses and notes.opened(text, self._witnesses))
        except notes.UnknownKey:
            witnessed = False
        except notes.NoteError as error:
            self._tell("bad-signature", f"{where}: {error.what}")
            witnessed = False
        self.claims.append(Claim(checkpoint.size, checkpoint.root, where, anchored, witnessed))

    def _tell(self, code: str, text: str) -> None:
        if sum(finding.code == code for finding in self.findings) < _MANY:
            self.findings.append(Finding(code, text))


def broken(claim: Claim, *, others_hold: bool) -> Finding:
    """What it means that the log has another root than a head says. `others_hold`: newer heads of its own fit it."""
    what = f"the first {claim.size} records are not those of {claim.where}"
    if claim.witnessed:
        return Finding(
            "stolen-key", f"{what}, which a witness signed too: the log was rewritten, whoever signed it anew"
        )
    if claim.anchored and others_hold:
        return Finding("fork", f"{what}, and its own heads fit: two logs under one name were signed with one key")
    return Finding("rewritten", f"{what}: they were rewritten after it was signed")


def beyond(claim: Claim, size: int) -> Finding:
    """What it means that a head covers more than there is."""
    what = f"{claim.where} is over {claim.size} records, and the log has {size}"
    if claim.anchored:
        return Finding("rollback", f"{what}: it was rolled back, or its end was cut off")
    return Finding("cut-tail", f"{what}: records were removed at its end")
