"""`calc`: exact arithmetic on integers and fractions, from an expression parsed by Python's own grammar."""

from __future__ import annotations

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, DecimalException
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from ringfence.core.errors import ToolError
from ringfence.core.values import JSON

from .days import reckoned
from .plain import SHARE, plain
from .tool import Args, Tool, Use, define

MAX_CHARS = 500
MAX_BITS = 8_000  # of a numerator or denominator: about 2,400 digits
DIGITS = 15  # of a result that has no end
_ALONE = "write numbers and + - * / ( ) alone"
_CLOCK, _TIMES = re.compile(r"\d:\d\d"), "write times as 9:15 + 45 min, or 9:15 to 17:30, one of them at a time"
_LETTER = re.compile(r"(?<![\w.])[a-z](?![\w(.])")  # an unknown
WIDE = Context(prec=60)  # roots are rounded here, and said to be so

Number = int | Fraction
Value = Number | bool | list[Number]


class CalcArgs(Args):
    """Arguments of calc."""

    expression: Annotated[
        str, Field(description="arithmetic such as (12.5+3)*4, 15% of 240, sum(1,2,3), mean(4,8)", min_length=1)
    ]


def calc(use: Use) -> Tool:
    """The tool `calc`."""

    def run(args: CalcArgs) -> JSON:
        return calculate(args.expression)

    summary = (
        "Exact arithmetic: + - * / // % **, percent, sum, mean, median, min, max, round, sqrt. Use it for any sum."
    )
    words = r"\b(add|plus|minus|subtract|multiply|times|divided?|difference between)\b"
    return define("calc", summary, CalcArgs, run, use=use, grounded=frozenset({"expression"}), suits=words)


def calculate(expression: str) -> dict[str, JSON]:
    """`{"result": "36"}`; with `exact` (a fraction) where the decimals have no end, and a `note` where it was rounded,
    a percentage was taken of something, or a number may be read otherwise. Two dates give days, a date and days a
    date. Raises ToolError.
    """
    if len(expression) > MAX_CHARS:
        raise ToolError(
            f"the expression has {len(expression)} characters, more than {MAX_CHARS}", todo="calculate in parts"
        )
    try:
        return _calculated(expression)
    except ToolError:
        if (solved := _solved(expression)) is None:
            raise
        return solved


def _solved(expression: str) -> dict[str, JSON] | None:
    """What the one letter of an expression is, where that is 0, or both sides of `=` are the same: asked after how many
    months 246 euros a month are 13,850, a model writes 13850 - 246 * x. None for what is not linear.
    """
    letters, sides = set(_LETTER.findall(expression)), expression.split("=")
    if len(letters) != 1 or len(sides) > 2:
        return None
    (letter,) = letters
    at = list[Fraction]()
    try:
        for value in (0, 1, 2):
            texts = (re.sub(rf"(?<![\w.]){letter}(?![\w(.])", f"({value})", side) for side in sides)
            numbers = [Fraction(found.get("exact") or str(found["result"])) for found in map(_calculated, texts)]
            at.append(numbers[0] - (numbers[1] if len(numbers) > 1 else 0))
    except (ToolError, ValueError):
        return None
    slope = at[1] - at[0]
    bare = len(sides) == 1 and abs(slope) == 1  # of `x + 1` nobody asks when it is 0
    if bare or not slope or at[2] - at[1] != slope:
        return None
    note = f"{letter}, where {sides[0].strip()} is {sides[1].strip() if len(sides) > 1 else 0}"
    return _result(-at[0] / slope, exact=True, notes=[note])


def _calculated(expression: str) -> dict[str, JSON]:
    found, undated, apart = reckoned(expression)
    if found:
        return found
    source, read = plain(undated)
    try:
        work = _Work(source)
        value = work.value(ast.parse(source, mode="eval").body)
        return _result(value, exact=work.exact, notes=[*apart, *read, *work.notes])
    except ZeroDivisionError:
        raise ToolError("division by zero") from None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ToolError(
            f"cannot read {expression!r} as arithmetic", todo=_TIMES if _CLOCK.search(expression) else _ALONE
        ) from None


def _result(value: Value, *, exact: bool, notes: Sequence[str]) -> dict[str, JSON]:
    if isinstance(value, list):
        raise ToolError("the result is a list", todo="use sum, mean, min or max of it")
    note = "; ".join([*notes, *([] if exact else ["rounded"])])
    told: dict[str, JSON] = {"note": note} if note else {}
    if isinstance(value, bool):
        return {"result": "true" if value else "false", **told}
    text, whole = readable(value)
    fraction: dict[str, JSON] = {} if whole or not exact else {"exact": f"{value.numerator}/{value.denominator}"}
    return {"result": text, **fraction, **told}


def readable(value: Number) -> tuple[str, bool]:
    """A number as decimal text, and whether nothing was rounded away."""
    if isinstance(value, int) or value.denominator == 1:
        return str(int(value)), True
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest == 1 and max(twos, fives) <= 40:
        places = max(twos, fives)
        digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}", True
    quotient = Context(prec=DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    text = format(quotient, "f") if -10 < quotient.adjusted() < 21 else format(quotient, "e")
    return text, False


def _flat(values: Sequence[Value]) -> list[Number]:
    flat: list[Number] = []
    for value in values:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    return flat


def _mean(values: list[Number]) -> Number:
    return Fraction(sum(values), len(values))


def _abs(value: Number) -> Number:
    return -value if value < 0 else value


def _median(values: list[Number]) -> Number:
    return statistics.median(Fraction(value) for value in values)


_MANY: dict[str, Callable[[list[Number]], Number]] = {
    "sum": sum, "min": min, "max": max, "mean": _mean, "avg": _mean, "average": _mean, "median": _median,
    "count": len, "len": len,
}  # fmt: skip
_ONE: dict[str, Callable[[Number], Number]] = {"abs": _abs, "floor": math.floor, "ceil": math.ceil, "int": int}
_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Number, Number], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_NAMES = ", ".join(sorted({*_MANY, *_ONE, "round", "sqrt", "pow"} - {"len", "average"}))


class _Work:
    """One evaluation. `exact` turns False when a root had to be rounded; `notes`: of what a percentage was taken, and
    which half was rounded."""

    __slots__ = ("exact", "notes", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.exact = True
        self.notes: list[str] = []

    def value(self, node: ast.expr) -> Value:
        """The value of any node of the allowed kinds; raises ToolError for the others."""
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Call() as right) if _is_share(
                right
            ) and not _is_share(left):
                return self._changed(op, self.number(left), self.number(right))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op, self.number(left), self.number(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare(left, ops, others)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name.lower(), args)
            case ast.Call(func=ast.Constant() | ast.BinOp()):
                raise ToolError("no sign stands before a bracket", todo="write * there: 2*(3+4)")
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return _flat([self.value(item) for item in items])
            case ast.Name(id=name):
                raise ToolError(f"{name!r} is not a number", todo=f"write numbers; the functions are {_NAMES}")
        raise ToolError(f"{ast.unparse(node)[:40]!r} is not arithmetic", todo=_ALONE)

    def number(self, node: ast.expr) -> Number:
        """The value of a node that has to be one number."""
        value = self.value(node)
        if isinstance(value, bool | list):
            raise ToolError(
                "a number was expected here, not a list or a comparison", todo="write numbers with points: 1234.5"
            )
        return value

    def _literal(self, node: ast.Constant) -> Number:
        if type(node.value) is int:
            return _bounded(node.value)
        if type(node.value) is not float:
            raise ToolError(f"{node.value!r} is not a number", todo="write numbers such as 12 or 3.5")
        text = self.source.encode()[
            node.col_offset : node.end_col_offset
        ].decode()  # 0.1 as written, not its nearest float
        if abs(Decimal(text).adjusted()) > 400:
            raise ToolError("a number is too large or too small", todo="use smaller numbers")
        value = Fraction(text)
        return int(value) if value.denominator == 1 else value

    def _binary(self, op: ast.operator, left: Number, right: Number) -> Number:
        if isinstance(op, ast.Div):
            return _bounded(Fraction(left) / right)
        if isinstance(op, ast.Pow):
            return self._power(left, right)
        if (function := _BINARY.get(type(op))) is None:
            raise ToolError("this operator is not arithmetic", todo="use + - * / // % ** and comparisons")
        return _bounded(function(left, right))

    def _changed(self, op: ast.operator, whole: Number, share: Number) -> Number:
        """`80 - 20%` is 64, as on any pocket calculator."""
        self.notes.append(f"{readable(share * 100)[0]}% of {readable(whole)[0]}")
        return self._binary(op, whole, self._binary(ast.Mult(), whole, share))

    def _power(self, base: Number, exponent: Number) -> Number:
        if exponent == Fraction(1, 2):
            return self._root(base)
        if int(exponent) != exponent:
            return self._wide_power(base, exponent)
        size, times = max(base.numerator.bit_length(), base.denominator.bit_length()), _abs(exponent)
        if times > MAX_BITS or (size > 1 and size * times > MAX_BITS):
            raise ToolError("the power is too large to calculate", todo="use a smaller exponent")
        result: Number = Fraction(base) ** int(exponent)  # of a whole power it is a fraction
        return result

    def _wide_power(self, base: Number, exponent: Number) -> Number:
        self.exact = False
        try:
            result = WIDE.power(_decimal(base), _decimal(exponent))
            if abs(result.adjusted()) * 4 < MAX_BITS:  # as a fraction it would have millions of digits
                return _bounded(Fraction(result))
            raise ToolError("the power is too large or too small to calculate", todo="use smaller numbers")
        except DecimalException:
            raise ToolError("a negative number has no such power, or it is too large") from None

    def _root(self, value: Number) -> Number:
        if value < 0:
            raise ToolError("a negative number has no square root")
        above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if above * above == value.numerator and below * below == value.denominator:
            return Fraction(above, below)
        self.exact = False
        return Fraction(WIDE.sqrt(_decimal(value)))

    def _rounded(self, value: Fraction, places: int) -> Number:
        """Halves go away from zero, as people and SQL round and bills are made out; Python's go to the even digit."""
        size = Fraction(10) ** places
        rounded = math.floor(abs(value) * size + Fraction(1, 2)) / size * (-1 if value < 0 else 1)
        if rounded != round(value, places):
            self.notes.append("a half is rounded away from zero")
        return rounded

    def _compare(self, left: ast.expr, ops: Sequence[ast.cmpop], others: Sequence[ast.expr]) -> bool:
        values = [self.number(node) for node in (left, *others)]
        if not all(type(op) in _COMPARE for op in ops):
            raise ToolError("this comparison is not arithmetic", todo="use == != < <= > >=")
        return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False))

    def _call(self, name: str, nodes: Sequence[ast.expr]) -> Number:
        values = _flat([self.value(node) for node in nodes])
        if not values or any(isinstance(value, bool) for value in values):
            raise ToolError(f"{name} needs numbers, such as {name}(1, 2)")
        if name == SHARE and len(values) == 1:
            return _bounded(Fraction(values[0]) / 100)
        if name in _MANY:
            return _bounded(_MANY[name](values))
        if name == "round" and len(values) <= 2:
            places = int(values[1]) if len(values) == 2 else 0
            if abs(places) > 100:
                raise ToolError("round takes at most 100 places")
            return self._rounded(Fraction(values[0]), places)
        if name == "pow" and len(values) == 2:
            return self._power(values[0], values[1])
        if len(values) == 1 and name == "sqrt":
            return self._root(values[0])
        if len(values) == 1 and name in _ONE:
            return _ONE[name](values[0])
        raise ToolError(f"there is no function {name} of {len(values)} numbers", todo=f"the functions are {_NAMES}")


def _is_share(node: ast.expr) -> bool:
    """Whether a value is a percentage, or made of them: to such a one another one is added as it is."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name == SHARE
        case ast.Constant(value=value):
            return value == 1  # 1 - 10% - 5%
        case ast.UnaryOp(operand=operand):
            return _is_share(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _is_share(left) and _is_share(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _is_share(left) or _is_share(right)
        case ast.BinOp(left=left, op=ast.Div()):
            return _is_share(left)
    return False


def _decimal(value: Number) -> Decimal:
    return WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))


def _bounded(value: Number) -> Number:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ToolError("the number is too large to calculate", todo="use smaller numbers")
    return value
