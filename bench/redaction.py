"""How much the redactor finds, how much it finds that is not there, and how fast, beside bare scans in the same run.

    python bench/redaction.py [seed] [documents]

A value counts as found when all of it is replaced; a replacement counts as right when it touches a value. `lines kept`
and `items kept` are shares of the text without personal data that came through unchanged. Seed 2 is held out: nothing
was tuned on it.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from redaction_clean import clean
from redaction_corpus import Corpus, Document

from ringfence.redaction import Redactor

SECRETS = ("correct-horse/battery+staple", "sk-Zk3vQ8rT1yLm5pXw9cNb", "p@ssw0rd-of-the-database")


@dataclass
class Score:
    """By kind: values there, values found, values found as their own kind; and replacements of nothing."""

    there: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    def recall(self, kind: str) -> float:
        """Share of the values of a kind that were replaced as a whole."""
        return self.found[kind] / self.there[kind]

    def precision(self) -> float:
        """Share of the replacements that touch a value."""
        return self.right.total() / (self.right.total() + self.wrong.total())


def judge(redactor: Redactor, documents: list[Document], score: Score | None = None) -> Score:
    """Hold what is replaced against what is there."""
    score = score or Score()
    for doc in documents:
        spans = redactor.spans(doc.text)
        for kind, start, end in doc.marks:
            score.there[kind] += 1
            over = [s for s in spans if s.start < end and s.end > start]
            if over and min(s.start for s in over) <= start and max(s.end for s in over) >= end:
                score.found[kind] += 1
                score.named[kind] += any(s.kind == kind for s in over)
            else:
                score.missed.append(
                    f"{kind}: {doc.text[max(0, start - 25) : start]}[{doc.text[start:end]}]{doc.text[end : end + 8]}"
                )
        for span in spans:
            if any(start < span.end and end > span.start for _, start, end in doc.marks):
                score.right[span.kind] += 1
            else:
                score.wrong[span.kind] += 1
                around = doc.text[max(0, span.start - 25) : span.start]
                score.invented.append(
                    f"{span.kind}: {around}[{doc.text[span.start : span.end]}]{doc.text[span.end : span.end + 8]}"
                )
    return score


def speed(work: Callable[[], object], size: int, rounds: int = 5) -> float:
    """Megabytes (10**6 characters) a second of CPU, the middle of some rounds."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return size / statistics.median(taken) / 1e6


def main(seed: int = 1, count: int = 5000) -> None:
    """Print the tables."""
    documents = list(Corpus(seed).documents(count))
    redactor = Redactor(secrets=SECRETS)
    score = judge(redactor, documents)
    print(
        f"seed {seed}: {count} documents, {sum(len(d.text) for d in documents) / 1e6:.2f} MB,"
        f" {score.there.total()} values,"
        f" {score.there.total() / sum(len(d.text) for d in documents) * 1e3:.1f} in 1,000 characters"
    )
    print(f"{'kind':8}{'values':>8}{'recall':>9}{'as its kind':>13}{'invented':>10}")
    for kind, there in sorted(score.there.items()):
        print(f"{kind:8}{there:8}{score.recall(kind):9.2%}{score.named[kind] / there:13.2%}{score.wrong[kind]:10}")
    print(
        f"{'all':8}{score.there.total():8}{score.found.total() / score.there.total():9.2%}"
        f"{'':13}{score.wrong.total():10}"
    )
    text, hards = clean(seed)
    in_clean = judge(redactor, [Document(text)])
    lines = text.splitlines(keepends=True)
    kept = sum(redactor.text("clean", line) == line for line in lines) / len(lines)
    items = sum(redactor.text("clean", item) == item for item in hards) / len(hards)
    both = score.right.total() / (score.right.total() + score.wrong.total() + in_clean.wrong.total())
    print(
        f"precision: {score.precision():.2%} on the documents, {both:.2%} with {len(text) / 1e6:.1f} MB that has none"
    )
    print(
        f"in that MB: {in_clean.wrong.total()} invented, {kept:.2%} of {len(lines)} lines kept,"
        f" {items:.2%} of {len(hards)} hard items kept"
    )
    for what, found in (("missed", score.missed), ("invented", score.invented + in_clean.invented)):
        for line in found[: 0 if "-q" in sys.argv else 25]:
            print(f"  {what} {line!r}")
    pace(redactor, documents, text)


def pace(redactor: Redactor, documents: list[Document], text: str) -> None:
    """Speeds, and their ratio to two bare scans of the same characters."""
    joined = [doc.text for doc in documents]
    size = sum(map(len, joined))
    body = {
        "args": {"path": "notes/2024.md", "query": "who wrote to bob@example.com"},
        "call": 0,
        "value": {
            "text": "The result is 12345, as the tool computed it from the two numbers. " * 6,
            "rows": [1, 2, 3],
            "ok": True,
        },
    }
    bare = re.compile(r"[0-9]{6}|@|://")
    floors = {
        "count": speed(lambda: [t.encode().count(b"@") for t in joined], size),
        "one regex": speed(lambda: [bare.findall(t) for t in joined], size),
    }
    rows = {
        "documents": speed(lambda: [redactor.text("pace", t) for t in joined], size, 3),
        "no such data": speed(lambda: redactor.text("pace", text), len(text)),
        "no such data, 600 at once": speed(
            lambda: [redactor.text("pace", text[at : at + 600]) for at in range(0, len(text), 600)], len(text), 3
        ),
    }
    for name, rate in rows.items():
        print(
            f"{name:26}{rate:8.1f} MB/s   1/{floors['count'] / rate:.0f} of bytes.count,"
            f" 1/{floors['one regex'] / rate:.1f} of one bare regex"
        )
    began = time.process_time()
    for _ in range(2000):
        redactor.view("pace", body)
    print(f"a body of 600 bytes: {(time.process_time() - began) / 2000 * 1e6:.0f} us")


if __name__ == "__main__":
    main(*(int(arg) for arg in sys.argv[1:] if arg.isdigit()))
