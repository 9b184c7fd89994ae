"""The floor: a bare ASGI app under the same uvicorn. It takes a task, says one event, and ends."""

from __future__ import annotations

from typing import Any

import uvicorn


async def app(scope: Any, receive: Any, send: Any) -> None:
    """POST /v1/runs with its events as the answer, and nothing behind it."""
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b'event: end\ndata: {"status":"done"}\n\n', "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    import sys

    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools", access_log=False)
