"""What a document, a tool or a model says never becomes part of the page: it runs nothing, and reaches nobody else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from .kit import HOSTILE_NAME, House, Watch, ask, ended
from .model import EVIL, HOSTILE_TEXT


def everything_opened(page: Page) -> None:
    """Each line of the timeline, so that all that it holds is drawn."""
    page.locator(".timeline .line-head[aria-expanded=false]").evaluate_all(
        "lines => lines.forEach((line) => line.click())"
    )
    expect(page.locator(".timeline .line-head[aria-expanded=false]")).to_have_count(0)


def test_an_answer_of_markdown_draws_no_image_of_elsewhere_and_no_link_that_runs(
    page: Page, house: House, watch: Watch
) -> None:
    ask(page, "Show the chart")
    answer = ended(page, "Here you are.").locator(".said")
    assert page.locator(".said img, .said iframe, .said svg image, .said video, .said object, .said style").count() == 0
    for link in answer.get_by_role("link").all():
        assert re.match(r"https?://|mailto:|#", link.get_attribute("href") or ""), link.get_attribute("href")
        if (link.get_attribute("href") or "").startswith("http"):
            assert "noreferrer" in (link.get_attribute("rel") or "")
    page.get_by_role("link", name="Record").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    everything_opened(page)
    watch.harmless(page)


def test_a_task_of_markup_is_shown_as_it_was_written_everywhere(page: Page, house: House, watch: Watch) -> None:
    ask(page, HOSTILE_TEXT)
    ended(page, "There are three files.")
    expect(page.get_by_text("<script>window.pwned = 1</script>").first).to_be_visible()
    page.goto(f"{house.base}/#/runs")
    page.get_by_role("button", name=re.compile("<script>")).first.click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    everything_opened(page)
    watch.harmless(page)


def test_what_a_tool_read_is_text_and_nothing_else(page: Page, house: House, watch: Watch) -> None:
    ask(page, "Read the page data/page.html")
    ended(page, "The page is odd.")
    page.get_by_role("link", name="Record").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    everything_opened(page)
    expect(page.locator("pre", has_text="onerror").first).to_be_visible()
    watch.harmless(page)


def test_a_document_of_a_hostile_name_and_title_is_listed_found_and_opened_as_text(
    page: Page, house: House, watch: Watch
) -> None:
    page.goto(f"{house.base}/#/collections/handbook")
    opened = page.get_by_role("button", name=HOSTILE_NAME, exact=True)
    expect(opened).to_be_visible()
    opened.click()
    expect(page.get_by_role("dialog")).to_contain_text("The hostile page speaks of gloves")
    page.keyboard.press("Escape")
    page.goto(f"{house.base}/#/collections?q=gloves")
    expect(page.get_by_text("The hostile page speaks of gloves").first).to_be_visible()
    watch.harmless(page)


@pytest.mark.parametrize("room", ["runs", "memory", "collections", "audit", "status", "approvals", "chat"])
def test_a_problem_that_holds_markup_is_shown_as_text(page: Page, house: House, watch: Watch, room: str) -> None:
    def lies(route: Route) -> None:
        route.fulfill(status=500, content_type="application/problem+json",
                      json={"status": 500, "code": "x", "detail": HOSTILE_TEXT, "todo": HOSTILE_TEXT})  # fmt: skip

    page.route("**/v1/**", lies)
    page.route("**/metrics", lies)
    page.goto(f"{house.base}/#/{room}")
    page.reload()
    page.get_by_role("main").wait_for()
    if room != "approvals":  # the list is told apart from a server that does not answer by the banner alone
        expect(page.get_by_text("<script>window.pwned = 1</script>").first).to_be_visible()
    watch.harmless(page)


def test_an_address_with_markup_in_it_is_no_room(page: Page, house: House, watch: Watch) -> None:
    for place in ("<img src=x onerror=window.pwned=9>", "runs/%3Cscript%3Ewindow.pwned=9%3C%2Fscript%3E",
                  "collections/%3Cimg%20src=x%20onerror=window.pwned=9%3E", "runs?q=%22%3E%3Cscript%3E"):  # fmt: skip
        page.goto(f"{house.base}/#/{place}")
        page.wait_for_load_state("networkidle")
    watch.harmless(page)


def test_the_browser_itself_refuses_what_the_page_would_never_do(context: BrowserContext, house: House) -> None:
    """The policy is a second wall: a script that got in all the same finds no way to run more, or to call home."""
    page = context.new_page()
    left: list[str] = []
    page.on("request", lambda request: left.append(request.url) if EVIL in request.url else None)
    page.on("requestfailed", lambda request: left.remove(request.url) if request.url in left else None)
    page.goto(f"{house.base}/")
    refused = page.evaluate(
        """async (evil) => {
            const tried = {};
            const attempt = async (name, act) => {
                try { await act(); tried[name] = 'done'; } catch (e) { tried[name] = e.name; }
            };
            await attempt('markup', () => { document.body.innerHTML += '<p>'; });
            await attempt('code', () => setTimeout('window.pwned = 10'));
            await attempt('call', () => fetch(evil));
            await attempt('beacon', () => { if (!navigator.sendBeacon(evil)) throw new TypeError(); });
            await attempt('source', () => { const s = document.createElement('script'); s.src = evil; });
            return tried;
        }""",
        f"{EVIL}/home",
    )
    assert refused["markup"] == refused["source"] == "TypeError"  # trusted types
    assert refused["code"] == "TypeError"
    assert refused["call"] == "TypeError"
    assert page.evaluate("window.refused.length") > 0
    assert left == []
