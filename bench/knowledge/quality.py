"""How good the search is: nDCG@10 and recall@5 by words alone, by vectors alone, by both (hybrid), and as agents do it.

    python bench/knowledge/quality.py [--set public|examples] [--markdown FILE]

Two sets: a public one (see public.py), and 300 questions over the documents of examples/ in other words than theirs
(see asked.py). Documents are ranked by their best chunk. Intervals are of 95 %, by bootstrap over the questions (10,000
samples); that of a difference is paired. The index, the chunks and the model are those that agents use. `agent` is the
search of `kb.search`: hybrid, with what holds an identifier of the question first and what was superseded last.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import asked  # noqa: E402
import public  # noqa: E402

from ringfence.app.confine import Chosen  # noqa: E402
from ringfence.app.knowing import library as wiring  # noqa: E402
from ringfence.backends.models import data_home  # noqa: E402
from ringfence.core.labels import Label, Member, Trust  # noqa: E402
from ringfence.knowledge.chunks import passage, split  # noqa: E402
from ringfence.knowledge.ingest.walk import Source  # noqa: E402
from ringfence.knowledge.library import Library  # noqa: E402
from ringfence.knowledge.parsing import ConfinedParser  # noqa: E402
from ringfence.knowledge.ports import Block, Document, Embedder, Index, Parsed, Query  # noqa: E402
from ringfence.knowledge.sqlite import SqliteIndex  # noqa: E402
from ringfence.manifest.knowledge import Embedding  # noqa: E402
from ringfence.manifest.loader import load  # noqa: E402

TOP, FIRST, DEEP = 10, 5, 60
MODES = ("words", "vectors", "hybrid", "agent")
SAMPLES, SEED = 10_000, 1
EVERYBODY: Member = frozenset({"role:hr", "role:ops", "role:legal", "role:ward-a", "role:ward-b"})
Ranking = Sequence[str]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the documents that should be found. `group` is what the report also tells alone."""

    text: str
    right: frozenset[str]
    group: str


def gain(ranking: Ranking, right: frozenset[str]) -> float:
    """nDCG@10 with relevance 0 or 1 (Järvelin and Kekäläinen, ACM TOIS 20:4, 2002)."""
    got = sum(1 / math.log2(place + 1) for place, name in enumerate(ranking[:TOP], 1) if name in right)
    return got / sum(1 / math.log2(place + 1) for place in range(1, min(len(right), TOP) + 1))


def recall(ranking: Ranking, right: frozenset[str]) -> float:
    """The share of the right documents among the first five; of more than five, of five."""
    return len(right & set(ranking[:FIRST])) / min(len(right), FIRST)


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean and its 95 % interval, by bootstrap."""
    drawn = np.random.default_rng(SEED).integers(0, len(values), (SAMPLES, len(values)))
    means = values[drawn].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


async def ranked(library: Library, text: str, mode: str) -> Ranking:
    """Documents, best first."""
    if mode == "agent":
        hits = await library.search(text, EVERYBODY, limit=DEEP)
    else:
        assert library.embedder is not None
        vector = await library.embedder.embed_query(text) if mode != "words" else None
        hits = await library.index.search(Query("" if mode == "vectors" else text, vector, limit=DEEP), EVERYBODY)
    return list(dict.fromkeys(f"{hit.document.collection}/{hit.document.path}" for hit in hits))


async def take_public(index: Index, embedder: Embedder) -> list[Question]:
    """Put the abstracts; the questions are the topics."""
    documents, queries = public.load(public.fetch(ROOT / ".ringfence" / "bench"))
    for name, (title, abstract) in documents.items():
        text, chunks = split(Parsed((Block(abstract),), title=title), count=embedder.count, title=title)
        vectors = await embedder.embed([passage(title, chunk, text[chunk.start : chunk.end]) for chunk in chunks])
        document = Document("papers", name, text, Label(Trust.UNTRUSTED), title=title)
        await index.put(document, chunks, vectors, model=embedder.model)
    return [Question(topic, frozenset(f"papers/{name}" for name in names), "topics") for topic, names in queries]


async def take_examples(library: Library) -> list[Question]:
    """Take in the examples' folders, as an agent does before its first run."""
    for report in await library.refresh():
        print(f"{report.collection}: {report.added} documents, {report.chunks} chunks", file=sys.stderr)
    return [Question(one.text, one.right, one.example) for one in asked.questions()]


def sources_of(which: str) -> list[Source]:
    """The collections of a set."""
    if which == "public":
        return [Source("papers", ())]
    manifests = (load(ROOT / "examples" / name / "ringfence.yaml") for name in ("rag", "contracts", "clinic"))
    return [source for manifest in manifests for source in wiring.sources_of(manifest)]


async def measure(which: str) -> list[str]:
    """The lines of the report on one set."""
    embedder, launcher = wiring.embedder_of(Embedding(), data_home()), Chosen("auto")
    with tempfile.TemporaryDirectory() as folder:
        index, home = SqliteIndex(Path(folder) / "index"), Path(folder)
        parser = ConfinedParser(launcher)
        library = Library(sources_of(which), index=index, parser=parser, embedder=embedder, home=home)
        questions = await (take_public(index, embedder) if which == "public" else take_examples(library))
        began, found = time.monotonic(), {}
        for mode in MODES:
            found[mode] = [await ranked(library, one.text, mode) for one in questions]
        seconds = (time.monotonic() - began) / len(questions) / len(MODES)
        await library.aclose()
        await launcher.aclose()
    print(f"{which}: {len(questions)} questions, {seconds * 1000:.0f} ms a search", file=sys.stderr)
    return [*table(which, questions, found), *differences(questions, found), ""]


def table(which: str, questions: Sequence[Question], found: dict[str, list[Ranking]]) -> list[str]:
    """A row for each way to search, and for each group of questions."""
    lines = ["| set | questions | by | nDCG@10 | recall@5 |", "|---|---|---|---|---|"]
    groups = list(dict.fromkeys(one.group for one in questions))
    for group in ["all", *groups] if len(groups) > 1 else ["all"]:
        chosen = [n for n, one in enumerate(questions) if group in ("all", one.group)]
        for mode in MODES:
            values = [np.array([score(found[mode][n], questions[n].right) for n in chosen]) for score in (gain, recall)]
            cells = " | ".join("{:.3f} ({:.3f} to {:.3f})".format(*interval(value)) for value in values)
            lines.append(f"| {which}{'' if group == 'all' else f', {group}'} | {len(chosen)} | {mode} | {cells} |")
    return lines


def differences(questions: Sequence[Question], found: dict[str, list[Ranking]]) -> list[str]:
    """Hybrid less each of the others, question by question."""
    lines = [""]
    for name, score in (("nDCG@10", gain), ("recall@5", recall)):
        values = {
            mode: np.array([score(r, one.right) for r, one in zip(found[mode], questions, strict=True)])
            for mode in MODES
        }
        for mode in ("words", "vectors"):
            text = "{:+.3f} ({:+.3f} to {:+.3f})".format(*interval(values["hybrid"] - values[mode]))
            lines.append(f"{name}, hybrid less {mode}: {text}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="how good the search is")
    parser.add_argument("--set", choices=("public", "examples"), action="append")
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    lines: list[str] = []
    for which in given.set or ("public", "examples"):
        lines += asyncio.run(measure(which))
        print("\n".join(lines[-40:]), flush=True)
    if given.markdown:
        given.markdown.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
