"""Who may come in: accounts and their passwords, sessions, API keys, and wrong attempts (extra `server`)."""

from __future__ import annotations

from pathlib import Path

from ringfence.core.ports import Clock

from .attempts import Attempts
from .file import File
from .hints import Hints
from .keys import Keys
from .people import People
from .sessions import Sessions

__all__ = ["Accounts"]


class Accounts:
    """One file of accounts, for any number of threads and processes at once.

    Passwords are kept as argon2id hashes, everything else that lets somebody in as its SHA-256: whoever reads the file
    comes in with nothing of it. What is read is read anew each time, so that an end is an end at once, everywhere.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """`path` is made (0600) if it is not there, in a folder (0700). Raises JournalError if it cannot be used."""
        self.file = File(path)
        self.people = People(self.file, clock)
        self.sessions = Sessions(self.file, clock)
        self.hints = Hints(self.file)
        self.keys = Keys(self.file, clock)
        self.attempts = Attempts(self.file, clock)

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
