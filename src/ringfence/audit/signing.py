"""The key of a log, as the manifest names it."""

from __future__ import annotations

from pathlib import Path

from ringfence.core.errors import ManifestError
from ringfence.manifest.record import SigningKey
from ringfence.proof import keys
from ringfence.proof.keys import CommandSigner
from ringfence.proof.note import Signer, Verifier

KEY = Path(".ringfence", "keys", "audit.key")  # beside the manifest


def signer_of(config: SigningKey | None, root: Path, *, name: str, newest: str | None = None) -> Signer:
    """What signs the heads of the log with this origin. A key file that is not there is made, for a log without heads.

    newest  the last head that is kept with the log: no key goes on but the one that follows from it.
    Raises ManifestError for a key that does not, NoteError for a text that is none.
    """
    if config is not None and config.command is not None:
        return CommandSigner(config.command, verifier_of(config, root), folder=root)
    file = key_file(config, root)
    if newest is None and not file.exists():
        try:
            keys.make(file, name=name)
        except ManifestError:
            if not file.exists():  # else another process was quicker
                raise
    return keys.load(file, newest=newest)


def verifier_of(config: SigningKey | None, root: Path) -> Verifier:
    """The public key of the log. Raises ManifestError for a file that holds none, NoteError for a text that is none."""
    if config is not None and config.public is not None:
        return Verifier.parse(config.public)
    return keys.load(key_file(config, root)).verifier


def key_file(config: SigningKey | None, root: Path) -> Path:
    """Where the private key lies, if it lies in a file."""
    return root / (config.file if config is not None and config.file is not None else KEY)
