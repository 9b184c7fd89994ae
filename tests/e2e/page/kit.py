"""A real server in a process of its own, over a folder with an agent whose model is scripted, and a real browser."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from ringfence import app
from ringfence.app import accounts
from ringfence.app.accounts import Desk
from ringfence.manifest.loader import load
from ringfence.stores.accounts.people import Person

from .model import HOSTILE_TEXT

CHROMIUM = Path("/usr/bin/chromium")
BOB = "bob", "a horse that counts to nine"
SERVE = (sys.executable, "-m", "ringfence.cli", "serve")
START_S = 60.0  # for a server to take requests, on a machine that does other things
_ON = re.compile(r" on (https?://\S+)")

MANIFEST = """
runtime: {{name: ward-assistant}}
inference: {{provider: openai, model: scripted, endpoint: "{model}/v1", max_context: 16384}}
tools:
  - {{name: files, type: builtin, target_paths: [./data], permissions: [read, grep, write]}}
catalogue:
  files.write:
    {{effect: write, confined: true, reversible: true, ask: true, audience: [self],
     args: {{path: {{role: control, type: path}}, text: text}}}}
grant: {{effects: [files.write, memory.save]}}
memory: {{enabled: true}}
knowledge:
  collections:
    - {{name: handbook, path: ./handbook, vectors: false}}
    - {{name: board, path: ./board, readers: ["role:board"], vectors: false}}
workflow: {{max_steps: 20}}
server:
  port: 0
  limits: {{requests: 100000/minute, requests_each_address: 100000/minute}}
"""
HOSTILE_NAME = "<img src=x onerror=window.pwned=8>.md"


def furnish(folder: Path, model: str, manifest: str = MANIFEST) -> None:
    """The files of an agent: a manifest, data with a hostile page, and documents, one of them with a hostile name."""
    for name in ("data", "handbook", "board"):
        (folder / name).mkdir()
    (folder / "data/notes.txt").write_text("The walrus sleeps at noon.\n" + "".join(f"line {n}\n" for n in range(40)))
    (folder / "data/page.html").write_text(HOSTILE_TEXT)
    (folder / "handbook/leave.md").write_text("# Parental leave\n\nParents may take three years of unpaid leave.\n")
    (folder / "handbook" / HOSTILE_NAME).write_text(f"# {HOSTILE_TEXT}\n\nThe hostile page speaks of gloves.\n")
    (folder / "board/minutes.md").write_text("# Minutes\n\nThe board has decided to move.\n")
    (folder / "ringfence.yaml").write_text(manifest.format(model=model))


@dataclass
class House:
    """A server over a folder: `start`, `kill` and start again."""

    folder: Path
    name: str = ""
    password: str = ""
    base: str = ""
    port: int = 0
    _process: subprocess.Popen[str] | None = None
    _said: list[str] = field(default_factory=list)

    @property
    def manifest(self) -> Path:
        """The agent's."""
        return self.folder / "ringfence.yaml"

    def people(self) -> None:
        """The operator, with the password that a first start prints, and bob, who has no roles."""
        with ThreadPoolExecutor(1) as apart:  # the browser's loop runs in this thread
            self.name, self.password = apart.submit(_people, self.manifest).result()

    def start(self) -> None:
        """Serve; the port stays the same over restarts, as that of a server does."""
        self._process = subprocess.Popen(
            [*SERVE, "--manifest", str(self.manifest), "--port", str(self.port)], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        self.base = self._address()
        self.port = urlsplit(self.base).port or 0

    def _address(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        until, stderr = time.monotonic() + START_S, self._process.stderr
        while time.monotonic() < until and self._process.poll() is None:
            if not select.select([stderr], [], [], 0.5)[0]:
                continue
            self._said.append(stderr.readline())
            if found := _ON.search(self._said[-1]):
                return found[1].rstrip("/")
        raise AssertionError(f"the server did not start: {''.join(self._said)}{stderr.read()}")

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def _end(self, signum: int) -> None:
        if self._process is not None:
            self._process.send_signal(signum)
            try:
                self._process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
            self._process = None


def _people(file: Path) -> tuple[str, str]:
    manifest = load(file)
    password = accounts.ensure_operator(manifest) or ""
    Desk(manifest, app.operator(manifest)).add(Person(BOB[0]), BOB[1])
    return accounts.operator_name(manifest), password


@contextlib.contextmanager
def scripted(delay_ms: float) -> Iterator[str]:
    """The scripted model in a process of its own; yields its address."""
    command = [sys.executable, "-m", "tests.e2e.page.model", "--delay-ms", str(delay_ms)]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


@dataclass
class Watch:
    """What a page does that it may not: requests to elsewhere, refusals of the CSP, errors, scripts that ran."""

    base: str
    elsewhere: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def on(self, context: BrowserContext) -> None:
        """Look at every page of a context, from before its first script."""
        context.add_init_script(
            "window.pwned = 0; window.refused = [];"
            "addEventListener('securitypolicyviolation', (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));"
        )
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base}/", f"blob:{self.base}/", "data:,")):
            self.elsewhere.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            self.refused.append(message.text)

    def harmless(self, page: Page) -> None:
        """Nothing ran, nothing left, nothing had to be refused by the browser."""
        assert page.evaluate("window.pwned") == 0
        assert self.elsewhere == []
        assert [*self.refused, *page.evaluate("window.refused")] == []
        assert self.errors == []


def sign_in(page: Page, base: str, name: str, password: str) -> None:
    """By the form, as a person does."""
    page.goto(f"{base}/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("navigation", name="Rooms").wait_for(state="attached")


def ask(page: Page, task: str) -> None:
    """Write a task in the chat and send it."""
    box = page.get_by_label("Your question")
    box.fill(task)
    box.press("Enter")


def ended(page: Page, answer: str, *, within_s: float = 15) -> Locator:
    """The newest question of the chat, once it has this answer and its run has come to an end."""
    said = page.get_by_role("article").last
    expect(said.locator(".said")).to_contain_text(answer, timeout=within_s * 1000)
    expect(said.get_by_role("link", name="Record")).to_be_visible(timeout=within_s * 1000)
    return said


def steps_of(said: Locator) -> None:
    """Open the steps below a question, if they are not."""
    head = said.get_by_role("button", name=re.compile("^Steps"))
    if head.get_attribute("aria-expanded") == "false":
        head.click()
    expect(said.locator(".timeline .line").first).to_be_visible()
