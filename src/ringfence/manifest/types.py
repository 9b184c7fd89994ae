"""The manifest as frozen types: parsed once, at the edge (DESIGN 10).

The description of a field is its meaning: the editor shows it from the JSON Schema, `init` shows it in plain words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from .fields import Folder, Name, Reader, SecretRef, SecretText, Url
from .knowledge import Collection, Embedding, Knowledge, Memory
from .names import clashes
from .record import Audit, Privacy
from .routing import Budgets, Price, Routing
from .security import Approvals, Entry, Grant, Plugins
from .server import Server
from .strict import Conflict, Strict
from .tools import ALWAYS_THERE, LOCK, TOOLS_OF, BuiltinTool, Host, McpTool, PythonTool, Sandbox, Tool
from .workflow import Validate, Workflow

WELL_KNOWN: Final = {  # where these servers listen unless they are told otherwise
    "ollama": "http://127.0.0.1:11434",
    "llamacpp": "http://127.0.0.1:8080",
    "vllm": "http://127.0.0.1:8000",
    "lmstudio": "http://127.0.0.1:1234",
    "anthropic": "https://api.anthropic.com",  # a cloud: a tier there is one that the manifest names, and nobody else
}

__all__ = [
    "ALWAYS_THERE", "LOCK", "TOOLS_OF", "Approvals", "Audit", "Budgets", "BuiltinTool", "Collection", "Embedding",
    "Entry", "Grant", "Host", "Inference", "Knowledge", "Manifest", "McpTool", "Memory", "Plugins", "Price",
    "Privacy", "PythonTool", "Routing", "Runtime", "Sampling", "Sandbox", "SecretRef", "SecretText", "Server", "Strict",
    "Tier", "Tool", "Validate", "Workflow",
]  # fmt: skip

Profile = Literal["default", "strict", "unattended"]
Launcher = Literal["auto", "bubblewrap", "landlock", "unsafe-none"]


class Runtime(Strict):
    """Who this agent is and how cautious it is."""

    name: Annotated[Name, Field(description="the agent's name; each run's record carries it")] = "agent"
    version: Annotated[str | None, Field(description="your version of this manifest; each run's record carries it")] = (
        None
    )
    profile: Annotated[
        Profile,
        Field(
            description="default; strict: untrusted text in an effect asks; unattended: whatever would ask is refused"
        ),
    ] = "default"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="how much the log says: a line for each record from info on, which a log_file makes it"),
    ] = "warning"
    log_file: Annotated[
        Folder | None,
        Field(description="the log's file (0600), relative to the manifest; stderr if not set. RINGFENCE_LOG wins"),
    ] = None
    telemetry: Annotated[
        bool, Field(description="nothing is ever sent home, whatever is written here; the key is read for other agents")
    ] = False


class Sampling(Strict):
    """What a request asks of a model; stated once for all tiers, or in a tier."""

    temperature: Annotated[float | None, Field(ge=0, le=2, description="0 always picks the likeliest word")] = None
    top_p: Annotated[float | None, Field(gt=0, le=1, description="the share of likely words that are drawn from")] = (
        None
    )
    max_context: Annotated[
        int | None, Field(ge=512, description="tokens of one request and its answer; the model's own window if not set")
    ] = None
    max_tokens: Annotated[int | None, Field(ge=16, description="tokens of one answer, at most")] = None
    seed: Annotated[
        int | None,
        Field(ge=0, le=2**31 - 1, description="what a server draws words by, so that an answer can be had again"),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """An answer as long as the window leaves no room for the question."""
        if self.max_tokens and self.max_context and self.max_tokens >= self.max_context:
            yield (
                ("max_tokens",),
                f"expected less than max_context ({self.max_context}), got {self.max_tokens}; the question and its"
                " answer share the window",
            )


class Tier(Sampling):
    """One model and the server that runs it."""

    name: Annotated[Name, Field(description="what records and the router call it")] = "main"
    provider: Annotated[
        Literal["embedded", "openai", "ollama", "llamacpp", "vllm", "lmstudio", "anthropic"],
        Field(
            description="embedded: Ringfence runs the model itself; openai: any server with an OpenAI-compatible API;"
            " anthropic: the Messages API, a cloud"
        ),
    ]
    model: Annotated[str, Field(min_length=1, description="the model's name, as its server or `models list` has it")]
    endpoint: Annotated[
        Url | None, Field(description="the model server's address; well-known servers have their usual one")
    ] = None
    audience: Annotated[
        tuple[Reader, ...] | None,
        Field(
            description="everyone who sees what is sent there; if not set, a server elsewhere gets public content only"
        ),
    ] = None
    api_key: Annotated[SecretRef | None, Field(description="the key of the model server, as a reference: ${NAME}")] = (
        None
    )
    timeout_s: Annotated[float, Field(gt=0, description="seconds to wait for the model server")] = 300.0
    retries: Annotated[int, Field(ge=0, le=10, description="further attempts when the model server faults")] = 2
    idle_s: Annotated[
        float, Field(ge=1, description="seconds without work after which the embedded model's server stops")
    ] = 300.0
    logprobs: Annotated[
        bool | None,
        Field(
            description="ask how sure the model is of what it decides; if not set, where `models probe` has found that"
            " its server tells and there is a next tier to go to"
        ),
    ] = None
    redact: Annotated[
        bool,
        Field(
            description="it sees placeholders (<EMAIL_1>) for personal data and secrets; what it says of them is put"
            " back where the sink may read them"
        ),
    ] = False
    price: Annotated[Price | None, Field(description="what it costs; nothing if not set")] = None
    budgets: Annotated[Budgets, Field(description="what one person may use of it in a day")] = Budgets()
    patience_s: Annotated[
        float | None,
        Field(
            gt=0,
            description="seconds until the first word of an answer; then the request is cancelled and the next tier is"
            " asked. If not set, timeout_s alone holds",
        ),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """What an embedded model has no use for, and what another one needs."""
        yield from super().conflicts()
        if self.budgets.money_per_day is not None and self.price is None:
            yield (
                ("budgets", "money_per_day"),
                "expected a price beside money_per_day, got none; say what it costs: price: {input: 3, output: 15}",
            )
        if self.provider == "embedded":
            for key in ("endpoint", "api_key"):
                if getattr(self, key) is not None:
                    yield (
                        (key,),
                        f"expected no {key} beside provider: embedded, whose server Ringfence starts itself;"
                        f" remove it, or use provider: openai",
                    )
            return
        if self.endpoint is None and self.provider == "openai":
            yield (
                ("endpoint",),
                "expected the server's address beside provider: openai, got none; add one, such as"
                " endpoint: http://127.0.0.1:8000/v1",
            )
        if self.provider == "anthropic":
            if self.api_key is None:
                yield (
                    ("api_key",),
                    "expected the API's key beside provider: anthropic, got none; add one as a reference, such as"
                    " api_key: ${ANTHROPIC_API_KEY}",
                )
            if self.logprobs:
                yield ("logprobs",), "expected no logprobs beside provider: anthropic, which tells none; remove it"
        if "idle_s" in self.model_fields_set:
            yield (
                ("idle_s",),
                f"expected no idle_s beside provider: {self.provider}, whose server is not ours to stop; remove it",
            )

    @model_validator(mode="after")
    def _at_its_usual_place(self) -> Tier:
        if self.endpoint is None and self.provider in WELL_KNOWN:
            object.__setattr__(self, "endpoint", WELL_KNOWN[self.provider])
        return self


class Inference(Sampling):
    """The tiers, in order of cost; sampling values beside them are the tiers' defaults.

    One model may also be written flat: the keys of a tier directly under `inference`.
    """

    tiers: Annotated[
        tuple[Tier, ...],
        Field(min_length=1, description="the models, cheapest first; `routing` says which one a task goes to"),
    ]
    cache: Annotated[
        bool,
        Field(
            description="an answer that could only be the same again (temperature: 0) is kept in memory, for an hour at"
            " most, for requests that are the same in every byte and label"
        ),
    ] = False

    @model_validator(mode="after")
    def _inherit(self) -> Inference:
        given = {key: value for key in Sampling.model_fields if (value := getattr(self, key)) is not None}
        tiers = tuple(
            tier.model_copy(update={k: v for k, v in given.items() if getattr(tier, k) is None}) for tier in self.tiers
        )
        found = [(("tiers", n, *at), text) for n, tier in enumerate(tiers) for at, text in tier.conflicts()]
        if found:
            raise PydanticCustomError("conflict", "{summary}", {"summary": found[0][1], "found": found})
        object.__setattr__(self, "tiers", tiers)
        return self


BESIDE_TIERS = frozenset(Inference.model_fields) - frozenset(Tier.model_fields) - {"tiers"}  # of a flat one as well


class Manifest(Strict):
    """One agent. `source` is the file it was read from; relative paths are relative to it."""

    runtime: Annotated[Runtime, Field(description="who this agent is and how cautious it is")] = Runtime()
    inference: Annotated[
        Inference, Field(description="the models: one written flat, or a list of tiers, cheapest first")
    ]
    routing: Annotated[Routing, Field(description="which tier a task goes to, and when it goes upstairs")] = Routing()
    tools: Annotated[tuple[Tool, ...], Field(description="what the agent may use; nothing else exists for it")] = ()
    catalogue: Annotated[
        dict[str, Entry], Field(description="your word on a tool, by its name: it replaces what ships for it")
    ] = {}
    grant: Annotated[Grant, Field(description="what a task may do beyond reading")] = Grant()
    approvals: Annotated[Approvals, Field(description="who says yes when a call asks")] = Approvals()
    sandbox: Annotated[
        Launcher,
        Field(description="what confines tools: the best that is here, or the one named; unsafe-none confines nothing"),
    ] = "auto"
    audit: Annotated[Audit, Field(description="how the log proves itself")] = Audit()
    privacy: Annotated[Privacy, Field(description="what is kept of people, and for how long")] = Privacy()
    plugins: Annotated[Plugins, Field(description="packages of tools that others made")] = Plugins()
    knowledge: Annotated[Knowledge, Field(description="documents that the agent may search")] = Knowledge()
    memory: Annotated[Memory, Field(description="what it remembers between conversations")] = Memory()
    workflow: Annotated[Workflow, Field(description="bounds and habits of a run")] = Workflow()
    server: Annotated[Server, Field(description="the server and its page: `ringfence up`")] = Server()
    source: Annotated[Path | None, Field(exclude=True)] = None

    def conflicts(self) -> Iterator[Conflict]:
        """What the parts of a manifest say about each other."""
        tiers = [tier.name for tier in self.inference.tiers]
        yield from clashes(
            [(tool.name, tool.type) for tool in self.tools],
            tiers,
            [collection.name for collection in self.knowledge.collections],
            self.meant,
        )
        yield from ((("routing", *at), text) for at, text in self.routing.strangers(tiers))
        for n, tool in enumerate(self.tools if self.memory.enabled else ()):
            if tool.name == "memory":
                yield (
                    ("tools", n, "name"),
                    "expected another name than memory, whose tools are the agent's own; rename it",
                )
        for n, collection in enumerate(self.knowledge.collections):
            if collection.name == "memory":
                what = "expected another name than memory, which is where the agent remembers; rename it"
                yield ("knowledge", "collections", n, "name"), what

    @property
    def meant(self) -> dict[tuple[str | int, ...], Iterable[str]]:
        """The names of tools that are used in other parts, by the place that lists them."""
        return {
            ("workflow", "limits"): self.workflow.limits,
            ("grant", "effects"): self.grant.effects or (),
            ("grant", "budgets"): self.grant.budgets,
            ("grant", "objects"): self.grant.objects,
            ("catalogue",): self.catalogue,
            **{("workflow", "validate", n): one.tools for n, one in enumerate(self.workflow.validate)},
            **{
                ("catalogue", name, "reconcile"): {"by": entry.reconcile.by}
                for name, entry in self.catalogue.items()
                if entry.reconcile is not None
            },
        }

    @property
    def root(self) -> Path:
        """The folder that relative paths start from."""
        return self.source.parent if self.source else Path.cwd()
