"""`ringfence lock`: what the tools of MCP servers are, accepted by a person, written down beside the manifest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ManifestError, ToolError
from ..manifest.loader import load
from ..manifest.types import Manifest, McpTool
from .exits import Exit
from .interrupt import interruptible
from .text import one_line, plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..tools.egress import Attempt
    from ..tools.mcp import Listing, Pinned, Server

Ask = Callable[[str], bool]


def lock(path: Path, *, review: bool = False, ask: Ask | None = None) -> Exit:
    """Accept the tools of servers that are new in the manifest; say what differs of the others, or `review` it.

    `ask` puts a question to the person who reviews; without it, the terminal does. UNANSWERED: something differs.
    """
    manifest = load(path)
    servers = [tool for tool in manifest.tools if isinstance(tool, McpTool)]
    if not servers:
        print("the manifest names no MCP server; there is nothing to lock")
        return Exit.DONE
    if review and ask is None and not sys.stdin.isatty():
        todo = "run it in a terminal: what a server says is accepted by a person, not by a script"
        raise ManifestError("expected a terminal to review in, got a pipe", todo=todo)
    return asyncio.run(interruptible(_lock(manifest, servers, (ask or _ask) if review else None)))


async def _lock(manifest: Manifest, servers: list[McpTool], ask: Ask | None) -> Exit:
    from ..tools.mcp import Lock, read, write

    old = read(manifest.root)
    known = old.servers if old is not None else {}
    now = {config.name: dict(known.get(config.name, {})) for config in servers}
    code = Exit.DONE
    async with _made(manifest, servers) as made:
        for server in made:
            try:
                found = await server.survey()
            except ToolError as error:
                code = _trouble(error)
                continue
            if not _take(server.alias, now[server.alias], found, ask, new=server.alias not in known):
                code = Exit.UNANSWERED
    lock = Lock({alias: tools for alias, tools in now.items() if tools or alias in known})
    if lock != old:
        write(manifest.root, lock)
        print("wrote ringfence.lock; keep it in your version control")
    return code


@asynccontextmanager
async def _made(manifest: Manifest, servers: list[McpTool]) -> AsyncIterator[list[Server]]:
    from .. import sandboxes
    from ..tools.mcp import from_manifest
    from ..tools.tool import Use
    from ..tools.workshop import Workshop

    launcher: Any = None
    if any(config.command for config in servers):
        launcher = await sandboxes.choose(manifest.sandbox)
    workshop = Workshop(launcher, manifest.root / ".ringfence", _attempted)
    try:
        make = partial(from_manifest, root=manifest.root, workshop=workshop, lock=None, catalogue={}, use=Use())
        yield [make(config, confined=manifest.sandbox != "unsafe-none") for config in servers]
    finally:
        await workshop.aclose()
        if launcher is not None:
            launcher.close()


def _attempted(attempt: Attempt) -> None:
    """What a server wants to reach while it is looked at."""
    if attempt.state != "done":
        print(
            f"  {attempt.state}: {attempt.method} {plain(attempt.host)}:{attempt.port} {attempt.why}", file=sys.stderr
        )


def _trouble(error: ToolError) -> Exit:
    print(plain(error.what) + "; what was accepted of it stays as it is", file=sys.stderr)
    if error.todo:
        print("  -> " + plain(error.todo), file=sys.stderr)
    return Exit.UNANSWERED


def _take(alias: str, accepted: dict[str, Pinned], found: Listing, ask: Ask | None, *, new: bool) -> bool:
    """Bring `accepted` up to date as far as a person says yes; False if something still differs."""
    print(f"{alias}:")
    differs = False
    for name in sorted(accepted.keys() | found.tools.keys()):
        before, after = accepted.get(name), found.tools.get(name)
        if before is not None and after is not None and before.pin == after.pin:
            print(f"  = {name}")
            continue
        if ask is not None:
            print("\n".join(_shown(alias, name, before, after)))
            yes = ask(f"  accept {alias}.{name} {'as it is now' if after else 'as gone'}?")
        else:
            yes = new
            print(f"  {_mark(before, after)} {name}: {one_line(after.description) if after else 'is gone'}")
        if yes and after is not None:
            accepted[name] = after
        elif yes:
            del accepted[name]
        differs = differs or not yes
    for name, why in sorted(found.refused.items()):
        print(f"  ! {plain(name)}: refused: {plain(why)}")
    if differs and ask is None:
        print("  -> what differs is quarantined: `ringfence lock --review` shows it, and asks you")
    return not differs


def _mark(before: Pinned | None, after: Pinned | None) -> str:
    return "+" if before is None else "-" if after is None else "~"


def _shown(alias: str, name: str, before: Pinned | None, after: Pinned | None) -> Iterator[str]:
    from ..tools.mcp.lock import differences

    yield f"\n  {_mark(before, after)} {alias}.{name}"
    yield from (f"    {plain(line)}" for line in differences(before, after))


def _ask(question: str) -> bool:
    """Yes only for a y."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
