"""A task from the question to the answer, with all that comes between: steps, a person's yes, a broken line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from .kit import House, Watch, ask, ended, sign_in, steps_of


def seqs(page: Page) -> list[int]:
    """The records that the timeline on the screen shows, by number."""
    return [int(text) for text in page.locator(".timeline .seq").all_inner_texts()]


def records(page: Page, base: str) -> list[dict[str, Any]]:
    """All events of the newest run, as the API has them."""
    run = page.request.get(f"{base}/v1/runs?limit=1").json()["data"][0]["id"]
    told = page.request.get(f"{base}/v1/runs/{run}/events").text()
    return [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ") and '"seq":' in line]


def lines_of(events: list[dict[str, Any]]) -> list[int]:
    """The records that have a line of their own: outcomes stand with the call that they answer, checkpoints may not."""
    return [e["seq"] for e in events if e["kind"] in ("run.started", "intent", "run.finished")]


def test_a_question_is_answered_and_its_steps_are_seen(page: Page, house: House, watch: Watch) -> None:
    ask(page, "How many files are there?")
    said = ended(page, "There are three files.")
    expect(said.locator("strong", has_text="three")).to_be_visible()  # its Markdown is drawn
    steps_of(said)
    expect(said.locator(".line.thought").last).to_be_visible()
    shown = seqs(page)
    assert shown == sorted(set(shown))
    assert set(lines_of(records(page, house.base))) <= set(shown)
    watch.harmless(page)


def test_a_write_waits_for_a_person_and_happens_after_their_yes(page: Page, house: House, watch: Watch) -> None:
    written = house.folder / "data/greeting.txt"
    written.unlink(missing_ok=True)
    ask(page, "Write the greeting to data/greeting.txt")
    card = page.get_by_role("region", name=re.compile("May it call"))
    expect(card).to_be_visible()
    expect(card).to_contain_text("data/greeting.txt")
    expect(card).to_contain_text("Good morning.")
    assert not written.exists()  # nothing is done before the yes
    card.get_by_role("button", name=re.compile("^Approve")).click()
    ended(page, "It is written.")
    assert written.read_text() == "Good morning.\n"
    kinds = [(e["kind"], e.get("verdict", "")) for e in records(page, house.base)]
    assert ("decision", "ask") in kinds
    assert ("approval", "") in kinds
    watch.harmless(page)


def test_a_write_that_is_denied_does_not_happen(page: Page, house: House) -> None:
    written = house.folder / "data/greeting.txt"
    written.unlink(missing_ok=True)
    ask(page, "Write the greeting to data/greeting.txt")
    card = page.get_by_role("region", name=re.compile("May it call"))
    card.get_by_role("button", name=re.compile("^Deny")).click()
    card.get_by_label("Why not").fill("nobody wants it")
    card.get_by_role("button", name="Deny this call").click()
    expect(page.get_by_role("complementary", name="Not proven")).to_contain_text("files.write")  # it says it did
    expect(page.get_by_role("region", name=re.compile("May it call"))).to_have_count(0)
    assert not written.exists()
    told = records(page, house.base)
    assert any(e["kind"] == "decision" and e.get("verdict") == "deny" for e in told)


def test_a_line_that_breaks_in_mid_stream_comes_back_and_misses_nothing(
    page: Page, context: BrowserContext, house: House
) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.headers.get("last-event-id", "")) if "/events" in r.url else None)
    ask(page, "Read it slowly: data/notes.txt")
    expect(page.locator(".timeline .line.call").first).to_be_visible()
    context.set_offline(True)
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    context.set_offline(False)
    ended(page, "All read.")
    expect(page.get_by_text("The server does not answer.")).to_have_count(0)
    page.get_by_role("article").last.get_by_role("link", name="Record").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    shown = seqs(page)
    assert shown == sorted(set(shown))
    assert set(lines_of(records(page, house.base))) <= set(shown)


def test_a_server_that_is_killed_and_started_again_is_followed_from_the_last_event_on(
    browser: Any, own_house: House
) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, own_house.base, own_house.name, own_house.password)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.headers.get("last-event-id", "")) if "/events" in r.url else None)
    ask(page, "Read it slowly: data/notes.txt")
    expect(page.locator(".timeline .line.call").nth(3)).to_be_visible()
    own_house.kill()
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    own_house.start()
    ended(page, "All read.", within_s=45)
    assert asked[0] == ""
    assert re.fullmatch(r"\d+-\d+", asked[-1])  # it went on from there, and did not begin anew
    told = records(page, own_house.base)
    assert [e["seq"] for e in told] == list(range(len(told)))
    steps_of(page.get_by_role("article").last)
    shown = seqs(page)
    assert shown == sorted(set(shown))  # no line twice, none out of order
    assert set(lines_of(told)) <= set(shown)  # and none missing
    context.close()


def test_two_tabs_follow_one_run_and_an_answer_in_one_is_seen_in_the_other(
    page: Page, context: BrowserContext, house: House
) -> None:
    (house.folder / "data/greeting.txt").unlink(missing_ok=True)
    ask(page, "Write the greeting to data/greeting.txt")
    expect(page.get_by_role("region", name=re.compile("May it call"))).to_be_visible()
    other = context.new_page()
    other.goto(f"{house.base}/#/approvals")
    card = other.get_by_role("region", name=re.compile("May it call"))
    expect(card).to_be_visible()
    card.get_by_role("button", name=re.compile("^Approve")).click()
    ended(page, "It is written.")
    expect(page.get_by_role("region", name=re.compile("May it call"))).to_have_count(0)
    expect(other.get_by_text("Nothing waits for you")).to_be_visible()
    assert (house.folder / "data/greeting.txt").exists()


def test_a_run_at_work_is_stopped_from_the_page(page: Page, house: House) -> None:
    ask(page, "Read it for long: data/notes.txt")
    expect(page.locator(".timeline .line.call").first).to_be_visible()
    page.get_by_role("button", name="Stop the run").click()
    expect(page.get_by_role("article").last.get_by_text("cancelled", exact=True).first).to_be_visible()
    told = records(page, house.base)
    assert told[-1]["kind"] == "run.finished"
    assert told[-1]["status"] == "cancelled"


def test_a_run_is_tried_again_and_forked_with_another_task(page: Page, house: House) -> None:
    ask(page, "How many files are there?")
    ended(page, "There are three files.")
    page.get_by_role("link", name="Record").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    first = page.url
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(lambda url: "/runs/" in url and url != first)
    expect(page.locator(".timeline .line.end")).to_be_visible()
    second = page.url
    page.get_by_role("button", name="Fork", exact=True).click()
    dialog = page.get_by_role("dialog", name="Fork this run")
    dialog.get_by_label("Task").fill("How many folders are there?")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    page.wait_for_url(lambda url: "/runs/" in url and url not in (first, second))
    expect(page.get_by_role("heading", name="How many folders are there?")).to_be_visible()
    expect(page.get_by_text("forked from")).to_be_visible()


def test_a_run_is_saved_with_every_record(page: Page, house: House, tmp_path: Path) -> None:
    ask(page, "How many files are there?")
    ended(page, "There are three files.")
    page.get_by_role("link", name="Record").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Save as JSON").click()
    taken.value.save_as(tmp_path / "run.json")
    saved = json.loads((tmp_path / "run.json").read_text())
    assert saved["records"] == records(page, house.base)
    assert saved["run"]["status"] == "done"
