"""`ringfence models probe`: what each tier's model and server can really do, tried, shown and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from .. import app, backends
from ..backends import findings
from ..backends.findings import Findings
from ..core.errors import ManifestError, RingfenceError
from ..core.values import JSON
from ..manifest.loader import load
from ..manifest.types import Manifest, Tier
from .exits import Exit, of_error, words
from .interrupt import interruptible
from .screen import console
from .text import plain

_STYLES = {"yes": "green", "no": "yellow", "unknown": "", "broken": "red"}


def probe(path: Path, tier: str, *, as_json: bool, again: bool) -> Exit:
    """Try every tier, or the one that is named; what is known already is shown unless it is to be tried `again`."""
    manifest = load(path)
    tiers = [one for one in manifest.inference.tiers if not tier or one.name == tier]
    if not tiers:
        there = ", ".join(one.name for one in manifest.inference.tiers)
        raise ManifestError(f"no tier is named {tier!r}", todo=f"there are {there}")
    return asyncio.run(interruptible(_tiers(manifest, tiers, as_json=as_json, again=again)))


async def _tiers(manifest: Manifest, tiers: Sequence[Tier], *, as_json: bool, again: bool) -> Exit:
    out, err, code = console(), console(stderr=True), Exit.DONE
    told: list[JSON] = []
    for tier in tiers:
        try:
            found, kept = await _of(manifest, tier, err, again=again)
        except (RingfenceError, OSError) as error:  # of one tier: the others are still tried
            code, (what, todo) = of_error(error), words(error)
            told.append({"tier": tier.name, "model": tier.model, "error": what, "todo": todo})
            if not as_json:
                out.print(Text(plain(f"{tier.name}: {what}"), "red"), soft_wrap=True)
                out.print(Text(f"  -> {plain(todo)}", "dim"), soft_wrap=True)
            continue
        told.append({"tier": tier.name, "cached": kept, **found.to_json()})
        if not as_json:
            _show(out, tier, found, kept=kept)
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    return code


async def _of(manifest: Manifest, tier: Tier, err: Console, *, again: bool) -> tuple[Findings, bool]:
    """(findings, whether they were known before). What is known counts only for the very same model."""
    home = app.data_home()
    backend = backends.from_manifest(tier, manifest.inference, home=home, notice=lambda text: _say(err, tier, text))
    try:
        known = None if again else backends.examined(tier, home=home)
        if known is not None and (tier.provider == "embedded" or (await backend.probe()).identity == known.identity):
            return known, True
        found = await backend.sink.examine(lambda text: _say(err, tier, text))
        findings.save(home, found)
        return found, False
    finally:
        await backend.aclose()


def _say(err: Console, tier: Tier, text: str) -> None:
    if err.is_terminal:
        err.print(Text(f"{tier.name}: {plain(text)}", "dim"), soft_wrap=True)


def _show(out: Console, tier: Tier, found: Findings, *, kept: bool) -> None:
    when = datetime.fromtimestamp(found.time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    how = f"tried on {when}; --again tries anew" if kept else f"tried in {found.took_ms / 1000:.1f} s"
    out.print(Text(plain(f"{tier.name}: {found.model} at {found.server} ({how})"), "bold"), soft_wrap=True)
    for row in found.rows:
        mark = Text(f"  {row.said:<8}", _STYLES[row.said])
        out.print(Text.assemble(mark, f"{row.name:<15} {plain(row.what)}"), soft_wrap=True)
    out.print(Text(f"  a step is first asked on rung {found.rung}"), soft_wrap=True)


def in_short(found: Findings) -> str:
    """One line, for `doctor`."""
    when = datetime.fromtimestamp(found.time / 1000, UTC).strftime("%Y-%m-%d")
    native = "native calls" if found.native else "no native calls"
    speed = found.row("speed")
    rates = f", {speed.what}" if speed is not None and speed.said == "yes" else ""
    return f"tried on {when}: {native}, grammar {found.grammar or 'not held'}{rates}; first rung {found.rung}"
