"""An MCP server, made with the library's own, that says what came with a call: over stdio, or `http PORT`."""

from __future__ import annotations

import sys
from typing import Any

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("traced")


@server.tool()
def seen(ctx: Context[Any, Any]) -> dict[str, dict[str, str]]:
    """What came with this call."""
    kept = ("traceparent", "tracestate")
    sent: dict[str, Any] = {"meta": ctx.request_context.meta or {}, "headers": ctx.headers or {}}
    return {where: {name: str(said[name]) for name in kept if name in said} for where, said in sent.items()}


if __name__ == "__main__":
    more: dict[str, Any] = {"host": "127.0.0.1", "port": int(sys.argv[2])} if sys.argv[1:2] == ["http"] else {}
    server.run("streamable-http" if more else "stdio", **more)
