"""A sum where the task asks for money: of how many there are, of prices one by one, or of both."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

TABLES = [
    {
        "table": "order_parts",
        "columns": ["order_id INTEGER = orders.id", "part_id INTEGER = parts.id", "quantity INTEGER"],
    },
    {"table": "parts", "columns": ["id INTEGER", "name TEXT", "price REAL"]},
]
COME_TO = "What do the parts of order 7 come to? The database has how many of each, and the prices."
PIECES = "select sum(quantity) from order_parts where order_id = 7"
EACH = "select sum(p.price) from parts p join order_parts o on o.part_id = p.id where o.order_id = 7"


@pytest.mark.parametrize(
    ("task", "sql", "said"),
    [
        (
            COME_TO,
            PIECES,
            "SUM(quantity * price) from order_parts JOIN parts ON order_parts.part_id = parts.id where order_id = 7",
        ),
        (COME_TO, EACH, "SUM(p.price * quantity)"),
        (COME_TO, PIECES.replace("quantity)", "quantity * price)"), ""),
        ("How many parts are in order 7, whatever they cost?", PIECES, ""),
        ("How many pieces does order 7 have?", PIECES, ""),
        ("What do the prices of the parts come to?", "select sum(price) from parts", ""),  # no pieces are asked about
        ("What was the revenue of tea?", "select sum(total_price) from order_parts", ""),
        ("What was the total of the units sold of items that cost more than 5 euros?", PIECES, ""),
        ("How much tea, in pounds, did we sell?", "select sum(weight) from parts", ""),
        ("What is the total weight (kg) of tea sold to customers who paid?", PIECES, ""),
        (COME_TO, "select part_id, sum(quantity) from order_parts group by part_id", ""),
    ],
)
async def test_what_a_sum_of_money_leaves_out_is_told_once(house: Build, task: str, sql: str, said: str) -> None:
    def query(args: Any) -> Any:
        rows = [[15], [16]] if "group" in args["sql"] else [[15]]
        return {"rows": rows} if args["sql"] else {"tables": TABLES}

    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}}
    agent = house(
        [step(("query", {"sql": ""})), step(("query", {"sql": sql})), *[final("It is 15")] * 2],
        tools={"query": query}, specs=specs,
    )  # fmt: skip
    await agent.run(task)
    told = "\n".join(str(prompt.messages) for prompt in agent.model.prompts)
    assert ("is of" in told and said in told) if said else "alone. Ask for" not in told
