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
from hypothesis import HealthCheck, settings

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # on a machine that does other work an example may take any time
_ONE_MODEL = Path(tempfile.gettempdir()) / f"ringfence-tests-model-{os.geteuid()}.lock"


def pytest_sessionstart() -> None:
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job of a shell: children ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a real model are spread over the suite: beside each other, workers would wait for one another's."""
    files = dict.fromkeys(item.path for item in items)
    with_model = {item.path for item in items if item.get_closest_marker("model")}
    place: dict[Path, float] = {}
    for some in ([file for file in files if file in with_model], [file for file in files if file not in with_model]):
        place |= {file: at / len(some) for at, file in enumerate(some)}
    items.sort(key=lambda item: place[item.path])


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
