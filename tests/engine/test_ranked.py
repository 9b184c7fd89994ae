"""The first or the last row in time of those that a task is about, and the row that has a time or a code of it."""

from __future__ import annotations

import pytest

from ringfence.engine.nearest import named_rows, of_the_value
from ringfence.engine.ranked import of_the_last

TABLE = """Destination | Departure | Quay
Destination: Brannock | Departure: 08:10 | Quay: 3
Destination: Sulvay | Departure: 6:10 | Quay: 2
Destination: Sulvay | Departure: 17:35 | Quay: 1
Destination: Sulvay | Departure: 16:45 | Quay: 2
Destination: Ternmark | Departure: 10:20 | Quay: 3"""
JSON = """departures:
- time: 06:10, destination: Sulvay, ship: Kittiwake
- time: 15:30, destination: Ternmark, ship: Shearwater
- time: 16:45, destination: Sulvay, ship: Petrel
- time: 17:50, destination: Greyholm, ship: Fulmar"""


def test_the_last_and_the_first_of_those_that_are_named() -> None:
    last = "Destination: Sulvay | Departure: 17:35 | Quay: 1"
    assert of_the_last(TABLE, "At what time does the last ferry to Sulvay depart?") == last
    assert of_the_last(TABLE, "When is the first ferry to Sulvay?") == "Destination: Sulvay | Departure: 6:10 | Quay: 2"
    assert of_the_last(JSON, "What ship is the last one to Sulvay?") == "time: 16:45, destination: Sulvay, ship: Petrel"


@pytest.mark.parametrize(
    "task",
    [
        "When do ferries leave for Sulvay?",
        "When is the last ferry?",
        "When is the last ferry to Brannock?",  # the only one
        "When are the first and the last ferry to Sulvay?",
        "What is the last ferry to Sulvay before noon?",
        "When is the last ferry to Sulvay or Ternmark?",
        "Which is the last ferry that does not go to Sulvay?",
        "How many passengers went to Sulvay last week?",
        "What is the last name of the captain to Sulvay?",
        "When is the first-class cabin to Sulvay free?",
        "How many ferries to Sulvay are there in the first half of the day?",
        "List the ferries to Sulvay, the earliest at the top.",
        "When is the last ferry to Sulvay tonight?",
    ],
)
def test_nothing_is_told_where_it_is_not_certain(task: str) -> None:
    assert of_the_last(TABLE, task) == ""


def test_the_row_with_the_time_that_the_task_says() -> None:
    row = "time: 15:30, destination: Ternmark, ship: Shearwater"
    assert of_the_value(JSON, "Which ship leaves at 15:30, and how many seats does this ship have?") == row
    assert of_the_value(JSON, "Which ship leaves after 15:30?") == ""
    assert of_the_value(JSON, "Which ship leaves at 15:35?") == ""


def test_the_two_rows_whose_names_the_task_says() -> None:
    groups = (("concert", 991), ("film night", 1090), ("reading", 1009), ("story hour", 1504), ("workshop", 1032))
    value = {"rows": [{"kind": kind, "SUM(visitors)": total} for kind, total in groups]}
    both = "reading, 1009; workshop, 1032"
    assert named_rows(value, 'How many more visitors did the kind "workshop" have than the kind "reading"?') == both
    for task in (
        "Which kind has the most?",
        "How many had the readings?",
        "How many had all but reading and workshop?",
    ):
        assert named_rows(value, task) == ""
    assert (
        named_rows({"rows": [["reading", 1], ["reading", 2], ["workshop", 3], ["x", 4]]}, "reading or workshop?") == ""
    )
    assert named_rows({"rows": [["reading", 1], ["workshop", 3]]}, "reading or workshop?") == ""
