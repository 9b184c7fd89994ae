"""A server process that is killed and started again, a model and effects beside it, and clients that come back."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from ringfence import app
from ringfence.app.accounts import Desk, ensure_operator, operator_name
from ringfence.manifest.loader import load

MANIFEST = """\
runtime: {{name: killed}}
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 3, timeout_s: 20, max_context: 32768}}
tools: [{{name: note, type: python, function: "notes:note", target_paths: [./out]}}]
grant: {{effects: [note]}}
sandbox: unsafe-none
workflow: {{max_steps: 8}}
server:
  limits: {{running: 100, running_each: 100, queued: 1000, queued_each: 1000, requests: 100000/minute,
           requests_each_address: 100000/minute, connections: 4096, connections_each_address: 4096, drain_s: {drain_s}}}
"""
NOTES = '''\
"""An effect that counts: a line of a file for each key, and one of another for each time that it was asked for."""
import fcntl, os, time
from ringfence import tool

@tool("commit", name="note", roles={"word": "low"}, audience=["self"], idempotency_key="key")
def note(word: str, key: str) -> str:
    """Note a word."""
    folder = os.environ["RINGFENCE_PATHS"]
    with open(folder + "/asked.txt", "a") as asked:
        asked.write(word + "\\n")
    with open(folder + "/done.txt", "a+") as done:
        fcntl.flock(done, fcntl.LOCK_EX)
        done.seek(0)
        if key not in [line.split()[0] for line in done]:
            done.write(f"{key} {word}\\n")
            done.flush()
    return "have noted " + word + "."
'''
STEPS = ("a", "b", "c")  # effects of each run, one after the other
_ON = re.compile(r"is served on (http://\S+)")
START_S = 40.0


def word(number: int, step: str) -> str:
    return f"w{number:03}-{step}"


def script(runs: int) -> list[dict[str, str]]:
    """A model that says its next step by what it was shown, however often it is asked."""
    said: list[dict[str, str]] = []
    for number in range(runs):
        end = {"answer": f"noted {number:03}", "artifacts": [], "confidence": "high"}
        shown = [f"have noted {word(number, step)}." for step in STEPS]
        calls = [
            json.dumps({"thought": "so", "calls": [{"tool": "note", "args": {"word": word(number, step)}}]})
            for step in STEPS
        ]
        texts = [*calls[1:], json.dumps({"thought": "done", "final_answer": end})]
        said += [{"when": w, "text": text} for w, text in reversed(list(zip(shown, texts, strict=True)))]
        said.append({"when": f"note {number:03} down", "text": calls[0]})
    return said


def lay_out(folder: Path, url: str, *, drain_s: float = 30.0) -> str:
    """A manifest with its effect; the key of an account that may begin runs."""
    (folder / "out").mkdir()
    (folder / "notes.py").write_text(NOTES)
    (folder / "ringfence.yaml").write_text(MANIFEST.format(url=url, drain_s=drain_s))
    manifest = load(folder / "ringfence.yaml")
    ensure_operator(manifest)
    desk = Desk(manifest, app.operator(manifest))
    return desk.add_key(operator_name(manifest), ["runs"], purpose="test", days=None)[0]


@dataclass
class House:
    """The server over a folder."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    def start(self, *options: str) -> None:
        """Serve, on the same port as before."""
        if self.process is not None:  # somebody else has ended it
            self.process.communicate(timeout=60)
        command = [sys.executable, "-m", "ringfence.cli", "serve", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert self.process.stderr is not None
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self.process.poll() is None:
            if not select.select([self.process.stderr], [], [], 0.5)[0]:
                continue
            self.said.append(self.process.stderr.readline())
            if found := _ON.search(self.said[-1]):
                self.port = int(found[1].rpartition(":")[2])
                return
        raise AssertionError(f"the server did not start: {''.join(self.said)}{self.process.stderr.read()}")

    def end(self, signum: int = signal.SIGKILL, *, within_s: float = 60.0) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(signum)
        _, stderr = self.process.communicate(timeout=within_s)
        self.said.append(stderr)
        assert "Traceback" not in stderr, stderr
        code: int = self.process.returncode
        self.process = None
        return code


@dataclass
class Client:
    """Somebody who begins a run and follows it to its end, whatever becomes of the server in between.

    ids  of the events that they have, since the last `reset`
    """

    number: int
    house: House
    key: str
    run: str = ""
    ids: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    resets: int = 0
    status: str = ""

    async def work(self, session: aiohttp.ClientSession) -> None:
        while not self.run:
            try:
                await self._begin(session)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)
        while self.status not in ("done", "failed", "partial", "cancelled", "uncertain", "waiting"):
            try:
                await self._follow(session)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.house.port}{path}"

    async def _begin(self, session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"run-{self.number}"}
        task = {"task": f"note {self.number:03} down"}
        async with session.post(self._url("/v1/runs"), json=task, headers=headers) as answer:
            self.statuses.append(answer.status)
            if answer.status == 202:
                self.run = (await answer.json())["id"]
            else:
                await asyncio.sleep(0.2)

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Last-Event-ID": self.ids[-1]} if self.ids else {})
        async with session.get(self._url(f"/v1/runs/{self.run}/events"), headers=headers) as answer:
            self.statuses.append(answer.status)
            assert answer.status in (200, 503), await answer.text()
            async for name, ident, data in events(answer.content):
                if ident:
                    self.ids.append(ident)
                elif name == "reset":
                    self.resets += 1
                    self.ids.clear()
                elif name == "end":
                    self.ends.append(data["status"])
                    self.status = data["status"]
        if self.status in ("interrupted", "running"):
            await asyncio.sleep(0.2)


async def events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str, Any]]:
    """Server-sent events: name, id and data."""
    name = ident = ""
    async for raw in content:
        line = raw.decode().rstrip("\n")
        field_, _, value = line.partition(": ")
        if field_ == "event":
            name = value
        elif field_ == "id":
            ident = value
        elif field_ == "data":
            yield name, ident, json.loads(value)
            name = ident = ""


def noted(folder: Path) -> list[str]:
    """The words that were noted, in order."""
    done = folder / "out" / "done.txt"
    return [line.split()[1] for line in done.read_text().splitlines()] if done.exists() else []


def all_words(numbers: Sequence[int]) -> list[str]:
    return sorted(word(number, step) for number in numbers for step in STEPS)
