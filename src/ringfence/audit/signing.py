"""The key of a log, as the manifest names it."""

from __future__ import annotations

from pathlib import Path

from ringfence.core.errors import ManifestError
from ringfence.manifest.record import SigningKey
from ringfence.proof import keys
from ringfence.proof.keys import CommandSigner
from ringfence.proof.note import Signer, Verifier

KEY = Path(".ringfence", "keys", "audit.key")  # beside the manifest


def signer_of(config: SigningKey | None, root: Path, *, name: str, expected: Verifier | None = None) -> Signer:
    """What signs the heads of the log with this origin. A file that is not there is made, for a log without heads.

    expected  the key that the newest head counts on: no other one may go on. Raises ManifestError, NoteError.
    """
    if config is not None and config.command is not None:
        verifier = verifier_of(config, root)
        if expected not in (None, verifier):
            raise ManifestError(
                f"expected the public key {expected} in `audit.key`, which signs this log, got {verifier}",
                todo="name the command and the public key that the log began with, or begin another log",
            )
        return CommandSigner(config.command, verifier, folder=root)
    file = key_file(config, root)
    if expected is None and not file.exists():
        return keys.make(file, name=name)
    return keys.load(file, expected=expected)


def verifier_of(config: SigningKey | None, root: Path) -> Verifier:
    """The public key of the log. Raises ManifestError for a file that holds none, NoteError for a text that is none."""
    if config is not None and config.public is not None:
        return Verifier.parse(config.public)
    return keys.load(key_file(config, root)).verifier


def key_file(config: SigningKey | None, root: Path) -> Path:
    """Where the private key lies, if it lies in a file."""
    return root / (config.file if config is not None and config.file is not None else KEY)
