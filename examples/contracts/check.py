"""Hold the risk table against the contracts: `python check.py`. 0: every flag is right, every quote verbatim; 1: not.

Nothing of clauses.py or rules.py is used: the pages are read here anew. What is right is in truth.json, which was
written together with the contracts; for contracts of your own there is none, and the quotes alone are checked.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from pypdfium2 import PdfDocument

HERE = Path(__file__).parent


def pages(name: str) -> list[str]:
    """The text of each page, its white space made one blank: a line's end in a PDF is none of the contract's."""
    document = PdfDocument(HERE / "data" / "contracts" / f"{name}.pdf")
    try:
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    finally:
        document.close()


def wrong_quotes(rows: list[dict[str, str]]) -> list[str]:
    """Each quote that does not stand on the page that is cited, word for word."""
    found = []
    texts = {name: pages(name) for name in {row["contract"] for row in rows}}
    for row in rows:
        for number, quote in ((row["page"], row["quote"]), (row["page_2"], row["quote_2"])):
            if (number or quote) and not (quote and quote in texts[row["contract"]][int(number) - 1]):
                found.append(f"{row['contract']} {row['rule']}: not on page {number}: {quote!r}")
        rule = " ".join((HERE / "data" / row["rule_document"]).read_text("utf-8").split())
        if row["rule_quote"] not in rule:
            found.append(f"{row['rule']}: not in {row['rule_document']}: {row['rule_quote']!r}")
    return found


def wrong_flags(rows: list[dict[str, str]]) -> list[str]:
    """Where the table and the truth differ."""
    truth = json.loads((HERE / "truth.json").read_text("utf-8"))
    right = {(name, rule) for name, about in truth.items() for rule in about["broken"]}
    told = {(row["contract"], row["rule"]) for row in rows}
    return [f"{name} {rule}: not in the table" for name, rule in sorted(right - told)] + [
        f"{name} {rule}: in the table, and not broken" for name, rule in sorted(told - right)
    ]


def main() -> int:
    """Print what is wrong, or that nothing is."""
    table = HERE / "out" / "risks.csv"
    if not table.exists():
        print("there is no out/risks.csv; let the agent write the risk table first", file=sys.stderr)
        return 2
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wrong = wrong_quotes(rows) + (wrong_flags(rows) if (HERE / "truth.json").exists() else [])
    print(*wrong, sep="\n", end="\n" if wrong else "")
    quotes = sum(2 + bool(row["quote_2"]) for row in rows)
    print(f"{len(rows)} flags, {quotes} quotes: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
