"""The one way out: what a tool may reach, checked before a byte leaves, and on record (issue 3, DESIGN 1: P6).

`Egress` decides and records; `client.send` makes our own requests; `Proxy` serves the sandboxed tools.
"""

from .client import Broken, Reply, send
from .names import Refused, Target
from .policy import Attempt, Bounds, Egress, Refusal
from .proxy import Proxy, egress_for

__all__ = [
    "Attempt",
    "Bounds",
    "Broken",
    "Egress",
    "Proxy",
    "Refusal",
    "Refused",
    "Reply",
    "Target",
    "egress_for",
    "send",
]
