"""The composition root: the only package that imports everything."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ringfence import stores
from ringfence.backends.models import data_home
from ringfence.core.errors import ManifestError
from ringfence.core.ports import Sink
from ringfence.core.values import Principal
from ringfence.manifest.loader import load as load_manifest
from ringfence.manifest.types import ALWAYS_THERE, Grant, Knowledge, Manifest, Memory, Tool, Workflow
from ringfence.telemetry import logs

from . import record
from .agent import Agent
from .house import furnish
from .ids import new_run_id, now_ms
from .readers import named_readers
from .secrets import redactor_of
from .stream import Event

__all__ = [
    "Agent", "Event", "data_home", "examine", "from_manifest", "keep_log", "load", "narrowed", "new_run_id", "now_ms",
    "operator", "tools_of",
]  # fmt: skip


def load(path: str | Path = "ringfence.yaml", *, functions: Sequence[Callable[..., Any]] = ()) -> Agent:
    """Make an agent from a manifest file and, where given, Python functions as further tools.

    Raises ManifestError for a manifest that cannot be meant; reaches no server yet.
    """
    return from_manifest(load_manifest(Path(path)), functions=functions)


def from_manifest(
    manifest: Manifest,
    *,
    functions: Sequence[Callable[..., Any]] = (),
    journal: Any = None,
    notice: Callable[[str], None] | None = None,
    model: Sink | None = None,
    roles: Sequence[str] = (),
) -> Agent:
    """`load`, for a manifest in hand.

    `journal` overrides the one beside the manifest; `notice` is told why a start takes long; `model` takes the place
    of every tier's, as a scripted one does in tests; `roles` are those of the caller's that count,
    all if none is named.
    """
    who = narrowed(operator(manifest), roles)
    house = furnish(manifest, functions, clock=now_ms, notice=notice, model=model)
    durable = journal is None
    if journal is None:  # last: a manifest that cannot be meant makes no journal
        if (far := manifest.audit.recorder) is None:
            journal = record.open_journal(manifest, house.redactor)
        else:
            journal = stores.join_recorder(manifest.root / far, required=manifest.audit.required)
    return Agent(manifest, who, journal, house, durable)


def operator(manifest: Manifest) -> Principal:
    """Whoever starts a manifest at a terminal: its operator, who holds every role in it, and is of every team."""
    roles = frozenset(reader for reader in named_readers(manifest) if reader.startswith(("role:", "team:")))
    return Principal(f"user:{_user()}", roles)


def narrowed(who: Principal, roles: Sequence[str]) -> Principal:
    """The same person with some of their roles alone, to see what these would; raises ManifestError for another's."""
    if strange := sorted(set(roles) - who.roles):
        held = ", ".join(sorted(who.roles)) or "none"
        raise ManifestError(f"expected a role that you hold, got {strange[0]}", todo=f"you hold: {held}")
    return replace(who, roles=frozenset(roles)) if roles else who


def keep_log(manifest: Manifest) -> None:
    """Write the log of this process as the manifest says, or to the file that RINGFENCE_LOG names.

    For whoever owns the process, as the command line does: a program that embeds an agent has a log of its own.
    Raises ManifestError for a file that cannot be written.
    """
    runtime, named = manifest.runtime, os.environ.get("RINGFENCE_LOG", "")
    file = Path(named).absolute() if named else manifest.root / runtime.log_file if runtime.log_file else None
    level = "info" if file is not None and "log_level" not in runtime.model_fields_set else runtime.log_level
    redactor = cache(lambda: redactor_of(manifest))  # made for the first line that is written
    logs.configure(level, file=file, redact=lambda text: redactor().text("log", text))


async def examine(manifest: Manifest) -> None:
    """Make everything that a manifest names, and let go of it again; raises ManifestError as `from_manifest` does."""
    await furnish(manifest, (), clock=now_ms).aclose()


async def tools_of(manifest: Manifest, config: Tool) -> tuple[list[str], Mapping[str, str]]:
    """The names of the tools of one entry of a manifest, and why others may not be called, by name.

    Raises ManifestError as `from_manifest` does.
    """
    own = {name: entry for name, entry in manifest.catalogue.items() if name.partition(".")[0] == config.name}
    alone: dict[str, object] = {"tools": (config,), "catalogue": own, "grant": Grant(), "workflow": Workflow()}
    alone |= {"knowledge": Knowledge(), "memory": Memory()}
    house = furnish(manifest.model_copy(update=alone), (), clock=now_ms)
    names = sorted(n.removeprefix("tool:") for n in house.specs if n.startswith("tool:") and n[5:] not in ALWAYS_THERE)
    withheld = {name: why for server in house.servers for name, why in server.quarantined.items()}
    await house.aclose()
    return names, withheld


def _user() -> str:
    """The user's name as the system knows it, whatever the environment says: an approver is not made by LOGNAME.

    The number, for one that this machine has no name for, as in many containers.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
