"""Who is said to have done what, sentence by sentence: English and German, by words and their order alone. Linear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .verbs import GENERIC, GERMAN, GERUNDS, NOUNS, OBJECTS, PREDICATES, STRONG, WEAK, listed

Voice = Literal["us", "passive", "stative", "third"]

_END = re.compile(r"[.!?…]{1,8}[\"'”’»)\]*]{0,4}(?=\s|\Z)|\n|;(?=\s)|(?:\\n)")
_CHUNK = re.compile(r"\S+")
_LEFT, _RIGHT = "([{<\"'“‘„‚«»`*_-–—•#>|✅✔✓", ".,;:!?…)]}>\"'”’“‘»«`*_–—|"
_BREAKS = frozenset(",:–—(-|")
_SHORT = listed("e.g. i.e. z.b. d.h. dr. mr. mrs. ms. st. vs. approx. ca. no. nr. bzw. usw. etc. u.a.")
_PATHLIKE = re.compile(
    r"(?:https?://|~?/|\.{1,2}/)\S+|[\w.-]+(?:/[\w.-]+)+\.\w{1,5}|[\w-]+(?:\.[\w-]+)*\.(?:txt|md|csv|tsv|json|ya?ml|log|py|sh|"
    r"pdf|docx?|xlsx?|html?|xml|toml|ini|cfg|conf|db|sqlite|png|jpe?g|sql|js|ts|rs|go|java|c|h|cpp|zip|gz|tar)|"
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.I,
)

_FIRST = listed("i i've i'm i'd we we've we're we'd ich wir")
_CONJ = listed(
    "and but then which while whereas so because since although though after when und aber dann sowie doch weil da "
    "nachdem als sodass"
)
_COND = listed("if unless whether once until should wenn falls sobald ob bevor sofern sollte")
_MODAL = listed(
    "will would can could may might must should shall to won't wouldn't can't couldn't cannot shouldn't needs wird "
    "werden würde würden kann können könnte könnten soll sollen sollte muss müssen müsste darf dürfen"
)
_BE = listed("is are was were been be being got am i'm we're it's that's ist sind wurde wurden worden war waren")
_NOW = listed("is are it's that's ist sind")
_HAVE = listed("have has had i've we've having")
_NEG = listed("not never nicht nie niemals hardly neither nor weder noch")
_NONE = listed("no nothing none nobody neither nichts niemand kein keine keinen keinem keiner keines")
_ADV = listed(
    "just also already now then even all both still yet again soon here there indeed either ever once simply first "
    "finally additionally too kindly ahead about auch schon bereits jetzt nun gerade ebenfalls zudem danach "
    "anschließend therefore thus well neu automatically"
)
_RELATIVE = frozenset(["that", "which", "who", "whom", "whose"])
_AFTER = listed(
    "to in into on onto at for as from with under via using successfully now and or an nach auf für in unter mit "
    "yesterday today correctly"
)
_HABEN, _PASSIV = (
    frozenset(["habe", "haben", "hab"]),
    listed("wurde wurden worden ist sind war waren"),
)
_SELF = listed("assistant agent system bot ai tool assistent werkzeug")
_MEANS = listed("mail email e-mail hand post phone sms default me us myself mistake now then itself")


@dataclass(frozen=True, slots=True)
class Token:
    """A word: as it stands, in small letters without its punctuation, where it stands, what breaks behind it."""

    raw: str
    word: str
    start: int
    end: int
    breaks: bool
    label: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A deed that a sentence tells of: its kinds (none: that something was done), by whom, with which words.

    segment  the words from its clause's beginning to the next deed; `agent`: who did it, after "by"
    """

    word: str
    kinds: frozenset[str]
    voice: Voice
    segment: tuple[Token, ...]
    agent: tuple[Token, ...] = ()
    now: bool = False
    label: bool = False


def units(text: str) -> Iterator[tuple[int, int]]:
    """First and last character (half open) of each sentence, line or half of a sentence before a semicolon."""
    start = 0
    for match in _END.finditer(text):
        before = text[max(start, match.start() - 12) : match.end()].rstrip().rpartition(" ")[2].lower()
        numbered = text[start : match.start()].strip().isdecimal() and match.group()[0] == "."
        if before in _SHORT or (numbered and match.group() == "."):
            continue
        if text[start : match.end()].strip():
            yield start, match.end()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def tokens(text: str, offset: int = 0) -> list[Token]:
    """The words of a sentence; a path, an address or a number is one."""
    found = []
    for match in _CHUNK.finditer(text):
        raw = match.group()
        bare = raw.lstrip(_LEFT)
        begin = match.start() + len(raw) - len(bare)
        word = bare.rstrip(_RIGHT)
        tail = bare[len(word) :]
        if not word:
            if found and any(c in _BREAKS for c in raw):
                found[-1] = Token(*_but(found[-1], breaks=True))
            continue
        if found and raw[0] in "(–—":
            found[-1] = Token(*_but(found[-1], breaks=True))
        small = word.casefold().replace("’", "'")
        found.append(
            Token(word, small, offset + begin, offset + begin + len(word), any(c in _BREAKS for c in tail), ":" in tail)
        )
    return found


def _but(token: Token, *, breaks: bool) -> tuple[str, str, int, int, bool, bool]:
    return token.raw, token.word, token.start, token.end, breaks, token.label


def pathlike(token: Token) -> bool:
    """Whether a word is a path, a file name with a known ending, a URL or a mail address."""
    return len(token.raw) <= 2000 and _PATHLIKE.fullmatch(token.raw) is not None


def said(sentence: Sequence[Token]) -> list[Said]:
    """The deeds that a sentence claims to have been done; what is denied, planned, possible or asked is none."""
    found: list[Said] = []
    before: Voice | Literal[""] = ""
    denied = False
    hits: list[tuple[int, Said | None]] = []
    first = any(token.word in _FIRST for token in sentence)
    for a, b in _clauses(sentence):
        clause = sentence[a:b]
        for j, token in enumerate(clause):
            kinds = _kinds(clause, j)
            if kinds is None:
                continue
            reading = _Reading(clause, j, before, denied, first)
            voice = reading.voice()
            denied = reading.denied
            if voice is None:
                hits.append((a + j, None))
                continue
            before = voice
            weak = token.word not in STRONG and token.word not in GERUNDS and token.word not in PREDICATES
            if weak and voice != "us":
                continue
            if voice == "third" and not any(t.word in _SELF for t in clause[:j]):
                hits.append((a + j, None))
                continue
            now = voice == "stative"
            label = token.label and len(clause) <= 4
            hits.append((a + j, Said(token.word, kinds, "passive" if now else voice, tuple(clause), (), now, label)))
        if not any(_kinds(clause, j) is not None for j in range(len(clause))):
            subject = "us" if any(t.word in _FIRST for t in clause) else "third" if len(clause) > 1 else ""
            before, denied = (subject or before), False  # type: ignore[assignment]
    for index, (at, hit) in enumerate(hits):
        if hit is not None:
            stop = hits[index + 1][0] if index + 1 < len(hits) else len(sentence)
            begin = next((a for a, b in _clauses(sentence) if a <= at < b), at)
            if index and hits[index - 1][0] >= begin:
                begin = at
            rest = sentence[at + 1 : stop]
            segment = (*sentence[begin:at], *rest)
            found.append(Said(hit.word, hit.kinds, hit.voice, tuple(segment), _agent(rest), hit.now, hit.label))
    return found


def _clauses(sentence: Sequence[Token]) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for i, token in enumerate(sentence):
        if i > start and token.word in _CONJ:
            bounds.append((start, i))
            start = i
        if token.breaks:
            bounds.append((start, i + 1))
            start = i + 1
    bounds.append((start, len(sentence)))
    return [(a, b) for a, b in bounds if a < b]


def _kinds(clause: Sequence[Token], j: int) -> frozenset[str] | None:
    """The kinds of deed that a word may tell of here, or None if it tells of none."""
    word = clause[j].word
    if word in {"way", "unterwegs"} and (word == "unterwegs" or (j and clause[j - 1].word in {"its", "their"})):
        return frozenset({"send"})
    if word in {"holds", "contains", "reads", "has", "says"} and j and clause[j - 1].word in {"now", "then"}:
        return frozenset({"write"}) if any(pathlike(token) for token in clause[:j]) else None
    if word in PREDICATES and word not in {"ran", "run"}:
        nouns = [NOUNS[t.word] for t in clause if t.word in NOUNS and t is not clause[j]]
        kinds: frozenset[str] = frozenset().union(*nouns)
        if kinds or word in GENERIC:
            return kinds
        return None
    if word in {"ran", "run"}:
        near = [NOUNS[t.word] for t in clause[j + 1 : j + 6] if t.word in NOUNS and "read" in NOUNS[t.word]]
        return WEAK[word] | frozenset().union(*near)
    if word == "looked" and not any(t.word in {"at", "up", "into", "for", "through"} for t in clause[j + 1 : j + 4]):
        return None
    after = clause[j + 1 : j + 3]
    if word == "added" and any(t.word == "up" for t in after):
        return frozenset({"read"})
    if word == "written" and len(after) == 2 and after[0].word == "in" and after[1].raw[:1].isupper():
        return None if not pathlike(after[1]) else WEAK[word]
    return WEAK.get(word) or GERUNDS.get(word)


def _agent(rest: Sequence[Token]) -> tuple[Token, ...]:
    """Who did it, by "by X" or "von X"; means and dates are nobody."""
    for i, token in enumerate(rest[:-1]):
        follows = rest[i + 1]
        if token.word in {"by", "von", "durch"} and follows.word not in _MEANS and not follows.word[0].isdigit():
            if follows.word in GERUNDS or follows.word.endswith("ing"):
                return ()
            return tuple(rest[i + 1 : i + 4])
    return ()


class _Reading:
    """One verb in its clause: the words around it, and what they make of it."""

    def __init__(self, clause: Sequence[Token], j: int, before: str, denied: bool, first: bool) -> None:
        self._clause, self._j, self._before, self.denied, self._first = clause, j, before, denied, first
        self._words = [token.word for token in clause]
        self._word = self._words[j]
        self._german = self._word in GERMAN or (self._word.endswith(("te", "t")) and self._word in GERMAN)
        k = j - 1
        group: list[str] = []
        while k >= 0 and self._grouped(self._words[k]):
            group.append(self._words[k])
            k -= 1
        self._group, self._k = group, k

    def _grouped(self, word: str) -> bool:
        return (
            word in _BE
            or word in _HAVE
            or word in _NEG
            or word in _ADV
            or word in _MODAL
            or (word.endswith("ly") and word not in {"reply", "july", "only"})
            or word.endswith("n't")
            or word in _HABEN
            or word in {"hat", "hatte", "did", "didn't"}
        ) and word not in {"i'm", "i've", "we're", "we've"}

    def voice(self) -> Voice | None:
        """Whose deed it is said to be; None if the words deny it, or only think of it."""
        words = self._words
        if self._denies():
            self.denied = True
            return None
        if words[0] in _COND or (len(words) > 1 and words[0] in _CONJ and words[1] in _COND):
            return None
        if self._word in GERUNDS:
            return self._gerund()
        german = self._as_german()
        if german != "":
            return german
        if any(word in _MODAL for word in self._group):
            return None
        subject = words[self._k] if self._k >= 0 else ""
        if subject in {"i'm", "we're"} or (subject in _FIRST and not any(w in _BE for w in self._group)):
            self.denied = False
            return "us"
        if any(word in _BE for word in self._group):
            if self._word == "run" and not any(w in _BE for w in self._group[:2]):
                return "third"
            if subject in _FIRST and self._word not in PREDICATES:
                return None  # "I was informed": done to us, not by us
            self.denied = False
            return "stative" if any(w in _NOW for w in self._group) and "been" not in self._group else "passive"
        return self._without_auxiliary(subject)

    def _without_auxiliary(self, subject: str) -> Voice | None:
        words, j = self._words, self._j
        opens = self._k < 0 or (self._k == 0 and subject in _CONJ)
        if opens and subject not in _RELATIVE:
            if self._before and self.denied and self._before == "passive":
                return None
            if self._before == "passive" and self._word in STRONG:
                return "passive"
            return "third" if self._before in {"third", "stative"} else "us"
        after = words[j + 1] if j + 1 < len(words) else ""
        last = self._clause[self._k] if self._k >= 0 else None
        named = last is not None and (subject in OBJECTS or pathlike(last))
        if named and self._word not in {"run", "ran"} and (not after or after in _AFTER or self._clause[j].breaks):
            return "passive"
        return "third"

    def _denies(self) -> bool:
        words, j = self._words, self._j
        if j + 1 < len(words) and words[j + 1] in _NONE and words[j + 1 : j + 3] != ["no", "longer"]:
            return True
        if any(w in _NEG or w.endswith("n't") for w in self._group):
            near = " ".join(words[max(0, j - 6) : j])
            return "not only" not in near and "nicht nur" not in near
        for i in range(j - 1, max(-1, j - 40), -1):
            word = words[i]
            if word in _RELATIVE:
                return False
            if word in _NONE and words[i + 1 : i + 2] not in (["doubt"], ["problem"], ["longer"]):
                return True
            if word == "nicht" and self._german and words[i + 1 : i + 2] != ["nur"]:
                return True
        return False

    def _as_german(self) -> Voice | Literal[""] | None:
        """By German word order the auxiliary stands anywhere in the clause; "" if this is no German verb."""
        words = set(self._words)
        if not self._german and not (words & _PASSIV and self._word in {"deployt", "erledigt", "fertig"}):
            return ""
        if words & _MODAL - {"to", "will", "can"} and "worden" not in words:
            return None
        if words & _PASSIV:
            self.denied = False
            return "stative" if words & {"ist", "sind"} and "worden" not in words else "passive"
        if words & {"hat", "hatte"}:
            return "third"
        if words & {"ich", "wir"}:
            return "us"
        if words & _HABEN:
            return "third"
        if self._word.endswith("te"):
            return "us" if self._before == "us" and self._k < 0 else "third"
        if self._before in {"us", "third"}:
            return self._before  # type: ignore[return-value]
        return "passive"

    def _gerund(self) -> Voice | None:
        previous = self._words[self._j - 1] if self._j else ""
        subject = self._words[self._k] if self._k >= 0 else ""
        if subject in {"i'm", "we're"} or (subject in {"i", "we"} and "am" in self._group + ["am"] * (subject == "we")):
            return "us"
        return "us" if previous in {"after", "by", "of"} and self._first and self._before != "third" else None


__all__ = ["GENERIC", "Said", "Token", "pathlike", "said", "tokens", "units"]
