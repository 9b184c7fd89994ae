"""The confined process: it holds no more than Python and the parsers, and forks once for each file.

Whatever a file does to its parser ends with that fork: it has no descriptor of the requests or answers of others,
starts no process, writes no file, and the next file is read by a fresh one. Started confined; see `confined`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Mapping
from typing import BinaryIO

from ringfence.core.values import JSON

from ..errors import Unreadable
from . import formats
from .bounds import Bounds
from .draft import Reading
from .wire import ANSWER_BYTES, LENGTH_BYTES, PIECE_BYTES, length, packed

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36  # prctl(2)
_MIB = 1 << 20


def main() -> None:
    """Read files until stdin ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", 0)
    _point_away(0, 1)
    formats.prepare()
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no fork reads the memory or descriptors of another through /proc
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    gc.freeze()
    answers.write(packed(b"ready"))
    while head := requests.read(LENGTH_BYTES):
        request = json.loads(requests.read(length(head)))
        data = _received(requests)
        ended = _forked(request, data, requests, answers)
        del data
        status = {"ended": ended, "cpu": _cpu_s(), "peak_mb": _peak_mb()}
        answers.write(packed(b"") + packed(json.dumps(status).encode()))
        if _left_over():
            return


def _point_away(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in descriptors:
        os.dup2(nothing, fd)
    os.close(nothing)


def _received(requests: BinaryIO) -> bytes:
    pieces = []
    while size := length(requests.read(LENGTH_BYTES)):
        pieces.append(requests.read(size))
    return b"".join(pieces)


def _forked(request: Mapping[str, JSON], data: bytes, requests: BinaryIO, answers: BinaryIO) -> str:
    """Have a fork read the file, and pass on what it says; how it ended."""
    bounds = Bounds(**request["bounds"])
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(ours)
            requests.close()
            answers.close()
            _read(request, bounds, data, theirs)
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    try:
        why = _pass_on(ours, answers, time.monotonic() + bounds.wall_s)
    finally:
        os.close(ours)
    if why or _running(child):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return why or (f"exit {code}" if code >= 0 else f"signal {-code}")


def _running(child: int) -> bool:
    """Whether it runs a second after its answer has ended: it may still be freeing what it used."""
    until = time.monotonic() + 1.0
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > until:
            return True
        time.sleep(0.001)
    return False


def _pass_on(pipe: int, answers: BinaryIO, until: float) -> str:
    """Pass pieces on unread; "wall" or "answer" where there is no end of it."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    size = 0
    while True:
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            return "wall"
        piece = os.read(pipe, PIECE_BYTES)
        if not piece:
            return ""
        size += len(piece)
        if size > ANSWER_BYTES:
            return "answer"
        _write(answers, packed(piece))


def _write(stream: BinaryIO, data: bytes) -> None:
    """A raw stream takes as much as it likes."""
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]


def _left_over() -> bool:
    """Whether a fork has left processes behind: then this one ends, and takes them along."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mb() -> float:
    """Memory of the largest fork so far, what it shares with this process included."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _read(request: Mapping[str, JSON], bounds: Bounds, data: bytes, pipe: int) -> None:
    """In the fork: give up what is not needed, read, and say what came of it. Whatever goes wrong is the file's."""
    _point_away(2)
    ocr = str(request["ocr"])
    _limit(bounds, len(data), processes=bool(ocr))
    with os.fdopen(pipe, "wb", PIECE_BYTES) as stream:

        def send(document: Mapping[str, JSON]) -> None:
            stream.write(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

        try:
            formats.read(Reading(bounds, send, ocr), data, str(request["name"]))
        except Unreadable as fault:
            send({"fault": fault.what, "todo": fault.todo})
        except MemoryError:
            send({"fault": f"takes more memory than {bounds.memory_mb} MB to read", "todo": ""})
        except RecursionError:
            send({"fault": "nested too deep", "todo": ""})
        except Exception as fault:
            send({"fault": f"cannot be read: {type(fault).__name__}: {fault}"[:300], "todo": ""})


def _limit(bounds: Bounds, size: int, *, processes: bool) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    cpu_s = max(1, round(bounds.cpu_s))
    memory = bounds.memory_mb * _MIB + size
    wanted = {
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 1),  # SIGXCPU, then SIGKILL
        resource.RLIMIT_DATA: (memory, memory),
        resource.RLIMIT_FSIZE: (0, 0),
        **({} if processes else {resource.RLIMIT_NPROC: (0, 0)}),
    }
    for kind, (soft, hard) in wanted.items():
        most = resource.getrlimit(kind)[1]
        hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(kind, (min(soft, hard), hard))
