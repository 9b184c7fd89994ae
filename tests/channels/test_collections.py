"""Collections over HTTP."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from ringfence.app.serving.placing import parts_of
from ringfence.core.errors import ManifestError

from .kit import AS_ADA, AS_ALICE, AS_BOB, MANIFEST, served

KNOWS = (
    MANIFEST
    + """
knowledge:
  collections:
    - {name: house, path: ./house, vectors: false, rights: rights.yaml}
    - {name: pay, path: ./pay, vectors: false, readers: [role:hr]}
server: {limits: {upload_mb: 1}}
"""
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "house/hr").mkdir(parents=True)
    (tmp_path / "pay").mkdir()
    (tmp_path / "house/pump.md").write_text("# Pumps\n\nThe red pump stands in hall 3.\n")
    (tmp_path / "house/hr/warden.md").write_text("# Pay\n\nThe pay of the pump warden is 4711 euros.\n")
    (tmp_path / "rights.yaml").write_text("'hr/**': [role:hr]\n")
    return tmp_path


async def refreshed(client: httpx2.AsyncClient, web: FastAPI, name: str) -> dict[str, Any]:
    """A collection taken in: what came of it."""
    begun = await client.post(f"/v1/collections/{name}/refresh", headers=AS_ADA)
    assert begun.status_code == 202, begun.text
    await web.state.shelves._refreshes[name].task
    return (await client.get(f"/v1/collections/{name}/refresh", headers=AS_ADA)).json()


async def test_each_sees_the_collections_documents_and_passages_that_their_rights_let_them(house: Path) -> None:
    async with served(house, manifest=KNOWS) as (client, _):
        seen = (await client.get("/v1/collections", headers=AS_ALICE)).json()["data"]
        assert [(one["name"], one["documents"], one["may_change"]) for one in seen] == [("house", 1, False)]
        hers = (await client.get("/v1/collections", headers=AS_BOB)).json()["data"]
        assert [(one["name"], one["documents"]) for one in hers] == [("house", 2), ("pay", 0)]
        listed = (await client.get("/v1/collections/house/documents", headers=AS_ALICE)).json()
        assert [one["path"] for one in listed["data"]] == ["pump.md"]
        first = (await client.get("/v1/collections/house/documents?limit=1", headers=AS_BOB)).json()
        assert ([one["path"] for one in first["data"]], first["next"]) == (["hr/warden.md"], "hr/warden.md")
        rest = (await client.get("/v1/collections/house/documents?after=hr/warden.md", headers=AS_BOB)).json()
        assert ([one["path"] for one in rest["data"]], rest["next"]) == (["pump.md"], None)
        found = (await client.get("/v1/collections/search?q=pay of the pump warden", headers=AS_ALICE)).json()["data"]
        assert "4711" not in str(found)
        found = (await client.get("/v1/collections/search?q=pay of the pump warden", headers=AS_BOB)).json()["data"]
        assert found[0]["document"] == "house/hr/warden.md"
        assert found[0]["readers"] == [["role:hr"]]


async def test_a_citation_opens_word_for_word_and_only_for_who_may_read_it(house: Path) -> None:
    async with served(house, manifest=KNOWS) as (client, _):
        where = {"collection": "house", "document": "pump.md", "start": 9, "end": 22}
        opened = (await client.get("/v1/passages", params=where, headers=AS_ALICE)).json()
        text = (await client.get("/v1/passages?document=house/pump.md", headers=AS_ALICE)).json()
        assert opened["text"] == text["text"][9:22]
        assert (opened["start"], opened["end"], opened["of"]) == (9, 22, len(text["text"]))
        absent = await client.get("/v1/passages?document=house/none.md", headers=AS_ALICE)
        others = await client.get("/v1/passages?document=house/hr/warden.md", headers=AS_ALICE)
        assert (others.status_code, others.json()) == (404, absent.json())
        for wrong in ("document=house/pump.md&start=5&end=5", "document=x&start=-1", "start=1"):
            assert (await client.get(f"/v1/passages?{wrong}", headers=AS_ALICE)).status_code == 422, wrong


async def test_what_an_admin_uploads_is_found_after_a_refresh_and_gone_when_it_is_deleted(house: Path) -> None:
    async with served(house, manifest=KNOWS) as (client, web):
        data = b"# Valves\n\nThe blue valve is in hall 8.\n"
        sent = {"file": ("valve.md", data, "text/markdown")}
        fields = {"path": "2026/valve.md", "readers": "role:hr"}
        put = await client.post("/v1/collections/house/documents", data=fields, files=sent, headers=AS_ADA)
        assert put.status_code == 201, put.text
        assert put.json() == {
            "document": "house/2026/valve.md", "path": "2026/valve.md", "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip
        assert (house / "house/2026/valve.md").read_bytes() == data
        assert (await refreshed(client, web, "house"))["report"]["added"] == 1
        question = "/v1/collections/search?q=where is the blue valve"
        assert (await client.get(question, headers=AS_BOB)).json()["data"][0]["path"] == "2026/valve.md"
        assert "valve" not in str((await client.get(question, headers=AS_ALICE)).json()["data"])  # role:hr alone
        twice = await client.post("/v1/collections/house/documents", data=fields, files=sent, headers=AS_ADA)
        assert (twice.status_code, twice.json()["code"]) == (409, "there")
        other = {"file": ("valve.md", b"# Valves\n\nIt is in hall 9.\n")}
        anew = fields | {"replace": "true"}
        assert (await client.post("/v1/collections/house/documents", data=anew, files=other, headers=AS_ADA)).is_success
        assert b"hall 9" in (house / "house/2026/valve.md").read_bytes()
        gone = await client.delete("/v1/collections/house/documents/2026/valve.md", headers=AS_ADA)
        assert (gone.status_code, list((house / "house/2026").iterdir())) == (204, [])
        assert "valve" not in str((await client.get(question, headers=AS_BOB)).json()["data"])
        again = await client.delete("/v1/collections/house/documents/2026/valve.md", headers=AS_ADA)
        assert (again.status_code, again.json()["code"]) == (404, "not-found")
        views = await web.state.reading(lambda log: [log.views(one.run)[-1].view for one in log.runs(4)])
        assert [(one["knowledge"], one["status"]) for one in views] == [
            ("remove", "failed"), ("remove", "done"), ("upload", "done"), ("upload", "failed"),
        ]  # fmt: skip


async def test_nobody_but_an_admin_changes_a_collection_and_one_that_is_not_seen_is_not_there(house: Path) -> None:
    async with served(house, manifest=KNOWS) as (client, _):
        sent = {"file": ("x.md", b"# X\n")}
        absent = (await client.get("/v1/collections/none/documents", headers=AS_ALICE)).json()
        for name, status in (("house", 403), ("pay", 404), ("none", 404)):
            for answer in (
                await client.post(f"/v1/collections/{name}/documents", files=sent, headers=AS_ALICE),
                await client.delete(f"/v1/collections/{name}/documents/pump.md", headers=AS_ALICE),
                await client.post(f"/v1/collections/{name}/refresh", headers=AS_ALICE),
                await client.get(f"/v1/collections/{name}/refresh", headers=AS_ALICE),
            ):
                assert answer.status_code == status, name
                assert status == 403 or answer.json() == absent
        assert (house / "house/pump.md").exists()


@pytest.mark.parametrize("path", [
    "../x.md", "a/../../x.md", "/etc/x.md", "a//b.md", ".hidden.md", "a/.git/x", "x.md.readers", "a\\b.md", "c:x.md",
    "x\u202ey.md", "x\ny.md", "x\x00y.md", "/".join("a" * 17), "x" * 300, "x.", " x", "x.md/", ".", "..", "a/*.md",
])  # fmt: skip
def test_no_path_leads_out_of_a_folder_or_hides_in_it(path: str) -> None:
    with pytest.raises(ManifestError):
        parts_of(path)


async def test_a_path_through_a_link_or_a_file_puts_nothing_anywhere(house: Path) -> None:
    (house / "elsewhere").mkdir()
    (house / "house/link").symlink_to(house / "elsewhere")
    async with served(house, manifest=KNOWS) as (client, _):
        sent = {"file": ("x.md", b"# X\n")}
        for path in ("link/x.md", "pump.md/x.md", "hr"):
            answer = await client.post(
                "/v1/collections/house/documents", data={"path": path}, files=sent, headers=AS_ADA
            )
            assert (answer.status_code, answer.json()["code"]) == (409, "there"), path
        answer = await client.post(
            "/v1/collections/house/documents", data={"path": "../../x.md"}, files=sent, headers=AS_ADA
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "refused")
        gone = await client.delete("/v1/collections/house/documents/link/x.md", headers=AS_ADA)
        assert gone.status_code == 409
    assert list((house / "elsewhere").iterdir()) == []
    assert not [one for one in (house / "house").rglob("*") if one.name.startswith(".")]


async def test_a_file_that_is_too_large_or_breaks_off_leaves_nothing_behind(house: Path) -> None:
    async with served(house, manifest=KNOWS) as (client, _):
        before = sorted((house / "house").rglob("*"))
        big = {"file": ("big.md", b"x" * (1 << 20) + b"y")}
        refused = await client.post("/v1/collections/house/documents", files=big, headers=AS_ADA)
        assert (refused.status_code, refused.json()["code"]) == (413, "too-large")
        form = {"Content-Type": "multipart/form-data; boundary=b"}
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.md"\r\n\r\n'
        for body in (head + b"half", b"--b--\r\n", b"nonsense", head + b"a\r\n" + head + b"b\r\n--b--\r\n"):
            refused = await client.post("/v1/collections/house/documents", content=body, headers=AS_ADA | form)
            assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json"), body
        for media in ("application/json", "multipart/form-data", "text/plain; boundary=b"):
            refused = await client.post(
                "/v1/collections/house/documents", content=b"{}", headers=AS_ADA | {"Content-Type": media}
            )
            assert refused.status_code == 415, media
        assert sorted((house / "house").rglob("*")) == before


async def test_an_agent_without_documents_has_no_collections(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, _):
        assert (await client.get("/v1/collections", headers=AS_ADA)).json() == {"data": []}
        assert (await client.get("/v1/collections/search?q=x", headers=AS_ADA)).json() == {"data": []}
        assert (await client.get("/v1/passages?document=a/b", headers=AS_ADA)).status_code == 404
