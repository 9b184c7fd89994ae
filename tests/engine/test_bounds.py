"""A bound that a task gives in words is one in the query, too."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.engine.bounds import bounded


def where(value: str, op: str = "=") -> Any:
    return {"path": "tables/parcels.csv", "where": [{"column": "weight_kg", "op": op, "value": value}]}


@pytest.mark.parametrize(
    ("task", "value", "op"),
    [
        ("How many parcels weigh more than 16 kg?", "16", ">"),
        ("How many parcels weigh more than 16kg?", "16", ">"),
        ("Count the patients older than 64.", "64", ">"),
        ("Which invoices are above €1200?", "1200", ">"),
        ("How many pupils have at least 3 absences?", "3", ">="),
        ("Which tickets have no more than 2 replies?", "2", "<="),
        ("Wie viele Pakete wiegen weniger als 2.5 kg?", "2.5", "<"),
        ("Count the rides under 30 minutes", " 30 ", "<"),
        ("How many parcels weigh 16 kg?", "16", "="),
        ("How many parcels of hall 16 weigh more than 16 kg?", "16", "="),  # which of them is meant?
        ("How many weigh more than 16.5 kg?", "16", "="),
        ("How many grew by more than 16 percent?", "16", "="),
        ("How many weigh more than 1,600 kg?", "1", "="),
    ],
)
def test_a_number_that_is_said_as_a_bound_is_asked_for_as_one(task: str, value: str, op: str) -> None:
    assert bounded(where(value), task) == where(value, op)
    assert bounded(where(value, "<="), task) == where(value, "<=")  # who has compared may mean it


@pytest.mark.parametrize("args", [{}, {"where": "16"}, {"where": [16, None]}, {"where": [{"column": "a"}]}])
def test_what_is_no_condition_stays(args: Any) -> None:
    assert bounded(args, "more than 16") == args
