"""What a run needs, looked at one by one. Each check says what it found and, where something is amiss, what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .. import app, backends, sandboxes, stores
from ..app import record, routing
from ..audit import anchors, signing
from ..core.errors import RingfenceError
from ..manifest.fields import loopback
from ..manifest.types import BuiltinTool, Manifest, McpTool, SecretRef, Tier
from ..manifest.words import plain_words
from ..proof.note import Verifier
from ..stores.signed import Heads
from ..stores.verify import Against
from ..tools.confine import best_opener, open_beneath
from .models import missing
from .probing import in_short
from .text import size

Level = Literal["green", "yellow", "red"]
LOW_BYTES, FULL_BYTES = 2_000_000_000, 100_000_000  # free space: worth a word; too little for a journal to be safe


@dataclass(frozen=True, slots=True)
class Check:
    """green: fine; yellow: works, but know this; red: a run would fail. `todo` is the next step."""

    level: Level
    name: str
    what: str
    todo: str = ""


def failed(name: str, error: RingfenceError | OSError) -> Check:
    """A red line from an error."""
    if isinstance(error, RingfenceError):
        return Check("red", name, error.what, error.todo)
    return Check(
        "red", name, f"{error.strerror}: {error.filename}", "check that the path exists and that you may use it"
    )


async def of_manifest(manifest: Manifest) -> AsyncIterator[Check]:
    """What `init` shows: the manifest, its models, its tools."""
    yield Check("green", "manifest", f"{manifest.source} is valid")
    for notice in plain_words(manifest):
        if notice.level == "warn":
            yield Check("yellow", "manifest", f"{notice.path}: {notice.text}")
    for tier in manifest.inference.tiers:
        yield await model(manifest, tier)
    if len(manifest.inference.tiers) > 1:
        yield Check("green", "routing", "; ".join(routing.in_words(manifest)))
    async for check in tools(manifest):
        yield check


async def everything(manifest: Manifest) -> AsyncIterator[Check]:
    """What `doctor` shows."""
    async for check in of_manifest(manifest):
        yield check
    for tier in manifest.inference.tiers:
        yield await proved(manifest, tier)
    from .known import documents

    async for check in documents(manifest):
        yield check
    if manifest.audit.recorder is None:
        yield journal(manifest.root / ".ringfence" / "journal.db")
        yield heads(manifest)
    else:
        yield recorder(manifest.root / manifest.audit.recorder)
    for folder in dict.fromkeys((manifest.root, app.data_home())):
        yield disk(folder)
    for check in network(manifest):
        yield check
    yield Check("green", "python", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    async for check in sandbox(manifest):
        yield check


async def model(manifest: Manifest, tier: Tier) -> Check:
    """Whether the tier's server answers, with which model and which real window."""
    name = f"model {tier.name}"
    try:
        if tier.provider == "embedded" and (absent := missing(tier.model)) is not None:
            what = f"{absent.name} is not on this machine yet ({size(absent.bytes)})"
            return Check("yellow", name, what, f"run `ringfence models pull {absent.name}`, or let the first run do it")
        backend = backends.from_manifest(tier, manifest.inference, home=app.data_home())
        try:
            found = await backend.probe()
        finally:
            await backend.aclose()
    except (RingfenceError, OSError) as error:
        return failed(name, error)
    if found.models and tier.model not in (found.model, *found.models):
        there = ", ".join(found.models[:8])
        return Check(
            "red", name, f"the server has no {tier.model}; it has {there}", "name one of them, or load it there"
        )
    if found.window is None:
        what = f"{tier.model} answers; the server does not say how large its window is"
        return Check("yellow", name, what, "set inference.max_context to the window that the server was started with")
    if tier.max_context and tier.max_context > found.window:
        what = f"{tier.model} has a window of {found.window} tokens, and max_context asks for {tier.max_context}"
        return Check("yellow", name, what, f"requests are cut to {found.window}; start the server with a larger window")
    return Check("green", name, f"{tier.model} answers; its window is {found.window} tokens")


async def proved(manifest: Manifest, tier: Tier) -> Check:
    """What `models probe` found of the tier's model, if it was asked and the model is still the same."""
    name, how = f"probe {tier.name}", f"ringfence models probe --tier {tier.name}"
    try:
        found = backends.examined(tier, home=app.data_home())
        if found is not None and tier.provider != "embedded" and not await _still(manifest, tier, found.identity):
            return Check("yellow", name, "what was tried was another model, and is not used", f"run `{how}`")
    except (RingfenceError, OSError) as error:
        return failed(name, error)
    if found is None:
        return Check(
            "yellow", name, f"what {tier.model} can do was not tried; it is asked by a grammar", f"run `{how}`"
        )
    cut = found.row("too long")
    if cut is not None and cut.said == "no":
        todo = "set max_context to its real window: what does not fit is then left out by rule, and said"
        return Check("yellow", name, f"{in_short(found)}; the server cuts what is too long, in silence", todo)
    return Check("green", name, in_short(found))


async def _still(manifest: Manifest, tier: Tier, identity: str) -> bool:
    """Whether a server has the model that something was found of; raises BackendError if it is absent."""
    backend = backends.from_manifest(tier, manifest.inference, home=app.data_home())
    try:
        return (await backend.probe()).identity == identity
    finally:
        await backend.aclose()


async def tools(manifest: Manifest) -> AsyncIterator[Check]:
    """Whether each group of tools can be used, and what it offers."""
    if not manifest.tools:
        yield Check(
            "yellow",
            "tools",
            "the manifest lists no tools",
            "add some under tools:, such as {name: files, type: builtin}",
        )
    good = True
    for config in manifest.tools:
        name = f"tool {config.name}"
        try:
            found, withheld = await app.tools_of(manifest, config)
        except (RingfenceError, OSError) as error:
            good = False
            yield failed(name, error)
        else:
            for tool, why in withheld.items():
                what = "none of its tools can be called" if tool == "*" else f"{tool} cannot be called"
                yield Check("yellow" if found else "red", name, f"{what}: {why}")
            if found or not withheld:
                yield Check("green", name, ", ".join(found))
    if not good:  # what is wrong with one of them is said
        return
    try:
        await app.examine(manifest)
    except (RingfenceError, OSError) as error:
        yield failed("manifest", error)


def journal(path: Path) -> Check:
    """Whether the log opens, and whether everything in it is as it was written."""
    if not path.exists():
        return Check("green", "journal", f"{path} will be made by the first run")
    try:
        with stores.open_log(path) as log:
            report = log.verify()
    except (RingfenceError, OSError) as error:
        return failed("journal", error)
    if not report.ok:
        return Check(
            "red", "journal", report.problem, "keep the file as it is; restore it from a backup, or move it aside"
        )
    return Check("green", "journal", f"{report.records} records of {report.runs} runs, all as they were written")


def recorder(socket: Path) -> Check:
    """Whether the recorder that owns the log answers; its heads are its own user's to check."""
    try:
        with stores.read_recorder(socket) as log:
            what = f"{log.size()} records at {socket}; its user checks them, with its manifest"
    except (RingfenceError, OSError) as error:
        return failed("recorder", error)
    return Check("green", "recorder", what)


def heads(manifest: Manifest) -> Check:
    """Whether the log is what was signed, by the heads that are kept with it and at anchors that can be read here."""
    try:
        verifier = signing.verifier_of(manifest.audit.key, manifest.root)
        with record.open_log(manifest) as log:
            held = Heads(log.id, [verifier], [Verifier.parse(one.key) for one in manifest.audit.witnesses])
            held.own([head.note for head in log.heads()])
            places = [place for anchor in manifest.audit.anchors if (place := anchor.file or anchor.directory)]
            absent = [str(place) for place in places if not (manifest.root / place).exists()]
            for place in places:
                if str(place) not in absent:
                    held.elsewhere(anchors.read(manifest.root / place).notes, str(place))
            report = log.verify(Against(held), bodies=False)
    except (RingfenceError, OSError) as error:
        if not record.journal_path(manifest).exists():
            return Check("green", "heads", "the first run makes the first one")
        return failed("heads", error)
    if not report.ok:
        return Check("red", "heads", report.problem, "see all of it: ringfence audit verify")
    what = f"{report.signed} of {report.records} records are signed, {report.anchored} at an anchor"
    if report.signed < report.due:
        todo = "see why: ringfence audit verify; the next run that ends makes a head, if it can"
        return Check("yellow", "heads", f"{what}: runs have ended since, and no head is over them", todo)
    if absent and report.records:
        return Check("yellow", "heads", f"{what}; not there: {', '.join(absent)}", "mount its disk, or make its folder")
    if manifest.audit.anchors or manifest.audit.witnesses:
        return Check("green", "heads", what)
    return Check("green", "heads", f"{what}: a cut at the end shows only against one (audit.anchors)")


def disk(folder: Path) -> Check:
    """Space where the journal and the models go, and whether we may write there."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    what = f"{size(free)} free at {folder}"
    if not there.is_dir():
        return Check("red", "disk", f"expected a folder at {there}, got a file", "move the file, or set RINGFENCE_HOME")
    if not os.access(there, os.W_OK):
        return Check("red", "disk", f"{there} cannot be written", "change its owner, or work in another folder")
    if free < FULL_BYTES:
        return Check("red", "disk", what, "free some space: a run stops when its record cannot be kept")
    if free < LOW_BYTES:
        return Check("yellow", "disk", what, "a model needs 0.1 to 1.2 GB")
    return Check("green", "disk", what)


def network(manifest: Manifest) -> Iterator[Check]:
    """Everything that this manifest can make a run connect to."""
    models = [str(tier.endpoint) for tier in manifest.inference.tiers if tier.endpoint]
    servers = [str(tool.server_url) for tool in manifest.tools if isinstance(tool, McpTool) and tool.server_url]
    named = {f"{host.host}:{host.port}" if host.port else host.host for tool in manifest.tools for host in tool.hosts}
    databases = (tool.database for tool in manifest.tools if isinstance(tool, BuiltinTool))
    named |= {f"the database of {found.text}" for found in databases if isinstance(found, SecretRef)}
    local = sorted({urlsplit(url).netloc for url in models + servers if loopback(url)})
    away = sorted({urlsplit(url).netloc for url in models + servers if not loopback(url)} | named)
    if away:
        elsewhere = any(not loopback(url) for url in models)
        todo = (
            "use provider: embedded to keep it all here"
            if elsewhere
            else "take what it need not reach out of the tools"
        )
        yield Check("yellow", "network", f"a run can reach {', '.join(away)}, and nothing else", todo)
    else:
        also = f" ({', '.join(local)} on loopback)" if local else ""
        yield Check("green", "network", f"nothing leaves this machine{also}")


async def sandbox(manifest: Manifest) -> AsyncIterator[Check]:
    """What confines tools on this machine, tried by starting a job, and in plain words what it cannot hold."""
    if best_opener() is open_beneath:
        yield Check("green", "sandbox", "files are confined by the kernel (openat2)")
    else:
        yield Check("yellow", "sandbox", "no openat2 here: files are confined step by step, links are refused")
    try:
        launcher = await sandboxes.choose(manifest.sandbox)
    except RingfenceError as error:
        yield failed("sandbox", error)
        return
    launcher.close()
    if launcher.name == "unsafe-none":
        todo = "write sandbox: auto; what every tool starts may read, change and send all that you can"
        yield Check("yellow", "sandbox", "UNSAFE: NOTHING CONFINES THE TOOLS (sandbox: unsafe-none)", todo)
        return
    held = [what for what, how in launcher.holds.items() if how is True]
    yield Check("green", "sandbox", f"tools are confined by {launcher.name}: {'; '.join(held)}")
    for what, how in launcher.holds.items():
        if how is not True:
            yield Check("yellow", "sandbox", f"{launcher.name} does not fully hold: {what} ({how})")
