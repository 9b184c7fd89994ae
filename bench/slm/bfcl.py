"""BFCL through one small model: its server's own tool calls, fenced JSON on top of them, and Ringfence's ladder.

`python bench/slm/bfcl.py` asks what is not yet answered in `--answers` (a line of JSON a case, part of the repository:
anybody can make the table again, or go on), then prints the table; it may be stopped at any time, and `--minutes` stops
it. `--split dev` is what prompts and thresholds were tuned on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

import aiohttp
from bfcl_arms import Ladder, Reply, fenced, native
from bfcl_data import CATEGORIES, Case, fetched, load, verdict

from ringfence.backends import Backend, from_manifest
from ringfence.backends.llama_process import SETTINGS, State
from ringfence.backends.models import DEFAULT, data_home
from ringfence.manifest.types import Inference

ARMS = {"native": "native tool calls", "fenced": "native + fenced JSON", "ladder": "Ringfence"}
CALLED = tuple(name for name in CATEGORIES if name != "irrelevance")
_Z = 1.96  # of a 95 % interval
_TIMEOUT_S = 280
HERE = Path(__file__).parent


def cache() -> Path:
    """Where the wheel of the cases is kept: they do not belong into the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringfence-bench" / "bfcl"


def server(model: str) -> tuple[str, str]:
    """Address and key of the embedded server that runs. Raises LookupError if none does."""
    for folder in sorted((data_home() / "run").glob("*")):
        state = State.read(folder)
        if state is not None and json.loads((folder / SETTINGS).read_text())["alias"] == model:
            return f"http://127.0.0.1:{state.port}", state.key
    raise LookupError(f"no embedded server of {model} is running")


async def ask(case: Case, backend: Backend, model: str, *, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """Both generations of a case, as the JSON that is kept; with what was `kept` of it, ours alone is made again."""
    await backend.probe()  # starts the server, and says that it is wanted
    if kept:
        return {**kept, "ladder": asdict(await Ladder(case, backend.sink).run())}
    url, key = server(model)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as session:
        try:
            theirs = await native(case, session, url, model)
        except aiohttp.ClientResponseError as refused:  # a schema that the server does not take, say: it counts as none
            theirs = Reply([], [""], notes={"error": str(refused)})
    ours = await Ladder(case, backend.sink).run()
    replies = {"native": theirs, "fenced": Reply(fenced(theirs, case), []), "ladder": ours}
    return {"id": case.id, "category": case.category, **{arm: asdict(reply) for arm, reply in replies.items()}}


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    share, z = right / of, _Z * _Z / of
    half = _Z * math.sqrt(share * (1 - share) / of + z / (4 * of))
    return (share + z / 2 - half) / (1 + z), (share + z / 2 + half) / (1 + z)


def difference(ours: Sequence[bool], theirs: Sequence[bool]) -> tuple[float, float, float]:
    """Ours less theirs on the same cases, with the 95 % interval of Agresti and Min (2005) for matched pairs."""
    won = sum(a and not b for a, b in zip(ours, theirs, strict=True))
    lost = sum(b and not a for a, b in zip(ours, theirs, strict=True))
    of, up, down = len(ours) + 2, won + 0.5, lost + 0.5
    middle = (up - down) / of
    half = _Z * math.sqrt(max(0.0, up + down - (up - down) ** 2 / of)) / of
    return (won - lost) / max(1, len(ours)), middle - half, middle + half


def table(wheel: Path, cases: Sequence[Case], kept: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The report, line by line."""
    right: dict[str, dict[str, bool]] = {arm: {} for arm in ARMS}
    for case in cases:
        for arm in ARMS:
            calls = [(name, args) for name, args in kept[case.id][arm]["calls"]]
            right[arm][case.id] = not verdict(wheel, case, calls)
    yield "| | cases | " + " | ".join(ARMS.values()) + " | against native | against fenced |"
    yield "|---|---|---|---|---|---|---|"
    groups = {**{name: (name,) for name in CATEGORIES}, "**calls** (first three)": CALLED, "**all**": CATEGORIES}
    for name, categories in groups.items():
        ids = [case.id for case in cases if case.category in categories]
        if ids:
            yield _row(name, ids, right)
    seconds = {arm: [kept[case.id][arm]["seconds"] for case in cases] for arm in ("native", "ladder")}
    for arm, took in seconds.items():
        tokens = [kept[case.id][arm]["prompt"] + kept[case.id][arm]["completion"] for case in cases]
        if took:
            yield f"\n{arm}: {sum(took) / len(took):.1f} s and {sum(tokens) / len(tokens):.0f} tokens a case"


def _row(name: str, ids: Sequence[str], right: dict[str, dict[str, bool]]) -> str:
    cells = [name, str(len(ids))]
    for arm in ARMS:
        count = sum(right[arm][one] for one in ids)
        low, high = interval(count, len(ids))
        cells.append(f"{100 * count / len(ids):.0f} % ({100 * low:.0f} to {100 * high:.0f})")
    for arm in ("native", "fenced"):
        found = difference([right["ladder"][one] for one in ids], [right[arm][one] for one in ids])
        cells.append("{:+.0f} ({:+.0f} to {:+.0f})".format(*(100 * one for one in found)))
    return "| " + " | ".join(cells) + " |"


def read_answers(file: Path) -> dict[str, dict[str, Any]]:
    """What is answered, by the id of its case; a last line that was cut off is none, and is taken away."""
    text = file.read_text() if file.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole)
    return {answer["id"]: answer for answer in map(json.loads, whole.splitlines())}  # the last of a case counts


def state() -> str:
    """The commit whose ladder answers."""
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout.strip()


async def fill(
    todo: Sequence[Case], answers: Path, model: str, *, until: float, say: Callable[[str], None],
    done: Mapping[str, dict[str, Any]],
) -> None:  # fmt: skip
    """Ask what is to be asked, a line a case, until the time is up; `done`: what is kept. Raises RingfenceError."""
    inference = Inference.model_validate(
        {"tiers": [{"name": "small", "provider": "embedded", "model": model, "logprobs": True}], "temperature": 0}
    )
    backend, commit = from_manifest(inference.tiers[0], inference, home=data_home()), state()
    try:
        for case in todo:
            if time.monotonic() > until:
                say("stopped: the time is up; run it again to go on")
                break
            answer = await ask(case, backend, model, kept=done.get(case.id)) | {"commit": commit}
            with answers.open("a") as file:
                file.write(json.dumps(answer, ensure_ascii=False) + "\n")
            say(f"{case.id}: {answer['ladder']['seconds']:.1f} s")
    finally:
        await backend.aclose()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT, help="an embedded model")
    parser.add_argument("--cases", type=int, default=100, help="of each category")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--category", choices=CATEGORIES, action="append", help="only this one; may be repeated")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop asking after so long")
    parser.add_argument("--answers", type=Path, default=None, help="the file of the answers")
    parser.add_argument("--wheels", type=Path, default=cache(), help="where the wheel of bfcl-eval is, or is put")
    parser.add_argument("--again", action="store_true", help="ask ours again of what another commit has answered")
    parser.add_argument("--report", action="store_true", help="only print the table of what is answered")
    given = parser.parse_args()
    answers = given.answers or HERE / f"bfcl-{given.model}-{given.split}.jsonl"
    wheel = fetched(given.wheels)
    by_category = [load(wheel, name, given.split, given.cases) for name in given.category or CATEGORIES]
    cases = [case for row in zip_longest(*by_category) for case in row if case is not None]  # a part is balanced too
    if not given.report:
        done = read_answers(answers)
        old = {one for one in done if given.again and done[one]["commit"] != state()}
        todo = [case for case in cases if case.id in old or case.id not in done]
        until = time.monotonic() + 60 * given.minutes
        asyncio.run(fill(todo, answers, given.model, until=until, say=lambda text: print(text, flush=True), done=done))
    done = read_answers(answers)
    answered = [case for case in cases if case.id in done]
    print(f"\n{given.model}, split {given.split}, {len(answered)} of {len(cases)} cases answered")
    by_commit = Counter(done[case.id]["commit"] for case in answered)
    print("at " + ", ".join(f"{commit} ({count})" for commit, count in by_commit.items()) + "\n")
    print("\n".join(table(wheel, answered, done)))


if __name__ == "__main__":
    main()
