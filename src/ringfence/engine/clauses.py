"""Which deeds a sentence claims: clause by clause, English and German, by words and their order alone. Linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .harmless import participle, partizip
from .verbs import (
    BASES,
    EFFECTS,
    GENERIC,
    GERUNDS,
    IDIOMS,
    MADE,
    NEEDS,
    NOUNS,
    OBJECTS,
    OPENED,
    PREDICATES,
    STRONG,
    WEAK,
    listed,
)
from .voice import COND, CONJ, FIRST, TURNS, Reading, Voice
from .words import Token, pathlike

_ASKS = COND - {"should", "sollte", "once"}
_MAKES = listed("wrote written created added generated compiled built inserted put erstellt geschrieben")
_IN_ANSWER = listed(
    "summary list overview answer comparison explanation example outline zusammenfassung liste übersicht antwort"
)
_FILES = listed("file document note sheet table datei")
_LEADS = listed("able managed proceeded on liberty sure")
_SELF = listed("assistant agent system bot ai tool assistent werkzeug")
_MEANS = listed("mail email e-mail hand post phone sms default me us myself mistake now then itself")
_APART = frozenset(":–—(-")
_ASKING = listed(
    "is are was were am do does did have has had can could shall should will would may might must isn't aren't wasn't "
    "weren't don't doesn't didn't haven't hasn't can't couldn't shouldn't won't wouldn't what which who whom whose "
    "when where why how if whether unless to for instead ist sind war waren bist hat habe haben hatte kann kannst "
    "können könnte könnten soll sollen sollte darf dürfen möchtest möchten willst wollen brauchst brauchen gibt wird "
    "werden würde würden wer wen wem was welche welcher welches welchen wann wo wie warum ob wenn falls um für statt"
)
_LINKS = listed("and but or so then und aber oder")
MAX_CLAUSE = 60  # words; a longer one is read in parts


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


def said(sentence: Sequence[Token]) -> list[Said]:
    """The deeds that a sentence claims to have been done; what is denied, planned, possible or asked is none."""
    hits: list[tuple[int, int, Said | None]] = []
    before, denied = "", False
    first = any(token.word in FIRST for token in sentence)
    for a, b in _clauses(sentence):
        clause, told = sentence[a:b], False
        for j, _token in enumerate(clause):
            if (meant := _kinds(clause, j)) is None:
                continue
            told = True
            apart = a > 0 and bool(set(sentence[a - 1].breaks) & _APART)
            reading = Reading(clause, j, before, denied, first, apart)
            voice = reading.voice()
            before, denied = voice or reading.before, reading.denied
            hits.append((a + j, a, _told(clause, j, meant, voice)))
        if not told:
            before, denied = _subject(clause, before), False
    return [_whole(sentence, hits, index, hit) for index, (_, _, hit) in enumerate(hits) if hit is not None]


def stated(question: Sequence[Token]) -> int:
    """Where what a question says before it asks ends: at the clause that asks, or at the last one ("right?")."""
    begin = 0
    for i, token in enumerate(question):
        if i and not question[i - 1].breaks:
            continue
        begin = token.start if i else 0
        first = next((other.word for other in question[i : i + 3] if other.word not in _LINKS), "")
        if first in _ASKING:
            break
    return begin


def ours(claim: Said) -> bool:
    """Whether a deed within a question is claimed and not asked: "that I have sent", and not "have I sent"."""
    words = ["", *(token.word for token in claim.segment)]
    return claim.voice == "us" and any(b in FIRST and a not in _ASKING for a, b in pairwise(words))


def _subject(clause: Sequence[Token], before: str) -> str:
    """Whose deeds go on after a clause that tells of none: "and the other one, which passed" changes nothing."""
    words = [token.word for token in clause]
    if any(word in FIRST for word in words):
        return "us"
    if {"was", "were", "been"} & set(words):
        return "passive"
    if len(words) < 2 or words[0] in {"which", "who", "that"} or (words[0] in {"and", "or", "und"} and len(words) < 4):
        return before
    return "third"


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
        begin = hits[index - 1][0] + 1
    rest = sentence[at + 1 : stop]
    return replace(hit, segment=(*sentence[begin:at], *rest), agent=_agent(rest))


def _clauses(sentence: Sequence[Token]) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for i, token in enumerate(sentence):
        if i > start and (token.word in CONJ or token.word in _ASKS):
            bounds.append((start, i))
            start = i
        if token.breaks or i - start >= MAX_CLAUSE:
            bounds.append((start, i + 1))
            start = i + 1
    bounds.append((start, len(sentence)))
    return [(a, b) for a, b in bounds if a < b]


def _kinds(clause: Sequence[Token], j: int) -> tuple[frozenset[str], bool] | None:
    """The kinds of deed that a word may tell of here, and whether of anybody's; None if it tells of none."""
    word, after = clause[j].word, [token.word for token in clause[j + 1 : j + 7]]
    before = clause[j - 1].word if j else ""
    if word in TURNS:
        return _turned(clause, j, after)
    if word in {"out", "place"} and before not in ({"is", "are", "was", "were", "now"} if word == "out" else {"in"}):
        return None
    if word in PREDICATES and word != "run":
        nouns = [NOUNS[t.word] for t in clause if t.word in NOUNS and t is not clause[j]]
        kinds: frozenset[str] = frozenset().union(*nouns)
        return (kinds, True) if kinds or word in GENERIC else None
    if word in OPENED and (made := [MADE[t.word] for t in clause if t.word in MADE]):
        return frozenset().union(*made), True
    if word in {"ran", "run"}:
        looks = [NOUNS[other] for other in after[:5] if other in NOUNS and "read" in NOUNS[other]]
        return WEAK[word] | frozenset().union(*looks), True
    if word == "added" and "up" in after[:2]:
        return frozenset({"read"}), False
    if word == "looked" and not {"at", "up", "into", "for", "through"} & set(after[:3]):
        return None
    if word == "written" and after[:1] == ["in"] and any(t.raw[:1].isupper() for t in clause[j + 2 : j + 4]):
        return (WEAK[word], True) if any(pathlike(t) for t in clause[j + 2 :]) else None  # in English
    if word == "written" and after == ["to"]:
        return frozenset({"send"}), True  # she has been written to
    if word == "placed" and any(pathlike(t) for t in clause[j + 1 :]):
        return frozenset({"write"}), True
    if word in BASES and _managed(clause, j, before):
        return (BASES[word] & EFFECTS, True) if BASES[word] & EFFECTS else None
    near = set(after[:5])
    if word in _MAKES and near & _IN_ANSWER and not any(pathlike(t) or t.word in _FILES for t in clause):
        return None  # a summary, in the answer itself
    if near & IDIOMS.get(word, frozenset()) or (word in NEEDS and not near & NEEDS[word]):
        return None
    found = WEAK.get(word) or GERUNDS.get(word)
    if found is None:
        return _unheard(clause, j)
    been = "been" in {token.word for token in clause[max(0, j - 4) : j]} and "read" not in found
    return found, word in STRONG or word in GERUNDS or been


def _unheard(clause: Sequence[Token], j: int) -> tuple[frozenset[str], bool] | None:
    """A deed by a verb that no list holds: any effect proves it, and nothing else. I tagged, has been renewed."""
    word, words = clause[j].word, {token.word for token in clause}
    mine = bool({"habe", "hab", "haben"} & words and {"ich", "wir"} & words)
    if (mine and j == len(clause) - 1 and partizip(word)) or participle(word):
        return EFFECTS, "been" in {token.word for token in clause[max(0, j - 4) : j]} and bool({"has", "have"} & words)
    return None


def _turned(clause: Sequence[Token], j: int, after: Sequence[str]) -> tuple[frozenset[str], bool] | None:
    """Deeds told by several words: the mail is on its way, it went out, the file now holds, let them know."""
    word, before = clause[j].word, clause[j - 1].word if j else ""
    nouns: frozenset[str] = frozenset().union(*(NOUNS[t.word] for t in clause[:j] if t.word in NOUNS))
    match word:
        case "way":
            return (frozenset({"send"}), True) if before in {"its", "their"} else None
        case "rid":
            return (frozenset({"delete"}), False) if before in {"got", "gotten"} and after[:1] == ["of"] else None
        case "took" | "taken" if after[:2] == ["care", "of"]:
            return _seen_to(clause, j)
        case "took" | "taken":
            off = word == "took" and {"out", "off", "down"} & set(after)
            return (frozenset({"delete"}), False) if off else None
        case "heads-up":
            return (frozenset({"send"}), True) if {"gave", "given"} & {t.word for t in clause[:j]} else None
        case "bekommen" | "got":
            of_me = word == "bekommen" or after[-2:] == ["from", "me"] or "from me" in " ".join(after)
            heard = nouns | frozenset().union(*(NOUNS.get(word, frozenset()) for word in after))
            return (frozenset({"send"}), True) if of_me and "send" in heard else None
        case "unterwegs":
            return frozenset({"send"}), True
        case "went":
            return (nouns, True) if nouns and {"through", "out", "off"} & set(after[:1]) else None
        case "reached" if after[:1] == ["out"]:
            return frozenset({"send"}), False
        case "reached" | "ging" | "gingen":
            return (frozenset({"send"}), True) if "send" in nouns and (word == "reached" or "raus" in after) else None
        case "passed":
            return (frozenset({"send"}), True) if {"on", "along"} & set(after[:3]) else None
        case "let":
            told = "know" in after and not {"me", "us"}.intersection(after)  # "let me know" asks for something
            return (frozenset({"send"}), False) if told else None
        case "turned" | "switched" | "shut":
            return (frozenset({"run", "change"}), True) if {"off", "on", "down"} & set(after[:4]) else None
    if word == "has" and {"message", "mail", "email"} & set(after) and "now" in after:
        return frozenset({"send"}), True
    now = before in {"now", "then"} or {"now", "jetzt"} & set(after)
    held = now and any(pathlike(t) or t.word in _FILES for t in clause[:j])
    return (frozenset({"write"}), True) if held else None


def _seen_to(clause: Sequence[Token], j: int) -> tuple[frozenset[str], bool]:
    """Of what was taken care of: a booking was booked, with a file anything may have been done, "it" is the task."""
    passive = bool({"is", "are", "was", "were", "been"} & {token.word for token in clause[:j]})
    of = clause[:j] if passive else clause[j + 3 : j + 8]
    kinds: frozenset[str] = frozenset().union(*(NOUNS[token.word] for token in of if token.word in NOUNS))
    if kinds - {"write"} and not passive:
        return kinds, True
    return (EFFECTS if any(token.word in OBJECTS or pathlike(token) for token in of) else frozenset()), True


def _managed(clause: Sequence[Token], j: int, before: str) -> bool:
    """Whether a base form tells of a deed: was able to send, managed to send, konnte schicken."""
    words = [token.word for token in clause]
    if before == "to":
        return j > 1 and words[j - 2] in _LEADS
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
