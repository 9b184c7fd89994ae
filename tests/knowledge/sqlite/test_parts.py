"""Its parts, held against plain ways to do the same: postings, the best vectors, fused ranks."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import numpy as np
import pytest

from ringfence.knowledge.ranking import RRF_K, fuse
from ringfence.knowledge.sqlite import file, postings, vectors
from ringfence.knowledge.sqlite.postings import MAX_SEGMENT, Segment


def drawn(rng: np.random.Generator, low: int, high: int, words: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    chunks = []
    for chunk in range(low, high):
        terms = np.unique(rng.integers(0, words, 30) ** 2 % words)
        chunks.append((chunk, terms, rng.integers(1, 256, len(terms)).astype(np.uint8)))
    return chunks


@pytest.mark.parametrize("words", [3, 500, 1 << 39])
def test_postings_come_back_as_they_were_given(tmp_path: Path, words: int) -> None:
    rng, db = np.random.default_rng(words), file.connect(tmp_path / "index.db")
    expected: dict[int, dict[int, int]] = {}
    segments = []
    for n, (low, high) in enumerate([(0, 1), (1, 4_000), (4_000, 4_050)], 1):
        chunks = drawn(rng, low, high, words)
        for chunk, terms, times in chunks:
            for term, often in zip(terms.tolist(), times.tolist(), strict=True):
                expected.setdefault(term, {})[chunk] = often
        postings.add(db, n, low, high, postings.gather(chunks))
        segments.append(postings.load(db, n))
    postings.add(db, 9, 0, 4_050, postings.merged(segments))
    known = {one.id: one for one in postings.segments(db)}
    for term in [*random.Random(1).sample(sorted(expected), min(300, len(expected))), words - 1, 0, 7]:
        for within in ([known[1], known[2], known[3]], [known[9]]):
            found, times = postings.lookup(db, within, term)
            assert dict(zip(found.tolist(), times.tolist(), strict=True)) == expected.get(term, {})
            assert found.tolist() == sorted(found.tolist())
    db.close()


def test_segments_stay_few_and_each_posting_is_rewritten_a_few_times() -> None:
    dice, known, rewritten = random.Random(2), [], Counter[str]()
    total = 0
    for n in range(20_000):
        size = dice.choice([1, 3, 10, 10, 10, 40, 700])
        known.append(Segment(n, total, total + size, 0))
        total += size
        while run := postings.due(known):
            at = known.index(run[0])
            assert list(run) == known[at : at + len(run)]
            assert sum(one.size for one in run) <= MAX_SEGMENT
            rewritten["chunks"] += sum(one.size for one in run)
            known[at : at + len(run)] = [Segment(n, run[0].low, run[-1].high, 0)]
    assert total > 1_000_000
    assert len(known) < total / MAX_SEGMENT * 2 + 40
    assert rewritten["chunks"] < 6 * total


@pytest.mark.parametrize("share", [1.0, 0.6, 0.02, 0.0])
def test_the_best_vectors_are_the_exact_ones_whatever_is_around_them(share: float) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(20_000, 96)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[500:520] = rows[500]
    seen = rng.random(20_000) < share
    question = rows[500].astype(np.float64) * 0.9 + rng.normal(size=96) * 0.01
    with ThreadPoolExecutor(3) as pool:
        which, scores = vectors.nearest(rows, seen, question, 50, pool)
    mine = np.flatnonzero(seen)
    alone, same = vectors.nearest(np.ascontiguousarray(rows[mine]), np.ones(len(mine), np.bool_), question, 50)
    assert mine[alone].tolist() == which.tolist()
    assert same.tobytes() == scores.tobytes()
    by_hand = np.sort([float(np.dot(rows[n].astype(np.float64), question)) for n in mine])[::-1][:50]
    assert np.allclose(np.sort(scores)[::-1][:50], by_hand, atol=1e-12)


def test_an_exact_score_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(6)
    rows, question = rng.normal(size=(3_000, 384)).astype(np.float32), rng.normal(size=384)
    whole = vectors.exact(rows, np.arange(3_000), question)
    for size in (1, 2, 3, 7, 64, 1_023, 1_025):
        which = np.sort(rng.choice(3_000, size, replace=False))
        assert vectors.exact(rows, which, question).tobytes() == whole[which].tobytes()


def test_ranks_are_fused_and_equals_go_by_name() -> None:
    fused = fuse(["a", "b", "c"], ["c", "d", "a"], order=str, limit=10)
    assert [(one.key, one.words, one.meaning) for one in fused] == [("a", 1, 3), ("c", 3, 1), ("b", 2, 0), ("d", 0, 2)]
    assert fused[0].score == 1 / (RRF_K + 1) + 1 / (RRF_K + 3)
    assert [one.key for one in fuse(["b"], ["a"], order=str, limit=1)] == ["a"]
    assert fuse([], [], order=str, limit=3) == []


def test_two_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    one, two = file.connect(tmp_path / "index.db"), file.connect(tmp_path / "index.db")
    with file.writing(one):
        one.execute("UPDATE head SET change = change + 1")
    assert two.execute("SELECT change FROM head").get == 1
    with pytest.raises(apsw.ConstraintError), file.writing(two):
        two.execute("INSERT INTO head SELECT * FROM head").fetchall()
    assert not two.in_transaction
    one.close()
    two.close()
