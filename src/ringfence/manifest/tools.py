"""The tools of a manifest: what ships with Ringfence, MCP servers, Python functions; where each may reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from .fields import (
    FUNCTION,
    Folder,
    HeaderName,
    HostName,
    Name,
    PathBeginning,
    Rate,
    Reader,
    SecretRef,
    SecretText,
    Url,
    VariableName,
    nearest,
)
from .strict import Conflict, Strict, shorthand

TOOLS_OF: Final = {  # the tools of each group that ships with this release; a test holds them to the catalogue
    "files": (
        "files.list", "files.read", "files.stat", "files.search", "files.find", "files.overview",
        "files.write", "files.edit", "files.patch", "files.undo",
    ),
    "text": ("text.count",),
    "csv": ("csv.sql",),
    "calc": ("calc",),
    "time": ("time.now",),
    "shell": ("shell.run",),
    "python": ("python.run",),
    "web": ("web.fetch",),
    "http": ("http.call",),
    "sql": ("sql.query",),
}  # fmt: skip
ALWAYS_THERE: Final = ("read_more", "read_all", "kb.search", "kb.read")  # the runtime's own tools, of no group
MEMORY: Final = ("memory.save", "memory.search", "memory.forget")  # there when `memory` is enabled, listed nowhere
LOCK: Final = "ringfence.lock"  # beside the manifest: the tools of MCP servers as they were accepted
_REACHING: Final = frozenset({"web", "http"})  # groups that need hosts
ALONE: Final = frozenset({"files", "text", "csv", "calc", "time"})  # groups that reach nothing and start nothing

Permission = Literal["read", "grep", "write", "execute"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _host(text: str) -> dict[str, Any]:
    """`docs.example.com:8443` as `{host: docs.example.com, port: 8443}`."""
    name, colon, port = text.rpartition(":")
    numbered = colon and port.isascii() and port.isdecimal() and len(port) <= 5
    return {"host": name, "port": int(port)} if numbered else {"host": text}


def _database(value: Any) -> Any:
    """A path, or a reference: an address may hold a password, and is not repeated."""
    if isinstance(value, SecretRef):
        return value
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("database", "a SQLite file, or ${NAME} of a postgresql:// address")
    if "://" in value or ("${" in value and not SecretRef.shape.fullmatch(value)):
        raise PydanticCustomError("secret", "a SQLite file, or ${NAME} of an address, which may hold a password")
    return value


class Host(Strict):
    """A host that may be reached, and what may be asked of it."""

    host: Annotated[HostName, Field(description="a name, *.name for all below it, or an address")]
    port: Annotated[int | None, Field(ge=1, le=65535, description="443 and 80 if not set")] = None
    methods: Annotated[
        tuple[Method, ...], Field(min_length=1, description="for requests that Ringfence itself makes")
    ] = ("GET", "HEAD")
    paths: Annotated[
        tuple[PathBeginning, ...],
        Field(min_length=1, description="beginnings of paths that may be asked for"),
    ] = ("/",)
    private: Annotated[bool, Field(description="it may be a private or loopback address")] = False
    headers: Annotated[
        dict[HeaderName, SecretText],
        Field(description="headers that Ringfence adds on the way out: Bearer ${TOKEN}; nobody sees the values"),
    ] = {}
    audience: Annotated[
        tuple[Reader, ...] | None, Field(description="everyone who sees what is sent there; public if not set")
    ] = None


class Sandbox(Strict):
    """Limits of a sandboxed tool."""

    cpu_s: Annotated[float, Field(gt=0, description="seconds of CPU")] = 10.0
    wall_s: Annotated[float, Field(gt=0, description="seconds in all")] = 30.0
    memory_mb: Annotated[int, Field(ge=16, description="megabytes of memory")] = 256
    processes: Annotated[int, Field(ge=1, description="processes and threads")] = 64
    file_mb: Annotated[int, Field(ge=1, description="megabytes of any one file")] = 64
    open_files: Annotated[int, Field(ge=8, description="files open at once")] = 256
    output_kb: Annotated[int, Field(ge=1, description="kilobytes of output that are kept")] = 256


class _Tool(Strict):
    name: Annotated[Name, Field(description="the group's name; its tools are called name.verb, a function just name")]
    callers: Annotated[
        tuple[Reader, ...] | None, Field(description="who may use it; everyone who may use the agent if not set")
    ] = None
    readers: Annotated[
        tuple[Reader, ...] | None, Field(description="who may read what comes out; whoever asked if not set")
    ] = None
    target_paths: Annotated[
        tuple[Folder, ...], Field(description="the files and folders it may touch, relative to the manifest")
    ] = ()
    sandbox: Annotated[bool | Sandbox | None, Field(description="run it confined by the kernel, with these limits")] = (
        None
    )
    max_file_size_mb: Annotated[float | None, Field(gt=0, description="larger files are refused, megabytes")] = None
    hosts: Annotated[
        tuple[Annotated[Host, shorthand(_host, str | Host)], ...],
        Field(description="where it may reach, through our egress proxy; nowhere if not set"),
    ] = ()
    secrets: Annotated[
        dict[VariableName, SecretRef],
        Field(description="variables of its environment: ${NAME}; the model and the records never see them"),
    ] = {}
    rate: Annotated[Rate | None, Field(description="calls by one principal, in a sliding window: 30/minute")] = None

    @property
    def limits(self) -> Sandbox:
        """The limits that were written, or the usual ones."""
        return self.sandbox if isinstance(self.sandbox, Sandbox) else Sandbox()


class BuiltinTool(_Tool):
    """A group of tools that ships with Ringfence."""

    type: Literal["builtin"]
    permissions: Annotated[
        tuple[Permission, ...] | None,
        Field(description="which of its tools may be called; all that only read if not set"),
    ] = None
    allow: Annotated[
        tuple[str, ...],
        Field(description="shell: the commands that may be run, by their first words; * and {a,b} in an argument"),
    ] = ()
    database: Annotated[
        Annotated[SecretRef | str, BeforeValidator(_database)] | None,
        Field(description="sql: a SQLite file, or ${NAME} of a postgresql:// address"),
    ] = None
    max_rows: Annotated[int, Field(ge=1, le=10_000, description="sql: rows of one result, at most")] = 200

    def conflicts(self) -> Iterator[Conflict]:
        """A group that does not exist, and keys for something that has no use for them."""
        if self.name not in TOOLS_OF:
            yield (
                ("name",),
                f"expected a tool that ships with Ringfence, got {self.name!r}; {nearest(self.name, TOOLS_OF)}",
            )
            return
        if self.hosts and self.name in ALONE:
            yield ("hosts",), f"expected no hosts in {self.name}, which reaches none; remove it, or use name: web"
        if self.secrets and self.name in ALONE | _REACHING:
            instead = "write headers under its host" if self.name in _REACHING else "remove it"
            yield ("secrets",), f"expected no secrets in {self.name}, which runs no program of its own; {instead}"
        if self.allow and self.name != "shell":
            yield (
                ("allow",),
                f"expected no allow in {self.name}, which runs no commands; remove it, or use name: shell",
            )
        if self.database is not None and self.name != "sql":
            yield (
                ("database",),
                f"expected no database in {self.name}, which asks none; remove it, or use name: sql",
            )
        if self.database is None and self.name == "sql":
            yield (), "expected a database in sql, got none; add one: database: ./data.db, or database: ${DATABASE_URL}"
        if not self.hosts and self.name in _REACHING:
            yield (), f"expected hosts in {self.name}, got none; say where it may reach: hosts: [docs.example.com]"


class McpTool(_Tool):
    """An MCP server: `server_url` for one that somebody runs, `command` for one that Ringfence starts."""

    type: Literal["mcp"]
    server_url: Annotated[Url | None, Field(description="the address of a server that somebody runs")] = None
    command: Annotated[tuple[str, ...] | None, Field(min_length=1, description="the program and its arguments")] = None
    permissions: Annotated[
        tuple[Permission, ...], Field(description="which of its tools may be called; checked on our side of the wire")
    ] = ()
    timeout_s: Annotated[float, Field(gt=0, description="seconds to wait for one answer of the server")] = 30.0
    max_message_kb: Annotated[int, Field(ge=1, description="kilobytes of one message of the server, at most")] = 4096

    def conflicts(self) -> Iterator[Conflict]:
        """A server is reached or started: one of both."""
        if self.server_url is None and self.command is None:
            yield (), "expected server_url or command, got neither; add the one that says where the server is"
        elif self.server_url is not None and self.command is not None:
            yield ("command",), "expected server_url or command, got both; keep the one that says where the server is"
        if self.secrets and self.command is None:
            yield ("secrets",), "expected no secrets beside server_url, whose environment is not ours; remove it"


class PythonTool(_Tool):
    """A decorated function of yours, run in a sandboxed process of its own."""

    type: Literal["python"]
    function: Annotated[str, Field(pattern=FUNCTION, description="where it is: module:function")]


Tool = Annotated[BuiltinTool | McpTool | PythonTool, Field(discriminator="type")]
