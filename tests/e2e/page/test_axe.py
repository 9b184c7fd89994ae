"""Whoever reads with a screen reader, in the dark or on a phone: axe finds nothing that stops them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from .kit import BOB, House, ask, ended

PHONE: ViewportSize = {"width": 360, "height": 780}
WIDE: ViewportSize = {"width": 1440, "height": 900}
ROOMS = (
    "chat", "approvals", "runs", "runs?q=nothing-is-called-that", "memory", "memory?state=quarantined", "collections",
    "collections?q=leave", "collections/handbook", "audit", "people", "status", "account", "no-such-room",
)  # fmt: skip
GRAVE = ("serious", "critical")


def found(page: Page) -> list[str]:
    """What axe finds that is serious or worse, a line each."""
    told: Any = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]}"
        for one in told["violations"] if one["impact"] in GRAVE for node in one["nodes"]
    ]  # fmt: skip


@pytest.fixture(scope="package")
def asked(browser: Browser, house: House, signed: Callable[[str], StorageState]) -> str:
    """A run that has ended, by its id; another one waits for an answer."""
    context = browser.new_context(storage_state=signed(house.name), viewport=WIDE)
    page = context.new_page()
    page.goto(f"{house.base}/")
    ask(page, "Write the greeting to data/greeting.txt")
    expect(page.locator(".approval")).to_be_visible(timeout=15_000)
    page.goto(f"{house.base}/#/chat")
    ask(page, "How many files are there?")
    ended(page, "There are three files.", within_s=15)
    run: str = page.request.get(f"{house.base}/v1/runs?limit=1").json()["data"][0]["id"]
    context.close()
    return run


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_no_room_has_a_serious_finding_nor_is_wider_than_the_screen(
    browser: Browser, house: House, signed: Callable[[str], StorageState], asked: str, size: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:  # fmt: skip
    context = browser.new_context(storage_state=signed(house.name), viewport=size, color_scheme=scheme)
    page = context.new_page()
    wrong: dict[str, list[str]] = {}
    for room in (*ROOMS, f"runs/{asked}"):
        page.goto(f"{house.base}/#/{room}")
        page.get_by_role("heading", level=1).wait_for(state="attached")
        expect(page.locator(".loading")).to_have_count(0)
        lines = found(page)
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > size["width"]:
            lines.append(f"it is {wide} px wide on a screen of {size['width']}")
        if lines:
            wrong[room] = lines
    context.close()
    assert wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_and_what_opens_over_a_room_have_no_serious_finding(
    browser: Browser, house: House, signed: Callable[[str], StorageState], asked: str, scheme: Literal["light", "dark"]
) -> None:
    outside = browser.new_context(color_scheme=scheme)
    page = outside.new_page()
    page.goto(f"{house.base}/")
    page.get_by_label("Name").wait_for()
    assert found(page) == []
    outside.close()
    context = browser.new_context(storage_state=signed(house.name), viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{house.base}/#/collections/handbook")
    page.get_by_role("button", name="leave.md", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("three years")
    assert found(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete leave.md").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found(page) == []
    page.keyboard.press("Escape")
    page.goto(f"{house.base}/#/account")
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("checkbox", name=re.compile("^runs"))).to_be_visible()
    assert found(page) == []
    page.keyboard.press("Escape")
    page.goto(f"{house.base}/#/people")
    for name in (BOB[0], house.name):
        page.get_by_role("region", name="People").get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("dialog").get_by_role("heading", name="API keys")).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
        assert found(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Status")).to_be_visible()
    assert found(page) == []
    context.close()
