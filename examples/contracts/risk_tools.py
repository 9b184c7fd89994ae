"""The tools of the contracts agent: what the clauses say, which rules they break, and the table of it.

They read by rule, so that what they give is right whatever the model is; the model picks them and puts it into words.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Literal

from clauses import KINDS, Clause, read
from rules import COLUMNS, Flag, contracts_of, flags_of, row, rules_of

from ringfence import ToolError, tool

Kind = Literal["term", "notice", "renewal", "payment", "fee", "liability", "penalty", "place", "court"]


def _folder(name: str) -> Path:
    """The folder of the manifest's target_paths with that name."""
    for path in os.environ.get("RINGFENCE_PATHS", "").split(os.pathsep):
        if Path(path).name == name:
            return Path(path)
    raise ToolError(f"no folder {name} in target_paths", todo=f"add one that is called {name} to the manifest")


def _name(contract: str) -> str:
    """`C-7`, `c-07` and `C-07.pdf` are all C-07."""
    digits = "".join(filter(str.isdigit, contract))
    return f"C-{int(digits):02}" if digits else contract


@tool("read")
def contract_clauses(contract: str, kind: Kind | None = None) -> dict[str, object]:
    """What a contract says, with quotes: term, notice, renewal, payment, fee, liability, penalty, place, court or seat.

    contract  its name, such as C-07
    kind      only this kind of clause
    """
    path = _folder("contracts") / f"{_name(contract)}.pdf"
    if not path.is_file():
        raise ToolError(f"there is no contract {contract}", todo="name one such as C-07")
    found = read(path)
    kinds = [kind] if kind else [one for one in KINDS if one != "whole"]
    said: dict[str, object] = {}
    for one in kinds:
        if one in found.unsure:
            said[one] = [_shown(clause) for clause in found.unsure[one]]
        elif one in found.found:
            said[one] = _shown(found.found[one])
        else:
            said[one] = "no such clause was found"
    return {"contract": found.name, "document": f"contracts/{path.name}", **said}


def _shown(clause: Clause) -> dict[str, object]:
    value = f"{clause.value:,g}" if isinstance(clause.value, float) else clause.value
    return {"value": f"{value} {clause.unit}".strip(), "page": clause.page, "quote": clause.quote}


@tool("read")
def contract_flags(rule: str = "", contract: str = "") -> dict[str, object]:
    """Which contracts break which rules of the regulations, each with page, quote and the rule's own words.

    rule      only this rule, such as R-5; all if empty
    contract  only this contract, such as C-07; all if empty
    """
    flags = _flags()
    if rule:
        wanted = f"R-{''.join(filter(str.isdigit, rule))}"
        flags = [flag for flag in flags if flag.rule == wanted]
    if contract:
        flags = [flag for flag in flags if flag.contract == _name(contract)]
    names = list(dict.fromkeys(flag.contract for flag in flags))
    shown = [
        {"contract": f.contract, "rule": f.rule, "finding": f.finding, "page": f.page, "quote": f.quote} for f in flags
    ]
    if len(shown) > 12:  # all of them would fill the window of a small model
        by_rule: dict[str, list[str]] = {}
        for flag in sorted(flags, key=lambda flag: flag.rule):
            by_rule.setdefault(flag.rule, []).append(flag.contract)
        return {"flags": len(flags), "contracts": len(names), "by_rule": by_rule, "more": "name a rule or a contract"}
    return {"flags": len(flags), "contracts": names, "found": shown}


@tool("write", audience=["self"], idempotent=True)
def write_risk_table() -> dict[str, object]:
    """Write the risk table of all contracts, as out/risks.csv and out/risks.md, each flag with its page and quote."""
    flags, out = _flags(), _folder("out")
    (out / "risks.csv").write_text(as_csv(flags), "utf-8")
    (out / "risks.md").write_text(as_markdown(flags), "utf-8")
    unclear = sum(flag.finding.startswith("unclear") for flag in flags)
    return {"written": ["out/risks.csv", "out/risks.md"], "flags": len(flags), "for_a_person": unclear}


def _flags() -> list[Flag]:
    return flags_of(contracts_of(_folder("contracts")), rules_of(_folder("regulations")))


def as_csv(flags: list[Flag]) -> str:
    """The table, a flag a row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(flag) for flag in flags)
    return text.getvalue()


def as_markdown(flags: list[Flag]) -> str:
    """The table for people: quotes with document and page, the rule beside them."""
    lines = [
        "# Risks in the contracts",
        "",
        f"{len(flags)} flags in {len({flag.contract for flag in flags})} contracts.",
    ]
    lines += ["", "| contract | rule | finding | the contract says | the rule says |", "|---|---|---|---|---|"]
    for flag in flags:
        says = f'"{flag.quote}" (contracts/{flag.contract}.pdf, page {flag.page})' if flag.quote else "nothing"
        if flag.quote_2:
            says += f'; "{flag.quote_2}" (page {flag.page_2})'
        lines.append(
            f'| {flag.contract} | {flag.rule} | {flag.finding} | {says} | "{flag.rule_quote}" ({flag.rule_document}) |'
        )
    return "\n".join(lines) + "\n"
