"""The journal on SQLite: one writer thread (`batches`), commits in groups, durable when `flush` returns (DESIGN 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import file
from .batches import MAX_DELAY_S, Batch, Batches
from .reader import SqliteLog
from .rows import Entry
from .shown import Redactor, Shown
from .vault import Vault
from .writer import Notary, State, Writer


class SqliteJournal:
    """`ports.Journal` on a file. `append` queues; a batch is committed when somebody waits in `flush`, at the latest
    `max_delay_s` after its first record. Records of all runs share commits. Once a commit has failed, every later call
    fails: an effect whose record cannot be made durable does not happen.

    One file may have several writing processes; one run has one writer at a time, and a second one is fenced out.

    vault     the keys that bodies are sealed with; those in `keys/` beside the file if not given
    redactor  takes personal data out of what readers without a key see; without one they see codes and digests
    notary    signs heads; without one there are none
    """

    def __init__(
        self,
        path: Path,
        *,
        vault: Vault | None = None,
        redactor: Redactor | None = None,
        notary: Notary | None = None,
        max_delay_s: float = MAX_DELAY_S,
        vfs: str | None = None,
    ) -> None:
        self.path = path
        self.vault = vault or Vault(path.parent / "keys", vfs=vfs)
        self._vfs = vfs
        self._notary = notary
        self._writer = Writer(file.connect(path, write=True, vfs=vfs), path, self.vault, notary)
        self._shown = Shown(redactor, self._before) if redactor is not None else None
        self._max_delay_s = max_delay_s
        self._batches = self._new_batches()
        self._log: SqliteLog | None = None

    @property
    def broken(self) -> bool:
        """Whether a commit has failed, and nothing is taken in any more."""
        return self._batches.failed

    def mend(self) -> None:
        """Begin anew behind what is durable, after a commit has failed; what came after that is gone.

        Only while nobody drives a run: who goes on reads it again first. Raises JournalError if it cannot be written.
        """
        if not self._batches.failed:
            return
        self._batches.close()
        self._writer.close()
        self._writer = Writer(file.connect(self.path, write=True, vfs=self._vfs), self.path, self.vault, self._notary)
        self._batches = self._new_batches()

    def _new_batches(self) -> Batches[Entry, State]:
        return Batches(self._commit, where=str(self.path), max_delay_s=self._max_delay_s)

    @property
    def newest_head(self) -> str | None:
        """The last head that is kept: for who signs the next one."""
        return self._writer.newest_head

    @property
    def required(self) -> bool:
        """Whether an effect waits until the head over its intent is at every anchor."""
        return self._notary is not None and self._notary.required

    @property
    def log(self) -> SqliteLog:
        """The reading side, on a connection of its own; it sees what is durable."""
        if self._log is None:
            self._log = SqliteLog(self.path, vault=self.vault, vfs=self._vfs)
        return self._log

    def append(self, record: Record) -> None:
        """Queue a record for the next commit. Raises JournalError for what cannot be written, and after a failure."""
        shown = self._shown.of(record) if self._shown is not None else None
        self._batches.add(Entry.of(record, self._writer.log, shown=shown))

    def recall(self, run: str, log: SqliteLog) -> None:
        """Number a run's placeholders as before, for who hides contents from a model before the next record comes.

        It is read from `log`, in any thread that this belongs to.
        """
        if self._shown is not None:
            self._shown.recall(run, (record.body for record in log.read(run)))

    def keep_state(self, run: str, seq: int, state: bytes) -> None:
        """Keep what a run had become at a record, sealed, in place of what was kept of it before.

        It is committed with the record, which has to be appended first, and gone when the run has ended.
        """
        self._batches.keep((run, seq, state))

    async def flush(self, *, anchored: bool = False) -> None:
        """Return when everything appended so far is durable; raises JournalError if it cannot be made so.

        With `anchored`, where the operator requires it, a head over it is at every anchor as well.
        """
        await self._batches.flush(anchored=anchored and self.required)

    def alias(self, subject: str) -> str:
        """What records call a subject that is no principal: a view's `subjects` hold these, and never a name."""
        return self.vault.alias(subject)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What kept the newest head from being signed, or from getting where it should be."""
        return () if self._notary is None else self._notary.troubles

    def hand_over(self, note: Callable[[int, bytes], str]) -> str:
        """Keep a head that hands the log over to another key, and hand it on; `note` makes it, of a size and a root."""
        with file.faults(self.path):
            made = self._writer.hand_over(note)
        if self._notary is not None:
            self._notary.publish(made, wait=False)
        return made

    def cosigned(self, size: int, note: str) -> None:
        """Keep a head with the signatures that witnesses have added to it, at the next commit."""
        self._writer.cosigned[size] = note

    def _before(self, run: str) -> Iterator[JSON]:
        """The bodies of a run that goes on."""
        return (record.body for record in self.log.read(run))

    def close(self) -> None:
        """Commit what is queued and let go of the file. Raises a JournalError that nobody was told of yet."""
        self._batches.close()
        if self._log is not None:
            self._log.close()
            self._log = None
        if not self._batches.failed:
            self._writer.conclude()
            self._publish(wait=False)
        if self._notary is not None:
            self._notary.close()
        if not self._batches.failed:
            self._writer.conclude()  # with what witnesses have signed meanwhile
        self._writer.close()
        self.vault.close()
        self._batches.complain()

    def __enter__(self) -> SqliteJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(self, batch: Batch[Entry, State]) -> JournalError | None:
        """Make a batch durable; what kept its head from an anchor, if somebody waits for that."""
        try:
            self._writer.commit(batch.entries, batch.states, head=bool(batch.anchored))
            return self._publish(wait=bool(batch.anchored))
        except apsw.Error as error:
            raise file.explain(error, self.path) from error

    def _publish(self, *, wait: bool) -> JournalError | None:
        """Hand the newest head on; with `wait`, why it is not at every anchor."""
        if self._notary is None or not (self._writer.fresh or wait):
            return None
        if wait and self._writer.unsigned is not None:
            return JournalError(
                f"audit.required is set, and {self._writer.unsigned.what}",
                todo=f"{self._writer.unsigned.todo or 'mend the key'}; then `ringfence runs resume ID`",
            )
        self._writer.fresh = False
        try:
            self._notary.publish(self._writer.note, wait=wait)
        except JournalError as error:
            return error
        return None
