"""How the suite is collected: ten thousand tests are no garbage, and are not looked through again and again."""

from __future__ import annotations

import gc
import signal


def pytest_sessionstart() -> None:
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job of a shell: children ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
