"""Journals: where records go and are read from again (DESIGN 8). SQLite is loaded when a journal is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reader import SqliteLog
    from .remote import SocketJournal, SocketLog
    from .shown import Redactor
    from .sqlite import SqliteJournal
    from .vault import Vault
    from .writer import Notary

__all__ = ["join_recorder", "open_journal", "open_log", "read_recorder"]


def open_journal(
    path: Path, *, vault: Vault | None = None, redactor: Redactor | None = None, notary: Notary | None = None
) -> SqliteJournal:
    """Open the journal file for writing, and make it (0600) and its folder (0700) if they are not there.

    `vault`, `redactor` and `notary` as `SqliteJournal` says. Raises JournalError if it cannot be written, is no
    journal, is damaged or comes from a newer version.
    """
    from .sqlite import SqliteJournal

    return SqliteJournal(path, vault=vault, redactor=redactor, notary=notary)


def open_log(path: Path, *, vault: Vault | None = None) -> SqliteLog:
    """Open an existing journal file for reading. Raises JournalError as `open_journal` does, and if it is absent."""
    from .reader import SqliteLog

    return SqliteLog(path, vault=vault)


def join_recorder(path: Path, *, required: bool = False) -> SocketJournal:
    """The journal that a recorder owns, by its socket. Raises JournalError if nobody serves it.

    `required` as `SocketJournal` says.
    """
    from .remote import SocketJournal

    return SocketJournal(path, required=required)


def read_recorder(path: Path) -> SocketLog:
    """The reading side of the journal that a recorder owns. Raises JournalError as `join_recorder` does."""
    from .remote import SocketLog

    return SocketLog(path)
