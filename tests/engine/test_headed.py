"""Under which heading, and in which row of a text, the value of an answer stands."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.engine.course import NOT_FOUND

from .conftest import Build, House, final

CONTACTS = """# Contacts
## Farnley Cold Stores
Phone: 0649 833450
E-mail: service@farnley.example
## Valley Press House
Phone: 0687 988094
## Oakhurst Hire
E-mail: office@oakhurst.example"""
TABLE = """# Inspections
| Branch | Last inspection |
|---|---|
| North Gate | 2025-01-29 |
| Castle Hill | 2025-07-05 |
| Old Mill | 2025-07-10 |"""


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(task: str, *answers: str, text: str = CONTACTS) -> tuple[str, list[str]]:
        agent: House = house(
            [final(one) for one in answers],
            tools={"find": lambda args: {"passages": [{"path": "notes/a.md", "text": text}]}},
            specs={"find": {"opens": "question"}},
        )
        result = await agent.run(task)
        return result.answer, [r.body["text"] for r in agent.records() if "doubt" in r.body]

    return ask


async def test_the_address_of_another_firm_is_not_that_of_the_one_asked_for(asked: Any) -> None:
    answer, doubts = await asked(
        "What is the e-mail address of the Valley Press House?", "service@farnley.example", "not found"
    )
    assert answer == "not found"
    assert doubts[0].startswith("service@farnley.example stands under 'Farnley Cold Stores', and the task asks for")


async def test_who_keeps_to_the_address_of_another_firm_has_found_none(asked: Any) -> None:
    own = "service@farnley.example"
    assert (await asked("What is the e-mail address of the Valley Press House?", own, own))[0] == NOT_FOUND
    date = "2025-01-29"  # of a row, which may be called otherwise
    answer, _ = await asked("What is the inspection date of the Station Road branch?", date, date, text=TABLE)
    assert answer == date


KEYS = """# Keys
- Door: the kiln shed; Key: Simon Iverson; Spare key: Mara Kroll
- Door: the course room; Key: Mara Kroll; Spare key: Greta Holm
- Door: the shop; Key: Vera Alder; Spare key: Simon Iverson"""


@pytest.mark.parametrize(
    ("task", "answer", "sent_back"),
    [
        ("Who has the spare key to the course room?", "Mara Kroll", True),
        ("Who has the spare key to the course room?", "Greta Holm", False),
        ("Who has the spare key to the course room?", "Mara Kroll has the key, Greta Holm the spare key.", False),
        ("Who has the key to the course room?", "Mara Kroll", False),
        ("Who has the key of the course room, and not the spare one?", "Mara Kroll", False),
        ("Who has the spare keys to rooms and to the shed?", "Mara Kroll", False),  # no row has more of that
    ],
)
async def test_the_cell_of_another_field_is_not_what_was_asked(
    asked: Any, task: str, answer: str, sent_back: bool
) -> None:
    _, doubts = await asked(task, answer, answer, text=KEYS)
    assert ['another cell of that row: "Spare key: Greta Holm"' in why for why in doubts] == [True] * sent_back


BERTHS = """- pontoon: A, berths: 14, free: 9
- pontoon: C, berths: 14, free: 11
- pontoon: D, berths: 12, free: 10"""


@pytest.mark.parametrize(
    ("answer", "sent_back"),
    [("There are 14 free berths on pontoon C.", True), ("14", True), ("11", False), ("11 of 14", False), ("9", False)],
)
async def test_of_the_row_that_the_task_calls_by_its_field_the_cell_of_the_question(
    asked: Any, answer: str, sent_back: bool
) -> None:
    task = "The page lists the berths of each pontoon. How many are free on pontoon C?"
    _, doubts = await asked(task, answer, answer, text=BERTHS)
    assert ['another cell of that row: "free: 11"' in why for why in doubts] == [True] * sent_back


async def test_who_keeps_what_is_not_what_is_kept(asked: Any) -> None:
    lockers = "Locker: 7 | Keeper: Ann Lee | Key: K-71\nLocker: 8 | Keeper: Bob Ray | Key: K-82"
    assert (await asked("Who keeps the key of locker 7?", "Ann Lee", text=lockers))[1] == []


async def test_a_heading_of_one_word_is_a_name_where_the_task_writes_it_so(asked: Any) -> None:
    towns = "\n".join(
        f"## {town}\nMaster: {n}\nPhone: 0555 80{n} 8404" for n, town in enumerate(("Greyholm", "Sulvay"))
    )
    text = f"# Harbours and masters\n{towns}\n## Brannock\nOnly by letter."
    answer, doubts = await asked(
        "What is the phone number of the harbour master of Brannock?", "0555 801 8404", "none", text=text
    )
    assert answer == "none"
    assert doubts[0].startswith("801 stands under 'Sulvay', and the task asks for 'Brannock'.")
    assert (await asked("What is the phone number of the harbour master of Sulvay?", "0555 801 8404", text=text))[
        1
    ] == []


async def test_the_day_of_another_row_is_not_that_of_the_one_asked_for(asked: Any) -> None:
    task = "What is the inspection date of the Station Road branch?"
    answer, doubts = await asked(task, "2025-01-29", "not found", text=TABLE)
    assert answer == "not found"
    assert doubts[0].startswith(
        "2025-01-29 is of 'North Gate', and the task asks for 'Station Road', which is not there."
    )


@pytest.mark.parametrize(
    ("task", "answer", "text"),
    [
        ("What is the phone number of the Valley Press House?", "0687 988094", CONTACTS),
        ("What is the e-mail address of the cold stores?", "service@farnley.example", CONTACTS),
        ("Whom do we mail about Valley Press House and Oakhurst Hire?", "office@oakhurst.example", CONTACTS),
        ("On which date was the last inspection of the Castle Hill branch?", "2025-07-05", TABLE),
        ("Which branch was inspected on 29 January 2025?", "North Gate, on 2025-01-29", TABLE),
        ("When was the newest inspection of any branch?", "2025-07-10", TABLE),
        ("Hi John Smith here, when was the castle inspected?", "2025-07-05", TABLE),
        ("For Acme Foods: which date was the castle inspected?", "2025-07-05", TABLE),
        (
            "What does winter storage cost?",
            "240 euros",
            "## Winter Storage\nDry.\n## Fees\nStorage in winter is 240 euros a boat.\n## Rules\nNo fire.",
        ),
        (
            "What must be paid up front for the main hall?",
            "250 euros",
            "## Main Hall\n### Deposit\nIt is 250 euros.\n## Small Hall\nNone.",
        ),
        (
            "What do grown-ups pay at the Sea Life Centre?",
            "12.50",
            "| Ticket | Price |\n|---|---|\n| Adult ticket | 12.50 |\n| Child ticket | 6.00 |\n| Old Tom | 3.00 |",
        ),
        (
            "When does the ferry for Port Ellen leave?",
            "14:00",
            "| Ship | Leaves |\n|---|---|\n| Old Tom | 14:00 |\n| Young Tom | 15:00 |\n| Port Ellen | 9:00 |",
        ),
    ],
)
async def test_a_value_of_what_is_asked_for_is_not_doubted(asked: Any, task: str, answer: str, text: str) -> None:
    assert (await asked(task, answer, text=text))[1] == []


CONTACT = "# Contact\nAddress: 14 Hill Road\nPhone: 0555 157 3915\ndesk@toolshed.example"


@pytest.mark.parametrize(
    ("task", "text", "answer", "stays"),
    [
        ("Which fax number is given there?", CONTACT, "0555 157 3915", False),
        ("Which phone number is given there?", CONTACT, "0555 157 3915", True),
        ("Which telephone number is given there?", CONTACT, "0555 157 3915", True),
        ("Which fax number is given there?", f"{CONTACT}\nFax: the same", "0555 157 3915", True),
        ("Which fax number is given there?", f"{CONTACT}\nTelefax: the same", "0555 157 3915", True),
        ("Which fax number is given there?", CONTACT, "There is none, the phone is 0555 157 3915", True),
        ("What is the phone or fax number there?", CONTACT, "0555 157 3915", True),
        ("Who repairs the fax there?", f"{CONTACT}\nMaintenance: Ann Lee", "Ann Lee", True),
        ("Which number can I call there?", CONTACT, "0555 157 3915", True),
        ("What is the zip code of the depot?", "Depot\nPLZ: 28199", "28199", True),
        ("What is the licence plate of the trailer?", "Trailer: 750 kg", "750 kg", True),  # of the trailer, at least
    ],
)
async def test_a_value_with_another_label_is_not_found(
    asked: Any, task: str, text: str, answer: str, stays: bool
) -> None:
    assert (await asked(task, answer, answer, text=text))[0] == (answer if stays else NOT_FOUND)


FIRMS = """# Who repairs what
- Plotter: Wideprint, phone 0555 274 9553, contract B-99560
- Guillotine: Osterby Knives, contract G-82374, runs until 2028
- Till: Counterpoint, phone 0555 500 4986"""
RING = "Can you look up the phone number of Osterby Knives in our notes?"


@pytest.mark.parametrize(
    ("task", "text", "answer", "stays"),
    [
        (RING, FIRMS, "Osterby Knives, phone 0555 274 9553, contract G-82374", False),
        (RING, FIRMS, "0555 274 9553", False),
        (RING, f"{FIRMS}\nAll are reached by way of 0555 274 9553.", "0555 274 9553", True),
        (RING, FIRMS.replace("Osterby Knives,", "Osterby Knives, by way of Wideprint,"), "0555 274 9553", True),
        (
            "When was the phone number of Osterby Knives changed?",
            FIRMS.replace("until", "since 5 March"),
            "2026-03-05",
            True,
        ),
        (RING, FIRMS.replace("Knives,", "Knives, phone (0555) 12-3467,"), "+49 555 123467", True),
        (RING, FIRMS.replace("Knives,", "Knives, phone 0555 1234,"), "0555 1234", True),
        (RING.replace("Osterby Knives", "the plotter's firm"), FIRMS, "0555 274 9553", True),
        (
            "What is the phone number for the Maple Room?",
            "- Maple Room: north wing, booked through the front desk\n- Oak Room: 0555 1199\n- front desk: 0555 110022",
            "0555 110022",
            True,
        ),
        (
            "I ask about the lesson of Ann Lee. What is the phone number of the office?",
            "- Ann Lee: flute, Mondays\n- Office: 0555 221101",
            "0555 221101",
            True,
        ),
        (
            "What is the e-mail address of the manager of Ann Lee?",
            "- Ann Lee: sales\n- Bob Ray: manager, bob@x.example",
            "bob@x.example",
            True,
        ),
        (
            "What is the phone number of Ann Lee? If she has none, give me that of the office.",
            "- Ann Lee: flute\n- Office: 0555 221101",
            "She has none; the office has 0555 221101.",
            True,
        ),
        ("Until when does the contract of Osterby Knives run?", FIRMS, "2028", True),
        ("What is the contract of Osterby Knives?", FIRMS, "B-99560", True),  # nobody is to be reached
    ],
)
async def test_a_number_of_another_entry_is_not_that_of_whose_own_has_none(
    asked: Any, task: str, text: str, answer: str, stays: bool
) -> None:
    given, doubts = await asked(task, answer, answer, text=text)
    assert given == (answer if stays else NOT_FOUND)
    assert any("If nothing says it" in why for why in doubts) is not stays


LIST = "# Price list\nWhat | Euros each\nPoster A3 | 4.21\nCopy A4, colour | 0.68\nBinding of a thesis | 20.62"
SHIRT = "What does our price list say for T-shirt printing? I was asked what we charge."


@pytest.mark.parametrize(
    ("task", "text", "answer", "doubted"),
    [
        (SHIRT, LIST, "20.62 euros each", True),
        ("What is the price of a colour copy?", LIST, "0.68 euros", False),
        ("What does it cost to have my thesis bound?", LIST, "20.62", False),
        ("What is the price of a pen?", "Pen, blue | 2.20\nRuler | 4.80\nBook | 3.10", "2.20", False),
        ("What does it cost to have my paper bound?", LIST, "20.62", True),  # it may be said again
        (SHIRT, "T-shirts cost 20.62 euros.\nHats | 3", "20.62", False),
        (SHIRT, LIST, "There is no price for T-shirts.", False),
        ("Which format has the poster?", LIST, "20.62", False),  # no price is asked for
    ],
)
async def test_a_price_of_a_list_that_has_no_word_of_the_task_is_doubted_once(
    asked: Any, task: str, text: str, answer: str, doubted: bool
) -> None:
    given, doubts = await asked(task, answer, answer, text=text)
    assert given == answer
    assert any("is the price of" in why for why in doubts) is doubted
