"""Signs the heads of the log as it grows, and hands them to anchors and witnesses in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ringfence.core.errors import JournalError, RingfenceError
from ringfence.proof import note as notes
from ringfence.proof.note import Signer

Publish = Callable[[str], tuple[str, list[str]]]  # a head -> the head with cosignatures, and what failed


class Notary:
    """`stores.writer.Notary`. `signer` gives the key when the first head is due; a key that cannot be had is a trouble.

    publish   hands a head on; None if there is nobody to hand it to
    cosigned  gets a head back that witnesses have signed too
    troubles  what went wrong since the last head that got everywhere, for whoever watches
    """

    def __init__(
        self, signer: Callable[[], Signer], *, required: bool, every_s: float, publish: Publish | None = None
    ) -> None:
        self.required = required
        self.every_ms = int(every_s * 1000)
        self.cosigned: Callable[[int, str], None] = lambda size, note: None
        self.troubles: tuple[str, ...] = ()
        self._signer_of = signer
        self._signer: Signer | None = None
        self._publish = publish
        self._wanted: str | None = None
        self._more = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def sign(self, log: str, size: int, root: bytes, time: int) -> str:
        """The signed head of a log; `time` in milliseconds since 1970 UTC."""
        try:
            if self._signer is None:
                self._signer = self._signer_of()
            return notes.head(log, size, root, time, self._signer)
        except RingfenceError as error:  # a key that is not there, or a program that does not sign
            what = f"no head can be signed: {error.what}"
            self.troubles = (what,)
            raise JournalError(what, todo=error.todo) from error

    def publish(self, note: str, *, wait: bool) -> None:
        """Hand a head on, the newest only; with `wait`, raises JournalError unless everybody has it."""
        if self._publish is None:
            return
        if wait:
            self._hand_on(note)
            if self.troubles:
                raise JournalError(
                    f"audit.required is set, and the head over this is not everywhere: {self.troubles[0]}",
                    todo="mend the anchor, or take it out of the manifest; then `ringfence runs resume ID`",
                )
            return
        with self._more:
            self._wanted = note
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ringfence-heads", daemon=True)
                self._thread.start()
            self._more.notify()

    def close(self) -> None:
        """Return when the newest head was handed on, or could not be."""
        with self._more:
            self._closed = True
            self._more.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while True:
            with self._more:
                while self._wanted is None and not self._closed:
                    self._more.wait()
                note, self._wanted = self._wanted, None
            if note is None:
                return
            self._hand_on(note)

    def _hand_on(self, note: str) -> None:
        assert self._publish is not None
        signed, failures = self._publish(note)
        self.troubles = tuple(failures)
        if signed != note:
            self.cosigned(notes.Checkpoint.parse(notes.unverified(note)).size, signed)
