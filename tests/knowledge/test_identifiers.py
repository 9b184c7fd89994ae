"""Who names an identifier is shown what holds it first, and a plain amount is nobody's name."""

from __future__ import annotations

import pytest

from ringfence.core.labels import Label, Trust
from ringfence.knowledge.identifiers import MOST, identifiers, named_first
from ringfence.knowledge.ports import Chunk, Document, Hit


def hit(path: str, text: str, *headings: str) -> Hit:
    document = Document("c", path, "", Label(Trust.UNTRUSTED), title=headings[0] if headings else path)
    return Hit(document, Chunk(0, len(text), headings=headings), text, 1.0)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Which allergy does patient 4725 have?", ("4725",)),
        ("the notice of C-12 and c-12", ("c-12",)),
        ("oil of K2, code E201", ("k2", "e201")),
        ("potassium of 4779 on 2026-02-27", ("4779", "2026-02-27")),
        ("Who approves 3,000 euros, 12 times, at 3.5 or 70 mg/dl?", ()),
        ("no number at all", ()),
        ("", ()),
    ],
)
def test_a_word_with_a_digit_is_an_identifier_unless_it_is_an_amount(question: str, wanted: tuple[str, ...]) -> None:
    assert identifiers(question) == wanted


def test_a_question_of_a_thousand_identifiers_is_bounded() -> None:
    assert len(identifiers(" ".join(f"id{n}" for n in range(1_000)))) == MOST


def test_what_holds_the_identifier_comes_first_and_the_rest_keeps_its_order() -> None:
    hits = [
        hit("patient-4718/letter.md", "A check-up is due after 7 days."),
        hit("guideline.md", "Check-ups."),
        hit("patient-4784/letter.md", "A check-up is due after 14 days."),
        hit("x.md", "Known before", "Admission of patient 4784"),
        hit("y.md", "14784 and 47841 are others"),
    ]
    found = [one.document.path for one in named_first(hits, "the check-up of 4784")]
    assert found == ["patient-4784/letter.md", "x.md", "patient-4718/letter.md", "guideline.md", "y.md"]
    assert named_first(hits, "the check-up") == hits


def test_what_holds_both_comes_before_what_holds_one() -> None:
    hits = [hit("a.md", "4779 on 2026-02-24"), hit("b.md", "2026-02-27"), hit("c.md", "4779: 2026-02-27, 3.3")]
    assert [one.document.path for one in named_first(hits, "4779 on 2026-02-27")] == ["c.md", "a.md", "b.md"]


def test_the_document_whose_title_the_question_calls_comes_first() -> None:
    contracts = [hit(f"C-{n}.pdf", "Penalty of 1 %.", f"Contract C-{n} on {what}") for n, what in enumerate(WHAT)]
    found = named_first(contracts, "What penalty is owed in the contract on the forklift lease?")
    assert [one.document.path for one in found] == ["C-3.pdf", "C-0.pdf", "C-1.pdf", "C-2.pdf", "C-4.pdf"]


def test_of_one_patients_documents_the_one_that_is_called_so_comes_first() -> None:
    names = ("Admission", "Discharge letter", "Course", "Values")
    hits = [hit(f"{one}.md", "2026", f"{one} of patient {n}") for n in (4733, 4784) for one in names]
    found = named_first(hits, "When was patient 4733 discharged?")
    assert [one.document.title for one in found[:2]] == [
        "Discharge letter of patient 4733",
        "Admission of patient 4733",
    ]


def test_a_word_that_every_question_has_calls_no_title() -> None:
    hits = [hit(f"{n}.md", "", title) for n, title in enumerate(("Travel", "Working from home", "Visitors", "Safety"))]
    assert named_first(hits, "From how many hours on is first class paid?") == hits


def test_what_other_documents_talk_about_calls_no_title() -> None:
    hits = [
        hit("travel.md", "A room may cost 120 euros a night.", "Business travel"),
        hit("old.md", "A room may cost 100 euros a night.", "Travel of old"),
        hit("shift.md", "The night shift begins at 22:00.", "Night shift"),
    ]
    assert named_first(hits, "How much may a room cost per night?") == hits


def test_nothing_is_named_among_no_hits() -> None:
    assert named_first([], "C-12") == []


WHAT = ("catering", "mail delivery", "printing", "the forklift lease", "snow clearing")
