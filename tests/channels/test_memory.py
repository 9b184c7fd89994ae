"""Memory over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.app import now_ms
from ringfence.app.knowing import remembering
from ringfence.app.knowing.remembering import Opened
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Principal
from ringfence.knowledge.memory import Saying, Scope
from ringfence.manifest.loader import load

from .kit import ALICE, AS_ALICE, AS_BOB, BOB, MANIFEST, served

REMEMBERS = MANIFEST + "memory: {enabled: true}\n"


@pytest.fixture(autouse=True)
def by_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "embedder_of", lambda *_: None)
    monkeypatch.setattr(remembering.models, "paths", lambda *_: ())


async def keep(folder: Path, text: str, who: Principal = ALICE, *, trust: Trust = Trust.USER) -> str:
    """Remember something for somebody; its id."""
    (folder / "ringfence.yaml").write_text(REMEMBERS)
    opened = Opened(load(folder / "ringfence.yaml"), now_ms)
    saying = Saying("run1", 7, text, who.subject, "agent", now_ms(), trust.name.lower())
    label = Label(trust, frozenset({frozenset({who.subject})}))
    saved = await opened().save(
        text, "fact", Scope(who.subject), label=label, member=who.member, saying=saying, subjects=[who.subject]
    )
    await opened.aclose()
    return saved.item.id


async def test_what_is_remembered_is_seen_searched_and_paged_by_whoever_may_read_it(tmp_path: Path) -> None:
    mine = [await keep(tmp_path, f"The pump {n} stands in hall {n}.") for n in range(3)]
    theirs = await keep(tmp_path, "Bob likes tea.", BOB)
    async with served(tmp_path, manifest=REMEMBERS) as (client, _):
        seen, after = [], ""
        while True:
            page = (await client.get("/v1/memory", params={"limit": 2, "after": after}, headers=AS_ALICE)).json()
            seen += [one["id"] for one in page["data"]]
            if (after := page["next"]) is None:
                break
        assert sorted(seen) == sorted(mine)
        found = (await client.get("/v1/memory?q=HALL 2", headers=AS_ALICE)).json()["data"]
        assert [one["text"] for one in found] == ["The pump 2 stands in hall 2."]
        assert found[0]["sayings"][0]["run"] == "run1"
        assert "key" not in found[0]["sayings"][0]
        one = await client.get(f"/v1/memory/{mine[0]}", headers=AS_ALICE)
        assert (one.status_code, one.json()["scope"]) == (200, "user:alice")
        same = await client.get("/v1/memory", headers=AS_ALICE | {"If-None-Match": "*"})
        assert same.status_code == 304
        absent = (await client.get("/v1/memory/m-0", headers=AS_ALICE)).json()
        for answer in (
            await client.get(f"/v1/memory/{theirs}", headers=AS_ALICE),
            await client.patch(f"/v1/memory/{theirs}", json={"text": "Bob likes gin."}, headers=AS_ALICE),
            await client.delete(f"/v1/memory/{theirs}", headers=AS_ALICE),
            await client.post(f"/v1/memory/{theirs}/promote", headers=AS_ALICE),
        ):
            assert (answer.status_code, answer.json()) == (404, absent)
        assert len((await client.get("/v1/memory", headers=AS_BOB)).json()["data"]) == 1


async def test_other_words_take_the_place_of_what_was_remembered_and_are_on_the_record(tmp_path: Path) -> None:
    mine = await keep(tmp_path, "The pump stands in hall 1.")
    async with served(tmp_path, manifest=REMEMBERS) as (client, web):
        edited = await client.patch(f"/v1/memory/{mine}", json={"text": "It stands in hall 9."}, headers=AS_ALICE)
        assert (edited.status_code, edited.json()["text"]) == (200, "It stands in hall 9.")
        texts = [one["text"] for one in (await client.get("/v1/memory?state=kept", headers=AS_ALICE)).json()["data"]]
        assert texts == ["It stands in hall 9."]
        views = await web.state.reading(lambda log: log.views(log.runs(1)[0].run))
        assert (views[-1].view["memory"], views[-1].view["status"]) == ("edit", "done")
        assert views[0].principal == "user:alice"
        assert (await client.get("/v1/runs", headers=AS_ALICE)).json()["data"] == []  # it is no task of hers
        assert len((await client.get("/v1/runs?inner=true", headers=AS_ALICE)).json()["data"]) == 1
        for wrong in ({"text": ""}, {"text": "  "}, {"text": "x" * 1_001}, {"text": 1}, {}, {"text": "x", "by": "me"}):
            refused = await client.patch(f"/v1/memory/{mine}", json=wrong, headers=AS_ALICE)
            assert refused.status_code == 422, wrong


async def test_what_is_in_quarantine_counts_once_somebody_vouches_for_it(tmp_path: Path) -> None:
    mine = await keep(tmp_path, "The safe opens with 1234.", trust=Trust.UNTRUSTED)
    async with served(tmp_path, manifest=REMEMBERS) as (client, _):
        held = (await client.get("/v1/memory?state=quarantined", headers=AS_ALICE)).json()["data"]
        assert [one["id"] for one in held] == [mine]
        vouched = await client.post(f"/v1/memory/{mine}/promote", headers=AS_ALICE)
        assert (vouched.status_code, vouched.json()["promoted"]["by"]) == (200, "user:alice")
        again = await client.post(f"/v1/memory/{vouched.json()['id']}/promote", headers=AS_ALICE)
        assert (again.status_code, again.json()["code"]) == (422, "refused")


async def test_what_is_forgotten_is_gone_and_that_it_was_is_on_the_record(tmp_path: Path) -> None:
    mine = await keep(tmp_path, "The pump stands in hall 1.")
    async with served(tmp_path, manifest=REMEMBERS) as (client, web):
        gone = await client.delete(f"/v1/memory/{mine}", headers=AS_ALICE)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await client.get("/v1/memory", headers=AS_ALICE)).json()["data"] == []
        assert (await client.delete(f"/v1/memory/{mine}", headers=AS_ALICE)).status_code == 404
        views = await web.state.reading(lambda log: log.views(log.runs(1)[0].run))
        assert (views[0].view["memory"], views[0].view["items"]) == ("rm", [mine])


async def test_an_agent_without_memory_remembers_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        assert (await client.get("/v1/memory", headers=AS_ALICE)).json() == {"data": [], "next": None}
        assert (await client.get("/v1/memory/m-1", headers=AS_ALICE)).status_code == 404
        assert not (tmp_path / ".ringfence/knowledge").exists()
