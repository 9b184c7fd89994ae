"""Anthropic's Messages API as the sink of a tier: a cloud, off unless a manifest names it.

https://platform.claude.com/docs/en/api/messages (version 2023-06-01). Tools are derived from the grammar of a step and
their calls given back as that step, as with native calls everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ringfence.core.errors import InternalError
from ringfence.core.values import JSON, Action, Outcome, Prompt, digest

from . import answers, native
from .aliases import Watch
from .answers import FLOOD, Place, Refused
from .findings import Findings, Say
from .native import Offer
from .probe import Capabilities
from .wire import Wire

VERSION = "2023-06-01"
_PATH = "v1/messages"
_SAMPLING = ("temperature", "top_p")  # it has no seed; newer models take none of these
_TOO_LONG = "model_context_window_exceeded"
_EARLIER = "(What was said before this is left out.)"


class AnthropicMessages:
    """Sends `action.prompt` to `/v1/messages`; the outcome is the same as that of an OpenAI-compatible server.

    place      the API's base address, with or without `/v1`, and the names for errors
    key        the key's value, revealed at each call; raises BackendError where it is missing
    sampling   `temperature`, `top_p`; dropped where the model refuses them
    timeout_s  for a whole answer; when it streams, between two pieces of it
    window     tokens of a request and its answer, where the manifest says
    """

    def __init__(
        self,
        place: Place,
        *,
        key: Callable[[], str | None],
        sampling: Mapping[str, float] | None = None,
        timeout_s: float = 120.0,
        retries: int = 2,
        backoff_s: float = 0.25,
        window: int | None = None,
    ) -> None:
        self.place = place
        self.wire = Wire(
            place,
            key=key,
            headers=lambda value: {"x-api-key": value, "anthropic-version": VERSION},
            timeout_s=timeout_s,
            retries=retries,
            backoff_s=backoff_s,
            models=self._models,
        )
        self._sampling = {name: value for name, value in (sampling or {}).items() if name in _SAMPLING}
        self._window = window
        self._forces = True  # whether the model takes a tool choice other than auto; some that think do not
        self._watch = Watch(place.model)

    async def perform(self, action: Action) -> Outcome:
        """One answer; streams to `action.progress` when it is set. Raises BackendError as OpenAIChat does."""
        prompt, progress = action.prompt, action.progress
        if prompt is None:
            raise InternalError(f"{action.sink} was given no prompt")
        offer = None if prompt.schema is None else native.offer(prompt.schema)
        while True:
            body = self.body(prompt, offer, stream=progress is not None)
            try:
                done = await self.wire.ask(_PATH, body, lambda: Message(self.place, offer, progress))
            except Refused as refused:
                if not self._adapted(refused):
                    raise
                continue
            more: dict[str, JSON] = {"sent": len(body)}
            if expected := self._watch.another(done.value["model"]):
                more["instead_of"] = expected
            return replace(done, value={**done.value, **more})

    async def probe(self) -> Capabilities:
        """Whether the API has the model; raises BackendError if it is absent, or refuses the key."""
        status, said = await self.wire.look(f"v1/models/{self.place.model}")
        if status != 200 or not isinstance(said, dict):
            models = await self._models() if status == 404 else ()
            raise answers.refused(self.place, status, json.dumps(said).encode(), models=models)
        told = said.get("max_input_tokens")
        window = self._window or (told if type(told) is int and told > 0 else None)
        name = str(said.get("id") or self.place.model)
        return Capabilities(name, window, (), digest([name, str(said.get("created_at"))]))

    async def count(self, prompt: Prompt) -> int | None:
        """None: to count there would be to send what no record names."""
        return None

    async def examine(self, say: Say) -> Findings:
        """Try native calls and speed; raises BackendError if nothing answers there."""
        from .examine import examine_cloud

        return await examine_cloud(self, say)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self.wire.aclose()

    def body(self, prompt: Prompt, offer: Offer | None, *, stream: bool) -> bytes:
        """The request: system text apart, messages that alternate and begin and end with the user's."""
        system, messages = _conversation(prompt.messages)
        asked: dict[str, JSON] = {"model": self.place.model, "max_tokens": prompt.max_tokens, **self._sampling}
        if stream:
            asked["stream"] = True
        if system:
            asked["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
        if offer is not None and offer.tools:
            asked["tools"] = [{"name": tool.safe, "input_schema": _input(tool.args)} for tool in offer.tools]
            kind = "any" if offer.choice == "required" and self._forces else "auto"
            asked["tool_choice"] = {"type": kind, "disable_parallel_tool_use": offer.parallel < 2}
        asked["messages"] = messages
        return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _adapted(self, refused: Refused) -> bool:
        """Leave out what this model does not take, as the API's own words have it; False if that is nothing."""
        if refused.status != 400:
            return False
        if "tool_choice" in refused.said and self._forces:
            self._forces = False
            return True
        named = next((name for name in self._sampling if name in refused.said), None)
        if named is None:
            return False
        del self._sampling[named]
        return True

    async def _models(self) -> tuple[str, ...]:
        _, said = await self.wire.look("v1/models")
        listed = said.get("data") if isinstance(said, dict) else None
        return tuple(str(one["id"]) for one in listed or () if isinstance(one, dict) and one.get("id"))


def _conversation(messages: Sequence[bytes]) -> tuple[str, list[dict[str, str]]]:
    """(system text, the messages with two of one role in a row joined)."""
    system: list[str] = []
    said: list[dict[str, str]] = []
    for data in messages:
        message = json.loads(data)
        role, text = str(message["role"]), str(message["content"])
        if role == "system":
            system.append(text)
        elif said and said[-1]["role"] == role:
            said[-1]["content"] += f"\n\n{text}"
        else:
            said.append({"role": role, "content": text})
    if said and said[0]["role"] != "user":
        said.insert(0, {"role": "user", "content": _EARLIER})
    return "\n\n".join(system), said


def _input(args: JSON) -> JSON:
    """A schema that the API takes for a tool's input: an object at its top."""
    return args if isinstance(args, dict) and args.get("type") == "object" else {"type": "object"}


@dataclass
class Message:
    """One answer, whole or as events. What the model thinks for itself is not kept."""

    place: Place
    offer: Offer | None = None
    progress: Callable[[str], None] | None = None
    spoken: bool = False
    _text: list[str] = field(default_factory=list)
    _calls: dict[int, list[JSON]] = field(default_factory=dict)  # by block: name, input as it came
    _usage: dict[str, JSON] = field(default_factory=dict)
    _model: JSON = None
    _stop: str | None = None
    _blank: int = 0

    @property
    def streams(self) -> bool:
        """Whether it was asked for in pieces."""
        return self.progress is not None

    @property
    def calls(self) -> int:
        """Calls so far."""
        return len(self._calls)

    def whole(self, body: JSON) -> Outcome:
        """The outcome of a `message` object; raises BackendError for anything else."""
        try:
            for n, block in enumerate(body["content"]):
                self._block(n, block)
            self._stop = str(body.get("stop_reason") or "end_turn")
            self._usage, self._model = dict(body.get("usage") or {}), body.get("model")
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
            raise answers.no_completion(self.place, body, kind="message") from None
        return self._outcome()

    def event(self, event: JSON) -> bool:
        """Take one event of a stream; False after the last one, and once nothing but whitespace comes."""
        try:
            match event.get("type"):
                case "message_start":
                    self._model = event["message"].get("model")
                    self._usage |= event["message"].get("usage") or {}
                case "content_block_start":
                    self._block(int(event["index"]), event["content_block"])
                case "content_block_delta":
                    self._delta(int(event["index"]), event["delta"])
                case "message_delta":
                    self._stop = event["delta"].get("stop_reason") or self._stop
                    self._usage |= {k: v for k, v in (event.get("usage") or {}).items() if v is not None}
                case "message_stop":
                    return False
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
            raise answers.no_completion(self.place, event, kind="event of a message") from None
        if self._blank >= FLOOD:
            self._stop = "max_tokens"
            return False
        return True

    def end(self) -> Outcome | None:
        """The outcome of the events; None if the API never said that it had finished."""
        return None if self._stop is None else self._outcome()

    def _block(self, number: int, block: JSON) -> None:
        match block.get("type"):
            case "text":
                self._said(str(block.get("text") or ""))
            case "tool_use":
                self._calls[number] = [str(block["name"]), block.get("input") or ""]

    def _delta(self, number: int, delta: JSON) -> None:
        match delta.get("type"):
            case "text_delta":
                self._said(str(delta.get("text") or ""))
            case "input_json_delta" if number in self._calls:
                before = self._calls[number][1]
                self._calls[number][1] = (before if isinstance(before, str) else "") + str(delta["partial_json"])

    def _said(self, text: str) -> None:
        self._text.append(text)
        kept = text.rstrip()
        self._blank = self._blank + len(text) if not kept else len(text) - len(kept)
        if text and self.progress is not None and self.offer is None and self._blank < FLOOD:
            self.spoken = True
            self.progress(text)

    def _outcome(self) -> Outcome:
        text, how = "".join(self._text), "text"
        if self.offer is not None:
            how = "native"
            text = native.step(self.offer, text, [(str(name), args) for name, args in self._calls.values()])
            if self.progress is not None and text:
                self.progress(text)
        used = self._usage
        known = [used.get(key) for key in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
        counts = {
            "prompt": sum(value for value in known if type(value) is int),
            "completion": used.get("output_tokens"),
            "cached": used.get("cache_read_input_tokens"),
        }
        finish = "length" if self._stop in ("max_tokens", _TOO_LONG) else "stop"
        more: dict[str, JSON] = {"how": how}
        return answers.outcome(self.place, text, finish, usage=counts, model=self._model, more=more)
