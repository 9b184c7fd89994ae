"""Whether a task in English asks, and has no word and no clause by which anything could be ordered. Pure.

Where an order is not known as one, its tool must stay: so of all that may be an order nothing is taken for a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DEEDS = frozenset(re.findall(  # as verbs and as nouns: of what has none of these nothing can be ordered
    r"\w+",
    "write create save store append insert edit change replace correct fix update rename move copy delete remove "
    "undo send post reply mail email message notify invite share book schedule reschedule cancel pay transfer "
    "submit upload publish start stop restart call request apply add leave drop jot note record enter place stick "
    "dump pop export deposit make draft prepare produce generate log register order buy remind reserve forward "
    "print attach install deploy inform contact ping warn tidy clean clear archive fill put refund turn switch run "
    "execute close open lock unlock enable disable grant revoke assign approve reject accept decline confirm block "
    "mark flag rotate reset reboot restore renew extend upgrade pause resume sign patch",
))  # fmt: skip
_ANSWERED = re.compile(r"\breply (?:with|only|just|in)\b")
_BIDS = re.compile(  # somebody to do something, by a word that is none of those
    r"(?:\b(?:and|then|or)|[,;:.!?])\s+(?!(?:and|or|then|only|just|on|in|of|for|from|with|but|if|as|at|by|to|is|are|was|were|has|have|"
    r"how|what|which|who|when|where|why|not|since|until|while|because|so|than|like|per|during|after|before|between|under|"
    r"over|we|i|you|they|it|he|she|some|most|all|both|such|tell|say|give|name|state|find|count|look|check)\b)"
    r"[a-z]{2,} (?:the|it|them|him|her|this|these|those|all|any|an?|my|our|your|his|their)\b|"
    r"(?:^|[.!?;:,]\s*)(?:have|get|let)\b(?! (?:we|you|i|they|any|all|there)\b)|\b(?:you mind|for me)\b|"
    r"\b(?:could|can|would|will) you\b(?! (?:please )?(?:tell|find|give|say|check|look|work|count|show)\b)",
    re.I,
)
_IS = frozenset(("is", "are", "was", "were", "be", "been", "has", "have", "had", "not", "who", "which", "and", "or"))
_TARGET = re.compile(
    r"\b(?:in)?to (?:the )?(?:file )?[\w./-]+\.[a-z]{2,5}\b|\bi(?: would|'d)? (?:want|need|like) it in\b", re.I
)
_STATES = re.compile(  # how a sentence begins that orders nothing
    r"\W*(?:the|an?|it|its|this|that|these|those|we|our|my|i|i'm|they|he|she|his|her|their|you|only|just|one|two|three|four|"
    r"five|six|seven|eight|nine|ten|some|many|most|each|every|all|there|here|in|on|at|for|from|by|with|since|based|"
    r"according|sometimes|usually|please,? (?:answer|reply|state|give|name|tell|say)|answer|reply with|state|"
    r"give (?!\w+ (?:access|to)\b)|name|tell (?:me|us)|say|round|express|ignore|months|\d|"
    r"(?:https?://\S+|[\w-]+/[\w./-]*\w) (?:lists|has|shows|gives|says|contains|names|holds)(?! to\b)"
    r")\b",
    re.I,
)
_TO_BE = re.compile(  # what a file is to hold
    r"[\w-]/[\w./-]*\w\b.*\b(?:now|should|must|needs?|missing|belongs?|(?:is|are|has|have) to)\b|"
    r"\b(?:should|must) (?:have|hold|say|tell|be|contain)\b",
    re.I,
)
_READS = re.compile(  # a page is to be looked at, and what it says to be told
    r"\W*(?:please,? )?(?:get|fetch|open|visit|look at|read|see|check) (?:the page )?(?:at )?https?://\S+,? "
    r"(?:and|then|to) (?:list|tell me|say|name|give me|find out|count)\b"
    r"(?P<what>(?:(?!,| and | then )[^;:!?\n]){1,200})",
    re.I,
)
_OPEN = re.compile(r"\b(?:is|are) open\b", re.I)
_ENGLISH = re.compile(r"\b(?:the|which|what|how|many|does|did|from|and|there|with|this|that|has|have|are|were)\b", re.I)
_WORD = re.compile(r"[a-z]+")
_FEW = 2  # of these words, fewer of which may be of another language


def asks_alone(task: str, sentences: Sequence[str]) -> bool:
    """Whether one of its sentences is a question, and the others begin as statements do, or say how to answer; or its
    only one says which page to look at and what to tell of it.
    """
    if len(set(map(str.lower, _ENGLISH.findall(task)))) < _FEW:
        return False
    if found := _READS.fullmatch(task):
        return not _may_bid(_OPEN.sub("", found["what"]))
    told = [one for one in sentences if one.strip() and not one.rstrip().endswith("?")]
    asks = not _may_bid(task) and len(told) < len(sentences) and all(map(_STATES.match, told))
    return asks and not any(map(_TO_BE.search, told))


def _may_bid(task: str) -> bool:
    """Whether a word of a task is one for something that can be done, or somebody is bidden to do something."""
    before = ""
    for word in _WORD.findall(_ANSWERED.sub("", task.lower())):
        stem = word.removesuffix("ing") if word.endswith("ing") else word.removesuffix("" if before in _IS else "ed")
        if not _DEEDS.isdisjoint((word, stem, f"{stem}e", stem[:-1] if stem != word else "")):
            return True
        before = word
    return _BIDS.search(task) is not None or _TARGET.search(task) is not None
