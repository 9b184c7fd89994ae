"""Whether a text says that there is nothing to say: it is not known, not there, cannot be told. Without a model."""

from __future__ import annotations

import re

from .words import units

_ABSTAINS = re.compile(
    r"\b(?:i (?:do not|don't) know|"
    r"(?:could|can) ?not (?:find|determine|tell|say|answer|be (?:found|determined|answered))|"
    r"(?:couldn't|can't) (?:find|determine|tell|say|answer)|"
    r"not (?:found|stated|specified|mentioned|given|available|provided|listed|contained|known)|"
    r"no (?:information|answer|record|mention|such|data|results?|match|matches)|unknown|"
    r"unable to (?:find|determine|tell|say|answer)|not (?:enough|sufficient) information|"
    r"(?:does|do|did) ?(?:not|n't) (?:say|state|mention|contain|hold|provide|specify|tell|list)|"
    r"nothing (?:about|on|was found)|says nothing|(?:is|are) (?:not a|no) column|"
    r"no (?:[^\W\d][\w'-]* ){1,8}(?:(?:is|are|was|were) (?:stated|specified|mentioned|listed)|"
    r"(?:is|was) (?:found|given|known|available|provided))(?=[.!]?\s*$| (?:there|here|in|on|for|among|anywhere)\b)|"
    r"there(?:'s| is| are| was| were) no (?:[^\W\d][\w'-]* ){1,8}(?:in|on) (?:the|these|those|any|our|your|that) "
    r"(?:\w+ )?(?:pages?|notes?|documents?|passages?|files?|sources?|texts?)|"
    r"there(?:'s| is| was) no (?:[^\W\d][\w'-]* ){1,8}(?:in|on) (?:the|any|our|your|that) (?:\w+ )?"
    r"(?:list|table|records|database)(?=[.,;!]|\s*$)|"
    r"not in (?:the|these|those|any|our|your) (?:\w+ )?(?:documents?|passages?|files?|sources?|records?|texts?)|"
    r"(?:nicht|nichts) (?:\w+ ){0,3}in (?:den|diesen|keinem|keiner) (?:\w+ )?"
    r"(?:dokumente?n?|unterlagen|textstellen|passagen|dateien|quellen|texten)|"
    r"weiß (?:ich )?(?:es )?nicht|keine (?:angaben?|information|informationen|antwort|daten|ergebnisse)|unbekannt|"
    r"nicht (?:gefunden|angegeben|genannt|bekannt|enthalten|verfügbar|zu finden|ermitteln)|steht (?:\w+ ){0,4}nicht|"
    r"geht (?:\w+ ){0,6}nicht hervor|lässt sich (?:\w+ ){0,4}nicht (?:sagen|ermitteln|beantworten|finden)|"
    r"(?:konnte|kann) (?:\w+ ){0,6}nicht (?:finden|sagen|beantworten|ermitteln)|nichts (?:gefunden|darüber|dazu))\b"
    r"|^\s*n/?a\b",
    re.I,
)
_NONE = r"(?:\b(?:no|not|none|nothing|nobody|nowhere|cannot|missing|absent|kein\w*|nicht|nichts)\b|n't\b)"
_SAY = r"\b(?:say|tell|state|write|report|answer|reply|respond|mention|note|sage?n?|schreibe?n?|antworte?n?)\b"
_PROVIDES = re.compile(  # "If there is none, say so", "or tell me if it isn't there"
    rf"\b(?:if|in case|should|where|when|wenn|falls|sollte)\b[^.?!;]{{0,80}}?{_NONE}[^.?!;,]{{0,60}}(?:,|\bthen\b)\s*"
    rf"(?:then |please |just |bitte )?{_SAY}|"
    rf"(?:,|\bor\b|\band\b|\boder\b)\s+(?:please |just )?{_SAY}[^.?!;]{{0,20}}?\b(?:if|in case|wenn|falls)\b"
    rf"[^.?!;]{{0,60}}?{_NONE}",
    re.I,
)
_BUT = re.compile(r"[,;]?\s\b(?:but|however|although|though|aber|jedoch|allerdings|sondern)\b", re.I)
_PARTS = re.compile(r"[,:;(]|\b(?:and|und)\b", re.I)
_GIVES = re.compile(r"\d|(?<=[a-zäöüß,] )[A-ZÄÖÜ]\w+@|\S+@\S+\.\w")


def abstains(answer: str) -> bool:
    """Whether the answer is that it is not known, not there or cannot be told: in English or German.

    An answer that gives a value and says in passing that something else is unknown does not abstain.
    """
    text = answer[:4000].replace("’", "'")
    sentences = [text[a:b] for a, b in units(text)]
    if not sentences or not (first := _ABSTAINS.search(sentences[0])):
        return False
    contrast = _BUT.search(sentences[0], first.end())
    if contrast and _GIVES.search(sentences[0], contrast.end()):
        return False
    if _GIVES.search(sentences[0][: first.start()]) and re.search(
        r"[,:;(]|\band\b|\bund\b", sentences[0][: first.start()]
    ):
        return False
    return all(_ABSTAINS.search(part) or not _GIVES.search(part) for part in sentences[1:])


def provides(task: str) -> bool:
    """Whether a task says what the answer is if there is nothing: "If there is no such date, say so." """
    return _PROVIDES.search(task[:4000].replace("’", "'")) is not None
