"""Sealed bodies of a chunk: what is about the same subjects, in the same month, lies in one parcel under one lock."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..core import chain
from ..core.errors import JournalError
from .rows import Chunk, Squeeze, damaged
from .vault import ID_BYTES, Lock, Sealed, Vault

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bodies under one lock. `ids` of its keys; `records` by their place in the chunk."""

    ids: tuple[bytes, ...]
    records: tuple[int, ...]
    sealed: bytes


class Parcels:
    """Seals and opens the bodies of one log."""

    def __init__(self, log: str, squeeze: Squeeze, vault: Vault) -> None:
        self._log = log
        self._squeeze = squeeze
        self.vault = vault

    def pack(self, bodies: Sequence[bytes], locks: Sequence[Lock], index: int) -> bytes:
        """The bodies of a chunk that begins at `index`, each under its lock."""
        together: dict[tuple[bytes, ...], list[int]] = {}
        for at, lock in enumerate(locks):
            together.setdefault(lock.ids, []).append(at)
        parcels = (
            Parcel(ids, tuple(places), self._seal([bodies[at] for at in places], locks[places[0]], index, number))
            for number, (ids, places) in enumerate(together.items())
        )
        return _joined(list(parcels), len(bodies))

    def bodies(self, chunk: Chunk, wanted: Collection[int] | None = None) -> Iterator[tuple[int, bytes, bytes]]:
        """Place in the chunk, body and commitment key of the records `wanted` (of all); a destroyed body is empty.

        Raises Sealed for a parcel whose keys are gone, JournalError for one that is not as it was sealed.
        """
        for number, parcel in enumerate(split(chunk)):
            if wanted is None or not set(wanted).isdisjoint(parcel.records):
                yield from self.opened(chunk, number, parcel)

    def opened(self, chunk: Chunk, number: int, parcel: Parcel) -> Iterator[tuple[int, bytes, bytes]]:
        """As `bodies`, of one parcel of a chunk."""
        lock = self.vault.opened(parcel.ids)
        try:
            lines = self._squeeze.unpack(lock.open(parcel.sealed, self._place(chunk.index, number)))
        except ValueError as error:
            raise damaged(
                f"the bodies from record {chunk.index + parcel.records[0]} on are not as they were sealed"
            ) from error
        if len(lines) != len(parcel.records):
            raise damaged(f"a parcel of {len(parcel.records)} bodies holds {len(lines)}")
        for at, line in zip(parcel.records, lines, strict=True):
            yield at, line, lock.commit

    def without(self, chunk: Chunk, doomed: Collection[int]) -> tuple[bytes, int]:
        """The `bodies` of a chunk without those at some places, and how many there were; sealed ones stay."""
        parcels, count = split(chunk), 0
        for number, parcel in enumerate(parcels):
            if set(doomed).isdisjoint(parcel.records):
                continue
            try:
                lines = list(self.opened(chunk, number, parcel))
            except Sealed:
                continue
            count += sum(1 for at, line, _ in lines if line and at in doomed)
            kept = [b"" if at in doomed else line for at, line, _ in lines]
            sealed = self._seal(kept, self.vault.opened(parcel.ids), chunk.index, number)
            parcels[number] = Parcel(parcel.ids, parcel.records, sealed)
        return _joined(parcels, len(chunk)), count

    def seal_state(self, state: bytes, lock: Lock, run: str, seq: int) -> bytes:
        """What a run had become at a record."""
        ids = bytes([len(lock.ids)]) + b"".join(lock.ids)
        return ids + lock.seal(self._squeeze.pack([state]), self._at(run, seq))

    def open_state(self, sealed: bytes, run: str, seq: int) -> bytes:
        """Inverse of `seal_state`; raises JournalError if it cannot be opened."""
        end = 1 + (sealed[0] if sealed else 0) * ID_BYTES
        lock = self.vault.opened(tuple(sealed[at : at + ID_BYTES] for at in range(1, end, ID_BYTES)))
        try:
            return b"\n".join(self._squeeze.unpack(lock.open(sealed[end:], self._at(run, seq))))
        except ValueError as error:
            raise damaged(f"the state of run {run} is not as it was sealed") from error

    def seal_task(self, task: str, lock: Lock, index: int) -> bytes:
        """The words of a run's task, whose first record is at `index`."""
        ids = bytes([len(lock.ids)]) + b"".join(lock.ids)
        return ids + lock.seal(task.encode(), self._task(index))

    def open_task(self, sealed: bytes, index: int) -> str | None:
        """Inverse of `seal_task`; None for one that cannot be opened, whatever the reason."""
        end = 1 + (sealed[0] if sealed else 0) * ID_BYTES
        try:
            lock = self.vault.opened(tuple(sealed[at : at + ID_BYTES] for at in range(1, end, ID_BYTES)))
            return lock.open(sealed[end:], self._task(index)).decode()
        except (JournalError, ValueError):
            return None

    def _task(self, index: int) -> bytes:
        return b"%s/%d/task" % (self._log.encode(), index)

    def _at(self, run: str, seq: int) -> bytes:
        return b"%s/%s/%d" % (self._log.encode(), run.encode(), seq)

    def _seal(self, lines: Sequence[bytes], lock: Lock, index: int, number: int) -> bytes:
        return lock.seal(self._squeeze.pack(lines), self._place(index, number))

    def _place(self, index: int, number: int) -> bytes:
        return b"%s/%d/%d" % (self._log.encode(), index, number)


def proven(body: bytes, key: bytes, stated: str) -> bool:
    """Whether a body is the one that its header commits to; one that was destroyed cannot be told."""
    return not body or chain.commitment(key, body).hex() == stated


def split(chunk: Chunk) -> list[Parcel]:
    """The parcels of a chunk, as they are stored; raises JournalError for bytes that are none."""
    data, size = chunk.bodies, len(chunk)
    try:
        which, at = data[1 : 1 + size], 1 + size
        if len(which) != size or (which and max(which) >= data[0]):
            raise ValueError("a record belongs to no parcel")
        parcels = []
        for number in range(data[0]):
            count = data[at]
            ids = tuple(data[at + 1 + n * ID_BYTES : at + 1 + (n + 1) * ID_BYTES] for n in range(count))
            at += 1 + count * ID_BYTES
            (length,) = _LENGTH.unpack_from(data, at)
            sealed = data[at + _LENGTH.size : at + _LENGTH.size + length]
            at += _LENGTH.size + length
            parcels.append(Parcel(ids, tuple(n for n, owner in enumerate(which) if owner == number), sealed))
        if at != len(data) or not all(parcel.records for parcel in parcels):
            raise ValueError("its parcels end too early or too late")
    except (IndexError, ValueError, struct.error) as error:
        raise damaged(f"the bodies from record {chunk.index} on cannot be told apart ({error})") from error
    return parcels


def _joined(parcels: Sequence[Parcel], size: int) -> bytes:
    """Number of parcels; for each record its parcel's number; each parcel: number of ids, ids, length, sealed bytes."""
    which = bytearray(size)
    for number, parcel in enumerate(parcels):
        for at in parcel.records:
            which[at] = number
    pieces = [bytes([len(parcels)]), bytes(which)]
    for parcel in parcels:
        pieces += [bytes([len(parcel.ids)]), *parcel.ids, _LENGTH.pack(len(parcel.sealed)), parcel.sealed]
    return b"".join(pieces)


def explained(error: Sealed, run: str) -> JournalError:
    """Why the contents of a run cannot be read, in words."""
    return Sealed(
        f"run {run}: {error.what}",
        todo=error.todo or "its redacted view is what remains: ringfence runs show",
        destroyed=error.destroyed,
    )
