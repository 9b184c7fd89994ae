"""What `knowledge.rerank` is worth: where the right document comes among the hits, before and after the model's word.

    python bench/knowledge/rerank.py [--of 8] [--example rag] [--minutes N] [--json FILE]

The forty-five questions of questions.yaml that a document answers, asked of the examples' own model. MRR: the mean of
one over the place of the first passage of the right document; first: how often that is the first place.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from statistics import mean, median

from ringfence import app
from ringfence.app.knowing import library as wiring
from ringfence.knowledge.ports import Hit

if __package__:
    from .answers import manifest_of, questions
else:
    from answers import manifest_of, questions


def place(hits: list[Hit], document: str) -> int:
    """From 1; 0 if it is not among them."""
    names = [f"{hit.document.collection}/{hit.document.path}" for hit in hits]
    return names.index(document) + 1 if document in names else 0


async def measure(given: argparse.Namespace) -> list[tuple[str, int, int, float]]:
    """(question, place before, place after, seconds) of each."""
    until, rows = time.monotonic() + 60 * given.minutes, list[tuple[str, int, int, float]]()
    wanted = [one for one in questions(examples=given.example) if not one.absent]
    for example in dict.fromkeys(one.example for one in wanted):
        manifest = manifest_of(example, cite="", model="")
        async with app.from_manifest(manifest) as agent, wiring.opened(manifest) as library:
            for one in [question for question in wanted if question.example == example]:
                if time.monotonic() > until:
                    return rows
                begun = await agent.begin(one.ask)
                hits = list(await library.search(one.ask, agent.principal.member, limit=given.of))
                told = [(f"{' > '.join(hit.chunk.headings)}: {hit.text}", hit.document.label) for hit in hits]
                began = time.monotonic()
                ranked = await agent.house.ranker.rank(begun.turn, one.ask, told)
                took = time.monotonic() - began
                after = [hits[n] for n in ranked.order]
                rows.append((one.id, place(hits, one.document), place(after, one.document), round(took, 2)))
                print(*rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", type=int, default=8, help="passages that are put in order")
    parser.add_argument("--example", action="append", default=[], help="rag, contracts, clinic; all if not set")
    parser.add_argument("--minutes", type=float, default=60, help="begin no question after so long")
    parser.add_argument("--json", type=Path, help="keep the rows here")
    given = parser.parse_args()
    rows = asyncio.run(measure(given))
    for name, n in (("the search", 1), ("the model", 2)):
        places = [row[n] for row in rows]
        mrr = mean(1 / at if at else 0.0 for at in places)
        print(f"{name:<12} MRR {mrr:.3f}   first {sum(at == 1 for at in places)} of {len(places)}")
    print(f"seconds a question, median: {median(row[3] for row in rows):.1f}")
    if given.json:
        given.json.write_text(json.dumps(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
