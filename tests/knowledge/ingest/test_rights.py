from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Label, Trust
from ringfence.knowledge.errors import Unreadable
from ringfence.knowledge.ingest import rights
from ringfence.knowledge.ingest.rights import Rights, Table
from ringfence.knowledge.ingest.walk import Found, Place, Source

STAFF = frozenset({"role:staff"})


def found(tmp_path: Path, name: str = "x.md") -> Found:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text")
    return Found(name, path, path.stat())


def table(tmp_path: Path, text: str = "", **more: object) -> Table:
    if text:
        (tmp_path / "rights.yaml").write_text(text)
        more["rights"] = tmp_path / "rights.yaml"
    return Table.of(Source("c", (Place(tmp_path),), readers=frozenset({STAFF}), **more))  # type: ignore[arg-type]


def test_a_document_has_its_collections_readers(tmp_path: Path) -> None:
    assert table(tmp_path).of_file(found(tmp_path)).readers == {STAFF}


def test_the_first_rule_that_matches_counts_and_narrows(tmp_path: Path) -> None:
    rules = table(tmp_path, "hr/**: [role:hr, user:dana]\n'**': [role:all]\n")
    assert rules.of_file(found(tmp_path, "hr/pay/x.md")).readers == {STAFF, frozenset({"role:hr", "user:dana"})}
    assert rules.of_file(found(tmp_path, "x.md")).readers == {STAFF, frozenset({"role:all"})}


def test_public_in_a_rule_does_not_widen_the_collection(tmp_path: Path) -> None:
    assert table(tmp_path, "'**': [public]\n").of_file(found(tmp_path)).readers == {STAFF}


def test_a_part_of_the_name_can_name_the_reader_and_the_subject(tmp_path: Path) -> None:
    text = "'{ward}/{id}.md': {readers: ['role:ward-{ward}'], subject: 'patient:{id}'}\n"
    got = table(tmp_path, text).of_file(found(tmp_path, "a/4711.md"))
    assert got == Rights(frozenset({STAFF, frozenset({"role:ward-a"})}), ("patient:4711",))


def test_a_neighbour_narrows_one_file(tmp_path: Path) -> None:
    file = found(tmp_path)
    (tmp_path / "x.md.readers").write_text("- role:board\n")
    assert table(tmp_path).of_file(file).readers == {STAFF, frozenset({"role:board"})}


@pytest.mark.parametrize("text", ["[]", "role hr", "{reader: [role:hr]}", "[1]", "- role:hr\n  broken: [", "[admin]"])
def test_a_neighbour_that_cannot_be_understood_lets_nobody_in(tmp_path: Path, text: str) -> None:
    file = found(tmp_path)
    (tmp_path / "x.md.readers").write_text(text)
    with pytest.raises(Unreadable, match="who may read it cannot be told"):
        table(tmp_path).of_file(file)


def test_a_neighbour_that_is_a_link_lets_nobody_in(tmp_path: Path) -> None:
    file = found(tmp_path)
    (tmp_path / "x.md.readers").symlink_to("/dev/null")
    with pytest.raises(Unreadable):
        table(tmp_path).of_file(file)


@pytest.mark.parametrize("text", ["[1, 2]", "hr: [nobody]", "hr: {readers: ['role:{x}']}", "a: b: c", "hr: 3"])
def test_a_rights_file_that_cannot_be_meant_stops_the_collection(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError, match="the rights of collection c cannot be read"):
        table(tmp_path, text)


def test_a_file_that_not_everybody_may_read_is_for_its_owner_and_group(tmp_path: Path) -> None:
    file = found(tmp_path)
    file.path.chmod(0o640)
    owner = Found(file.name, file.path, file.path.stat())
    [own] = table(tmp_path, posix=True).of_file(owner).readers - {STAFF}
    assert {one.partition(":")[0] for one in own} == {"user", "role"}
    file.path.chmod(0o600)
    [own] = table(tmp_path, posix=True).of_file(Found(file.name, file.path, file.path.stat())).readers - {STAFF}
    assert {one.partition(":")[0] for one in own} == {"user"}
    file.path.chmod(0o644)
    public = Found(file.name, file.path, file.path.stat())
    assert table(tmp_path, posix=True).of_file(public).readers == {STAFF}


def test_front_matter_that_names_nobody_there_could_be_is_refused() -> None:
    with pytest.raises(Unreadable, match="front matter"):
        rights.of_itself(Rights(), ["admins"])


READERS = st.lists(st.sampled_from(["role:a", "role:b", "user:x", "team:t", "public"]), min_size=1, max_size=3)
MEMBERS = st.frozensets(st.sampled_from(["role:a", "role:b", "user:x", "team:t"]))


@given(st.lists(READERS, max_size=4), READERS, MEMBERS)
def test_nothing_that_is_said_later_ever_lets_more_people_in(
    before: list[list[str]], more: list[str], member: frozenset[str]
) -> None:
    may = Rights()
    for readers in before:
        may = may.and_(readers)
    wider = rights.of_itself(may, more)
    if Label(Trust.UNTRUSTED, wider.readers).readable_by(member):
        assert Label(Trust.UNTRUSTED, may.readers).readable_by(member)
