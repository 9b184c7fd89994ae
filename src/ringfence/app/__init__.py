"""The composition root: the only package that imports everything."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ringfence import stores
from ringfence.backends.models import data_home
from ringfence.core.ports import Sink
from ringfence.core.values import Principal
from ringfence.engine.readmore import SPEC as READ_MORE
from ringfence.manifest.loader import load as load_manifest
from ringfence.manifest.types import Grant, Manifest, Tool, Workflow

from .agent import Agent, Event, new_run_id, now_ms
from .house import furnish

__all__ = ["Agent", "Event", "data_home", "examine", "from_manifest", "load", "new_run_id", "now_ms", "tools_of"]


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
) -> Agent:
    """`load`, for a manifest in hand.

    `journal` overrides the one beside the manifest; `notice` is told why a start takes long; `model` takes the place
    of every tier's, as a scripted one does in tests.
    """
    roles = frozenset(reader for reader in _readers(manifest) if reader.startswith("role:"))
    house = furnish(manifest, functions, clock=now_ms, notice=notice, model=model)
    durable = journal is None
    if journal is None:  # last: a manifest that cannot be meant makes no journal
        recorder = manifest.audit.recorder
        own = manifest.root / ".ringfence" / "journal.db"
        journal = stores.open_journal(own) if recorder is None else stores.join_recorder(manifest.root / recorder)
    return Agent(manifest, Principal(f"user:{_user()}", roles), journal, house, durable)


async def examine(manifest: Manifest) -> None:
    """Make everything that a manifest names, and let go of it again; raises ManifestError as `from_manifest` does."""
    await furnish(manifest, (), clock=now_ms).aclose()


async def tools_of(manifest: Manifest, config: Tool) -> tuple[list[str], Mapping[str, str]]:
    """The names of the tools of one entry of a manifest, and why others may not be called, by name.

    Raises ManifestError as `from_manifest` does.
    """
    own = {name: entry for name, entry in manifest.catalogue.items() if name.partition(".")[0] == config.name}
    alone = {"tools": (config,), "catalogue": own, "grant": Grant(), "workflow": Workflow()}
    house = furnish(manifest.model_copy(update=alone), (), clock=now_ms)
    names = sorted(n.removeprefix("tool:") for n in house.specs if n.startswith("tool:") and n != READ_MORE.name)
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


def _readers(manifest: Manifest) -> Iterable[str]:
    """Everyone whom a manifest names: whoever starts it at a terminal is its operator, and holds every role in it."""
    for tool in manifest.tools:
        yield from (*(tool.callers or ()), *(tool.readers or ()))
    for entry in manifest.catalogue.values():
        yield from entry.callers or ()
    for tier in manifest.inference.tiers:
        yield from tier.audience or ()
    for collection in manifest.knowledge.collections:
        yield from collection.readers
    yield from manifest.approvals.approvers or ()
