"""The index on SQLite: what it finds, what it forgets, and what it says when its disk or its file fails."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import apsw
import numpy as np
import pytest
import pytest_asyncio

from ringfence.core.labels import Label, Trust
from ringfence.knowledge.errors import KnowledgeError
from ringfence.knowledge.ports import Chunk, Document, Query, Vectors
from ringfence.knowledge.sqlite import SqliteIndex, writer
from ringfence.knowledge.sqlite.words import _number

ANYONE = frozenset[str]()
PUBLIC = Label(Trust.UNTRUSTED)


@pytest_asyncio.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    made = SqliteIndex(tmp_path / "store")
    yield made
    await made.aclose()


def unit(*numbers: float) -> Vectors:
    row = np.array([numbers], np.float32)
    return row / np.linalg.norm(row)


async def put(
    index: SqliteIndex, path: str, text: str, vectors: Vectors | None = None, *, model: str = "m", **more: object
) -> Document:
    """One document of one chunk."""
    document = Document("c", path, text, PUBLIC, **more)  # type: ignore[arg-type]
    digests = [hashlib.sha256(text.encode()).digest()]
    await index.put(document, [Chunk(0, len(text))], vectors, model=model, digests=digests)
    return document


async def paths(index: SqliteIndex, text: str, **more: object) -> list[str]:
    return [hit.document.path for hit in await index.search(Query(text, **more), ANYONE)]  # type: ignore[arg-type]


async def test_identifiers_stems_accents_and_signs_are_found(index: SqliteIndex) -> None:
    await put(index, "err.md", "The pump failed with ERR-4711, see page 3.")
    await put(index, "other.md", "The pump failed with ERR-4712, see chapter 4711 or 10.0.0.7.")
    await put(index, "web.md", "web-02 restarts nightly; its policies are in Café user_name.")
    await put(index, "jp.md", "東京都の給与規程について")
    assert (await paths(index, "what is err-4711?"))[0] == "err.md"
    assert (await paths(index, "10.0.0.7"))[0] == "other.md"
    assert (
        await paths(index, "WEB-02") == await paths(index, "policy restart") == await paths(index, "cafe") == ["web.md"]
    )
    assert await paths(index, "給与") == ["jp.md"]
    assert await paths(index, "user_name") == ["web.md"]


@pytest.mark.parametrize(
    "text", ['"', "a AND", "NEAR(", "*", "col:x", "-x", "^a", "(((", "a\0b", "", " ", "\ud800", "%_", "x' OR 1=1 --"]
)
async def test_nothing_in_a_question_is_syntax(index: SqliteIndex, text: str) -> None:
    await put(index, "a.md", "something else entirely")
    assert await paths(index, text) == []
    assert await paths(index, f"{text} entirely") == ["a.md"]


async def test_a_question_of_a_megabyte_is_bounded(index: SqliteIndex) -> None:
    await put(index, "a.md", "needle in a haystack")
    dice, began = random.Random(1), time.process_time()
    junk = "".join(dice.choices('abcdefgh "*()-_.:', k=1_000_000))
    assert await paths(index, "needle " + junk) == ["a.md"]
    assert await paths(index, "a*" * 500_000, paths=("*" * 200 + "b",)) == []
    assert time.process_time() - began < 5


async def test_only_stop_words_are_looked_up_where_there_is_nothing_else(index: SqliteIndex) -> None:
    await put(index, "a.md", "to be or not to be")
    await put(index, "b.md", "something rotten")
    assert await paths(index, "to be or not to be") == ["a.md"]
    assert await paths(index, "not rotten") == ["b.md"]


async def test_a_document_is_read_back_as_it_was_put(index: SqliteIndex) -> None:
    text = "".join(chr(random.Random(n).randrange(1, 0x2FFF)) for n in range(40_000))
    label = Label(Trust.TYPED, frozenset({frozenset({"role:a", "user:b"}), frozenset({"team:t"})}))
    document = Document(
        "c", "x/ä!b.md", text, label, "v", "Title", frozenset({"fact"}), 10**13, ("p:1", "p:2"), {"n": [1, None]}
    )
    chunks = [Chunk(0, 16_383, 1, ("A", "B"), "table", 7), Chunk(16_383, 16_385), Chunk(16_385, 40_000, kind="code")]
    await index.put(document, chunks, None, model="")
    member = frozenset({"user:b", "team:t"})
    assert await index.read(member, "c", "x/ä!b.md") == document
    assert await index.chunks(member, "c", "x/ä!b.md") == chunks
    hits = await index.search(Query("title", limit=10), member)
    assert {(hit.chunk, hit.text) for hit in hits} == {(c, text[c.start : c.end]) for c in chunks}


async def test_filters_choose_by_collection_path_tag_and_time(index: SqliteIndex) -> None:
    await put(index, "2026/a.md", "word", tags=frozenset({"fact", "new"}))
    await put(index, "2026/b.md", "word", tags=frozenset({"fact", "quarantined"}), expires=100)
    await put(index, "2025/a.txt", "word", expires=200)
    assert sorted(await paths(index, "word")) == ["2025/a.txt", "2026/a.md", "2026/b.md"]
    assert await paths(index, "word", paths=("2026/*", "none")) == ["2026/a.md", "2026/b.md"]
    assert await paths(index, "word", paths=("*.TXT",)) == []
    assert await paths(index, "word", tags=frozenset({"fact"}), without=frozenset({"quarantined"})) == ["2026/a.md"]
    assert await paths(index, "word", now=99) == ["2025/a.txt", "2026/a.md", "2026/b.md"]
    assert await paths(index, "word", now=100) == ["2025/a.txt", "2026/a.md"]
    assert await paths(index, "word", now=200) == ["2026/a.md"]
    assert await paths(index, "word", collections=frozenset({"d"})) == []
    assert [one.path for one in await index.documents(ANYONE, now=150, without=frozenset({"new"}))] == ["2025/a.txt"]


async def test_vectors_are_kept_by_what_they_were_made_of(index: SqliteIndex) -> None:
    await put(index, "a.md", "one", unit(1, 2))
    await put(index, "b.md", "two", None)
    digests = [hashlib.sha256(text).digest() for text in (b"one", b"two", b"three")]
    found = await index.vectors_of(digests, model="m")
    assert list(found) == digests[:1]
    assert np.array_equal(found[digests[0]], unit(1, 2)[0])
    assert await index.vectors_of(digests, model="other") == {}
    await index.remove("c", ["a.md"])
    assert await index.vectors_of(digests, model="m") == {}


async def test_vectors_of_two_models_are_never_mixed(index: SqliteIndex) -> None:
    await put(index, "a.md", "one", unit(1, 2))
    for vectors, model in ((unit(1, 2), "n"), (unit(1, 2, 3), "m")):
        with pytest.raises(KnowledgeError, match="two models") as caught:
            await put(index, "b.md", "two", vectors, model=model)
        assert "ringfence kb reindex" in caught.value.todo
    assert list(await index.versions("c")) == ["a.md"]
    await index.drop("c")
    await put(index, "b.md", "two", unit(1, 2, 3), model="n")
    assert [(one.model, one.dim) for one in await index.status(ANYONE)] == [("n", 3)]


@pytest.mark.parametrize(
    "vectors",
    [unit(1, 2) * 2, np.array([[np.nan, 1]], np.float32), np.ones((2, 1), np.float32), np.ones(1, np.float32)],
)
async def test_vectors_that_are_none_are_refused(index: SqliteIndex, vectors: Vectors) -> None:
    with pytest.raises(KnowledgeError):
        await put(index, "a.md", "one", vectors)
    assert await index.documents(ANYONE) == []


async def test_what_is_removed_leaves_no_byte(index: SqliteIndex, tmp_path: Path) -> None:
    """Neither its text, nor its vector, nor its words: not in the file, its log, or the vectors."""
    vector = unit(3, 1, 4, 1, 5)
    for n in range(40):
        await put(index, f"{n}.md", f"kept {n}", unit(1, 1, 1, 1, n))
    await put(index, "x.md", "Plutonium is with Miller", vector, subjects=("p:1",), title="Zanzibar")
    traces = [vector.tobytes(), b"Zanzibar", np.array([_number("plutonium")]).tobytes()]

    def left() -> list[bytes]:
        everything = content(tmp_path / "store")
        return [trace for trace in traces if trace in everything]

    assert left() == traces
    assert await index.erase("p:1") == [("c", "x.md")]
    assert left() == []
    assert await index.erase("p:1") == []
    assert len(await index.documents(ANYONE)) == 40
    assert (await paths(index, "kept 7"))[0] == "7.md"


async def test_what_is_replaced_leaves_no_byte_once_the_index_is_closed(tmp_path: Path) -> None:
    index, vector = SqliteIndex(tmp_path), unit(3, 1, 4)
    await put(index, "x.md", "Plutonium", vector)
    await put(index, "x.md", "Nothing", unit(1, 1, 1))
    await index.aclose()
    everything = content(tmp_path)
    assert vector.tobytes() not in everything
    assert np.array([_number("plutonium")]).tobytes() not in everything


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_numbers_without_gaps_change_nothing_that_is_found(
    index: SqliteIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SPARE", 20)
    monkeypatch.setattr(writer, "PENDING", 10)
    dice, other = np.random.default_rng(1), SqliteIndex(tmp_path / "store")

    def drawn() -> Vectors | None:
        return None if dice.random() < 0.3 else unit(*dice.normal(size=4))

    kept: dict[str, tuple[str, Vectors | None]] = {}
    queries = [Query(f"word{n} all", unit(*dice.normal(size=4))[0], limit=50) for n in range(5)]
    for n in range(120):
        name = f"{dice.integers(0, 15)}.md"
        kept[name] = f"all word{n % 7} " * int(dice.integers(1, 4)), drawn()
        await put(index, name, *kept[name])
        if n % 10 == 0:
            await other.search(queries[0], ANYONE)  # a reader that has the former numbers
    sizes = [path.stat().st_size for path in (tmp_path / "store").glob("vectors-*")]
    assert len(sizes) == 1
    assert sizes[0] < 60 * 16
    fresh = SqliteIndex(tmp_path / "fresh")
    for name, (text, vectors) in kept.items():
        await put(fresh, name, text, vectors)
    for query in queries:
        assert await index.search(query, ANYONE) == await fresh.search(query, ANYONE)
        assert await other.search(query, ANYONE) == await fresh.search(query, ANYONE)
    for one in (fresh, other):
        await one.aclose()


async def test_files_are_their_owners_alone(index: SqliteIndex, tmp_path: Path) -> None:
    await put(index, "a.md", "one", unit(1, 2))
    store = tmp_path / "store"
    assert store.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in store.iterdir()} == {0o600}


async def test_a_strangers_file_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    for name, write in (("alien", "CREATE TABLE x(y)"), ("newer", "PRAGMA user_version = 99")):
        index = SqliteIndex(tmp_path / name)
        if name == "newer":
            await put(index, "a.md", "one")
            await index.aclose()
        (tmp_path / name).mkdir(exist_ok=True)
        apsw.Connection(str(tmp_path / name / "index.db")).execute(write)
        with pytest.raises(KnowledgeError) as caught:
            await index.search(Query("one"), ANYONE)
        assert "knowledge.store" in caught.value.todo
        await index.aclose()


async def test_a_broken_file_and_cut_vectors_are_said_to_be(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "a")
    await put(index, "a.md", "one", unit(1, 2))
    await index.aclose()
    os.truncate(tmp_path / "a" / "vectors-1.f32", 4)
    with pytest.raises(KnowledgeError, match="vectors' file") as caught:
        await index.search(Query("one", unit(1, 2)[0]), ANYONE)
    assert "reindex" in caught.value.todo
    assert await paths(index, "one") == ["a.md"]  # by words it still answers
    await index.aclose()
    (tmp_path / "a" / "index.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(KnowledgeError, match="no SQLite database"):
        await index.search(Query("one"), ANYONE)


async def test_a_check_finds_broken_pages_and_cut_vectors(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path)
    for n in range(60):
        await put(index, f"{n}.md", f"word {n} " * 300, unit(1, n))
    assert await index.check() == []
    await index.aclose()
    assert await index.check() == []
    await index.aclose()
    os.truncate(tmp_path / "vectors-1.f32", 16)
    assert "has 2 of 60 rows" in (await index.check())[0]
    await index.aclose()
    path, dice = tmp_path / "index.db", random.Random(3)
    whole = await asyncio.to_thread(path.read_bytes)
    for _ in range(12):
        at = dice.randrange(4_096, len(whole) - 512)
        path.write_bytes(whole[:at] + dice.randbytes(512) + whole[at + 512 :])
        for ask in (
            index.check(), index.search(Query("word 7", limit=100), ANYONE), index.read(ANYONE, "c", "7.md"),
            index.documents(ANYONE),
        ):  # fmt: skip
            with suppress(KnowledgeError):  # nothing else, whatever is broken
                await ask
        await index.aclose()


async def test_a_full_disk_is_said_and_leaves_what_was_there(index: SqliteIndex) -> None:
    await put(index, "a.md", "one")
    assert index._writer is not None
    pages = index._writer.db.pragma("page_count")
    index._writer.db.pragma("max_page_count", pages)
    with pytest.raises(KnowledgeError, match="is full") as caught:
        await put(index, "b.md", "".join(f"w{n} " for n in range(20_000)))
    assert "free some space" in caught.value.todo
    assert await paths(index, "one w1") == ["a.md"]
    index._writer.db.pragma("max_page_count", pages + 10_000)
    await put(index, "b.md", "".join(f"w{n} " for n in range(20_000)))
    assert await paths(index, "w1") == ["b.md"]


async def test_a_full_disk_of_vectors_is_said_too(
    index: SqliteIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(KnowledgeError, match="No space left"):
            await put(index, "a.md", "one", unit(1, 2))
    assert await index.documents(ANYONE) == []
    await put(index, "a.md", "one", unit(1, 2))
    assert await paths(index, "x", vector=unit(1, 2)[0]) == ["a.md"]


async def test_many_tasks_read_while_one_writes(index: SqliteIndex) -> None:
    """Every search sees a state that was there: as many documents as one of the counts that were committed."""

    async def write() -> None:
        for n in range(40):
            await put(index, f"{n}.md", f"word {n}", unit(1, n))

    async def read() -> None:
        last = 0
        while last < 40:
            hits = await index.search(Query("word", unit(1, 1)[0], limit=100), ANYONE)
            assert len(hits) >= last
            last = len(hits)
            assert sorted(int(hit.document.path[:-3]) for hit in hits) == list(range(last))

    await asyncio.gather(write(), read(), read(), read())


async def test_an_empty_index_answers(index: SqliteIndex) -> None:
    assert await index.search(Query("x", unit(1, 2)[0]), ANYONE) == []
    assert await index.documents(ANYONE) == await index.status(ANYONE) == []
    assert await index.read(ANYONE, "c", "x") is None
    assert await index.remove("c", ["x"]) == 0
    await index.put(Document("c", "empty.md", "", PUBLIC), [], None, model="")
    await index.put(Document("c", "void.md", "", PUBLIC), [], np.empty((0, 2), np.float32), model="m")
    assert [(one.documents, one.chunks, one.model) for one in await index.status(ANYONE)] == [(2, 0, "")]


AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
import concurrent.futures.thread, encodings.idna
from ringfence.knowledge.errors import KnowledgeError
from ringfence.knowledge.ports import Query
from ringfence.knowledge.sqlite import SqliteIndex
if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
try:
    asyncio.run(SqliteIndex(Path(sys.argv[1])).search(Query("x"), frozenset()))
except KnowledgeError as error:
    print(error.todo)
"""


def test_a_folder_that_is_not_to_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    """By a process without root's rights, which no mode stops."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        for place in (folder, f"{folder}/new"):
            done = subprocess.run([sys.executable, "-c", AS_NOBODY, place], capture_output=True, text=True, check=True)
            assert "that you may write to" in done.stdout
        Path(folder).chmod(0o700)


async def test_a_document_of_many_chunks_is_counted_in_batches(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH", 7)
    text = "".join(f"line {n:03}\n" for n in range(100))
    await index.put(
        Document("c", "log.txt", text, PUBLIC), [Chunk(9 * n, 9 * n + 9) for n in range(100)], None, model=""
    )
    for n in (0, 6, 7, 50, 99):
        assert [hit.text for hit in await index.search(Query(f"{n:03}"), ANYONE)] == [f"line {n:03}\n"]
    assert await index.remove("c", ["log.txt"]) == 1
    assert await paths(index, "line") == []


@pytest.mark.parametrize("odd", [{"title": "\ud800"}, {"version": "\ud800"}, {"subjects": ("\ud800",)}])
async def test_names_that_are_no_text_are_refused(index: SqliteIndex, odd: dict[str, object]) -> None:
    with pytest.raises(KnowledgeError, match="Unicode"):
        await put(index, "a.md", "one", **odd)
    with pytest.raises(KnowledgeError, match="Unicode"):
        await put(index, "\udcff.md", "one")
    assert await index.documents(ANYONE) == []
