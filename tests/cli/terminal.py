"""A command on a real terminal: its controlling tty, so that Ctrl-C and Ctrl-D are what they are for a person."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

_START = """\
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "ringfence.cli", *sys.argv[1:]])
"""
WAIT_S = 60.0
PROMPT = "[l]ater > "


class Terminal:
    """Keys go in, what was shown comes out; a context that leaves nothing running."""

    def __init__(self, *arguments: str, **more: Any) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "dumb", "COLUMNS": "100", "LINES": "50", **more.pop("env", {})}
        command = [sys.executable, "-c", _START, *arguments]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, **more)
        os.close(theirs)
        self.shown = ""
        self._read = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, wanted: str) -> str:
        """Wait for something to be shown, after what was waited for before; returns what came before it."""
        deadline = time.monotonic() + WAIT_S
        while (at := self.shown.find(wanted, self._read)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} was not shown after {self.shown[self._read :]!r}"
            assert self._take(left), f"{wanted!r} was not shown before the end: {self.shown!r}"
        before = self.shown[self._read : at]
        self._read = at + len(wanted)
        return before

    def type(self, keys: str) -> None:
        """Press keys; `\\n` is Enter, `\\x03` Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._ours, keys.encode())

    def end(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        while self._take(WAIT_S):
            pass
        return self.process.wait(WAIT_S)

    @property
    def run_id(self) -> str:
        """The run that it showed first."""
        found = re.search(r"run ([0-9a-z]{20}):", self.shown)
        assert found is not None, self.shown
        return found[1]

    def _take(self, wait_s: float) -> bool:
        if not select.select([self._ours], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # EIO: nobody has the other side open any more
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
