"""One chat completion, whole or in pieces, of the API that OpenAI-compatible servers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ringfence.core.values import JSON, Outcome

from . import answers, native, sure
from .answers import FLOOD, Place
from .asking import How
from .native import Offer
from .sure import Token


@dataclass
class Completion:
    """offer     what a native answer may be; its outcome's text is the step, made of calls and words
    progress  told the text as it comes; a native step at once, when it is whole
    """

    place: Place
    how: How
    offer: Offer | None = None
    progress: Callable[[str], None] | None = None
    spoken: bool = False
    _text: list[str] = field(default_factory=list)
    _calls: dict[int, list[str]] = field(default_factory=dict)  # by place in the step: name, arguments
    _tokens: list[Token] = field(default_factory=list)
    _blank: int = 0
    _usage: JSON = None
    _model: JSON = None
    _finish: str | None = None

    @property
    def streams(self) -> bool:
        """Whether it was asked for in pieces."""
        return self.progress is not None

    @property
    def calls(self) -> int:
        """Native calls so far."""
        return sum(bool(name) for name, _ in self._calls.values())

    @property
    def probable(self) -> bool:
        """Whether probabilities came."""
        return bool(self._tokens)

    def whole(self, body: JSON) -> Outcome:
        """The outcome of a `chat.completion` object; raises BackendError for anything else."""
        try:
            choice = body["choices"][0]
            message = choice["message"]
            self._take_calls(message.get("tool_calls"))
            self._said(_text_of(message.get("content")))
            self._tokens += sure.tokens(choice.get("logprobs"))
            self._usage, self._model = body.get("usage"), body.get("model")
            self._finish = str(choice.get("finish_reason") or "stop")
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError):
            raise answers.no_completion(self.place, body) from None
        return self._outcome()

    def event(self, event: JSON) -> bool:
        """Take one `chat.completion.chunk`; False once nothing but whitespace comes."""
        self._usage = event.get("usage") or self._usage
        self._model = event.get("model") or self._model
        try:
            for choice in event.get("choices") or ():
                self._finish = choice.get("finish_reason") or self._finish
                if (probable := choice.get("logprobs")) is not None:
                    self._tokens += sure.tokens(probable)
                delta = choice.get("delta") or {}
                if (calls := delta.get("tool_calls")) is not None:
                    self._take_calls(calls)
                self._said(_text_of(delta.get("content")))
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
            raise answers.no_completion(self.place, event) from None
        if self._blank >= FLOOD:
            self._finish = "length"
            return False
        return True

    def end(self) -> Outcome | None:
        """The outcome of the events; None if the server never said that it had finished."""
        return None if self._finish is None else self._outcome()

    def _said(self, text: str) -> None:
        if not text:
            return
        self._text.append(text)
        self._blanks(text)
        if self.progress is not None and self.offer is None and self._blank < FLOOD:
            self.spoken = True
            self.progress(text)

    def _blanks(self, text: str) -> None:
        kept = text.rstrip()
        self._blank = self._blank + len(text) if not kept else len(text) - len(kept)

    def _take_calls(self, listed: JSON) -> None:
        """Each call whole, or the next piece of its arguments. Ollama sends arguments as an object."""
        for n, call in enumerate(listed or ()):
            function, number = call["function"], call.get("index", n)
            known = self._calls.setdefault(int(number), ["", ""])
            known[0] = known[0] or str(function.get("name") or "")
            given = function.get("arguments") or ""
            piece = given if isinstance(given, str) else answers.dumps(given)
            known[1] += piece
            self._blanks(piece)

    def _outcome(self) -> Outcome:
        text = "".join(self._text)
        if self.offer is not None:
            calls: list[tuple[str, JSON]] = [(name, args) for _, (name, args) in sorted(self._calls.items()) if name]
            text = native.step(self.offer, text, calls)
            if self.progress is not None and text:
                self.progress(text)
        usage = self._usage if isinstance(self._usage, dict) else {}
        details = usage.get("prompt_tokens_details")
        counts = {
            "prompt": usage.get("prompt_tokens"),
            "completion": usage.get("completion_tokens"),
            "cached": details.get("cached_tokens") if isinstance(details, dict) else 0,
        }
        decided = sure.decision(self._tokens)
        more: dict[str, JSON] = {"how": self.how} | ({"sure": decided} if decided is not None else {})
        return answers.outcome(self.place, text, self._finish or "stop", usage=counts, model=self._model, more=more)


def _text_of(content: JSON) -> str:
    """A message's words; some servers send them as a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
