"""What a person sees before a yes, and what their answer is bound to."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from playwright.sync_api import Page, Route, expect

from .kit import House, Watch

DIGEST = "9f2c41d07b6ea83c5d10f4e2b7a96c3858d1e0f42a7b9c6d3e5f8a1b2c4d6e7f"
ASKED: dict[str, Any] = {
    "run_id": "r1", "tool": "mail.send", "rule": "POL-4", "why": "nobody vouches for to", "digest": DIGEST,
    "asked_ms": 1_790_000_000_000, "stale": False, "task": "tell them <script>window.pwned=1</script>",
    "args": {"to": "оps@example.org", "text": "pay \u202etxt.exe\u200b now\x07\ntwo", "cc": ["a@b.example"]},
    "origins": [{"argument": "to", "value": "оps@example.org", "type": "email", "origin": None},
                {"argument": "cc/0", "value": "a@b.example", "type": "", "origin": "r3#/from"}],
    "texts": ["text"], "label": {"trust": "untrusted", "readers": [["role:ops", "user:me"]]},
    "preview": "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\u2066line\n+new line\n same\n", "owner": "user:me",
    "approvers": ["user:me"], "may_answer": True, "valid_s": 300,
}  # fmt: skip


def asked(page: Page, house: House, **more: Any) -> list[dict[str, Any]]:
    """The room of what waits, where this does; the bodies of the answers that are sent."""
    sent: list[dict[str, Any]] = []

    def serve(route: Route) -> None:
        if route.request.method == "POST":
            sent.append({"path": route.request.url, **json.loads(route.request.post_data or "{}")})
            route.fulfill(json={"id": "r1", "status": "running"})
        else:
            route.fulfill(json={"data": [] if sent else [ASKED | more]})

    page.route("**/v1/approvals**", serve)
    page.goto(f"{house.base}/#/approvals")
    page.reload()  # what waits was asked for before this was laid in its way
    return sent


def test_values_origins_texts_and_the_difference_are_shown_and_nothing_hides_in_them(
    page: Page, house: House, watch: Watch
) -> None:
    asked(page, house)
    card = page.get_by_role("region", name=re.compile("May it call"))
    expect(card).to_contain_text("mail.send")
    expect(card).to_contain_text("tell them <script>window.pwned=1</script>")
    to = card.get_by_role("listitem").filter(has_text="nobody vouches for it")
    expect(to).to_contain_text(r"in ASCII: \u{43e}ps@example.org")  # a Cyrillic letter that looks like ours
    expect(card.get_by_role("listitem").filter(has_text="from result r3#/from")).to_contain_text("a@b.example")
    for seen in ("U+202E", "U+200B", "U+0007"):
        expect(card.locator(".free-text pre").first).to_contain_text(seen)
    words = card.inner_text()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07]", words)  # none of them is there to act
    difference = card.locator(".diff")
    expect(difference.locator(".add")).to_contain_text("+new line")
    expect(difference.locator(".del")).to_contain_text("U+2066")
    expect(card.get_by_text("role:ops or user:me")).to_be_visible()
    expect(card).to_contain_text(DIGEST[:16])
    watch.harmless(page)


def test_a_yes_is_bound_to_the_digest_and_endorses_only_what_was_ticked(page: Page, house: House) -> None:
    sent = asked(page, house)
    card = page.get_by_role("region", name=re.compile("May it call"))
    boxes = card.get_by_role("checkbox")
    expect(boxes).to_have_count(1)  # a value of no declared kind cannot be endorsed
    boxes.check()
    card.get_by_role("button", name="Approve, and trust the value").click()
    expect(card).to_have_count(0)
    assert sent == [
        {"path": f"{house.base}/v1/approvals/r1", "yes": True, "digest": DIGEST, "endorse": ["to"], "why": ""}
    ]


def test_a_no_goes_with_its_reason_by_the_keyboard_alone(page: Page, house: House) -> None:
    sent = asked(page, house)
    card = page.get_by_role("region", name=re.compile("May it call"))
    card.get_by_role("button", name="Deny…").focus()
    page.keyboard.press("Enter")
    expect(card.get_by_label("Why not")).to_be_focused()
    page.keyboard.type("the wrong address")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    assert [(one["yes"], one["digest"], one["endorse"], one["why"]) for one in sent] == [
        (False, DIGEST, [], "the wrong address")
    ]


def test_a_question_of_an_older_policy_takes_no_yes_and_is_asked_anew(page: Page, house: House) -> None:
    resumed: list[str] = []

    def resume(route: Route) -> None:
        resumed.append(route.request.method)
        route.fulfill(status=202, json={"id": "r1", "status": "running"})

    page.route("**/v1/runs/r1/resume", resume)
    sent = asked(page, house, stale=True)
    card = page.get_by_role("region", name=re.compile("May it call"))
    expect(card.get_by_role("alert")).to_contain_text("The policy has changed")
    approve = card.get_by_role("button", name="Approve this call")
    expect(approve).to_have_attribute("aria-disabled", "true")
    approve.click(force=True)
    with page.expect_response("**/v1/runs/r1/resume"):
        card.get_by_role("button", name="Ask anew").click()
    assert resumed == ["POST"]
    assert sent == []


def test_whoever_may_not_answer_is_told_who_may(page: Page, house: House) -> None:
    asked(page, house, may_answer=False, approvers=["role:lead"])
    card = page.get_by_role("region", name=re.compile("May it call"))
    expect(card).to_contain_text("role:lead may answer this.")
    expect(card.get_by_role("button", name=re.compile("Approve|Deny"))).to_have_count(0)
    link = page.get_by_role("navigation", name="Rooms").get_by_role("link", name=re.compile("^Approvals"))
    expect(link).to_have_text("Approvals")  # it does not count as waiting for them


def test_an_answer_that_came_too_late_says_so(page: Page, house: House) -> None:
    problem = {"status": 409, "code": "conflict", "detail": "it was answered already", "todo": "look again"}
    asked(page, house)
    page.route(
        "**/v1/approvals/r1",
        lambda route: route.fulfill(status=409, content_type="application/problem+json", body=json.dumps(problem)),
    )
    card = page.get_by_role("region", name=re.compile("May it call"))
    card.get_by_role("button", name="Approve this call").click()
    expect(card.get_by_role("alert")).to_contain_text("it was answered already")


def test_a_question_counts_down_to_its_end_and_takes_no_answer_after_it(page: Page, house: House) -> None:
    resumed: list[str] = []

    def resume(route: Route) -> None:
        resumed.append(route.request.method)
        route.fulfill(status=202, json={"id": "r1", "status": "running"})

    page.route("**/v1/runs/r1/resume", resume)
    card = page.get_by_role("region", name=re.compile("May it call"))
    sent = asked(page, house, expires_ms=time.time_ns() // 1_000_000 + 3_600_000)
    expect(card).to_contain_text(re.compile("expires in (59 min|1 h)"))
    expect(card.get_by_role("button", name="Approve this call")).to_be_enabled()
    page.unroute("**/v1/approvals**")
    sent += asked(page, house, expires_ms=time.time_ns() // 1_000_000 - 1000)
    expect(card.get_by_role("alert")).to_contain_text("This question has expired: no answer counts any more")
    for name in ("Approve this call", "Deny…"):
        expect(card.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    with page.expect_response("**/v1/runs/r1/resume"):
        card.get_by_role("button", name="Go on now").click()
    assert resumed == ["POST"]
    assert sent == []
