"""A share that is added to something or taken off it, in what is calculated. Dates and numbers of other tasks stay."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.policy import Effect, Role
from ringfence.engine.operands import all_of_them, between_days, each_priced, in_euros, operands
from ringfence.engine.shares import whole

from .conftest import Build, final, step

VAT = "A knee operation comes to 747.75 euros net. How much is it with 19 % VAT, to the cent?"

NINE = 'We want to buy 9 of the item "gasket". Take the price and add 19 % VAT. How much is that in all?'


ORDER = (
    "We order 36 novels at 15.40 euros each and a bag of 8 euros, with 10 percent off the whole order. What do we pay?"
)


@pytest.mark.parametrize(
    ("given", "task", "meant"),
    [
        ("747.75 * 0.19", VAT, "747.75 * 1.19"),
        ("19% of 747.75", VAT, "1.19 * 747.75"),
        ("(747.75 * 19/100)", VAT, "747.75 * 1.19"),
        ("12 * 3.50 * .07", "We want 12 bottles at 3.50 plus 7 % tax. What do we pay?", "12 * 3.5 * 1.07"),
        ("80 * 0.19", "Was kosten 80 Euro zuzüglich 19 % MwSt?", "80 * 1.19"),
        ("60 × 0.125", "What do we pay for a 60 euro ticket with 12.5% off?", "60 * 0.875"),
        ("60 * 0.2", "Preis 60 Euro, 20 % Rabatt: was zahle ich?", "60 * 0.8"),
        ("(19.74 * 0.19) + 19.74 * 9", NINE, "19.74 * 9 * 1.19"),  # and not the VAT of one piece
        ("19.74 * 9 + 19.74 * 19%", NINE, "19.74 * 9 * 1.19"),
        ("(19.74 * 1.19 * 9) + 19.74 * 1.19 * 9 * 0.19", NINE, "(19.74 * 9) * 1.19"),
        ("80 * 1.19 * 1.19", "80 euros plus 19 % VAT: what do we pay?", "(80) * 1.19"),
        ("0.1 * (36 * 15.4 + 8) + 36 * 15.4 + 8", ORDER, "(36 * 15.4 + 8) * 0.9"),
        ("(36 * 15.4 + 8) * 110%", ORDER, "(36 * 15.4 + 8) * 0.9"),
        ("60 * 4 - 60 * 0.2", "4 tickets of 60 euros, 20 % off: what do we pay?", "60 * 4 * 0.8"),
    ],
)
def test_a_price_that_is_asked_for_with_its_share_is_calculated_with_it(given: str, task: str, meant: str) -> None:
    assert whole(given, task) == meant


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ("747.75 * 0.19", "How much is the VAT on 747.75 euros with 19 % VAT?"),
        ("747.75 * 0.19", "747.75 euros plus 19 % VAT: what is the VAT in all?"),
        ("500 * 0.19", "How much alcohol is in 500 ml of a solution with 19 % alcohol, in all?"),
        ("200 * 0.15", "What are 15 % of 200?"),
        ("19.74 * 0.19 + 12.50 * 9", NINE),  # of two prices
        ("19.74 * 0.19 - 19.74 * 9", NINE),
        ("19.74 * 0.19 + 19.74 * 8", NINE),  # nobody spoke of eight
        ("19.74 * 9 * 0.19 + 19.74 * 9", NINE),  # that is right
        ("60 * 0.2", "What do we save with 20 % off a 60 euro ticket, in all?"),
        ("60 * 0.2", "How much discount is it: 60 euros, 20 % discount, what do we pay?"),
        ("80 * 0.1", "The dose is 0.1 mg per kg for 80 kg, plus 10% overfill. What is the total?"),
        ("80 * 0.1 * 1.1", "The dose is 0.1 mg per kg for 80 kg, plus 10% overfill. What is the total?"),
        ("3 * 0.19", "With 19% VAT, what do 3 items of 0.19 each cost?"),
        ("500 * 0.20", "The total of 20% of 500 plus 20% tax of 300?"),
        ("100 * 0.19", "Berechne die Mehrwertsteuer: Kosten 100 EUR mit 19% MwSt."),
        ("40 * 0.25", "A 40 EUR ticket, 25% discount. What does the discount come to?"),
        ("10000 * 0.05", "A loan of 10000 euros plus 5% interest. What does the interest cost?"),
        ("500 * 0.04", "500 units, minus 4% scrap. How many units are scrap in all?"),
        ("500 * 0.2", "The battery shows 20% off peak usage of 500 kWh. What does that come to?"),
        ("747.75 * 1.19", VAT),
        ("(36 * 15.4 + 8) * 0.9", ORDER),
        ("3 * 1.19 * 1.19", "Three loaves at 1.19 euros each, plus 19% VAT: what is the total?"),
        ("100 * 0.9 * 0.9", "A coat costs 100 euros. It is reduced by 10% discount twice. What is the price?"),
        ("36 * 15.4 + 8 - 0.1 * (36 * 15.4 + 8)", ORDER),
        ("36 * 15.4 * 1.1", "36 novels at 15.4 euros, 10 % off and 7 % tax, in all?"),
        ("747.75 + 747.75 * 0.19", VAT),
        ("80 * 0.2", "How much less do I pay for an 80 euro jacket with 20 % off?"),
        ("40 + 40 * 0.5", "One jacket is 40 euros; the second is 50% off. What is the total?"),
        ("1000 * 1.1 * 1.1", "A price of 1000 rises with 10% surcharge per year for two years. What does it cost?"),
        ("100 * 0.9 * 0.9", "A 100 euro ring with 10% off on Monday, and ten percent off that. What is the price?"),
        ("50 * 0.15", "The meal costs 50 dollars plus 15% tip. How much does the waiter get?"),
        ("747.75 * (1 + 0.19)", VAT),
        ("747.75", VAT),
        ("0.19 * 0.19", VAT),
        ("price * 0.19", VAT),
        ("747.75 * 0.07", VAT),
        ("747.75 * 0.19", VAT + " " * 1000),
        ("(747.75 * 0.19", VAT),
        ("", VAT),
    ],
)
def test_any_other_calculation_stays_as_it_is(given: str, task: str) -> None:
    assert whole(given, task) == given


async def test_the_call_that_is_made_is_the_one_with_the_share(house: Build) -> None:
    specs: Any = {"calc": {"effect": Effect.READ, "grounded": frozenset({"of"}), "roles": {"of": Role.LOW}}}
    agent = house(
        [step(("calc", {"of": "747.75 * 0.19"})), final("889.82")],
        tools={"calc": lambda args: {"result": "889.8225"}},
        specs=specs,
    )
    await agent.run(VAT)
    assert agent.tools["calc"].calls == [{"of": "747.75 * 1.19"}]


FIRINGS = "One firing uses 49 kilowatt hours, and a kilowatt hour costs 35 cents. How many euros do 16 firings cost?"
REHEARSAL = "The first rehearsal is on 3 February 2026, the concert on 10 May 2026. How many days are between them?"


@pytest.mark.parametrize(
    ("given", "task", "meant"),
    [
        ("49 * 16 * 35", FIRINGS, "49 * 16 * 0.35"),
        ("49 * 16 * 35 / 100", FIRINGS, "49 * 16 * 35 / 100"),
        ("49 * 16 * 35 * 0.01", FIRINGS, "49 * 16 * 35 * 0.01"),
        ("49 * 16 * 35", f"{FIRINGS} Give it in cents, not in euros.", "49 * 16 * 35"),
        ("60 * 5", "How many euros do 5 one-hour calls at 60 cents a minute cost?", "60 * 5"),
        ("49 * 16 * 0.35", FIRINGS, "49 * 16 * 0.35"),
        ("49 * 16 * 35", FIRINGS.replace("euros", "cents"), "49 * 16 * 35"),
        ("49 * 16 * 35", FIRINGS.replace("49", "35"), "49 * 16 * 35"),  # which one is it?
    ],
)
def test_a_price_in_cents_is_reckoned_with_as_what_is_asked_for(given: str, task: str, meant: str) -> None:
    assert in_euros(given, task) == meant


@pytest.mark.parametrize(
    ("given", "task", "meant"),
    [
        ("10/5 - 3/2", REHEARSAL.replace("are between them", "after it is the concert"), "2026-05-10 - 2026-02-03"),
        ("10 - 3", "How many days lie between 2026-05-10 and 3 February 2026?", "2026-05-10 - 2026-02-03"),
        ("10 May 2026 - 3 February 2026", REHEARSAL, "10 May 2026 - 3 February 2026"),
        ("10 - 3", "How many days off did Ann have between 2026-05-01 and 2026-05-10?", "10 - 3"),
        ("10 - 3", "How many hours are there from 2026-05-01 to 2026-05-10?", "10 - 3"),
        ("10 - 3", "How many days after 2026-05-01 is it?", "10 - 3"),
        ("8 * 2", "From 2026-03-01 to 2026-03-31 Ann worked 8 shifts, each of 2 days. How many days is that?", "8 * 2"),
    ],
)
def test_the_days_between_two_dates_are_those_of_the_task(given: str, task: str, meant: str) -> None:
    assert between_days(given, task) == meant


SCHOOL = "A group wants day tickets for 3 adults and 20 children. What would they pay altogether with the prices there?"


PRICES = ("# Prices", "Day ticket, adult | 12.17 euros", "Day ticket, child | 5.46 euros", "Locker | 4.50 euros")


@pytest.mark.parametrize(
    ("given", "task", "meant"),
    [
        ("(12.17 + 5.46) * 3", SCHOOL, "3 * 12.17 + 20 * 5.46"),
        ("5.46 * 3 + 12.17 * 20", SCHOOL, "3 * 12.17 + 20 * 5.46"),
        ("12.17 + 5.46", "What do 3 adult tickets and 20 child tickets cost?", "3 * 12.17 + 20 * 5.46"),
        ("20*5.46 + 3*12.17", SCHOOL, "20*5.46 + 3*12.17"),
        ("(3 * 12.17 + 20 * 5.46) * 0.9", SCHOOL, "(3 * 12.17 + 20 * 5.46) * 0.9"),
        ("12.17 + 4.50", SCHOOL, "12.17 + 4.50"),  # of the locker nothing is said
        ("20 * 5.46 + 3 * 12.17 + 20", SCHOOL, "20 * 5.46 + 3 * 12.17 + 20"),  # a snack of 1 euro each
        ("12.17 * 3", SCHOOL, "12.17 * 3"),  # where is the other price?
        ("12.17 - 5.46", SCHOOL, "12.17 - 5.46"),
        ("12.17 * 3 + 109.2", SCHOOL, "12.17 * 3 + 109.2"),  # worked out before
        ("12.17 * 3 + 5.46", SCHOOL, "3 * 12.17 + 20 * 5.46"),
        ("1.2.3 + 5.46", SCHOOL, "1.2.3 + 5.46"),
        ("12.17 * 3", "What do 3 adult tickets cost?", "12.17 * 3"),
        ("3 * 12.17 + 3 * 5.46", SCHOOL, "3 * 12.17 + 20 * 5.46"),
        ("3 * 12.17 + 3 * 5.46", f"{SCHOOL} 17 of the children go in free.", "3 * 12.17 + 3 * 5.46"),
    ],
)
def test_each_price_is_that_of_the_thing_that_its_line_names(given: str, task: str, meant: str) -> None:
    assert each_priced(given, task, PRICES) == meant
    assert each_priced(given, task, ()) == given


KITTENS = "Six kittens weigh 351, 299, 422, 399, 456 and 346 grams. What is their average weight?"


@pytest.mark.parametrize(
    ("given", "task", "meant"),
    [
        ("(351+299+422+399+456)/6", KITTENS, "(351 + 299 + 422 + 399 + 456 + 346)/6"),
        ("(299 + 422 + 399 + 456 + 346) / 6", KITTENS, "(351 + 299 + 422 + 399 + 456 + 346) / 6"),
        ("(351+299+422+399+456+346)/6", KITTENS, "(351+299+422+399+456+346)/6"),
        ("(351+422+399+456+346)/6", KITTENS, "(351+422+399+456+346)/6"),
        ("(351+299)/2", KITTENS, "(351+299)/2"),
        ("351+299+422+399+456*2", KITTENS, "351+299+422+399+456*2"),
        ("(351+299+422+399+456)/5", f"{KITTENS} Leave out the last one.", "(351+299+422+399+456)/5"),
        ("351+299+422+399+456", KITTENS, "351+299+422+399+456"),
        (
            "(12 + 15 + 9) / 4",
            "We paid 12, 15, 9 and 20 euros. The 20 euros are refunded, and four share it. What is it on average?",
            "(12 + 15 + 9) / 4",
        ),
        (
            "(8 + 9 + 7) / 4",
            "The scores are 8, 9, 7 and 5. The lowest is dropped to 0. What is the average of the four?",
            "(8 + 9 + 7) / 4",
        ),
        ("351+299+422+399", f"{KITTENS} And of the first four?", "351+299+422+399"),
        ("12 + 15", "We sold 12, 15, 18 and 20 pots. How many on Monday and Tuesday together?", "12 + 15"),
        (
            "100 - (12 + 15 + 18)",
            "Of 100 euros I spent 12, 15, 18 and 20. How much was left after three days in all?",
            "100 - (12 + 15 + 18)",
        ),
        ("3 + 4 + 5", "Rooms 3, 4, 5 and 6: how many beds have rooms 3, 4 and 5 in total?", "3 + 4 + 5"),
    ],
)
def test_of_a_list_that_is_added_up_no_number_is_forgotten(given: str, task: str, meant: str) -> None:
    assert all_of_them(given, task) == meant


def test_one_price_for_both_is_of_neither() -> None:
    lines = ("Adult | 5.00 euros", "Child | 5.00 euros")
    assert each_priced("5.00 * 3", SCHOOL, lines) == "5.00 * 3"


def test_all_of_it_together() -> None:
    task = "3 pens cost 40 cents each, plus 20 % VAT. How many euros is that in all?"
    assert operands("3 * 40", task) == "3 * 0.4"
    assert operands("3 * 0.40 * 0.2", task) == "3 * 0.4 * 1.2"
