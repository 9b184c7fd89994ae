"""P3 behind a full pipe: whoever was to read the timeline has stopped, and no effect is lost or repeated for it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import termios
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.app import from_manifest
from ringfence.engine.result import Result
from ringfence.manifest.loader import load
from ringfence.stores import open_log
from ringfence.testing.server import running

from . import effects
from .effects import ANSWER, World

GIFTS = [f"gift-{n}" for n in range(12)]
PAGE = 4096  # bytes that the pipe holds, at most
MANIFEST = effects.MANIFEST.partition("    reconcile:")[0]  # nobody but a person can find out


def script(port: int) -> list[str | dict[str, str]]:
    """A model that sends one gift a step, each with a long letter, which the timeline shows."""
    texts = []
    for name in GIFTS:
        args = {"method": "POST", "url": f"http://127.0.0.1:{port}/gift", "body": {"name": name, "letter": "x" * 400}}
        texts.append(json.dumps({"thought": f"I send {name}", "calls": [{"tool": "http.call", "args": args}]}))
    texts.append(
        json.dumps({"thought": "done", "final_answer": {"answer": ANSWER, "artifacts": [], "confidence": "high"}})
    )
    later = [{"when": f"have gift {n}", "text": text} for n, text in zip(GIFTS, texts[1:], strict=True)]
    return [*reversed(later), texts[0]]


@dataclass
class Stuck:
    """A run whose stderr nobody reads, and which has come to a stop because of that."""

    process: subprocess.Popen[str]
    reader: int
    manifest: Path
    world: World


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[Stuck]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    with effects.serving(World()) as world, running(script(world.port)) as url:
        manifest = tmp_path / "ringfence.yaml"
        manifest.write_text(MANIFEST.format(url=url, port=world.port))
        command = [sys.executable, "-m", "ringfence.cli", "run", "--manifest", str(manifest), "send the gifts"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writer, text=True)
        try:
            os.close(writer)
            while waiting(reader, world) != waiting(reader, world, after_s=1.0):
                assert process.poll() is None, "the run ended before the pipe was full"
            assert PAGE // 2 < waiting(reader, world)[0] <= PAGE
            assert 0 < len(world.done) < len(GIFTS)
            yield Stuck(process, reader, manifest, world)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def waiting(reader: int, world: World, *, after_s: float = 0.0) -> tuple[int, int]:
    """The bytes that nobody has read, and what was done: once both stay the same, the run has come to a stop."""
    time.sleep(after_s)
    count = array("i", [0])
    fcntl.ioctl(reader, termios.FIONREAD, count)
    return count[0] or -1, len(world.done) if count[0] else time.monotonic_ns()


async def go_on(stuck: Stuck) -> tuple[Result, int]:
    """Resume the run to its end; how often a person was asked."""
    asked = 0
    with open_log(stuck.manifest.parent / ".ringfence" / "journal.db") as log:
        assert log.verify().problem == ""
        run = log.runs(limit=1)[0].run
    async with from_manifest(load(stuck.manifest)) as agent:
        while (result := await agent.resume(run)).status == "uncertain":
            for one in agent.uncertain():
                name = one.args["body"]["name"]
                done = stuck.world.done[name] > 0
                value: Any = {"json": {"text": f"have gift {name}"}} if done else None
                await agent.settle(run, done, call=one.seq, result=value)
                asked += 1
    return result, asked


def test_a_run_behind_a_full_pipe_goes_on_when_somebody_reads_again(stuck: Stuck) -> None:
    while os.read(stuck.reader, 65_536):
        pass
    os.close(stuck.reader)
    assert stuck.process.stdout is not None
    assert (stuck.process.wait(), stuck.process.stdout.read().strip()) == (0, ANSWER)
    assert stuck.world.done == dict.fromkeys(GIFTS, 1)


def test_a_run_behind_a_full_pipe_that_is_killed_loses_nothing_and_repeats_nothing(stuck: Stuck) -> None:
    stuck.process.kill()
    stuck.process.wait()
    os.close(stuck.reader)
    stuck.world.at_rest()
    result, _ = asyncio.run(go_on(stuck))
    assert (result.status, result.answer) == ("done", ANSWER), result.summary
    assert stuck.world.done == dict.fromkeys(GIFTS, 1)


def test_a_run_whose_reader_hangs_up_stops_and_loses_nothing(stuck: Stuck) -> None:
    os.close(stuck.reader)
    assert stuck.process.wait() != 0
    stuck.world.at_rest()
    result, _ = asyncio.run(go_on(stuck))
    assert (result.status, result.answer) == ("done", ANSWER), result.summary
    assert stuck.world.done == dict.fromkeys(GIFTS, 1)
