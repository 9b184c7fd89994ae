"""The command line. `main` is the entry point of the `ringfence` command."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; no error leaves as a traceback."""
    from .exits import Exit, Interrupted, complain

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    code: int = Exit.DONE
    try:
        from .commands import app

        app(args=None if arguments is None else list(arguments), prog_name="ringfence")
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except Interrupted as stopped:
        code = stopped.code
    except Exception as error:
        code = complain(error)
    sys.exit(code)
