"""Makes one call over and over, killed at its first line, its second, and so on; says what the files were like.

A line is one of `changes.py` or `atomic.py`: between two of them there is at most one call of the system. Each call is
made in a forked process, so that a kill takes exactly that process. One line of JSON a kill, on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from ringfence.core.errors import ToolError
from ringfence.tools import atomic, changes
from ringfence.tools.folders import Folders
from ringfence.tools.tool import Use
from ringfence.tools.undo import UndoArgs, tools

TRACED = {atomic.__file__, changes.__file__}


def make(place: Path, verb: str, args: dict[str, Any]) -> None:
    """The call, in this thread."""
    made = {tool.spec.name: tool for tool in tools(Folders([Path("conf")], base=place), place / "state", Use())}
    sink: Any = made[f"tool:files.{verb}"].sink
    if verb == "undo":
        sink._changes.undo(UndoArgs(**args).path, "")
    else:
        sink.change(sink._args(**args), "the-run")


def killed(place: Path, verb: str, args: dict[str, Any], at: int) -> bool:
    """Make the call in a process that is killed at its line `at`; False if it came to its end before."""
    if not (pid := os.fork()):
        left = at

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in TRACED:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            make(place, verb, args)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def files(place: Path) -> dict[str, str]:
    """What there is beneath `conf`, hidden files too."""
    conf = place / "conf"
    return {str(p.relative_to(conf)): p.read_text() for p in sorted(conf.rglob("*")) if p.is_file()}


def main(place: Path, begin: Path, verb: str, args: dict[str, Any]) -> None:
    """`begin` holds the folders as they are before the call."""
    at, going = 0, True
    while going:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(begin, place)
        going = killed(place, verb, args, at)
        seen = [files(place)]
        make(place, "write", {"path": "conf/z", "text": "z", "mode": "overwrite"})  # any later change
        seen.append(files(place))
        with contextlib.suppress(ToolError):  # an undo that was done says so
            make(place, verb, args)
        seen.append(files(place))
        print(json.dumps({"at": at, "killed": going, "seen": seen}), flush=True)
        at += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
