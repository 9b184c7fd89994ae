"""`ringfence witness serve`: sign the heads of other hosts' logs."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from ..audit.serve import serve
from ..audit.witness_server import WitnessService
from ..core.errors import ManifestError
from ..proof import keys
from ..proof.keys import Cosigner
from ..proof.note import NoteError, Verifier
from .interrupt import interruptible
from .text import plain


def run(listen: str, key: Path, state: Path, logs: list[str], *, name: str) -> None:
    """Serve until a signal comes. A key that is not there is made; the public key and the address go to stdout."""
    host, port = _address(listen)
    trusted = [_verifier(log) for log in logs]
    cosigner = Cosigner(keys.load(key) if key.exists() else keys.make(key, name=name))
    service = WitnessService(cosigner, state, trusted, _say)
    try:
        print(f"key {cosigner.verifier}", flush=True)
        listening = serve(service, host, port, lambda url: print(f"listening on {url}", flush=True))
        asyncio.run(interruptible(listening))
    finally:
        service.close()


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ManifestError(
            f"expected HOST:PORT to listen on, got {listen!r}", todo="such as 127.0.0.1:8791, or [::1]:8791"
        )
    return host, int(port)


def _verifier(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey)
    except NoteError as error:
        raise ManifestError(f"--log: {error.what}", todo=error.todo) from None


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(line)}", file=sys.stderr, flush=True)
