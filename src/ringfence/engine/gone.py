"""What a sentence says to be gone, in English and German: it tells of a deed without one who did it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .verbs import EFFECTS, listed
from .voice import COND, CONJ
from .words import Token, pathlike, tokens

_GONE = re.compile(
    r"\b(?:(?:is|are|was|were)(?: (?:now|already|all|both|\w+ly))* gone"
    r"(?! (?:to|through|over|up|out|in|into|ahead|off|on|by|with|well|wrong|live|down|bad)\b)"
    r"|(?:has|have)(?: (?:now|already|all|both|\w+ly))* (?:vanished|disappeared)"
    r"|(?:is|are) no longer (?:there|present)|no longer exists?"
    r"|(?:ist|sind|war|waren)(?: (?:jetzt|nun|bereits|schon|damit))* (?:weg|verschwunden|nicht mehr (?:da|vorhanden))"
    r"|(?:existier(?:t|en)|gibt es)(?: (?:jetzt|nun))? nicht mehr)\b"
    r"(?!,? (?:if|once|when|unless|as soon|wenn|sobald|falls)\b)",
    re.I,
)
_FILES = listed(
    "file files document documents note notes folder folders directory directories datei dateien dokument dokumente "
    "notiz notizen ordner verzeichnis verzeichnisse"
)
_PARTS = listed(
    "entry entries row rows line lines text mail mails email emails message messages appointment event booking "
    "reminder eintrag einträge zeile zeilen termin buchung nachricht nachrichten"
)
_UNSURE = (COND | listed("when would could will may might must sure check verify ensure damit würde könnte wird")) - {
    "should"
}
_NONE = listed("no not none nothing neither nobody nicht kein keine keiner nichts")


@dataclass(frozen=True, slots=True)
class Gone:
    """What is gone: the files that are named, and the kinds of deed that may have taken it away."""

    paths: tuple[Token, ...]
    kinds: frozenset[str]


def gone(sentence: str) -> Gone | None:
    """What a sentence says to be gone: a file, an entry, a mail; None if nothing is, or it is denied or a maybe."""
    if (match := _GONE.search(sentence)) is None:
        return None
    before = tokens(sentence[: match.start()])
    words = {token.word for token in before}
    subject = _subject(before)
    named = {token.word for token in subject}
    if words & _UNSURE or {"you", "can"} <= words or named & _NONE:
        return None
    paths = tuple(token for token in subject if pathlike(token))
    if named & _PARTS:
        return Gone(paths, EFFECTS)
    return Gone(paths, frozenset({"delete", "move"})) if paths or named & _FILES else None


def _subject(words: Sequence[Token]) -> Sequence[Token]:
    """The words of the last clause; what stands behind an "and" between two files is the same one."""
    for i in range(len(words) - 1, 0, -1):
        joins = words[i].word in {"and", "und"} and pathlike(words[i - 1])
        if words[i - 1].breaks or (words[i].word in CONJ and not joins):
            return words[i:]
    return words
