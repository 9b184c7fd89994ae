"""The index on SQLite, with the vectors in a memory-mapped file beside it (ADR 0010)."""

from .index import SqliteIndex

__all__ = ["SqliteIndex"]
