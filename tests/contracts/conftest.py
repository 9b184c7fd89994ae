"""Stores for the contract of the Index port, and the Postgres server of one of them, started once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ringfence.knowledge.ports import Index

from ..tools.postgres import Server, server
from .indexes import Store, opened, prepared


@pytest.fixture(scope="session")
def knowing() -> Iterator[Server]:
    with server() as started:
        yield prepared(started)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(request.param, tmp_path, request) as ready:
        yield ready


@pytest.fixture
def index(store: Store) -> Index:
    return store.open()
