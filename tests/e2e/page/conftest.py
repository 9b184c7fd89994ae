"""One browser and one server for all tests of the page; each test has a context of its own, signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from .kit import BOB, CHROMIUM, House, Watch, furnish, scripted, sign_in

WIDE = {"width": 1440, "height": 900}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Of this package alone: where its loop runs, no other test's can."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is not there (apt-get install chromium)")
    expect.set_options(timeout=15_000)  # a machine that does other things draws later
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def model() -> Iterator[str]:
    with scripted(delay_ms=60) as url:
        yield url


def _opened(folder: Path, model: str) -> House:
    furnish(folder, model)
    house = House(folder)
    house.people()
    house.start()
    return house


@pytest.fixture(scope="package")
def house(browser: Browser, model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The server that tests share."""
    made = _opened(tmp_path_factory.mktemp("house"), model)
    yield made
    made.stop()


@pytest.fixture
def own_house(browser: Browser, model: str, tmp_path: Path) -> Iterator[House]:
    """A server of a test's own, to be killed."""
    made = _opened(tmp_path, model)
    yield made
    made.kill()


@pytest.fixture(scope="package")
def signed(browser: Browser, house: House) -> Callable[[str], StorageState]:
    """The cookies of who has signed in, by name."""
    known: dict[str, StorageState] = {}

    def of(name: str) -> StorageState:
        if name not in known:
            context = browser.new_context()
            sign_in(context.new_page(), house.base, name, house.password if name == house.name else BOB[1])
            known[name] = context.storage_state()
            context.close()
        return known[name]

    return of


@pytest.fixture
def watch(house: House) -> Watch:
    return Watch(house.base)


@pytest.fixture
def context(
    browser: Browser, house: House, signed: Callable[[str], StorageState], watch: Watch
) -> Iterator[BrowserContext]:
    """The operator's browser."""
    made = browser.new_context(storage_state=signed(house.name), viewport=WIDE)
    made.set_default_timeout(15_000)
    watch.on(made)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, house: House) -> Page:
    """A tab of it, at the chat."""
    made = context.new_page()
    made.goto(f"{house.base}/")
    return made
