"""The examples' documents are what their scripts make, and each expected answer stands in the document named."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from ringfence.core.errors import ManifestError
from ringfence.core.labels import Member
from ringfence.evals.checks import ABSTAINS, Check
from ringfence.evals.suite import load as load_suite
from ringfence.manifest.loader import load

pytest.importorskip("pypdfium2")
pytest.importorskip("fpdf")
pytest.importorskip("docx")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = ("rag", "contracts", "clinic")
QUESTIONS = yaml.safe_load((ROOT / "bench/knowledge/questions.yaml").read_text("utf-8"))
ANSWERED = [(example, one) for example in NAMES for one in QUESTIONS[example] if not one.get("absent")]


def module(path: Path) -> ModuleType:
    """A file as a module, its neighbours importable while it is loaded."""
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(f"example_{path.parent.name}_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = made
        spec.loader.exec_module(made)
        return made
    finally:
        sys.path.remove(str(path.parent))


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Modules of one example (`texts`) are not those of another."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def place(example: str, document: str) -> Path:
    """The file of `collection/path`."""
    collection, _, path = document.partition("/")
    manifest = load(EXAMPLES / example / "ringfence.yaml")
    (folder,) = (one.path for one in manifest.knowledge.collections if one.name == collection)
    return manifest.root / folder / path


def text_of(path: Path) -> str:
    """What a file says, read by other libraries than the parser's where there are such."""
    if path.suffix == ".pdf":
        from pypdfium2 import PdfDocument

        document = PdfDocument(path)
        pages = [page.get_textpage().get_text_bounded() for page in document]
        document.close()
        return " ".join(" ".join(pages).split())
    if path.suffix == ".docx":
        from docx import Document

        opened = Document(str(path))
        cells = [cell.text for table in opened.tables for row in table.rows for cell in row.cells]
        return " ".join([*(one.text for one in opened.paragraphs), *cells])
    return " ".join(path.read_text("utf-8").split())


@pytest.mark.parametrize("example", NAMES)
def test_the_same_seed_makes_the_same_bytes(example: str, tmp_path: Path) -> None:
    script = EXAMPLES / example / "make_data.py"
    subprocess.run([sys.executable, str(script), str(tmp_path), "--seed", "1"], check=True)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert made
    for path, data in made.items():
        assert (EXAMPLES / example / path).read_bytes() == data, path


def test_another_seed_makes_other_contracts(tmp_path: Path) -> None:
    script = EXAMPLES / "contracts" / "make_data.py"
    subprocess.run([sys.executable, str(script), str(tmp_path), "--seed", "2"], check=True)
    assert (tmp_path / "truth.json").read_bytes() != (EXAMPLES / "contracts" / "truth.json").read_bytes()


def test_of_the_questions_that_no_document_answers_nine_are_held_out_and_nine_are_not() -> None:
    asked = [one for example in NAMES for one in QUESTIONS[example]]
    assert len(asked) == len({one["id"] for one in asked}) == 78
    absent = [one for one in asked if one.get("absent")]
    assert len(absent) == 33
    assert [sum(one.get("half") == half for one in absent) for half in ("tune", "held")] == [9, 9]
    assert not [one for one in asked if one.get("half") and not one.get("absent")]


@pytest.mark.parametrize(("example", "question"), ANSWERED, ids=[one["id"] for _, one in ANSWERED])
def test_an_expected_answer_stands_in_its_document(example: str, question: dict[str, object]) -> None:
    text = text_of(place(example, str(question["document"])))
    some = tuple(tuple(map(str, strings)) for strings in question["any"])  # type: ignore[attr-defined]
    assert Check(some).passes(text)
    assert not Check(some).passes("It is not in the documents.")


@pytest.mark.parametrize("example", NAMES)
def test_a_suite_and_its_manifest_can_be_read(example: str) -> None:
    for file in (EXAMPLES / example).glob("*eval.yaml"):
        suite = load_suite(file)
        assert suite.cases
        load(EXAMPLES / example / suite.manifest)
    assert ABSTAINS.passes("That is not in the documents.")
    manifest = load(EXAMPLES / example / "ringfence.yaml")
    assert all((manifest.root / one.path).is_dir() for one in manifest.knowledge.collections)


@pytest.fixture
def contracts() -> Iterator[Path]:
    folder = EXAMPLES / "contracts"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_flags_are_right_whatever_the_seed(contracts: Path, tmp_path: Path, seed: int) -> None:
    subprocess.run([sys.executable, str(contracts / "make_data.py"), str(tmp_path), "--seed", str(seed)], check=True)
    rules = module(contracts / "rules.py")
    found = rules.flags_of(
        rules.contracts_of(tmp_path / "data/contracts"), rules.rules_of(contracts / "data/regulations")
    )
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert {(flag.contract, flag.rule) for flag in found} == {(n, r) for n, one in truth.items() for r in one["broken"]}
    assert not [flag for flag in found if flag.finding.startswith("unclear")]


def test_a_changed_regulation_changes_the_flags(contracts: Path, tmp_path: Path) -> None:
    rules = module(contracts / "rules.py")
    shutil.copytree(contracts / "data/regulations", tmp_path / "regulations")
    file = tmp_path / "regulations/contracting.md"
    file.write_text(file.read_text("utf-8").replace("at most 90 days", "at most 180 days"), "utf-8")
    read = rules.contracts_of(contracts / "data/contracts")
    flags = {flag.rule for flag in rules.flags_of(read, rules.rules_of(tmp_path / "regulations"))}
    assert "R-2" not in flags
    assert "R-1" in flags


def test_two_sentences_that_differ_and_a_missing_clause_are_for_a_person(contracts: Path) -> None:
    rules, clauses = module(contracts / "rules.py"), module(contracts / "clauses.py")
    one = clauses.Clause("C-99", "notice", 30.0, "days", 1, "The customer may end this contract with 30 days' notice.")
    other = clauses.Clause("C-99", "notice", 99.0, "days", 2, "Either party may terminate it with 99 days' notice.")
    contract = clauses.Contract("C-99", ("", ""), {}, {"notice": (one, other)})
    rule = rules.Rule("R-2", "notice", "regulations/contracting.md", "At most 90 days.", most=90.0)
    found = rules.flags_of([contract], [rule, rules.Rule("R-1", "term", "r.md", "At most 48 months.", most=48.0)])
    assert [flag.quote for flag in found] == [one.quote, other.quote, ""]
    assert all(flag.finding.startswith("unclear") for flag in found)


def test_a_quote_that_was_changed_is_found_by_the_check(contracts: Path, tmp_path: Path) -> None:
    tools, rules = module(contracts / "risk_tools.py"), module(contracts / "rules.py")
    flags = rules.flags_of(
        rules.contracts_of(contracts / "data/contracts"), rules.rules_of(contracts / "data/regulations")
    )
    check = module(contracts / "check.py")
    rows = list(csv.DictReader(tools.as_csv(flags).splitlines()))
    assert check.wrong_quotes(rows) == []
    assert check.wrong_flags(rows) == []
    rows[0]["quote"] = rows[0]["quote"].replace("may", "must")
    assert len(check.wrong_quotes(rows)) == 1
    assert check.wrong_flags(rows[1:]) == ["C-03 R-8: not in the table"]


def test_a_statement_without_a_mark_is_found_and_so_is_another_patients_record() -> None:
    from ringfence.engine.grounding import Source
    from ringfence.engine.result import Result

    summary = module(EXAMPLES / "clinic/summary.py")
    quote = "Diagnosis: heart failure."
    source = Source(1, "records/ward-a/patient-4779/discharge.docx", quote=quote, at=(3, 3 + len(quote)))
    text = {source.document: f"...{quote}"}
    good = Result("r", "done", "The patient had heart failure [1].", "", sources=(source,))
    assert summary.wrong(good, "4779", text) == []
    assert summary.wrong(good, "4780", text) == ["[1] is of somebody else: records/ward-a/patient-4779/discharge.docx"]
    bare = Result("r", "done", "The patient had heart failure [1]. It was 2.5 days.", "", sources=(source,))
    assert summary.wrong(bare, "4779", text) == ["no source: It was 2.5 days."]


def members() -> list[tuple[str, Member, set[str]]]:
    return [
        ("hr", frozenset({"role:hr"}), {"handbook", "people"}),
        ("ops", frozenset({"role:ops"}), {"handbook", "runbooks"}),
        ("a stranger", frozenset({"user:stranger"}), {"handbook"}),
    ]


async def test_each_team_finds_its_own_documents_and_a_letter_makes_itself_no_more_public(tmp_path: Path) -> None:
    from ringfence.app.knowing import library as wiring

    folder = tmp_path / "rag"
    shutil.copytree(EXAMPLES / "rag", folder, ignore=shutil.ignore_patterns(".ringfence"))
    text = (folder / "ringfence.yaml").read_text("utf-8")
    text = text.replace("{name: handbook,", "{name: handbook, vectors: false,").replace(
        "{name: house,", "{name: house, vectors: false,"
    )
    (folder / "ringfence.yaml").write_text(text, "utf-8")
    async with wiring.opened(load(folder / "ringfence.yaml")) as library:
        for report in await library.refresh():
            assert report.skipped == []
        for who, member, may in members():
            found = [hit.document for hit in await library.search("salary bands code pressure hotel", member, limit=50)]
            seen = {one.path.partition("/")[0] if one.collection == "house" else one.collection for one in found}
            assert seen == may, who
            readable = [one.path for one in await library.documents(member)]
            assert ("people/agency-letter.md" in readable) == (who == "hr")
        (letter,) = [one for one in await library.documents(frozenset({"role:hr"})) if "agency" in one.path]
    assert letter.label.trust.name == "UNTRUSTED"


def test_a_patient_about_whom_no_run_was_is_erased_from_the_index(tmp_path: Path) -> None:
    from ringfence.app import operator, privacy
    from ringfence.app.knowing import library as wiring

    folder = tmp_path / "clinic"
    shutil.copytree(EXAMPLES / "clinic", folder, ignore=shutil.ignore_patterns(".ringfence", "guidelines"))
    (folder / "data/guidelines").mkdir()
    text = (
        (folder / "ringfence.yaml")
        .read_text("utf-8")
        .replace("- name: records\n", "- name: records\n      vectors: false\n")
    )
    (folder / "ringfence.yaml").write_text(
        text.replace("{name: guidelines,", "{name: guidelines, vectors: false,"), "utf-8"
    )
    manifest = load(folder / "ringfence.yaml")
    member: Member = frozenset({"role:ward-a"})

    async def patients() -> list[str]:
        async with wiring.opened(manifest) as library:
            await library.refresh()
            return sorted({one.path.split("/")[1] for one in await library.documents(member)})

    before = asyncio.run(patients())
    shutil.rmtree(folder / "data/records/ward-a/patient-4779")
    certificate = privacy.erase(manifest, "patient:4779", by=operator(manifest))
    assert "destroyed 4 documents of the knowledge index" in certificate
    assert asyncio.run(patients()) == [one for one in before if one != "patient-4779"]
    with pytest.raises(ManifestError, match="nothing is held about patient:9999"):
        privacy.erase(manifest, "patient:9999", by=operator(manifest))
