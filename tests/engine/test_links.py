"""A page that a page of the same site links to is gone on to; what stands on a page is vouched for by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.grants import TaskGrant
from ringfence.core.policy import Effect, Role
from ringfence.engine.links import named_link
from ringfence.tools.tool import LINK_OF_URL

from .conftest import Build, House, final, step

SITE = "http://site.test"
LINKS = [
    {"text": "About us", "url": f"{SITE}/about"},
    {"text": "Planned outages", "url": f"{SITE}/outages"},
    {"text": "Live data", "url": f"{SITE}/api/live.json"},
    {"text": "Our shop", "url": "http://other.test/shop"},
    {"text": "Invoices", "url": f"{SITE}/invoices/7"},
    {"text": "Orders", "url": f"{SITE}/orders/cancel"},
]
FETCH: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {"url": {"type": "string"}, "follow": {"type": "string", "default": "", **LINK_OF_URL}},
        "required": ["url"],
        "additionalProperties": False,
    },
    "effect": Effect.EGRESS,
    "idempotent": True,
    "confined": False,
    "audience": None,
    "roles": {"url": Role.CONTROL, "follow": Role.LOW},
    "types": {"url": "url"},
}
TASK = f"Our web site {SITE} has a page about planned outages: until when is the power off?"


@pytest.fixture
def site(house: Build) -> Any:
    def build(*urls: str) -> House:
        script = [*(step(("fetch", {"url": url})) for url in urls), final("14:30"), final("14:30")]
        return house(
            script,
            tools={"fetch": lambda args: {"url": SITE, "text": "# Home", "links": LINKS}},
            specs={"fetch": FETCH},
        )

    return build


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (f"{SITE}/outages", f"{SITE}/outages"),
        (f"{SITE}/planned-outages", f"{SITE}/outages"),  # what its text says, and no page
    ],
)
async def test_a_link_of_a_page_is_gone_on_to_by_way_of_that_page(site: Any, url: str, link: str) -> None:
    agent = site(SITE, url)
    assert (await agent.run(TASK)).status == "done"  # nobody had to say yes
    assert agent.tools["fetch"].calls == [{"url": SITE}, {"url": SITE, "follow": link}]
    assert not any(b"follow" in (prompt.schema or b"") for prompt in agent.model.prompts)  # no model is asked for it


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/admin", f"{SITE}/", "http://other.test/shop", f"{SITE}/about-outages", f"{SITE}/outages?year=2026",
        f"{SITE}/invoices/8", f"{SITE}/orders", "https://site.test/outages", "http://site.test:8080/outages",
    ],
)  # fmt: skip
async def test_what_no_page_of_the_site_links_to_is_asked_for(site: Any, url: str) -> None:
    agent = site(SITE, url)
    assert (await agent.run(TASK)).status == "waiting"
    assert len(agent.tools["fetch"].calls) == 1


async def test_where_the_pages_of_a_task_are_named_a_link_is_none_of_them(site: Any) -> None:
    agent = site(SITE, f"{SITE}/outages")
    agent.grant = TaskGrant(agent.grant.sinks, {}, {"tool:fetch": [SITE]})
    result = await agent.run(TASK)
    assert agent.tools["fetch"].calls == [{"url": SITE}]
    assert any(r.view.get("code") == "outside-grant" for r in agent.records()), result


async def test_a_model_that_gives_the_link_itself_is_not_heard(house: Build) -> None:
    script = [step(("fetch", {"url": SITE, "follow": f"{SITE}/admin"})), final("14:30"), final("14:30")]
    agent = house(script, tools={"fetch": lambda args: {"url": SITE, "text": "# Home"}}, specs={"fetch": FETCH})
    await agent.run(TASK)
    assert agent.tools["fetch"].calls == [{"url": SITE}]


async def test_a_link_is_of_the_site_where_a_redirect_has_led(house: Build) -> None:
    there = "https://www.site.test"
    links = [{"text": "Planned outages", "url": f"{there}/outages"}, {"text": "Home", "url": f"{there}/"}]
    script = [step(("fetch", {"url": SITE})), step(("fetch", {"url": f"{there}/outages"})), final("1"), final("1")]
    tools = {"fetch": lambda args: {"url": f"{there}/", "text": "# Home", "links": links}}
    agent = house(script, tools=tools, specs={"fetch": FETCH})
    assert (await agent.run(TASK)).status == "done"
    assert agent.tools["fetch"].calls[1] == {"url": SITE, "follow": f"{there}/outages"}


async def test_a_link_of_a_page_that_nobody_named_is_asked_for(site: Any) -> None:
    agent = site(f"{SITE}/outages")
    assert (await agent.run("Until when is the power off in Vineyard Lane?")).status == "waiting"
    assert agent.tools["fetch"].calls == []


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (TASK, f"Planned outages: {SITE}/outages"),
        ("What do the live data say?", f"Live data: {SITE}/api/live.json"),
        ("What do the live data say of planned outages?", ""),  # which of the two?
        ("Until when is the power off?", ""),
    ],
)
def test_the_link_that_a_task_names(task: str, line: str) -> None:
    assert named_link({"links": LINKS}, task) == line
    assert named_link({"links": "none"}, task) == ""
    assert named_link([1], task) == ""
