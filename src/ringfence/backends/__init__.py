"""Models as sinks: each tier of the manifest becomes a `Backend` (DESIGN 3, floor 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.labels import ANYONE, Audience, seen_by
from ringfence.core.ports import Sink

if TYPE_CHECKING:
    from ringfence.manifest.types import Inference, SecretRef, Tier

    from .openai import OpenAIChat
    from .probe import Capabilities
DEFAULT_WINDOW = 8192  # tokens, of an embedded model whose tier names no max_context


class ModelSink(Sink, Protocol):
    """A sink for completions whose server can be asked what it has."""

    async def probe(self) -> Capabilities:
        """Model and window; raises BackendError if the server is absent."""
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
    return Backend(_chat(tier, sampling, url, key=_key(tier.api_key)), _audience(tier, url))


def identity(tier: Tier, home: Path) -> str:
    """What a tier's answers come from: the SHA-256 of an embedded model's file, else its server and its name there.

    Raises BackendError for a model that is not on this machine.
    """
    if tier.provider == "embedded":
        from . import models

        return f"sha256:{models.digest(tier.model, home)}"
    return f"{tier.provider} {tier.endpoint} {tier.model}"


def _chat(
    tier: Tier, sampling: Inference, url: str, *, key: Callable[[], str | None], retries: int | None = None
) -> OpenAIChat:
    from .answers import Place
    from .openai import OpenAIChat

    wanted = {
        "temperature": sampling.temperature if tier.temperature is None else tier.temperature,
        "top_p": sampling.top_p if tier.top_p is None else tier.top_p,
    }
    place = Place(tier.provider, url, tier.model, tier.api_key.name if tier.api_key else None)
    return OpenAIChat(
        place,
        key=key,
        sampling={name: value for name, value in wanted.items() if value is not None},
        timeout_s=tier.timeout_s,
        retries=tier.retries if retries is None else retries,
    )


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
        file, digest = models.path(tier.model, home), models.digest(tier.model, home)
        return Settings(str(file.absolute()), digest, tier.model, n_ctx=window)

    def connect(state: State) -> OpenAIChat:
        return _chat(tier, sampling, f"http://127.0.0.1:{state.port}", key=lambda: state.key, retries=0)

    return EmbeddedModel(settings, home.absolute() / "run", connect, idle_s=tier.idle_s, notice=notice)


def _audience(tier: Tier, url: str | None) -> Audience | None:
    """DESIGN 6: as declared; else the run's own principal on this machine, and public content alone elsewhere."""
    from ringfence.manifest.fields import loopback  # with the tier it is here; by itself it would be pydantic's import

    if tier.audience is not None:
        return seen_by(tier.audience)
    return None if url is None or loopback(url) else ANYONE
