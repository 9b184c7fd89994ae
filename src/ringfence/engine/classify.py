"""What kind of task a text is: simple, tool or complex. Features of its words and its shape, scored; nothing learnt.

Costs tens of microseconds, whatever the length: of a long text the beginning and the end are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

Kind = Literal["simple", "tool", "complex"]
KINDS: tuple[Kind, ...] = get_args(Kind)

HEAD_CHARS, TAIL_CHARS = 4096, 2048  # of a text that are looked at
COMPLEX_FROM = 3.0  # a task that scores so much is complex, however many tools it needs beside
_FEW_WORDS, _FEW_CHARS, _LONG_CHARS, _VERY_LONG_CHARS, _MANY_LINES = 12, 160, 600, 2000, 8

WEIGHTS: Mapping[str, float] = {  # of each feature, towards the class that it speaks for
    "greeting": 2.0,
    "question": 0.5,
    "short": 0.5,
    "tool_words": 1.0,
    "files": 2.0,
    "address": 1.0,
    "reckons": 2.0,
    "think_words": 1.5,
    "steps": 1.0,
    "code": 1.0,
    "long": 1.0,
    "lines": 0.5,
    "language": 1.0,
}
_FOR: Mapping[str, Kind] = {
    "greeting": "simple", "question": "simple", "short": "simple",
    "tool_words": "tool", "files": "tool", "address": "tool", "reckons": "tool",
    "think_words": "complex", "steps": "complex", "code": "complex", "long": "complex", "lines": "complex",
    "language": "complex",
}  # fmt: skip
_BASE = 1.0  # a task that nothing speaks of is simple
_MOST = 3  # times that one feature counts, at most


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GREETS = _words(
    "hi hello hey thanks thank bye goodbye welcome hallo servus moin danke dankeschön tschüss grüezi guten merci"
    " bonjour hola gracias ciao"
)
_TOOL_WORDS = _words(
    # to look up, read, count
    "file files folder folders directory log logs csv table tables column columns row rows line lines sheet"
    " database sql query search find grep list look read open show count counts average mean median sum total"
    " lookup entries records occurrences often disk cpu memory uptime process processes status weather date today"
    " most least highest lowest largest smallest longest shortest latest earliest"
    # to change, send, run
    " write create save append insert edit change replace correct fix update rename move copy delete remove send"
    " post mail email message notify invite schedule book cancel run execute start stop restart call fetch"
    " download upload request patch commit deploy install calculate compute convert"
    # German
    " datei dateien ordner verzeichnis verzeichnisse protokoll protokolle tabelle tabellen spalte spalten zeile"
    " zeilen datenbank abfrage suche suchen such finde finden lies lese lesen öffne öffnen zeig zeige zeigen zähle"
    " zählen liste durchschnitt mittelwert summe gesamt einträge eintrag häufig oft heute schreib schreibe"
    " schreiben erstelle erstellen speichere speichern ändere ändern ersetze ersetzen korrigiere aktualisiere"
    " benenne verschiebe kopiere lösche löschen entferne schicke schick sende senden maile benachrichtige buche"
    " storniere starte starten stoppe führe hole lade berechne berechnen rechne rechnen wandle nachschlagen"
    " nachsehen prüfe prüfen"
)
_THINK_WORDS = _words(
    "analyse analyze analysis compare comparison contrast evaluate assess design architect plan strategy"
    " strategies refactor optimise optimize investigate diagnose debug root-cause explain justify prove derive"
    " reason argue review critique summarise summarize synthesise synthesize recommend recommendation trade-off"
    " trade-offs tradeoffs pros cons why implications migrate migration draft essay rewrite translate"
    # German
    " analysiere analysieren analyse vergleiche vergleichen vergleich bewerte bewerten beurteile entwirf entwerfen"
    " plane planen strategie untersuche untersuchen erkläre erklären erläutere begründe begründen beweise beweisen"
    " warum weshalb zusammenfassung fasse empfiehl empfehlen empfehlung abwägen optimiere optimieren"
    " überarbeite übersetze"
)
_STOP = _words(
    "the a an of in is are to and for what how which does do on with from it that this my me please can i you der"
    " die das ein eine einen und ist sind im von zu den dem mit wie was welche für auf nicht bitte ich du"
)
_STEP_WORDS = _words(
    "then afterwards next finally secondly thirdly dann danach anschließend schließlich zuletzt zuerst first once"
    " each every nachdem jede jeden jeder"
)
_ENDINGS = _words(
    "csv tsv txt md log json jsonl yaml yml toml xml html htm pdf doc docx xls xlsx db sqlite sqlite3 sql py js"
    " ts java go rs cpp sh conf cfg ini env zip gz png jpg jpeg svg eml ics parquet"
)
_AROUND = "\"'`“”‘’„«»()[]{}<>,;:!?.…*_|"  # punctuation around a word
_COUNTS = ("how many", "how much", "how often", "how long", "wie viel", "wie oft", "wie lange", "wieviel")
_SUM = re.compile(r"\d\s?[-+*/×÷^%]\s?\d|\d\s?(?:%|percent|prozent|plus |minus |times |mal )")
_NUMBERED = re.compile(r"^[ \t]{0,8}(?:\d{1,2}[.)]|[-*•])\s", re.M)
_CODE_LINE = re.compile(
    r"^[ \t]{0,16}(?:def|class|import|from|func|fn|public|private|const|let|var|#include|select|insert|update) "
    r"|^traceback \(most recent|^[ \t]{0,8}at [\w.$]{1,80}\(|[{};]$",
    re.M,
)
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u2c00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")  # beyond Latin


@dataclass(frozen=True, slots=True)
class Route:
    """What kind of task a text is.

    scores   by class: how much speaks for it
    reasons  in words, in the order that they were found; they hold counts, and nothing of the text itself
    """

    kind: Kind
    scores: Mapping[str, float]
    reasons: tuple[str, ...]


class Classifier:
    """Compiled once. `patterns`: by class, an operator's own, which decide before any score; `weights`: by feature.

    A feature with weight 0 is off. Raises ValueError for a class or a feature that there is not, and `re.error` for a
    pattern that does not compile.
    """

    def __init__(
        self, patterns: Mapping[str, Sequence[str]] | None = None, weights: Mapping[str, float] | None = None
    ) -> None:
        _known(patterns or {}, KINDS, "class")
        _known(weights or {}, WEIGHTS, "feature")
        own = {kind: (patterns or {}).get(kind, ()) for kind in ("complex", "tool", "simple")}  # the dearest first
        self._own = [(kind, re.compile(_either(several), re.I)) for kind, several in own.items() if several]
        self._weights = {**WEIGHTS, **(weights or {})}

    def __call__(self, text: str) -> Route:
        """The class of a text, what each class scored, and why."""
        seen = text if len(text) <= HEAD_CHARS + TAIL_CHARS else f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"
        scores: dict[str, float] = {"simple": _BASE, "tool": 0.0, "complex": 0.0}
        reasons: list[str] = []
        for name, times, reason in _features(seen, len(text)):
            worth = self._weights[name] * times
            if worth:
                scores[_FOR[name]] += worth
                reasons.append(reason)
        for kind, pattern in self._own:
            if pattern.search(seen):
                return Route(_KIND[kind], scores, (f"a pattern of the manifest says {kind}", *reasons))
        if scores["complex"] >= COMPLEX_FROM:
            return Route("complex", scores, tuple(reasons))
        return Route("tool" if scores["tool"] >= scores["simple"] else "simple", scores, tuple(reasons))


_KIND: Mapping[str, Kind] = {kind: kind for kind in KINDS}


def _known(given: Mapping[str, object], known: Sequence[str] | Mapping[str, object], what: str) -> None:
    if strangers := sorted(set(given) - set(known)):
        raise ValueError(f"expected a {what} of {', '.join(known)}, got {strangers[0]!r}")


def _either(patterns: Sequence[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _features(text: str, length: int) -> Iterator[tuple[str, float, str]]:
    """(feature, how often it counts, in words) of what there is. `length`: of the whole text."""
    low = text.lower()
    tokens = [token.strip(_AROUND) for token in low.split()]
    words = set(tokens)
    few = len(tokens) <= _FEW_WORDS and length <= _FEW_CHARS
    if few and words & _GREETS:
        yield "greeting", 1, "greets or thanks"
    if "?" in low and len(tokens) <= 2 * _FEW_WORDS:
        yield "question", 1, "a short question"
    if few:
        yield "short", 1, f"few words ({len(tokens)})"
    if found := len(words & _TOOL_WORDS):
        yield "tool_words", min(found, _MOST), f"words for what tools do ({found})"
    if found := len(words & _THINK_WORDS):
        yield "think_words", min(found, _MOST), f"words for thinking it over ({found})"
    if found := _places(low, words):
        yield "files", min(found, _MOST), f"names files or paths ({found})"
    if "://" in low or ("@" in low and any("@" in word[1:-1] for word in words)):
        yield "address", 1, "names an address"
    if any(count in low for count in _COUNTS) or _SUM.search(low):
        yield "reckons", 1, "counts or reckons"
    steps = sum(token in _STEP_WORDS for token in tokens) if words & _STEP_WORDS else 0
    if "\n" in low:
        steps += sum(1 for _ in islice(_NUMBERED.finditer(low), _MOST))
    if steps:
        yield "steps", min(steps, _MOST), f"signs of several steps ({steps})"
    if "```" in low or "=>" in low or "()" in low or ("\n" in low and _CODE_LINE.search(low)):
        yield "code", 1, "holds code"
    if length > _LONG_CHARS:
        yield "long", 2 if length > _VERY_LONG_CHARS else 1, f"long ({length} characters)"
    if (lines := low.count("\n") + 1) > _MANY_LINES:
        yield "lines", 1, f"many lines ({lines} of what is looked at)"
    if foreign := _foreign(low, words, few=few):
        yield "language", 1, foreign


def _places(low: str, words: set[str]) -> int:
    """Files and paths that are named, each once."""
    if "." not in low and "/" not in low and "\\" not in low:
        return 0
    return sum(
        ("/" in word[:-1] and "://" not in word and not word.replace("/", "").isdigit())
        or ("." in word and word.rpartition(".")[2] in _ENDINGS)
        or ":\\" in word
        for word in words
    )  # fmt: skip


def _foreign(low: str, words: set[str], *, few: bool) -> str:
    """Why a small model may not be at home in this language; empty if it seems to be English or German."""
    if not low.isascii() and len(_OTHER_SCRIPT.findall(low)) * 4 > len(low):
        return "another script than Latin"
    return "neither English nor German" if not few and words.isdisjoint(_STOP) else ""
