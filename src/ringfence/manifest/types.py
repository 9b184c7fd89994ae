"""The manifest as frozen types: parsed once, at the edge (DESIGN 10)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

Profile = Literal["default", "strict", "unattended"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$", description="letters, digits, '-' and '_'")]
Reader = Annotated[str, Field(pattern=r"^((role|user|team):[^\s:]+|public)$", description="role:NAME, user:NAME or public")]


class SecretRef:
    """A secret by reference: the name of an environment variable. The value is read when used and never shown."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def reveal(self) -> str | None:
        """The value, or None if the variable is not set."""
        return os.environ.get(self.name)

    def __repr__(self) -> str:
        return f"SecretRef({self.name})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretRef) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    @classmethod
    def parse(cls, value: object) -> SecretRef:
        """From `${NAME}`; raises ValueError for anything else, without repeating it."""
        if isinstance(value, SecretRef):
            return value
        if isinstance(value, str) and value.startswith("${") and value.endswith("}") and value[2:-1].isidentifier():
            return cls(value[2:-1])
        raise ValueError("a secret is written as a reference, ${NAME}, and kept in the environment or in .env")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda ref: f"${{{ref.name}}}"),
            json_schema_input_schema=core_schema.str_schema(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"),
        )


class Strict(BaseModel):
    """Unknown keys are refused; nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Runtime(Strict):
    """Who this agent is and how cautious it is."""

    name: Name = "agent"
    version: str | None = None
    profile: Profile = "default"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    telemetry: bool = False


class Sampling(Strict):
    """What a request asks of a model; stated once for all tiers, or in a tier."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_context: Annotated[int, Field(ge=512, description="tokens")] | None = None
    max_tokens: Annotated[int, Field(ge=16, description="tokens of one answer")] | None = None


class Tier(Sampling):
    """One model. `audience` names everyone who can see what is sent to its server."""

    name: Name = "main"
    provider: Literal["embedded", "openai", "ollama", "llamacpp", "vllm", "lmstudio"]
    model: Annotated[str, Field(min_length=1)]
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    audience: tuple[Reader, ...] | None = None
    api_key: SecretRef | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    idle_s: Annotated[float, Field(ge=1, description="embedded: stop the model server after so many idle seconds")] = 300.0


class Inference(Sampling):
    """The tiers, in order of cost. One model may also be written flat, without `tiers`."""

    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]


class Sandbox(Strict):
    """Limits of a sandboxed tool."""

    cpu_s: Annotated[float, Field(gt=0)] = 10.0
    memory_mb: Annotated[int, Field(ge=16)] = 256


class _Tool(Strict):
    name: Name
    callers: tuple[Reader, ...] | None = None
    readers: tuple[Reader, ...] | None = None
    target_paths: tuple[Path, ...] = ()
    sandbox: bool | Sandbox | None = None
    max_file_size_mb: Annotated[float, Field(gt=0)] | None = None


class BuiltinTool(_Tool):
    """A group of tools that ships with Ringfence; `permissions` picks among them, all reading ones by default."""

    type: Literal["builtin"]
    permissions: tuple[Literal["read", "grep", "write", "execute"], ...] | None = None
    allow: tuple[str, ...] = ()


class McpTool(_Tool):
    """An MCP server: `server_url` for one that somebody runs, `command` for one that we start."""

    type: Literal["mcp"]
    server_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    command: tuple[str, ...] | None = None
    permissions: tuple[Literal["read", "grep", "write", "execute"], ...] = ()


class PythonTool(_Tool):
    """A decorated function, `module:function`."""

    type: Literal["python"]
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


Tool = Annotated[BuiltinTool | McpTool | PythonTool, Field(discriminator="type")]


class Collection(Strict):
    """Documents that share readers."""

    name: Name
    path: Path
    readers: tuple[Reader, ...] = ()


class Knowledge(Strict):
    """Collections of documents."""

    collections: tuple[Collection, ...] = ()


class Workflow(Strict):
    """Bounds and habits of a run."""

    max_steps: Annotated[int, Field(ge=1, le=1000, description="model calls of one run")] = 20
    max_tokens: Annotated[int, Field(ge=256, description="tokens of one run, sent and generated")] = 200_000
    checkpoint_interval: Annotated[int, Field(ge=1, description="steps")] = 5
    error_handling: Literal["retry_with_context", "fail"] = "retry_with_context"
    output_format: Literal["text", "structured_json"] = "text"
    limits: dict[str, Annotated[int, Field(ge=0)]] = {}
    tool_first: bool = True
    history: Annotated[int, Field(ge=0, description="messages of the conversation shown to the model")] = 20
    result_chars: Annotated[int, Field(ge=200, description="characters of one tool result shown to the model")] = 4000


class Manifest(Strict):
    """One agent. `source` is the file it was read from; relative paths are relative to it."""

    runtime: Runtime = Runtime()
    inference: Inference
    tools: tuple[Tool, ...] = ()
    knowledge: Knowledge = Knowledge()
    workflow: Workflow = Workflow()
    source: Annotated[Path | None, Field(exclude=True)] = None

    @model_validator(mode="after")
    def _distinct(self) -> Manifest:
        for what, names in (("tool", [t.name for t in self.tools]), ("tier", [t.name for t in self.inference.tiers])):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two {what}s are named {name!r}")
        return self

    @property
    def root(self) -> Path:
        """The folder that relative paths start from."""
        return self.source.parent if self.source else Path.cwd()
