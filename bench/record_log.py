"""The records that `bench/record.py` measures with: runs as the engine writes them, bodies of 600 bytes in the mean.

Messages, steps of a model, arguments and results of tools. Half of the texts are documents of the redaction
benchmark's corpus (mails, tickets, tables, logs, configurations, with five personal values each), half are prose, code
and logs that have none. The seed is fixed.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from redaction_clean import clean
from redaction_corpus import Corpus

from ringfence import stores
from ringfence.app import record as wiring
from ringfence.app.notary import Notary
from ringfence.app.secrets import redactor_of
from ringfence.core.chain import Kind, Record
from ringfence.core.labels import Label, Trust
from ringfence.core.values import JSON, ordered
from ringfence.manifest.loader import load
from ringfence.manifest.types import Manifest
from ringfence.stores.sqlite import SqliteJournal

CIRCLE = frozenset({frozenset({"user:alice", "role:ops"})})
TRUSTED, TAINTED = Label(Trust.USER, CIRCLE), Label(Trust.UNTRUSTED, CIRCLE)
LENGTH = 11  # records of a run; it waits for the disk before its reply leaves, and at its end
BEFORE_REPLY = 8
START_MS = 1_763_600_000_000
MANIFEST = """\
runtime: {{name: bench}}
inference: {{provider: llamacpp, model: none, endpoint: "http://127.0.0.1:9"}}
tools: [{{name: calc, type: builtin}}]
audit: {{views: {views}}}
"""
Line = tuple[Kind, Label, dict[str, JSON], dict[str, JSON]]


def manifest_in(folder: Path, *, views: str = "redacted") -> Manifest:
    """A manifest in a folder of its own; its journal lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ringfence.yaml").write_text(MANIFEST.format(views=views))
    return load(folder / "ringfence.yaml")


def scripts(count: int, *, seed: int = 1) -> list[list[Line]]:
    """The lines of so many different runs."""
    texts = _texts(seed)
    return [_script(number, texts) for number in range(count)]


def _texts(seed: int) -> Iterator[str]:
    rnd, corpus = random.Random(seed), Corpus(seed)
    plain, _ = clean(seed)
    documents = corpus.documents(10**9)
    while True:
        yield next(documents).text
        begin = rnd.randrange(len(plain) - 2000)
        yield plain[begin : begin + rnd.randint(200, 1400)]


def _script(number: int, texts: Iterator[str]) -> list[Line]:
    said, found, answer = next(texts)[:850], next(texts) + "\n" + next(texts), next(texts)[:850]
    usage = {"prompt": 912, "completion": 141, "cached": 0}
    task = f"Look at case {number} and say what to do about it. {said}"
    step = json.dumps({"thought": f"I read case {number} first: {found[:160]}",
                       "calls": [{"tool": "files.read", "args": {"path": f"cases/{number}.txt"}}]})  # fmt: skip
    end = {"answer": answer, "artifacts": [], "confidence": "high"}
    last = json.dumps({"thought": "done", "final_answer": end})
    sinks = ["model:main", "reply:local", "tool:files.find", "tool:files.read", "tool:read_more"]
    trace = {"id": f"{number:032x}", "flags": "3"}
    start = {
        "task": task,
        "principal": {"subject": "user:alice", "roles": ["role:ops"], "tenant": ""},
        "grant": {"sinks": sinks, "budgets": {}, "objects": {}, "version": 1},
        "trace": trace, "agent": "bench", "version": "", "sandbox": "bubblewrap",
    }  # fmt: skip
    model = {"sink": "model:main", "rule": "POL-8", "left_out": 0}
    done = {"ok": True, "ms": 3, "usage": usage}
    key = "c3e89d0c-fc64-89cf-8d38-74a84288de23"
    prompt, began = f"{number:064x}", {"policy": "119fe36db78cc183", "profile": "default", "effects": []}

    def step_of(text: str) -> dict[str, JSON]:
        return {"value": {"text": text, "finish": "stop", "usage": usage, "model": "scripted"}}

    return [
        (Kind.STARTED, TRUSTED, {**began, "trace": trace["id"]}, start),
        (Kind.MESSAGE, TRUSTED, {"chars": len(task)}, {"role": "user", "text": task}),
        (Kind.INTENT, TRUSTED, {**model, "context": [1]}, {"prompt": prompt}),
        (Kind.OUTCOME, TRUSTED, {"of": 2, **done}, step_of(step)),
        (Kind.INTENT, TRUSTED, {"sink": "tool:files.read", "rule": "POL-8", "key": key},
         {"args": {"path": f"cases/{number}.txt"}, "call": 0}),
        (Kind.OUTCOME, TAINTED, {"of": 4, "ok": True, "ms": 1},
         {"value": {"path": f"cases/{number}.txt", "lines": found.splitlines(), "size": len(found)}}),
        (Kind.INTENT, TAINTED, {**model, "context": [1, 3, 5]}, {"prompt": prompt}),
        (Kind.OUTCOME, TAINTED, {"of": 6, **done}, step_of(last)),
        (Kind.INTENT, TAINTED, {"sink": "reply:local", "rule": "POL-8", "key": key},
         {"args": {"text": answer}, "call": -1}),
        (Kind.OUTCOME, TAINTED, {"of": 8, "ok": True, "ms": 0}, {"value": len(answer)}),
        (Kind.FINISHED, TAINTED, {"status": "done", "usage": {**usage, "steps": 2}},
         {"status": "done", **end, "summary": "answered in 2 steps with files.read"}),
    ]  # fmt: skip


def run_of(number: int, script: Sequence[Line]) -> list[Record]:
    """A run of its own with these lines."""
    run, time = f"r{number:08}", START_MS + number * 40
    return [
        Record(run, seq, time + seq, kind, "user:alice", label, view, body)
        for seq, (kind, label, view, body) in enumerate(script)
    ]


def body_bytes(runs: Iterable[Sequence[Record]]) -> float:
    """Bytes of a body in the mean."""
    sizes = [len(ordered(record.body)) for run in runs for record in run]
    return sum(sizes) / len(sizes)


async def write_run(journal: SqliteJournal, run: Sequence[Record]) -> None:
    """As the engine does: durable before the reply leaves, and at the end."""
    for record in run:
        journal.append(record)
        if record.seq == BEFORE_REPLY:
            await journal.flush()
    await journal.flush()


async def one_by_one(journal: SqliteJournal, runs: Sequence[Sequence[Record]]) -> None:
    """One run at a time, as a person at a terminal has it."""
    for run in runs:
        await write_run(journal, run)


async def at_once(journal: SqliteJournal, runs: Sequence[Sequence[Record]]) -> None:
    """All of them at once, as a service has it: they share commits."""
    await asyncio.gather(*(write_run(journal, run) for run in runs))


class Ready:
    """`stores.shown.Redactor` with the views of known bodies, which the real one has made: a long log is quickly made.

    Its bytes are those that the real one would have written.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._redactor = redactor_of(manifest)
        self._known: dict[int, JSON] = {}

    def view(self, run: str, value: JSON) -> JSON:
        """What the real one says."""
        key = hash(ordered(value))
        if key not in self._known:
            self._known[key] = self._redactor.view("bench", value)
        return self._known[key]

    def recall(self, run: str, values: Any) -> None:
        """Nothing is recalled: no run goes on here."""

    def forget(self, run: str) -> None:
        """Nothing is kept of a run."""


class Making:
    """A log in a folder that grows: to 1,000 records, and on from there."""

    def __init__(self, folder: Path, *, pool: int = 256) -> None:
        self.manifest = manifest_in(folder)
        self.path = wiring.journal_path(self.manifest)
        self.records = 0
        self._scripts = scripts(pool)
        self._redactor = Ready(self.manifest)

    def grow(self, to: int, *, together: int = 0) -> None:
        """Append whole runs up to so many records; `together` of them at once, one by one if 0."""
        manifest = self.manifest
        notary = Notary(lambda: wiring.signer_of(manifest, journal), required=False, every_s=manifest.audit.every_s)
        vault = wiring.vault_of(manifest, write=True)
        with stores.open_journal(self.path, vault=vault, redactor=self._redactor, notary=notary) as journal:
            while self.records < to:
                begin = self.records // LENGTH
                count = min(together or 64, -(-(to - self.records) // LENGTH))
                runs = [run_of(n, self._scripts[n % len(self._scripts)]) for n in range(begin, begin + count)]
                asyncio.run((at_once if together else one_by_one)(journal, runs))
                self.records += count * LENGTH
