"""Whose deed a verb tells of: the words around it in its clause, in English and German order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .harmless import participle, partizip
from .verbs import BASES, GERMAN, GERUNDS, OBJECTS, PREDICATES, STRONG, WEAK, listed
from .words import Token, pathlike

Voice = Literal["us", "passive", "stative", "third"]

FIRST = listed("i i've i'm i'd we we've we're we'd ich wir")
CONJ = listed(
    "and but then which while whereas so because since although though after before when und aber dann "
    "sowie doch weil da nachdem als sodass"
)
COND = listed("if unless whether once until should wenn falls sobald ob bevor sofern sollte")
TURNS = listed(
    "way unterwegs went let passed reached ging gingen turned switched shut holds contains reads has says "
    "rid took taken heads-up bekommen got enthält"
)
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
_UNKNOWN, _ANYTHING = listed("who what wer was"), listed("anything anybody anyone any etwas jemand")
_TOLD = listed("erfolgreich vorgenommen durchgeführt erfolgt bestätigt aufgegeben gegeben")
_RELATIVE = frozenset(["that", "which", "who", "whom", "whose"])
_AFTER = listed(
    "to in into on onto at for as from with under via using successfully now and or an nach auf für in unter mit "
    "yesterday today correctly"
)
_HABEN, _PASSIV = (
    frozenset(["habe", "haben", "hab"]),
    listed("wurde wurden worden ist sind war waren"),
)


class Reading:
    """One verb in its clause: the words around it, and what they make of it."""

    def __init__(
        self, clause: Sequence[Token], j: int, before: str, denied: bool, first: bool, apart: bool = False
    ) -> None:
        self._clause, self._j, self.before, self.denied, self._first = clause, j, before, denied, first
        self._apart = apart  # behind a colon, a dash or a bracket
        self._words = [token.word for token in clause]
        self._word = self._words[j]
        self._german = self._word in GERMAN or (
            self._word not in WEAK and partizip(self._word) and not participle(self._word)
        )
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
        if self._k > 0 and words[self._k - 1] in {"have", "get"} and words[self._k - 2 : self._k - 1] == ["to"]:
            return None
        if words[0] in COND or (len(words) > 1 and words[0] in CONJ and words[1] in COND):
            return None
        if self._word in GERUNDS:
            return self._gerund()
        if self._word in {"got", "heads-up"} and (self._word != "got" or "me" in words[j:]):
            return "us"
        if self._word in {"rid", "took"}:
            return "us" if j == 0 or any(word in FIRST for word in words[:j]) else "third"
        if self._word in TURNS - {"let", "turned", "switched", "shut", "passed", "taken"}:
            return "us" if self._word == "reached" and "out" in words else "passive"
        if self._word in BASES and self._word not in WEAK and self._word not in PREDICATES:
            if any(word in _NEG or word == "unable" or word.endswith("n't") for word in words[max(0, j - 5) : j]):
                return None
            return "us" if self.before == "us" or any(word in FIRST for word in words[:j]) else None
        german = self._as_german()
        if german != "":
            return german
        if any(word in _MODAL for word in self._group):
            return None
        subject = words[self._k] if self._k >= 0 else ""
        if not self._group and words[0] in FIRST and "had" in words[1:3] and self._word in STRONG:
            return "us"  # I had the server restarted
        if (self._word in _TOLD and not self._group) or self._word == "place":
            return "passive"
        if self._word == "run" and subject in FIRST and not self._group:
            return None  # "I run on your machine"
        if subject in {"i'm", "we're"} or (subject in FIRST and not any(w in _BE for w in self._group)):
            self.denied = False
            return "us"
        if any(word in _BE for word in self._group):
            if self._word == "run" and not any(w in _BE for w in self._group[:2]):
                return "third"
            if subject in FIRST and self._word not in PREDICATES:
                return None  # "I was informed": done to us, not by us
            self.denied = False
            return "stative" if any(w in _NOW for w in self._group) and "been" not in self._group else "passive"
        return self._without_auxiliary(subject)

    def _without_auxiliary(self, subject: str) -> Voice | None:
        words, j = self._words, self._j
        opens = self._k < 0 or (self._k == 0 and subject in CONJ)
        if opens and subject not in _RELATIVE:
            if self.before and self.denied and self.before == "passive":
                return None
            alone = self.before in {"third", ""} and self._k < 0 and self._apart  # "Mail to Bob: sent."
            if (self.before == "passive" or alone) and self._word in STRONG:
                return "passive"
            if self.before == "stative" and self._word in STRONG:
                return "stative"  # is booked and paid
            return "third" if self.before in {"third", "stative"} else "us"
        if any(word in _MODAL and word not in {"to", "will"} for word in words[:j]):
            return None
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
        if self._german and any(word in _NONE or word == "nicht" for word in words[j + 1 : j + 6]):
            return True
        if self._k > 0 and (words[self._k] in _UNKNOWN or words[self._k] in _ANYTHING):
            return True
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
