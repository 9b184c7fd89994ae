"""No member is ever told anything by a document that they may not read: no chunk, count, score or suggestion."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ringfence.core.errors import RingfenceError
from ringfence.core.labels import Label, Trust
from ringfence.knowledge.ports import Chunk, Document, Query
from ringfence.knowledge.ranking import K1, B
from ringfence.knowledge.sqlite import SqliteIndex, search
from ringfence.knowledge.sqlite.shelf import Seen

from .rights_battery import Tally, battle

ANYONE = frozenset[str]()
HR = frozenset({"role:hr"})


def paper(path: str, text: str, *clauses: set[str]) -> Document:
    return Document("c", path, text, Label(Trust.UNTRUSTED, frozenset(frozenset(clause) for clause in clauses)))


async def test_a_member_is_told_what_an_index_of_their_documents_alone_would_tell(tmp_path: Path) -> None:
    tally = Tally()
    for seed in range(8):
        await battle(tmp_path / str(seed), seed, tally)
    assert tally.leaks[:1] == []
    assert tally.pairs >= 2_500
    assert tally.hits > 4_000


@pytest.mark.parametrize("leak", ["df", "mean", "rank"])
async def test_the_battery_finds_the_smallest_leak(tmp_path: Path, leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words counted over all documents, lengths over all, or ranks over all and filtered afterwards."""
    if leak == "df":
        monkeypatch.setattr(Seen, "count", property(lambda seen: len(seen.chunks)))
    elif leak == "mean":
        monkeypatch.setattr(Seen, "norm", property(lambda seen: K1 * (1 - B + B * seen.lengths / seen.lengths.mean())))
    else:
        best = search._best
        monkeypatch.setattr(search, "DEPTH", 5)
        monkeypatch.setattr(search, "_best", lambda shelf, chunks, scores: best(shelf, chunks[::2], scores[::2]))
    tally = Tally()
    for seed in range(3):
        await battle(tmp_path / str(seed), seed, tally, members=6, queries=30)
    assert tally.leaks != []


async def test_a_rare_word_of_others_changes_no_order(tmp_path: Path) -> None:
    """The idf of a word tells how many documents have it: those of others must not count."""
    index = SqliteIndex(tmp_path)
    for n, text in enumerate(["the merger", "the unit", "my unit", "a unit", "his unit"]):
        await index.put(paper(f"{n}.md", text), [Chunk(0, len(text))], None, model="")
    query = Query("unit merger")
    before = await index.search(query, ANYONE)
    assert next(hit.document.path for hit in before) == "0.md"
    for n in range(50):
        await index.put(paper(f"x{n}.md", "our merger", {"role:hr"}), [Chunk(0, 10)], None, model="")
    assert await index.search(query, ANYONE) == before
    assert next(hit.document.path for hit in await index.search(query, HR)) == "1.md"
    await index.aclose()


async def test_every_clause_has_to_be_satisfied(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path)
    await index.put(paper("a.md", "salary", {"role:hr", "user:ann"}, {"team:x"}), [Chunk(0, 6)], None, model="")
    for member, found in (
        (HR, 0), (frozenset({"user:ann"}), 0), (frozenset({"team:x"}), 0), (HR | {"user:ann"}, 0),
        (HR | {"team:x"}, 1), (frozenset({"user:ann", "team:x", "role:z"}), 1),
    ):  # fmt: skip
        assert len(await index.search(Query("salary"), member)) == found
        assert len(await index.documents(member)) == len(await index.status(member)) == found
        assert (await index.read(member, "c", "a.md") is not None) == bool(found)
        assert len(await index.chunks(member, "c", "a.md")) == found
    await index.aclose()


async def test_narrowed_rights_count_from_the_very_next_search(tmp_path: Path) -> None:
    one, two = SqliteIndex(tmp_path), SqliteIndex(tmp_path)
    await one.put(paper("a.md", "salary"), [Chunk(0, 6)], None, model="")
    assert len(await two.search(Query("salary"), ANYONE)) == 1
    await one.put(paper("a.md", "salary", {"role:hr"}), [Chunk(0, 6)], None, model="")
    assert await two.search(Query("salary"), ANYONE) == []
    assert await two.read(ANYONE, "c", "a.md") is None
    assert len(await two.search(Query("salary"), HR)) == 1
    await one.aclose()
    await two.aclose()


async def test_a_question_of_another_model_does_not_tell_of_vectors_that_others_have(tmp_path: Path) -> None:
    """The refusal would say that there are some."""
    index = SqliteIndex(tmp_path)
    await index.put(paper("a.md", "open"), [Chunk(0, 4)], None, model="")
    await index.put(paper("b.md", "shut", {"role:hr"}), [Chunk(0, 4)], np.ones((1, 1), np.float32), model="m")
    question = Query("open", np.array([0.6, 0.8], np.float32))
    assert [hit.document.path for hit in await index.search(question, ANYONE)] == ["a.md"]
    assert [(one.model, one.dim) for one in await index.status(ANYONE)] == [("", 0)]
    with pytest.raises(RingfenceError, match="numbers"):
        await index.search(question, HR)
    await index.aclose()


async def test_top_k_is_full_however_few_of_the_best_may_be_read(tmp_path: Path) -> None:
    index, dice = SqliteIndex(tmp_path), random.Random(3)
    for n in range(300):
        mine = n % 100 == 7
        text = "alarm " * (1 if mine else 5) + dice.choice(["red", "blue"])
        vector = np.array([[0.6, 0.8]] if mine else [[1.0, 0.0]], np.float32)
        document = paper(f"{n:03}.md", text, *([] if mine else [{"role:hr"}]))
        await index.put(document, [Chunk(0, len(text))], vector, model="m")
    hits = await index.search(Query("alarm", np.array([1.0, 0.0], np.float32), limit=3), ANYONE)
    assert [(hit.document.path, hit.words > 0, hit.meaning) for hit in hits] == [
        ("007.md", True, 1), ("107.md", True, 2), ("207.md", True, 3),
    ]  # fmt: skip
    await index.aclose()
