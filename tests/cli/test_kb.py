"""`ringfence kb`: documents taken in, found, shown and forgotten from the command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ringfence.app.knowing import fresh
from ringfence.app.knowing import library as knowing
from ringfence.manifest.loader import load

from .conftest import Shell

MANIFEST = """\
inference: {provider: llamacpp, model: scripted, endpoint: "http://127.0.0.1:9", retries: 0}
knowledge:
  collections:
    - {name: house, path: ./house, vectors: false, rights: rights.yaml}
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    (folder / "house/hr").mkdir(parents=True)
    (folder / "house/pump.md").write_text("# Pumps\n\nThe red pump stands in hall 3.\n")
    (folder / "house/hr/pay.md").write_text("# Pay\n\nThe pay of the pump warden is 4711 euros.\n")
    (folder / "rights.yaml").write_text("'hr/**': [role:hr]\n")
    (folder / "ringfence.yaml").write_text(MANIFEST)
    return folder


def test_what_was_taken_in_is_listed_found_and_shown(folder: Path, ringfence: Shell) -> None:
    took = ringfence("kb", "refresh")
    assert (took.code, took.out.partition(";")[0]) == (0, "house: 2 new, 0 changed, 0 gone, 0 as before")
    listed = ringfence("kb", "list").out.splitlines()
    assert listed == ["house/hr/pay.md  for role:hr  untrusted", "house/pump.md  for everyone  untrusted"]
    found = ringfence("kb", "search", "where does the red pump stand")
    assert found.code == 0
    assert found.out.startswith("[1] house/pump.md, Pumps, ")
    shown = ringfence("kb", "show", "house/pump.md")
    assert "The red pump stands in hall 3." in shown.out


def test_with_some_roles_alone_one_sees_what_these_see(folder: Path, ringfence: Shell) -> None:
    (folder / "ringfence.yaml").write_text(MANIFEST + "approvals: {approvers: [role:ops]}\n")
    ringfence("kb", "refresh")
    assert ringfence("kb", "list", "--as", "role:ops").out == "house/pump.md  for everyone  untrusted\n"
    assert ringfence("kb", "show", "house/hr/pay.md", "--as", "role:ops").code == 1
    found = json.loads(ringfence("kb", "search", "pay", "--as", "role:ops", "--json").out)
    assert found == []
    refused = ringfence("kb", "list", "--as", "role:board")
    assert refused.code == 2
    assert "expected a role that you hold, got role:board" in refused.err


def test_nothing_found_is_said_and_exits_1(folder: Path, ringfence: Shell) -> None:
    ringfence("kb", "refresh")
    assert ringfence("kb", "search", "zeppelin").code == 1


def test_a_file_that_is_added_is_ones_own_until_it_is_said_otherwise(folder: Path, ringfence: Shell) -> None:
    manifest = folder / "ringfence.yaml"
    manifest.write_text(MANIFEST.replace("vectors: false, ", "vectors: false, "))
    with_words_alone(folder)
    (folder / "letter.md").write_text("A letter about zeppelins.")
    refused = ringfence("kb", "add", "letter.md", "-c", "house", "--readers", "public")
    assert refused.code == 2
    assert "the manifest says who may read house" in refused.err
    took = ringfence("kb", "add", "letter.md", "-c", "house")
    assert took.code == 0, took.err
    assert "house/letter.md" in ringfence("kb", "list").out
    assert ringfence("kb", "rm", "letter.md", "-c", "house", "--yes").code == 0
    assert "letter" not in ringfence("kb", "list").out
    assert (folder / "letter.md").exists()


def with_words_alone(folder: Path) -> None:
    """No model is asked for in these tests."""
    assert all(not one.vectors for one in load(folder / "ringfence.yaml").knowledge.collections)


def test_a_new_collection_belongs_to_who_made_it(folder: Path) -> None:
    home = knowing.home_of(load(folder / "ringfence.yaml"))
    knowing.add_to(home, "mine", [folder / "house"], None, whose="user:alice")
    knowing.add_to(home, "open", [folder / "house"], ["public"], whose="user:alice")
    mine, public = knowing.sources_of(load(folder / "ringfence.yaml"))[1:]
    assert mine.readers == {frozenset({"user:alice"})}
    assert public.readers == frozenset()
    assert (home / knowing.ADDED).stat().st_mode & 0o777 == 0o600


def test_a_path_that_is_not_there_adds_nothing(folder: Path, ringfence: Shell) -> None:
    refused = ringfence("kb", "add", "nowhere", "-c", "house")
    assert (refused.code, "no such one" in refused.err) == (2, True)
    assert not (folder / ".ringfence/knowledge/added.json").exists()


def test_status_says_what_has_changed_and_what_is_skipped_and_changes_nothing(folder: Path, ringfence: Shell) -> None:
    (folder / "house/broken.pdf").write_bytes(b"%PDF-1.7 no such thing")
    ringfence("kb", "refresh")
    (folder / "house/new.md").write_text("new")
    for _ in range(2):
        [row] = json.loads(ringfence("kb", "status", "--json").out)
        assert (row["documents"], row["new"], row["changed"], row["gone"]) == (2, 1, 0, 0)
        assert [name for name, _ in row["skipped"]] == ["broken.pdf"]


def test_to_forget_a_collection_asks_where_somebody_can_be_asked(folder: Path, ringfence: Shell) -> None:
    ringfence("kb", "refresh")
    assert "expected --yes" in ringfence("kb", "rm", "house").err
    assert ringfence("kb", "rm", "house", "--yes").code == 0
    assert ringfence("kb", "list").out == ""


def test_doctor_says_how_the_documents_are_and_names_no_tool_of_theirs_as_anothers(
    folder: Path, ringfence: Shell
) -> None:
    (folder / "ringfence.yaml").write_text(MANIFEST + "tools: [{name: calc, type: builtin}]\n")
    ringfence("kb", "refresh")
    (folder / "house/broken.pdf").write_bytes(b"%PDF-1.7 no such thing")
    said = ringfence("doctor").out
    assert "tool calc       calc\n" in said
    assert "kb house        2 documents, 1 files have changed" in said


def test_a_manifest_without_documents_says_what_to_do(folder: Path, ringfence: Shell) -> None:
    (folder / "ringfence.yaml").write_text(MANIFEST.partition("knowledge:")[0])
    said = ringfence("kb", "list")
    assert said.code == 2
    assert "knowledge.collections" in said.err


def test_a_name_that_no_collection_has_is_told_with_those_that_there_are(folder: Path, ringfence: Shell) -> None:
    said = ringfence("kb", "refresh", "hause")
    assert said.code == 2
    assert "there are: house" in said.err


async def test_a_changed_rights_file_is_taken_in_while_folders_are_watched(folder: Path) -> None:
    anybody = frozenset({"user:anybody"})
    async with knowing.opened(load(folder / "ringfence.yaml")) as library:
        await library.refresh()
        assert len(await library.documents(anybody)) == 1
        reports = library.watch()
        waiting = asyncio.ensure_future(anext(reports))
        for n in range(300):  # the watch begins when it begins
            (folder / "rights.yaml").write_text(f"'**': [role:hr] # {n}\n")
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            if done:
                break
        assert (await waiting).collection == "house"
        assert await library.documents(anybody) == []
        await reports.aclose()


async def test_a_rights_file_that_cannot_be_meant_is_told_and_watching_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "AGAIN_S", 0.05)
    text = (folder / "ringfence.yaml").read_text().replace("vectors: false,", "vectors: false, watch: true,")
    (folder / "ringfence.yaml").write_text(text)
    manifest = load(folder / "ringfence.yaml")
    async with knowing.opened(manifest) as library:
        kept = fresh.Fresh(library, manifest, None)
        await kept.once()
        for n in range(300):
            (folder / "rights.yaml").write_text(f"'**': 7 # {n}\n")
            await asyncio.sleep(0.1)
            if kept.warnings:
                break
        assert kept.warnings[0].startswith("documents are not kept up to date: ")
        (folder / "rights.yaml").write_text("'**': [role:hr]\n")
        for _ in range(300):
            if not kept.warnings:
                break
            await asyncio.sleep(0.1)
        assert kept.warnings == []
        assert await library.documents(frozenset({"user:anybody"})) == []
        await kept.aclose()


async def test_what_changes_in_a_watched_folder_is_taken_in(folder: Path) -> None:
    async with knowing.opened(load(folder / "ringfence.yaml")) as library:
        await library.refresh()
        reports = library.watch()
        waiting = asyncio.ensure_future(anext(reports))
        for n in range(200):  # the watch begins when it begins
            (folder / "house/fresh.md").write_text(f"A fresh zeppelin, {n}.")
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            if done:
                break
        assert (await waiting).collection == "house"
        await library.refresh()
        hits = await library.search("zeppelin", frozenset())
        await reports.aclose()
    assert [hit.document.path for hit in hits] == ["fresh.md"]
