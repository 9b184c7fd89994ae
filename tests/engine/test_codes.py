"""The code that a call asks for is the one that the task describes."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Build, final, step

LOG = "P-24 strainer cleaned\nP-38 motor changed\nP-30 is leaking at the shaft\nP-22 greased"
TASK = "One of the pumps is leaking. On which shelf is its seal kit?"
PARTS: Any = {"schema": {"type": "object", "properties": {"fits": {}, "line": {}}}}


@pytest.fixture
def asked(house: Build) -> Any:
    async def ask(task: str = TASK, *calls: dict[str, Any], log: str = LOG) -> tuple[list[Any], str]:
        """What the parts were asked for, and what the model was told."""
        tools = {"read": lambda args: {"text": log}, "parts": lambda args: {"rows": [["B21"]]}}
        made = [step(("read", {"of": "log"})), *(step(("parts", call)) for call in calls or [{"fits": "P-38"}] * 2)]
        agent = house([*made, final("B21"), final("B21"), final("B21")], tools=tools, specs={"parts": PARTS})
        await agent.run(task)
        return agent.tools["parts"].calls, "\n".join(str(prompt.messages) for prompt in agent.model.prompts)

    return ask


async def test_another_code_than_the_tasks_is_refused_once_and_who_has_a_reason_asks_again(asked: Any) -> None:
    calls, told = await asked(TASK, {"fits": "P-38"}, {"fits": "P-30"})
    assert calls == [{"fits": "P-30"}]
    assert "the task does not speak of P-38, but of P-30: " in told
    calls, _ = await asked()  # the very same again
    assert calls == [{"fits": "P-38"}]


@pytest.mark.parametrize(
    ("task", "call", "log"),
    [
        (TASK, {"fits": "P-30"}, LOG),  # the very one
        (TASK, {"fits": "P-99"}, LOG),  # nothing has said that one
        (TASK, {"fits": "M-38"}, LOG),  # another kind
        (TASK, {"fits": "P-38 or so"}, LOG),  # no code alone
        (TASK, {"fits": "P-38"}, f"{LOG}\nP-27 is leaking"),  # of two others, it may be neither
        (TASK, {"fits": "P-38"}, f"{LOG}\nP-38 is leaking too"),
        (TASK, {"fits": "P-38"}, f"{LOG}\nP-38 got a new seal"),  # the task speaks of both
        (TASK, {"fits": "P-38"}, LOG.replace("P-30 is", "P-30 and P-24 are")),  # a line of two tells of neither
        ("P-38 and one more pump are leaking. On which shelf is the seal kit?", {"fits": "P-38"}, LOG),
        ("A pump other than the one that is leaking needs a kit. Which shelf?", {"fits": "P-38"}, LOG),
        ("Is the leaking pump's kit dearer than that of the one with a changed motor?", {"fits": "P-38"}, LOG),
        (f"{TASK} {'x' * 1000}", {"fits": "P-38"}, LOG),  # a text was pasted
        ("Which kit fits the pump that feeds the leaking one?", {"fits": "P-38"}, LOG),
        ("Which kit fits the pump that came after the leaking one?", {"fits": "P-38"}, LOG),
        ("A pump broke down on Monday. Which kit fits it?", {"fits": "P-38"}, f"{LOG}\nP-41 did not break down Monday"),
        (TASK, {"fits": "P-38"}, LOG.replace("is leaking", "was leaking in 2019, sealed since")),
    ],
)
async def test_any_other_call_is_made_as_it_is(asked: Any, task: str, call: dict[str, Any], log: str) -> None:
    calls, told = await asked(task, call, log=log)
    assert calls == [call]
    assert "does not speak of" not in told


STAFF = [
    {"name": "Anna Smith", "manager": "Bob Jones", "dept": "Sales"},
    {"name": "Bob Jones", "manager": "Di Rey", "dept": "Board"},
    {"name": "Dan Poe", "manager": "Bob Jones", "dept": "Ops"},
    {"name": "Eve Fox", "manager": "Di Rey", "dept": "Ops"},
]  # fmt: skip


async def test_a_row_that_leads_on_to_another_one_changes_nothing(house: Build) -> None:
    sql = "select spent from depts where dept = 'Board'"
    tools = {"fetch": lambda args: {"json": STAFF}, "query": lambda args: {"rows": [[320]]}}
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}}
    agent = house(
        [step(("fetch", {"of": "x"})), step(("query", {"sql": sql})), *[final("320")] * 3], tools=tools, specs=specs
    )
    await agent.run("Who is the manager of Anna Smith, and how much did the department of that manager spend?")
    assert agent.tools["query"].calls == [{"sql": sql}]


BOARD = [
    {"time": "15:10", "ship": "Petrel", "quay": 2}, {"time": "15:30", "ship": "Shearwater", "quay": 1},
    {"time": "15:40", "ship": "Guillemot", "quay": 1}, {"time": "16:20", "ship": "Guillemot", "quay": 3},
]  # fmt: skip
LEAVES = "Which ship leaves at 15:30, and how many seats does she have?"


@pytest.mark.parametrize(
    ("task", "ship", "asked_for"),
    [
        (LEAVES, "Guillemot", "Shearwater"),
        (LEAVES, "Shearwater", "Shearwater"),
        (LEAVES, "Kittiwake", "Kittiwake"),  # nothing has said that one
        ("Which ships leave after 15:30, and how many seats has the first of them?", "Guillemot", "Guillemot"),
        ("Does the Guillemot leave at 15:30, and how many seats has she?", "Guillemot", "Guillemot"),
        ("Which ship does not leave at 15:30?", "Guillemot", "Guillemot"),
        ("Which ship leaves last?", "Petrel", "Petrel"),
        ("We miss the 15:30. How many seats has the next ship?", "Guillemot", "Guillemot"),
        ("Compare the seats of the 15:30 ship with the one ten minutes later.", "Guillemot", "Guillemot"),
    ],
)
async def test_a_text_of_another_row_than_the_tasks_is_that_of_its_row(
    house: Build, task: str, ship: str, asked_for: str
) -> None:
    query = step(("query", {"sql": f"select seats from ships where ship = '{ship}'"}))
    tools = {"fetch": lambda args: {"json": {"departures": BOARD}}, "query": lambda args: {"rows": [[320]]}}
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}}
    agent = house([step(("fetch", {"of": "x"})), query, *[final("320")] * 3], tools=tools, specs=specs)
    await agent.run(task)
    assert agent.tools["query"].calls == [{"sql": f"select seats from ships where ship = '{asked_for}'"}]


LAMPS = "18:45 ERROR P-271 LAMP_FAIL\n19:21 WARN P-260 hot\n13:21 ERROR P-248 LAMP_FAIL"


@pytest.mark.parametrize(
    ("code", "asked_for", "closest"),
    [
        ("P-271", "P-248", ["13:21 ERROR P-248 LAMP_FAIL"]),
        ("P-248", "P-248", ["13:21 ERROR P-248 LAMP_FAIL"]),
        ("P-999", "P-999", ["13:21 ERROR P-248 LAMP_FAIL"]),  # nothing has said that one
        ("P-271", "P-271", ["13:21 ERROR P-248 LAMP_FAIL", "19:21 WARN P-260 hot"]),
        ("P-271", "P-271", []),
    ],
)
@pytest.mark.parametrize("ranked", [True, False])
async def test_the_last_of_its_kind_is_asked_for_and_none_before_it(
    house: Build, code: str, asked_for: str, closest: list[str], ranked: bool
) -> None:
    passage = {
        "path": "a.log",
        "text": LAMPS,
        "note": "a sample",
        **({"ranked": "the last of its kind"} if ranked else {}),
    }
    tools = {
        "find": lambda args: {"passages": [passage], "closest lines": [f"- {one}" for one in closest]},
        "query": lambda args: {"rows": [["Attic"]]},
    }
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}, "find": {"opens": "question"}}
    query = step(("query", {"sql": f"select room from equipment where serial = '{code}'"}))
    agent = house([query, *[final("Attic")] * 3], tools=tools, specs=specs)
    await agent.run("Take the most recent LAMP_FAIL and look up its projector. Which room is it in?")
    (call,) = agent.tools["query"].calls
    assert call == {"sql": f"select room from equipment where serial = '{asked_for if ranked else code}'"}


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("In which room is the projector with the most recent LAMP_FAIL but one?", "P-271"),
        ("Which projector had the last LAMP_FAIL, and where is the one before it?", "P-271"),
        ("Which room has the projector with the most recent LAMP_FAIL?", "P-260"),  # of another kind
    ],
)
async def test_what_was_before_the_last_may_be_asked_for(house: Build, task: str, code: str) -> None:
    passage = {"path": "a.log", "text": LAMPS, "note": "a sample", "ranked": "the last of its kind"}
    tools = {
        "find": lambda args: {"passages": [passage], "closest lines": ["- 13:21 ERROR P-248 LAMP_FAIL"]},
        "query": lambda args: {"rows": [["Attic"]]},
    }
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}, "find": {"opens": "question"}}
    sql = f"select room from equipment where serial = '{code}'"
    agent = house([step(("query", {"sql": sql})), *[final("Attic")] * 3], tools=tools, specs=specs)
    await agent.run(task)
    assert agent.tools["query"].calls[0] == {"sql": sql}


NEWS = (
    "# News\nThe kiln is hot again.\nOur glaze of the month is Moss Green.\nCeladon was our glaze of the month before."
)


@pytest.mark.parametrize(
    ("task", "glaze", "asked_for", "page"),
    [
        ("The news say what our glaze of the month is. How many pieces have it?", "Celadon", "Moss Green", NEWS),
        ("The news say what our glaze of the month is. How many pieces have it?", "Moss Green", "Moss Green", NEWS),
        ("The news say what our glaze of the month was. How many pieces have it?", "Celadon", "Celadon", NEWS),
        ("How many pieces of Celadon are there, and what is the glaze of the month?", "Celadon", "Celadon", NEWS),
        (
            "The news say what our glaze of the month is. How many have it?",
            "Celadon",
            "Celadon",
            f"{NEWS}\nNo glaze this month.",
        ),
    ],
)
async def test_a_name_of_before_is_that_of_now(house: Build, task: str, glaze: str, asked_for: str, page: str) -> None:
    query = step(("query", {"sql": f"select count(*) from pieces where glaze = '{glaze}'"}))
    tools = {"fetch": lambda args: {"text": page}, "query": lambda args: {"rows": [[18]]}}
    specs: Any = {"query": {"schema": {"type": "object", "properties": {"sql": {}}}}}
    agent = house([step(("fetch", {"of": "x"})), query, *[final("18")] * 3], tools=tools, specs=specs)
    await agent.run(task)
    assert agent.tools["query"].calls == [{"sql": f"select count(*) from pieces where glaze = '{asked_for}'"}]
