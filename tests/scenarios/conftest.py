"""The command line in a folder of its own, as the tests of the commands have it."""

from ..cli.conftest import folder, ringfence, serve

__all__ = ["folder", "ringfence", "serve"]
