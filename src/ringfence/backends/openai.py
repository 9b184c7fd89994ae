"""Any OpenAI-compatible server (Ollama, llama.cpp, vLLM, LM Studio, a cloud) as the sink of one tier."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.values import JSON, Action, Outcome, Prompt

from . import asking, tokens
from .aliases import Watch
from .answers import Place, Refused
from .completion import Completion
from .findings import Findings, Say
from .probe import Capabilities, ask_server
from .sure import ALTERNATIVES
from .wire import MAX_BYTES, Wire

__all__ = ["MAX_BYTES", "OpenAIChat"]
_LEFT_OUT = ("temperature", "top_p", "seed", "logprobs", "cache_prompt")  # where a model does not take them
_BYTES_A_TOKEN = 4
_COUNTED = 32  # prompts whose count is remembered until their answer comes


def head(fixed: Mapping[str, JSON], limit: str) -> bytes:
    """The beginning of a request's body, up to the number of tokens that its answer may have."""
    return json.dumps(fixed, separators=(",", ":")).encode()[:-1] + f',"{limit}":'.encode()


class OpenAIChat:
    """Sends `action.prompt` to `/v1/chat/completions`; the outcome is `answers.outcome` and what `_told` adds.

    place      the server's base address, with or without `/v1`, and the names for errors
    key        the key's value, revealed at each call; raises BackendError where it is missing
    sampling   `temperature`, `top_p`, `seed`: sent as they are
    timeout_s  for a whole answer; when it streams, between two pieces of it
    backoff_s  before the first retry; doubles, with jitter
    logprobs   whether to ask for the probability of the decision; None: where it was proved that the server tells it
    known      what was proved of the server, if anything was; read once
    pinned     the identity of the model where it is known without asking; what was proved of another one is not used
    """

    def __init__(
        self,
        place: Place,
        *,
        key: Callable[[], str | None] = lambda: None,
        sampling: Mapping[str, float] | None = None,
        timeout_s: float = 120.0,
        retries: int = 2,
        backoff_s: float = 0.25,
        logprobs: bool | None = False,
        known: Callable[[], Findings | None] = lambda: None,
        pinned: str = "",
    ) -> None:
        self.place = place
        self.wire = Wire(
            place,
            key=key,
            headers=lambda value: {"Authorization": f"Bearer {value}"},
            timeout_s=timeout_s,
            retries=retries,
            backoff_s=backoff_s,
            models=self._models,
        )
        extra: dict[str, JSON] = {"cache_prompt": True} if place.provider in ("embedded", "llamacpp") else {}
        self._fixed: dict[str, JSON] = {"model": place.model, **(sampling or {}), **extra}
        self._limit = "max_tokens"
        self._logprobs = logprobs
        self._ask_probabilities(logprobs is True)
        self._known = known
        self._identity = pinned
        self._ways: tuple[str, ...] | None = None
        self._worked: set[str] = set()
        self._counter = tokens.BY_PROVIDER.get(place.provider)
        self._in_one_piece = False  # native calls, where they were seen to break when they stream
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._watch = Watch(place.model) if place.provider != "embedded" else None  # whose digest is pinned

    async def perform(self, action: Action) -> Outcome:
        """One completion; streams to `action.progress` when it is set.

        Raises BackendError (ContextOverflow if it does not fit the window). Retries connection faults, 429 and 5xx,
        but never once text was passed on. A server that refuses the way it was asked is asked in the next one.
        """
        prompt, progress = action.prompt, action.progress
        if prompt is None:
            raise InternalError(f"{action.sink} was given no prompt")
        ways = list(await self._ready())
        while True:
            way, *others = ways
            how, part, offer = asking.part(way, prompt)
            if how == "native" and self._in_one_piece:
                progress = None
            body = self._body(prompt, part, stream=progress is not None)
            try:
                done = await self.wire.ask(
                    "v1/chat/completions",
                    body,
                    lambda: Completion(self.place, how, offer, progress),  # noqa: B023
                )
            except Refused as refused:
                if self._adapted(refused):
                    continue
                if not others or prompt.schema is None or not asking.refuses(refused.status, refused.said):
                    raise
                ways = others
                if way not in self._worked:  # else it is this one schema that is refused
                    self._ways = tuple(others)
                continue
            self._worked.add(way)
            return await self._told(done, prompt, len(body))

    async def probe(self) -> Capabilities:
        """What the server really has, by a few questions; raises BackendError if it is absent."""
        found = await ask_server(self.wire)
        self._identity = self._identity or found.identity
        if self._watch is not None:
            self._watch.also(found.model)
        self._settle()
        proved = self._proved()
        return found if proved is None else replace(found, window=proved.window or found.window)

    async def count(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt, its tools included, by the server's own tokenizer and template.

        None if it has none, or is elsewhere.

        Raises BackendError if it is absent. A server elsewhere is not asked: that would send what no record names.
        """
        if self._counter is None or not tokens.local(self.place):
            return None
        _, _, offer = asking.part((await self._ready())[0], prompt)
        found = await tokens.count(self.wire, self._counter, prompt.messages, asking.tools(offer) if offer else ())
        if found is None:
            self._counter = None
            return None
        self._counts[prompt.digest] = found
        while len(self._counts) > _COUNTED:
            self._counts.popitem(last=False)
        return found

    async def examine(self, say: Say) -> Findings:
        """Try what the server can do, a small and bounded request at a time. Raises BackendError if it is absent."""
        from .examine import examine

        return await examine(self.wire, say)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self.wire.aclose()

    async def _models(self) -> tuple[str, ...]:
        return (await ask_server(self.wire)).models

    async def _ready(self) -> tuple[str, ...]:
        """The ways to ask. What was proved counts for the model that it was proved of, so that is asked for, once."""
        if self._ways is None:
            if not self._identity and self._known() is not None:
                try:
                    await self.probe()
                except BackendError:
                    self._identity = "?"
            self._settle()
        return self._ways or (asking.TEXT,)

    def _settle(self) -> None:
        if self._ways is not None:
            return
        found = self._proved()
        if found is None:
            self._ways = asking.ways(self.place.provider)
            return
        self._ways = asking.ways(self.place.provider, native=found.native, grammar=found.grammar)
        self._counter = found.tokenizer or (None if found.fails("tokenizer") else self._counter)
        self._in_one_piece = found.fails("tools streamed")
        if self._logprobs is None:
            self._ask_probabilities(found.holds("logprobs"))

    def _ask_probabilities(self, wanted: bool) -> None:
        told = {"logprobs": True, "top_logprobs": ALTERNATIVES}
        kept = {key: value for key, value in self._fixed.items() if key not in told}
        self._fixed = {**kept, **(told if wanted else {})}
        self._head = head(self._fixed, self._limit)

    def _proved(self) -> Findings | None:
        """What was proved of the model that the server has; None if that was another one."""
        found = self._known()
        return found if found is not None and found.identity == self._identity else None

    def _forget(self) -> None:
        """What is known of the model: another one answers."""
        self._identity, self._ways = "", None
        self._worked.clear()
        self._counter, self._in_one_piece = tokens.BY_PROVIDER.get(self.place.provider), False
        if self._logprobs is None:
            self._ask_probabilities(False)

    def _adapted(self, refused: Refused) -> bool:
        """Leave out what this model does not take, as the server's own words have it; False if that is nothing."""
        if refused.status not in (400, 422):
            return False
        if "max_completion_tokens" in refused.said and self._limit != "max_completion_tokens":
            self._limit = "max_completion_tokens"  # OpenAI's reasoning models
        elif named := next((key for key in _LEFT_OUT if key in self._fixed and key in refused.said), None):
            del self._fixed[named]
            self._fixed.pop("top_logprobs", None) if named == "logprobs" else None
        else:
            return False
        self._head = head(self._fixed, self._limit)
        return True

    def _body(self, prompt: Prompt, part: bytes, *, stream: bool) -> bytes:
        parts = [self._head, b"%d" % prompt.max_tokens]
        if stream:
            parts.append(b',"stream":true,"stream_options":{"include_usage":true}')
        parts += [part, b',"messages":[', b",".join(prompt.messages), b"]}"]
        return b"".join(parts)

    async def _told(self, done: Outcome, prompt: Prompt, sent: int) -> Outcome:
        """The outcome with what is known of the request.

        sent       bytes of its body
        estimated  true where its tokens are, by bytes: for a server that counts none budgets hold as well
        truncated  tokens of it that the server did not read, where there are any
        instead_of the model that was expected, where another one answered
        """
        value, more = done.value, dict[str, JSON](sent=sent)
        counter = self._counter if tokens.local(self.place) else None
        known = self._counts.pop(prompt.digest, None) if self._counts else None
        if not value["usage"].get("prompt"):
            more |= {"usage": {**value["usage"], "prompt": sent // _BYTES_A_TOKEN}, "estimated": True}
        if lost := await tokens.missing(self.wire, counter, prompt.messages, value["usage"], known):
            more["truncated"] = lost
        if self._watch is not None and (expected := self._watch.another(value["model"])):
            more["instead_of"] = expected
            self._forget()
        return Outcome({**value, **more}, done.label, done.ok, done.subjects)
