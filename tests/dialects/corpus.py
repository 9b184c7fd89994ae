"""The corpus: what models print, by dialect. A file holds where its forms come from, the tools there are, and cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"


def cases() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(an id, the file, the case) of all files."""
    for file in sorted(FOLDER.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        for number, case in enumerate(content["cases"]):
            yield f"{file.stem}-{number}", content, case
