"""Shipped doubles: a scripted model in process, a scripted model server on loopback, a clock that stands still."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import FakeClock
    from .scripted import ScriptedModel
    from .server import ScriptedServer, listen, running

__all__ = ["FakeClock", "ScriptedModel", "ScriptedServer", "listen", "running"]

_HOMES = {
    "FakeClock": "clock",
    "ScriptedModel": "scripted",
    "ScriptedServer": "server",
    "listen": "server",
    "running": "server",
}


def __getattr__(name: str) -> Any:
    """Load the double that is asked for."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
