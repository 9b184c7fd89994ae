"""How sure a model was of what it decided: the probability of one token, where the server tells probabilities."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ringfence.core.values import JSON

ALTERNATIVES: Final = 5  # tokens that a server is asked for in each place: the one taken, and what else it could be
_DECISION = re.compile(rb'"(?:(enough|fits)"\s*:\s*|(?:tool|name|stated)"\s*:\s*")')
_OTHER: Final = {b"t": b"f", b"f": b"t"}  # true or false


@dataclass(frozen=True, slots=True)
class Token:
    """A token's bytes, the natural logarithm of its probability, and those of the tokens it was chosen from."""

    text: bytes
    log: float
    others: Mapping[bytes, float] = field(default_factory=dict)


def tokens(logprobs: JSON) -> list[Token]:
    """The tokens of a choice's or a delta's `logprobs`; what is of another form is left out.

    OpenAI's form, which llama.cpp, vLLM and Ollama share.
    """
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    found = []
    for entry in listed if isinstance(listed, list) else ():
        if (one := _read(entry)) is not None:
            read = map(_read, entry.get("top_logprobs") or ())
            found.append(Token(*one, {other[0]: other[1] for other in read if other is not None}))
    return found


def _read(entry: JSON) -> tuple[bytes, float] | None:
    match entry:
        case {"bytes": list(raw), "logprob": int() | float() as value} if all(b in range(256) for b in raw):
            return bytes(raw), float(value)
        case {"token": str(text), "logprob": int() | float() as value}:
            return text.encode("utf-8", "replace"), float(value)
    return None


def decision(said: Sequence[Token]) -> float | None:
    """The probability, 0 to 1, of the token that a step's decision begins with; None if there is none.

    That is the first token of the value of "enough", "fits" or "stated", or of the name of a tool, whichever comes
    first. Servers tell the model's own probabilities, as they were before a grammar ruled anything out; so that of a
    true or false is taken against its one alternative alone. A server may list tokens that it left out of the text,
    such as a fence.
    """
    found = _DECISION.search(b"".join(token.text for token in said))
    if found is None:
        return None
    at = 0
    for token in said:
        at += len(token.text)
        if at > found.end():
            own = _probability(token.log)
            return round(_against(token, own) if found[1] else own, 4)
    return None


def _against(token: Token, own: float) -> float:
    """`true` against `false`; where the other is not listed it is no likelier than the least that is."""
    other = _OTHER.get(token.text.lstrip()[:1])
    listed = [(text.strip(), _probability(log)) for text, log in token.others.items() if text != token.text]
    against = [p for text, p in listed if other and text[:1] == other and text in _WORDS]  # with a blank, and without
    rest = max(against, default=min((p for _, p in listed), default=1 - own))
    return own / (own + rest) if own + rest > 0 else 0.0


_WORDS: Final = frozenset({b"true", b"false", b"t", b"f", b"tr", b"fa", b"tru", b"fal"})


def _probability(log: float) -> float:
    return math.exp(min(0.0, log)) if math.isfinite(log) else 0.0
