"""`ringfence kb canary`: plant, list and forget codes whose appearance in anything that leaves is denied."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from ..app.knowing.canary import Store, append_to
from ..manifest.loader import load
from .text import one_line


def plant(manifest: Path, into: Path | None, note: str, *, as_json: bool) -> None:
    """Make one, and put it into a file or print it: it is shown this once."""
    store = Store.of(load(manifest))
    made, token = store.plant(note or (str(into) if into is not None else ""))
    if into is not None:
        try:
            append_to(into, token)
        except Exception:
            store.remove(made.id)
            raise
    if as_json:
        print(json.dumps({"id": made.id, "token": token, "into": None if into is None else str(into)}))
        return
    print(token)
    if into is not None:
        print(f"canary {made.id} is the last line of {one_line(str(into))}", file=sys.stderr)
    else:
        print(f"canary {made.id}: put it into a document; it is not shown again", file=sys.stderr)


def list_planted(manifest: Path, *, as_json: bool) -> None:
    """Those that are known, one a line; never the codes, which are not kept."""
    _, planted = Store.of(load(manifest)).read()
    if as_json:
        print(json.dumps([{"id": one.id, "planted_ms": one.planted, "note": one.note} for one in planted]))
        return
    for one in planted:
        when = datetime.fromtimestamp(one.planted / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        print(f"{one.id}  {when}  {one_line(one.note)}".rstrip())


def remove(manifest: Path, name: str) -> None:
    """Forget one: from now on it may leave like any other text."""
    gone = Store.of(load(manifest)).remove(name)
    print(f"canary {gone.id} is forgotten; remove it from {one_line(gone.note) or 'its document'} yourself")
