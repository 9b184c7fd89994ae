"""How fast documents become vectors, beside a bare onnxruntime loop over the same chunks in the same run.

    python bench/knowledge/indexing.py [--quick] [--chunks N] [--tokens N] [--rounds N]

Ours: a document is cut into chunks, and their passages go to the Embedder, four documents at once, as when a collection
is indexed. The floor is given the passages ready and does nothing but tokenize, run and pool: once with onnxruntime's
own threads, once with a thread of ours for each core and none of its own; the better of the two counts. The ways take
turns within a round, so that what else the machine does meets all of them. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ringfence.backends import models
from ringfence.knowledge.chunks import passage, split
from ringfence.knowledge.embedding import OnnxEmbedder
from ringfence.knowledge.ports import Block, Parsed

ROOT = Path(__file__).parents[2]
NAME = "minilm-l6"
AT_ONCE = 4  # documents
CORES = len(os.sched_getaffinity(0))


def documents() -> list[Parsed]:
    """The documentation of this repository, by its own headings."""
    found = []
    for file in sorted((ROOT / "docs").rglob("*.md")):
        blocks = []
        for part in re.split(r"\n{2,}", file.read_text()):
            title = re.fullmatch(r"(#+) ([^\n]*)", part)
            kind = "table" if part.startswith("|") else "code" if part.startswith(("```", "    ")) else "text"
            blocks.append(Block(title[2], "heading", level=len(title[1])) if title else Block(part, kind))  # type: ignore[arg-type]
        found.append(Parsed(tuple(blocks), file.stem))
    return found


def opened() -> OnnxEmbedder:
    """The pinned model, fetched where it is not here."""
    home = models.data_home()
    asyncio.run(models.pull(NAME, home))
    model, (weights, tokenizer) = models.find(NAME, home), models.paths(NAME, home)
    return OnnxEmbedder(weights, tokenizer, name=NAME, digest=model.sha256, dim=model.dim, window=model.window)


def passages(embedder: OnnxEmbedder, parsed: Parsed, tokens: int) -> list[str]:
    """What is embedded of a document."""
    text, chunks = split(parsed, count=embedder.count, tokens=tokens, overlap=tokens // 8)
    return [passage(parsed.title, chunk, text[chunk.start : chunk.end]) for chunk in chunks]


def enough(embedder: OnnxEmbedder, tokens: int, number: int) -> tuple[list[Parsed], list[str]]:
    """Documents that make at least so many chunks, as far as there are, and their passages."""
    taken: list[Parsed] = []
    said: list[str] = []
    for parsed in documents():
        if len(said) >= number:
            break
        taken.append(parsed)
        said.extend(passages(embedder, parsed, tokens))
    return taken, said


def ours(embedder: OnnxEmbedder, taken: Sequence[Parsed], tokens: int) -> np.ndarray[Any, Any]:
    """From parsed documents to vectors."""

    async def work() -> np.ndarray[Any, Any]:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(parsed: Parsed) -> np.ndarray[Any, Any]:
            async with turn:
                return await embedder.embed(await asyncio.to_thread(passages, embedder, parsed, tokens))

        return np.concatenate(await asyncio.gather(*(one(parsed) for parsed in taken)))

    return asyncio.run(work())


def bare(weights: Path, tokenizer: Path, *, own_threads: bool) -> Callable[[Sequence[str]], np.ndarray[Any, Any]]:
    """The floor: no chunks, no checks, nothing but the model."""
    import onnxruntime
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(tokenizer))
    words.no_padding()
    words.enable_truncation(512)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES if own_threads else 1
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def vector(text: str) -> Any:
        ids = np.array([words.encode(text).ids])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pooled = session.run(None, feed)[0][0].mean(axis=0)
        return pooled / np.linalg.norm(pooled)

    def run(texts: Sequence[str]) -> np.ndarray[Any, Any]:
        if own_threads:
            return np.array([vector(text) for text in texts])
        with ThreadPoolExecutor(CORES) as pool:
            return np.array(list(pool.map(vector, texts)))

    return run


def timed(work: Callable[[], np.ndarray[Any, Any]]) -> tuple[float, float, np.ndarray[Any, Any]]:
    """Seconds, seconds of CPU, and what came."""
    began, used = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - began, time.process_time() - used, found


def peak_mb() -> float:
    """The most that was resident since this program began; getrusage would tell of the one that started it, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def compare(options: argparse.Namespace) -> None:
    embedder = opened()
    weights, tokenizer = models.paths(NAME, models.data_home())
    taken, texts = enough(embedder, options.tokens, options.chunks)
    floors = {True: bare(weights, tokenizer, own_threads=True), False: bare(weights, tokenizer, own_threads=False)}
    ways: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
        "ours: chunks and vectors": lambda: ours(embedder, taken, options.tokens),
        "bare, onnxruntime's threads": lambda: floors[True](texts),
        "bare, a thread for each core": lambda: floors[False](texts),
    }
    for floor in floors.values():
        floor(texts[:2])
    asyncio.run(embedder.embed(texts[:2]))
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(options.rounds):
        results = []
        for way in sorted(ways, reverse=bool(number % 2)):
            wall, cpu, found = timed(ways[way])
            spent[way].append((wall, cpu))
            results.append(found)
        assert all(np.allclose(one, results[0], atol=1e-4) for one in results), "the ways do not agree"
    began = time.process_time()
    for parsed in taken:
        passages(embedder, parsed, options.tokens)
    cutting = time.process_time() - began
    show(options, spent, len(texts), statistics.mean(embedder.count(text) for text in texts), cutting)


def show(
    options: argparse.Namespace, spent: dict[str, list[tuple[float, float]]], number: int, mean: float, cutting: float
) -> None:
    print(f"{number} chunks of {mean:.0f} tokens, {options.tokens} at most; {CORES} cores, {options.rounds} rounds")
    for way, rounds in spent.items():
        wall, cpu = (statistics.median(one[place] for one in rounds) for place in (0, 1))
        print(f"{way:<30} {number / wall:6.1f} chunks/s   {cpu / number * 1000:6.1f} ms of CPU a chunk")
    first, *others = spent.values()
    for place, what in ((0, "chunks/s"), (1, "CPU")):
        ratios = [min(other[n][place] for other in others) / first[n][place] for n in range(options.rounds)]
        low, high = min(ratios), max(ratios)
        print(f"ratio to the better floor, {what}: {statistics.median(ratios):.2f} ({low:.2f} to {high:.2f})")
    print(f"cutting into chunks: {cutting / number * 1000:.1f} ms of CPU a chunk")
    child = [sys.executable, __file__, "--memory", "--tokens", str(options.tokens), "--chunks", str(options.chunks)]
    print(subprocess.run(child, check=True, capture_output=True, text=True).stdout, end="")


def memory(options: argparse.Namespace) -> None:
    embedder = opened()
    taken, _ = enough(embedder, options.tokens, options.chunks)
    before = peak_mb()
    ours(embedder, taken, options.tokens)
    print(f"resident, at most: {peak_mb():.0f} MB, of which {before:.0f} MB before the first vector")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="24 chunks, 3 rounds: under a minute")
    parser.add_argument("--chunks", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.chunks, options.rounds = 24, 3
    (memory if options.memory else compare)(options)


if __name__ == "__main__":
    main()
