"""Canaries: values that are looked for, in every encoding, in all that a process left behind or said."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ringfence.core.errors import JournalError
from ringfence.stores import open_log

_GAPS = re.compile(rb"(?:\s|\\[nrt]|%0[aAdD]|\\u000[aAdD])+")


def forms(value: str) -> set[bytes]:
    """A value as it may be written: as it is, in base64 at each alignment, in hex, in a URL, in JSON, in UTF-16."""
    data = value.encode()
    found = {data, data.hex().encode(), data.hex().upper().encode(), quote(value, safe="").encode()}
    found |= {quote(value, safe="").lower().encode(), json.dumps(value)[1:-1].encode()}
    found |= {
        json.dumps(value)[1:-1].replace("/", r"\/").encode(),
        value.encode("utf-16-le"),
        value.encode("utf-16-be"),
    }
    found |= {"".join(f"\\u{ord(c):04x}" for c in value).encode(), "".join(f"\\x{b:02x}" for b in data).encode()}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data)
        core = whole[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        found |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def holds(data: bytes, value: str) -> str:
    """The form in which a value is in the data, whole or split over lines; "" if it is not."""
    joined = _GAPS.sub(b"", data)
    for form in forms(value):
        if form in data or form in joined or _GAPS.sub(b"", form) in joined:
            return form.decode(errors="backslashreplace")
    return ""


@dataclass
class Left:
    """All that was written: by name, what is in it. Files as they lie there, and the journal's headers inflated too."""

    data: dict[str, bytes] = field(default_factory=dict)

    def say(self, name: str, out: bytes, err: bytes) -> None:
        """What a command has said."""
        self.data[f"{name} stdout"], self.data[f"{name} stderr"] = out, err

    def read(self, *folders: Path) -> None:
        """Every file below."""
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                name = str(path.relative_to(folder.parent))
                self.data[f"{name} (its name)"] = str(path.relative_to(folder)).encode()
                if path.is_file():
                    self.data[name] = path.read_bytes()
                    self.data |= {f"{name} headers": b"\n".join(lines) for lines in _headers(path)}

    def finds(self, value: str) -> Iterator[str]:
        """Where a value is, and how it is written there."""
        for name, data in self.data.items():
            if form := holds(data, value):
                yield f"{name}: {form}"


def _headers(path: Path) -> Iterator[list[bytes]]:
    """The headers of a journal, as they were before they were deflated."""
    if path.read_bytes()[:16] != b"SQLite format 3\0":
        return
    try:
        with open_log(path) as log:
            yield list(log.headers())
    except JournalError:
        return
