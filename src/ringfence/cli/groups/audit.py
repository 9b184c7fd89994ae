"""`ringfence audit`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from ..options import group

audit = group("How the log proves itself: verify, prove, export, forward.")
witness = group("Sign the heads of other hosts' logs, if they only grow.")
