"""What a model server's answer means: the text and usage of a good one, the precise fault of a bad one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ringfence.core.errors import BackendError, ContextOverflow
from ringfence.core.values import JSON, Outcome

_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context length|context (?:length|size|window)"
    r"|(?:prompt|input) is too long|(?:prompt|input) (?:length )?exceeds",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[^\x20-\x7e\xa0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff\uf900-\ufffd]+")

FLOOD = 512  # characters of whitespace in a row: no honest answer has so many
_CLOUD = {
    "overloaded_error": "the API is overloaded: run the task again later, or add a tier",
    "rate_limit_error": "your limit of requests or tokens is used up: wait, or raise it with the API's owner",
    "billing_error": "see the payment details of the account that the key belongs to",
    "invalid_request_error": "remove what it names from the tier (newer models take no temperature or top_p)",
}
_SPACES = re.compile(r"\s+")
_DECODE = json.JSONDecoder().decode

START = {
    "anthropic": "check the network and `endpoint`, or use provider: embedded",
    "ollama": "start it with `ollama serve`, or use provider: embedded",
    "llamacpp": "start it with `llama-server -m MODEL.gguf`, or use provider: embedded",
    "vllm": "start it with `vllm serve MODEL`, or use provider: embedded",
    "lmstudio": "start it with `lms server start`, or use provider: embedded",
    "openai": "start that server or correct `endpoint`, or use provider: embedded",
    "embedded": "run the command again: the embedded server is started when it is needed",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Who answers: for the words of an error. `key_name` is the variable that holds the key, never the key."""

    provider: str
    url: str
    model: str
    key_name: str | None = None


class Unreachable(BackendError):
    """The connection failed. `spoken` says whether text of the answer had been passed on by then."""

    def __init__(self, what: str, *, todo: str = "", spoken: bool = False) -> None:
        super().__init__(what, todo=todo)
        self.spoken = spoken


class CutOff(Unreachable):
    """The connection broke when text of the answer had been passed on: it is for the run to ask again, on record."""


class Refused(BackendError):
    """The server answered with a status that is not 200; `said` are its own words."""

    def __init__(self, what: str, *, todo: str = "", status: int, said: str = "") -> None:
        super().__init__(what, todo=todo)
        self.status = status
        self.said = said


def quoted(data: bytes | str, *, chars: int = 300) -> str:
    """A server's words, fit for a message: one line, printable, bounded."""
    text = data[: 4 * chars].decode("utf-8", "replace") if isinstance(data, bytes) else data[: 4 * chars]
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= chars else text[:chars] + "..."


def absent(place: Place, why: object) -> Unreachable:
    """Nothing listens, or it cannot be reached."""
    return Unreachable(
        f"no model server answers at {place.url} ({quoted(str(why), chars=120)})", todo=START[place.provider]
    )


def hung_up(place: Place, *, spoken: bool) -> Unreachable:
    """The connection broke before the answer was whole."""
    return (CutOff if spoken else Unreachable)(
        f"the model server at {place.url} cut the connection before its answer was whole",
        todo="see the server's log (out of memory?), then run the task again",
        spoken=spoken,
    )


def too_slow(place: Place, timeout_s: float) -> BackendError:
    """No answer, or no next piece of it, in time."""
    return BackendError(
        f"the model server at {place.url} gave no answer within {timeout_s:g} s",
        todo="raise timeout_s of the tier, or use a smaller model or a shorter max_tokens",
    )


def too_long(place: Place, limit: int) -> BackendError:
    """More bytes than any honest answer has."""
    return BackendError(
        f"the model server at {place.url} sent more than {limit} bytes as one answer",
        todo="check that `endpoint` is a model server",
    )


def redirected(place: Place, status: int, target: str) -> BackendError:
    """A redirect is egress to somewhere else than the manifest names: never followed."""
    return BackendError(
        f"the model server at {place.url} answered {status}, a redirect to {quoted(target, chars=120) or '?'}; "
        "redirects are never followed",
        todo="if that is where the model is, write it as `endpoint`",
    )


def no_list(place: Place) -> BackendError:
    """Something answers there, but not as a model server does."""
    return BackendError(
        f"what answers at {place.url} is no model server: it has no list of models, in JSON, at /v1/models",
        todo="check `endpoint`: it is the address of an OpenAI-compatible server, not of its web page or a proxy",
    )


def refused(place: Place, status: int, data: bytes, *, models: tuple[str, ...] = ()) -> BackendError:
    """An HTTP status that is not 200. `models` are the server's own, for an unknown model."""
    said, kind = _complaint(data)
    if status in (401, 403):
        todo = (
            f"put the right key into {place.key_name} (environment or .env)"
            if place.key_name
            else "give the tier `api_key: ${NAME}` and put the key into NAME (environment or .env)"
        )
        return BackendError(f"the model server at {place.url} refused the key ({status})", todo=todo)
    if status in (400, 413, 422, 500) and _OVERFLOW.search(f"{kind} {said}"):
        return ContextOverflow(
            f"the request does not fit the window of {place.model}: {said}",
            todo="give the tier a smaller max_context, or start the server with a larger window",
        )
    if status == 404 and (models or "model" in said.lower()):
        have = f"; it has {', '.join(models[:20])}" if models else ""
        todo = f"`ollama pull {place.model}`, or one of its models as `model`" if place.provider == "ollama" else ""
        return BackendError(
            f"the model server at {place.url} has no model {place.model!r}{have}",
            todo=todo or "write one of its models as `model`",
        )
    if status == 404:
        path = "/v1/messages" if place.provider == "anthropic" else "/v1/chat/completions"
        return BackendError(
            f"{place.url} has no {path} (404): {said}",
            todo="check `endpoint`: it is the address of the server itself, without the path of a call",
        )
    todo = "see the server's log"
    if place.provider == "anthropic":
        todo = _CLOUD.get(kind.split()[0] if kind else "", "see what the API says of that error")
    return Refused(
        f"the model server at {place.url} answered {status}: {said}", todo=todo, status=status, said=f"{kind} {said}"
    )


def _complaint(data: bytes) -> tuple[str, str]:
    """(message, type or code) of an error body of OpenAI, llama.cpp, vLLM or Ollama; the raw words otherwise."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return quoted(data), ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return quoted(str(error)), ""
    message = error.get("message") or error.get("detail") or json.dumps(error)
    return quoted(str(message)), f"{error.get('type')} {error.get('code')}"


def parse(place: Place, data: bytes) -> JSON:
    """The JSON object of an answer; BackendError for a web page or broken JSON."""
    try:
        # an object with a member is UTF-8, if it is JSON at all (RFC 8259 8.1): no need to look for other encodings
        body = _DECODE(data.decode("utf-8", "surrogatepass")) if data[:2] == b'{"' else json.loads(data)
    except (ValueError, RecursionError):
        pass
    else:
        if isinstance(body, dict):
            return body
    what = "a web page (HTML)" if data.lstrip()[:1] == b"<" else f"invalid JSON: {quoted(data, chars=80)!r}"
    raise BackendError(
        f"the model server at {place.url} answered with {what}; expected a chat completion",
        todo="check `endpoint`: it is the address of an OpenAI-compatible server, not of its web page or a proxy",
    )


def _count(value: JSON) -> int:
    """A number of tokens; whatever else a server says is 0."""
    return value if type(value) is int and 0 <= value < 2**31 else 0


def outcome(
    place: Place, text: str, finish: str, *, usage: JSON = None, model: JSON = None, more: JSON = None
) -> Outcome:
    """`{"text", "finish": "stop" | "length", "usage": {"prompt", "completion", "cached"}, "model"}`, and `more`.

    A server that counts no tokens is given a completion of one token per four characters, so that budgets still end.
    Whitespace without end is cut off, and ends an answer as its length does.
    """
    flood = next((run for run in _SPACES.finditer(text) if run.end() - run.start() >= FLOOD), None)
    if flood is not None:
        text, finish = text[: flood.start()], "length"
    counts = usage if isinstance(usage, dict) else {}
    return Outcome(
        {
            "text": text.encode("utf-8", "replace").decode(),
            "finish": "length" if finish == "length" else "stop",
            "usage": {
                "prompt": _count(counts.get("prompt")),
                "completion": _count(counts.get("completion")) or -(-len(text) // 4),
                "cached": _count(counts.get("cached")),
            },
            "model": model if isinstance(model, str) and model else place.model,
            **(more or {}),
        }
    )


def no_completion(place: Place, body: JSON, *, kind: str = "chat completion") -> BackendError:
    """JSON, but of something else."""
    error = body.get("error")
    said = quoted(str(error)) if error else f"keys {sorted(body)[:10]}"
    return BackendError(
        f"the model server at {place.url} answered with JSON that is no {kind}: {said}",
        todo="check `endpoint` and `provider`: they name the server and the API that it speaks",
    )


def dumps(value: JSON) -> str:
    """JSON text as a server would have written it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
