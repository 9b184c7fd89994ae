"""Three hundred questions over the documents of the examples, made by rule, in other words than the documents'.

Each names what it is about as somebody would who has not read the document: `the elevators` for lift maintenance, `how
heavy` for a weight. 180 are about the contracts (six things of each), 84 about the patients (seven of each), and 36
about the house's documents, written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SERVICES = (
    "looking after the elevators", "washing the panes", "the program that works out wages", "taking the rubbish away",
    "keeping rats and roaches out", "the canteen's food", "checking the smoke detectors", "borrowing pallets",
    "putting texts into other languages", "bringing the letters", "running our machines in a data centre",
    "the leased lift trucks", "testing our samples", "caring for the greenery", "the program for the duty roster",
    "the night guards", "washing our work clothes", "examining the cranes", "the espresso machines",
    "cleaning our process water", "sending mailings to customers", "clearing the roads in winter",
    "keeping our old files", "online meetings", "adjusting measuring instruments", "the broker for our cars' policies",
    "the e-learning site", "looking at the roofs", "oxygen and nitrogen in cylinders", "making our brochures",
)  # fmt: skip
OF_CONTRACTS = (
    "How far ahead do we have to say that we want to get out of the deal about {what}?",
    "How long do we have until a bill for {what} has to be settled?",
    "What is the most that we would get back if something goes wrong with {what}?",
    "What does {what} cost us every twelve months?",
    "Until when are we tied to the firm for {what}?",
    "Before which judges would a quarrel about {what} end up?",
)
NUMBERS = {"a": (4711, 4725, 4733, 4779, 4791, 4803), "b": (4718, 4740, 4756, 4762, 4784, 4810)}
OF_PATIENTS = (
    ("admission.md", "What must we avoid giving to {number} because of a reaction?"),
    ("admission.md", "How heavy was {number} when they came in?"),
    ("admission.md", "Why did {number} come to us?"),
    ("course.pdf", "Which drugs did {number} get, and how much of them?"),
    ("course.pdf", "How far could {number} go on foot?"),
    ("discharge.docx", "When did {number} go home?"),
    ("labs.csv", "How did the blood salts of {number} develop?"),
)
OF_HOUSE = (
    ("handbook/travel.md", "What may I spend on a place to sleep in London?"),
    ("handbook/travel.md", "How much do I get for food while I am on the road?"),
    ("handbook/travel.md", "Do I have to fly in the cheapest seats?"),
    ("handbook/travel.md", "What do I get for using my own vehicle?"),
    ("handbook/remote-work.pdf", "Can I do my job from the kitchen table?"),
    ("handbook/remote-work.pdf", "At what time must colleagues be able to get hold of me?"),
    ("handbook/remote-work.pdf", "Will the firm pay for a new seat in my study?"),
    ("handbook/remote-work.pdf", "May I spend a month in Spain and keep on working?"),
    ("handbook/expenses.docx", "How soon do I have to ask for my money back?"),
    ("handbook/expenses.docx", "I cannot find the bill any more, what now?"),
    ("handbook/expenses.docx", "Who signs off large purchases?"),
    ("handbook/expenses.docx", "May I buy a licence with the firm's plastic money?"),
    ("handbook/security.html", "My mobile was stolen, whom do I tell and how fast?"),
    ("handbook/security.html", "How long does my secret word have to be?"),
    ("handbook/security.html", "I found a thumb drive in the car park."),
    ("handbook/visitors.md", "Guests are coming tomorrow, whom do I have to tell?"),
    ("handbook/visitors.md", "May a guest take pictures?"),
    ("handbook/visitors.md", "What must guests put on their feet?"),
    ("house/people/parental-leave.pdf", "How long can a new father stay at home with pay?"),
    ("house/people/parental-leave.pdf", "How early do mothers have to hand in their application?"),
    ("house/people/absence.docx", "From when on does somebody with the flu have to see a physician?"),
    ("house/people/absence.docx", "What happens when a colleague has been sick for months?"),
    ("house/people/exit-process.md", "What has to be returned on the last day at the firm?"),
    ("house/people/exit-process.md", "How fast can we part from a newcomer?"),
    ("house/people/salary-bands.csv", "What does somebody on level six earn?"),
    ("house/runbooks/pump-test-stand.md", "How do I find out whether a pump is tight?"),
    ("house/runbooks/pump-test-stand.md", "It shakes too much, when do I have to stop?"),
    ("house/runbooks/compressor-restart.pdf", "The lights went out, in which order does compressed air come back?"),
    ("house/runbooks/compressor-restart.pdf", "Which lubricant belongs into the machine in the yard?"),
    ("house/runbooks/backup-restore.md", "How old can a saved controller program be?"),
    ("house/runbooks/backup-restore.md", "How do I bring back the software of a machine after a fault?"),
    ("house/runbooks/alarm-codes.html", "The display shows E132, what now?"),
    ("house/runbooks/alarm-codes.html", "Whom do I ring when there is a flood in the hall?"),
    ("house/runbooks/night-shift.docx", "How often does the guard walk through the building after dark?"),
    ("house/runbooks/night-shift.docx", "When do the morning people take over?"),
    ("house/runbooks/spare-parts.csv", "Do we have replacement gaskets in the store?"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the documents (collection/path) that answer it."""

    text: str
    right: frozenset[str]
    example: str


def questions() -> list[Asked]:
    """All of them, always in the same order."""
    return [*_contracts(), *_patients(), *(Asked(text, frozenset({path}), "rag") for path, text in OF_HOUSE)]


def _contracts() -> Iterator[Asked]:
    for number, what in enumerate(SERVICES, 1):
        for text in OF_CONTRACTS:
            yield Asked(text.format(what=what), frozenset({f"contracts/C-{number:02}.pdf"}), "contracts")


def _patients() -> Iterator[Asked]:
    for ward, numbers in NUMBERS.items():
        for number in numbers:
            for name, text in OF_PATIENTS:
                path = f"records/ward-{ward}/patient-{number}/{name}"
                yield Asked(text.format(number=f"patient {number}"), frozenset({path}), "clinic")
