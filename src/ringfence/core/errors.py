"""Errors say whose fault they are, what was expected, what came and what to do next."""

from __future__ import annotations


class RingfenceError(Exception):
    """A fault with an owner. `todo` is the next step for whoever reads it."""

    def __init__(self, what: str, *, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.todo}" if self.todo else self.what


class ManifestError(RingfenceError):
    """The operator's: a manifest or a command line that cannot be meant."""


class BackendError(RingfenceError):
    """The model server's: absent, slow, broken or answering nonsense."""


class ContextOverflow(BackendError):
    """The model server refused a request because it does not fit its window."""


class ToolError(RingfenceError):
    """The tool's, or the call's; the model reads the text and may try otherwise."""


class Uncertain(ToolError):
    """The call left and its answer never came: nobody knows whether it was done, and it is not tried again."""


class JournalError(RingfenceError):
    """The log's or its disk's: full, corrupted, owned by another writer."""


class InternalError(RingfenceError):
    """Ours. Please report it."""
