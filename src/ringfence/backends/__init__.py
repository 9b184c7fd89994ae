"""Models as sinks: each tier of the manifest becomes a `Backend` (DESIGN 3, floor 2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.labels import ANYONE, Audience, seen_by
from ringfence.core.ports import Sink
from ringfence.core.values import Prompt

if TYPE_CHECKING:
    from ringfence.manifest.types import Inference, SecretRef, Tier

    from .answers import Place
    from .findings import Findings, Say
    from .openai import OpenAIChat
    from .probe import Capabilities
DEFAULT_WINDOW = 8192  # tokens, of an embedded model whose tier names no max_context


class ModelSink(Sink, Protocol):
    """A sink for completions whose server can be asked what it has."""

    async def probe(self) -> Capabilities:
        """Model and window; raises BackendError if the server is absent."""
        ...

    async def count(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt, its template included, by the server's own tokenizer; None if it cannot be asked."""
        ...

    async def examine(self, say: Say) -> Findings:
        """Try what the server can do; takes up to minutes. Raises BackendError if it is absent."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Backend:
    """One tier. `audience` is who can see what is sent; None stands for the run's own principal."""

    sink: ModelSink
    audience: Audience | None

    async def probe(self) -> Capabilities:
        """What the server really has; starts the embedded one. Raises BackendError."""
        return await self.sink.probe()

    async def count(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt by the server's own tokenizer; None if it has none or is not on this machine."""
        return await self.sink.count(prompt)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self.sink.aclose()


def from_manifest(
    tier: Tier, sampling: Inference, *, home: Path, notice: Callable[[str], None] | None = None
) -> Backend:
    """The tier's backend; nothing is connected or started yet.

    `notice` is told what a slow start of the embedded server is doing.
    """
    if tier.provider == "embedded":
        return Backend(_embedded(tier, sampling, home, notice), _audience(tier, None))
    url = tier.endpoint
    if url is None:
        raise InternalError(f"tier {tier.name!r} has no endpoint; the manifest's own check lets none pass")
    if tier.provider == "anthropic":
        return Backend(_anthropic(tier, sampling, url), _audience(tier, url))
    known = partial(_known, home, tier, url)
    return Backend(_chat(tier, sampling, url, key=_key(tier.api_key), known=known), _audience(tier, url))


def examined(tier: Tier, *, home: Path) -> Findings | None:
    """What `ringfence models probe` found of this tier's model and server; None if it was not asked, or not so."""
    found = _known(home, tier, "embedded" if tier.provider == "embedded" else tier.endpoint or "")
    if found is None or tier.provider != "embedded":
        return found
    from . import models

    return found if found.identity == models.digest(tier.model, home) else None


def _known(home: Path, tier: Tier, server: str) -> Findings | None:
    from . import findings

    return findings.load(home, tier.provider, server, tier.model)


async def identity(tier: Tier, backend: Backend, home: Path) -> str:
    """What a tier's answers come from: the SHA-256 of an embedded model's file; else its server, its name there, and
    what the server says of the model right now.

    Raises BackendError for an embedded model that is not on this machine.
    """
    if tier.provider == "embedded":
        from . import models

        return f"sha256:{models.digest(tier.model, home)}"
    said = ""
    with suppress(BackendError):  # it lists no models, or is gone, which the request itself shows
        said = (await backend.probe()).identity
    return f"{tier.provider} {tier.endpoint} {tier.model} {said}"


def _chat(
    tier: Tier,
    sampling: Inference,
    url: str,
    *,
    key: Callable[[], str | None],
    known: Callable[[], Findings | None],
    retries: int | None = None,
    pinned: str = "",
) -> OpenAIChat:
    from .openai import OpenAIChat

    return OpenAIChat(
        _place(tier, url),
        key=key,
        sampling=_sampling(tier, sampling),
        timeout_s=tier.timeout_s,
        retries=tier.retries if retries is None else retries,
        logprobs=False if tier.logprobs is None and tier.name == sampling.tiers[-1].name else tier.logprobs,
        known=known,
        pinned=pinned,
    )


def _anthropic(tier: Tier, sampling: Inference, url: str) -> ModelSink:
    from .anthropic import AnthropicMessages

    return AnthropicMessages(
        _place(tier, url),
        key=_key(tier.api_key),
        sampling=_sampling(tier, sampling),
        timeout_s=tier.timeout_s,
        retries=tier.retries,
        window=tier.max_context,
    )


def _place(tier: Tier, url: str) -> Place:
    from .answers import Place

    return Place(tier.provider, url, tier.model, tier.api_key.name if tier.api_key else None)


def _sampling(tier: Tier, sampling: Inference) -> dict[str, float]:
    wanted = {
        "temperature": sampling.temperature if tier.temperature is None else tier.temperature,
        "top_p": sampling.top_p if tier.top_p is None else tier.top_p,
        "seed": sampling.seed if tier.seed is None else tier.seed,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _key(ref: SecretRef | None) -> Callable[[], str | None]:
    def reveal() -> str | None:
        if ref is None:
            return None
        value = (ref.reveal() or "").strip()
        if not value or not value.isascii() or not value.isprintable():
            what = "holds characters that no key has" if value else "is not set"
            raise BackendError(
                f"the variable {ref.name}, the key of the model server, {what}",
                todo=f"set {ref.name} in the environment or in .env",
            )
        return value

    return reveal


def _embedded(tier: Tier, sampling: Inference, home: Path, notice: Callable[[str], None] | None) -> ModelSink:
    from . import models
    from .embedded import EmbeddedModel
    from .llama_process import Settings, State

    def settings() -> Settings:
        window = tier.max_context or sampling.max_context or DEFAULT_WINDOW
        if not tier.model.endswith(".gguf"):
            models.find(tier.model, home, kind="chat")
        file, digest = models.path(tier.model, home), models.digest(tier.model, home)
        return Settings(str(file.absolute()), digest, tier.model, n_ctx=window)

    def connect(state: State) -> OpenAIChat:
        url, known = f"http://127.0.0.1:{state.port}", partial(_known, home, tier, "embedded")
        return _chat(tier, sampling, url, key=lambda: state.key, known=known, retries=1, pinned=state.digest)

    return EmbeddedModel(settings, home.absolute() / "run", connect, idle_s=tier.idle_s, notice=notice)


def _audience(tier: Tier, url: str | None) -> Audience | None:
    """DESIGN 6: as declared; else the run's own principal on this machine, and public content alone elsewhere."""
    from ringfence.manifest.fields import loopback  # with the tier it is here; by itself it would be pydantic's import

    if tier.audience is not None:
        return seen_by(tier.audience)
    return None if url is None or loopback(url) else ANYONE
