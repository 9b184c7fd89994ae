"""The groups that run programs or reach hosts: each makes its own tools, given a launcher and a way out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.core.errors import ManifestError

from .tool import Tool, Use
from .workshop import Workshop

if TYPE_CHECKING:
    from ringfence.manifest.types import BuiltinTool

GROUPS = ("shell", "python", "web", "http")


def tools(config: BuiltinTool, *, root: Path, use: Use, workshop: Workshop) -> list[Tool]:
    """The tools of a group. Raises ManifestError for what the group cannot mean."""
    match config.name:
        case "web" | "http":
            from . import http, web
            from .egress import Egress

            make = web.tools if config.name == "web" else http.tools
            return make(config, use=use, egress=Egress(config.hosts, workshop.record))
        case "shell" | "python":
            from . import shell, snippet

            run = shell.tools if config.name == "shell" else snippet.tools
            return run(config, root=root, use=use, launcher=workshop.launcher, egress=workshop.ways(config))
    raise ManifestError(f"tools: there is no built-in tool {config.name!r}")
