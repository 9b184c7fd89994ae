"""`ringfence privacy`: names, options and help; what a command needs is imported when it is called."""

from __future__ import annotations

from ..options import group

privacy = group("What is kept of people: export, erase, retention.")
