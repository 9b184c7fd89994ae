"""The page with the real model behind it: what streams is seen as it streams, and the answer is what the files say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ringfence.backends import models

from .kit import House, Watch, ask, ended, furnish, sign_in, steps_of

pytestmark = pytest.mark.model
MANIFEST = """
runtime: {{name: notes-assistant}}
inference: {{tiers: [{{name: small, provider: embedded, model: qwen2.5-coder-1.5b, idle_s: 20}}], temperature: 0.0}}
tools:
  - {{name: files, type: builtin, target_paths: [./data], permissions: [read, grep]}}
workflow: {{max_steps: 6}}
server: {{port: 0}}
"""


@pytest.fixture
def real(browser: Browser, tmp_path: Path) -> Iterator[House]:
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, models.pull("qwen2.5-coder-1.5b", models.data_home())).result()
    furnish(tmp_path, "", MANIFEST)
    (tmp_path / "data/page.html").unlink()
    (tmp_path / "data/notes.txt").write_text("The backup runs every night at 02:00.\nThe printer stands on floor 3.\n")
    house = House(tmp_path)
    house.people()
    house.start()
    yield house
    house.stop()


def test_the_real_model_is_asked_from_the_page_and_its_answer_is_seen_with_its_steps(
    browser: Browser, real: House
) -> None:
    context = browser.new_context()
    watch = Watch(real.base)
    watch.on(context)
    page = context.new_page()
    sign_in(page, real.base, real.name, real.password)
    ask(page, "At what time does the backup run?")
    said = ended(page, "02:00", within_s=180)
    steps_of(said)
    expect(said.locator(".line.call").first).to_be_visible()
    expect(said.locator(".line.thought").first).to_be_visible()
    told = page.request.get(f"{real.base}/v1/status").json()["models"][0]
    assert told["tokens_per_s"] > 0
    watch.harmless(page)
    context.close()
