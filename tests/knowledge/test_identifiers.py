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
    found = [one.document.path for one in named_first(hits, ("4784",))]
    assert found == ["patient-4784/letter.md", "x.md", "patient-4718/letter.md", "guideline.md", "y.md"]
    assert named_first(hits, ()) == hits


def test_what_holds_both_comes_before_what_holds_one() -> None:
    hits = [hit("a.md", "4779 on 2026-02-24"), hit("b.md", "2026-02-27"), hit("c.md", "4779: 2026-02-27, 3.3")]
    assert [one.document.path for one in named_first(hits, ("4779", "2026-02-27"))] == ["c.md", "a.md", "b.md"]
