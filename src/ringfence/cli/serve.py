"""`ringfence serve`: the server in the foreground, or behind `ringfence up` as a process of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import app
from ..app import accounts
from ..app.serving import whereabouts
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

if TYPE_CHECKING:
    from ..app.serving.whereabouts import Whereabouts


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for; None leaves what the manifest says.

    detached  nobody looks on once it takes requests: what it has to say goes to its log
    takeover  take the place of the server that runs
    """

    manifest: Path
    host: str | None = None
    port: int | None = None
    behind_proxy: bool = False
    cert: Path | None = None
    key: Path | None = None
    offline: bool = False
    detached: bool = False
    takeover: bool = False

    def options(self) -> tuple[str, ...]:
        """These, as a command line has them, for the next server in its place."""
        named = (("--host", self.host), ("--port", self.port), ("--tls-cert", self.cert), ("--tls-key", self.key))
        given = [part for name, value in named if value is not None for part in (name, _absolute(value))]
        flags = (("--behind-proxy", self.behind_proxy), ("--offline", self.offline))
        return (*given, *(name for name, value in flags if value))


def _absolute(value: object) -> str:
    return str(value.absolute()) if isinstance(value, Path) else str(value)


def manifest_of(wanted: Wanted) -> Manifest:
    """The manifest, made from the default template if there is none, with what the command line says of the server."""
    if not wanted.manifest.exists():
        write_new(wanted.manifest, templates.template(DEFAULT_TEMPLATE), force=False)
        say(f"there was no manifest: wrote {wanted.manifest}, with a model on this machine and tools for this folder")
    return as_wanted(load(wanted.manifest), wanted)


def as_wanted(manifest: Manifest, wanted: Wanted) -> Manifest:
    """A manifest with what the command line says of its server; raises ManifestError for what cannot be meant."""
    server, given = manifest.server, dict[str, Any]()
    if (wanted.cert is None) != (wanted.key is None):
        raise ManifestError("expected --tls-cert and --tls-key, got one of them", todo="give both, PEM files")
    if wanted.cert is not None and wanted.key is not None:
        given["tls"] = Tls(cert=wanted.cert.absolute(), key=wanted.key.absolute())
    if wanted.host is not None:
        given["host"] = wanted.host
    if wanted.port is not None:
        given["port"] = wanted.port
    if wanted.behind_proxy:
        given["behind_proxy"] = True
    changed: Server = server.model_copy(update=given)
    for _, what in changed.conflicts():
        raise ManifestError(what, todo="see `ringfence serve --help`")
    return manifest.model_copy(update={"server": changed})


def execute(wanted: Wanted) -> Exit:
    """Serve until a signal."""
    manifest = manifest_of(wanted)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(manifest, wanted))
    return Exit.DONE


async def _serve(manifest: Manifest, wanted: Wanted) -> None:
    try:
        from ..channels.http.life import Life, Plan
    except ImportError as error:
        raise missing(error) from None
    keep_log(manifest, wanted)
    await fetch_missing(manifest, console(stderr=True), offline=wanted.offline)
    _first_account(manifest)

    def ready(where: Whereabouts) -> None:
        say(f"{manifest.runtime.name} is served on {where.url}")
        if wanted.detached:
            _let_go(whereabouts.folder_of(manifest) / whereabouts.LOG)

    await Life(
        Plan(manifest, lambda: as_wanted(load(wanted.manifest), wanted), say, ready, wanted.takeover, wanted.options())
    ).run()


def _first_account(manifest: Manifest) -> None:
    """The account of whoever runs this machine: its password is said this once, at the terminal, and kept nowhere."""
    if (password := accounts.ensure_operator(manifest)) is not None:
        say(f"sign in as {accounts.operator_name(manifest)} with the password {password}")
        say("  -> it is shown this once; `ringfence users passwd` sets another, `ringfence keys add` makes an API key")


def keep_log(manifest: Manifest, wanted: Wanted) -> None:
    """The log, which of a server in the background is a file."""
    runtime = manifest.runtime
    if not wanted.detached or runtime.log_file or "RINGFENCE_LOG" in os.environ:
        app.keep_log(manifest)
        return
    level = runtime.log_level if "log_level" in runtime.model_fields_set else "info"
    file = whereabouts.folder_of(manifest) / whereabouts.LOG
    app.keep_log(
        manifest.model_copy(update={"runtime": runtime.model_copy(update={"log_file": file, "log_level": level})})
    )


def _let_go(log: Path) -> None:
    """What is still written to stdout and stderr goes to the log; whoever waited at their other end is free."""
    handle = whereabouts.private(log)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)
    logging.getLogger("ringfence").info("taking requests")


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
