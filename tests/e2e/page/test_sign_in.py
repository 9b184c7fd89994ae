"""In and out of the page."""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext, Page, expect

from .kit import House, Watch, sign_in


def test_a_wrong_password_is_refused_in_words_and_the_right_one_lets_in(browser: Browser, house: House) -> None:
    context = browser.new_context()
    watch = Watch(house.base)
    watch.on(context)
    page = context.new_page()
    page.goto(f"{house.base}/")
    page.get_by_label("Name").fill(house.name)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_value("")  # what was wrong is not kept on the screen
    page.get_by_label("Password").fill(house.password)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("navigation", name="Rooms")).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies, "there is a session"
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies.values())
    assert page.evaluate("document.cookie") == ""  # no script can read it
    watch.harmless(page)
    context.close()


def test_nobody_is_told_whether_a_name_exists(browser: Browser, house: House) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{house.base}/")
    said = []
    for name in (house.name, "nobody-of-that-name"):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill("certainly wrong")
        with page.expect_response("**/auth/login") as answered:
            page.get_by_role("button", name="Sign in", exact=True).click()
        said.append((answered.value.status, answered.value.json()["detail"]))
        expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    assert said[0] == said[1]
    assert said[0][0] == 401
    context.close()


def test_signing_out_in_one_tab_signs_out_the_other_and_the_server_forgets(browser: Browser, house: House) -> None:
    context = browser.new_context()
    first = context.new_page()
    sign_in(first, house.base, house.name, house.password)
    kept = context.cookies()
    second = context.new_page()
    second.goto(f"{house.base}/#/runs")
    expect(second.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    first.get_by_role("button", name="Sign out").click()
    expect(first.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()
    context.add_cookies(kept)  # type: ignore[arg-type]  # what was copied before
    assert context.request.get(f"{house.base}/auth/session").status == 401
    context.close()


def test_a_session_that_ended_elsewhere_asks_for_the_password_and_comes_back_to_the_same_room(
    page: Page, context: BrowserContext, house: House
) -> None:
    page.goto(f"{house.base}/#/memory")
    expect(page.get_by_role("heading", name="Memory", exact=True)).to_be_visible()
    context.clear_cookies()
    page.evaluate("location.hash = '#/runs'")  # whether or not the page has found out by itself already
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name").fill(house.name)
    page.get_by_label("Password").fill(house.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
