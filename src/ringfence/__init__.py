"""Ringfence: a local-first LLM agent runtime whose safety does not depend on the model.

The public names are resolved when they are first used, so that `import ringfence` loads nothing else.
"""

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without importing typing

if TYPE_CHECKING:
    from .app import Agent as Agent
    from .app import Event as Event
    from .app import load as load
    from .core.errors import BackendError as BackendError
    from .core.errors import InternalError as InternalError
    from .core.errors import JournalError as JournalError
    from .core.errors import ManifestError as ManifestError
    from .core.errors import RingfenceError as RingfenceError
    from .core.errors import ToolError as ToolError
    from .engine.result import Result as Result
    from .tools.python import tool as tool

__version__ = "0.1.0"
__all__ = [
    "Agent",
    "BackendError",
    "Event",
    "InternalError",
    "JournalError",
    "ManifestError",
    "Result",
    "RingfenceError",
    "ToolError",
    "load",
    "tool",
]

_HOMES = {"Agent": "app", "Event": "app", "Result": "engine.result", "load": "app", "tool": "tools.python"}


def __getattr__(name: str) -> object:
    """PEP 562: import the module that holds a public name when the name is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{_HOMES.get(name, 'core.errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
