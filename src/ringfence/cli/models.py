"""`ringfence models`, and the download before a first run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from .. import app
from ..app.knowing import library as knowing
from ..backends import models
from ..backends.models import Kind, Model
from ..manifest.types import Manifest
from .interrupt import interruptible
from .screen import console
from .text import plain, size

_STEP = 10  # percent between two lines where there is no terminal to draw a bar on


def missing(name: str, kind: Kind = "chat") -> Model | None:
    """The catalogue's entry of a model whose weights are not here; None if they are.

    Raises ManifestError for a name that the catalogue does not have, or not as a model of this kind; BackendError for a
    .gguf file that is not there.
    """
    home = app.data_home()
    if kind == "chat" and name.endswith(".gguf"):
        models.path(name, home)
        return None
    wanted = models.find(name, home, kind=kind).name
    return next((model for model, here in models.list_models(home) if model.name == wanted and not here), None)


async def fetch_missing(manifest: Manifest, out: Console, *, offline: bool) -> None:
    """Pull the embedded models of a manifest that are not here; with `offline`, raise BackendError instead."""
    for tier in manifest.inference.tiers:
        if tier.provider != "embedded" or (model := missing(tier.model)) is None:
            continue
        await _fetch(model, out, offline=offline)
    if knowing.used(manifest) and any(source.vectors for source in knowing.sources_of(manifest)):
        await fetch_embedding(manifest, out, offline=offline)


async def fetch_embedding(manifest: Manifest, out: Console, *, offline: bool) -> None:
    """`fetch_missing` of the model that makes vectors of documents, if one does."""
    embedding = manifest.knowledge.embedding
    if embedding.provider == "embedded" and (model := missing(embedding.model, "embedding")) is not None:
        await _fetch(model, out, offline=offline)


async def _fetch(model: Model, out: Console, *, offline: bool) -> None:
    if offline:
        models.path(model.name, app.data_home())  # raises, with the command to fetch it by
    out.print(Text(f"{model.name} is not on this machine yet; fetching it once ({size(model.bytes)})"), soft_wrap=True)
    with bar(out, model.name) as progress:
        await models.pull(model.name, app.data_home(), progress=progress)


def list_models() -> None:
    """The catalogue, and what of it is here."""
    for model, here in models.list_models(app.data_home()):
        where = "here" if here else "not here"
        more = f"  embedding, {model.dim} numbers" if model.kind == "embedding" else ""
        print(f"{model.name:<24}  {size(model.bytes):>9}  {where:<8}  {model.license:<12}  window {model.window}{more}")


def pull(name: str, *, source: str | None, from_path: Path | None) -> None:
    """Fetch a model and say where it is."""
    prefer = None if source is None else [source]

    async def work() -> Path:
        with bar(console(stderr=True), name) as progress:
            return await models.pull(name, app.data_home(), source=from_path, prefer=prefer, progress=progress)

    print(asyncio.run(interruptible(work())))


def remove(name: str) -> None:
    """Delete a model's weights and say what that freed."""
    freed = models.remove(name, app.data_home())
    print(f"{name}: {size(freed)} freed" if freed else f"{name} was not here")


def print_path(name: str) -> None:
    """Where a model's weights are."""
    print(models.path(name, app.data_home()))


@contextmanager
def bar(out: Console, name: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar with size, speed and time left; without a terminal, a line now and then."""
    if not out.is_terminal or out.is_dumb_terminal:
        yield _lines(out, name)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    note_column = TextColumn("{task.description}", markup=False)
    columns = (note_column, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total, note: progress.update(task, completed=done, total=total, description=plain(note))


def _lines(out: Console, name: str) -> Callable[[int, int, str], None]:
    said: list[tuple[int, str]] = []

    def show(done: int, total: int, note: str) -> None:
        percent = done * 100 // max(total, 1) // _STEP * _STEP
        if not said or percent > said[-1][0] or note != said[-1][1]:
            out.print(Text(f"{name}: {size(done)} of {size(total)} ({percent} %), {plain(note)}"), soft_wrap=True)
        said[:] = [(percent, note)]

    return show
