"""A bound that a task gives in words is one in the query, too."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.policy import SinkSpec
from ringfence.engine.bounds import bounded
from ringfence.tools.table import QueryArgs
from ringfence.tools.tool import schema_of

QUERY = SinkSpec("csv.query", schema=schema_of(QueryArgs))


def where(value: str, op: str = "=") -> Any:
    return {"path": "tables/parcels.csv", "where": [{"column": "weight_kg", "op": op, "value": value}]}


@pytest.mark.parametrize(
    ("task", "value", "op"),
    [
        ("How many parcels weigh more than 16 kg?", "16", ">"),
        ("How many parcels weigh more than 16kg?", "16", ">"),
        ("Which invoices are above €1200?", "1200", ">"),
        ("Count the parcels of over 16 kg", "16", ">"),
        ("How many pupils have at least 3 absences?", "3", ">="),
        ("Which tickets have no more than 2 replies?", "2", "<="),
        ("Wie viele Pakete wiegen weniger als 2.5 kg?", "2.5", "<"),
        ("Count the rides under 30 minutes", " 30 ", "<"),
        ("How many parcels weigh 16 kg?", "16", "="),
        ("How many parcels of hall 16 weigh more than 16 kg?", "16", "="),  # which of them is meant?
        ("How many weigh more than 16.5 kg?", "16", "="),
        ("How many grew by more than 16 percent?", "16", "="),
        ("How many weigh more than 1,600 kg?", "1", "="),
        ("Which trucks are no older than 5 years?", "5", "="),  # a denial, of which we say nothing
        ("Which parcels aren't heavier than 20 kg?", "20", "="),
        ("Welche Pakete wiegen nicht mehr als 20 kg?", "20", "="),
        ("Was our revenue in 2024 higher than 2023?", "2023", "="),
        ("Which customer is filed under 4711?", "4711", "="),
        ("Wer ist unter 4711 gespeichert?", "4711", "="),
        ("Is room 204 larger than 206?", "206", "="),
        ("Which teams finished above 5th?", "5", "="),
    ],
)
def test_a_number_that_is_said_as_a_bound_is_asked_for_as_one(task: str, value: str, op: str) -> None:
    assert bounded(where(value), QUERY, task) == where(value, op)
    assert bounded(where(value, "<="), QUERY, task) == where(value, "<=")  # who has compared may mean it
    keyed: Any = {"where": [{"column": "hall_no", "op": "=", "value": value}]}
    assert bounded(keyed, QUERY, task) == keyed
    assert bounded(where(value), SinkSpec("other"), task) == where(value)  # a tool that cannot compare


@pytest.mark.parametrize(
    ("task", "value", "meant"),
    [
        ("How many reviews gave us a score below 7?", "<", ("<", "7")),
        ("How many parcels weigh at least 16 kg?", " >= ", (">=", "16")),
        ("Which of those not older than 60 gave us a score below 7?", "<", ("<", "7")),
        ("How many weigh more than 3 kg and less than 9 kg?", "<", ("!=", "<")),  # which of the two?
        ("How many parcels weigh 16 kg?", "<", ("!=", "<")),
        ("How many parcels weigh more than 16 kg?", "<", ("!=", "<")),  # the task says the other way round
        ("Which patients are not older than 60 years?", ">", ("!=", ">")),
    ],
)
def test_who_asks_for_a_sign_means_the_bound_of_the_task(task: str, value: str, meant: tuple[str, str]) -> None:
    for op in ("!=", ">="):
        asked = where(value, op)
        assert bounded(asked, QUERY, task) == (where(meant[1], meant[0]) if meant[0] != "!=" else asked)


def test_a_sign_may_be_a_value() -> None:
    task = "Which results are flagged > and are of patients older than 60 years?"
    assert bounded(where(">"), QUERY, task) == where(">")


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"where": "16"},
        {"where": [16, None]},
        {"where": [{"column": "a"}]},
        {"where": [{"column": "a", "value": 16}]},
    ],
)
def test_what_is_no_condition_stays(args: Any) -> None:
    assert bounded(args, QUERY, "How many weigh more than 16 kg?") == args
