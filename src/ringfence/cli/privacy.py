"""`ringfence privacy`: what is held of a person, its end, and what is destroyed by itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ..app import operator, privacy
from ..core.errors import ManifestError
from ..manifest.loader import load
from .exits import Exit
from .text import plain


def export(manifest: Path, subject: str, out: Path | None) -> None:
    """What is held about a subject, as one JSON object."""
    held = privacy.held(load(manifest), subject)
    index = held.index
    found = {
        "subject": subject, "records": held.records, "memories": index.memories, "documents": index.documents,
        "notes": index.notes,
    }  # fmt: skip
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that was there may have been for others to read
        file.write(text)
    counts = f"{len(held.records)} records, {len(index.memories)} memories, {len(index.documents)} documents"
    print(f"wrote {out}: {counts}", file=sys.stderr)


def erase(manifest: Path, subject: str, out: Path | None, *, yes: bool) -> Exit:
    """Destroy what is held about a subject, and print the certificate."""
    if not yes:
        if not sys.stdin.isatty():
            raise ManifestError("expected --yes where nobody can be asked", todo="an erased key cannot be brought back")
        print(f"Destroy all contents about {subject}, for good? Type the subject to say yes: ", end="", file=sys.stderr)
        if input().strip() != subject:
            print("nothing was destroyed", file=sys.stderr)
            return Exit.UNANSWERED
    loaded = load(manifest)
    certificate = privacy.erase(loaded, subject, by=operator(loaded), notice=_warn)
    sys.stdout.write(certificate)
    sys.stdout.flush()  # first: what is destroyed is destroyed, whatever becomes of the file
    if out is not None:
        out.write_text(certificate)
    return Exit.DONE


def retention(manifest: Path) -> None:
    """Destroy what was kept long enough."""
    loaded = load(manifest)
    kept = privacy.retain(loaded, by=operator(loaded), notice=_warn)
    print(f"destroyed {kept.bodies} contents, {kept.keys} keys and {kept.memories} memories")


def _warn(trouble: str) -> None:
    """What became of the head over it."""
    print(plain(f"warning: {trouble}; the log is kept, and its next head goes there again"), file=sys.stderr)
