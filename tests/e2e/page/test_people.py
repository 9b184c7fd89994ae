"""Accounts and keys on the page: what one may do with one's own, and what an admin may with others'."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .kit import BOB, House, Watch, sign_in


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[BrowserContext]:
    """The browser of somebody else."""
    made = browser.new_context()
    yield made
    made.close()


def secret(dialog: Locator, label: str | re.Pattern[str]) -> str:
    """What is shown this once; the dialog is closed."""
    shown = dialog.get_by_label(label)
    expect(shown).to_be_visible()
    told = shown.input_value()
    dialog.get_by_role("button", name="I have kept it").click()
    expect(shown).to_have_count(0)
    return told


def add(page: Page, house: House, name: str, *roles: str) -> str:
    """Add an account in the room; its password."""
    page.goto(f"{house.base}/#/people")
    page.get_by_role("button", name="Add somebody").click()
    dialog = page.get_by_role("dialog", name="Add somebody")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Other roles").fill(", ".join(roles))
    dialog.get_by_role("button", name="Add", exact=True).click()
    return secret(page.get_by_role("dialog"), f"Password of {name}")


def opened(page: Page, name: str) -> Locator:
    """The sheet of one person."""
    page.get_by_role("region", name="People").get_by_role("button", name=name, exact=True).click()
    return page.get_by_role("dialog", name=name, exact=True)


def asks(base: str, key: str, path: str = "/v1/runs") -> int:
    """What a program with this key is answered."""
    return httpx2.get(f"{base}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=60).status_code


def test_a_key_is_made_for_what_is_ticked_shown_once_used_and_revoked(page: Page, house: House, watch: Watch) -> None:
    page.goto(f"{house.base}/#/account")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it is for").fill("the night job")
    dialog.get_by_role("checkbox", name=re.compile("^runs")).uncheck()
    dialog.get_by_role("button", name="Make the key").click()
    expect(dialog.get_by_text("Tick one at least.")).to_be_visible()
    dialog.get_by_role("checkbox", name=re.compile("^runs")).check()
    dialog.get_by_label("Ends after").select_option("7")
    dialog.get_by_role("button", name="Make the key").click()
    key = secret(dialog, "API key")
    assert asks(house.base, key) == 200
    assert asks(house.base, key, "/v1/memory") == 403, "for what was ticked alone"
    listed = page.get_by_role("region", name="API keys")
    row = listed.get_by_role("row").filter(has_text="the night job")
    expect(row).to_contain_text("in 7 days")
    page.reload()
    expect(row).to_be_visible()
    assert key not in page.content(), "nobody can show it again"
    row.get_by_role("button", name="Revoke the night job").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    expect(row).to_have_count(0)
    assert asks(house.base, key) == 401
    page.get_by_role("button", name=re.compile("^Show 1 key that has ended")).click()
    expect(row).to_contain_text("revoked")
    watch.harmless(page)


def test_a_new_password_ends_the_other_sessions_and_this_one_goes_on(
    page: Page, house: House, elsewhere: BrowserContext, browser: Browser
) -> None:
    first = add(page, house, "gina")
    other = elsewhere.new_page()
    sign_in(other, house.base, "gina", first)
    mine = browser.new_context()
    here = mine.new_page()
    sign_in(here, house.base, "gina", first)
    here.goto(f"{house.base}/#/account")
    rows = here.get_by_role("region", name="Sessions").get_by_role("row")
    expect(rows).to_have_count(3)
    here.get_by_label("Present password").fill("not the one")
    here.get_by_label("New password", exact=True).fill("a walrus of four words")
    here.get_by_label("New password again").fill("a walrus of four words")
    here.get_by_role("button", name="Change the password").click()
    expect(here.get_by_text("the name or the password is wrong")).to_be_visible()
    here.get_by_label("Present password").fill(first)
    here.get_by_role("button", name="Change the password").click()
    expect(here.get_by_text("Your password is changed.")).to_be_visible()
    assert here.request.get(f"{house.base}/auth/session").status == 200
    assert other.request.get(f"{house.base}/auth/session").status == 401
    mine.close()


def test_somebody_is_added_comes_in_gets_a_role_and_is_put_out(
    page: Page, house: House, elsewhere: BrowserContext, watch: Watch
) -> None:
    password = add(page, house, "harry", "board")
    theirs = elsewhere.new_page()
    sign_in(theirs, house.base, "harry", password)
    theirs.goto(f"{house.base}/#/collections")
    expect(theirs.get_by_role("link", name="board", exact=True)).to_be_visible()
    page.reload()
    sheet = opened(page, "harry")
    expect(sheet.get_by_role("checkbox", name="board")).to_be_checked()
    sheet.get_by_role("checkbox", name="board").uncheck()
    sheet.get_by_role("checkbox", name="auditor").check()
    sheet.get_by_role("button", name="Save roles and teams").click()
    expect(page.get_by_text("Changed: harry may do so")).to_be_visible()
    theirs.goto(f"{house.base}/#/audit")
    expect(theirs.get_by_role("button", name=re.compile("Verify"))).to_have_count(0)  # the page learns it anew
    theirs.reload()
    expect(theirs.get_by_role("button", name=re.compile("^Verify"))).to_be_visible()
    sheet.get_by_role("region", name="Sessions of harry").get_by_role("button", name=re.compile("^End")).first.click()
    expect(page.get_by_text("That session has ended.")).to_be_visible()
    assert theirs.request.get(f"{house.base}/auth/session").status == 401
    sheet.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog", name="Disable harry?").get_by_role("button", name="Disable").click()
    expect(sheet).to_contain_text("nobody comes in as them")
    refused = theirs.request.post(f"{house.base}/auth/login", data={"name": "harry", "password": password})
    assert refused.status == 401
    sheet.get_by_role("button", name="Enable").click()
    page.get_by_role("dialog", name="Let harry in again?").get_by_role("button", name="Enable").click()
    expect(sheet.get_by_role("button", name="Disable")).to_be_visible()
    sheet.get_by_role("button", name="Another password").click()
    page.get_by_role("dialog", name="Another password?").get_by_role("button", name="Make one").click()
    new = secret(page.get_by_role("dialog"), "Password of harry")
    sign_in(theirs, house.base, "harry", new)
    watch.harmless(page)


def test_a_key_of_somebody_else_is_revoked_and_ones_own_account_is_not_changed_there(page: Page, house: House) -> None:
    password = add(page, house, "iris", "admin")
    with httpx2.Client(base_url=house.base, timeout=60) as iris:
        iris.post("/auth/login", json={"name": "iris", "password": password})
        csrf = {"X-CSRF-Token": iris.get("/auth/session").json()["csrf"]}
        made = iris.post("/auth/keys", json={"scopes": ["runs"], "days": 1, "purpose": "hers"}, headers=csrf).json()
        assert iris.post(f"/v1/people/{house.name}/disable", headers=csrf).json()["code"] == "operator"
        assert iris.post("/v1/people/iris/disable", headers=csrf).json()["code"] == "self"
    assert asks(house.base, made["key"]) == 200
    page.reload()
    sheet = opened(page, "iris")
    sheet.get_by_role("button", name="Revoke hers").click()
    page.get_by_role("dialog", name="Revoke this key?").get_by_role("button", name="Revoke it").click()
    expect(sheet.get_by_text("No key holds")).to_be_visible()
    assert asks(house.base, made["key"]) == 401
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    mine = opened(page, house.name)
    expect(mine).to_contain_text("This is you.")
    expect(mine.get_by_role("button", name=re.compile("Disable|Save roles|Another password"))).to_have_count(0)


def test_whoever_is_no_admin_sees_no_people_and_makes_no_key_for_more_than_they_may(
    elsewhere: BrowserContext, house: House
) -> None:
    page = elsewhere.new_page()
    sign_in(page, house.base, *BOB)
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    page.goto(f"{house.base}/#/people")
    expect(page.get_by_role("heading", name="For admins")).to_be_visible()
    page.goto(f"{house.base}/#/account")
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("checkbox", name=re.compile("^runs"))).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^(audit|admin|metrics)"))).to_have_count(0)
