"""The suite of every Index, part three: what is held of people, for who answers for it, whoever may read it."""

from __future__ import annotations

import pytest

from ringfence.knowledge.errors import KnowledgeError
from ringfence.knowledge.ports import Index

from ..tools.postgres import Server
from .indexes import BOB, PostgresStore, axis, doc, for_, put
from .test_index_postgres import asked, opened, schema_of


async def test_all_about_a_subject_is_had_with_its_text_whoever_may_read_it(index: Index) -> None:
    mine = doc("a.md", "harbour \ud800\0", for_("role:hr"), subjects=("patient:4711", "user:ann"), meta={"n": 1})
    yard = doc("b.md", "crane", for_(), collection="yard", subjects=("patient:4711",), expires=1)
    await put(index, yard)
    await put(index, mine, axis(0))
    await put(index, doc("c.md", "tide", subjects=("patient:471", "patient:47111")))
    assert list(await index.held(subject="patient:4711")) == [mine, yard]
    assert list(await index.held(subject="user:ann")) == [mine]
    assert list(await index.held(subject="patient:4711", collections=frozenset({"yard", "none"}))) == [yard]
    assert [one.path for one in await index.held(collections=frozenset({"house"}))] == ["a.md", "c.md"]
    await index.erase("patient:4711")
    assert list(await index.held(subject="user:ann")) == []


@pytest.mark.parametrize("odd", ["' OR 1=1 --", "x\0y", "\ud800", '"', "%", "*", ""])
async def test_of_names_that_nothing_has_nothing_is_held(index: Index, odd: str) -> None:
    await put(index, doc("a.md", "harbour", subjects=("user:ann",)))
    assert list(await index.held()) == list(await index.held(subject=odd)) == []
    assert list(await index.held(collections=frozenset({odd}))) == []
    assert list(await index.held(subject="user:ann", collections=frozenset({odd}))) == []


async def test_a_role_that_reads_as_a_member_alone_is_refused_and_gets_no_half_answer(knowing: Server) -> None:
    store = PostgresStore(knowing)
    await put(store.open(), doc("a.md", "harbour", for_("role:hr"), subjects=("user:ann",)))
    with asked(store, "keeper") as db:
        db.execute(f"grant usage on schema {schema_of(store)} to reader")
        db.execute(f"grant select, insert, update, delete on all tables in schema {schema_of(store)} to reader")
    index = opened(store, knowing.url("reader"))
    assert [one.path for one in await index.documents(BOB)] == ["a.md"]
    with pytest.raises(KnowledgeError, match="owner"):
        await index.held(subject="user:ann")
    await store.aclose()
