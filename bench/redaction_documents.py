"""Documents made of the corpus' values: letters, records, tables, logs, configurations, tickets, forms, code."""

from __future__ import annotations

import string
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from redaction_words import WORDS

if TYPE_CHECKING:
    from redaction_corpus import Corpus, Document

ALNUM = string.ascii_letters + string.digits


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
        f'", "created": "2024-0{rnd.randint(1, 9)}-1{rnd.randint(0, 9)}T10:22:{rnd.randint(10, 59)}Z",'
        f' "version": "1.{rnd.randint(0, 9)}.{rnd.randint(0, 99)}"}}'
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
            f"2024-0{rnd.randint(1, 9)}-{rnd.randint(10, 28)} 12:{rnd.randint(10, 59)}"
            f":0{rnd.randint(0, 9)},{rnd.randint(100, 999)} ",
            ("IP", c.ip()),
        )
        doc.add(
            f' "GET /v1.2.{rnd.randint(0, 20)}/items/{rnd.randrange(10**7)}?q={rnd.randbytes(4).hex()}" 200'
            f" {rnd.randrange(10**5)}"
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
        f"uptime {rnd.random() * 1000:.3f} load 0.{rnd.randint(10, 99)} 1.{rnd.randint(10, 99)}"
        f" build {rnd.randbytes(20).hex()}\n"
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
            f"    for item in items:\n        total += item['{name}'] * {rnd.random():.3f}\n"
            f"    return total[:{rnd.randint(1, 99)}]\n\n"
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
    letter, letter, record, record, table, log, log, configuration, ticket, ticket, form, network, thread, thread,
    thread, notes, notes,
)  # fmt: skip
