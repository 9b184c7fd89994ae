"""The process that owns the log: agents append over a Unix socket, and can do nothing else to it.

It runs as a user of its own. There is no verb that changes or removes a record, or that picks its place. Who is at the
other end is the kernel's word (SO_PEERCRED): a run belongs to the user who began it, and nobody else continues it or
reads its contents. What a client does wrong ends its own connection.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import stat
import struct
import threading
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from ..core.chain import Record
from ..core.errors import JournalError
from ..core.values import JSON
from . import file, wire
from .reader import SqliteLog
from .sqlite import SqliteJournal
from .vault import Sealed, Vault
from .verbs import VERBS

CONNECTIONS = 64  # of one user at once
STALL_S = 30.0  # within a frame
_KNOWN = 4096  # runs whose owner and next record are remembered
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: `struct ucred` of unix(7)
_QUEUED_BYTES = 4 << 20
_WAITING = 1024  # snapshots of one connection whose records have not come yet


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection, as the kernel says."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        """By SO_PEERCRED: as it was when they connected."""
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return cls(*_CREDENTIALS.unpack(data))

    def sees(self, owner: int | None) -> bool:
        """Whether the contents of a user's run are theirs: root and the recorder's own user see all."""
        return self.uid in (0, os.geteuid(), owner)


class Owners:
    """Whose each run is, in a file beside the journal (0600), durable before the run's first record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()  # readers ask from threads of their own
        with file.faults(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(1000)
            self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS owners(run TEXT PRIMARY KEY, uid INTEGER) STRICT, WITHOUT ROWID"
            )

    def of(self, run: str) -> int | None:
        """The user id of a run's owner; None for a run that no client began."""
        with self._lock, file.faults(self._path):
            found: int | None = self._db.execute("SELECT uid FROM owners WHERE run = ?", (run,)).get
            return found

    def bind(self, runs: Iterable[str], uid: int) -> None:
        """Durable when it returns; who was first stays the owner."""
        with self._lock, file.faults(self._path), self._db:
            self._db.executemany("INSERT OR IGNORE INTO owners VALUES (?, ?)", [(run, uid) for run in runs])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class Refused(Exception):
    """What a client asked for is not done, and its connection ends."""

    def __init__(self, why: str, todo: str = "") -> None:
        super().__init__(why)
        self.todo = todo


class Recorder:
    """Serves one journal to the clients of one socket. `notice` is told who comes and what is refused."""

    def __init__(self, journal: SqliteJournal, *, notice: Callable[[str], None] = lambda _: None) -> None:
        self._journal = journal
        self._path = journal.path
        self._owners = Owners(journal.path.with_name(journal.path.name + ".owners"))
        self._notice = notice
        self._next: OrderedDict[str, tuple[int, int]] = OrderedDict()  # whose a run is, and its next record
        self._users: Counter[int] = Counter()
        self._queued = 0  # bytes of records that nobody has waited for yet
        self._verifying = asyncio.Lock()
        self._log = SqliteLog(journal.path, vault=journal.vault)
        self.failed: asyncio.Future[JournalError] = asyncio.get_running_loop().create_future()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it hangs up or does something that it may not."""
        peer, link = Peer.of(writer.get_extra_info("socket")), _Link(self._path, self._journal.vault)
        self._users[peer.uid] += 1
        try:
            if self._users[peer.uid] > CONNECTIONS:
                raise Refused(f"user {peer.uid} has {CONNECTIONS} connections already", "close some")
            self._notice(f"uid {peer.uid} pid {peer.pid}: connected")
            while (data := await _frame(reader)) is not None:
                async for answer in self._answers(peer, _asked(data), len(data), link):
                    writer.write(wire.frame(answer))
                    await writer.drain()
        except (Refused, JournalError) as error:
            what, todo = (error.what, error.todo) if isinstance(error, JournalError) else (str(error), error.todo)
            self._notice(f"uid {peer.uid} pid {peer.pid}: refused: {what}")
            with contextlib.suppress(OSError):
                writer.write(wire.frame(wire.dumps({"error": what, "todo": todo})))
                await writer.drain()
        except OSError as error:
            self._notice(f"uid {peer.uid} pid {peer.pid}: lost: {error}")
        except Exception as error:  # ours; the others' connections go on
            self._notice(f"uid {peer.uid} pid {peer.pid}: failed in our own code, please report it: {error!r}")
        finally:
            self._users[peer.uid] -= 1
            link.close()
            writer.close()

    def close(self) -> None:
        """Make everything durable and let go of the files."""
        self._log.close()
        self._owners.close()
        self._journal.close()

    async def _answers(self, peer: Peer, asked: dict[str, Any], size: int, link: _Link) -> AsyncIterator[bytes]:
        match asked:
            case {"append": list(lines), **rest} if not rest:
                self._append(peer, lines, link)
                self._queued += size
                if self._queued > _QUEUED_BYTES:  # a client that never waits waits here
                    await self._flush()
            case {"flush": int(count), "anchored": bool(anchored), **rest} if not rest:
                link.states.clear()
                missing = await self._flush(anchored=anchored)
                said = {"required": self._journal.required, "troubles": self._journal.troubles}
                yield wire.dumps({"flushed": count, "unanchored": missing, **said})
            case {"state": [str(run), int(seq), str(state)], **rest} if not rest:
                link.hold(run, seq, state)
            case {"ask": str(verb), "with": list(values), **rest} if not rest:
                try:
                    found = await self._read(peer, verb, values, link)
                except (TypeError, IndexError, ValueError) as error:
                    raise Refused(f"{verb!r} cannot be asked so: {error}") from None
                except JournalError as error:  # an answer, such as that there is no such run
                    sealed = {"destroyed": error.destroyed} if isinstance(error, Sealed) else {}
                    yield wire.dumps({"error": error.what, "todo": error.todo, **sealed})
                    return
                pieces = list(wire.parts(map(wire.dumps, found))) or [[]]
                for left, piece in zip(reversed(range(len(pieces))), pieces, strict=True):
                    yield b'{"part":[%s],"more":%s}' % (b",".join(piece), b"true" if left else b"false")
            case {"hello": wire.VERSION, **rest} if not rest:
                yield wire.dumps({"v": wire.VERSION, "log": self._log.id, "uid": peer.uid})
            case {"hello": other, **rest} if not rest:
                raise Refused(
                    f"expected version {wire.VERSION} of a client, got {other!r}", "upgrade the older of the two"
                )
            case _:
                raise Refused("expected append, flush or ask")

    def _append(self, peer: Peer, lines: list[JSON], link: _Link) -> None:
        """Queue a client's records, each the next one of a run of its own, with the snapshots that wait for them."""
        try:
            records = [wire.decoded(line) for line in lines]
        except ValueError as error:
            raise Refused(f"expected records: {error}") from None
        begun = {record.run for record in records if record.seq == 0 and self._known(record.run)[1] == 0}
        if begun:
            self._owners.bind(begun, peer.uid)
        for record in records:
            self._admit(peer, record)
            self._journal.append(record)
            self._next[record.run] = peer.uid, record.seq + 1
            self._next.move_to_end(record.run)
            if (state := link.states.pop((record.run, record.seq), None)) is not None:
                self._journal.keep_state(record.run, record.seq, state)

    def _admit(self, peer: Peer, record: Record) -> None:
        """The fence: before the journal sees it, so that one client's mistake is no failure for the others."""
        owner, following = self._known(record.run)
        if owner != peer.uid:
            raise Refused(f"run {record.run} is not one of uid {peer.uid}", "a run goes on as the user who began it")
        if record.seq != following:
            raise Refused(
                f"run {record.run}: record {record.seq} was appended, and the next one is {following}",
                f"let another process that writes it finish, then `ringfence runs show {record.run}`",
            )

    def _known(self, run: str) -> tuple[int | None, int]:
        """Whose a run is, and its next record."""
        return self._next.get(run) or (self._owners.of(run), len(self._log.views(run)))

    async def _flush(self, *, anchored: bool = False) -> tuple[str, str]:
        """Make all of it durable. What kept it from an anchor, and what to do; empty if nothing did."""
        self._queued = 0
        missing = ("", "")
        try:
            try:
                await self._journal.flush(anchored=anchored)
            except JournalError as error:
                if not anchored:
                    raise
                await self._journal.flush()  # it may be durable, and not anchored
                missing = (error.what, error.todo)
        except JournalError as error:
            if not self.failed.done():
                self.failed.set_result(error)
            raise
        while len(self._next) > _KNOWN and not self._queued:  # what is not durable yet has to be remembered
            self._next.popitem(last=False)
        return missing

    async def _read(self, peer: Peer, verb: str, values: list[JSON], link: _Link) -> Iterable[JSON]:
        """What a reader may ask. Contents are those of the peer's own runs; headers and counts are everybody's."""
        if verb == "alias":
            (subject,) = values
            return [await asyncio.to_thread(self._journal.alias, str(subject))]
        if verb not in VERBS:
            raise Refused(f"expected one of {', '.join(VERBS)}, got {verb!r}")
        async with self._verifying if verb == "verify" else contextlib.nullcontext():
            return await asyncio.to_thread(lambda: VERBS[verb](link.log(), partial(self._sees, peer), *values))

    def _sees(self, peer: Peer, run: str) -> bool:
        return peer.sees(self._owners.of(run))


class _Link:
    """What one connection has: the reading side, opened when it is first asked for, and the snapshots that wait.

    states  what a run of theirs becomes with the record of this number, by both. A snapshot comes before its record,
            since the record is committed within milliseconds and takes along what is there by then.
    """

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self._vault = vault
        self._log: SqliteLog | None = None
        self.states: dict[tuple[str, int], bytes] = {}

    def log(self) -> SqliteLog:
        """The log."""
        self._log = self._log or SqliteLog(self._path, vault=self._vault)
        return self._log

    def hold(self, run: str, seq: int, state: str) -> None:
        """Keep a snapshot until its record comes, or a flush; it only saves time, and too many push out the oldest."""
        try:
            self.states[run, seq] = base64.b64decode(state, validate=True)
        except ValueError as error:
            raise Refused(f"expected base64: {error}") from None
        while len(self.states) > 1 and (len(self.states) > _WAITING or self._held() > _QUEUED_BYTES):
            del self.states[next(iter(self.states))]

    def _held(self) -> int:
        return sum(len(run) + len(state) for (run, _), state in self.states.items())

    def close(self) -> None:
        """Let go of it."""
        if self._log is not None:
            with contextlib.suppress(apsw.Error):  # a thread is still reading when all of us ends
                self._log.close()


def _asked(data: bytes) -> dict[str, Any]:
    try:
        return wire.loads(data)
    except ValueError as error:
        raise Refused(f"expected a JSON object: {error}") from None


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame; None at the end. One that is cut off, too long or too slow is refused."""
    try:
        head = await reader.readexactly(wire.LENGTH.size)
        (length,) = wire.LENGTH.unpack(head)
        if length > wire.FRAME_BYTES:
            raise Refused(f"expected a frame of at most {wire.FRAME_BYTES} bytes, got one of {length}")
        async with asyncio.timeout(STALL_S):
            return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ConnectionResetError("it ended within a frame") from None
        return None
    except TimeoutError:
        raise Refused(f"expected the rest of a frame within {STALL_S:.0f} s") from None


@asynccontextmanager
async def listening(
    path: Path, journal: SqliteJournal, *, group: int | None = None, notice: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Recorder]:
    """A recorder at work on a socket (0660, of `group` where given), which closes the journal in the end.

    Raises JournalError if it cannot be.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        raise JournalError("a recorder needs the word of the kernel on who connects (Linux)", todo="use a journal file")
    recorder = Recorder(journal, notice=notice)
    try:
        bound = _bind(path, group)
    except OSError as error:
        recorder.close()
        raise JournalError(
            f"the socket {path} cannot be made: {error.strerror or error}",
            todo="name a path in a folder that only the recorder's user may write to",
        ) from error
    server = await asyncio.start_unix_server(recorder.serve, sock=bound, limit=1 << 16)
    try:
        yield recorder
    finally:
        server.close()
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
        recorder.close()


def _bind(path: Path, group: int | None) -> socket.socket:
    """A socket under this name; one that nobody listens on any more is replaced."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        bound.bind(str(path))
        if group is not None:
            os.chown(path, -1, group)
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound
