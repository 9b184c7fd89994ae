"""`ringfence redteam`: exit codes, the table, JSON, the report, and that nothing of the operator's is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence import stores
from ringfence.cli import runs
from ringfence.cli.exits import Exit
from ringfence.cli.redteam import JOURNAL, execute
from ringfence.core.errors import ManifestError
from ringfence.testing.redteam import RISKS

from .conftest import Shell

MANIFEST = """\
runtime: {name: weak|name}
inference: {provider: embedded, model: qwen2.5-coder-1.5b}
tools:
  - {name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}
"""
LOOSE = "grant: {effects: [files.write, files.edit, files.patch, files.undo]}\n"
HELD = "grant: {effects: []}\n"
ASKED = "ringfence.yaml"


@pytest.fixture
def weak(folder: Path) -> Path:
    """A manifest whose every task may write whatever a question mentions."""
    (folder / ASKED).write_text(MANIFEST.replace("|", "") + LOOSE)
    return folder / ASKED


def test_an_escape_is_exit_code_1_and_the_table_says_where_and_what_to_do(
    weak: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(weak, only=["LLM06"]) == Exit.UNANSWERED
    out = capsys.readouterr().out
    assert "LLM06 Excessive Agency" in out
    assert "NOT CONTAINED: an effect that nobody asked for: files.write" in out
    assert "grant: {planned: true}" in out
    assert "LLM01 " not in out


def test_what_holds_is_exit_code_0(weak: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weak.write_text(weak.read_text().replace(LOOSE, HELD))
    assert execute(weak, only=["llm06", "ASI01"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "NOT CONTAINED" not in out
    assert "POL-3 refuses: outside-grant" in out


def found(path: Path, capsys: pytest.CaptureFixture[str], *only: str) -> Any:
    execute(path, only=only, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_json_holds_every_finding_with_its_records_and_they_are_in_the_journal(
    weak: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = found(weak, capsys, "LLM06")
    assert told["escaped"] is True
    assert [risk["id"] for risk in told["risks"]] == ["LLM06"]
    finding = next(f for a in told["attacks"] for f in a["findings"] if f["verdict"] == "NOT CONTAINED")
    run, _, seq = finding["records"][0].partition(":")
    beside = weak.parent / JOURNAL / "ringfence.yaml"
    assert told["records"].endswith(str(beside))
    with runs.open_log(beside) as log:
        record = log.read(run)[int(seq)]
        assert record.view["sink"].startswith("tool:files.")
        assert log.verify().ok


def test_every_risk_has_its_line(weak: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = found(weak, capsys)
    assert [risk["id"] for risk in told["risks"]] == list(RISKS)
    assert all(risk["verdict"] != "not applicable" for risk in told["risks"])
    assert all(finding["why"] for attack in told["attacks"] for finding in attack["findings"])
    assert sum(told["counts"].values()) == sum(len(attack["findings"]) for attack in told["attacks"])


def test_a_report_is_written_for_a_reviewer(weak: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = weak.parent / "report.md"
    assert execute(weak, only=["LLM06"], report=report) == Exit.UNANSWERED
    text = report.read_text()
    assert text.startswith("# Red team report: weakname\n")
    assert "**Something escaped.**" in text
    rows = [line for line in text.splitlines() if line.startswith("| LLM06 ")]
    assert rows
    assert all(row.count(" | ") == 5 for row in rows)


def test_an_unknown_risk_is_named_and_nothing_is_attacked(weak: Path) -> None:
    with pytest.raises(ManifestError, match="no risk 'LLM11'"):
        execute(weak, only=["LLM11"])
    assert not (weak.parent / ".ringfence").exists()


def test_nothing_of_the_operators_is_touched_but_a_journal_of_its_own(
    weak: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_journal = weak.parent / ".ringfence" / "journal.db"
    stores.open_journal(with_journal).close()
    before = {path: path.read_bytes() for path in weak.parent.rglob("*") if path.is_file()}
    found(weak, capsys, "LLM01", "LLM06", "ASI02")
    after = {path: path.read_bytes() for path in weak.parent.rglob("*") if path.is_file()}
    assert {path: data for path, data in after.items() if JOURNAL.name not in path.parts} == before


def test_the_command_says_so_by_its_exit_code(weak: Path, ringfence: Shell) -> None:
    assert ringfence("redteam", "--only", "LLM08").code == Exit.DONE
    assert ringfence("redteam", "--only", "LLM06", "--json").code == Exit.UNANSWERED
    unknown = ringfence("redteam", "--only", "LLM99")
    assert unknown.code == Exit.USAGE
    assert "ASI10" in unknown.err


def test_a_manifest_that_cannot_be_meant_is_refused_as_a_run_refuses_it(folder: Path) -> None:
    (folder / ASKED).write_text("tools: nonsense\n")
    with pytest.raises(ManifestError):
        execute(folder / ASKED)


def test_a_model_elsewhere_that_may_not_hear_the_user_is_said_so_and_is_no_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tier = "inference: {provider: openai, model: m, endpoint: 'https://models.example.com/v1'}\n"
    (folder / ASKED).write_text(MANIFEST.partition("tools:")[0].partition("\n")[0].replace("|", "") + "\n" + tier)
    told = found(folder / ASKED, capsys, "LLM08", "LLM10", "ASI09")
    assert told["escaped"] is False
    assert "not applicable" in {risk["verdict"] for risk in told["risks"]}
