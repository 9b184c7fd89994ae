"""What several commands share: options, arguments, and how a group of commands is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def group(text: str, **more: Any) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(help=text, rich_markup_mode=None, no_args_is_help=True, **more)


Manifest = Annotated[Path, typer.Option("--manifest", "-m", help="the manifest", metavar="FILE")]
RunId = Annotated[str, typer.Argument(metavar="ID", help="a run's id, or the beginning of it")]
Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout")]
Offline = Annotated[bool, typer.Option("--offline", help="never fetch a model; fail if one is missing")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no timeline on stderr")]
Open = Annotated[
    int | None, typer.Option("--open", min=1, metavar="N", help="show passage [N] of the answer's sources in context")
]
Roles = Annotated[
    list[str] | None, typer.Option("--as", metavar="ROLE", help="with these roles of yours alone, such as role:ops")
]
HERE = Path("ringfence.yaml")
