"""The date of a note."""

from __future__ import annotations

import pytest

from ringfence.tools.dated import dated, in_figures


@pytest.mark.parametrize(
    ("path", "text", "day"),
    [
        ("notes/committee-2025-08.md", "# Committee", "2025-08-01"),
        ("notes/2024-11-05-fees.md", "1 May 2020", "2024-11-05"),
        ("a.md", "# Boathouse\n10 June 2024\n\nThe key", "2024-06-10"),
        ("a.md", "Last changed on March 3rd, 2023", "2023-03-03"),
        ("a.md", "Stand: 3. März 2023", "2023-03-03"),
        ("a.md", "Stand 03.04.2023", "2023-04-03"),
        ("a.md", "May 2022, in a hurry", "2022-05-01"),
        ("v1.2.2024.txt", "", "2024-02-01"),
    ],
)
def test_a_date_is_found_in_the_path_or_near_the_beginning(path: str, text: str, day: str) -> None:
    assert dated(path, text) == day


@pytest.mark.parametrize("text", ["", "# Key", "10.20.2024", "room 2024-a", "2024", "x" * 400 + "1 May 2024"])
def test_what_is_no_date_of_the_note_is_none(text: str) -> None:
    assert dated("a.md", text) == ""


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1 May 2026", "2026-05-01"),
        (" May 1st, 2026 ", "2026-05-01"),
        ("3. März 2023", "2023-03-03"),
        ("03.04.2023", "2023-04-03"),
        ("2023-04-03", "2023-04-03"),
        ("May 2026", "2026-05"),
        ("2026-05", "2026-05"),
        ("31 June 2026", ""),
        ("before 1 May 2026", ""),
        ("2026", ""),
        ("", ""),
        ("1 May 2026" + " " * 40 + "x", ""),
    ],
)
def test_a_text_that_is_a_date_is_one_in_figures(text: str, day: str) -> None:
    assert in_figures(text) == day
