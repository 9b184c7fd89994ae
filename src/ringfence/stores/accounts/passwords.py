"""Passwords: argon2id with the second set of parameters of RFC 9106 (64 MiB, 3 passes, 4 lanes), two at once.

The bound is on memory: a hundred sign-ins at once take no more of it than two, and wait.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from ringfence.core.errors import ManifestError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")
AT_ONCE: Final = 2
WAITING: Final = 32  # beyond, the next one is sent away: `Busy`
SHORTEST, LONGEST = 12, 256  # characters
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that looks like something else


class Busy(Exception):
    """More passwords wait to be checked than is sensible."""


class Passwords:
    """Makes and checks hashes, each check with the same work: whether there is such an account cannot be timed.

    `checks` counts the hashes that were reckoned.
    """

    def __init__(self) -> None:
        self.checks = 0
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, "password")
        self._waiting = 0
        self._hasher: PasswordHasher | None = None
        self._nobody = ""

    async def right(self, password: str, hashed: str) -> bool:
        """Whether it is the password of this hash; `hashed` empty: of nobody, and it takes as long. Raises Busy."""
        return await self._bounded(self.check, password, hashed)

    async def made(self, password: str) -> str:
        """`hash`, in its turn. Raises Busy."""
        return await self._bounded(self.hash, password)

    async def _bounded(self, work: Callable[..., T], *values: str) -> T:
        if self._waiting >= AT_ONCE + WAITING:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
        finally:
            self._waiting -= 1

    def check(self, password: str, hashed: str) -> bool:
        """`right`, for whoever may wait: some 100 ms."""
        from argon2.exceptions import InvalidHashError, VerificationError

        hasher, nobody = self._ready()
        with self._guard:
            self.checks += 1
        try:
            hasher.verify(hashed or nobody, _plain(password))
        except (VerificationError, InvalidHashError):
            return False
        return bool(hashed)

    def hash(self, password: str) -> str:
        """The hash to keep, with its own salt and its parameters in it: some 100 ms."""
        return self._ready()[0].hash(_plain(password))

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._ready()[0].check_needs_rehash(hashed)

    def _ready(self) -> tuple[PasswordHasher, str]:
        from argon2 import PasswordHasher
        from argon2.profiles import RFC_9106_LOW_MEMORY

        with self._guard:
            if self._hasher is None:
                hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
                self._nobody = hasher.hash(secrets.token_hex(16))
                self._hasher = hasher
            return self._hasher, self._nobody

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def generated() -> str:
    """A password of 100 random bits that can be read aloud: xxxxx-xxxxx-xxxxx-xxxxx."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def acceptable(password: str, name: str) -> str:
    """A password that somebody chose, as it is kept; raises ManifestError for one that is too easy.

    Length is what counts (NIST SP 800-63B, 5.1.1.2); there are no rules about signs.
    """
    plain = _plain(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise ManifestError(f"expected a password of {SHORTEST} to {LONGEST} characters, got {len(plain)}",
                            todo="take a few words, or let one be made")  # fmt: skip
    if len(set(plain.casefold())) < 5 or name.casefold() in plain.casefold():
        raise ManifestError("expected a password that is not guessed at once, got a few signs repeated, or the name",
                            todo="take a few words, or let one be made")  # fmt: skip
    return plain


def _plain(password: str) -> str:
    """As it is hashed, whatever keyboard it was typed on (NFKC). No more of it is read than a password may have."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])
