"""Answers of models that could only be the same again: kept for requests that are the same in every byte and label.

In memory alone. On disk they would be contents beside the journal, whose bodies are sealed with keys that an erasure
destroys: a cache there would undo it. What is kept here ends with the process, or an hour later.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ringfence import tracing
from ringfence.core.ports import Clock, Sink
from ringfence.core.values import JSON, Action, Outcome, digest

MAX_REPLIES, MAX_BYTES, KEPT_MS = 1024, 16 << 20, 3_600_000
_NOTHING: dict[str, JSON] = {"prompt": 0, "completion": 0, "cached": 0}


class Replies:
    """The answers of one process, the ones used last, for an hour at most. Bounded in number and in bytes."""

    def __init__(
        self, clock: Clock, *, max_replies: int = MAX_REPLIES, max_bytes: int = MAX_BYTES, kept_ms: int = KEPT_MS
    ) -> None:
        self._clock = clock
        self._max_replies, self._max_bytes, self._kept_ms = max_replies, max_bytes, kept_ms
        self._known: OrderedDict[str, tuple[Outcome, int, int]] = OrderedDict()  # with its bytes, and when it was made
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Outcome | None:
        """The answer under a key, if it is still kept."""
        found = self._known.get(key)
        if found is None:
            return None
        if self._clock() - found[2] >= self._kept_ms:
            self._drop(key)
            return None
        self._known.move_to_end(key)
        return found[0]

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep an answer, and let the ones go that were used longest ago; one that is too large alone is not kept."""
        size = len(json.dumps(outcome.value))
        if key in self._known:
            self._drop(key)
        if size > self._max_bytes:
            return
        self._known[key] = (outcome, size, self._clock())
        self._bytes += size
        while self._bytes > self._max_bytes or len(self._known) > self._max_replies:
            self._drop(next(iter(self._known)))

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        self._bytes -= self._known.pop(key)[1]


class Cached:
    """Wraps a model's sink whose answers depend on the request alone (temperature 0).

    identity  names the model, by its digest as far as one is known; asked at each request
    sampling  everything else that a server makes of the same request

    An answer that is given again says so (`"cached_reply": true`), used no tokens, and has the label that it had: under
    another label, or for another principal, the request is another one.
    """

    def __init__(self, sink: Sink, replies: Replies, *, identity: Callable[[], Awaitable[str]], sampling: JSON) -> None:
        self._sink = sink
        self._replies = replies
        self._identity = identity
        self._sampling = sampling

    async def perform(self, action: Action) -> Outcome:
        """The answer that is kept, or that of the sink; raises what the sink raises."""
        key = await self._key(action)
        known = self._replies.get(key)
        if known is not None:
            if action.progress is not None:
                action.progress(known.value["text"])
            sent: dict[str, JSON] = {"sent": 0} if "sent" in known.value else {}
            return replace(known, value={**known.value, **sent, "usage": dict(_NOTHING), "cached_reply": True})
        outcome = await self._sink.perform(action)
        if outcome.ok and outcome.value.get("finish") == "stop" and outcome.value.get("text"):
            self._replies.put(key, outcome)
        return outcome

    async def _key(self, action: Action) -> str:
        """By model, sampling, every byte that is sent, label, and whoever asks unless everybody may read it."""
        prompt, label = action.prompt, action.label
        following = tracing.current()
        who = following.principal if label.readers and following is not None else ""
        sent = [prompt.digest, prompt.max_tokens] if prompt is not None else None
        return digest([action.sink, await self._identity(), self._sampling, sent, label.to_json(), who])
