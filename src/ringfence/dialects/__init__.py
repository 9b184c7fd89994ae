"""Calls that models print as text: read, and repaired by the schema of the tool (DESIGN 9, rungs 3 and 4).

Pure, on the standard library alone. A module a family of dialects; `data` says what is quoted and so never a call.
"""

from __future__ import annotations

from .reader import read, steps
from .reading import Printed, Reading
from .repair import Repaired, repaired
from .tolerant import Truncated, loads, once

__all__ = ["Printed", "Reading", "Repaired", "Truncated", "loads", "once", "read", "repaired", "steps"]
