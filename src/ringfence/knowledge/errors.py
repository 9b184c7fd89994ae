"""Whose fault it is when documents cannot be read, indexed or searched."""

from __future__ import annotations

from ringfence.core.errors import RingfenceError


class KnowledgeError(RingfenceError):
    """The index's or its disk's: full, broken, made by another embedding model, owned by another version."""


class Unreadable(RingfenceError):
    """A document's own: encrypted, a bomb, without text, of no known format. It is skipped, and the report says so."""
