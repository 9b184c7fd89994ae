"""Exit codes, and the one place where an error becomes words on stderr."""

from __future__ import annotations

import os
import sys
from enum import IntEnum

from ..core.errors import BackendError, InternalError, JournalError, RingfenceError
from .text import plain


class Exit(IntEnum):
    """What the shell gets; documented in docs/reference/cli.md."""

    DONE = 0
    UNANSWERED = 1  # the run ended without an answer, or a check is red
    USAGE = 2  # the command line, the manifest or a file it names
    PARTIAL = 3
    WAITING = 4  # a person has to decide
    BACKEND = 5
    JOURNAL = 6
    INTERNAL = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT
    TERMINATED = 143  # 128 + SIGTERM


_STATUS = {
    "done": Exit.DONE,
    "partial": Exit.PARTIAL,
    "waiting": Exit.WAITING,
    "uncertain": Exit.WAITING,
}


class Interrupted(Exception):
    """A signal asked us to stop; the run, if there is one, can be resumed."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.code = 128 + signum


def of_status(status: str) -> Exit:
    """The exit code of a run that ended so."""
    return _STATUS.get(status, Exit.UNANSWERED)


def of_error(error: Exception) -> Exit:
    """The exit code of an error, by whose fault it is."""
    match error:
        case BackendError():
            return Exit.BACKEND
        case JournalError():
            return Exit.JOURNAL
        case InternalError():
            return Exit.INTERNAL
        case RingfenceError() | OSError() | UnicodeEncodeError():
            return Exit.USAGE
        case _:
            return Exit.INTERNAL


def words(error: Exception) -> tuple[str, str]:
    """What happened and what to do next."""
    match error:
        case InternalError():
            return error.what, error.todo or "this is a bug of Ringfence; RINGFENCE_DEBUG=1 shows where"
        case RingfenceError():
            return error.what, error.todo
        case OSError(strerror=str(reason)):
            where = f": {error.filename}" if error.filename else ""
            return f"{reason.lower()}{where}", "RINGFENCE_DEBUG=1 shows where this came from"
        case UnicodeEncodeError():
            return "expected UTF-8 text on the command line, got other bytes", "write the argument in UTF-8"
        case _:
            return (
                f"this is a bug of Ringfence: {type(error).__name__}: {error}",
                "run the command again with RINGFENCE_DEBUG=1 and report what it prints",
            )


def complain(error: Exception) -> Exit:
    """Print an error on stderr, its next step below; the traceback under RINGFENCE_DEBUG=1 alone."""
    if os.environ.get("RINGFENCE_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    what, todo = words(error)
    print("error: " + plain(what), file=sys.stderr)
    if todo:
        print("  -> " + plain(todo), file=sys.stderr)
    return of_error(error)
