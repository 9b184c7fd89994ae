"""How the suite is collected: ten thousand tests are no garbage, and are not looked through again and again."""

from __future__ import annotations

import gc


def pytest_sessionstart() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
