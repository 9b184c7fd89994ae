"""The parser, confined as it is in earnest."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from ringfence.core.errors import ManifestError
from ringfence.knowledge.errors import Unreadable
from ringfence.knowledge.parsing import Bounds, ConfinedParser
from ringfence.knowledge.ports import Parsed
from ringfence.sandboxes import AnyLauncher, choose

Parse = Callable[[str, bytes], Awaitable[dict[str, Parsed]]]
Refused = Callable[[str, bytes], Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def sandbox() -> AsyncIterator[AnyLauncher]:
    try:
        launcher = await choose()
    except ManifestError as why:
        pytest.skip(str(why))
    yield launcher
    launcher.close()


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def parser(sandbox: AnyLauncher) -> AsyncIterator[ConfinedParser]:
    made = ConfinedParser(sandbox, bounds=Bounds(wall_s=20.0, memory_mb=512))
    yield made
    await made.aclose()


_NUMBERS = itertools.count()


@pytest.fixture
def parse(parser: ConfinedParser, tmp_path: Path) -> Parse:
    """Parses bytes under a name: the documents by member."""

    async def run(name: str, data: bytes) -> dict[str, Parsed]:
        place = tmp_path / f"file-{next(_NUMBERS)}"
        place.write_bytes(data)
        found: Sequence[tuple[str, Parsed]] = await parser.parse(name, str(place))
        place.unlink()
        return dict(found)

    return run


@pytest.fixture
def refused(parse: Parse) -> Refused:
    """Why bytes under a name are not read."""

    async def run(name: str, data: bytes) -> str:
        with pytest.raises(Unreadable) as fault:
            await parse(name, data)
        return fault.value.what

    return run
