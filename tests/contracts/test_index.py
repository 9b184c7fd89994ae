"""One suite for every Index: what is put is found again, replaced, removed; filters, fusion, hostile text.

Its other parts: who may read what, test_index_rights.py; many writers, test_index_writers.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from ringfence.knowledge.errors import KnowledgeError
from ringfence.knowledge.ports import Document, Index, Query, Status

from .indexes import ANN, DIM, MODEL, STRANGER, Store, axis, digest, doc, for_, found, halves, put, unit

DAY = 86_400_000


async def test_an_empty_index_has_nothing_and_says_so(index: Index) -> None:
    assert list(await index.documents(ANN)) == []
    assert list(await index.status(ANN)) == []
    assert dict(await index.versions("house")) == {}
    assert await index.read(ANN, "house", "a.md") is None
    assert list(await index.chunks(ANN, "house", "a.md")) == []
    assert list(await index.search(Query("harbour", unit(1)), ANN)) == []
    assert await index.remove("house", ["a.md"]) == 0
    assert list(await index.erase("user:ann")) == []
    await index.drop("house")


async def test_what_was_put_comes_back_whole(index: Index) -> None:
    document = Document(
        "house", "2026/a.zip!notes/é.md", "The harbour opens\r\nat six.\tÜber 😀 all " * 9,
        for_("role:ops", "user:ann user:eve"), version="sha256:1", title="Opening – hours",
        tags=frozenset({"fact", "x y"}), expires=7 * DAY,
        subjects=("patient:4711", "user:ann"), meta={"a": [1, None, {"b": "c"}], "d": 1.5, "é": True},
    )  # fmt: skip
    chunks = await put(index, document, axis(0), axis(1), axis(2))
    assert await index.read(ANN, "house", document.path) == document
    assert list(await index.chunks(ANN, "house", document.path)) == chunks
    [listed] = await index.documents(ANN)
    assert listed == Document(**{name: getattr(document, name) for name in Document.__slots__} | {"text": ""})
    hits = await index.search(Query("harbour", axis(1)), ANN)
    assert [hit.document for hit in hits] == [listed] * 3
    assert {hit.chunk for hit in hits} == set(chunks)
    assert all(hit.text == document.text[hit.chunk.start : hit.chunk.end] for hit in hits)
    assert list(await index.status(ANN)) == [Status("house", 1, 3, len(document.text), MODEL, DIM)]


@pytest.mark.parametrize("text", ["", "a\0b harbour \0", "lone \ud800 harbour", "\ufeffharbour\u202e \U0010ffff"])
async def test_any_text_comes_back_as_it_is(index: Index, text: str) -> None:
    document = doc("odd.txt", text, title=text[:5], meta={"note": text})
    await put(index, document)
    assert await index.read(STRANGER, "house", "odd.txt") == document
    hits = await index.search(Query("harbour"), STRANGER)
    assert [hit.text for hit in hits] == ([text] if "harbour" in text else [])


async def test_a_document_without_chunks_is_listed_and_not_found(index: Index) -> None:
    await index.put(doc("empty.md", ""), [], np.zeros((0, DIM), np.float32), model=MODEL)
    await index.put(doc("none.md", ""), [], None, model="")
    assert [one.path for one in await index.documents(STRANGER)] == ["empty.md", "none.md"]
    assert await found(index, "empty", vector=unit(1)) == []


async def test_to_put_again_replaces_all_of_it(index: Index) -> None:
    await put(index, doc("a.md", "the old harbour " * 8, version="1", tags=frozenset({"old"})), axis(0), axis(1))
    again = doc("a.md", "a new crane", for_("role:ops"), version="2", tags=frozenset({"new"}))
    chunks = await put(index, again, axis(4))
    assert await index.read(ANN, "house", "a.md") == again
    assert await index.read(STRANGER, "house", "a.md") is None
    assert list(await index.chunks(ANN, "house", "a.md")) == chunks
    assert await found(index, "harbour", ANN) == []
    assert await found(index, "crane", ANN) == ["a.md"]
    assert [hit.text for hit in await index.search(Query("", axis(0)), ANN)] == ["a new crane"]
    assert [status.chunks for status in await index.status(ANN)] == [1]
    assert dict(await index.versions("house")) == {"a.md": "2"}


async def test_the_same_path_in_two_collections_is_two_documents(index: Index) -> None:
    await put(index, doc("a.md", "harbour"))
    await put(index, doc("a.md", "crane", collection="yard"))
    assert await index.remove("house", ["a.md"]) == 1
    assert await found(index, "crane harbour") == ["a.md"]
    assert await index.read(STRANGER, "yard", "a.md") is not None


async def test_versions_are_of_every_document_readers_aside(index: Index) -> None:
    await put(index, doc("a.md", "x", for_("role:ops"), version="1"))
    await put(index, doc("b.md", "x", version="2", expires=1))
    await put(index, doc("c.md", "x", collection="yard", version="3"))
    assert dict(await index.versions("house")) == {"a.md": "1", "b.md": "2"}


async def test_removed_documents_are_gone_and_counted(index: Index) -> None:
    for name in "abc":
        await put(index, doc(f"{name}.md", f"harbour {name}", version=name), axis(0))
    assert [await index.remove("house", ["a.md", "c.md", "no.md", "a.md"]), await index.remove("house", [])] == [2, 0]
    assert await found(index, "harbour", vector=axis(0)) == ["b.md"]
    assert dict(await index.versions("house")) == {"b.md": "b"}
    assert [status.documents for status in await index.status(STRANGER)] == [1]


async def test_erasing_a_subject_forgets_every_document_about_them(index: Index) -> None:
    await put(index, doc("a.md", "harbour", for_("role:hr"), subjects=("patient:4711", "user:ann")), axis(0))
    await put(index, doc("b.md", "harbour", collection="yard", subjects=("patient:4711",)))
    await put(index, doc("c.md", "harbour", subjects=("patient:471", "patient:47111")), axis(0))
    assert sorted(await index.erase("patient:4711")) == [("house", "a.md"), ("yard", "b.md")]
    assert list(await index.erase("patient:4711")) == []
    assert await found(index, "harbour", vector=axis(0)) == ["c.md"]


async def test_vectors_are_had_again_by_the_digest_of_their_text(index: Index) -> None:
    text = "the harbour opens at six"
    chunks = await put(index, doc("a.md", text), axis(0, 0.25), axis(3))
    await put(index, doc("b.md", "words alone"))
    await index.put(doc("c.md", "not said"), halves("not said"), axis(5)[None], model=MODEL)
    digests, strange = [digest(text[one.start : one.end]) for one in chunks], digest("not said")
    held = await index.vectors_of([*digests, strange], model=MODEL)
    assert set(held) == set(digests)
    assert np.ravel(held[digests[0]]) == pytest.approx(axis(0, 0.25), abs=1e-6)
    assert np.ravel(held[digests[1]]) == pytest.approx(axis(3), abs=1e-6)
    assert dict(await index.vectors_of(digests, model="another")) == {}
    assert dict(await index.vectors_of([], model=MODEL)) == {}
    await index.remove("house", ["a.md"])
    assert dict(await index.vectors_of(digests, model=MODEL)) == {}


async def test_vectors_of_two_models_are_never_mixed(index: Index) -> None:
    await put(index, doc("a.md", "harbour"), axis(0))
    with pytest.raises(KnowledgeError) as refused:
        await put(index, doc("b.md", "crane"), axis(1), model="another")
    assert refused.value.todo
    with pytest.raises(KnowledgeError):
        await index.put(doc("c.md", "crane"), halves("crane"), np.ones((1, DIM + 1), np.float32) / 3, model=MODEL)
    with pytest.raises(KnowledgeError):  # a question may look in both
        await put(index, doc("b.md", "crane", collection="yard"), axis(1), model="another")
    await put(index, doc("d.md", "words alone"))
    assert [one.path for one in await index.documents(STRANGER)] == ["a.md", "d.md"]
    await index.drop("house")
    await put(index, doc("b.md", "crane"), unit(1), model="another")
    assert [(status.model, status.documents) for status in await index.status(STRANGER)] == [("another", 1)]


async def test_a_question_of_another_size_is_refused_in_words(index: Index) -> None:
    await put(index, doc("a.md", "harbour"), axis(0))
    with pytest.raises(KnowledgeError):
        await index.search(Query("harbour", np.ones(3, np.float32) / np.float32(3**0.5)), STRANGER)


async def test_what_cannot_be_put_leaves_what_was_there(index: Index) -> None:
    kept = doc("a.md", "harbour", version="1")
    await put(index, kept, axis(0))
    with pytest.raises((KnowledgeError, ValueError)):
        await index.put(
            doc("a.md", "crane " * 9, version="2"), halves("crane " * 9, 3), np.stack([axis(0)]), model=MODEL
        )
    for chunks, vector, digests in (
        (halves("crane"), 3 * axis(0), ()), (halves("crane"), axis(0), [b"x"]), (halves("crane and more"), axis(0), ()),
        (halves("crane"), np.float32("nan") * axis(0), ()),
    ):  # fmt: skip
        with pytest.raises((KnowledgeError, ValueError)):
            await index.put(doc("a.md", "crane"), chunks, vector[None], model=MODEL, digests=digests)
    assert await index.read(STRANGER, "house", "a.md") == kept
    assert dict(await index.versions("house")) == {"a.md": "1"}
    assert await found(index, "harbour crane") == ["a.md"]


async def test_a_dropped_collection_is_gone_and_no_other(index: Index) -> None:
    await put(index, doc("a.md", "harbour", for_("role:ops")), axis(0))
    await put(index, doc("b.md", "harbour", collection="yard"), axis(0))
    await index.drop("house")
    assert dict(await index.versions("house")) == {}
    assert await found(index, "harbour", ANN, vector=axis(0)) == ["b.md"]
    assert [status.collection for status in await index.status(ANN)] == ["yard"]


async def test_who_ingests_is_given_documents_whole_whoever_may_read_them(index: Index) -> None:
    await put(index, doc("a.md", "harbour", for_("role:hr")), axis(0))
    await put(index, doc("b.md", "crane"))
    await put(index, doc("c.md", "yard", collection="yard"), axis(1))
    wanted = "house".__eq__
    [(kept, chunks)] = await index.whole(wanted, vectors=True)
    assert (kept.path, kept.text, kept.label) == ("a.md", "harbour", for_("role:hr"))
    assert [(one.start, one.end) for one in chunks] == [(0, len("harbour"))]
    assert [one.path for one, _ in await index.whole(wanted, vectors=False)] == ["b.md"]
    await index.put(kept, chunks, None, model="")
    await index.drop("yard")
    await put(index, doc("d.md", "dock"), axis(1), model="another")
    assert await found(index, "harbour", frozenset({"role:hr"})) == ["a.md"]


async def test_another_handle_sees_what_one_has_put(store: Store) -> None:
    one, other = store.open(), store.open()
    await put(one, doc("a.md", "harbour"), axis(0))
    assert await found(other, "harbour", vector=axis(0)) == ["a.md"]
    await put(other, doc("a.md", "crane"), axis(3))
    assert await found(one, "harbour") == []
    assert [hit.similarity for hit in await one.search(Query("", axis(3)), STRANGER)] == [pytest.approx(1.0, abs=1e-5)]
    await one.remove("house", ["a.md"])
    assert await found(other, "crane", vector=axis(3)) == []


# Finding


async def test_words_find_without_vectors_and_rare_words_count_more(index: Index) -> None:
    for n in range(9):
        await put(index, doc(f"{n}.md", f"the harbour and the yard, sheet {n}"))
    await put(index, doc("rare.md", "the lighthouse and the yard, sheet"))
    hits = await index.search(Query("harbour lighthouse"), STRANGER)
    assert hits[0].document.path == "rare.md"
    assert [hit.words for hit in hits] == list(range(1, len(hits) + 1))
    assert all((hit.meaning, hit.similarity) == (0, 0.0) and hit.score > 0 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_words_are_found_in_any_case_and_whole(index: Index) -> None:
    await put(index, doc("a.md", "HARBOUR master's Café, no. 4711-B"))
    await put(index, doc("b.md", "something else entirely"))
    for text in ("harbour", "Harbour!", "café", "CAFÉ", "4711", "what about the harbour?"):
        assert await found(index, text) == ["a.md"], text
    assert await found(index, "arbou") == await found(index, "") == await found(index, " \n?!") == []


async def test_words_of_the_title_and_of_headings_find_a_chunk(index: Index) -> None:
    text = "it opens at six and closes at nine"
    chunks = [replace(one, headings=(name,)) for one, name in zip(halves(text, 2), ("Lighthouse", "Quay"), strict=True)]
    await index.put(doc("a.md", text, title="Harbour"), chunks, None, model="")
    assert [hit.chunk for hit in await index.search(Query("lighthouse"), STRANGER)] == [chunks[0]]
    assert len(await found(index, "harbour")) == 2


async def test_a_question_finds_what_has_only_some_of_its_words(index: Index) -> None:
    await put(index, doc("one.md", "harbour dues are paid monthly"))
    await put(index, doc("both.md", "harbour crane dues are paid monthly"))
    assert await found(index, "crane of the harbour") == ["both.md", "one.md"]


async def test_vectors_find_without_words_by_their_cosine(index: Index) -> None:
    await put(index, doc("near.md", "a"), axis(0, 0.1))
    await put(index, doc("far.md", "b"), axis(0, 2.0))
    await put(index, doc("against.md", "c"), -axis(0))
    await put(index, doc("words.md", "d"))
    hits = await index.search(Query("", axis(0)), STRANGER)
    assert [hit.document.path for hit in hits] == ["near.md", "far.md", "against.md"]
    assert [hit.meaning for hit in hits] == [1, 2, 3]
    assert [hit.words for hit in hits] == [0, 0, 0]
    expected = [float(axis(0) @ vector) for vector in (axis(0, 0.1), axis(0, 2.0), -axis(0))]
    assert [hit.similarity for hit in hits] == pytest.approx(expected, abs=1e-5)


async def test_what_both_find_stands_before_what_one_finds(index: Index) -> None:
    await put(index, doc("words.md", "harbour harbour harbour"), -axis(0))
    await put(index, doc("meaning.md", "quay"), axis(0))
    await put(index, doc("both.md", "the harbour wall"), axis(0, 0.2))
    for n in range(60):
        await put(index, doc(f"z{n}.md", f"filler {n}"), axis(2, n / 60))
    hits = await index.search(Query("harbour", axis(0), limit=3), STRANGER)
    assert hits[0].document.path == "both.md"
    assert {hit.document.path for hit in hits} == {"both.md", "words.md", "meaning.md"}
    by = {hit.document.path: hit for hit in hits}
    assert (by["both.md"].words, by["both.md"].meaning) == (2, 2)
    assert (by["words.md"].words, by["meaning.md"].meaning, by["meaning.md"].words) == (1, 1, 0)
    assert by["words.md"].similarity == pytest.approx(-1.0, abs=1e-5)


async def test_as_many_come_as_were_asked_for_if_there_are(index: Index) -> None:
    for n in range(30):
        await put(index, doc(f"{n:02}.md", f"harbour {n}"), axis(n, n / 40))
    for limit in (1, 8, 29, 30, 100):
        hits = await index.search(Query("harbour", axis(0), limit=limit), STRANGER)
        assert len(hits) == len({hit.document.path for hit in hits}) == min(limit, 30)
    assert len(await index.search(Query("harbour", limit=30), STRANGER)) == 30
    assert len(await index.search(Query("nothing", axis(0), limit=30), STRANGER)) == 30


async def test_to_ask_twice_is_answered_alike(index: Index) -> None:
    for n in range(40):
        await put(index, doc(f"{n}.md", "the same harbour"), axis(0))
    first = await index.search(Query("harbour", axis(0)), STRANGER)
    assert list(await index.search(Query("harbour", axis(0)), STRANGER)) == list(first)


# Filters


async def test_collections_narrow_a_search_and_a_list(index: Index) -> None:
    for name in ("house", "yard", "ship"):
        await put(index, doc("a.md", f"harbour {name}", collection=name), axis(0))
    for vector in (None, axis(0)):
        hits = await index.search(Query("harbour", vector, collections=frozenset({"yard", "ship", "no"})), STRANGER)
        assert {hit.document.collection for hit in hits} == {"yard", "ship"}
    assert await found(index, "harbour", collections=frozenset({"no"})) == []
    listed = await index.documents(STRANGER, collections=frozenset({"yard"}))
    assert [one.collection for one in listed] == ["yard"]


@pytest.mark.parametrize(
    ("globs", "paths"),
    [
        (("2026/*.md",), {"2026/a.md", "2026/q1/b.md"}),
        (("*.md",), {"2026/a.md", "2026/q1/b.md", "top.md"}),
        (("top.md",), {"top.md"}),
        (("t?p.*", "2026/a.txt"), {"top.md", "2026/a.txt"}),
        (("[st]op.md",), {"top.md"}),
        (("op.md",), set()),
        (("TOP.MD",), set()),
        (("c(1)+.txt",), {"c(1)+.txt"}),
        (("%", "_op.md", ".*", "top.md|x", "^top.md$", "c(1)*\0"), set()),
        (("[", "[]", "[z-a]", "\\", "a{1,2}", "(", "(?i)TOP.MD", "\ud800"), set()),
    ],
)  # a '*' stands for anything, '/' as well
async def test_paths_are_globs_and_nothing_else(index: Index, globs: tuple[str, ...], paths: set[str]) -> None:
    for path in ("2026/a.md", "2026/q1/b.md", "top.md", "2026/a.txt", "c(1)+.txt"):
        await put(index, doc(path, "harbour"), axis(0))
    assert set(await found(index, "harbour", paths=globs)) == paths
    assert set(await found(index, "", vector=axis(0), paths=globs)) == paths


async def test_tags_are_all_had_and_none_of_those_left_out(index: Index) -> None:
    for path, tags in {"none": "", "fact": "fact", "both": "fact old", "old": "old", "near": "facts"}.items():
        await put(index, doc(path, "harbour", tags=frozenset(tags.split())), axis(0))
    every = {"none", "fact", "both", "old", "near"}
    cases = [("", "", every), ("fact", "", {"fact", "both"}),
             ("fact old", "", {"both"}), ("", "old", {"none", "fact", "near"}), ("fact", "old", {"fact"}),
             ("fact", "fact", set()), ("%", "", set()), ("", "new x", every)]  # fmt: skip
    for having, lacking, paths in cases:
        tags, without = frozenset(having.split()), frozenset(lacking.split())
        for vector in (None, axis(0)):
            assert set(await found(index, "harbour", vector=vector, tags=tags, without=without)) == paths
        assert {one.path for one in await index.documents(STRANGER, tags=tags, without=without)} == paths


async def test_what_has_expired_is_not_found_nor_listed(index: Index) -> None:
    for path, expires in {"never": 0, "soon": 5 * DAY, "late": 9 * DAY}.items():
        await put(index, doc(path, "harbour", expires=expires), axis(0))
    for now, paths in {0: {"never", "soon", "late"}, 5 * DAY - 1: {"never", "soon", "late"},
                       5 * DAY: {"never", "late"}, 99 * DAY: {"never"}}.items():  # fmt: skip
        assert set(await found(index, "harbour", now=now)) == paths
        assert set(await found(index, "", vector=axis(0), now=now)) == paths
        assert {one.path for one in await index.documents(STRANGER, now=now)} == paths


async def test_filters_never_leave_a_search_short(index: Index) -> None:
    for n in range(150):
        await put(index, doc(f"near/{n}", "harbour harbour"), axis(0))
    for n in range(4):
        await put(index, doc(f"far/{n}", "the harbour of another place", tags=frozenset({"far"})), axis(5, n / 9))
    for rest in ({"paths": ("far/*",)}, {"tags": frozenset({"far"})}):
        for text, vector in (("harbour", None), ("", axis(0)), ("harbour", axis(0))):
            assert sorted(await found(index, text, vector=vector, limit=4, **rest)) == [f"far/{n}" for n in range(4)]


async def test_documents_come_by_collection_and_path(index: Index) -> None:
    for collection, path in (("b", "a"), ("a", "b"), ("a", "a/b"), ("a", "B"), ("a", "é")):
        await put(index, doc(path, "x", collection=collection))
    listed = [(one.collection, one.path) for one in await index.documents(STRANGER)]
    assert listed == sorted(listed)


# What users write


@pytest.mark.parametrize(
    "text",
    [
        '"', '""" harbour', "harbour AND", "NOT harbour", "harbour OR NEAR(x y, 3)", "title:harbour", "-harbour",
        "harbour*", "^harbour", "(harbour", "harbour)", "{harbour}", "harbour' ; DROP TABLE chunks; --", "harbour\\",
        "% harbour _", "harbour:*", "a:b & !harbour | <-> x", "(a+)+$ harbour", "harbour\0", "\0harbour",
        "harbour \ud800", "harbour ?1 :name @x $1 %s %(x)s {}", "harbour \u202e\u200b😀 \ufffe", "+harbour -crane",
        "harbour..[]|~^@#",
    ],
)  # fmt: skip
async def test_nothing_in_a_users_text_is_syntax(index: Index, text: str) -> None:
    await put(index, doc("a.md", "the harbour master's house"))
    await put(index, doc("b.md", "something else entirely"))
    for vector in (None, axis(0)):
        assert await found(index, text, vector=vector) == ([] if text == '"' else ["a.md"])
    assert len(await index.documents(STRANGER)) == 2


async def test_a_question_of_a_megabyte_is_cut_and_answered(index: Index) -> None:
    await put(index, doc("a.md", "harbour"))
    for text in ("harbour " + "word%d " * 200_000, "harbour " + '"' * 1_000_000, "harbour" + " \0" * 500_000,
                 "harbour " + " ".join(f"w{n}" for n in range(150_000))):  # fmt: skip
        assert await found(index, text) == ["a.md"]
    assert await found(index, " " * 8_000 + "harbour") == []


async def test_globs_made_to_take_for_ever_do_not(index: Index) -> None:
    await put(index, doc("a" * 200, "harbour"), axis(0))
    async with asyncio.timeout(10):
        assert await found(index, "harbour", paths=("*a" * 40 + "b", "a*" * 100 + "b", "?" * 5_000)) == []


@pytest.mark.parametrize("odd", ["' OR 1=1 --", "x\0y", "\ud800", '"', "%", "*", "", "a" * 100_000])
async def test_names_that_nothing_has_find_nothing(index: Index, odd: str) -> None:
    await put(index, doc("a.md", "harbour", tags=frozenset({"t"}), subjects=("user:ann",)), axis(0))
    await put(index, doc("b.md", "harbour", for_("user:ann")), axis(0))
    assert await index.read(STRANGER, "house", odd) is None
    assert await index.read(STRANGER, odd, "a.md") is None
    assert list(await index.chunks(STRANGER, "house", odd)) == []
    assert dict(await index.versions(odd)) == {}
    assert await index.remove("house", [odd]) == 0
    assert list(await index.erase(odd)) == []
    await index.drop(odd)
    assert await found(index, "harbour", collections=frozenset({odd})) == []
    assert await found(index, "harbour", tags=frozenset({odd})) == []
    assert await found(index, "harbour", without=frozenset({odd})) == ["a.md"]
    assert await found(index, "harbour", frozenset({odd}), vector=axis(0)) == ["a.md"]
