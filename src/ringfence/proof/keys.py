"""Keys that sign heads: in a file, or behind a command, such as a client of a KMS.

A file holds the private key as the Go package `sumdb/note` writes it, so that other tools read it:
`PRIVATE+KEY+<name>+<id>+<base64 of the type 0x01 and the seed>`.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ringfence.core.errors import JournalError, ManifestError

from . import programs
from .note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    NoteError,
    Verifier,
    cosigned,
    next_key_of,
    opened,
    to_base64,
    unbase64,
)

_FILE = re.compile(r"PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?")
_MAX_BYTES = 4096
NEXT, OLD = ".next", ".old"  # behind the name of a key file, while a log is handed over


class SignerError(JournalError):
    """No signature can be had, or one that does not fit the key."""


class KeySigner:
    """An Ed25519 key in memory. `seed` is 32 bytes; it is shown nowhere but in `text`."""

    __slots__ = ("_private", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verifier = Verifier(name, ED25519, self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self._private.sign(message)

    @property
    def text(self) -> str:
        """The content of its file."""
        secret = to_base64(bytes([ED25519]) + self._seed)
        return f"PRIVATE+KEY+{self.verifier.name}+{self.verifier.id.hex()}+{secret}\n"

    @classmethod
    def parse(cls, text: str) -> KeySigner:
        """Inverse of `text`; raises NoteError for anything else, without repeating it."""
        found = _FILE.fullmatch(text)
        data = unbase64(found[3]) if found else None
        if not found or not data or data[0] != ED25519 or len(data) != 33:
            raise NoteError("expected PRIVATE+KEY+name+id+base64 of an Ed25519 key, got something else")
        made = cls(found[1], data[1:])
        if made.verifier.id.hex() != found[2]:
            raise NoteError(f"the private key of {found[1]} does not fit the id that it is kept under")
        return made


class Cosigner:
    """Signs checkpoints of others as a witness does (C2SP tlog-cosignature), with a key that does nothing else."""

    def __init__(self, key: FileSigner | KeySigner, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self.verifier = Verifier(key.verifier.name, COSIGNATURE, key.verifier.key)

    def sign(self, message: bytes) -> bytes:
        """The timestamp, 8 bytes, and 64 of the signature over it and the checkpoint."""
        time_s = int(self._clock())
        return time_s.to_bytes(8) + self._key.sign(cosigned(message, time_s))


class CommandSigner:
    """A key that stays where it is: the command gets the bytes on stdin and prints 64 bytes of base64.

    Each signature is checked with the public key before it is used.
    """

    def __init__(
        self, argv: Sequence[str], verifier: Verifier, timeout_s: float = 10.0, *, folder: Path | None = None
    ) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s
        self._folder = folder
        self.verifier = verifier

    def sign(self, message: bytes) -> bytes:
        """Raises JournalError for a command that fails, takes too long, or signs with another key."""
        printed = programs.ask(self._argv, message, timeout_s=self._timeout_s, folder=self._folder)
        signature = unbase64(printed.decode(errors="replace").strip())
        if signature is None or len(signature) != 64:
            raise SignerError(
                f"{self._argv[0]}: expected 64 bytes of base64 on stdout, got {len(printed)} bytes that are none",
                todo="have it print the raw Ed25519 signature over what it reads on stdin",
            )
        if not self.verifier.check(message, signature):
            raise SignerError(
                f"{self._argv[0]} signs with another key than {self.verifier}",
                todo="name the public key of the command in `audit.key.public`, or the right key to the command",
            )
        return signature


def make(file: Path, *, name: str) -> KeySigner:
    """A new key in a new file (0600, its folder 0700), durable. Raises ManifestError if it cannot be made there."""
    signer = KeySigner(name, os.urandom(32))
    temp = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temp.unlink(missing_ok=True)
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
            out.write(signer.text.encode())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(temp, file)  # a link fails where a rename would replace
        finally:
            temp.unlink()
        sync_folder(file.parent)
    except OSError as error:
        if isinstance(error, FileExistsError) and file.exists():
            what, todo = f"there is a key at {file}, and a key is never written over", "use it, or name another file"
        else:
            what, todo = f"no key can be made at {file}: {error.strerror}", "name a file in a folder of your own"
        raise ManifestError(what, todo=todo) from None
    return signer


def load(file: Path, *, newest: str | None = None) -> FileSigner:
    """The key of a file that its owner alone may read. Raises ManifestError, which never shows the content.

    newest  the last head that is kept with the log: the key that signed it, or that it hands the log over to, is the
            one that goes on. A rotation that was interrupted is brought to its end, or back to its beginning.
    """
    signer = FileSigner(file)
    if newest is None or _continues(newest, signer.verifier):
        return signer
    with _locked(file):
        for other in (beside(file, NEXT), beside(file, OLD)):
            if other.exists() and _continues(newest, _read(other).verifier):
                other.rename(file)
                sync_folder(file.parent)
                return FileSigner(file)
    raise ManifestError(
        f"expected the key that goes on after the newest head of this log in {file}, got {signer.verifier}",
        todo="put the right key there; a log goes over to another one with `ringfence audit rotate` alone",
    )


class FileSigner:
    """The key of a file, as it is now: a process that runs on while the key is rotated goes on with the new one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mark = self._stat()
        self._key = _read(file)

    @property
    def verifier(self) -> Verifier:
        """The public key. Raises SignerError if the file is gone or not fit any more."""
        return self._now().verifier

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self._now().sign(message)

    def _now(self) -> KeySigner:
        if (mark := self._stat()) != self._mark:
            try:
                self._key, self._mark = _read(self._file), mark
            except ManifestError as error:
                raise SignerError(error.what, todo=error.todo) from None
        return self._key

    def _stat(self) -> tuple[int, ...]:
        try:
            info = self._file.stat()
        except OSError:
            return ()  # reading it says why
        return info.st_dev, info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns


def beside(file: Path, what: str) -> Path:
    """Where the `NEXT` and the `OLD` key lie while a log is handed over from one to the other."""
    return file.with_name(file.name + what)


@contextmanager
def rotating(file: Path) -> Iterator[tuple[KeySigner, KeySigner]]:
    """The key of a file and a new one, which has taken its place within the block; the old one is destroyed after it.

    The head that both sign has to be made durable within the block. If the block fails, the old key is back.
    """
    following, old = beside(file, NEXT), beside(file, OLD)
    with _locked(file):
        before = _read(file)
        after = _read(following) if following.exists() else make(following, name=before.verifier.name)
        old.unlink(missing_ok=True)
        os.link(file, old)
        sync_folder(file.parent)
        following.rename(file)  # in one step: whoever looks finds one of the two
        sync_folder(file.parent)
        try:
            yield before, after
        except BaseException:
            old.rename(file)
            raise
        finally:
            old.unlink(missing_ok=True)
            sync_folder(file.parent)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One rotation at a time."""
    fd = os.open(beside(file, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _continues(note: str, verifier: Verifier) -> bool:
    """Whether this key signs what comes after a head."""
    try:
        text, _ = opened(note, [verifier])
        return next_key_of(Checkpoint.parse(text)) in (None, verifier)
    except NoteError:
        return False


def _read(file: Path) -> KeySigner:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ManifestError(
            f"the key {file} cannot be read: {error.strerror}",
            todo="`ringfence init` makes the key of a log; restore it from where you keep it if it was lost",
        ) from None
    try:
        info = os.fstat(fd)
        mode = stat.S_IMODE(info.st_mode)
        if not stat.S_ISREG(info.st_mode) or mode not in (0o600, 0o400) or info.st_uid not in (os.geteuid(), 0):
            raise ManifestError(
                f"expected the key {file} to be a file of yours with the mode 0600 or 0400, got mode {mode:04o} of "
                f"user {info.st_uid}",
                todo=f"if nobody else has read it: chmod 600 {file}; then, to be sure: ringfence audit rotate",
            )
        data = os.read(fd, _MAX_BYTES)
    finally:
        os.close(fd)
    try:
        return KeySigner.parse(data.decode("utf-8", "replace"))
    except NoteError as error:
        raise ManifestError(f"{file}: {error.what}", todo="restore the file, or name the right one") from None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that was made, linked or renamed there is found after a crash."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
