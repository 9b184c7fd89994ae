"""What a question asks for that none of the passages mentions: a small model answers it from the next best one."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.chain import Record
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .facts import Facts, Hay, facts
from .folds import folded
from .meant import never_named
from .passages import NOT_THERE, READ, SEARCH, Passage
from .readmore import SPEC as READ_MORE
from .task import PASTED

UNKNOWN = "no document mentions"  # the key of a search's result, which reads as a sentence
_FEW = 0.5  # of a question's words, below which passages hardly answer it
_NAMED = 3


def searched(turn: Turn) -> list[str]:
    """What documents were searched for, in the order of the searches that answered."""
    return list(folded(turn, _Searches).asked)


def unknown(turn: Turn) -> list[str]:
    """Words of the task that no document has at all, as the search with which the run began says."""
    if (first := folded(turn, _Searches).first) is None:
        return []
    value, asked = first
    words = value.get(UNKNOWN) if isinstance(value, dict) else None
    return list(map(str, words)) if isinstance(words, list) and turn.start["task"] in asked.values() else []


class _Searches:
    """The searches that answered: what they asked for, and the first one's answer and arguments."""

    def __init__(self) -> None:
        self.asked: dict[str, None] = {}
        self.first: tuple[JSON, dict[str, JSON]] | None = None

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is not None and intent.view.get("sink") == SEARCH and record.view.get("ok"):
            args = intent.body.get("args", {})
            self.asked[" ".join(str(next(iter(args.values()), "")).split())] = None
            self.first = self.first or (record.body.get("value"), args)


def others(turn: Turn) -> str:
    """What other tools said than those that show passages, or more of one."""
    return "\n".join(folded(turn, _Others).said)


class _Others:
    def __init__(self) -> None:
        self._own: set[str] = set()  # handles of what showed passages
        self.said: list[str] = []

    def take(self, record: Record, intent: Record | None) -> None:
        if intent is None:
            return
        if intent.view.get("sink") in (SEARCH, READ):
            self._own.add(f"r{record.seq}")
        elif "prompt" not in intent.body:
            more = intent.view.get("sink") == READ_MORE.name and intent.body.get("args", {}).get("handle") in self._own
            if not more:
                self.said.append(str(record.body.get("value", "")))


def lacking(task: str, passages: Mapping[int, Passage], shown: str = "") -> str:
    """The name that a question is about, if no passage has it, nor what other tools said; "" if there is no such.

    A code counts by itself; of names one that is there is enough, and abbreviations may be written out. What is called
    by a word and a figure (test stand 3) counts where the passages have others of its kind.
    """
    if len(task) > PASTED:
        return ""
    asked, hay = facts(task, known=task.casefold()), _hay(passages, shown)
    names = [name for name in asked.names if any(map(str.isalpha, name))]
    codes = [name for name in names if any(map(str.isdigit, name))]
    plain = [name for name in names if name not in codes and len(name) > 3 and name.upper() not in task]
    if gone := [code for code in codes if not hay.has_name(code)]:
        return gone[0]
    if plain and not any(hay.has_name(name) or hay.has_word(name) for name in plain):
        return plain[0]
    return never_named(task, hay.text)


def unheard(task: str, passages: Mapping[int, Passage], shown: str = "") -> str:
    """A note for the model, where the passages share less than half of a question's words; else empty."""
    if len(task) > PASTED:
        return ""
    asked, hay = facts(task, known=task.casefold()), _hay(passages, shown)
    words = Facts(words=(*asked.names, *asked.words))
    if hay.share(words) >= _FEW:
        return ""
    gone = [word for word in words.words if not hay.has_word(word)][:_NAMED]
    return f'No passage mentions {", ".join(gone)}: the answer may well be "{NOT_THERE}".'


def nothing_there(passages: Mapping[int, Passage]) -> str:
    """That the documents do not say it, with where it was looked for."""
    documents = list(dict.fromkeys(passage.document for passage in passages.values()))
    more = f" and {len(documents) - 5} more" if len(documents) > 5 else ""
    where = f" Looked in {', '.join(documents[:5])}{more}." if documents else ""
    return f"{NOT_THERE.capitalize()}.{where}"


def _hay(passages: Mapping[int, Passage], shown: str) -> Hay:
    parts = (part for p in passages.values() for part in (p.document, p.title, p.headings, p.text))
    return Hay("\n".join((*parts, shown)))
