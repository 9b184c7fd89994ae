"""What a model server really does: asked of it, never assumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from ringfence.core.values import JSON

from . import answers
from .answers import Place

TIMEOUT_S = 10.0  # of one question, at most
_MAX_BYTES = 4 * 1024 * 1024
_OLLAMA_WINDOW = 4096  # what Ollama loads a model with unless it is told otherwise; the rest it drops silently


@dataclass(frozen=True, slots=True)
class Capabilities:
    """model   as the server names it
    window  tokens of one request and its answer together; None when the server does not say
    models  what else the server has
    """

    model: str
    window: int | None
    models: tuple[str, ...] = ()


async def ask_server(
    session: aiohttp.ClientSession, base: URL, headers: Mapping[str, str], place: Place
) -> Capabilities:
    """Raises BackendError if nothing answers, if the key is refused, or if it is no model server."""
    status, listed = await _ask(session, base / "v1/models", headers, place)
    if status in (401, 403):
        raise answers.refused(place, status, b"")
    entries = [entry for entry in _get(listed, "data") or () if isinstance(entry, dict) and entry.get("id")]
    if listed is None or (status == 200 and "data" not in listed):
        raise answers.no_list(place)
    models = tuple(str(entry["id"]) for entry in entries)
    names = (place.model, f"{place.model}:latest")  # Ollama's name for a model without a tag
    own = next((entry for entry in entries if entry["id"] in names), entries[0] if len(entries) == 1 else {})
    window = _get(own, "max_model_len")  # vLLM
    if window is None and place.provider == "ollama":
        window = await _ollama_window(session, base, headers, place)
    elif window is None:  # llama.cpp; LM Studio and others have no such page
        _, props = await _ask(session, base / "props", headers, place)
        window = _get(_get(props, "default_generation_settings"), "n_ctx")
    model = place.model if own.get("id") in names else str(own.get("id", place.model))
    return Capabilities(model, window if isinstance(window, int) else None, models)


async def _ollama_window(
    session: aiohttp.ClientSession, base: URL, headers: Mapping[str, str], place: Place
) -> int | None:
    _, running = await _ask(session, base / "api/ps", headers, place)
    for entry in _get(running, "models") or ():
        if entry.get("name") in (place.model, f"{place.model}:latest") and isinstance(entry.get("context_length"), int):
            return int(entry["context_length"])
    _, shown = await _ask(session, base / "api/show", headers, place, send={"model": place.model})
    for line in str(_get(shown, "parameters") or "").splitlines():
        match line.split():
            case ["num_ctx", number] if number.isdigit():
                return int(number)
    for name, value in (_get(shown, "model_info") or {}).items():
        if name.endswith(".context_length") and isinstance(value, int):
            return min(value, _OLLAMA_WINDOW)
    return None


async def _ask(
    session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], place: Place, send: JSON = None
) -> tuple[int, JSON]:
    """(status, JSON object or None)."""
    try:
        async with session.request(
            "GET" if send is None else "POST", url, json=send, headers=headers, allow_redirects=False
        ) as response:
            if 300 <= response.status < 400:
                raise answers.redirected(place, response.status, response.headers.get("Location", ""))
            data = b""
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > _MAX_BYTES:
                    raise answers.too_long(place, _MAX_BYTES)
    except aiohttp.ClientConnectorError as fault:
        raise answers.absent(place, fault.strerror or fault) from fault
    except TimeoutError as fault:
        raise answers.too_slow(place, session.timeout.total or 0) from fault
    except aiohttp.ClientError as fault:
        raise answers.absent(place, fault) from fault
    try:
        body = json.loads(data)
    except ValueError:
        return response.status, None
    return response.status, body if isinstance(body, dict) else None


def _get(value: JSON, key: str) -> JSON:
    return value.get(key) if isinstance(value, dict) else None
