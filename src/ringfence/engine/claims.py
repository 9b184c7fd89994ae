"""Whether a final answer claims what the record does not prove: actions, numbers, quotations, sources, files.

Told by words, in English and German, without a model: so it is the same each time, and no answer talks it round.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ringfence.core.policy import SinkSpec

from . import sources
from .acts import Acts
from .clauses import stated
from .deeds import Deed, deeds
from .silence import abstains
from .words import tokens, units

FlagKind = Literal["action", "number", "quote", "citation", "artifact", "unsupported"]

MAX_ANSWER = 65_536  # characters of an answer that are checked, and that a proved answer may have
MAX_SHOWN = 4_000_000  # characters of results that an answer is held against
MAX_FLAGS = 64
_TEXT = 200  # characters of a claim that a flag repeats
_TOO_MANY = f"{MAX_FLAGS} claims before this are not proved, so it was not checked: claim less"
_FENCE = re.compile(r"```(.*?)(?:```|\Z)", re.S)
_BARE = re.compile(r"(?:[\w+#.-]*\n)?\s*")  # a fence that holds nothing but the name of its language
_SENTENCE = re.compile(r"\b(?:I|[Ww]e|[Ii]ch|[Ww]ir)\b|^[^=;{}<>\[\]|$#\\()]*\w[.!]\W*$")  # and no code or output


@dataclass(frozen=True, slots=True)
class Flag:
    """A claim that the record does not prove.

    text  the words of the answer that make it
    why   what was expected instead, in words for the model
    at    where in the answer the sentence that carries it lies: first and last character, half open
    """

    kind: FlagKind
    text: str
    why: str
    at: tuple[int, int] = (0, 0)


def flags(
    answer: str,
    *,
    shown: str,
    task: str,
    done: Sequence[Deed],
    tools: Sequence[SinkSpec],
    cited: Collection[int] = (),
) -> list[Flag]:
    """The claims of an answer that nothing proves, in the order of the answer; never raises.

    shown  everything the tools and the user said; task: the user's words alone
    done   the calls on record, as `deeds` gives them; tools: what the run was granted
    cited  numbers of passages that may be cited: [3]

    Only the first `MAX_ANSWER` characters are looked at, and those up to the `MAX_FLAGS`th flag; what lies behind them
    is one flag by itself: what was not looked at is not proved.
    """
    text, shown = answer[:MAX_ANSWER], shown[-MAX_SHOWN:]
    acts, known = Acts(task, shown, done, tools), sources.Known(task, shown, done, cited)
    found: list[Flag] = []
    own = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    alone = re.search(r"\w", own) is None
    fenced = ((a + start, a + end, True) for a, b in _fences(text) for start, end in units(text[a:b]))
    for start, end, quoted in sorted([*((*at, False) for at in units(own)), *fenced]):
        if len(found) >= MAX_FLAGS:
            found.append(Flag("artifact", text[start:][:_TEXT], _TOO_MANY, (start, len(text))))
            break
        if quoted:
            found += _of_fence(text[start:end], (start, end), acts, known, alone=alone)
        else:
            found += _of_sentence(text[start:end], (start, end), own[start:end], acts, known)
    if len(answer) > MAX_ANSWER:
        why = f"an answer has at most {MAX_ANSWER} characters, and this has {len(answer)}: answer in fewer words"
        found.append(Flag("artifact", answer[MAX_ANSWER:][:_TEXT], why, (MAX_ANSWER, len(answer))))
    return found


def _fences(text: str) -> Iterator[tuple[int, int]]:
    return (match.span(1) for match in _FENCE.finditer(text))


def _of_fence(sentence: str, at: tuple[int, int], acts: Acts, known: sources.Known, *, alone: bool) -> list[Flag]:
    """A fence that is all of the answer is checked as one; beside words of its own it is code or a quotation, and tells
    of deeds only in sentences that are nobody else's."""
    if not alone and not _SENTENCE.search(sentence):
        return []
    found = _of_sentence(sentence, at, sentence, acts, known) if alone else _actions(sentence, at, sentence, acts)
    return [flag for flag in found if flag.kind != "action"] if found and acts.lent(sentence) else found


def _actions(sentence: str, at: tuple[int, int], blank: str, acts: Acts, *, asked: bool = False) -> list[Flag]:
    words = " ".join(sentence.split())[:_TEXT]
    return [Flag("action", words, why, at) for why in acts.unproved(blank, asked=asked)]


def _of_sentence(sentence: str, at: tuple[int, int], blank: str, acts: Acts, known: sources.Known) -> list[Flag]:
    found: list[Flag] = []
    if sentence.rstrip().rstrip("\"'”’)*").endswith("?"):
        end = stated(tokens(blank))
        found = _actions(sentence[end:], at, blank[end:], acts, asked=True)
        sentence, blank = sentence[:end], blank[:end]
    found += _actions(sentence, at, blank, acts)
    found += [Flag("quote", quote[:_TEXT], why, at) for quote, why in known.quotes(sentence)]
    found += [Flag("number", number[:_TEXT], why, at) for number, why in known.numbers(sentence)]
    for kind, text, why in known.named(sentence):
        found.append(Flag(kind, text[:_TEXT], why, at))
    return found


def proved(answer: str, flags: Sequence[Flag], done: Sequence[Deed] = ()) -> str:
    """The answer without the sentences that carry a flag; if none is left, what is on record, in plain words.

    Every line that is left stands in the answer; nothing is put in its place but what `done` holds.
    """
    left = without(answer, flags)
    return left if re.search(r"\w", left) or not flags else nothing_proved(done)


def without(answer: str, flags: Sequence[Flag]) -> str:
    """The answer without the sentences that carry a flag; itself, if there is none."""
    answer = answer[:MAX_ANSWER]
    if not flags:
        return answer
    cut = sorted(flag.at for flag in flags)
    parts, last = [], 0
    for start, end in cut:
        if start > last:
            parts.append(answer[last:start])
        last = max(last, min(end, len(answer)))
    parts.append(answer[last:])
    left = _FENCE.sub(lambda match: "" if _BARE.fullmatch(match.group(1)) else match.group(), "".join(parts))
    left = re.sub(r"[ \t]{2,}", " ", left)
    return re.sub(r"\n\s*\n\s*\n", "\n\n", left).strip()


def nothing_proved(done: Sequence[Deed]) -> str:
    """What there is to say when no sentence of an answer could be proved: the calls on record."""
    effects = [deed for deed in done if not deed.reads] or list(done)
    if not effects:
        return "Nothing of this could be proved. No tool call is on record."
    more = f"; and {len(effects) - 5} more" if len(effects) > 5 else ""
    return f"Nothing of this could be proved. On record: {'; '.join(map(str, effects[:5]))}{more}."


__all__ = ["Deed", "Flag", "abstains", "deeds", "flags", "nothing_proved", "proved"]
