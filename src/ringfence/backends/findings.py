"""What was proved of a model and its server by trying: kept under the data home until one of them is another."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from ringfence.core.errors import BackendError
from ringfence.core.values import JSON

Said = Literal["yes", "no", "unknown", "broken"]
Say = Callable[[str], None]
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    said   yes: it holds; no: it does not; unknown: the server has no such thing, or does not say; broken: it faulted
    what   in words
    value  what follows from it: a number of tokens, the name of a dialect
    """

    name: str
    said: Said
    what: str
    value: JSON = None


@dataclass(frozen=True, slots=True)
class Findings:
    """server    the address, or `embedded`
    identity  SHA-256 of the model's file where Ringfence runs it; else of what the server says of the model
    time      when it was tried, milliseconds since 1970
    """

    provider: str
    server: str
    model: str
    identity: str
    time: int
    took_ms: int
    rows: tuple[Finding, ...] = field(default_factory=tuple)

    def row(self, name: str) -> Finding | None:
        """What was found under a name."""
        return next((row for row in self.rows if row.name == name), None)

    def holds(self, name: str) -> bool:
        """Whether something was tried and holds."""
        row = self.row(name)
        return row is not None and row.said == "yes"

    def fails(self, name: str) -> bool:
        """Whether something was tried and does not hold."""
        row = self.row(name)
        return row is not None and row.said in ("no", "broken")

    @property
    def native(self) -> bool:
        """Whether tool calls may be asked for natively: `auto` gives valid calls, and `required` holds."""
        return self.holds("tools auto") and self.holds("tools required")

    @property
    def grammar(self) -> str | None:
        """The dialect that holds a model to a schema; empty if none does, None if it could not be tried."""
        row = self.row("grammar")
        if row is None or row.said in ("unknown", "broken"):
            return None
        return str(row.value or "") if row.said == "yes" else ""

    @property
    def tokenizer(self) -> str | None:
        """How the server counts tokens, if it does and its count is right."""
        row = self.row("tokenizer")
        return str(row.value) if row is not None and row.said == "yes" and row.value else None

    @property
    def window(self) -> int | None:
        """Tokens of a request and its answer, as the server says; fewer where it was seen to cut what is longer."""
        said, cut = self.row("window"), self.row("too long")
        seen = [said, cut if cut is not None and cut.said == "no" else None]
        return min((row.value for row in seen if row is not None and type(row.value) is int), default=None)

    @property
    def rung(self) -> str:
        """The first rung of the ladder that a step is asked on, in words."""
        if self.native:
            return "1, native tool calls"
        if self.grammar:
            return f"2, a grammar ({self.grammar})"
        return "3, text that is read" if self.grammar == "" else "2, a grammar (not proved)"

    def to_json(self) -> dict[str, JSON]:
        """As it is kept and printed."""
        told = {"native": self.native, "grammar": self.grammar, "rung": self.rung}
        return {"version": _VERSION, **asdict(self), "rows": [asdict(row) for row in self.rows], **told}

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Findings:
        """Raises ValueError, KeyError or TypeError for anything else."""
        if value["version"] != _VERSION:
            raise ValueError("of another version")
        names = ("provider", "server", "model", "identity", "time", "took_ms")
        rows = tuple(Finding(**row) for row in value["rows"])
        return cls(**{name: value[name] for name in names}, rows=rows)


def path(home: Path, provider: str, server: str, model: str) -> Path:
    """Where findings about a model of a server are kept."""
    name = hashlib.sha256(json.dumps([provider, server, model]).encode()).hexdigest()[:24]
    return home / "probes" / f"{name}.json"


def load(home: Path, provider: str, server: str, model: str) -> Findings | None:
    """What was found before; None where there is nothing, or nothing that can be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Findings.from_json(json.loads(path(home, provider, server, model).read_bytes()))
    return None


def save(home: Path, found: Findings) -> Path:
    """Keep it, whole or not at all, for this user alone; raises BackendError if the disk does not take it."""
    file = path(home, found.provider, found.server, found.model)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(found.to_json(), out, ensure_ascii=False, indent=1)
        new.replace(file)
    except OSError as fault:
        raise BackendError(
            f"what was found cannot be kept in {file.parent}: {fault.strerror}",
            todo="set RINGFENCE_HOME to a folder that you can write",
        ) from fault
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
    return file
