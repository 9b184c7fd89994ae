"""Telling systemd how things are (sd_notify(3)), where it asks for that."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def say(*lines: str) -> None:
    """Send lines such as READY=1; nothing where nobody listens."""
    if not (address := os.environ.get("NOTIFY_SOCKET", "")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.sendall("\n".join(lines).encode())
