"""Generated documents with personal data and secrets at known places, in eight locales.

What is personal comes from Faker, or from checksums written here once more, so that the redactor is not judged by its
own code. Phone numbers are those of Faker that libphonenumber takes for possible ones of the country.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from redaction_documents import TEMPLATES
from redaction_words import WORDS

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL")
ALNUM = string.ascii_letters + string.digits


@dataclass
class Document:
    """A text, and what is in it: (kind, start, end)."""

    text: str = ""
    marks: list[tuple[str, int, int]] = field(default_factory=list)

    def add(self, *parts: Any) -> None:
        """Append text, or (kind, value) which is marked."""
        for part in parts:
            if isinstance(part, tuple):
                self.marks.append((part[0], len(self.text), len(self.text) + len(part[1])))
                self.text += part[1]
            else:
                self.text += part


class Corpus:
    """Documents from one seed."""

    def __init__(self, seed: int) -> None:
        from faker import Faker

        self.random = random.Random(seed)
        self.fakers = {}
        for locale in LOCALES:
            self.fakers[locale] = Faker(locale)
            self.fakers[locale].seed_instance(f"{seed}/{locale}")

    def documents(self, count: int) -> Iterator[Document]:
        """So many documents, the locales in turn."""
        for number in range(count):
            locale = LOCALES[number % len(LOCALES)]
            yield self.random.choice(TEMPLATES)(self, locale, Document())

    # --- values ---

    def email(self, locale: str) -> str:
        rnd, fake = self.random, self.fakers[locale]
        user = fake.user_name()
        tail = rnd.choice(
            ("", "", f"+{fake.word().split()[-1]}", f".{rnd.randint(1, 99)}", f"_{rnd.randint(1960, 2009)}")
        )
        hosts = (
            "gmail.com",
            "mail.example.org",
            "firma.example",
            "müller.example",
            "xn--mller-kva.example",
            "ex-corp.co.uk",
        )
        address = (
            f"{user}{tail.lower()}@{rnd.choice((fake.free_email_domain(), fake.domain_name(), rnd.choice(hosts)))}"
        )
        return rnd.choice((address, address, address.upper(), address.title()))

    def phone(self, locale: str) -> str:
        import phonenumbers

        for _ in range(200):
            number = self.fakers[locale].phone_number()
            try:
                parsed = phonenumbers.parse(number, locale[-2:])
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_possible_number(parsed):
                forms = phonenumbers.PhoneNumberFormat
                how = self.random.choice((None, None, forms.INTERNATIONAL, forms.NATIONAL, forms.E164))
                plain = parsed.extension is None and phonenumbers.is_valid_number(parsed)
                return number if how is None or not plain else phonenumbers.format_number(parsed, how)
        raise AssertionError(f"no possible phone number in {locale}")

    def card(self, locale: str) -> str:
        number, rnd = self.fakers[locale].credit_card_number(), self.random
        sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4), 19: (4, 4, 4, 4, 3)}.get(len(number))
        gap = rnd.choice(("", " ", "-", " ", "\u00a0", "."))
        if not gap or sizes is None:
            return number
        parts, at = [], 0
        for size in sizes:
            parts.append(number[at : at + size])
            at += size
        return gap.join(parts)

    def iban(self, locale: str) -> str:
        value = self.fakers[{"en_US": "de_DE"}.get(locale, locale)].iban()
        grouped = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
        return self.random.choice((value, grouped, value.lower(), grouped.replace(" ", "-")))

    def identity(self, locale: str) -> str:
        fake, rnd = self.fakers[locale], self.random
        match locale:
            case "en_US":
                return rnd.choice((fake.ssn(), fake.itin()))
            case "en_GB":
                a, b = rnd.choice(("AB", "CE", "JN", "PW", "SR", "TL", "WM", "HX")), f"{rnd.randrange(10**6):06}"
                spaced = f"{a} {b[:2]} {b[2:4]} {b[4:]} {rnd.choice('ABCD')}"
                return rnd.choice((spaced, spaced.replace(" ", ""), spaced.replace(" ", "").lower()))
            case "de_DE":
                value = steuer_id(rnd)
                return rnd.choice((value, f"{value[:2]} {value[2:5]} {value[5:8]} {value[8:]}"))
            case "fr_FR":
                v = fake.ssn()
                spaced = f"{v[0]} {v[1:3]} {v[3:5]} {v[5:7]} {v[7:10]} {v[10:13]} {v[13:]}"
                return rnd.choice((v, spaced))
            case "es_ES":
                number = rnd.randrange(10**8)
                v = f"{number:08}" if rnd.random() < 0.5 else f"{'XYZ'[number // 10**7 % 3]}{number % 10**7:07}"
                head = {"X": "0", "Y": "1", "Z": "2"}.get(v[0], v[0]) + v[1:]
                v += "TRWAGMYFPDXBNJZSQVHLCKE"[int(head) % 23]
                return rnd.choice((v, v[:-1] + "-" + v[-1], v.lower()))
            case "nl_NL":
                v = fake.ssn()
                return rnd.choice((v, v, f"{v[:4]}.{v[4:6]}.{v[6:]}"))
            case "pl_PL":
                born = datetime(rnd.randint(1935, 2009), rnd.randint(1, 12), rnd.randint(1, 28))
                return fake.pesel(date_of_birth=born)
            case _:
                return fake.ssn()

    def birth(self, locale: str) -> str:
        rnd = self.random
        day = date(rnd.randint(1935, 2009), rnd.randint(1, 12), rnd.randint(1, 28))
        month = WORDS[locale]["months"][day.month - 1]
        worded = {
            "en_US": f"{month} {day.day}, {day.year}",
            "en_GB": f"{day.day} {month} {day.year}",
            "de_DE": f"{day.day}. {month} {day.year}",
            "es_ES": f"{day.day} de {month} de {day.year}",
        }.get(locale, f"{day.day} {month} {day.year}")
        numeric = {
            "en_US": f"{day:%m/%d/%Y}",
            "de_DE": f"{day:%d.%m.%Y}",
            "nl_NL": f"{day:%d-%m-%Y}",
            "pl_PL": f"{day:%d.%m.%Y}",
        }
        return rnd.choice(
            (worded, numeric.get(locale, f"{day:%d/%m/%Y}"), f"{day:%Y-%m-%d}", f"{day.day}/{day.month}/{day:%y}")
        )

    def ip(self) -> str:
        rnd, fake = self.random, self.fakers["en_US"]
        a, b, c, d = (rnd.randrange(256) for _ in range(4))
        local = f"fe80::{0x1000 + 8 * a + b:x}:{c:x}ff:fe{d:02x}:{a * b:x}"
        wide = f"2001:db8::{1 + a:x}:1"
        return rnd.choice((fake.ipv4_public(), fake.ipv4_private(), fake.ipv6(), wide, local))

    def mac(self) -> str:
        value = self.fakers["en_US"].mac_address()
        return self.random.choice((value, value.upper(), value.replace(":", "-")))

    def some(self, alphabet: str, size: int) -> str:
        return "".join(self.random.choices(alphabet, k=size))

    def token(self) -> str:
        word = ALNUM + "_-"
        return self.random.choice(
            (
                lambda: "ghp_" + self.some(ALNUM, 36),
                lambda: "github_pat_" + self.some(ALNUM, 22) + "_" + self.some(ALNUM, 59),
                lambda: "sk-" + self.some(ALNUM, 48),
                lambda: "sk-ant-api03-" + self.some(word, 93) + "AA",
                lambda: "sk-proj-" + self.some(word, 64),
                lambda: "AKIA" + self.some(string.ascii_uppercase + "234567", 16),
                lambda: (
                    "xoxb-"
                    + self.some(string.digits, 12)
                    + "-"
                    + self.some(string.digits, 12)
                    + "-"
                    + self.some(ALNUM, 24)
                ),
                lambda: "glpat-" + self.some(word, 20),
                lambda: "AIza" + self.some(word, 35),
                lambda: "hf_" + self.some(string.ascii_letters, 34),
                lambda: "npm_" + self.some(ALNUM, 36),
                lambda: "pypi-AgEIcHlwaS5vcmc" + self.some(word, 140),
                lambda: "SG." + self.some(word, 22) + "." + self.some(word, 43),
                lambda: jwt(self.random),
            )
        )()

    def private_key(self) -> str:
        kind = self.random.choice(
            ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY")
        )
        body = base64.b64encode(self.random.randbytes(self.random.randint(120, 900))).decode()
        gap = self.random.choice(("\n", "\n", "\\n"))
        lines = gap.join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN {kind}-----{gap}{lines}{gap}-----END {kind}-----"

    def password(self) -> str:
        return self.some(ALNUM + "!$%^*-_+.~", self.random.randint(8, 20)) + self.random.choice(string.digits) + "x"


def steuer_id(rnd: random.Random) -> str:
    """A German tax number: nine different digits, one of them twice, ISO 7064 mod 11,10."""
    digits = rnd.sample(range(10), 9)
    digits.insert(rnd.randrange(10), rnd.choice(digits))
    if digits[0] == 0:
        return steuer_id(rnd)
    carry = 10
    for digit in digits:
        carry = (carry + digit) % 10
        carry = (20 if carry == 0 else 2 * carry) % 11
    return "".join(map(str, digits)) + str((11 - carry) % 10)


def jwt(rnd: random.Random) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    claims = f'{{"sub":"{rnd.randrange(10**9)}","exp":{rnd.randrange(10**9)}}}'.encode()
    return ".".join((part(b'{"alg":"HS256","typ":"JWT"}'), part(claims), part(rnd.randbytes(32))))
