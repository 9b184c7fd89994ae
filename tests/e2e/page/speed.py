"""What the page weighs and how fast it is, measured by the browser itself; `bench/server/page.py` prints the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

# When the question can be typed: the field is there, and a frame was drawn with it.
READY = """
(() => {
  const seen = () => {
    const field = document.querySelector('#ask, input[name=name]');
    if (!field || window.readyAt) return;
    requestAnimationFrame(() => setTimeout(() => { window.readyAt ??= performance.now(); }));
  };
  new MutationObserver(seen).observe(document, { childList: true, subtree: true });
  window.longest = 0;
  window.tasks = [];
  new PerformanceObserver((list) => { for (const one of list.getEntries()) window.tasks.push(one.duration); })
    .observe({ type: 'longtask', buffered: true });
})();
"""
FILES = """
() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .map((one) => [new URL(one.name).pathname, one.transferSize])
"""
# The browser is asked again and again from within: the page's policy lets nothing make code of text, a test neither.
READY_SOON = (
    "() => new Promise((done) => { const look = () => (window.readyAt ? done() : setTimeout(look, 5)); look(); })"
)
ALL_THERE = """
(rows) => new Promise((done) => {
  const drawn = () => Number(document.querySelector('.rows-box li')?.getAttribute('aria-setsize'));
  const look = () => (drawn() >= rows ? done() : setTimeout(look, 50));
  look();
})
"""
# A frame after each move; `empty` counts those in which no line stands where one looks, in the middle of the record.
SCROLL = """
async ([moves, share, pixels]) => {
  const box = document.querySelector('.rows-box');
  const gaps = [];
  let empty = 0;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  box.scrollTop = 0;
  await frame();
  await frame();
  window.tasks.length = 0;
  const { left, top, width, height } = box.getBoundingClientRect();
  let before = performance.now();
  for (let n = 0; n <= moves; n += 1) {
    box.scrollTop = share ? (box.scrollHeight - box.clientHeight) * (n / moves) : n * pixels;
    await frame();
    const now = performance.now();
    gaps.push(now - before);
    before = now;
    if (!document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.line')) empty += 1;
  }
  await frame();
  await frame();
  gaps.sort((a, b) => a - b);
  return { frames: gaps.length, median: gaps[gaps.length >> 1], late: gaps[Math.floor(gaps.length * 0.95)],
           worst: gaps[gaps.length - 1], longest: Math.max(0, ...window.tasks), empty,
           drawn: box.querySelectorAll('li').length,
           last: Number([...box.querySelectorAll('.seq')].pop().textContent) };
}
"""
JUMPS = 120  # from end to end
NOTCHES, WHEEL_PX = 600, 120  # of a wheel


@dataclass(frozen=True)
class Load:
    """files: bytes transferred by path, headers too; ready_ms until one can type; longest_ms of a task until then."""

    files: list[tuple[str, int]]
    ready_ms: float
    longest_ms: float

    @property
    def total(self) -> int:
        """Bytes of all."""
        return sum(size for _, size in self.files)


def first_load(browser: Browser, base: str, state: StorageState | None) -> Load:
    """The page as somebody opens it whose browser has nothing of it yet."""
    context = browser.new_context(storage_state=state)
    context.add_init_script(READY)
    page = context.new_page()
    page.goto(f"{base}/")
    page.evaluate(READY_SOON)
    page.wait_for_load_state("networkidle")
    files = [(str(path), int(size)) for path, size in page.evaluate(FILES)]
    load = Load(files, page.evaluate("window.readyAt"), page.evaluate("Math.max(0, ...window.tasks)"))
    context.close()
    return load


def scrolled(page: Page, base: str, run: str, rows: int) -> dict[str, Any]:
    """Scroll the record of a run from end to end, a jump a frame; `page` has the script READY."""
    page.goto(f"{base}/#/runs/{run}")
    page.evaluate(ALL_THERE, rows)
    told: dict[str, Any] = page.evaluate(SCROLL, [JUMPS, True, 0])
    return told


def wheeled(page: Page) -> dict[str, Any]:
    """Scroll on through the record that is open, a notch of a wheel a frame, as a person does."""
    told: dict[str, Any] = page.evaluate(SCROLL, [NOTCHES, False, WHEEL_PX])
    return told


def opened(page: Page, base: str, run: str, rows: int) -> tuple[float, float]:
    """Seconds until something of a record stands there, and until all of it came, in a page that is open."""
    page.goto(f"{base}/#/status")
    page.evaluate("() => { window.beganAt = performance.now(); }")
    page.goto(f"{base}/#/runs/{run}")
    first = page.evaluate(
        "() => new Promise((done) => { const look = () => (document.querySelector('.line') ?"
        " done(performance.now() - window.beganAt) : requestAnimationFrame(look)); look(); })"
    )
    page.evaluate(ALL_THERE, rows)
    return first / 1000, page.evaluate("performance.now() - window.beganAt") / 1000


LONG = """
runtime: {{name: long}}
inference: {{provider: openai, model: scripted, endpoint: "{model}/v1", max_context: 32768}}
tools:
  - {{name: files, type: builtin, target_paths: [./data], permissions: [read], rate: 100000/minute}}
workflow: {{max_steps: 10000, max_tokens: 1000000000, checkpoint_interval: 500}}
server: {{port: 0}}
"""


def long_run(folder: Path, steps: int, calls: int) -> str:
    """A run of so many steps with so many calls each, made in this process and thread; its id."""
    import asyncio
    import json

    from ringfence import app
    from ringfence.core.values import Prompt
    from ringfence.manifest.loader import load
    from ringfence.testing.scripted import ScriptedModel

    made = [0]

    def say(prompt: Prompt) -> str:
        made[0] += 1
        if made[0] >= steps:
            return '{"thought": "done", "final_answer": {"answer": "All read.", "artifacts": [], "confidence": "high"}}'
        read = [{"tool": "files.read", "args": {"path": "data/notes.txt", "first": n + 1, "last": n + made[0] + 1}}
                for n in range(calls)]  # fmt: skip
        return json.dumps({"thought": f"I look again, for the time {made[0]}.", "calls": read})

    async def work() -> str:
        async with app.from_manifest(load(folder / "ringfence.yaml"), model=ScriptedModel(say)) as agent:
            run: str = (await agent.run("Read data/notes.txt again and again")).run_id
            return run

    return asyncio.run(work())
