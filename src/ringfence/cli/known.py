"""What `doctor` says of an agent's documents: the model of their vectors, the index, what is not taken in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from .. import app
from ..app.knowing import library as knowing
from ..core.errors import RingfenceError
from ..manifest.types import Manifest
from .checks import Check, failed
from .models import missing
from .text import size

if TYPE_CHECKING:
    from ..knowledge.library import Library


async def documents(manifest: Manifest) -> AsyncIterator[Check]:
    """Nothing, for an agent without documents."""
    if not knowing.used(manifest):
        return
    embedding = manifest.knowledge.embedding
    try:
        meant = any(source.vectors for source in knowing.sources_of(manifest))
        if meant and embedding.provider == "embedded" and (absent := missing(embedding.model, "embedding")) is not None:
            what = f"{absent.name} is not on this machine yet ({size(absent.bytes)})"
            yield Check("yellow", "documents", what, f"run `ringfence models pull {absent.name}`")
        async with knowing.opened(manifest) as library:
            for fault in await _broken(library):
                yield Check("red", "index", fault, "make it anew: ringfence kb reindex")
            for check in await _collections(manifest, library):
                yield check
    except (RingfenceError, OSError) as error:
        yield failed("documents", error)


async def _broken(library: Library) -> Sequence[str]:
    """What the store says of itself, where it can tell."""
    check = getattr(library.index, "check", None)
    return await check() if check is not None else ()


async def _collections(manifest: Manifest, library: Library) -> list[Check]:
    held = {one.collection: one for one in await library.status(app.operator(manifest).member)}
    checks = []
    for name in library.sources:
        report, count = await library.survey(name), held[name].documents if name in held else 0
        pending = report.added + report.changed + report.removed
        what = f"{count} documents" + (f", {pending} files have changed" if pending else "")
        if report.skipped:
            todo = f"see `ringfence kb status {name}`"
            checks.append(Check("yellow", f"kb {name}", f"{what}; {len(report.skipped)} files are skipped", todo))
        elif not count:
            checks.append(Check("yellow", f"kb {name}", what, "the next run takes them in, or `ringfence kb refresh`"))
        else:
            checks.append(Check("green", f"kb {name}", what))
    return checks
