"""How contracts put things: wordings by clause and case, with `{name}` for what is drawn; see make_data.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

HEADINGS = {
    "term": ("Term", "Duration of the contract", "Beginning and end"),
    "notice": ("Termination", "Ending the contract", "Notice"),
    "renewal": ("Renewal", "After the term", "Extension"),
    "payment": ("Invoices", "Payment", "When payment is due"),
    "fee": ("Fee", "Price", "Remuneration"),
    "liability": ("Liability", "Limits of liability", "Damages"),
    "penalty": ("Delay", "Late performance", "Penalties"),
    "place": ("Data protection", "Where data is kept", "Personal data"),
    "court": ("Disputes", "Place of jurisdiction", "Courts"),
}
WORDINGS: dict[str, dict[object, tuple[str, ...]]] = {
    "term": {
        "some": (
            "This contract begins on {start_day} and runs for {term} months.",
            "The term is {term_words} ({term}) months, counted from {start_day}.",
            "The parties are bound for {term_years}, beginning on {start_day}.",
        )
    },
    "notice": {
        "some": (
            "The customer may end this contract at any time with {notice} days' notice in writing.",
            "Either party may terminate this contract by giving {notice_words} ({notice}) days' written notice.",
            "Notice of termination has to reach the other party {notice_span} before the day on which it ends.",
        )
    },
    "renewal": {
        "none": (
            "The contract ends with its term. It is not renewed by itself.",
            "There is no automatic renewal: whoever wants to go on makes a new contract.",
        ),
        "some": (
            "Unless it is terminated in time, the contract is renewed by {renewal} months each time.",
            "The contract renews itself for further {renewal_years} at a time if nobody terminates it.",
        ),
    },
    "payment": {
        "some": (
            "Invoices are payable within {payment} days of receipt.",
            "Payment falls due {payment_words} ({payment}) days after the invoice was received.",
            "The customer pays each invoice no later than {payment} days after its date.",
        ),
        "at once": ("Invoices are payable immediately on receipt.",),
    },
    "fee": {
        "some": (
            "The yearly fee is EUR {fee}, net of tax.",
            "For its services the supplier receives EUR {fee} a year, plus tax.",
        )
    },
    "liability": {
        "amount": (
            "The liability of the supplier is limited to EUR {cap_eur} in each year of the contract.",
            "In no event does the supplier owe more than EUR {cap_eur} of damages a year.",
        ),
        "share": (
            "The supplier's liability is capped at {cap_share} percent of the yearly fee.",
            "Damages owed by the supplier do not exceed {cap_share} % of the fee of one year.",
        ),
        "unlimited": ("The supplier is liable without limit, as the law has it.",),
        "excluded": (
            "Any liability of the supplier for damages is excluded, as far as the law allows.",
            "The supplier is not liable for damages of whatever kind.",
        ),
    },
    "penalty": {
        "some": (
            "For each week of delay begun the supplier owes a penalty of {penalty} percent of the yearly fee.",
            "If the supplier is late, it pays {penalty} % of the yearly fee per week, ten weeks at most.",
        ),
        "none": ("No penalty is owed for delay.",),
    },
    "place": {
        "eea": (
            "Personal data is stored and processed within the European Economic Area only.",
            "The supplier processes personal data in the European Economic Area and nowhere else.",
        ),
        "towns": (
            "Personal data is kept in two data centres inside the European Economic Area, and copies do not leave it.",
        ),
        "usa": (
            "Personal data may be processed in the United States of America as well.",
            "Support staff outside of the European Economic Area may access personal data of the customer.",
        ),
        "any": (
            "Personal data may be stored in any country in which the supplier or its subcontractors have premises.",
        ),
        "no data": ("The supplier receives no personal data of the customer.",),
    },
    "court": {
        "customer": (
            "The courts at the seat of the customer decide all disputes.",
            "Place of jurisdiction is the customer's seat.",
        ),
        "neutral": ("Disputes are settled by arbitration at a place that neither party has a seat in.",),
        "supplier": (
            "Exclusive place of jurisdiction is the seat of the supplier.",
            "All disputes are decided by the courts where the supplier has its seat.",
        ),
    },
}
BESIDE = (  # clauses that no rule is about, and that name days, months and amounts all the same
    ("Changes of price", "A change of the price is announced with fourteen (14) days' notice, once a year at most."),
    ("Insurance", "The supplier keeps a liability insurance of EUR 3,000,000 and shows it on request."),
    ("Confidentiality", "What the parties learn of each other is kept secret for 5 years after the contract ends."),
    ("Response", "The supplier answers a report of a fault within 4 hours and is on site within 2 days."),
    ("Records", "Invoices and reports are kept for 10 years and shown to the customer within 20 days."),
    ("Subcontractors", "Subcontractors are named to the customer 30 days before they begin, who may object."),
    ("Force majeure", "Nobody is in delay while a strike, a flood or a war keeps them from performing."),
    ("Acceptance", "The customer accepts a service within 10 days or says what is missing."),
    ("Safety", "The supplier's staff follow the safety rules of the site and are trained every 12 months."),
    ("Set-off", "The customer may set off claims of its own against an invoice."),
)
CLOSING = ("Form", "This document holds all that was agreed. There are no agreements beside it.")
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
""".split()  # noqa: SIM905
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


def words_of(number: int) -> str:
    """A number below 1,000 in words: `one hundred and twenty`."""
    if number >= 100:
        rest = f" and {words_of(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    if number >= 20:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    return _ONES[number]


def spelled(wording: str, says: Mapping[str, object]) -> str:
    """A wording with its values filled in, in figures or words as it wants them."""
    values = dict(says)
    for name in ("term", "notice", "payment", "renewal"):
        number = says[name]
        assert isinstance(number, int)
        values[f"{name}_words"] = words_of(number)
        years = f"{words_of(number // 12)} years" if number != 12 else "one year"
        values[f"{name}_years"] = years
        weeks, months = f"{words_of(number // 7)} weeks", f"{words_of(number // 30)} months"
        values[f"{name}_span"] = ("one month" if number == 30 else months) if number % 30 == 0 else weeks
    for name in ("fee", "cap_eur"):
        values[name] = f"{says[name]:,}" if says[name] is not None else ""
    begins = date.fromisoformat(str(says["start"]))
    values["start_day"] = f"{begins.day} {begins:%B %Y}"
    return wording.format(**values)
