"""One POST of a head to an address, for a thread of its own: bounded in time and bytes, never redirected."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ringfence.core.errors import JournalError

MAX_BYTES = 65_536  # of an answer


class Unreachable(JournalError):
    """Nobody answered, or not in a way that can be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str


def post(url: str, body: str, *, timeout_s: float) -> Answer:
    """Send text, and read the answer to its end. Raises Unreachable if there is none within `timeout_s`."""
    import aiohttp

    async def ask() -> Answer:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # nothing compressed is asked for, so nothing can swell
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            trust_env=False,  # the manifest names the address; a proxy of the environment would be another reader
        ) as session:
            headers = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
            async with session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as response:
                data = bytearray()
                async for piece in response.content.iter_any():
                    data += piece
                    if len(data) > MAX_BYTES:
                        raise Unreachable(
                            f"{url} answered with more than {MAX_BYTES} bytes", todo="see what listens there"
                        )
                return Answer(response.status, data.decode(errors="replace"))

    try:
        return asyncio.run(ask())
    except TimeoutError:
        raise Unreachable(
            f"{url} gave no answer within {timeout_s:g} s", todo="see whether it is up and can be reached from here"
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(
            f"{url} cannot be reached: {error or type(error).__name__}",
            todo="see whether it is up and can be reached from here",
        ) from None
