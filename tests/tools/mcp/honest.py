"""An ordinary server, made with the library's own server: over stdio, or `http PORT`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel

server = MCPServer("notes")
kept: list[str] = []


class Note(BaseModel):
    id: int
    author: str
    text: str


class Notes(BaseModel):
    notes: list[Note]


@server.tool()
def keep(text: str, author: str = "nobody") -> Note:
    """Keeps a note."""
    kept.append(text)
    return Note(id=len(kept), author=author, text=text)


@server.tool()
def listed(limit: int = 10) -> Notes:
    """All notes that were kept."""
    return Notes(notes=[Note(id=n, author="nobody", text=text) for n, text in enumerate(kept[:limit])])


@server.tool(structured_output=False)
def read_file(path: str) -> str:
    """Reads a file."""
    return Path(path).read_text()


@server.tool(structured_output=False)
def write_file(path: str, text: str) -> str:
    """Writes a file."""
    return f"{Path(path).write_text(text)} characters"


@server.tool()
def fails(why: str) -> str:
    """Fails."""
    raise ValueError(why)


if __name__ == "__main__":
    more: dict[str, Any] = {"host": "127.0.0.1", "port": int(sys.argv[2])} if sys.argv[1:2] == ["http"] else {}
    server.run("streamable-http" if more else "stdio", **more)
