"""The embedded model on a busy machine: tokens/s while one core is taken by another process, beside the idle figure.

Idle and busy take turns in one run, on the server as the product starts it (`--spin` and `--threads` try other
settings). Wall time is shown, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ringfence.backends import from_manifest, models
from ringfence.backends.embedded import EmbeddedModel
from ringfence.backends.llama_process import State, usable_cores
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.manifest.types import Inference

AIM = 0.35  # of the idle figure


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Other processes that take a core each."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


async def tokens_per_s(sink: EmbeddedModel, tokens: int, seed: int) -> float:
    """Generated tokens a second, from the first piece of the answer to the last."""
    message = json.dumps({"role": "user", "content": f"{seed}. Tell a long story about a fox, a bear and the sea."})
    times: list[float] = []
    await sink.perform(
        Action(
            "model:small",
            {},
            IDENTITY,
            Prompt((message.encode(),), max_tokens=tokens),
            progress=lambda piece: times.append(time.perf_counter()),
        )
    )
    return (len(times) - 1) / (times[-1] - times[0])


async def measure(given: argparse.Namespace, home: Path) -> tuple[list[float], list[float]]:
    """(idle, busy) tokens/s, a figure a round."""
    tier = {"provider": "embedded", "model": given.model, "idle_s": 60, "max_context": 2048, "temperature": 0}
    inference = Inference.model_validate({"tiers": [tier]})
    backend = from_manifest(inference.tiers[0], inference, home=home)
    sink = backend.sink
    assert isinstance(sink, EmbeddedModel)
    if given.threads:
        read = sink._read_settings
        sink._read_settings = lambda: replace(read(), n_threads=given.threads)
    idle, taken = list[float](), list[float]()
    try:
        await tokens_per_s(sink, 8, 0)
        for turn in range(given.rounds):
            idle.append(await tokens_per_s(sink, given.tokens, 2 * turn))
            with busy(given.busy):
                taken.append(await tokens_per_s(sink, given.tokens, 2 * turn + 1))
    finally:
        await backend.aclose()
        for folder in (home / "run").iterdir():
            if (state := State.read(folder)) is not None:
                os.kill(state.pid, signal.SIGKILL)
    return idle, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=models.DEFAULT)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--busy", type=int, default=1, help="processes that take a core each")
    parser.add_argument("--threads", type=int, default=0, help="0 is the product's choice")
    parser.add_argument("--spin", default="", help="GOMP_SPINCOUNT; empty is the product's choice")
    given = parser.parse_args()
    if given.spin:
        os.environ["GOMP_SPINCOUNT"] = given.spin
    file = models.path(given.model, models.data_home())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        (home / "models" / file.name).symlink_to(file)
        idle, taken = asyncio.run(measure(given, home))
    spin, threads = given.spin or "as shipped", given.threads or usable_cores()
    print(f"{given.model}, {threads} threads, spin count {spin}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    for name, figures in (("idle", idle), (f"{given.busy} core taken", taken)):
        spread = f"{min(figures):.1f} to {max(figures):.1f}"
        print(f"  {name:<14} {statistics.median(figures):6.1f} tokens/s   ({spread}, {len(figures)} rounds)")
    ratio = statistics.median(taken) / statistics.median(idle)
    print(f"  ratio          {ratio:6.2f}            (aim: at least {AIM})")


if __name__ == "__main__":
    main()
