"""What a task asks for, told by its words: to count or calculate, to act, or only to know. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from .bidden import asks_alone

PASTED = 1000  # characters of a task, from which on it holds a text and not the question alone
_RECKONS = re.compile(
    r"\b(?:count|sum|total|altogether|together|average|mean|median|add|plus|minus|multiply|times|divide|difference|"
    r"how often|work out|calculate|compute|in all|"
    r"(?:(?<!\bat )(?:most|least)|fewest|highest|lowest|largest|smallest|longest|shortest|earliest|latest|first|last)"
    r"(?! (?:that )?(?:i|you|we|one|they|anyone|anybody|people) (?:may|can|could|must|should|have to)\b))\b",
    re.I,
)  # the most that one may is a rule, which is written somewhere
_RANK = re.compile(r"\b(?:first|last|earliest|latest)\b", re.I)
_COUNTS = re.compile(r"\b(how many|how often|number of|how much more|how many more)\b", re.I)
_MEASURE = re.compile(  # how many minutes a lesson lasts stands somewhere; how many hours Ann has worked is added up
    r"\bhow many (?:seconds|minutes|hours|days|weeks|months|years|euros?|cents|percent|(?:centi|kilo)?met(?:re|er)s|"
    r"lit(?:re|er)s|grams|kilos?|degrees|cm|mm|km|kg|mg|ml) "
    r"(?:(?:does|do|may|can|must|should|before|after|in advance)\b|"
    r"(?:an?|the) \w+ (?:lasts?|takes?|costs?|weighs?|has|is|may|must)\b)",
    re.I,
)
_ADDS_UP = re.compile(
    r"\b(?:did|had|have|were|was|since|until|between|per|each|rows?|lines?|entries|database|tables?)\b|\.[ct]sv\b", re.I
)
_SETTINGS = re.compile(r"(?<![\w./-])[\w./-]{0,200}\w\.(?:toml|ini|cfg|conf|ya?ml|env|properties)\b", re.I)
_LIMITS = re.compile(
    r"\b(?:may|can|must|should|at (?:most|least)|max\w*|min\w*|allow\w*|limit\w*|sets?|keeps?)\b", re.I
)
_APART = re.compile(r"\b(?:how (?:many|much) (?:more|less|fewer)\b.*\bthan|difference between)\b", re.I | re.S)
_SEVERAL = re.compile(
    r"(?:^|[.!?]\s+|\b(?:for|and|of|with|each|all|to|are|must|can|"
    r"(?P<buys>(?:buy|want|need|take|get|(?<!the )(?<!for )(?<!of )(?<!our )(?:order|rent|hire))s?|"
    r"would|will|do|does))\s+)"
    r"(?P<count>[2-9]|[1-9]\d{1,2})\s+"
    r"(?!per ?cent|euros?|dollars?|pounds|o'clock|am\b|pm\b|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)"
    r"(?:(?P<unit>(?:second|minute|hour|day|night|week|month|quarter|year|"
    r"[kmgt]b|k?m|k?g|lit(?:re|er)|met(?:re|er)|mile)s?\b)|[a-z])",
    re.I,
)  # 2 adults and 17 children: as many times a price
_NO_THING = re.compile(
    r"\b(?:and|or|for|to|in|at|with|from|on|would|will|do|must|cost)\b|[^\w\s-]|\d"
)  # behind its name
_PRICE = re.compile(r"\b(?:costs?|pay|prices?|owe|come to)\b", re.I)
_PLACE = re.compile(r"\.[a-z]{2,5}\b|\b(?:logs?|tables?|folders?|files?|database|rows?|lines?|entries)\b|/", re.I)
_GIVEN = re.compile(
    r"(?<![\w.,/-])(?!(?:19|20)\d\d\b)\d+(?:[.,]\d+)*(?: ?[%€$£]|"
    r" (?!(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)(?:[^\W\d_]{2,}|[glmhvw]\b))|[€$£] ?\d",
    re.I,
)
_MUCH = re.compile(r"\bhow (?:many|much)\b|\bwie ?viele?\b", re.I)
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")
_THEN = r"\b\d{1,2}:\d\d\b[^?]*\b(?:what time|when) (?:does|do|will|would|is|are|can|must)\b"  # from 18:10 on
_FROM_THEN_ON = re.compile(_THEN, re.I)
_FOR_SO_LONG = re.compile(r"\b\d+ ?(?:min(?:ute)?s?|hours?|hrs?|h)\b", re.I)
_LEFT = re.compile(r"\b(?:left|remain\w*|still|so far)\b", re.I)
_HOW_MANY = re.compile(r"\bhow (?:many|much) ([^\W\d_]{3,})", re.I)
_AMOUNT_OF = re.compile(r"(?<![\w.,/:-])\d+(?:[.,]\d+)* ([^\W\d_]{3,})")
_STEM = 5  # letters by which words are the same
_OF_GIVEN = re.compile(
    r"%|\bfor \d+\b.*\bhow (?:many|much)\b.*\bfor \d+\b|"
    r"\d \w+ (?:long|wide|deep|high|tall|thick)\b.*\d \w+ (?:long|wide|deep|high|tall|thick)\b.*\bhow (?:many|much)\b|"
    r"\d ?[x×] ?\d|"
    rf"{_THEN}|"
    r"\b(?:per ?cents?|percentage|what share|each|apiece|for one|per [^\W_]+|altogether|in all|left over|split|divided|"
    r"every (?:hour|day|week|month|year)|suppose|assum(?:e|ing)|imagine|remaining|deduct\w*|"
    r"prozent|jeweils|insgesamt)\b",
    re.I,
)
_RATE = re.compile(
    r"\b(?:per|each|every) ([^\W\d_]{3,})|"
    r"\b(?:an?|one) ([^\W\d_]{3,})(?: [^\W\d_]+)?(?= (?:costs?|weighs?|takes?|uses?|needs?|holds?)\b)|"
    r"\b(?:a|an|one) (day|night|hour|week|month|year|minute|kilometre|mile|person|head)\b",
    re.I,
)
_COUNTED = re.compile(
    r"(?<![\w.,/-])(\d{1,5}) (?:such |more |full )?([^\W\d_]{3,})\b(?! (?:ago|before|after|later|old)\b)"
)
_SUPPOSES = re.compile(r"\W*(?:suppose|assum(?:e|ing)|imagine|let'?s say|angenommen)\b", re.I)
_COINS = re.compile(r"[€$£] ?\d|\d ?(?:[€$£]|(?:euros?|dollars?|pounds?|francs?|cents)\b)", re.I)
_HOW_MUCH = re.compile(
    r"\bhow (?:much|many)\b|\btotal [^.?!]{1,20}\?|\b(?:state|calculate|compute|work out) the\b|"
    r"\bwhat(?:'s| is| are)?\b|\bpercent(?:age)?\b|\bwie ?viele?\b",
    re.I,
)
_LOOKED_UP = re.compile(
    r"\b(?:more than|less than|fewer than|over|above|below|under|at (?:least|most)|(?<!in )which|who|whose|list|"
    r"says?(?! \d)|limit|maximum|minimum|allowed|dose|required|retention|rates?|charges?|fees?|happens|entitled|"
    r"bekommt|mehr als|weniger als|über|unter|welche\w*|wer)\b",
    re.I,
)
_FILE = r"(?:the )?(?:file )?[\w./-]+\.[a-z]{2,5}\b"
_VERB = (
    r"(?P<verb>write|create|save|store|append|insert|edit|change|replace|correct|fix|update|rename|move|copy|delete|"
    r"remove|undo|send|post|reply(?! (?:with|only|just|in)\b)|mail|email|message|notify|invite|share|book|schedule|"
    r"cancel|pay|transfer|submit|upload|publish|run|execute|start|stop|restart|call|fetch|download|request|apply|set|"
    r"add(?= (?:an? |the |this |that |[\"'“‘`]))|"
    r"put(?! (?:in|up|on|off|out) )(?= [^.?!\n]{1,80}\b(?:in|into|on|to)\b)|"
    r"(?:leave|drop|jot|note(?! that)|record|enter|place|stick|dump|pop|export|deposit|"
    r"file(?= (?:the|this|that|it|them|my|our|its) ))"
    rf"(?= [^?!\n]{{1,100}}?\b(?:in|into|to|under|at) {_FILE}))\b"
)
_BESIDE = re.compile(
    rf"(?:,|;|\band\b|\bthen\b)\s+(?:(?:and|then|please|also) ){{0,2}}{_VERB}(?= (?:it|them|th\w+|an?|my|our)\b)"
    rf"(?=[^?!\n]{{0,100}}?\b(?:in|into|to|under) {_FILE})",
    re.I,
)
_WOULD = re.compile(
    r"\b(?:should|may|must|can|could|would|do) (?:i|we|you|one|they)\b|\bwho (?:may|can|should|must)\b", re.I
)
_ASKS = re.compile(r"\b(?:tell|know|check|who|what|how|which|where|when|why)\b", re.I)
_INTO = re.compile(rf"(?<!look )(?<!looking )(?<!looked )(?<!peek )(?<!dig )(?<!go )\binto {_FILE}", re.I)
_SAYS = re.compile(  # the gates write everything into the log: what is so, and no order
    r"\b(?:the [^\W\d_]+s?|we|they|it|he|she|i|you|everything|each|all|which|that|what) (?:all |also |always |only )?"
    r"(?:writes?|puts?|goes|go|logs?|records?|stores?|saves?|enters?|sends?|types?|moves?|comes?|falls?|runs?|copy|copies|"
    r"dumps?|is|are|was|were|has|have|get|gets)\b",
    re.I,
)
_ACTS = re.compile(  # where a clause begins: elsewhere "call", "share" and "start" are things
    r"(?:^\W*|[,:;–—(]\s*|\b(?:please|kindly|and|then|also|now|just|or|finally|afterwards|let's|let us|must|should|"
    r"not|never|don't|(?<!what )you|(?<!have )(?<!has )(?<!had )(?<!amount )(?<!due )to|(?<!the )(?:first|next),?)\s+)"
    + _VERB,
    re.I,
)
_NEED = re.compile(r"\bneeds? to " + _VERB, re.I)
_WHERE_TO = re.compile(
    r"\s*(?:whats?|what's|what is|which)\b[^.?!]*\b(?:add?ress|e-?mail|phone|telephone|mobile|fax|extension)\b",
    re.I,
)
_FRONTED = re.compile(r"\s*(?:if|once|after|before|as|for|in|with|from|using|should)\b", re.I)
_AFTERWARDS = re.compile(
    r"(?<!\bthe )(?<!\ba )(?<!\ban )(?<!\bwho )(?<!\bthat )(?<!\bwhich )(?<!\bof )(?<!\bon )(?<!\bthey )(?<!\bwe )\b"
    + _VERB
    + r"(?= (?:an?|the|it|them|this|that|me|him|her|us|my|our|your|his|its|their)\b)",
    re.I,
)
_KEPT = 2000  # characters of a task that is read once for all its steps
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
RUNS = frozenset(("run", "execute", "start", "call", "fetch", "download", "request"))  # a reading tool may as well
_QUESTION = re.compile(
    r"\s*(?:(?:in|on|at|for|from|to|by|of|with|since|until)\s+(?=wh|how))?"
    r"(?:whats?|which|who|whos|whom|whose|when|wheres?|why|hows?|is|are|was|were|do(?! me\b)|"
    r"does|did|has|have(?! a (?:look|peek|go|glance|read)\b)|had)\b",
    re.I,
)
_PLAIN = re.compile(
    r"\s*(?:whats?|what's|which|who|who's|whom|whose|when|where|how (?:many|much|long|often|old|far|high|large)|"
    r"is|are|was|were|does|did|(?:do|have) (?:i|we|they))\b[^,;:()\n]{1,300}\?\s*",
    re.I,
)
_ASIDE = re.compile(
    r"\s*(?:(?:i|we)(?:'d| would)?(?: just| only)? (?:need|want|have|like) to know"
    r"(?: (?:how|whether|if|who|whom|when|where|which|what|why)\b(?: [\w'/.]{1,30}){0,5})?(?:,\s*|[.!]\s*|$))?"
    r"(?:(?:it'?s|it is|they'?re|they are|that'?s|that is) (?:all )?(?:in|on|at|under) \S+\s*)?",
    re.I,
)  # what is said beside a question, and orders nothing
_WISH = re.compile(r"\s*(?:i|we)\b.*? to know\b", re.I)
_MORE = re.compile(r"\b(?:and|then|or|so|please|can|could|would|should|about|not|mind|want|for me)\b|n't\b", re.I)


def sentences(task: str) -> list[str]:
    """The sentences of a task, and its lines."""
    return _SENTENCE.split(task)


def reckons(task: str) -> bool:
    """Whether a task asks to count, compare or calculate: a passage that was looked up cannot answer it by itself.

    "How many" counts where the task says what to count in; else, and of a limit that settings have, it may well be
    written somewhere.
    """
    stands = _MEASURE.search(task) is not None and _ADDS_UP.search(task) is None
    if _SETTINGS.search(task) and _LIMITS.search(task) and not _PLACE.search(_SETTINGS.sub("", task)):
        stands = True
    counts = _COUNTS.search(task) is not None and _PLACE.search(task) is not None and not stands
    return counts or _RECKONS.search(task) is not None or given(task)


def acts(task: str) -> bool:
    """Whether a task asks to change, send or run something: no answer does that by itself. Told by English words."""
    return bool(orders(task))


def orders(task: str) -> frozenset[str]:
    """The verbs by which a task asks to act, outside of its plain questions."""
    return _known_orders(task) if len(task) <= _KEPT else _known_orders.__wrapped__(task)


@lru_cache(maxsize=1024)
def _known_orders(task: str) -> frozenset[str]:
    said = sentences(task)
    whom = max((n for n, one in enumerate(said) if _WHERE_TO.match(one)), default=0)  # Mail to Ann. Which address?
    told = [_NEED.sub("", one) if n < whom else one for n, one in enumerate(said) if not _QUESTION.match(one)]
    found = {match["verb"].casefold() for one in told for rule in _rules(one) for match in rule.finditer(one)}
    asked = [one[:_KEPT] for one in said if _QUESTION.match(one) and not _WOULD.search(one[:_KEPT])]
    found |= {match["verb"].casefold() for one in asked for match in _BESIDE.finditer(one)}
    into = (one[:_KEPT] for one in told if not _ASKS.search(one) and _INTO.search(one[:_KEPT]))
    return frozenset(found or {"write" for one in into if not _SAYS.search(one)})


def _rules(sentence: str) -> tuple[re.Pattern[str], ...]:
    return (_ACTS, _AFTERWARDS) if _FRONTED.match(sentence) else (_ACTS,)


def questions(task: str) -> str:
    """Its sentences that are questions; empty if there is none."""
    return " ".join(one for one in sentences(task) if one.rstrip().endswith("?"))


def only_ranks(task: str) -> bool:
    """Whether a task that reckons asks for no more than the first or the last of what stands in an order."""
    return reckons(task) and not reckons(_RANK.sub("", task))


def only_asks(task: str) -> bool:
    """Whether a task is a plain question, in English or with a question mark, that asks to change nothing."""
    question = task.rstrip().endswith(("?", "？", "؟")) or _QUESTION.match(task) is not None
    return question and not acts(task)


def nothing_but_asks(task: str) -> bool:
    """Whether a task is plain questions of one clause, and says beside them no more than where it stands, or that one
    needs to know: "Where is it kept, and mail it to Bob?" and "Could you put it down?" are none. Or it asks in English,
    and nowhere is a word for anything that could be done.
    """
    if len(task) <= PASTED and asks_alone(task, sentences(task)) and not acts(task):
        return True
    said = [one for line in task.splitlines() for one in sentences(line) if one.strip()]
    asked = [one for one in said if _PLAIN.fullmatch(one) and not _MORE.search(one)]
    beside = [one for one in said if _ASIDE.fullmatch(one) and not _MORE.search(_WISH.sub("", one))]
    return bool(asked) and len(asked) + len(beside) == len(said) and not acts(task)


def given(task: str) -> bool:
    """Whether a task may hold all that it asks to calculate with: two amounts or more, and no place to look one up."""
    if len(task) > PASTED or _PLACE.search(task) or _LOOKED_UP.search(task) or orders(task):
        return False
    return (
        len(_GIVEN.findall(task)) > 1
        and _HOW_MUCH.search(task) is not None
        and (_OF_GIVEN.search(task) is not None or bool(amounts(task)))
    )


def amounts(task: str) -> list[str]:
    """The amounts of the question of a task that says others before it, and asks how much comes of these: 147, in "How
    many grams are needed for 147 rolls?". None of any other task.
    """
    asked = [one for one in sentences(task) if one.rstrip().endswith("?")]
    told = [one for one in sentences(task) if one not in asked]
    if (
        len(asked) != 1
        or not _MUCH.search(asked[0])
        or several(task)
        or sum(len(_GIVEN.findall(one)) for one in told) < 2
    ):
        return []
    found = [_FIGURES.search(said) for said in _GIVEN.findall(asked[0]) if "%" not in said]
    return list(dict.fromkeys(match[0] for match in found if match and match[0] != "1"))


def rated(task: str) -> list[str]:
    """How many there are of what a task says a price or a rate is for: 13, in "7 books 13 days late, a fee per day"."""
    units = {next(filter(None, match.groups())).casefold().removesuffix("s") for match in _RATE.finditer(task)}
    if not _PRICE.search(task) or len(task) > PASTED:
        return []
    counts = dict[str, list[str]]()
    for match in _COUNTED.finditer(task):
        if (unit := match[2].casefold().removesuffix("s")) in units and match[1] != "1":
            counts.setdefault(unit, []).append(match[1])
    return [of[0] for of in counts.values() if len(set(of)) == 1]


def all_told(task: str) -> bool:
    """Whether a task surely says itself all that it asks to calculate with: it supposes something, says two amounts of
    what it asks how many are left of, or when something begins and how long it takes, and asks for its end.
    """
    if supposes(task) or not given(task):
        return supposes(task)
    if _FROM_THEN_ON.search(task) and _FOR_SO_LONG.search(task):
        return True
    asked = _HOW_MANY.search(questions(task))
    told = [thing[:_STEM].casefold() for thing in _AMOUNT_OF.findall(task)]
    return asked is not None and _LEFT.search(task) is not None and told.count(asked[1][:_STEM].casefold()) > 1


def supposes(task: str) -> bool:
    """Whether a task makes up the case that it asks about, with its amounts: nothing of it stands anywhere."""
    return _SUPPOSES.match(task) is not None and len(_COINS.findall(task)) > 1


def apart(task: str) -> bool:
    """Whether a task asks how far two values are apart."""
    return _APART.search(task) is not None


def several(task: str) -> list[str]:
    """How many of each there are, where a task asks what several things cost; how long they are had is none alone."""
    return [count for count, _ in several_things(task)]


def several_things(task: str) -> list[tuple[str, str]]:
    """How many of each there are, as `several` has it, and what they are: 17 and "children"."""
    found = list(_SEVERAL.finditer(task)) if _PRICE.search(task) else []
    things = [match for match in found if not match["unit"]]
    if not things or (len(found) == 1 and not found[0]["buys"]):
        return []
    return [(match["count"], _NO_THING.split(task[match.end("count") :], maxsplit=1)[0].strip()) for match in found]
