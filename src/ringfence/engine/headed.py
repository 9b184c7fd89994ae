"""Under which heading of a text a value stands, and in which entry of a list. Pure.

Asked for the mail address of one firm of a list, which has a telephone number alone, a small model takes that of the
firm above it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .evidence import Numbers
from .nearest import PROPER, brought, lines, opened, stems
from .ranked import as_lines, fields
from .task import only_ranks, questions, reckons
from .visits import TELLS
from .words import LEAVES_OUT

_HEADING = re.compile(r"(#{1,6})\s+(\S.{0,80}?)\s*#*")
_OF = re.compile(r"(?<=\w )(?:of|for) (?:the |our )?([A-ZÄÖÜ]\w+(?: [A-ZÄÖÜ]\w+)+)")
_FAX_NUMBER = re.compile(r"\bfax number\b", re.I)  # which is no number of anything else
_FAX, _OTHER_NUMBER = re.compile(r"fax", re.I), re.compile(r"\b(?:(?:tele)?phone|mobile|extension)\b", re.I)
_NONE = re.compile(r"\b(?:no|not|none|only|but)\b|n't\b", re.I)
_LABEL = re.compile(r"([^\W\d_][^:|;\n]{1,40}):\s+(\S.{2,80})")
_NUMBER_OF = re.compile(
    r"\b(?i:(?:tele)?phone number|(?:mobile|fax) number|extension|e-?mail(?: address)?) (?:of|for) (?:the |our )?"
    r"([A-ZÄÖÜ]\w+(?: [A-ZÄÖÜ]\w+)+)"
)
_COSTS = re.compile(r"\b(?:costs?|prices?|fees?|charges?|how much (?:is|are))\b", re.I)
_PRICED = re.compile(r"(?P<label>[^\W\d][^|]{2,60}?) \| (?P<price>[^|\w]{0,3}\d[\d.,]*(?: ?(?:€|[^\W\d]{2,8}))?)")
_WORD, _BEGINS = re.compile(r"[^\W\d_]{3,}"), 4
_HOW_MANY = re.compile(r"\bhow (?:many|much)\b", re.I)
_READ, _FEW = 400, 5  # characters and values of an answer
_VALUE = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{0,64}\w|\b(?=\w*\d)[\w]{2,}(?:[.:/-]\w+)*")
_LABELLED = re.compile(
    r"\W*([^\W\d][^\d:|;,]{2,60}?)(?:\s*[:|;,-]\s*(?:[^\W\d]{1,12}\.?:?\s+)?|\s+)(\d[\d\s/+-]{0,30})\W*"
)
SOME, _MOST = 3, 200  # entries that make a list, and that are looked at
_LEAST = 2  # words of a heading, so that it is a name


def strange_heading(answer: str, turn: Turn) -> str:
    """What is wrong with a value that stands under another heading than the one that the task names; else empty."""
    task = str(turn.start["task"])
    values = _values(answer, task)
    if not values or reckons(task):
        return ""
    asked, told = set(stems(task)), list(_told(turn))
    heads = {under[-1] for under, _ in told if under}  # and no title above them
    named = {head for head in heads if (own := set(stems(head))) and own <= asked and _is_name(head, own, task)}
    if len(named) != 1 or len(heads) < SOME:
        return ""
    (name,) = named
    own = set(stems(name))
    if any(len(under) > 1 and name == under[-2] for under, _ in told):  # it has subheadings
        return ""
    places = {value: [(under, line) for under, line in told if _has(line, value)] for value in values}
    value, there = min(places.items(), key=lambda one: (not one[1], len(one[1])))
    strays = [under[-1] for under, line in there if under and name not in under and own.isdisjoint(stems(line))]
    if not there or len(strays) < len(there) or any(not asked.isdisjoint(stems(head)) for head in strays):
        return ""
    return f"{value} stands under {strays[0]!r}, and the task asks for {name!r}."


def strange_label(answer: str, turn: Turn) -> str:
    """What is wrong with a value that stands behind another label alone, `Phone: 0555 157`, where the task asks for a
    fax number and nothing that was found speaks of one; else empty.
    """
    task, texts = str(turn.start["task"]), list(_texts(turn))
    asking = questions(task) or task
    if not _FAX_NUMBER.search(asking) or _OTHER_NUMBER.search(f"{asking} {answer}") or _NONE.search(answer):
        return ""
    if reckons(task) or any(map(_FAX.search, texts)):
        return ""
    found = (_LABEL.fullmatch(line.strip(" -*")) for text in texts for line in text.split("\n")[:_MOST])
    labels = {match[1]: match[0] for match in found if match and _says(answer, match[2])}
    if not labels or any(not set(stems(asking)).isdisjoint(stems(label)) for label in labels):
        return ""
    return f'That is "{next(iter(labels.values()))}", and nothing that was found speaks of a fax.'


def _is_name(head: str, own: Collection[str], task: str) -> bool:
    """Whether a heading is called so in a task: by words enough, or by one that is written as a name there."""
    written = re.search(rf"\b(?:of|for|in|at) (?:the )?{re.escape(head)}\b", task) is not None and head[0].isupper()
    return len(own) >= _LEAST or written


def strange_row(answer: str, turn: Turn) -> str:
    """What is wrong with a value that one row of a table in a text has, where the task asks it of somebody of no row
    there, by a name like that of the row: the last inspection of North Gate for that of Station Road; else empty.
    """
    task = str(turn.start["task"])
    values, asked = _values(answer, task), set(stems(task))
    named = [name for of in _OF.findall(task) if (name := PROPER.match(of)) and name[0] == of]
    if not values or not named or (reckons(task) and not only_ranks(task)):
        return ""
    for text in _texts(turn):
        gone = [name[0] for name in named if name[0] not in text]
        rows = [row for row in map(_row, text.split("\n")[:_MOST]) if row] if gone else []
        having = [label for label, line in rows if any(_has(line, value) for value in values)]
        own = having[0] if len(having) == 1 else ""
        alike = PROPER.fullmatch(own) is not None and asked.isdisjoint(stems(own))
        if len(rows) >= SOME and alike and own.casefold() not in answer.casefold():
            return f"{values[0]} is of {own!r}, and the task asks for {gone[0]!r}, which is not there."
    return ""


def strange_entry(answer: str, turn: Turn) -> str:
    """What is wrong with a number or an address that another entry of a list has, where the task asks for that of
    somebody whose own entry there has none and speaks of no other one: the phone of the plotter's firm for that of the
    guillotine's; else empty.
    """
    task = str(turn.start["task"])
    named = _NUMBER_OF.findall(task) if not (reckons(task) or _NONE.search(answer)) else []
    for text in _texts(turn) if len(named) == 1 else ():
        rows = [row[1] for row in map(_row, text.split("\n")[:_MOST]) if row]
        own = [line for line in rows if named[0].casefold() in line.casefold()]
        strays = [value for value in _values(answer, task) if len(own) == 1 and not _has(own[0], value)]
        having = [line for line in text.split("\n") if strays and all(_has(line, value) for value in strays)]
        if len(having) == 1 and having[0] in rows and not _speaks_of(own[0], having[0]):
            return f'{strays[0]} is of "{having[0].strip()}", and of {named[0]} it says "{own[0].strip()}".'
    return ""


def _speaks_of(own: str, other: str) -> bool:
    """Whether an entry has a word of what another one is of: booked through the front desk."""
    of = {word.casefold() for word in _WORD.findall(other.partition(",")[0])}
    return not of.isdisjoint(word.casefold() for word in _WORD.findall(own))


def strange_price(answer: str, turn: Turn) -> str:
    """What is wrong with the price of one row of a price list, none of whose rows has a word of what the task asks the
    price of, by its first letters: the binding of a thesis, for the printing of a T-shirt; else empty.
    """
    task = str(turn.start["task"])
    asking, values = questions(task) or task, _values(answer, task)
    if len(values) != 1 or not _COSTS.search(asking) or reckons(task):
        return ""
    asked = {word[:_BEGINS].casefold() for word in _WORD.findall(task)}
    for text in _texts(turn):
        priced = [found for line in text.split("\n")[:_MOST] if (found := _PRICED.fullmatch(line.strip(" -")))]
        having = [found for found in priced if _has(found["price"], values[0])]
        labels = " ".join(found["label"] for found in priced)
        strange = asked.isdisjoint(word[:_BEGINS].casefold() for word in _WORD.findall(labels))
        if len(priced) >= SOME and len(having) == 1 and strange:
            return f'{values[0]} is the price of "{having[0]["label"]}", and nothing there is called as in the task.'
    return ""


def strange_cell(answer: str, turn: Turn) -> str:
    """What is wrong with a cell of the row that a task is about, where it names another one: that of `Key: Ann` for the
    spare key, in `- Door: the shop; Key: Ann; Spare key: Bob`; else empty.
    """
    task = str(turn.start["task"])
    asked = set() if LEAVES_OUT.search(task) else set(stems(task))
    asking = asked.intersection(stems(questions(task) or task))  # a sentence before it says what there is
    texts = (str(one.get("text", "")).split("\n") for one in opened(turn))
    told = [line for of in (*texts, *map(as_lines, brought(turn))) for line in islice(of, _MOST)]
    rows = list({tuple(row.items()): row for line in told if len(row := fields(line)) > 1}.values())
    about = [asked.intersection(stem for value in row.values() for stem in stems(value)) for row in rows]
    most = max(map(len, about), default=0)
    best = [row for row, of in zip(rows, about, strict=True) if len(of) == most > 0]
    called = [row for row in rows if any(_calls(task, name, of) for name, of in row.items())]
    counts = bool(asked and called) and _HOW_MANY.search(task) is not None  # how many are free on pontoon C
    best, most = (called, TELLS) if counts else (best, most)
    if len(best) != 1:
        return ""
    row = {name: value for name, value in best[0].items() if value.isdigit() or not counts}
    cells = [(name, value, asking.intersection(stems(name))) for name, value in row.items()]
    given = [cell for cell in cells if _says(answer, cell[1]) and not _says(task, cell[1])]
    least = 1 if most >= TELLS and given and not given[0][2] else TELLS
    asked_for = [cell for cell in cells if not _says(task, cell[1])]
    fits = max((len(cell[2]) for cell in asked_for), default=0)
    meant = [cell for cell in asked_for if len(cell[2]) == fits >= least]
    if len(given) != 1 or len(meant) != 1 or not given[0][2] < meant[0][2]:
        return ""
    (name, value, _), (other, right, _) = given[0], meant[0]
    return f'That is "{name}: {value}", and the task asks for another cell of that row: "{other}: {right}".'


def _calls(task: str, name: str, value: str) -> bool:
    """Whether a task calls a row by the field of it that tells it from others."""
    return re.search(rf"(?<!\w){re.escape(name)} {re.escape(value)}(?!\w)", task, re.I) is not None


def _says(text: str, value: str) -> bool:
    """Whether a text has a value, as it is or the figures in it."""
    figures = _VALUE.findall(value)
    said = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.I) is not None
    return said or (bool(figures) and all(_has(text, one) for one in figures))


def _values(answer: str, task: str) -> list[str]:
    """The values of an answer that its task does not say."""
    return [one for one in _VALUE.findall(answer[:_READ]) if one.casefold() not in task.casefold()][:_FEW]


def _row(line: str) -> tuple[str, str] | None:
    """The label of a row of a Markdown table or of a list, and the row; None of any other line."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.strip().startswith("|") else []
    label, colon, _ = line.strip().removeprefix("- ").partition(": ")
    label = cells[0] if len(cells) > 1 else label if colon and line.strip().startswith("- ") else ""
    return (label, line) if re.fullmatch(r"[^\W\d][^|:]{2,60}", label) else None


def _texts(turn: Turn) -> Iterator[str]:
    """The texts of passages and of results."""
    yield from (str(one.get("text", "")) for one in opened(turn))
    yield from ("\n".join(lines(value)) for value in brought(turn))


def _has(line: str, value: str) -> bool:
    return value in line or (value[0].isdigit() and Numbers(line).have(value))


def _told(turn: Turn) -> Iterator[tuple[tuple[str, ...], str]]:
    """The lines of passages and of results, each with the headings that it is under, the closest last."""
    for text in _texts(turn):
        under: list[tuple[int, str]] = []
        for line in text.split("\n")[:_MOST]:
            if found := _HEADING.fullmatch(line.strip()):
                under = [one for one in under if one[0] < len(found[1])] + [(len(found[1]), found[2])]
            elif line.strip():
                yield tuple(head for _, head in under), line


def entries_of(value: JSON) -> Sequence[tuple[str, str]]:
    """What a result lists, each entry by its label and its line: `Gatehouse: 272`, or the label in the line above."""
    if isinstance(value, Mapping) and "rows" in value:
        return []
    found, above, told = list[tuple[str, str, str]](), "", list(lines(value))[:_MOST]
    for line in told:
        shape = re.sub(r"\d+", "0", line)
        if "0" not in shape:
            above = line
        elif above:
            found.append((shape, above, line))
            above = ""
    kinds = Counter(shape for shape, *_ in found)
    alike = [(label, line) for shape, label, line in found if kinds[shape] >= SOME]
    return alike or [(match[1], line) for line in told if (match := _LABELLED.fullmatch(line))]
