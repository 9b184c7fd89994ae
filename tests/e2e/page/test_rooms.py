"""The rooms of lists: what they show is what is there, what they change is changed, and they say when they cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from ringfence.proof import merkle

from .kit import BOB, House, Watch, ask, ended, sign_in

ROOMS = {
    "runs": "**/v1/runs*", "memory": "**/v1/memory*", "collections": "**/v1/collections*", "audit": "**/v1/audit/**",
    "status": "**/v1/status", "people": "**/v1/people*",
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_that_it_loads_that_it_failed_and_what_came_of_another_try(
    page: Page, house: House, watch: Watch, room: str
) -> None:
    problem = {"status": 503, "code": "busy", "detail": "the disk is full", "todo": "make room"}
    held: list[Route] = []
    stage = ["held"]

    def answer(route: Route) -> None:
        if stage[0] == "held":
            held.append(route)
        elif stage[0] == "failing":
            route.fulfill(status=503, content_type="application/problem+json", json=problem)
        else:
            route.fallback()

    page.route(ROOMS[room], answer)
    page.goto(f"{house.base}/#/{room}")
    expect(page.locator(".room .loading").first).to_be_visible()
    stage[0] = "failing"
    for route in held:
        answer(route)
    failed = page.get_by_role("alert").filter(has_text="the disk is full")
    expect(failed.first).to_contain_text("make room")
    expect(page.locator(".room .loading")).to_have_count(0)  # a room of several lists: each has failed
    stage[0] = "well"
    failed.get_by_role("button", name="Try again").evaluate_all("all => all.forEach((one) => one.click())")
    expect(failed).to_have_count(0)
    watch.harmless(page)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_without_a_line_keeps_what_it_shows_and_says_so(
    page: Page, context: BrowserContext, house: House, room: str
) -> None:
    page.goto(f"{house.base}/#/{room}")
    page.wait_for_load_state("networkidle")
    shown = page.get_by_role("main").get_by_role("heading", level=1).inner_text()
    context.set_offline(True)
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_text(shown)
    context.set_offline(False)
    expect(page.get_by_text("The server answers again.")).to_be_visible()


def test_runs_are_found_by_words_status_and_days(page: Page, house: House) -> None:
    ask(page, "How many files are there, said the walrus?")
    ended(page, "There are three files.")
    page.goto(f"{house.base}/#/runs")
    found = page.get_by_role("region", name="Your runs")
    page.get_by_label("Words of the task").fill("WALRUS")
    expect(found.locator("tbody tr")).to_have_count(1)
    expect(found).to_contain_text("said the walrus")
    expect(page).to_have_url(re.compile("q=WALRUS"))  # it can be kept and shared
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_text("No run of yours is like that")).to_be_visible()
    page.get_by_label("Status").select_option("done")
    expect(found.locator("tbody tr")).to_have_count(1)
    page.get_by_label("To", exact=True).fill("2020-01-01")
    expect(page.get_by_text(re.compile("No run of yours|None of the newest"))).to_be_visible()
    page.get_by_role("button", name="Show all runs").click()
    expect(found.locator("tbody tr").first).to_be_visible()
    found.get_by_role("button", name="said the walrus").click()
    expect(page.locator(".timeline .line.end")).to_be_visible()


def test_what_is_remembered_is_seen_corrected_vouched_for_and_forgotten(page: Page, house: House) -> None:
    ask(page, "Remember the walrus: data/notes.txt")
    ended(page, "I will.")
    page.goto(f"{house.base}/#/memory")
    expect(page.get_by_text("in quarantine.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Look at")).click()
    item = page.get_by_role("listitem").filter(has_text="walrus")
    item.get_by_role("button", name="Vouch for it").click()
    asked = page.get_by_role("dialog", name="Do you vouch for this?")
    expect(asked).to_contain_text("nobody vouches for")  # a warning before the word is given
    asked.get_by_role("button", name="I vouch for it").click()
    expect(page.get_by_text("Nothing is in quarantine")).to_be_visible()
    page.get_by_label("State").select_option("")
    item = page.get_by_role("listitem").filter(has_text="walrus")
    item.get_by_role("button", name="Edit").click()
    page.get_by_label("What is remembered").fill("The walrus likes oysters.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The walrus likes oysters.")).to_be_visible()
    page.get_by_label("With these words").fill("carpenter")
    expect(page.get_by_text("Nothing that is remembered is like that")).to_be_visible()
    page.get_by_label("With these words").fill("OYSTERS")
    item = page.get_by_role("listitem").filter(has_text="oysters")
    item.get_by_role("button", name="Forget").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("The walrus likes oysters.")).to_have_count(0)
    left = page.request.get(f"{house.base}/v1/memory").json()["data"]
    assert not [one for one in left if "oysters" in one["text"]]


def test_documents_are_added_found_opened_and_deleted(page: Page, house: House, tmp_path: Path) -> None:
    (tmp_path / "tides.md").write_text("# Tides\n\nThe tide comes in twice a day, said the lighthouse keeper.\n")
    page.goto(f"{house.base}/#/collections")
    expect(page.get_by_text("Everyone who uses this agent may read it.").first).to_be_visible()
    page.get_by_role("link", name="handbook").click()
    page.get_by_label("Files to add").set_input_files(tmp_path / "tides.md")
    expect(page.get_by_text("1 added")).to_be_visible(timeout=20_000)
    listed = page.get_by_role("region", name="Documents of handbook")
    expect(listed.get_by_role("button", name="tides.md", exact=True)).to_be_visible()
    assert (house.folder / "handbook/tides.md").exists()
    page.get_by_role("link", name="All collections").click()
    page.get_by_label("Search for passages").fill("lighthouse keeper")
    page.get_by_role("button", name="Tides").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("The tide comes in twice a day")
    page.keyboard.press("Escape")
    page.goto(f"{house.base}/#/collections/handbook")
    listed.get_by_role("button", name="Delete tides.md").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(listed.get_by_role("button", name="tides.md", exact=True)).to_have_count(0)
    assert not (house.folder / "handbook/tides.md").exists()


def test_a_log_that_does_not_tell_its_head_is_said_to(page: Page, house: House) -> None:
    problem = {"status": 503, "code": "busy", "detail": "the disk is full", "todo": "make room"}
    page.route("**/v1/audit/head", lambda route: route.fulfill(status=503, json=problem))
    page.goto(f"{house.base}/#/audit")
    failed = page.get_by_role("alert").filter(has_text="the disk is full")
    expect(failed).to_be_visible()
    page.unroute("**/v1/audit/head")
    failed.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Checked with")).to_be_visible()


def test_the_log_is_verified_its_heads_are_saved_and_a_record_is_proven_in_the_browser(
    page: Page, house: House, tmp_path: Path, watch: Watch
) -> None:
    page.goto(f"{house.base}/#/audit")
    page.get_by_role("button", name=re.compile("^Verify (now|again)")).click()
    expect(page.get_by_text(re.compile("^(in order|look at this)$")).first).to_be_visible(timeout=20_000)
    page.get_by_label("Number of the record").fill("1")
    page.get_by_role("button", name="Show the proof").click()
    expect(page.get_by_text("it holds", exact=True)).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Save the proof").click()
    taken.value.save_as(tmp_path / "proof.json")
    proof = json.loads((tmp_path / "proof.json").read_text())
    path = [bytes.fromhex(each) for each in proof["path"]]
    shown = page.request.get(f"{house.base}/v1/audit/heads?limit=200").json()["data"]
    root = next(bytes.fromhex(one["root"]) for one in shown if one["note"] == proof["head"])
    assert merkle.included(bytes.fromhex(proof["leaf"]), proof["index"], proof["size"], path, root)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Save headers and heads").click()
    taken.value.save_as(tmp_path / "headers.ndjson")
    lines = [json.loads(line) for line in (tmp_path / "headers.ndjson").read_text().splitlines()]
    assert lines[0]["index"] == 0
    assert "head" in lines[-1]
    watch.harmless(page)


def test_a_proof_that_was_tampered_with_does_not_hold(page: Page, house: House) -> None:
    def forged(route: Route) -> None:
        told = route.fetch().json()
        told["header"] = told["header"].replace("run.started", "run.starteD")
        route.fulfill(json=told)

    page.route("**/v1/audit/records/0/proof", forged)
    page.goto(f"{house.base}/#/audit")
    page.get_by_label("Number of the record").fill("0")
    page.get_by_role("button", name="Show the proof").click()
    expect(page.get_by_text("it does not hold", exact=True)).to_be_visible()


def test_an_auditor_sees_runs_without_their_words(page: Page, house: House) -> None:
    ask(page, "How many files are there, asked the secret walrus?")
    ended(page, "There are three files.")
    page.goto(f"{house.base}/#/audit")
    runs = page.get_by_role("region", name="Runs of everybody, the newest first")
    runs.get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("run.started")
    expect(page.get_by_role("dialog").get_by_role("button", name="Its proof").first).to_be_visible()


def test_whoever_has_no_role_sees_no_log_no_documents_of_others_and_no_way_to_change_them(
    browser: Browser, house: House
) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, house.base, *BOB)
    page.goto(f"{house.base}/#/audit")
    expect(page.get_by_role("heading", name="For auditors")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Verify"))).to_have_count(0)
    page.goto(f"{house.base}/#/runs")
    expect(page.get_by_text("You have asked for nothing yet")).to_be_visible()
    page.goto(f"{house.base}/#/memory")
    expect(page.get_by_text("Nothing is remembered yet")).to_be_visible()
    page.goto(f"{house.base}/#/collections")
    expect(page.get_by_role("link", name="handbook")).to_be_visible()
    expect(page.get_by_role("link", name="board")).to_have_count(0)
    page.goto(f"{house.base}/#/collections/handbook")
    expect(page.get_by_role("button", name="leave.md", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Choose|Delete|Take in)"))).to_have_count(0)
    page.goto(f"{house.base}/#/collections/board")
    expect(page.get_by_text("There is no such collection")).to_be_visible()
    page.goto(f"{house.base}/#/status")
    expect(page.get_by_text("Runs at work and waiting")).to_be_visible()
    expect(page.get_by_text("For admins")).to_have_count(0)
    context.close()


def test_the_rooms_are_reached_by_the_keyboard_alone(page: Page, house: House) -> None:
    page.goto(f"{house.base}/#/runs")
    page.reload()  # from another room the focus has come to this one already: Tab would go on behind the menu
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "q":
            break
    page.keyboard.type("nothing is called that")
    expect(page.get_by_text("No run of yours is like that")).to_be_visible()
