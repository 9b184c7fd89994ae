"""What a model server really does: asked of it, never assumed."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.values import JSON, digest

from . import answers
from .wire import Wire

_CHANGING = ("created", "loaded", "state", "permission")  # of an entry of a list of models: when, not what
_OLLAMA_WINDOW = 4096  # what Ollama loads a model with unless it is told otherwise; the rest it drops silently


@dataclass(frozen=True, slots=True)
class Capabilities:
    """model   as the server names it
    window  tokens of one request and its answer together; None when the server does not say
    models  what else the server has
    identity  SHA-256 of the embedded model's file, else of what the server says of it: another one, another model
    """

    model: str
    window: int | None
    models: tuple[str, ...] = ()
    identity: str = ""


async def ask_server(wire: Wire) -> Capabilities:
    """Raises BackendError if nothing answers, if the key is refused, or if it is no model server."""
    place = wire.place
    status, listed = await wire.look("v1/models")
    if status in (401, 403):
        raise answers.refused(place, status, b"")
    entries = [entry for entry in _get(listed, "data") or () if isinstance(entry, dict) and entry.get("id")]
    if listed is None or (status == 200 and "data" not in listed):
        raise answers.no_list(place)
    models = tuple(str(entry["id"]) for entry in entries)
    names = (place.model, f"{place.model}:latest")  # Ollama's name for a model without a tag
    own = next((entry for entry in entries if entry["id"] in names), entries[0] if len(entries) == 1 else {})
    window, says = _get(own, "max_model_len"), {key: own[key] for key in own if key not in _CHANGING}  # vLLM's window
    if window is None and place.provider == "ollama":
        _, shown = await wire.look("api/show", {"model": place.model})
        window = await _ollama_window(wire, shown)
        says |= {key: _get(shown, key) for key in ("template", "parameters", "model_info", "details")}
        says["digest"] = await _ollama_digest(wire)
    elif window is None:  # llama.cpp; LM Studio and others have no such page
        _, props = await wire.look("props")
        window = _get(_get(props, "default_generation_settings"), "n_ctx")
        says |= {key: _get(props, key) for key in ("model_path", "model_ftype", "chat_template", "build_info")}
    model = place.model if own.get("id") in names else str(own.get("id", place.model))
    return Capabilities(model, window if isinstance(window, int) else None, models, _identity([model, window, says]))


def _identity(says: JSON) -> str:
    try:
        return digest(says)
    except (ValueError, TypeError, RecursionError):
        return ""  # nothing that was proved is ever taken for its own


async def _ollama_digest(wire: Wire) -> JSON:
    """Of the files behind the model's name, which may be others tomorrow."""
    _, listed = await wire.look("api/tags")
    names = (wire.place.model, f"{wire.place.model}:latest")
    return next((_get(one, "digest") for one in _get(listed, "models") or () if _get(one, "name") in names), None)


async def _ollama_window(wire: Wire, shown: JSON) -> int | None:
    _, running = await wire.look("api/ps")
    place = wire.place
    for entry in _get(running, "models") or ():
        if entry.get("name") in (place.model, f"{place.model}:latest") and isinstance(entry.get("context_length"), int):
            return int(entry["context_length"])
    for line in str(_get(shown, "parameters") or "").splitlines():
        match line.split():
            case ["num_ctx", number] if number.isdigit():
                return int(number)
    for name, value in (_get(shown, "model_info") or {}).items():
        if name.endswith(".context_length") and isinstance(value, int):
            return min(value, _OLLAMA_WINDOW)
    return None


def _get(value: JSON, key: str) -> JSON:
    return value.get(key) if isinstance(value, dict) else None
