"""Summarise a patient's record, and look at every statement: `python summary.py 4779`.

0: each sentence has a source, each source is of this patient, and each quote stands in its document where it says; 1:
not all of that; 2: there is no summary. Asks the model of ringfence.yaml.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from ringfence import app
from ringfence.app.knowing import library as wiring
from ringfence.engine.result import Result
from ringfence.manifest.loader import load

TASK = "Summarise admission, medicines and discharge of patient {number}."
_MARK = re.compile(r"\[(\d+)\]")


def statements(answer: str) -> list[str]:
    """The sentences of an answer, with the marks behind them."""
    return [
        one.strip()
        for one in re.findall(r"[^.!?\n]+(?:\.(?=\d)[^.!?\n]+)*[.!?]?(?:\s*\[\d+\])*", answer)
        if one.strip()
    ]


def wrong(result: Result, number: str, texts: dict[str, str]) -> list[str]:
    """What is wrong with a summary. `texts`: of the documents that it cites."""
    found = [f"no source: {one}" for one in statements(result.answer) if not _MARK.search(one)]
    for source in result.sources:
        start, end = source.at
        if f"/patient-{number}/" not in source.document:
            found.append(f"[{source.n}] is of somebody else: {source.document}")
        if not source.quote or texts.get(source.document, "")[start:end] != source.quote:
            found.append(f"[{source.n}] is not in {source.document}: {source.quote!r}")
    return found


async def main(number: str) -> int:
    """Ask, print, look."""
    manifest = load(Path(__file__).with_name("ringfence.yaml"))
    async with app.from_manifest(manifest) as agent, wiring.opened(manifest) as library:
        result = await agent.run(TASK.format(number=number), about=[f"patient:{number}"])
        texts = {}
        for source in result.sources:
            collection, _, path = source.document.partition("/")
            document = await library.index.read(agent.principal.member, collection, path)
            texts[source.document] = document.text if document is not None else ""
    print(result.answer or result.summary, end="\n\n")
    for source in result.sources:
        print(f'[{source.n}] {source.document}: "{source.quote}"')
    if not result.answer or not result.sources:
        return 2
    found = wrong(result, number, texts)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(statements(result.answer))} statements, {len(result.sources)} sources: {len(found)} wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
