from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.knowledge.excerpt import closest, excerpt

TABLE = "| grade | from | to |\n| --- | --- | --- |\n| G1 | 31000 | 38300 |\n| G6 | 61900 | 71700 |"


def test_the_best_place_of_a_text_is_whole_sentences_about_the_question() -> None:
    text = "The hall is open. " * 30 + "The red pump stands in hall 3. " + "Visitors sign in. " * 30
    start, end = excerpt(text, "Where does the red pump stand?", 100)
    assert "The red pump stands in hall 3." in text[start:end]
    assert end - start <= 100
    assert text[start:end].startswith(("The", "Visitors"))


def test_what_is_asked_for_is_found_in_a_line_without_an_end() -> None:
    text = "x" * 5_000 + " the code is 7731 " + "y" * 5_000
    start, end = excerpt(text, "What is the code 7731?", 400)
    assert "7731" in text[start:end]
    assert end - start <= 400


@given(st.text(max_size=600), st.text(max_size=60), st.integers(20, 300))
def test_an_excerpt_is_never_longer_than_its_room_and_lies_in_the_text(text: str, question: str, room: int) -> None:
    start, end = excerpt(text, question, room)
    assert 0 <= start <= end <= len(text)
    assert end - start <= max(room, min(len(text), room))


def test_a_row_of_a_table_comes_with_the_names_of_its_columns() -> None:
    assert (
        closest([(1, TABLE, "")], "From which pay does grade G6 begin?")[0] == "[1] grade: G6; from: 61900; to: 71700"
    )


def test_the_sentence_that_shares_the_rarest_words_comes_first_with_its_number() -> None:
    texts = [
        (1, "Whoever is ill calls the manager.\nA doctor's note is due from day 2 of the absence on.", "Absence"),
        (2, "The note is on the board.", ""),
    ]
    found = closest(texts, "From which day of an absence is a doctor's note due?")
    assert found[0] == "[1] A doctor's note is due from day 2 of the absence on."


def test_what_the_title_says_tells_no_line_from_another() -> None:
    text = "Admission of patient 4725\n\nAllergies: latex and dust.\nThe patient walked."
    assert closest([(1, text, "Admission of patient 4725")], "Which allergies does patient 4725 have?") == [
        "[1] Allergies: latex and dust."
    ]


def test_where_nothing_is_shared_nothing_is_close() -> None:
    assert closest([(1, "The hall is open.", "")], "zeppelin") == []
    assert closest([], "anything") == []


@given(
    st.lists(st.tuples(st.integers(1, 9), st.text(max_size=200), st.text(max_size=20)), max_size=4),
    st.text(max_size=80),
)
def test_no_text_makes_it_raise(texts: list[tuple[int, str, str]], question: str) -> None:
    assert len(closest(texts, question)) <= 2
