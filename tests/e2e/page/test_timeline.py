"""The record of a run on the screen: long ones, and the passages that an answer rests on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from .kit import House, Watch

STEPS = 5_000
SEEN = 120  # rows at most that are drawn of them
MINE = {"readers": [["user:me"]], "trust": "user"}
READ = {"readers": [["user:me"]], "trust": "untrusted"}


class Told:
    """A run as server-sent events, made up: what a server would take an hour to live through."""

    def __init__(self) -> None:
        self.seq = 0
        self.lines: list[str] = []

    def tell(self, kind: str, **more: Any) -> int:
        seq, self.seq, time = self.seq, self.seq + 1, 1_790_000_000_000 + self.seq
        event = {"run": "r", "seq": seq, "time": time, "kind": kind, **more}
        self.lines.append(f"id: {seq}-{time}\nevent: {kind}\ndata: {json.dumps(event)}\n\n")
        return seq

    def step(self, thought: str, path: str) -> None:
        asked = self.tell("intent", label=READ, rule="POL-8", tier="main", left_out=0)
        usage = {"prompt": 10, "completion": 5, "cached": 0}
        self.tell("outcome", label=READ, of=asked, ok=True, ms=30, usage=usage, model="x", thought=thought, calls=[])
        called = self.tell("intent", label=READ, rule="POL-8", tool="files.read", args={"path": path})
        self.tell("outcome", label=READ, of=called, ok=True, ms=3, value={"text": f"of {path} " * (called % 9)})

    def end(self, **more: Any) -> str:
        self.tell("run.finished", label=READ, status="done", summary="", usage={}, **more)
        self.lines.append('event: end\ndata: {"run":"r","status":"done"}\n\n')
        return "".join(self.lines)


def shown(page: Page, house: House, body: str) -> None:
    """Open the made-up run."""
    page.route("**/v1/runs/r/events", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    page.goto(f"{house.base}/#/runs/r")


@pytest.fixture(scope="module")
def long_run() -> str:
    told = Told()
    told.tell("run.started", label=MINE, task="read everything", agent="a", effects=[], policy="p")
    for n in range(STEPS):
        told.step(f"thought {n} " + "and more " * (n % 30), f"data/{n}.md")
    return told.end(answer="All read.")


def test_of_five_thousand_steps_a_window_is_drawn_and_every_one_can_be_reached(
    page: Page, house: House, watch: Watch, long_run: str
) -> None:
    shown(page, house, long_run)
    box = page.get_by_role("region", name="Record of the run")
    expect(page.get_by_text("5,000 steps")).to_be_visible(timeout=30_000)
    expect(box.get_by_text("thought 0 ", exact=False).first).to_be_visible()
    drawn = [box.locator("li").count()]
    for wanted in (STEPS // 2, STEPS - 1, 7):
        # the nearer one is, the more heights are known instead of guessed: a reader who drags the bar does the same
        for _ in range(12):
            top = box.evaluate(
                "(b, f) => { const texts = [...b.querySelectorAll('.tool ~ .args')].map((e) => e.textContent);"
                " const on = texts.map((text) => +text.match(/(\\d+)\\.md/)[1]);"
                " const at = on.length ? on[Math.floor(on.length / 2)] : 0;"
                " b.scrollTop += (f - at) * (b.scrollHeight / 5000); return b.scrollTop; }",
                wanted,
            )
            assert top >= 0
            page.wait_for_timeout(60)
            drawn.append(box.locator("li").count())
        expect(box.get_by_text(f"data/{wanted}.md").first).to_be_attached()
    assert max(drawn) < SEEN
    first = box.locator("li").first
    assert first.get_attribute("aria-setsize") == str(2 * STEPS + 2)  # a screen reader is told how many there are
    watch.harmless(page)


def test_a_line_stays_open_while_it_is_out_of_sight(page: Page, house: House, long_run: str) -> None:
    shown(page, house, long_run)
    box = page.get_by_role("region", name="Record of the run")
    line = box.locator(".line", has_text="data/2.md")
    line.get_by_role("button").first.click()
    expect(line.get_by_text("allowed by POL-8")).to_be_visible()
    box.evaluate("(b) => { b.scrollTop = b.scrollHeight; }")
    expect(line).to_have_count(0)
    box.evaluate("(b) => { b.scrollTop = 0; }")
    expect(line.get_by_text("allowed by POL-8")).to_be_visible()


def test_what_the_model_is_saying_is_not_said_twice_over_a_broken_line(page: Page, house: House) -> None:
    told, came = Told(), list[str]()
    told.tell("run.started", label=MINE, task="look", agent="a", effects=[], policy="p")
    told.tell("intent", label=READ, rule="POL-8", tier="main", left_out=0)

    def stream(route: Route) -> None:
        came.append(route.request.headers.get("last-event-id", ""))
        said = 'event: delta\ndata: {"field":"thought","text":"Hello there"}\n\n'  # from its beginning, each time
        route.fulfill(content_type="text/event-stream", body=said if came[-1] else "".join(told.lines) + said)

    page.route("**/v1/runs/r/events", stream)
    with page.expect_response(lambda answer: len(came) > 2):
        page.goto(f"{house.base}/#/runs/r")
    assert came[:3] == ["", "1-1790000000001", "1-1790000000001"]
    expect(page.locator(".line.thought .gist")).to_have_text("Hello there")


def test_what_is_not_ones_own_to_read_is_said_to_be_and_left_out(page: Page, house: House) -> None:
    told = Told()
    told.tell("run.started", label=MINE, task="look", agent="a", effects=[], policy="p")
    seen = told.tell("intent", label=READ, hidden=True, sink="tool:kb.search", rule="POL-8")
    told.tell("outcome", label=READ, hidden=True, of=seen, ok=True, ms=2)
    shown(page, house, told.end(answer="No."))
    line = page.locator(".line.call")
    expect(line).to_contain_text("kb.search")
    expect(line).to_contain_text("Not yours to read.")


def test_a_citation_opens_the_passage_with_its_words_marked_and_gives_the_focus_back(
    page: Page, house: House, watch: Watch
) -> None:
    quote = "three years of unpaid leave"
    source = {"n": 1, "document": "handbook/leave.md", "title": "Leave", "page": 2, "headings": "Parents",
              "chars": "0-61", "quote": quote, "at": "0-5"}  # fmt: skip
    told = Told()
    told.tell("run.started", label=MINE, task="how long", agent="a", effects=[], policy="p")
    body = told.end(answer="Three years [1]. Not a source: [2].", sources=[source])
    shown(page, house, body)
    mark = page.get_by_role("button", name="Source 1: Leave").first
    expect(page.locator(".md")).to_contain_text("Not a source: [2].")
    mark.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Leave")
    expect(sheet.locator("mark")).to_have_text(quote)
    expect(sheet).to_contain_text("Parents may take three years")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(mark).to_be_focused()
    watch.harmless(page)
