"""The end of a span that a task asks for is told, and not its beginning."""

from __future__ import annotations

import pytest

from .conftest import Build, final, step

HOURS = (
    "Day: Thursday | Morning: 07:30 - 12:00 | Afternoon: 14:00 - 19:30\n"
    "Day: Friday | Morning: 08:00 - 12:30 | Afternoon: 14:00 - 16:30\nAt the weekend from 9:00 to 11:00 by phone."
)
CLOSES = "At what time does the practice close on Friday afternoon?"


@pytest.mark.parametrize(
    ("task", "answer", "meant"),
    [
        (CLOSES, "It closes at 14:00.", "It closes at 16:30."),
        (CLOSES, "16:30", "16:30"),
        (CLOSES, "From 14:00 until 16:30", "From 14:00 until 16:30"),
        (CLOSES, "15:00", "15:00"),  # of no span
        ("When does the practice open on Friday morning?", "12:30", "08:00"),
        ("When does the practice open on Friday?", "08:00", "08:00"),
        ("When does the practice close in the afternoon?", "14:00", "14:00"),  # of which day?
        ("Until when can I phone at the weekend?", "9:00", "11:00"),
        ("When is the closing ceremony on Friday?", "14:00", "14:00"),
        ("When can I collect my finished shoes on Friday?", "14:00", "14:00"),
        ("When do I have to be there on Friday for the tour that ends at noon?", "14:00", "14:00"),
        ("When does the lorry leave on Friday after the practice closes?", "14:00", "14:00"),
        ("When is the practice in Friday's afternoon?", "14:00", "14:00"),
    ],
)
async def test_the_end_that_is_asked_for_is_told(house: Build, task: str, answer: str, meant: str) -> None:
    agent = house([step(("look", {})), *[final(answer)] * 3], tools={"look": lambda args: {"text": HOURS}})
    assert (await agent.run(task)).answer == meant


@pytest.mark.parametrize(
    ("task", "text", "answer"),
    [
        ("When does the exam start?", "Admission to the exam: 09:00 - 09:30", "09:30"),
        ("When does the concert start?", "Doors open 19:00 - 20:00, the concert starts at 20:00.", "20:00"),
        ("When does the late shift start?", "Early shift 06:00 - 14:00, late shift from 14:00 on.", "14:00"),
        ("When does the gate close?", "The gate closes at 20:00.\nThe gate guard's shift is 20:00 - 06:00.", "20:00"),
        ("When does the shop open in the afternoon?", "Shop: closed for lunch 12:30 - 14:30", "14:30"),
        ("When does the road close on Sunday?", "Sunday: road closed 10:00 - 18:00", "10:00"),
        ("When does the sale start?", "Preview of the sale: 10:00 - 11:00\nSale: from 11 o'clock", "11:00"),
        ("When does the library open on Saturday?", "Saturday: library cleaning 07:00 - 09:00", "09:00"),
        ("When does the market close?", "Market closes 14:00\nFlea market: 14:00 - 18:00", "14:00"),
    ],
)
async def test_a_time_that_a_span_of_something_else_has_stays(house: Build, task: str, text: str, answer: str) -> None:
    agent = house([step(("look", {})), *[final(answer)] * 3], tools={"look": lambda args: {"text": text}})
    assert (await agent.run(task)).answer == answer
