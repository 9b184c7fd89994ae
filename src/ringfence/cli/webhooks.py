"""`ringfence webhooks`: what was told, what waits, and telling it again."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from ..channels.push import looking
from ..channels.push.looking import Line
from ..manifest.loader import load
from .text import plain


def list_events(manifest: Path, hook: str, limit: int, *, as_json: bool) -> None:
    """The webhooks on stderr, and a line for each event."""
    loaded = load(manifest)
    lines = looking.looked(loaded, hook=hook, limit=limit)
    if as_json:
        for line in lines:
            print(json.dumps(asdict(line), ensure_ascii=False))
        return
    counted = Counter((line.hook, line.state) for line in lines)
    for one in loaded.server.webhooks:
        if hook in ("", one.name):
            host = urlsplit(one.url).netloc  # its path may be a secret of the receiver's
            waiting, lost = counted[one.name, "waiting"], counted[one.name, "given-up"]
            print(plain(f"{one.name} at {host}, told {' and '.join(one.events)}: {waiting} waiting, {lost} given up"),
                  file=sys.stderr)  # fmt: skip
    if not loaded.server.webhooks:
        print("the manifest names no webhook: server.webhooks", file=sys.stderr)
    for line in lines:
        print(plain(f"{line.id}  {line.hook:<12}  {line.type:<15}  {line.run}  {_said(line)}"))


def retry(manifest: Path, idents: Sequence[str], hook: str) -> None:
    """Have events told again."""
    lines = looking.retry(load(manifest), idents, hook=hook)
    for line in lines:
        print(plain(f"{line.id}  {line.hook:<12}  {line.type:<15}  {line.run}"))
    if lines:
        print("a server that runs tells them now, else the next one when it starts", file=sys.stderr)
    else:
        print("nothing was given up", file=sys.stderr)


def _said(line: Line) -> str:
    if line.state == "sent":
        return f"sent {_second(line.at)}"
    tried = f"after {line.tries} attempt{'' if line.tries == 1 else 's'}: {line.why}" if line.tries else "not tried yet"
    return f"given up {tried}" if line.state == "given-up" else f"waits until {_second(line.at)}, {tried}"


def _second(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d %H:%M:%S}"
