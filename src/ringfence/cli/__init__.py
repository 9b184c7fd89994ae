"""The command line. `main` is the entry point of the `ringfence` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; no error leaves as a traceback."""
    from .commands import app
    from .exits import Interrupted, complain

    try:
        app(args=None if arguments is None else list(arguments), prog_name="ringfence")
        code = 0
    except Interrupted as stopped:
        code = stopped.code
    except Exception as error:
        code = complain(error)
    sys.exit(code)
