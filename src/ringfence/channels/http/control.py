"""What the owner of a server asks it over its socket, one question a connection: status, reload, handover, retire."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ringfence.app.serving import whereabouts
from ringfence.core.errors import RingfenceError
from ringfence.core.values import JSON

Said = Mapping[str, JSON]
Verb = Callable[[], Awaitable[tuple[Said, Sequence[socket.socket]]]]  # what it says, and the sockets that go along
_QUESTION_BYTES = 4096
_QUESTION_S = 5.0
_log = logging.getLogger("ringfence")


class Control:
    """Answers at the socket of a folder until it is closed."""

    def __init__(self, folder: Path, verbs: Mapping[str, Verb]) -> None:
        self._verbs = verbs
        self._socket = whereabouts.listening(folder)
        self._task = asyncio.get_running_loop().create_task(self._listen(), name="control")
        self._answering: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Answer nobody any more; who is being answered is answered to the end."""
        self._task.cancel()
        self._socket.close()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            task = loop.create_task(self._one(connection))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _one(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with connection, suppress(OSError, TimeoutError):
            if not whereabouts.peer_may(connection):
                return
            said, sockets = await self._answer(await _question(connection))
            data = json.dumps(said).encode() + b"\n"
            if sockets:
                sent = socket.send_fds(connection, [data], [one.fileno() for one in sockets])
                data = data[sent:]
            await asyncio.get_running_loop().sock_sendall(connection, data)

    async def _answer(self, question: Mapping[str, JSON]) -> tuple[Said, Sequence[socket.socket]]:
        verb = self._verbs.get(str(question.get("ask")))
        if verb is None:
            return {"error": f"expected one of {', '.join(self._verbs)}, got {question.get('ask')!r}"}, ()
        try:
            return await verb()
        except RingfenceError as error:
            return {"error": error.what, "todo": error.todo}, ()
        except Exception as error:
            _log.error("the owner's %s failed", question["ask"], exc_info=error)
            return {"error": f"it failed in our own code: {error!r}", "todo": "`ringfence logs` says more"}, ()


async def _question(connection: socket.socket) -> Mapping[str, JSON]:
    loop, data = asyncio.get_running_loop(), b""
    async with asyncio.timeout(_QUESTION_S):
        while not data.endswith(b"\n") and len(data) < _QUESTION_BYTES:
            part = await loop.sock_recv(connection, _QUESTION_BYTES)
            if not part:
                break
            data += part
    try:
        asked = json.loads(data)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
