"""The command line in a folder of its own, as the tests of the commands have it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ringfence import stores
from ringfence.core.chain import Record
from ringfence.core.errors import JournalError

from ..cli.conftest import folder, ringfence, serve
from ..engine.states import check

__all__ = ["folder", "ringfence", "serve"]


@pytest.fixture(autouse=True)
def _every_run_of_every_test_has_snapshots_that_are_its_fold(tmp_path: Path) -> Iterator[None]:
    yield
    for path in tmp_path.rglob("journal.db"):
        runs: list[list[Record]] = []
        with suppress(JournalError), stores.open_log(path) as log:  # some tests leave a journal that is none
            runs = [log.read(run.run) for run in log.runs(100)]
        for run in runs:
            check(run)
