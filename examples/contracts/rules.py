"""The rules of regulations/ held against what contracts say. Every flag cites the contract and the rule, word for word.

Limits are read from the text of the rules (`at most 90 days`): a regulation that is changed changes the flags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from clauses import Clause, Contract, read

_RULE = re.compile(r"^## (R-\d+) ([^\n]+)\n+(.+?)(?=\n\n## |\Z)", re.M | re.S)
_LIMIT = re.compile(r"\bat (most|least) (\d+(?:\.\d+)?) (?:months?|days?|percent)\b")
_KINDS = {  # the heading of a rule, in a word -> the kind of clause that it is about
    "term": "term", "notice": "notice", "renewal": "renewal", "payment": "payment", "liability": "liability",
    "delay": "penalty", "place": "place", "disputes": "court",
}  # fmt: skip
_SILENT = frozenset({"liability", "penalty", "place"})  # a contract that says nothing of these breaks the rule


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `most` and `least` are the limits that its text names; `quote` is its first sentence."""

    name: str
    kind: str
    document: str
    quote: str
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that a contract breaks, or that nobody can tell about without looking (`finding` begins with `unclear`).

    quote, page    what the contract says; of a contract that is silent, that nothing is agreed beside it
    quote_2, ...   a second sentence, where the rule takes two: the fee beside the cap
    """

    contract: str
    rule: str
    finding: str
    page: int
    quote: str
    rule_document: str
    rule_quote: str
    page_2: int | str = ""
    quote_2: str = ""


COLUMNS = tuple(field.name for field in fields(Flag))


def rules_of(folder: Path) -> list[Rule]:
    """The numbered rules of a folder, in order. Raises ValueError for a rule that is about nothing known."""
    found = []
    for path in sorted(folder.glob("*.md")):
        for name, heading, text in _RULE.findall(path.read_text("utf-8")):
            kind = next((kind for word, kind in _KINDS.items() if word in heading.lower()), "")
            if not kind:
                raise ValueError(f"{path.name}: {name} {heading} is about no clause that is known")
            limit = _LIMIT.search(text)
            bound = {limit[1]: float(limit[2])} if limit else {}
            quote = " ".join(text.split()).partition(". ")[0].rstrip(".") + "."
            found.append(Rule(name, kind, f"regulations/{path.name}", quote, bound.get("most"), bound.get("least")))
    return sorted(found, key=lambda rule: int(rule.name[2:]))


def contracts_of(folder: Path) -> list[Contract]:
    """Every contract of a folder, read."""
    return [read(path) for path in sorted(folder.glob("*.pdf"))]


def flags_of(contracts: Sequence[Contract], rules: Sequence[Rule]) -> list[Flag]:
    """Every flag, by contract and rule."""
    return [flag for contract in contracts for rule in rules for flag in _held(contract, rule)]


def _held(contract: Contract, rule: Rule) -> Iterator[Flag]:
    clause, whole = contract.found.get(rule.kind), contract.found.get("whole")
    if rule.kind in contract.unsure:
        for one in contract.unsure[rule.kind]:
            yield _flag(contract, rule, f"unclear: two sentences on {rule.kind} differ", one)
    elif clause is not None:
        fee = contract.found.get("fee") if clause.unit == "EUR a year" else None
        if why := _broken(clause, rule, fee):
            yield _flag(contract, rule, why, clause, fee)
    elif rule.kind in _SILENT and whole is not None:
        yield _flag(contract, rule, f"says nothing about {_about(rule.kind)}", whole)
    elif rule.kind != "renewal":  # what nobody agreed on does not renew itself
        yield _flag(contract, rule, f"unclear: no clause on {rule.kind} was found", whole)


def _broken(clause: Clause, rule: Rule, fee: Clause | None) -> str:
    """Why a clause breaks a rule, or ""."""
    value = clause.value
    if rule.kind == "liability":
        if value == "excluded":
            return "liability is excluded"
        if value == "unlimited" or not isinstance(value, float):
            return ""
        if clause.unit == "EUR a year":
            if fee is None or not isinstance(fee.value, float):
                return "unclear: the cap is in euros, and no fee was found"
            value = 100 * value / fee.value
        least = rule.least or 0.0
        return f"liability is {value:g} percent of the yearly fee, less than {least:g}" if value < least else ""
    if isinstance(value, float):
        if rule.most is not None and value > rule.most:
            return f"{_about(rule.kind)} is {value:g} {clause.unit}, more than {rule.most:g}"
        if rule.least is not None and value < rule.least:
            return f"{_about(rule.kind)} is {value:g} {clause.unit}, less than {rule.least:g}"
        return ""
    if rule.kind == "court":
        return "disputes are decided at the seat of the supplier" if value == "supplier" else ""
    return "personal data may leave the European Economic Area" if value == "outside" else ""


def _about(kind: str) -> str:
    return {"payment": "the time to pay", "place": "the place of the data", "penalty": "the penalty"}.get(kind, kind)


def _flag(contract: Contract, rule: Rule, finding: str, clause: Clause | None, other: Clause | None = None) -> Flag:
    page, quote = (clause.page, clause.quote) if clause is not None else (0, "")
    second = {"page_2": other.page, "quote_2": other.quote} if other is not None else {}
    return Flag(contract.name, rule.name, finding, page, quote, rule.document, rule.quote, **second)  # type: ignore[arg-type]


def row(flag: Flag) -> dict[str, object]:
    """A flag as a row of the table."""
    return asdict(flag)
