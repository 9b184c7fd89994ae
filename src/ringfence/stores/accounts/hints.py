"""What a provider wants to see again when somebody signs out there: the ID token that their session began with.

It is sealed with a key that is made from the session's own token, which is in the browser alone: whoever reads the
file learns nothing of anybody from it. It goes with its session.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .file import File
from .sessions import digest_of

LONGEST: Final = 16_384  # characters; a longer one is not kept, and the provider asks the person instead
_NONCE: Final = 12


class Hints:
    """The hints of a server's sessions."""

    def __init__(self, file: File) -> None:
        self._file = file

    def keep(self, token: str, hint: str) -> None:
        """Keep one for the session of a token, as long as there is that session."""
        if not hint or len(hint) > LONGEST:
            return
        digest, nonce = digest_of(token), os.urandom(_NONCE)
        sealed = nonce + _cipher(token).encrypt(nonce, hint.encode(), digest)
        with self._file.changing() as db:
            there = "INSERT OR REPLACE INTO hints SELECT digest, ? FROM sessions WHERE digest = ?"
            db.execute(there, (sealed, digest))

    def of(self, token: str) -> str:
        """That of a token's session; empty where there is none."""
        digest = digest_of(token)
        rows = self._file.rows("SELECT sealed FROM hints WHERE digest = ?", (digest,))
        if not rows:
            return ""
        sealed: bytes = rows[0][0]
        try:
            return _cipher(token).decrypt(sealed[:_NONCE], sealed[_NONCE:], digest).decode()
        except InvalidTag:
            return ""


def _cipher(token: str) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, b"ringfence hint").derive(token.encode("utf-8", "replace")))
