"""Runs that are begun under a key of the caller's: the same key is the same run, whatever crashed in between."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any

from ringfence.core.errors import JournalError
from ringfence.core.values import JSON, Principal, canonical
from ringfence.stores.hold import Held

from .reading import Reading
from .service import Service

MARK = "idempotency"  # in the `meta` of a run's first record: the digest of what was asked
_WAIT_S, _POLL_S = 10.0, 0.02  # for another request with the same key, perhaps of another process, to be durable
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CHARACTERS = 25  # 125 bits


class OtherBody(JournalError):
    """A key that was used before, with something else."""


def run_of(who: Principal, key: str) -> str:
    """The id of a principal's run with this key: `z` and 25 characters; ids that are made by the clock begin lower."""
    number = int.from_bytes(hashlib.sha256(canonical([who.tenant, who.subject, key])).digest())
    return "z" + "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_CHARACTERS))


async def begin(
    service: Service,
    reading: Reading,
    who: Principal,
    key: str,
    task: str,
    *,
    conversation: str = "",
    about: Sequence[str] = (),
    meta: dict[str, JSON] | None = None,
    **more: Any,
) -> tuple[str, bool]:
    """The id of the run with this key, and whether it was there before; as `Service.submit`.

    Raises OtherBody if the key was used for something else, Held if another request with it takes too long.
    """
    run, ends = run_of(who, key), time.monotonic() + _WAIT_S
    asked = hashlib.sha256(canonical([task, conversation, list(about), meta])).hexdigest()

    def before(log: Any) -> str | None:
        first = log.read(run, 0, 1)
        return str((first[0].body.get("meta") or {}).get(MARK, "")) if first else None

    while True:
        try:
            with service.agent._answering(run):  # one request at a time, of any process, until the run is durable
                known = await reading(before)
                if known is None:
                    whole = {**(meta or {}), MARK: asked}
                    await service.submit(who, task, conversation=conversation, about=about, meta=whole, run=run, **more)
        except Held:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(_POLL_S)
            continue
        if known not in (None, asked):
            raise OtherBody("this Idempotency-Key was used for another request", todo="make a key for each request")
        return run, known is not None
