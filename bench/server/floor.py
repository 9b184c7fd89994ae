"""The floor: a bare ASGI app under the same uvicorn. It takes a task, says one event, and ends."""

from __future__ import annotations

from typing import Any

import uvicorn


async def app(scope: Any, receive: Any, send: Any) -> None:
    """POST /v1/runs, then GET /v1/runs/ID/events, with nothing behind them."""
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        await receive()
        await send(
            {
                "type": "http.response.start",
                "status": 202,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"10")],
            }
        )
        await send({"type": "http.response.body", "body": b'{"id":"x"}'})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b'event: end\ndata: {"status":"done"}\n\n', "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    import sys

    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools", access_log=False)
