"""Who is said to have done what, sentence by sentence: English and German, by words and their order alone. Linear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .verbs import (
    BASES,
    EFFECTS,
    GENERIC,
    GERMAN,
    GERUNDS,
    MADE,
    NOUNS,
    OBJECTS,
    OPENED,
    PREDICATES,
    STRONG,
    WEAK,
    listed,
)

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
_ASKS = _COND - {"should", "sollte", "once"}
_FILES = listed("file document note sheet table datei")
_TURNS = listed("way care unterwegs went let turned switched shut holds contains reads has says")
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
    perfect: bool = False


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
    hits: list[tuple[int, int, Said | None]] = []
    before, denied = "", False
    first = any(token.word in _FIRST for token in sentence)
    for a, b in _clauses(sentence):
        clause, told = sentence[a:b], False
        for j, _token in enumerate(clause):
            if (meant := _kinds(clause, j)) is None:
                continue
            told = True
            reading = _Reading(clause, j, before, denied, first)
            voice = reading.voice()
            before, denied = voice or reading.before, reading.denied
            hits.append((a + j, a, _told(clause, j, meant, voice)))
        if not told:
            subject = "us" if any(t.word in _FIRST for t in clause) else "third" if len(clause) > 1 else ""
            before, denied = subject or before, False
    return [_whole(sentence, hits, index, hit) for index, (_, _, hit) in enumerate(hits) if hit is not None]


def _told(clause: Sequence[Token], j: int, meant: tuple[frozenset[str], bool], voice: Voice | None) -> Said | None:
    """One deed, unless nobody's, another's, or one that such a word tells of us alone."""
    if voice is None or (voice != "us" and not meant[1]):
        return None
    if voice == "third" and not any(token.word in _SELF for token in clause[:j]):
        return None
    words = {token.word for token in clause[:j]}
    perfect = bool({"has", "have"} & words) and "been" in words
    now, label = voice == "stative", any(t.label for t in clause[j:]) and len(clause) <= 4
    return Said(clause[j].word, meant[0], "passive" if now or label else voice, (), (), now, label, perfect)


def _whole(sentence: Sequence[Token], hits: Sequence[tuple[int, int, Said | None]], index: int, hit: Said) -> Said:
    """A deed with its words: those of its clause before it, and those up to the next deed."""
    at, begin, _ = hits[index]
    stop = hits[index + 1][0] if index + 1 < len(hits) else len(sentence)
    if index and hits[index - 1][0] >= begin:
        begin = at
    rest = sentence[at + 1 : stop]
    return replace(hit, segment=(*sentence[begin:at], *rest), agent=_agent(rest))


def _clauses(sentence: Sequence[Token]) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for i, token in enumerate(sentence):
        if i > start and (token.word in _CONJ or token.word in _ASKS):
            bounds.append((start, i))
            start = i
        if token.breaks:
            bounds.append((start, i + 1))
            start = i + 1
    bounds.append((start, len(sentence)))
    return [(a, b) for a, b in bounds if a < b]


def _kinds(clause: Sequence[Token], j: int) -> tuple[frozenset[str], bool] | None:
    """The kinds of deed that a word may tell of here, and whether of anybody's; None if it tells of none."""
    word, after = clause[j].word, [token.word for token in clause[j + 1 : j + 7]]
    before = clause[j - 1].word if j else ""
    if word in _TURNS:
        return _turned(clause, j, after)
    if word in PREDICATES and word != "run":
        nouns = [NOUNS[t.word] for t in clause if t.word in NOUNS and t is not clause[j]]
        kinds: frozenset[str] = frozenset().union(*nouns)
        return (kinds, True) if kinds or word in GENERIC else None
    if word in OPENED and (made := [MADE[t.word] for t in clause if t.word in MADE]):
        return frozenset().union(*made), True
    if word in {"ran", "run"}:
        near = [NOUNS[other] for other in after[:5] if other in NOUNS and "read" in NOUNS[other]]
        return WEAK[word] | frozenset().union(*near), True
    if word == "added" and "up" in after[:2]:
        return frozenset({"read"}), False
    if word == "looked" and not {"at", "up", "into", "for", "through"} & set(after[:3]):
        return None
    if word == "written" and after[:1] == ["in"] and any(t.raw[:1].isupper() for t in clause[j + 2 : j + 4]):
        return (WEAK[word], True) if any(pathlike(t) for t in clause[j + 2 :]) else None  # in English
    if word == "placed" and any(pathlike(t) for t in clause[j + 1 :]):
        return frozenset({"write"}), True
    if word in BASES and _managed(clause, j, before):
        return BASES[word] & EFFECTS or None, True  # type: ignore[return-value]
    found = WEAK.get(word) or GERUNDS.get(word)
    return (found, word in STRONG or word in GERUNDS) if found else None


def _turned(clause: Sequence[Token], j: int, after: Sequence[str]) -> tuple[frozenset[str], bool] | None:
    """Deeds told by several words: the mail is on its way, it went out, the file now holds, let them know."""
    word, before = clause[j].word, clause[j - 1].word if j else ""
    nouns: frozenset[str] = frozenset().union(*(NOUNS[t.word] for t in clause[:j] if t.word in NOUNS))
    match word:
        case "way":
            return (frozenset({"send"}), True) if before in {"its", "their"} else None
        case "care":
            of: frozenset[str] = frozenset().union(*(NOUNS.get(word, frozenset()) for word in after))
            return (of, True) if before in {"took", "taken"} and of else None
        case "unterwegs":
            return frozenset({"send"}), True
        case "went":
            return (nouns, True) if nouns and {"through", "out", "off"} & set(after[:1]) else None
        case "let":
            return (frozenset({"send"}), False) if "know" in after else None
        case "turned" | "switched" | "shut":
            return (frozenset({"run", "change"}), True) if {"off", "on", "down"} & set(after[:4]) else None
    held = before in {"now", "then"} and any(pathlike(t) or t.word in _FILES for t in clause[:j])
    return (frozenset({"write"}), True) if held else None


def _managed(clause: Sequence[Token], j: int, before: str) -> bool:
    """Whether a base form tells of a deed: was able to send, managed to send, konnte schicken."""
    words = [token.word for token in clause]
    if before == "to":
        return j > 1 and words[j - 2] in {"able", "managed", "proceeded", "on"}
    return bool({"konnte", "konnten"} & set(words)) and words[j].endswith("en")


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
        self._clause, self._j, self.before, self.denied, self._first = clause, j, before, denied, first
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
        words, j = self._words, self._j
        if self._denies():
            self.denied = True
            self.before = "passive" if any(word in _BE for word in self._group) else self.before
            return None
        if words[0] in _COND or (len(words) > 1 and words[0] in _CONJ and words[1] in _COND):
            return None
        if self._word in GERUNDS:
            return self._gerund()
        if self._word in _TURNS - {"let", "turned", "switched", "shut"}:
            return "us" if self._word == "care" else "passive"
        if self._word in BASES and self._word not in WEAK and self._word not in PREDICATES:
            return "us" if self.before == "us" or any(word in _FIRST for word in words[:j]) else None
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
            if self.before and self.denied and self.before == "passive":
                return None
            alone = self.before == "third" and len(words) == 1 and not self._clause[j].breaks  # "Mail to Bob: sent."
            if (self.before == "passive" or alone) and self._word in STRONG:
                return "passive"
            return "third" if self.before in {"third", "stative"} else "us"
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
        if not self._german and not (words & (_PASSIV | _HABEN) and self._word in PREDICATES):
            return ""
        if words & _MODAL - {"to", "will", "can"} and "worden" not in words:
            return None
        if words & _PASSIV:
            self.denied = False
            return "stative" if words & {"ist", "sind"} and "worden" not in words else "passive"
        if words & {"hat", "hatte"} and not (words & {"ich", "wir"} and "hat" not in words):
            return "third"
        if words & {"ich", "wir"}:
            return "us"
        if words & _HABEN:
            return "us" if self._words[0] in {"hab", "habe"} else "third"
        if self._word.endswith("te"):
            return "us" if self.before == "us" and self._k < 0 else "third"
        if self.before in {"us", "third"}:
            return self.before  # type: ignore[return-value]
        return "passive"

    def _gerund(self) -> Voice | None:
        previous = self._words[self._j - 1] if self._j else ""
        subject = self._words[self._k] if self._k >= 0 else ""
        if subject in {"i'm", "we're"} or (subject in {"i", "we"} and "am" in self._group + ["am"] * (subject == "we")):
            return "us"
        return "us" if previous in {"after", "by", "of", "up"} and self._first and self.before != "third" else None
