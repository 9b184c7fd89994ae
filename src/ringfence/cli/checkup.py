"""`ringfence init`, `doctor` and `manifest check`: a table of checks, and a manifest to begin with."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from .. import app
from ..app import record, routing
from ..core.errors import ManifestError, RingfenceError
from ..manifest import templates
from ..manifest.loader import load
from ..manifest.types import PythonTool
from ..manifest.words import plain_words
from . import checks
from .checks import Check
from .exits import Exit
from .interrupt import interruptible
from .screen import console
from .text import plain

_MARKS = {"green": "ok  ", "yellow": "note", "red": "FAIL"}  # words beside colours: not everyone sees them
DEFAULT_TEMPLATE = "default"


def init(config: Path | None, template: str | None, target: Path, *, force: bool) -> Exit:
    """Write a manifest from a template, or take `config`; then show whether it would work."""
    if config is not None and template is not None:
        raise ManifestError(
            "expected --config or --template, got both", todo="--config checks a file, --template writes one"
        )
    if config is None:
        write_new(target, templates.template(template or DEFAULT_TEMPLATE), force=force)
        print(f"wrote {target}", file=sys.stderr)
    manifest = load(config or target)
    print(f"the heads of its log are checked with {record.make_keys(manifest)}", file=sys.stderr)
    code = asyncio.run(interruptible(_table(checks.of_manifest(manifest))))
    if code is Exit.DONE:
        named = f" --manifest {config}" if config and config != target else ""
        print(f'\nready; try: ringfence run{named} "what files are here?"')
    return code


def doctor(path: Path) -> Exit:
    """Every check there is. A manifest that cannot be read is a red line, and what needs none is still shown."""
    try:
        manifest = load(path)
    except RingfenceError as error:
        return asyncio.run(_table(_without_manifest(path, error)))
    return asyncio.run(interruptible(_table(checks.everything(manifest))))


def check_manifest(path: Path) -> Exit:
    """Validate, and say what each key means; reaches nothing."""
    out = console()
    manifest = load(path)
    for notice in plain_words(manifest):
        mark = "note  " if notice.level == "warn" else "      "
        style = "yellow" if notice.level == "warn" else ""
        out.print(Text(f"{mark}{plain(notice.path)}: {plain(notice.text)}", style), soft_wrap=True)
    if len(manifest.inference.tiers) > 1:
        for words in routing.in_words(manifest):
            out.print(Text(f"      routing: {plain(words)}"), soft_wrap=True)
    if not any(isinstance(tool, PythonTool) for tool in manifest.tools):  # whose code a check does not run
        asyncio.run(app.examine(manifest))
    out.print(Text(f"{path} is valid", "green"), soft_wrap=True)
    return Exit.DONE


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file whole or not at all; without `force`, never over one that is there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        if force:
            draft.replace(path)
        else:
            os.link(draft, path)  # fails if there is one, even one that was made this very moment
    except FileExistsError:
        raise ManifestError(
            f"{path} is there already, and is left as it is",
            todo=f"check it with `ringfence init --config {path}`, or write over it with --force",
        ) from None
    finally:
        draft.unlink(missing_ok=True)


async def _without_manifest(path: Path, error: RingfenceError) -> AsyncIterator[Check]:
    yield checks.failed("manifest", error)
    yield checks.journal(path.parent / ".ringfence" / "journal.db")
    yield checks.disk(path.parent)


async def _table(found: AsyncIterator[Check]) -> Exit:
    """Print checks as they come, for some of them take a while."""
    out, worst = console(), Exit.DONE
    async for check in found:
        _print(out, check)
        if check.level == "red":
            worst = Exit.UNANSWERED
    return worst


def _print(out: Console, check: Check) -> None:
    line = Text.assemble((_MARKS[check.level], check.level), f"  {plain(check.name):<14}  {plain(check.what)}")
    out.print(line, soft_wrap=True)
    if check.todo:
        out.print(Text(f"{'':22}-> {plain(check.todo)}", "dim"), soft_wrap=True)
