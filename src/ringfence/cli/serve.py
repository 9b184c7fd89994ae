"""`ringfence serve`: the server in the foreground."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import app
from ..core.errors import ManifestError
from ..manifest import templates
from ..manifest.loader import load
from ..manifest.server import Server, Tls
from ..manifest.types import Manifest
from .checkup import DEFAULT_TEMPLATE, write_new
from .exits import Exit
from .models import fetch_missing
from .screen import console
from .text import plain


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for; None leaves what the manifest says."""

    manifest: Path
    host: str | None = None
    port: int | None = None
    behind_proxy: bool = False
    cert: Path | None = None
    key: Path | None = None
    offline: bool = False


def manifest_of(wanted: Wanted) -> Manifest:
    """The manifest, made from the default template if there is none, with what the command line says of the server."""
    if not wanted.manifest.exists():
        write_new(wanted.manifest, templates.template(DEFAULT_TEMPLATE), force=False)
        say(f"there was no manifest: wrote {wanted.manifest}, with a model on this machine and tools for this folder")
    manifest = load(wanted.manifest)
    return manifest.model_copy(update={"server": _server(manifest.server, wanted)})


def _server(server: Server, wanted: Wanted) -> Server:
    given: dict[str, Any] = {}
    if (wanted.cert is None) != (wanted.key is None):
        raise ManifestError("expected --tls-cert and --tls-key, got one of them", todo="give both, PEM files")
    if wanted.cert is not None and wanted.key is not None:
        given["tls"] = Tls(cert=str(wanted.cert.absolute()), key=str(wanted.key.absolute()))
    if wanted.host is not None:
        given["host"] = wanted.host
    if wanted.port is not None:
        given["port"] = wanted.port
    if wanted.behind_proxy:
        given["behind_proxy"] = True
    changed = server.model_copy(update=given)
    for _, what in changed.conflicts():
        raise ManifestError(what, todo="see `ringfence serve --help`")
    return changed


def execute(wanted: Wanted) -> Exit:
    """Serve until a signal."""
    manifest = manifest_of(wanted)
    app.keep_log(manifest)
    runner = asyncio.Runner(loop_factory=_loop_factory())
    with runner:
        runner.run(_serve(manifest, wanted))
    return Exit.DONE


async def _serve(manifest: Manifest, wanted: Wanted) -> None:
    try:
        from ..channels.http import life
    except ImportError as error:
        raise missing(error) from None
    await fetch_missing(manifest, console(stderr=True), offline=wanted.offline)
    await life.serve(
        manifest,
        life.nobody(),
        notice=say,
        ready=lambda opened: say(f"serving {manifest.runtime.name} on {opened.url}"),
    )


def missing(error: ImportError) -> ManifestError:
    """What to install."""
    what = f"the server needs the extra `server`: {error.name} is not installed"
    return ManifestError(what, todo="pip install 'ringfence[server]'")


def _loop_factory() -> Any:
    """uvloop's event loop, where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def say(words: str) -> None:
    """A line on stderr."""
    print(plain(words), file=sys.stderr, flush=True)
