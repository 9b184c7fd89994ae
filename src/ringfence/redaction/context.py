"""What the words before a number say that it is, in the languages of the corpus and a few more.

Words, or their first four letters, are looked up in sets: an alternation over the same text costs ten times as much.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_FAR: Final = 40  # characters that a word may stand before what it speaks of
_WORD: Final = re.compile(r"[^\W\d_]+")
_NO_DIGITS: Final = re.compile(r"[^0-9]*")

_BORN: Final = frozenset((
    "born", "birth", "birthday", "bday", "dob", "geb", "geboren", "né", "née", "nac", "naiss", "nato", "nata", "ur",
    "född", "geboortedatum", "birthdate",
))  # fmt: skip
_BORN_STEMS: Final = frozenset(("gebu", "birt", "nais", "naci", "nasc", "urod", "föde", "føds", "gebo"))
_CALL: Final = frozenset((
    "tel", "tél", "cell", "cel", "cellulare", "call", "calls", "called", "ring", "reach", "dial", "text", "sms",
    "whatsapp", "signal", "fax", "fon", "foon", "fono", "ruf", "bel", "bellen", "nummer", "numer", "number",
    "numéro", "número", "numero", "hotline", "handy", "portable", "joindre", "joignable", "bereikbaar", "mobile",
    "móvil", "movil",
))  # fmt: skip
_CALL_STEMS: Final = frozenset((
    "phon", "tele", "télé", "telé", "mobi", "cont", "rufn", "anru", "erre", "appe", "llam", "llám", "chia", "komó",
    "komo", "zadz", "dzwo", "hand", "cell", "móvi",
))  # fmt: skip
_OTHER: Final = frozenset((
    "isbn", "issn", "ean", "gtin", "upc", "sku", "order", "orders", "orderid", "invoice", "bestellung",
    "bestellnummer", "rechnung", "commande", "facture", "pedido", "factura", "ordine", "fattura", "bestelling",
    "factuur", "zamówienie", "zamówienia", "faktura", "ref", "reference", "serial", "part", "batch", "tracking",
    "ticket", "build", "commit", "hash", "session", "request", "trace", "offset", "size", "bytes", "epoch",
    "timestamp", "ts", "id", "uuid", "row", "line", "version",
))  # fmt: skip
_COUNTED: Final = frozenset(("no", "nr", "number", "id", "num", "n", "ms", "s", "us"))
_VERSIONS: Final = frozenset((
    "v", "ver", "version", "release", "rev", "revision", "build", "firmware", "section", "chapter", "oid",
))  # fmt: skip
_IDS: Final = {
    "ssn": "ssn", "itin": "ssn", "security": "ssn", "taxpayer": "ssn",
    "bsn": "bsn", "burgerservicenummer": "bsn", "sofinummer": "bsn", "sofi": "bsn",
    "steuer": "steuer", "steuerid": "steuer", "idnr": "steuer", "steueridentifikationsnummer": "steuer",
    "pesel": "pesel", "cpf": "cpf", "personnummer": "personnummer", "samordningsnummer": "personnummer",
}  # fmt: skip


def words(text: str, at: int) -> list[str]:
    """The words right before a place, in small letters."""
    return _WORD.findall(text[max(0, at - _FAR) : at].lower())


def since(text: str, at: int) -> str:
    """What stands between the last number and this place: a word speaks of the next number alone."""
    before = text[max(0, at - _FAR) : at]
    digits = _NO_DIGITS.match(before[::-1])
    return before[len(before) - (digits.end() if digits else 0) :].lower()


def speaks_of_birth(text: str, at: int, after: int) -> bool:
    """Whether a date at this place is one of birth."""
    before = since(text, at)
    if before.rstrip(" ").endswith("*") or "birth" in before or "d.o.b" in before:
        return True
    if text.startswith(" (", after):
        before += text[after : after + 16].lower()
    return any(word in _BORN or word[:4] in _BORN_STEMS for word in _WORD.findall(before))


def speaks_of_phone(text: str, at: int) -> bool:
    """Whether a number at this place is to be called."""
    return any(word in _CALL or word[:4] in _CALL_STEMS for word in _WORD.findall(since(text, at)))


def speaks_of_another(before: Sequence[str]) -> bool:
    """Whether a number after these words counts things: orders, books, bytes."""
    last = before[-2:]
    return bool(last) and (last[-1] in _OTHER or (last[-1] in _COUNTED and last[0] in _OTHER))


def speaks_of_version(text: str, at: int) -> bool:
    """Whether four numbers at this place are a version."""
    before = text[max(0, at - 16) : at]
    if before[-1:] == "/" and before[-2:-1].isalpha():
        return True
    found = _WORD.findall(before.lower())
    return bool(found) and found[-1] in _VERSIONS


def identity(before: Sequence[str]) -> str:
    """The kind of national identity that the last word for one names; "" for none."""
    return next((_IDS[word] for word in reversed(before) if word in _IDS), "")
