"""The witness over HTTP: bounded requests, one answer each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .witness_server import MAX_BYTES, Answer, WitnessService

if TYPE_CHECKING:
    from aiohttp.web import Application, Request, Response

REQUEST_S = 10.0  # to send a request in


async def serve(service: WitnessService, host: str, port: int, listening: Callable[[str], None]) -> None:
    """Answer until cancelled; `listening` gets the address once it is bound. Raises OSError if it cannot be bound."""
    from aiohttp import web

    runner = web.AppRunner(application(service), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        at, bound = runner.addresses[0][:2]
        listening(f"http://{f'[{at}]' if ':' in at else at}:{bound}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def application(service: WitnessService) -> Application:
    """The two addresses of tlog-witness."""
    from aiohttp import web

    async def add(request: Request) -> Response:
        try:
            async with asyncio.timeout(REQUEST_S):
                body = await request.read()
        except TimeoutError:
            return _response(Answer(408, f"the request took more than {REQUEST_S:g} s\n"))
        return _response(await asyncio.to_thread(service.add_checkpoint, body))

    async def last(request: Request) -> Response:
        note = service.checkpoint(request.match_info["origin"])
        return _response(Answer(404, "nothing was signed for that log\n") if note is None else Answer(200, note))

    app = web.Application(client_max_size=MAX_BYTES)
    app.add_routes([web.post("/add-checkpoint", add), web.get("/{origin:[0-9a-f]{64}}/checkpoint", last)])
    return app


def _response(answer: Answer) -> Response:
    from aiohttp import web

    return web.Response(status=answer.status, text=answer.text, content_type=answer.type, charset="utf-8")
