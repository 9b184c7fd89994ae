"""The index on Postgres with pgvector: rows are kept from who may not read them by the server's row-level security."""

from .index import PostgresIndex

__all__ = ["PostgresIndex"]
