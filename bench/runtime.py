"""What the runtime costs beside the model: CPU of our process for a run of two model calls and one tool call.

A scripted server at zero latency in a process of its own; a bare aiohttp loop doing the same two requests is the floor,
measured in the same run. Wall time is shown, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from ringfence import app
from ringfence.manifest.loader import parse
from ringfence.stores import open_journal
from ringfence.stores.memory import MemoryJournal

TASK = "17 * 23"


def step(number: int) -> str:
    """A model answer that calls a tool."""
    return json.dumps({"thought": "add", "calls": [{"tool": "calc", "args": {"expression": f"17 * {number}"}}]})


def done(answer: str) -> str:
    """A model answer that ends a run."""
    return json.dumps({"thought": "done", "final_answer": {"answer": answer, "artifacts": [], "confidence": "high"}})


# the answer is in the grammar once the tool has answered; until then it is called: right for any number of runs at once
RUN = [{"when": '"final_answer":{"type"', "text": done("391")}, step(23)]


class Server:
    """The scripted model server in a process of its own."""

    def __init__(self, steps: Sequence[Any], delay_ms: int = 0) -> None:
        self.folder = tempfile.TemporaryDirectory()
        script = Path(self.folder.name) / "script.json"
        script.write_text(json.dumps(steps))
        command = [sys.executable, "-m", "ringfence.testing.server", "--cycle", "--script", str(script)]
        self.process = subprocess.Popen(
            [*command, "--delay-ms", str(delay_ms), "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline().split()[-1])}/v1"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def agent_for(url: str, journal: Any) -> app.Agent:
    text = f"""
inference: {{provider: llamacpp, endpoint: "{url}", model: scripted}}
tools: [{{name: calc, type: builtin}}]
workflow: {{max_steps: 30}}
"""
    return app.from_manifest(parse(text, "bench.yaml"), journal=journal)


async def bare(url: str, runs: int) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": TASK}]}).encode()
    async with aiohttp.ClientSession() as session:
        for _ in range(runs * 2):
            async with session.post(url + "/chat/completions", data=body) as answer:
                json.loads(await answer.read())


async def cpu_ms(job: Callable[[], Awaitable[Any]], runs: int, rounds: int = 5) -> float:
    """CPU milliseconds a run, all threads; the median of `rounds`."""
    values = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(runs):
            await job()
        values.append((time.process_time() - began) * 1000 / runs)
    return statistics.median(values)


def writes() -> int:
    """Bytes this process has handed to write() so far."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("wchar"):
            return int(line.split()[1])
    return 0


async def sequential(folder: Path) -> None:
    with Server(RUN) as server:
        floor = await cpu_ms(lambda: bare(server.url, 20), 5) / 20
        print(f"{'bare aiohttp, two requests':44}{floor:8.2f} ms")

        def show(name: str, ms: float) -> None:
            print(f"{name:44}{ms:8.2f} ms {ms / floor:6.1f} x bare")

        async with agent_for(server.url, MemoryJournal()) as agent:
            assert (await agent.run(TASK)).answer == "391"
            show("run, journal off", await cpu_ms(lambda: agent.run(TASK), 100))
        async with agent_for(server.url, open_journal(folder / "a.db")) as agent:
            await agent.run(TASK)
            before = writes()
            show("run, journal on", await cpu_ms(lambda: agent.run(TASK), 100))
            print(f"{'bytes written a run':44}{(writes() - before) / 500:8.0f}")
            for _ in range(500):
                await agent.run(TASK, conversation="long")
            show(
                "run, journal on, after 1,000 messages",
                await cpu_ms(lambda: agent.run(TASK, conversation="long"), 50),
            )
    with Server([*(step(n) for n in range(10)), done("153")]) as server:
        async with agent_for(server.url, open_journal(folder / "b.db")) as agent:
            assert len((await agent.run(TASK)).steps) == 10
            show("run of 10 tool steps, journal on", await cpu_ms(lambda: agent.run(TASK), 30))
        async with agent_for(server.url, MemoryJournal()) as agent:
            show("run of 10 tool steps, journal off", await cpu_ms(lambda: agent.run(TASK), 30))


async def concurrent(folder: Path, at_once: int, total: int, *, journal: bool) -> None:
    delay_ms = 50
    with Server(RUN, delay_ms) as server:
        store = open_journal(folder / f"c{at_once}.db") if journal else MemoryJournal()
        async with agent_for(server.url, store) as agent:
            await agent.run(TASK)
            gate, times = asyncio.Semaphore(at_once), []

            async def one() -> None:
                async with gate:
                    began = time.perf_counter()
                    assert (await agent.run(TASK)).status == "done"
                    times.append((time.perf_counter() - began) * 1000)

            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(total)))
            took = time.perf_counter() - began
    times.sort()
    mean, p99 = statistics.mean(times), times[int(len(times) * 0.99)]
    print(
        f"{f'{at_once} at once, 50 ms a call, journal ' + ('on' if journal else 'off'):44}{total / took:8.0f} runs/s"
        f"   mean {mean:.0f} ms, p99 {p99:.0f} ms = {p99 / mean:.1f} x mean, {p99 / (2 * delay_ms):.1f} x ideal"
    )


async def memory(at_once: int = 512) -> None:
    """Bytes of a live run, while its model is thinking."""
    with Server(RUN, 3000) as server:
        async with agent_for(server.url, MemoryJournal()) as agent:
            await agent._ready()
            tracemalloc.start()
            runs = [asyncio.ensure_future(agent.run(TASK)) for _ in range(at_once)]
            await asyncio.sleep(2)
            size, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
    print(f"{'live run, its request in flight':44}{size / at_once / 1024:8.1f} KB")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total", type=int, default=2048, help="runs of each concurrent measurement")
    total = parser.parse_args().total
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await sequential(folder)
        await concurrent(folder, 512, total, journal=False)
        await concurrent(folder, 512, total, journal=True)
        await concurrent(folder, 32, total // 4, journal=True)
        await memory()


if __name__ == "__main__":
    asyncio.run(main())
