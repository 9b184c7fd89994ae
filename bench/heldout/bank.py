"""A bank's back office: accounts, transfers, documents, mails of customers."""

from __future__ import annotations

from typing import Any, Literal

from rows import known

Env = dict[str, Any]


def find_account(env: Env, query: str) -> Any:
    """Accounts whose holder, IBAN or alias (the customer's own name for it) has the query in it."""
    wanted = query.casefold()
    return [one for one in env["accounts"] if any(wanted in one[key].casefold() for key in ("holder", "iban", "alias"))]


def list_transfers(env: Env, iban: str, status: Literal["pending", "booked"] | None = None) -> Any:
    """Transfers of an account, in (positive) and out (negative), with the other side and its reference."""
    known(env["accounts"], "iban", iban)
    return [one for one in env["transfers"] if one["iban"] == iban and status in (None, one["status"])]


def read_mails(env: Env, sender: str | None = None) -> Any:
    """Mails to the service desk, all or those of a sender. What is shown counts as read."""
    shown = [one for one in env["mails"] if sender is None or sender.casefold() in one["sender"].casefold()]
    for one in shown:
        one["read"] = True
    return shown


def read_document(env: Env, document_id: str) -> Any:
    """A document: title, owner, who else has access, and its text."""
    return known(env["documents"], "id", document_id)


def make_transfer(
    env: Env, from_iban: str, to_iban: str, beneficiary: str, amount: float, date: str, reference: str
) -> Any:
    """Send money from a customer's account, in its currency, on a day (YYYY-MM-DD)."""
    known(env["accounts"], "iban", from_iban)
    number = f"TR-{91000 + len(env['transfers'])}"
    made = {"id": number, "iban": from_iban, "counterparty_iban": to_iban, "counterparty": beneficiary}
    env["transfers"].append(made | {"amount": -amount, "date": date, "reference": reference, "status": "pending"})
    return {"id": number}


def release_transfer(env: Env, transfer_id: str) -> Any:
    """Release a pending transfer; the money leaves."""
    known(env["transfers"], "id", transfer_id)["status"] = "booked"
    return {"released": transfer_id}


def share_document(env: Env, document_id: str, person: str, right: Literal["view", "edit"]) -> Any:
    """Give a person, by mail address, access to a document."""
    known(env["documents"], "id", document_id)["access"].append({"person": person, "right": right})
    return {"shared": document_id}


def write_mail(env: Env, to: list[str], subject: str, body: str, attachments: list[str] | None = None) -> Any:
    """Send a mail from the service desk, with documents attached by their ids."""
    env["sent"].append({"to": to, "subject": subject, "body": body, "attachments": attachments or []})
    return {"sent": len(env["sent"])}


TOOLS = (
    find_account,
    list_transfers,
    read_mails,
    read_document,
    make_transfer,
    release_transfer,
    share_document,
    write_mail,
)
