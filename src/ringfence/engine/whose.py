"""Whose value an answer gives. Pure: decided by the record.

A small model that has looked up one row answers with the value of another, which a sample showed at the beginning; and
of a list of extensions that has none of the desk it is asked for, it takes the first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .course import BESIDE, ELSEWHERE, UNSUPPORTED
from .evidence import Numbers, unsupported_numbers
from .facts import is_unit
from .headed import (
    SOME,
    entries_of,
    strange_cell,
    strange_entry,
    strange_heading,
    strange_label,
    strange_price,
    strange_row,
)
from .meant import never_named
from .nearest import answered, asked_and_brought, brought, come_to, opened, stems
from .task import PASTED, apart, questions, reckons
from .visits import TABLES, TELLS, hollow

_VALUE = re.compile(r"\b(?=\w*\d)(?:\w{2,}|\d(?=[.:-]\w))(?:[.:-]\w+)*")  # 171.0, D20, 2025-01-29
_DAY = re.compile(r"\d+[.-]\d+[.-]\d+")  # of many notations
_REACHED_AT = re.compile(r"\b(?:extension|(?:tele)?phone|mobile|fax|durchwahl|telefon\w*)\b(?! numbers? of\b)", re.I)
_ABOUT = re.compile(  # on the north weighbridge
    r"\b(?:of|for|on|at|to|from|in|into)\s+(?:the|an?|our|my|your)\s+(?:[^\W\d_]+[ -])?([^\W\d_]{4,})", re.I
)
BY_NAME = re.compile(
    r"(?<=\w )(?:of|with|for|from|by) ([A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)*)"
)  # with Grey Heron Pictures
_PRICED = re.compile(
    r"\bwhat (?:an? |the |our )?([^\W\d_]{4,}) costs?\b|"
    r"\b(?:costs?|prices?|fees?|charges?) (?:of|for) (?:an? |the |our )?([^\W\d_]{4,})\b|"
    r"\bhow much (?:is|are|does|do) (?:an? |the |our )?([^\W\d_]{4,})(?: costs?)?\b|"
    r"\b([^\W\d_]{4,}) (?:fee|charge|price|cost)s?\b|"
    r"\bcosts? to (?:rent|hire|borrow) (?:an? |the |our |one )(?:[^\W\d_]+ )?([^\W\d_]{4,})"
    r"(?= (?:for|per|on|at|in|from)\b|[?.,]|$)",
    re.I,
)
_NO_THINGS = frozenset(
    re.findall(
        r"\w+",
        "that this they them these those there what which unit total whole each every would current right highest"
        " lowest average mean more less regular normal usual full list unit old original special reduced retail final"
        " net gross purchase selling sale single basic",
    )
)
_WORD = re.compile(r"\w+")
_LINE_OF = re.compile(r"(\.\w{1,5}):\d+((?: \[[^\[\]]*\])?: )")  # of a file: where it stands is not what it says
_WHO = re.compile(
    r"\b(?:who|whose|which|what (?:is|was) the name|wer|welche[rs]?)\b(?!(?: \w+)? (?:id|number|no|code|key)\b)", re.I
)
_HOW_MANY = re.compile(
    r"\bhow many (?!(?:more|less|fewer|other|different|distinct|times|kinds|types|sorts|hl|kilos?|kg|lit(?:re|er)s?|"
    r"grams?|met(?:re|er)s?|km|miles?|seconds|minutes|hours|days|weeks|months|years|euros?|dollars|cents)\b)"
    r"(?P<things>(?:[^\W\d_]+ ){1,4})",
    re.I,
)
_THING = re.compile(  # panels, in: how many solar panels are
    r"\bhow many (?:[^\W\d_]+ ){0,2}?(?P<thing>[^\W\d_]{4,}) (?:are|is|were|was|did|does|do|has|have|had|can|in|on|at|"
    r"with|which|that|there|for|from|we|you|they|the)\b",
    re.I,
)
_ANY_THING = re.compile(
    r"rows?|lines?|entr(?:y|ies)|records?|times|files?|people|persons?|things?|items?|ones|others?|kinds?|types?|"
    r"different|distinct|of|more|cases?|(?:second|minute|hour|day|week|month|year)s?|euros?|kilos?",
    re.I,
)
_MOST_OFTEN = re.compile(r"\b(?:(?:most|more) (?:often|frequent|common)|the most\b|am häufigsten|am meisten)", re.I)
_FIGURE = re.compile(r"\d[\d.,]*")
_BARE = re.compile(r"\W*(?:there (?:are|were) )?(\d[\d.,]*)\b\D*", re.I)  # an answer of one number
_ASKS = re.compile(r"\b(?:how|which|what|who|whose|when|where|why)\b", re.I)
_ROWS = re.compile(r"(\d+) rows")
_LETTERS, _STEM = re.compile(r"[^\W\d_]+"), 5  # of a word; and letters by which two of them are the same
_AGGREGATED = re.compile(r"\b(?:count|sum|avg|min|max)\b", re.I)
_CONSTANT = re.compile(r"'([^']*)'|=\s*(\d+(?:\.\d+)?)\b")
_FILLS = frozenset(("yes", "no", "true", "false", "it", "is", "the"))
_KEYED = " is the key of a row of "
_Doubt = tuple[str, str]  # its kind, and words for the model
_NAMED = 4  # of them, that are told
_BEGINS = 4  # letters by which a thing is spoken of: parking in a car park
_PLACE, _WHOLE = 4, 2_000  # characters of the shortest name of a place, and of a result that is shown whole
_UNLESS = 'If nothing says it of what the task asks for, the answer is "not found".'


def strange(answer: str, turn: Turn, said: str = "") -> tuple[str, str]:
    """Why a value of an answer is of another thing than what was asked for: the kind of doubt, and words for the model.

    Both are empty where nothing speaks against it. `said`: what was said before the task.
    """
    if len(turn.start["task"]) > PASTED:
        return "", ""
    found = _of_no_call(answer, turn, said) or _of_a_list(answer, turn) or _of_a_passage(answer, turn)
    if not found and (why := strange_label(answer, turn)):
        found = UNSUPPORTED, f"{why} {_UNLESS}"
    besides = (strange_heading, strange_row, strange_price, strange_entry)
    if not found and (why := next(filter(None, (rule(answer, turn) for rule in besides)), "")):
        found = BESIDE, f"{why} {_UNLESS}"
    if not found and (why := strange_cell(answer, turn)):
        found = BESIDE, why
    found = found or _of_others(turn) or _of_a_key(answer, turn)
    found = found or _of_a_price(answer, turn) or _of_one_row(answer, turn)
    found = found or _of_the_question(answer, turn) or _of_nothing(answer, turn) or _of_no_thing(answer, turn)
    return found or _of_a_rarer_one(answer, turn) or ("", "")


def _of_no_call(answer: str, turn: Turn, said: str) -> _Doubt | None:
    """A number that only what opened the run shows, where the model's own calls have found something.

    A small model has the title with the most loans, and takes the days of a loan for how many; it has looked up one
    batch, and answers with the litres of another. What a line says that is about the task may be meant, but no row.
    """
    found = brought(turn)
    if all(map(hollow, found)):
        return None
    told = _LINE_OF.sub(r"\1\2", " ".join((turn.start["task"], said, *map(str, asked_and_brought(turn)))))
    strays = [one for one in unsupported_numbers(answer, told) if not (_DAY.fullmatch(one) or _counts(found, one))]
    strays = [] if apart(turn.start["task"]) else strays  # how many more is worked out
    task, named = set(stems(turn.start["task"])), set(stems(_cells(found)))
    parts = [(str(one.get("path")).endswith(TABLES), str(one.get("text", "")).split("\n")) for one in opened(turn)]
    for stray in strays:
        having = [(table, set(stems(line))) for table, text in parts for line in text if Numbers(line).have(stray)]
        if having and all(named.isdisjoint(line) and (table or len(task & line) < TELLS) for table, line in having):
            why = f"{stray} is in no result of your calls: call for what is missing"
            if unsupported_numbers(_cells(found), turn.start["task"]):  # it may be one of those
                return UNSUPPORTED, f"{why}, or answer from them. {_UNLESS}"
            return ELSEWHERE, f"{why}."
    return None


def _counts(value: JSON | Sequence[JSON], figure: str) -> bool:
    """Whether a list has so many things, or a text so many lines: somebody may have counted them, or some of them."""
    if len(figure) > 1:
        return False
    if isinstance(value, Mapping):
        return any(_counts(one, figure) for one in value.values())
    if isinstance(value, str):
        return len(value.strip().split("\n")) >= int(figure)
    return isinstance(value, Sequence) and (len(value) >= int(figure) or any(_counts(one, figure) for one in value))


def _cells(found: Sequence[JSON]) -> str:
    """The values that results have, without what a table says of them."""
    return " ".join(str(one["rows"] if isinstance(one, Mapping) and "rows" in one else one) for one in found)


def _of_others(turn: Turn) -> _Doubt | None:
    """The thing that a task calls by a figure (line 82), where the calls have found others of its kind alone."""
    told = "\n".join(map(str, asked_and_brought(turn))).replace("\\n", "\n")  # lines of texts, in what they stand in
    name = never_named(turn.start["task"], told)
    figures = re.findall(r"\d+", name)
    if not name or any(re.search(rf"(?<!\d){figure}(?!\d)", told) for figure in figures):
        return None
    return BESIDE if _all_read(turn) else UNSUPPORTED, f"Your calls have found others, and nothing of {name}. {_UNLESS}"


def _of_a_key(answer: str, turn: Turn) -> _Doubt | None:
    """The key of a row and nothing else of it, as `sql.query` says, where the task asks who or which one it is."""
    last, said = next(reversed(brought(turn)), None), _words(answer)
    if not isinstance(last, Mapping) or not _WHO.search(turn.start["task"]):
        return None
    named, note = [row for row in _objects(last.get("named")) if len(row) > 1], str(last.get("note", ""))
    column = next(iter(named[0])) if named else note.partition(_KEYED)[0] if _KEYED in note else ""
    rows = [row for row in _objects(last.get("rows")) if set() < _words(str(row.get(column, ""))) <= said]
    others = " ".join(str(cell) for row in rows for name, cell in row.items() if name != column)
    if not rows or not said.isdisjoint(_words(others)):
        return None
    if not named:
        return ELSEWHERE, f"{note}. Ask for that name, and answer with it."
    keys = {str(row[column]) for row in rows}
    names = [", ".join(map(str, list(row.values())[1:])) for row in named if str(row.get(column)) in keys]
    if not names or not said.isdisjoint(_words(" ".join(names))):
        return None
    return BESIDE, f"The task asks for the name: {'; '.join(names)}."


def named_too(answer: str, turn: Turn) -> str:
    """The name of the key that an answer gives, where the task asks who or which it is and it says none; else empty."""
    last, said = next(reversed(brought(turn)), None), _words(answer)
    named = [row for row in _objects(last.get("named")) if len(row) > 1] if isinstance(last, Mapping) else []
    if len(named) != 1 or not _WHO.search(turn.start["task"]) or len(turn.start["task"]) > PASTED:
        return ""
    (key, name), *_ = (list(map(str, row.values()))[:2] for row in named)
    given = _words(key) <= said and said.isdisjoint(_words(name) - _words(turn.start["task"]))
    return f"{next(iter(named[0]))} {key}: {name}" if given else ""


def _of_a_price(answer: str, turn: Turn) -> _Doubt | None:
    """A number for what something costs of which nothing that was found says a word, by its first letters.

    Asked what parking costs, a small model gives what a locker takes.
    """
    task = turn.start["task"]
    things = {next(filter(None, match.groups())).casefold() for match in _PRICED.finditer(task)} - _NO_THINGS
    if not things or reckons(task) or not re.search(r"\d", answer):
        return None
    told = f"{brought(turn)}{opened(turn)}".casefold()
    if any(thing[:_BEGINS] in told for thing in things):
        return None
    return UNSUPPORTED, f"Nothing that was found speaks of {' or '.join(sorted(things))}. {_UNLESS}"


def _of_one_row(answer: str, turn: Turn) -> _Doubt | None:
    """The value of one row, where the task asks what several come to and the last call says what all of its rows do."""
    return (BESIDE, f"That is of one row. {whole}.") if (whole := of_all(answer, turn)) else None


def miscounted(answer: str, turn: Turn) -> str:
    """How many rows the last call has found, where the task asks how many there are and nothing else, and the answer is
    a number that stands nowhere: no value of a row, and no sum of them; else empty.
    """
    line, bare = rows_found(turn), _BARE.fullmatch(answer)
    alone = len(_ASKS.findall(turn.start["task"])) == 1
    if not line or not bare or not alone or Numbers(answer).have(line.split()[1]):
        return ""
    told = "\n".join((turn.start["task"], *map(str, asked_and_brought(turn))))
    return line if unsupported_numbers(bare[1], told) else ""


def rows_found(turn: Turn) -> str:
    """How many rows the last call has found, where the task asks how many of them there are; else empty.

    How many seats a row has stands in one of its columns.
    """
    last, asked = next(reversed(brought(turn)), None), _HOW_MANY.search(turn.start["task"])
    found = _ROWS.fullmatch(str(last.get("matched", ""))) if isinstance(last, Mapping) else None
    if not asked or not found or not isinstance(last, Mapping) or int(found[1]) < 2:
        return ""
    columns = [str(one) for one in last["columns"]] if isinstance(last.get("columns"), list) else []
    things = {word[:_STEM].casefold() for word in asked["things"].split()}
    amounts = any(things.issuperset(word[:_STEM].casefold() for word in _LETTERS.findall(one)) for one in columns)
    return "" if amounts or any(map(_AGGREGATED.search, columns)) else f"matched: {last['matched']}"


def of_all(answer: str, turn: Turn) -> str:
    """What all rows come to, where the answer to what they do is the value of one; else empty."""
    said = Numbers(answer)
    for line, cells, known in come_to(turn):
        if any(map(said.have, cells)) and not any(map(said.have, known)):
            return line
    return ""


def _of_the_question(answer: str, turn: Turn) -> _Doubt | None:
    """What the last call was given to find one row by, and nothing of that row: 178, of `no = 178` and `Galvin`.

    Only what the task itself does not say: Lumina, of two that it names, may be the answer.
    """
    calls = [(args, value) for call, args, value in answered(turn) if call >= 0]
    args, value = calls[-1] if calls else (None, None)
    rows = value.get("rows") if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], list | Mapping):
        return None
    cells = list(map(str, rows[0].values() if isinstance(rows[0], Mapping) else rows[0]))
    said, there = _words(answer) - _words(turn.start["task"]) - _FILLS, _words(" ".join(cells))
    asked = _words(" ".join(_constants(args)))
    if not there or said.isdisjoint(asked) or not said <= _words(str(args)) or not _words(answer).isdisjoint(there):
        return None
    return BESIDE, f'That is what the call looked for. It has found "{", ".join(cells)[:_WHOLE]}".'


def _constants(args: JSON) -> list[str]:
    """The constants of the statements of a call, by which it finds rows."""
    texts = [text for text in args.values() if isinstance(text, str) and " " in text] if isinstance(args, dict) else []
    return ["".join(found) for text in texts for found in _CONSTANT.findall(text)]


def _of_nothing(answer: str, turn: Turn) -> _Doubt | None:
    """A number, where the last call has worked one out over no rows: an average of nothing is not 0.00."""
    last = next(reversed(brought(turn)), None)
    if not isinstance(last, Mapping) or not last.get("rows") or not hollow(last) or not re.search(r"\d", answer):
        return None
    return (
        ELSEWHERE,
        f"The call has found nothing: {last.get('note') or 'no row is like that'}. Make it in another way.",
    )


def _of_no_thing(answer: str, turn: Turn) -> _Doubt | None:
    """A number of things of which no table and nothing else that was found says a word: asked how many panels a plant
    has, a small model counts the plant.
    """
    asked, found = _THING.search(turn.start["task"]), brought(turn)
    thing = asked["thing"].casefold() if asked else ""
    tables = found and all(isinstance(one, Mapping) and "rows" in one for one in found)
    if not thing or not tables or _ANY_THING.fullmatch(thing) or is_unit(thing) or len(_FIGURE.findall(answer)) != 1:
        return None
    calls = answered(turn)
    told = " ".join(f"{args} {value}" if call >= 0 else str(value) for call, args, value in calls).casefold()
    seen = any(call < 0 for call, *_ in calls)  # what tables there are
    if not seen or thing.removesuffix("s")[:_STEM] in told:
        return None
    return UNSUPPORTED, f"Nothing that was found speaks of {thing}. {_UNLESS}"


def _of_a_rarer_one(answer: str, turn: Turn) -> _Doubt | None:
    """Another value than the most frequent one that the last call has counted, where the task asks for that."""
    last = next(reversed(brought(turn)), None)
    top = last.get("top") if isinstance(last, Mapping) else None
    groups = top if isinstance(top, list) else []
    pairs = [(str(one[0]), one[1]) for one in groups if isinstance(one, list) and len(one) > 1]
    if len(pairs) < 2 or pairs[0][1] == pairs[1][1] or not _MOST_OFTEN.search(turn.start["task"]):
        return None
    (first, count), said = pairs[0], answer.casefold()
    if first.casefold() in said or not any(value.casefold() in said for value, _ in pairs[1:]):
        return None
    return BESIDE, f"The most frequent is {first}: {count}."


def _objects(value: JSON) -> list[Mapping[str, JSON]]:
    """The objects of a list; of anything else, which a tool may have put there, none."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _of_a_list(answer: str, turn: Turn) -> _Doubt | None:
    """A value of the one entry of a list none of whose entries the task names, where it asks how somebody is reached.

    A list that was read, by the one call that there was: one that was asked for by a condition has what it asked for.
    """
    task, results = turn.start["task"], brought(turn)
    if len(results) != 1 or not _REACHED_AT.search(task) or reckons(task):
        return None
    entries = entries_of(results[0])
    said = set(_VALUE.findall(answer))
    if len(entries) < SOME or sum(not said.isdisjoint(_VALUE.findall(line)) for _, line in entries) != 1:
        return None
    held = [{*stems(f"{label} {line}"), *_words(label)} for label, line in entries]
    often = Counter(word for words in held for word in words)
    telling = {word for word, count in often.items() if count * 2 <= len(held)}
    if not telling.isdisjoint({*stems(task), *_words(task)}):
        return None
    names = ", ".join(label[:40] for label, _ in entries[:_NAMED])
    why = f"The list is of {names}, and the task seems to ask for none of them. {_UNLESS}"
    return BESIDE if _all_read(turn) else UNSUPPORTED, why


def _of_a_passage(answer: str, turn: Turn) -> _Doubt | None:
    """A value of one passage alone, where the word of the task that tells most stands in another one alone.

    A small model that is asked for the fee of the weighbridge takes that of the storage, which stands beside it.
    """
    task, passages = turn.start["task"], opened(turn)
    if brought(turn) or reckons(task) or any("note" in one for one in passages):
        return None
    asked = questions(task) or task  # a greeting asks nothing
    texts = [f"{one.get('path', '')}\n{one.get('headings', '')}\n{one.get('text', '')}" for one in passages]
    held = [set(stems(text)) for text in texts]
    often = Counter(stem for words in held for stem in words)
    about = {stem: word for word in _ABOUT.findall(asked) if not is_unit(word) for stem in stems(word)}
    names = {stem: name for name in BY_NAME.findall(asked) for stem in stems(name) if often[stem]}
    words = {stem: f"the {word}" for stem, word in about.items()}
    tells = {stem: what for stem, what in (names or words).items() if often[stem] == 1}  # a name tells more
    for value in _VALUE.findall(answer):
        having = [n for n, text in enumerate(texts) if value in _VALUE.findall(text)]
        if len(having) == 1 and tells and not tells.keys() & held[having[0]]:
            return UNSUPPORTED, f"What says {value} says nothing of {next(iter(tells.values()))}. {_UNLESS}"
    return None


def _all_read(turn: Turn) -> bool:
    """Whether the calls have shown all of the places that they were given, each of which the task names."""
    calls = [(args, value) for call, args, value in answered(turn) if call >= 0]
    return all(
        isinstance(args, Mapping)
        and any(isinstance(one, str) and len(one) > _PLACE and one in turn.start["task"] for one in args.values())
        and len(str(value)) < _WHOLE
        and not (isinstance(value, Mapping) and "rows" in value)  # another condition may find more
        for args, value in calls
    )


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
