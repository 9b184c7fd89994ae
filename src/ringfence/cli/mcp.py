"""`ringfence mcp`: the agent as tools of an MCP server over stdio. Nothing but messages is written to stdout."""

from __future__ import annotations

import asyncio
from pathlib import Path

from .. import app
from ..core.errors import ManifestError
from ..manifest.loader import load
from .exits import Exit
from .interrupt import interruptible
from .models import fetch_missing
from .screen import console


def execute(manifest: Path, *, offline: bool, roles: tuple[str, ...] = ()) -> Exit:
    """Serve until stdin is closed."""
    try:
        from ..channels.mcp import stdio
    except ImportError:
        raise ManifestError("MCP needs a package that is not installed", todo="pip install 'ringfence[mcp]'") from None
    loaded = load(manifest)
    app.keep_log(loaded)

    async def work() -> None:
        await fetch_missing(loaded, console(stderr=True), offline=offline)
        async with app.from_manifest(loaded, roles=roles) as agent:
            await stdio.serve(agent)

    asyncio.run(interruptible(work()))
    return Exit.DONE
