"""The conditions of `csv.query`: where each is asked for, and why none is met."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from ringfence.core.errors import ToolError

from .cells import LITERAL, WORD, Op, typed
from .tabular import Placed, Table
from .tool import KNOWN_COLUMN, Args

EXTREMES = {"max": "max", "maximum": "max", "highest": "max", "min": "min", "minimum": "min", "lowest": "min"}
_NAME = re.compile(
    r"[^\W\d_][^\W\d_.'’-]*(?:[.'’-][^\W\d_]+)*\.?(?:,?\s+[^\W\d_][^\W\d_.'’-]*(?:[.'’-][^\W\d_]+)*\.?)+"
)
_BETWEEN = re.compile(r",?\s+")
_YES = frozenset(("yes", "y", "true", "t", "1", "x", "ja", "j", "oui", "si", "sí", "on", "\N{CHECK MARK}"))
_NO = frozenset(("no", "n", "false", "f", "0", "nein", "non", "off", ""))
_QUOTES = re.compile(r"(['\"\N{LEFT DOUBLE QUOTATION MARK}])(.+)['\"\N{RIGHT DOUBLE QUOTATION MARK}]")
_FLAGS = ("yes", "no", "true", "false", "open", "closed", "done", "ja", "nein", "none", "null", "nan")


class Condition(Args):
    """One condition; a row has to meet all of them."""

    column: Annotated[str, Field(description="a column name", json_schema_extra={**KNOWN_COLUMN, "x-any": "*"})]
    op: Annotated[Op, Field(description="how to compare")] = "="
    value: Annotated[str, Field(description="a number, a date such as 2025-01-31, or a text")]


def placed(table: Table, where: Sequence[Condition], *, rows: bool) -> tuple[list[Placed], str]:
    """The conditions, and a note. `rows`: rows are shown, and not counted or summed up.

    A name that stands nowhere in its column, and in one other alone, is asked for there: not where rows are counted or
    summed up, whose number would be of something else, nor where both columns hold the same names (payer and payee). Of
    `*` any column is its own: what stands in one alone is asked for there, and else it is no condition. A name whose
    words stand in another order (Anna Smith for `Smith, Anna`) is that one, if it is the only one.
    """
    found, told, columns = list[Placed](), list[str](), dict[int, set[str]]()

    def texts(place: int) -> set[str]:
        if place not in columns:
            columns[place] = {row[place].casefold() for row in table.rows}
        return columns[place]

    for given in where:
        one, why = _as_written(table, _none(table, given))
        told += [why] if why else []
        value, own = one.value.strip().casefold(), None if one.column.strip() == "*" else table.place(one.column)
        if own is None and one.op != "=":
            raise ToolError(f"* stands for a column with =, and not with {one.op}", todo="name the column")
        if own is not None and one.op in ("=", "!=") and (there := _turned(table, own, one.value)):
            told.append(f"{one.value} is {there} there")
            found.append((own, one.op, there))
            continue
        if own is not None:
            moves = one.op == "=" and rows and _is_name(one.value)
            if not moves or any(table.meets(row, (own, "=", one.value)) for row in table.rows):
                found.append((own, one.op, one.value))
                continue
        having = [n for n in range(len(table.columns)) if n != own and value in texts(n)]
        if len(having) == 1 and (own is None or texts(own).isdisjoint(texts(having[0]) - {""})):
            instead = "" if own is None else f", not in {table.columns[own]}"
            told.append(f"{one.value} stands in {table.columns[having[0]]}{instead}: asked for there")
            found.append((having[0], one.op, one.value))
        elif own is not None:
            found.append((own, one.op, one.value))
        else:
            told.append(f"{one.value} stands in {'several columns' if having else 'no column'}: not asked for")
    return found, "; ".join(told)


def _none(table: Table, one: Condition) -> Condition:
    """A condition for what is NULL as one for what is empty, where a column has empty cells and none that says so."""
    if one.value.strip().casefold() not in ("null", "none", "nan", "empty", "missing") or one.column.strip() == "*":
        return one
    cells = {row[table.place(one.column)].strip().casefold() for row in table.rows}
    return one.model_copy(update={"value": ""}) if "" in cells and one.value.strip().casefold() not in cells else one


def _as_written(table: Table, one: Condition) -> tuple[Condition, str]:
    """A condition with its value as the column has it: without quotation marks or the wildcards of another language,
    `yes` as its column says it; and a note. What a cell has itself is left as it is.
    """
    value = one.value.strip()
    if one.column.strip() == "*" or one.op not in ("=", "!=", "contains") or not value:
        return one, ""
    place = table.place(one.column)
    cells = {row[place].casefold() for row in table.rows}
    if value.casefold() in cells:
        literal = one.op != "contains" and value[0] in "<>"  # an age of `<18` that stands there, and no comparison
        return (one.model_copy(update={"value": f"{LITERAL}{value}"}), "") if literal else (one, "")
    if value.casefold() in ("not null", "not empty", "is not null") and one.op == "=":
        return one.model_copy(update={"op": "!=", "value": ""}), ""
    flags = next((kind for kind in (_YES, _NO) if value.casefold() in kind), None)
    if flags and one.op != "contains" and len(cells) < 3 and cells <= _YES | _NO and not cells <= flags:
        said = sorted(cells & flags)
        if len(said) == 1:
            return one.model_copy(update={"value": said[0]}), f"{value} is {said[0] or 'an empty cell'} there"
    if (quoted := _QUOTES.fullmatch(value)) and not any(value.casefold() in cell for cell in cells):
        return _as_written(table, one.model_copy(update={"value": quoted[2]}))[0], ""
    bare = value.strip("%*")
    if one.op == "!=" or bare == value or not bare.strip() or (value[-1:] == "%" and bare.replace(".", "").isdigit()):
        return one, ""
    if any(value.casefold() in cell for cell in cells):
        return one, ""
    return one.model_copy(update={"op": "contains", "value": bare}), f"{value} is asked for as what contains {bare}"


def _turned(table: Table, place: int, value: str) -> str:
    """The one value of a column that has a name's words in another order; "" if it has the name itself, or none."""
    bare = value.strip().casefold()
    words = sorted(_BETWEEN.split(bare))
    if len(words) < 2 or not _NAME.fullmatch(bare):
        return ""
    near = {row[place] for row in table.rows if abs(len(row[place]) - len(bare)) < 3}  # a comma more
    same = [cell for cell in near if sorted(_BETWEEN.split(cell.strip().casefold())) == words]
    return same[0] if len(same) == 1 and same[0].strip().casefold() != bare else ""


def _is_name(value: str) -> bool:
    """Whether a value can only be of one thing: no number, date, yes or no, and not empty."""
    bare = value.strip().casefold()
    return typed(value)[0] == WORD and len(bare) > 2 and bare not in (*EXTREMES, *_FLAGS)


def why_none(table: Table, conditions: Sequence[Placed]) -> str:
    """For a model that guessed: the condition that no row meets, and where its value stands or what its column has."""
    if not conditions:
        return "the table has no rows"
    alone = [c for c in conditions if not any(table.meets(row, c) for row in table.rows)]
    place, op, value = (alone or conditions)[0]
    which = f"no row has {table.columns[place]} {op} {value}" if alone else "no row meets all conditions"
    if alone and op == "=":
        others = (n for n in range(len(table.columns)) if n != place)
        if there := [table.columns[n] for n in others if any(table.meets(row, (n, "=", value)) for row in table.rows)]:
            return f"{which}; {value} stands in {', '.join(there)[:200]}"
    values = list(dict.fromkeys(row[place] for row in table.rows[:1_000]))[:8]
    between = "; " if any("," in value for value in values) else ", "
    return f"{which}; {table.columns[place]} has values such as {between.join(values)[:200]}"
