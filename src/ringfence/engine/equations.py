"""Sums that a text works out in its own words, `2 * 11 * 22 = 532`, with what they come to. Pure.

A small model writes down the number that it guessed before it called the calculator, though the result stands above.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_TERM, _SIGN = rf"\({{0,4}}{_NUMBER}\){{0,4}}", r"(?:\s{0,3}[*×·+]\s{0,3}|\s{1,3}[-/]\s{1,3})"
_SIDE = rf"{_TERM}(?:{_SIGN}{_TERM}){{1,12}}"
_OF = r"\s[a-zäöü]{2,15}(?:/[a-zäöü]{1,15})?"  # 11 nights, 22 euros/night
_PRODUCT = (
    rf"{_NUMBER}(?:{_OF})?(?:\s{{0,3}}[*×·]\s{{0,3}}{_NUMBER}(?:{_OF})?){{1,12}}"  # of what is added, units may differ
)
_EQUATION = re.compile(  # that stands alone, and whose result is a bare number or an amount of money
    rf"(?P<first>{_SIDE}|{_PRODUCT})(?P<more>(?:\s{{0,3}}=\s{{0,3}}{_SIDE}){{0,3}})"
    rf"(?P<is>\s{{0,3}}=\s{{0,3}}[€$£]?\s?)(?P<said>{_NUMBER})"
    r"(?=\s?(?:[€$£]|(?:euros?|eur|dollars?|usd|pounds?|gbp|francs?|chf)\b)|"
    r"[.,;)]{0,3}\s{0,3}(?:\Z|\n)|[.;)] |, (?!\d))",
    re.I,
)
_BEFORE = re.compile(  # what may stand before it: nothing, a colon, or a word that does not reckon, round or quote
    r"(?:\A|\n|: |(?<!\w)(?!(?:mod|log|ln|lg|sqrt|root|sin|cos|tan|div|plus|minus|times|twice|half|double|triple|of|by|"
    r"over|and|per ?cent|squared|mal|durch|und|von|that|told|said|says?|claim(?:s|ed)?|about|roughly|nearly|"
    r"from|pages?|hex)\b)[^\W\d_]{2,} )\Z",
    re.I,
)
_ALL = re.compile(r"(?:\A|\n|\b(?:total|cost|costs|price|sum|in all): )\Z", re.I)  # before a product with its units
_ENDS = re.compile(r"\s?(?:[€$£]|[^\W\d_]{2,10}\b)?\s*(?:[.;)\n]|\Z)")  # behind what it comes to
_ALONE = re.compile(r"(?:\A|\n|: )\Z")
_MOST = 10**15  # what is worked out here
_LOOK = 40  # characters before it, that are looked at
_POINTS = re.compile(r"\.\d{3}(?!\d)")  # may be of thousands
_OF_ANOTHER_UNIT = frozenset(  # how many of one make another: 30 + 30 = 1 for minutes, 50 + 50 for cents
    Fraction(n) for n in (7, 10, 12, 24, 30, 60, 100, 365, 1_000, 1_024, 3_600, 1_000_000)
)
_OPERATORS = str.maketrans({"×": "*", "·": "*"})


def corrected(text: str, shown: str = "", *, alone: bool = False) -> str:
    """The text with what its sums come to; those that `shown` has as well are quoted, and stay.

    `alone`: only those that begin a line or stand behind a colon; another one may be somebody's words.
    """
    parts, at = list[str](), 0
    for match, right in _wrong(text, shown):
        if alone and not _ALONE.search(text[max(match.start() - _LOOK, 0) : match.start()]):
            continue
        parts += [text[at : match.start()], f"{match['first']}{match['is']}{right}"]
        at = match.end()
    return "".join([*parts, text[at:]])


def amiss(text: str, shown: str = "") -> str:
    """The first sum of a text that comes to another number, in words for the model; empty if there is none."""
    return next((f"{match['first']} is {right}, and not {match['said']}." for match, right in _wrong(text, shown)), "")


def worked_out(text: str) -> set[str]:
    """The numbers that a text says its sums come to, and that they do."""
    return {match["said"] for match, right in _sums(text) if not right}


def _wrong(text: str, shown: str) -> Iterator[tuple[re.Match[str], str]]:
    return ((match, right) for match, right in _sums(text) if right and match[0] not in shown)


def _sums(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The sums of a text, and what they come to where it says another number."""
    for match in _EQUATION.finditer(text):
        first, said = match["first"], Fraction(match["said"])
        before = text[max(match.start() - _LOOK, 0) : match.start()]
        if match.start() > _LOOK:
            before = f".{before}"
        if not _BEFORE.search(before) or _POINTS.search(match[0]):
            continue
        open_ = max(first.count("(") - first.count(")"), 0)  # the sum may stand between parentheses
        whole = _ALL.search(before) and _ENDS.match(text, match.end())
        if re.search(_OF, first) and not (whole and _cancels(first)):
            continue  # of another unit, or only a part of what was multiplied
        comes, least = value(re.sub(_OF, "", first[open_:])), Fraction(1, 10 ** len(match["said"].partition(".")[2]))
        if (
            comes is None
            or not 0 < comes < _MOST
            or not _OF_ANOTHER_UNIT.isdisjoint((comes / (said or 1), said / comes))
        ):
            continue  # 9 - 17 are opening hours
        if any(value(side) != comes for side in match["more"].split("=")[1:]):
            continue  # 5 * 3 = 15 + 4 = 19
        yield match, _written(comes) if abs(comes - said) >= least else ""  # else rounded, or cut


def _cancels(product: str) -> bool:
    """Whether what an amount is `per` is the unit of another factor: 11 nights at 22 euros/night."""
    units = [unit.strip().partition("/") for unit in re.findall(_OF, product)]
    of = {unit.removesuffix("s") for unit, _, _ in units}
    return all(per.removesuffix("s") in of for _, _, per in units if per)


def value(side: str) -> Fraction | None:
    """What numbers, the four signs and parentheses come to; None of anything else."""
    try:
        tree = ast.parse(side.translate(_OPERATORS).strip(), mode="eval")
        return _of(tree.body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def simplified(side: str) -> str:
    """The same without factors of 1 and terms of 0; empty for what is no such sum."""
    try:
        return ast.unparse(_Plainer().visit(ast.parse(side.strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


class _Plainer(ast.NodeTransformer):
    """Takes out what changes nothing."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = _constant(node.left), _constant(node.right)
        match node.op:
            case ast.Mult() if 0 in (left, right):
                return ast.Constant(0)
            case ast.Mult() | ast.Div() if right == 1:
                return node.left
            case ast.Mult() if left == 1:
                return node.right
            case ast.Add() | ast.Sub() if right == 0:
                return node.left
            case ast.Add() if left == 0:
                return node.right
        return node


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _of(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _of(left) + _of(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _of(left) - _of(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _of(left) * _of(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _of(left) / _of(right)
    raise ValueError(ast.dump(node))


def _written(value: Fraction) -> str:
    rounded = round(Decimal(value.numerator) / Decimal(value.denominator), 2)
    return f"{rounded.normalize():f}"
