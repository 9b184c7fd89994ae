"""Generated documents with personal data and secrets at known places, in eight locales; and text that has none.

What is personal comes from Faker, or from checksums written here once more, so that the redactor is not judged by its
own code. Phone numbers are those of Faker that libphonenumber takes for possible ones of the country.
"""

from __future__ import annotations

import base64
import random
import string
import sysconfig
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

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


WORDS: dict[str, dict[str, list[str]]] = {
    "en_US": {
        "phone": ["Phone: ", "Tel. ", "call me at ", "Mobile: ", "reach him on "],
        "born": ["DOB: ", "born on ", "Date of birth: ", "birthday "],
        "id": ["SSN: ", "Social Security Number ", "SSN "],
        "card": ["Card: ", "charged to card ", "Visa ", "credit card no. "],
        "months": "January February March April May June July August September October November December".split(),
    },
    "de_DE": {
        "phone": ["Telefon: ", "Tel.: ", "Mobil ", "Sie erreichen mich unter ", "Handy: "],
        "born": ["geboren am ", "Geburtsdatum: ", "geb. "],
        "id": ["Steuer-ID: ", "Steueridentifikationsnummer ", "IdNr. "],
        "card": ["Karte: ", "Kreditkarte ", "Kartennummer "],
        "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    },
    "fr_FR": {
        "phone": ["Téléphone : ", "Tél. ", "Portable : ", "vous pouvez me joindre au ", "appelez le "],
        "born": ["né le ", "née le ", "Date de naissance : "],
        "id": ["Numéro de sécurité sociale : ", "NIR ", "n° SS "],
        "card": ["Carte : ", "carte bancaire ", "CB "],
        "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    },
    "es_ES": {
        "phone": ["Teléfono: ", "Tel. ", "Móvil: ", "llámeme al ", "teléfono de contacto "],
        "born": ["nacido el ", "nacida el ", "Fecha de nacimiento: "],
        "id": ["DNI: ", "NIF ", "documento "],
        "card": ["Tarjeta: ", "tarjeta de crédito ", "pago con tarjeta "],
        "months": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    },
    "it_IT": {
        "phone": ["Telefono: ", "Tel. ", "Cellulare: ", "chiamatemi al ", "cell. "],
        "born": ["nato il ", "nata il ", "Data di nascita: "],
        "id": ["Codice fiscale: ", "C.F. ", "CF "],
        "card": ["Carta: ", "carta di credito ", "pagato con carta "],
        "months": (
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
        ),
    },
    "nl_NL": {
        "phone": ["Telefoon: ", "Tel. ", "Mobiel: ", "ik ben bereikbaar op ", "bel "],
        "born": ["geboren op ", "Geboortedatum: ", "geb. "],
        "id": ["BSN: ", "burgerservicenummer ", "BSN "],
        "card": ["Kaart: ", "creditcard ", "kaartnummer "],
        "months": "januari februari maart april mei juni juli augustus september oktober november december".split(),
    },
    "pl_PL": {
        "phone": ["Telefon: ", "Tel. ", "Komórka: ", "proszę dzwonić pod numer ", "tel. kom. "],
        "born": ["urodzony ", "urodzona ", "Data urodzenia: ", "ur. "],
        "id": ["PESEL: ", "PESEL ", "numer PESEL "],
        "card": ["Karta: ", "karta kredytowa ", "płatność kartą "],
        "months": (
            "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia".split()
        ),
    },
}
WORDS["en_GB"] = {**WORDS["en_US"], "id": ["NI number: ", "National Insurance number ", "NINO "]}


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
        tail = rnd.choice(("", "", f"+{fake.word().split()[-1]}", f".{rnd.randint(1, 99)}", f"_{rnd.randint(1960, 2009)}"))
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
                v = rnd.choice((fake.nif(), fake.nie()))
                return rnd.choice((v, v[:-1] + "-" + v[-1], v.lower()))
            case "nl_NL":
                v = fake.ssn()
                return rnd.choice((v, v, f"{v[:4]}.{v[4:6]}.{v[6:]}"))
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
        return rnd.choice((fake.ipv4_public(), fake.ipv4_private(), fake.ipv6(), f"2001:db8::{rnd.randrange(1, 65535):x}:1",
                           f"fe80::{rnd.randrange(4096, 65535):x}:{rnd.randrange(256):x}ff:fe{rnd.randrange(256):02x}:{rnd.randrange(65535):x}"))  # fmt: skip

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


def letter(c: Corpus, locale: str, doc: Document) -> Document:
    fake, words, rnd = c.fakers[locale], WORDS[locale], c.random
    doc.add(
        fake.sentence(),
        " ",
        fake.name(),
        " <",
        ("EMAIL", c.email(locale)),
        ">, ",
        rnd.choice(words["phone"]),
        ("PHONE", c.phone(locale)),
    )
    doc.add(". ", fake.paragraph(), " ", rnd.choice(words["born"]), ("DOB", c.birth(locale)), ", ", fake.sentence())
    doc.add(
        " ",
        rnd.choice(words["id"]),
        ("ID", c.identity(locale)),
        ". ",
        fake.paragraph(),
        " IBAN ",
        ("IBAN", c.iban(locale)),
        ".\n",
    )
    doc.add(
        rnd.choice(words["card"]),
        ("CARD", c.card(locale)),
        ", ",
        fake.paragraph(),
        "\n\n",
        fake.name(),
        "\n",
        ("EMAIL", c.email(locale)),
        "\n",
    )
    return doc


def record(c: Corpus, locale: str, doc: Document) -> Document:
    fake, rnd = c.fakers[locale], c.random
    doc.add(
        '{"id": ',
        str(rnd.randrange(10**6)),
        f', "uuid": "{uuid.UUID(int=rnd.getrandbits(128), version=4)}", "name": "',
        fake.name().replace('"', ""),
    )
    doc.add(
        '", "email": "',
        ("EMAIL", c.email(locale)),
        '", "phone": "',
        ("PHONE", c.phone(locale)),
        '", "date_of_birth": "',
        ("DOB", c.birth(locale)),
    )
    doc.add(
        '", "iban": "',
        ("IBAN", c.iban(locale)),
        '", "card_number": "',
        ("CARD", c.card(locale)),
        '", "last_login_ip": "',
        ("IP", c.ip()),
    )
    doc.add(
        f'", "created": "2024-0{rnd.randint(1, 9)}-1{rnd.randint(0, 9)}T10:22:{rnd.randint(10, 59)}Z", "version": "1.{rnd.randint(0, 9)}.{rnd.randint(0, 99)}"}}'
    )
    return doc


def table(c: Corpus, locale: str, doc: Document) -> Document:
    fake, rnd = c.fakers[locale], c.random
    doc.add("name;email;iban;card;amount\n")
    for _ in range(rnd.randint(2, 6)):
        doc.add(
            fake.name(),
            ";",
            ("EMAIL", c.email(locale)),
            ";",
            ("IBAN", c.iban(locale)),
            ";",
            ("CARD", c.card(locale)),
            f";{rnd.random() * 1000:.2f}\n",
        )
    return doc


def log(c: Corpus, locale: str, doc: Document) -> Document:
    rnd = c.random
    for _ in range(rnd.randint(3, 9)):
        doc.add(
            f"2024-0{rnd.randint(1, 9)}-{rnd.randint(10, 28)} 12:{rnd.randint(10, 59)}:0{rnd.randint(0, 9)},{rnd.randint(100, 999)} ",
            ("IP", c.ip()),
        )
        doc.add(
            f' "GET /v1.2.{rnd.randint(0, 20)}/items/{rnd.randrange(10**7)}?q={rnd.randbytes(4).hex()}" 200 {rnd.randrange(10**5)}'
        )
        match rnd.randrange(5):
            case 0:
                doc.add(" user=", ("EMAIL", c.email(locale)))
            case 1:
                doc.add(" mac ", ("MAC", c.mac()), " joined")
            case 2:
                doc.add(" Authorization: Bearer ", ("TOKEN", c.token()))
            case 3:
                doc.add(f" commit {rnd.randbytes(20).hex()}")
        doc.add("\n")
    return doc


def configuration(c: Corpus, locale: str, doc: Document) -> Document:
    rnd = c.random
    doc.add("# production\nDEBUG=false\nPORT=8080\nAPP_VERSION=2.11.3\n", "API_TOKEN=", ("TOKEN", c.token()), "\n")
    doc.add("DATABASE_URL=postgres://", ("SECRET", f"app:{c.some(ALNUM, 16)}"), "@db.internal:5432/app\n")
    doc.add(rnd.choice(("DB_PASSWORD=", "password: ", "SMTP_PASSWD=", "admin_pwd=")), ("SECRET", c.password()), "\n")
    doc.add(rnd.choice(('client_secret = "', '"api_key": "', "secret_key='")))
    quote = '"' if doc.text.endswith('"') else "'"
    doc.add(("SECRET", c.some(ALNUM, 30) + "7a"), f"{quote}\n", "ALERT_EMAIL=", ("EMAIL", c.email(locale)), "\n")
    if rnd.random() < 0.4:
        doc.add('TLS_KEY="', ("KEY", c.private_key()), '"\n')
    return doc


def ticket(c: Corpus, locale: str, doc: Document) -> Document:
    fake, words, rnd = c.fakers[locale], WORDS[locale], c.random
    doc.add(
        f"Ticket #{rnd.randrange(10**6)}, order {rnd.randrange(10**9)}\n",
        fake.paragraph(),
        "\n",
        fake.name(),
        ": ",
        fake.sentence(),
        " ",
    )
    doc.add(
        rnd.choice(words["phone"]),
        ("PHONE", c.phone(locale)),
        ". ",
        fake.sentence(),
        "\n",
        rnd.choice(words["card"]),
        ("CARD", c.card(locale)),
    )
    doc.add(
        f" ({rnd.randint(1, 12):02}/{rnd.randint(25, 32)}). ",
        fake.paragraph(),
        " ",
        rnd.choice(words["id"]),
        ("ID", c.identity(locale)),
        "\n",
    )
    doc.add(
        fake.paragraph(),
        " https://shop.example/reset?user=",
        ("EMAIL", c.email(locale)),
        f"&t={rnd.randrange(10**6)}\n",
    )
    return doc


def form(c: Corpus, locale: str, doc: Document) -> Document:
    fake, words = c.fakers[locale], WORDS[locale]
    doc.add(
        fake.name(),
        "\n",
        words["born"][-1],
        ("DOB", c.birth(locale)),
        "\n",
        words["id"][0],
        ("ID", c.identity(locale)),
        "\n",
    )
    doc.add(
        words["phone"][0],
        ("PHONE", c.phone(locale)),
        "\nE-Mail: ",
        ("EMAIL", c.email(locale)),
        "\nIBAN: ",
        ("IBAN", c.iban(locale)),
        "\n",
    )
    doc.add(fake.text(400), "\n")
    return doc


def network(c: Corpus, locale: str, doc: Document) -> Document:
    rnd = c.random
    for _ in range(rnd.randint(2, 5)):
        doc.add(
            f"{rnd.randint(1, 40)}: eth{rnd.randint(0, 3)}: mtu 1500 link/ether ",
            ("MAC", c.mac()),
            " inet ",
            ("IP", c.ip()),
            rnd.choice(("/24", "", ":8443")),
            "\n",
        )
    doc.add(
        f"uptime {rnd.random() * 1000:.3f} load 0.{rnd.randint(10, 99)} 1.{rnd.randint(10, 99)} build {rnd.randbytes(20).hex()}\n"
    )
    return doc


def thread(c: Corpus, locale: str, doc: Document) -> Document:
    """A conversation: mostly words, a value now and then."""
    fake, words, rnd = c.fakers[locale], WORDS[locale], c.random
    doc.add(
        "From: ",
        fake.name(),
        " <",
        ("EMAIL", c.email(locale)),
        f">\nDate: 2024-0{rnd.randint(1, 9)}-11 10:{rnd.randint(10, 59)}\n\n",
    )
    for _ in range(rnd.randint(2, 6)):
        doc.add(fake.text(rnd.randint(200, 700)), "\n")
        if rnd.random() < 0.3:
            doc.add(rnd.choice(words["phone"]), ("PHONE", c.phone(locale)), ".\n")
    doc.add("\n--\n", fake.name(), "\n", fake.company(), "\n")
    return doc


def notes(c: Corpus, locale: str, doc: Document) -> Document:
    """A file with code and remarks, and what somebody forgot in it."""
    fake, rnd = c.fakers[locale], c.random
    for number in range(rnd.randint(2, 5)):
        name = fake.word().lower()
        doc.add(f"def step_{number}(items, limit={rnd.randint(1, 99)}):\n    # {fake.sentence()}\n    total = 0\n")
        doc.add(
            f"    for item in items:\n        total += item['{name}'] * {rnd.random():.3f}\n    return total[:{rnd.randint(1, 99)}]\n\n"
        )
        doc.add(f'"""{fake.text(300)}"""\n')
    match rnd.randrange(3):
        case 0:
            doc.add("client = Client('", ("TOKEN", c.token()), "')\n")
        case 1:
            doc.add("# ask ", ("EMAIL", c.email(locale)), "\n")
        case 2:
            doc.add("HOST = '", ("IP", c.ip()), "'\n")
    return doc


TEMPLATES: tuple[Callable[[Corpus, str, Document], Document], ...] = (
    letter, letter, record, record, table, log, log, configuration, ticket, ticket, form, network, thread, thread, thread,
    notes, notes,
)  # fmt: skip


def hard(rnd: random.Random) -> str:
    """Something that looks personal and is not."""
    digits = "".join(rnd.choices(string.digits, k=20))
    stamp = f"20{rnd.randint(10, 29)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
    isbn = f"978-{digits[0]}-{digits[1:4]}-{digits[4:9]}-{digits[9]}"
    return rnd.choice(
        (
            f"version {rnd.randint(0, 20)}.{rnd.randint(0, 20)}.{rnd.randint(0, 20)}.{rnd.randint(0, 200)}",
            f"v{rnd.randint(0, 9)}.{rnd.randint(0, 40)}.{rnd.randint(0, 40)}",
            f"Chrome/{rnd.randint(90, 130)}.0.{rnd.randint(1000, 6000)}.{rnd.randint(10, 200)}",
            f"{stamp}T{rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02}.{digits[:6]}+00:00",
            f"{stamp} {rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02},{digits[:3]}",
            f"[{rnd.randint(1, 28):02}/Oct/20{rnd.randint(10, 29)}:13:55:{rnd.randint(10, 59)} +0200]",
            str(uuid.UUID(int=rnd.getrandbits(128), version=4)),
            rnd.randbytes(20).hex(),
            rnd.randbytes(4).hex()[:7],
            f"sha256:{rnd.randbytes(32).hex()}",
            f"order {digits[:9]}",
            f"order number {digits[:10]}",
            f"invoice INV-20{digits[:2]}-{digits[2:8]}",
            f"ISBN {isbn}",
            f"ISBN-10 {rnd.randint(0, 9)}-{digits[:3]}-{digits[3:8]}-{digits[8]}",
            f"{rnd.uniform(-180, 180):.6f}, {rnd.uniform(-90, 90):.8f}",
            f"ts={rnd.randrange(16 * 10**8, 18 * 10**8)}",
            f"epoch_ms {rnd.randrange(16 * 10**11, 18 * 10**11)}",
            f"{rnd.randrange(1, 9)} {rnd.randrange(100, 999)} {rnd.randrange(100, 999)} EUR",
            f"{rnd.randrange(10, 999)},{rnd.randrange(100, 999)},{rnd.randrange(100, 999)}",
            " ".join(rnd.randbytes(1).hex() for _ in range(16)),
            f"{rnd.randrange(16**8):08x}: " + " ".join(rnd.randbytes(2).hex() for _ in range(8)),
            f"1.3.6.1.4.1.{digits[:5]}.{rnd.randint(1, 20)}.{rnd.randint(1, 20)}",
            " ".join(str(rnd.randrange(1000)) for _ in range(8)),
            " ".join(f"{rnd.random() * 100:.3f}" for _ in range(5)),
            f"bytes={digits[:7]} offset={digits[7:15].lstrip('0') or '0'}",
            f"0x{rnd.randrange(16**12):012x}",
            f"pid {rnd.randrange(10**6)} tid {rnd.randrange(10**6)} port {rnd.randrange(65536)}",
            f"127.0.0.1:{rnd.randrange(65536)}",
            "git@github.com:acme/tool.git",
            f"image@{rnd.randint(2, 3)}x.png",
            "std::vector<int>::size",
            f"std::pair<a::b, c::d{rnd.randint(1, 9)}>",
            f"ratio {rnd.randint(1, 20)}:{rnd.randint(1, 20)} at 12:{rnd.randint(10, 59)}:{rnd.randint(10, 59)}",
            "token = get_token(request)",
            'password = os.environ["DB_PASSWORD"]',
            "password: str | None = None",
            "if secret is None: raise ValueError(secret)",
            f"released on {stamp} by the team",
            f"pages {rnd.randint(10, 99)}-{rnd.randint(100, 199)}, line {rnd.randint(1, 9999)}",
        )
    )


def clean(seed: int, size: int = 1_000_000) -> tuple[str, list[str]]:
    """Prose, code and logs without anything personal, and the hard ones among them.

    Prose is Python's own language reference and Faker's texts, code its standard library; lines with an at sign or
    with four numbers between dots are left out of both, for they may hold a true address.
    """
    rnd, corpus = random.Random(f"clean/{seed}"), Corpus(seed)
    library = Path(sysconfig.get_paths()["stdlib"])
    topics = _without_addresses((library / "pydoc_data" / "topics.py").read_text("utf-8"))
    files = (
        sorted(library.glob("*.py"))
        + sorted((library / "asyncio").glob("*.py"))
        + sorted((library / "http").glob("*.py"))
    )
    rnd.shuffle(files)
    code = ""
    for path in files:
        if len(code) >= size * 3 // 10:
            break
        code += _without_addresses(path.read_text("utf-8", "replace"))
    begin = rnd.randrange(max(1, len(topics) - size * 3 // 10))
    prose, words = topics[begin : begin + size * 3 // 10], []
    while sum(map(len, words)) < size // 10:
        words.append(corpus.fakers[rnd.choice(LOCALES)].paragraph(8) + "\n")
    hards, lines = [], []
    left = size - len(prose) - len(code[: size * 3 // 10]) - sum(map(len, words))
    while left > 0:
        items = [hard(rnd) for _ in range(rnd.randint(1, 3))]
        hards += items
        lines.append(
            f"{rnd.choice(('INFO', 'WARN', 'DEBUG'))} [worker-{rnd.randint(1, 9)}] {' | '.join(items)} took {rnd.random() * 99:.2f} ms\n"
        )
        left -= len(lines[-1])
    return prose + "\n" + code[: size * 3 // 10] + "\n" + "".join(words) + "".join(lines), hards


def _without_addresses(text: str) -> str:
    import re

    four = re.compile(r"\d+\.\d+\.\d+\.\d+|::")
    return "".join(line for line in text.splitlines(keepends=True) if "@" not in line and not four.search(line))
