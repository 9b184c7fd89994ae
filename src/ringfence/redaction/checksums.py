"""Checksums of the numbers that carry one: what tells a card or an identity from any other row of digits.

Each takes the number in its bare form: digits and capital letters, no separators.
"""

from __future__ import annotations

from datetime import date
from typing import Final

IBAN_LENGTHS: Final = {  # ISO 13616 registry: characters of an IBAN, by country
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 22, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "SV": 28, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_MONTHS: Final = "ABCDEHLMPRST"  # of a codice fiscale
_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    data = digits.encode()
    odd, even = data[-1::-2], data[-2::-2].translate(_DOUBLED)
    return (sum(odd) + sum(even) - 48 * len(data)) % 10 == 0


def card(digits: str) -> bool:
    """A payment card: a length and a prefix that its issuers use, and Luhn."""
    size = len(digits)
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    match digits[0]:
        case "4":
            known = size in (13, 16, 19)
        case "5":
            known = (51 <= two <= 55 and size == 16) or (two in (50, 56, 57, 58) and 12 <= size <= 19)
        case "2":
            known = ((2200 <= four <= 2204 or 2221 <= four <= 2720) and size == 16) or (four == 2131 and size == 15)
        case "3":
            diners = (300 <= three <= 305 or two in (36, 38, 39)) and size == 14
            known = diners or (two in (34, 37) and size == 15) or (two == 35 and 16 <= size <= 19)
        case "6":
            known = (two in (60, 62, 64, 65) and 16 <= size <= 19) or (two in (63, 67) and 12 <= size <= 19)
        case "1":
            known = four == 1800 and size == 15
        case "0":
            known = four == 604 and 12 <= size <= 19
        case "8":
            known = two == 81 and 16 <= size <= 19
        case _:
            known = False
    return known and luhn(digits)


def iban(value: str) -> bool:
    """ISO 13616: the country's length, and ISO 7064 mod 97-10 over the number with its head moved to the end."""
    if IBAN_LENGTHS.get(value[:2]) != len(value):
        return False
    return int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1


def ssn(digits: str) -> bool:
    """US: an area, group and serial that are issued (SSA POMS RM 10201.035); or an ITIN (IRS: 9xx, group 50 to 99)."""
    area, group, serial = digits[:3], int(digits[3:5]), digits[5:]
    if area[0] == "9":
        return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99
    return area not in ("000", "666") and group != 0 and serial != "0000"


def steuer_id(digits: str) -> bool:
    """DE: ten digits of which exactly one stands twice or three times, and ISO 7064 mod 11,10."""
    counts = sorted(map(digits[:10].count, set(digits[:10])))
    if digits[0] == "0" or counts[-1] not in (2, 3) or counts[-2:][0] != 1:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def nir(value: str) -> bool:
    """FR: sex, year, month, department (2A and 2B are Corsica's), and 97 minus the rest modulo 97."""
    body = value[:13].replace("2A", "19").replace("2B", "18")
    month = int(value[3:5])
    known = value[0] in "123478" and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)
    return known and body.isdigit() and 97 - int(body) % 97 == int(value[13:])


def dni(value: str) -> bool:
    """ES: a DNI or a NIE, whose letter is the number modulo 23."""
    head = {"X": "0", "Y": "1", "Z": "2"}.get(value[0], value[0]) + value[1:-1]
    return head.isdigit() and _DNI[int(head) % 23] == value[-1]


def codice_fiscale(value: str) -> bool:
    """IT: a month's letter, a day, and the control letter of DM 23 December 1976."""
    if value[8] not in _MONTHS:
        return False
    total = sum(_ODD[c] for c in value[:15:2]) + sum(int(c, 36) - 10 * c.isalpha() for c in value[1:15:2])
    return chr(65 + total % 26) == value[15]


def bsn(digits: str) -> bool:
    """NL: the eleven test, the last digit counting minus one."""
    total = sum(int(d) * weight for d, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0 and digits != "000000000"


def pesel(digits: str) -> bool:
    """PL: a date, the century in its month, and weights 1, 3, 7, 9."""
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    total = sum(int(d) * weight for d, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True))
    return is_date(century + year, month % 20, day) and total % 10 == 0


def personnummer(digits: str) -> bool:
    """SE: a date of six or eight digits (a coordination number adds 60 to the day), and Luhn over the last ten."""
    ten = digits[-10:]
    year = int(digits[:4]) if len(digits) == 12 else 1900 + int(ten[:2])
    day = int(ten[4:6])
    return is_date(year, int(ten[2:4]), day - 60 if day > 60 else day, leap=len(digits) == 10) and luhn(ten)


def cpf(digits: str) -> bool:
    """BR: two control digits modulo 11."""

    def control(part: str) -> int:
        total = sum(int(d) * weight for d, weight in zip(part, range(len(part) + 1, 1, -1), strict=True))
        return total * 10 % 11 % 10

    return len(set(digits)) > 1 and control(digits[:9]) == int(digits[9]) and control(digits[:10]) == int(digits[10])


def is_date(year: int, month: int, day: int, *, leap: bool = False) -> bool:
    """Whether there is such a day; with `leap` the century is unknown, and 29 February counts."""
    try:
        date(2000 if leap and (month, day) == (2, 29) else year, month, day)
    except ValueError:
        return False
    return True
