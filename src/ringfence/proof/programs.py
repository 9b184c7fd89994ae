"""A program of the operator's that takes bytes on stdin: a client of a KMS, an anchor."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ringfence.core.errors import InternalError, JournalError

MAX_BYTES = 65_536  # that go in, and that come out of each of the two streams


def ask(argv: Sequence[str], data: bytes, *, timeout_s: float, folder: Path | None = None) -> bytes:
    """What the program printed. Raises JournalError if it cannot be run, fails, takes too long or prints too much."""
    name, deadline = argv[0], time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise JournalError(f"{name} cannot be run: {error.strerror}", todo="name a program that is there") from None
    with process:
        try:
            out, complaint = _talk(process, data, deadline)
            code = process.wait(max(0.0, deadline - time.monotonic())) if len(out) <= MAX_BYTES else 0
        except (TimeoutError, subprocess.TimeoutExpired):
            raise JournalError(
                f"{name} gave no answer within {timeout_s:g} s", todo="run it by hand to see why"
            ) from None
        finally:
            _end(process)
    if code or len(out) > MAX_BYTES:
        what = f"left with exit code {code}" if code else f"printed more than {MAX_BYTES} bytes"
        said = complaint.decode(errors="replace").strip()[-300:]
        raise JournalError(f"{name} {what}{': ' + said if said else ''}", todo="run it by hand to see why")
    return out


def _talk(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Both streams to their ends; of stdout as far as a byte beyond the limit, of stderr what is within it."""
    if process.stdin is None or process.stdout is None or process.stderr is None or len(data) > MAX_BYTES:
        raise InternalError(f"a program was to be given {len(data)} bytes, and the limit is {MAX_BYTES}")
    out, complaint = bytearray(), bytearray()
    with contextlib.suppress(BrokenPipeError):  # a program need not read what it gets; its exit code counts
        process.stdin.write(data)
        process.stdin.close()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, complaint)
        while selector.get_map() and len(out) <= MAX_BYTES:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not (ready := selector.select(left_s)):
                raise TimeoutError
            for key, _ in ready:
                if piece := os.read(key.fd, MAX_BYTES):
                    key.data.extend(piece[: max(0, MAX_BYTES + 1 - len(key.data))])
                else:
                    selector.unregister(key.fileobj)
    return bytes(out), bytes(complaint)


def _end(process: subprocess.Popen[bytes]) -> None:
    """A program that is still there, and what it has started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
