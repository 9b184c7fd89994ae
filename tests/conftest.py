"""How the suite is run: ten thousand tests are no garbage, and one real model is enough for two cores."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_ONE_MODEL = Path(tempfile.gettempdir()) / f"ringfence-tests-model-{os.geteuid()}.lock"


def pytest_sessionstart() -> None:
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job of a shell: children ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Real models take turns: three beside each other on two cores take longer than one after another."""
    with contextlib.ExitStack() as held:
        if item.get_closest_marker("model"):
            fcntl.flock(held.enter_context(_ONE_MODEL.open("a")), fcntl.LOCK_EX)
        return (yield)
