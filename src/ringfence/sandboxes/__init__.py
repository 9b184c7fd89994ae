"""Launchers of confined jobs: bubblewrap, landlock where that may not start, and none under a name that says so."""

from .choice import AnyLauncher, choose, probe
from .launchers import Bubblewrap, Holds, Landlock, UnsafeNoSandbox
from .worker import Confined

__all__ = ["AnyLauncher", "Bubblewrap", "Confined", "Holds", "Landlock", "UnsafeNoSandbox", "choose", "probe"]
