"""What the page costs a reader: bytes by file, when one can type, what axe says, how a long record scrolls.

`python bench/server/page.py [--steps 5000] [--calls 1] [--loads 5] [--folder DIR]`: a server in a process of its own
with a scripted model, and Debian's Chromium on loopback, nothing in its cache. Beside it, in the same run, an empty
page with one field: what a browser and this machine need for any page at all. The long run is made by the engine, step
by step, with a model that is scripted; `--folder` keeps it for the next time.
"""

from __future__ import annotations

import argparse
import http.server
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.e2e.page import kit, speed

BUDGET_KB, READY_MS = 120, 500
EMPTY = b"<!doctype html><html lang=en><title>empty</title><form><input name=name></form>"
ROOMS = ("chat", "approvals", "runs", "memory", "collections", "audit", "people", "status", "account")


class _Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: Any) -> None:
        pass


def floor(browser: Browser, loads: int) -> float:
    """Milliseconds until one can type in an empty page with one field, the median."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    found = median(speed.first_load(browser, base, None).ready_ms for _ in range(loads))
    server.shutdown()
    server.server_close()
    return found


def weigh(browser: Browser, base: str, loads: int, state: StorageState | None, who: str, least: float) -> None:
    """Print what a first load transfers, and how long it takes."""
    made = [speed.first_load(browser, base, state) for _ in range(loads)]
    ready = sorted(load.ready_ms for load in made)
    print(f"\nfirst load, {who}: {made[0].total / 1024:.1f} KB of {BUDGET_KB} in {len(made[0].files)} requests")
    for path, size in sorted(made[0].files, key=lambda one: -one[1]):
        print(f"  {size:7d}  {path}")
    print(f"one can type after {median(ready):.0f} ms (best {ready[0]:.0f}, worst {ready[-1]:.0f}; aim {READY_MS}),"
          f" {median(ready) / least:.1f} times an empty page's {least:.0f} ms;"
          f" longest task {max(load.longest_ms for load in made):.0f} ms")  # fmt: skip


def judge(browser: Browser, base: str, state: StorageState) -> None:
    """Print how many findings axe has in each room, by impact."""
    print("\naxe, all rooms, phone and wide, light and dark")
    total: dict[str, int] = {}
    for width in (360, 1440):
        for scheme in ("light", "dark"):
            context = browser.new_context(storage_state=state, viewport={"width": width, "height": 800},
                                          color_scheme=scheme)  # type: ignore[arg-type] # fmt: skip
            page = context.new_page()
            for room in ROOMS:
                page.goto(f"{base}/#/{room}")
                page.get_by_role("heading", level=1).wait_for(state="attached")
                page.wait_for_load_state("networkidle")
                for one in Axe().run(page).response["violations"]:
                    total[one["impact"]] = total.get(one["impact"], 0) + len(one["nodes"])
                    print(f"  {room} {width} {scheme}: {one['id']} ({one['impact']}), {len(one['nodes'])} places")
            context.close()
    print(f"  findings: {total or 'none'}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5000, help="model steps of the long run, made through the engine")
    parser.add_argument("--calls", type=int, default=1, help="calls of each of them")
    parser.add_argument("--folder", type=Path, help="where the long run is kept; it is made once, in some minutes")
    parser.add_argument("--loads", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, kit.scripted(0) as model, sync_playwright() as playwright:
        house, run = long_house(given.folder or Path(name) / "house", model, given.steps, given.calls)
        browser = playwright.chromium.launch(executable_path=str(kit.CHROMIUM), args=["--no-sandbox"])
        house.start()
        try:
            context = browser.new_context()
            context.add_init_script(speed.READY)
            page = context.new_page()
            kit.sign_in(page, house.base, house.name, house.password)
            state = context.storage_state()
            least = floor(browser, given.loads)
            weigh(browser, house.base, given.loads, None, "signed out", least)
            weigh(browser, house.base, given.loads, state, "signed in", least)
            judge(browser, house.base, state)
            scroll(page, house.base, run, (1 + given.calls) * given.steps)
        finally:
            house.stop()
            browser.close()


def long_house(folder: Path, model: str, steps: int, calls: int) -> tuple[kit.House, str]:
    """A house with a run of so many steps in it, and the run's id."""
    kept = folder / "run.txt"
    if not kept.exists():
        folder.mkdir(parents=True)
        kit.furnish(folder, model, speed.LONG)
        with ThreadPoolExecutor(1) as apart:
            kept.write_text(apart.submit(speed.long_run, folder, steps, calls).result())
    (folder / "ringfence.yaml").write_text(speed.LONG.format(model=model))
    for file in (folder / ".ringfence").glob("accounts.db*"):
        file.unlink()  # so that there is a password to sign in with
    house = kit.House(folder)
    house.people()
    return house, kept.read_text()


def scroll(page: Page, base: str, run: str, lines: int) -> None:
    """Print how long a record takes to open, and how smoothly it scrolls."""
    first, whole = speed.opened(page, base, run, lines)
    jumped, wheeled = speed.scrolled(page, base, run, lines), speed.wheeled(page)
    print(f"\nrecord of {lines} lines ({jumped['last'] + 1} records): its first line after {first:.2f} s, "
          f"all of it after {whole:.2f} s; {jumped['drawn']} lines drawn at once")  # fmt: skip
    for what, told in (("jumps from end to end", jumped), (f"notches of {speed.WHEEL_PX} px", wheeled)):
        print(f"  {told['frames']} {what}, a frame each: {told['median']:.1f} ms a frame (median), {told['late']:.1f} "
              f"at 95 %, {told['worst']:.0f} at worst; longest task {told['longest']:.0f} ms; {told['empty']} frames "
              "without a line where one looks")  # fmt: skip


if __name__ == "__main__":
    main()
