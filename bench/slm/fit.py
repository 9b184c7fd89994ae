"""Whether any tool is made for what is asked, so that a small model need not call one that is not.

A small model that is shown a tool calls it: asked in the same breath for a call or a refusal, Qwen2.5-Coder-1.5B
refuses next to nothing, and a sentence of thought first talks it into the call. Asked that one question alone, the
probability of its answer tells the two apart fairly well, and so does, at no cost, how many of a tool's own words the
request uses; they err on different requests. Figures: bench/slm/README-bfcl.md.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache

from ringfence.core.policy import SinkSpec

QUESTION = 'Say whether one of the tools does what is asked: {"fits": true} or {"fits": false}.'
SCHEMA = b'{"type":"object","properties":{"fits":{"type":"boolean"}},"required":["fits"],"additionalProperties":false}'
MAX_TOKENS = 16  # of the answer, which is five
UNKNOWN = 1.0  # log-odds that an answer stands for where the server tells no probability
COVER_WEIGHT = 2.0  # of `cover` beside the log-odds, and
THRESHOLD = 0.4  # what both have to come to; chosen on other cases than the figures are of

_WORD = re.compile(r"[a-z]+|[^\W\da-z_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ENDS = (
    "ations", "ation", "ements", "ement", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "al", "ly",
)  # fmt: skip
_COMMON = frozenset({
    "about", "all", "also", "and", "any", "are", "based", "between", "calculate", "can", "compute", "could",
    "details", "determine", "did", "does", "each", "find", "for", "from", "function", "get", "give", "given", "had",
    "has", "have", "how", "information", "into", "its", "more", "most", "not", "number", "only", "over", "per",
    "please", "provide", "retrieve", "return", "returns", "should", "show", "some", "specific", "specified", "such",
    "tell", "than", "that", "the", "their", "them", "there", "these", "they", "this", "those", "under", "use",
    "using", "value", "values", "was", "were", "what", "when", "where", "which", "who", "why", "will", "with",
    "would", "you", "your",
})  # fmt: skip


def judged(text: str, sure: float | None) -> float:
    """Log-odds that a tool fits, from the answer to QUESTION and its probability; 0 for what is no answer."""
    try:
        value = json.loads(text)
    except ValueError:
        return 0.0
    said = value.get("fits") if isinstance(value, dict) else None
    if not isinstance(said, bool):
        return 0.0
    own = min(max(sure, 0.001), 0.999) if sure is not None else None
    odds = UNKNOWN if own is None else math.log(own / (1 - own))
    return odds if said else -odds


def cover(request: str, spec: SinkSpec) -> float:
    """How far the request uses a tool's own words, 0 to 1: of its name, and of its name and summary, by halves."""
    asked = _words(request)
    name = _words(spec.name.rpartition(":")[2])
    both = name | _words(spec.summary)
    return (len(asked & name) / max(1, len(name)) + len(asked & both) / max(1, len(both))) / 2


def fits(odds: float, covered: float) -> bool:
    """Whether to call: the model's log-odds, and the best `cover` of a tool, weighed."""
    return odds + COVER_WEIGHT * covered > THRESHOLD


@lru_cache(maxsize=512)
def _words(text: str) -> frozenset[str]:
    found = _WORD.findall(_HUMP.sub(" ", text[:20_000]).lower())
    return frozenset(_stem(word) for word in found if len(word) > 2 and word not in _COMMON)


def _stem(word: str) -> str:
    """The word without an ending of English inflection, so that `conversions` meets `convert` at `conver...`."""
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word.removesuffix(end)
    return word
