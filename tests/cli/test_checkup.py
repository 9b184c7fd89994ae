"""`init`, `doctor` and `manifest`: what is there, what is amiss, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import pytest

from ringfence.manifest import templates

from ..stores.recording import recording
from .conftest import MANIFEST, Serve, Shell, final

SHARED = """\
inference: {provider: ollama, model: llama3.1, endpoint: "http://127.0.0.1:1"}
tools:
  - {name: code-scanner, type: mcp, server_url: "http://127.0.0.1:8090", permissions: [read, grep]}
  - {name: patch-applier, type: mcp, server_url: "http://127.0.0.1:8091", permissions: [write], sandbox: true}
"""


def lines_of(out: str, name: str) -> list[str]:
    """The lines of the table about one thing, and what to do below them."""
    rows = out.splitlines()
    found = [n for n, row in enumerate(rows) if row[6:].startswith(name)]
    return [row for n in found for row in rows[n : n + 2] if n in found or "->" in row]


def test_init_writes_a_manifest_that_loads_and_says_what_is_missing(ringfence: Shell, folder: Path) -> None:
    shown = ringfence("init")
    assert (folder / "ringfence.yaml").read_text() == templates.template("default")
    assert shown.code == 0
    assert "ok    manifest" in shown.out
    assert "qwen2.5-coder-1.5b is not on this machine yet (1.1 GB)" in shown.out
    assert "-> run `ringfence models pull qwen2.5-coder-1.5b`" in shown.out
    assert "ok    tool files" in shown.out
    assert list(folder.glob(".ringfence.yaml*")) == []


def test_init_never_writes_over_a_manifest_unless_it_is_told_to(ringfence: Shell, folder: Path) -> None:
    mine = folder / "ringfence.yaml"
    mine.write_text("# mine\n")
    shown = ringfence("init")
    assert (shown.code, mine.read_text()) == (2, "# mine\n")
    assert "is there already" in shown.err
    assert "--force" in shown.err
    assert ringfence("init", "--force").code == 0
    assert mine.read_text() == templates.template("default")


@pytest.mark.parametrize("name", templates.templates())
def test_every_template_is_a_manifest(ringfence: Shell, folder: Path, name: str) -> None:
    ringfence("init", "--template", name)
    assert (folder / "ringfence.yaml").read_text() == templates.template(name)


def test_an_unknown_template_names_those_there_are(ringfence: Shell, folder: Path) -> None:
    shown = ringfence("init", "--template", "defualt")
    assert shown.code == 2
    assert "default" in shown.err.partition("->")[2]
    assert list(folder.iterdir()) == [folder / "notes"]


def test_init_of_a_config_reaches_its_server_and_writes_nothing(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(final("x"))
    (folder / "ringfence.yaml").rename(folder / "other.yaml")
    shown = ringfence("init", "--config", "other.yaml")
    assert shown.code == 0
    assert "ok    model main      scripted answers; its window is 4096 tokens" in shown.out
    assert 'ringfence run --manifest other.yaml "' in shown.out
    assert not (folder / "ringfence.yaml").exists()


def test_init_takes_a_config_or_a_template_but_not_both(ringfence: Shell) -> None:
    assert ringfence("init", "--config", "x", "--template", "default").code == 2


def test_manifests_of_other_agents_load_and_what_cannot_be_had_is_red(ringfence: Shell, folder: Path) -> None:
    (folder / "shared.yaml").write_text(SHARED)
    shown = ringfence("init", "--config", "shared.yaml")
    assert shown.code == 1
    assert "ok    manifest" in shown.out
    assert "cannot put a sandbox around a server that it does not start" in shown.out
    assert "FAIL  tool code-scanner" in shown.out
    (down, todo) = lines_of(shown.out, "model main")
    assert down.startswith("FAIL")
    assert "http://127.0.0.1:1" in down
    assert "->" in todo


def test_a_model_that_the_server_does_not_have_is_red(ringfence: Shell, serve: Serve) -> None:
    serve(final("x"), manifest=MANIFEST.replace("model: scripted", "model: gpt-oss"))
    shown = ringfence("doctor")
    assert shown.code == 1
    assert "the server has no gpt-oss; it has scripted" in shown.out


def test_a_window_smaller_than_the_manifest_wants_is_said(ringfence: Shell, serve: Serve) -> None:
    serve(final("x"), manifest=MANIFEST.replace("model: scripted", "model: scripted, max_context: 8192"))
    shown = ringfence("doctor")
    assert shown.code == 0
    assert "note  model main      scripted has a window of 4096 tokens, and max_context asks for 8192" in shown.out


def test_doctor_is_green_where_everything_is_well(ringfence: Shell, serve: Serve) -> None:
    serve(final("x"))
    shown = ringfence("doctor")
    assert (shown.code, shown.err) == (0, "")
    for name in ("manifest", "model main", "tool files", "journal", "disk", "network", "python", "sandbox"):
        assert lines_of(shown.out, name), name
    assert "nothing leaves this machine" in shown.out
    assert "FAIL" not in shown.out


def test_doctor_verifies_the_journal_and_counts_its_records(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(final("x"))
    ringfence("run", "x")
    assert "records of 1 runs, all as they were written" in ringfence("doctor").out
    journal = folder / ".ringfence" / "journal.db"
    data = journal.read_bytes()
    journal.write_bytes(data[:4096] + bytes(len(data) - 4096))
    shown = ringfence("doctor")
    assert shown.code == 1
    assert lines_of(shown.out, "journal")[0].startswith("FAIL")


def test_doctor_says_that_nobody_stands_behind_runs_that_have_ended(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(final("x"))
    ringfence("run", "what is wrong?")
    assert lines_of(ringfence("doctor").out, "heads")[0].startswith("ok")
    db = apsw.Connection(str(folder / ".ringfence" / "journal.db"))
    db.execute("DELETE FROM heads").fetchall()
    db.close()
    shown = ringfence("doctor")
    assert lines_of(shown.out, "heads")[0].startswith("note"), shown.out
    assert "runs have ended since, and no head is over them" in shown.out


def test_doctor_names_an_anchor_that_is_not_there_and_takes_a_rotation_for_what_it_is(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(final("x"))
    manifest = folder / "ringfence.yaml"
    bare = manifest.read_text()
    manifest.write_text(bare + "audit: {anchors: [{file: heads.txt}]}\n")
    ringfence("run", "what is wrong?")
    assert ringfence("audit", "rotate").code == 0
    assert lines_of(ringfence("doctor").out, "heads")[0].startswith("ok")
    (folder / "heads.txt").rename(folder / "elsewhere.txt")
    shown = lines_of(ringfence("doctor").out, "heads")[0]
    assert shown.startswith("note")
    assert "not there: heads.txt" in shown
    manifest.write_text(bare + "audit: {anchors: [{directory: gone}]}\n")
    assert "its next head goes there again" in ringfence("audit", "rotate").err


def test_doctor_looks_for_the_recorder_that_the_manifest_names(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(final("x"), manifest=MANIFEST + "audit: {{recorder: ./r.sock}}\n")
    shown = ringfence("doctor")
    assert (shown.code, lines_of(shown.out, "recorder")[0].startswith("FAIL")) == (1, True), shown.out
    assert not lines_of(shown.out, "heads")
    with recording(folder / "r.sock", folder / "far" / "journal.db"):
        shown = ringfence("doctor")
    assert "0 records at" in lines_of(shown.out, "recorder")[0]


def test_doctor_names_every_host_beyond_this_machine(ringfence: Shell, folder: Path) -> None:
    tier = '{name: far, provider: openai, model: m, endpoint: "https://gpu-01.invalid:8443/v1", audience: [role:ops]}'
    (folder / "ringfence.yaml").write_text(f"inference: {{tiers: [{tier}]}}\n")
    shown = ringfence("doctor")
    assert shown.code == 1
    (line, _) = lines_of(shown.out, "network")
    assert line == "note  network         a run can reach gpu-01.invalid:8443, and nothing else"


def test_a_tool_whose_folder_is_gone_is_red(ringfence: Shell, serve: Serve) -> None:
    serve(final("x"), manifest=MANIFEST + "  - {{name: csv, type: builtin, target_paths: [./gone]}}\n")
    (line, todo) = lines_of(ringfence("doctor").out, "tool csv")
    assert line.startswith("FAIL")
    assert "gone" in line
    assert "->" in todo


def test_a_home_that_is_a_file_is_red(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(final("x"))
    (folder.parent / "home").write_text("")
    shown = ringfence("doctor")
    assert shown.code == 1
    assert "FAIL  disk            expected a folder at " in shown.out


def test_doctor_without_a_manifest_still_looks_at_the_rest(ringfence: Shell) -> None:
    shown = ringfence("doctor")
    assert shown.code == 1
    assert "FAIL  manifest" in shown.out
    assert "ringfence init" in shown.out
    assert "  disk  " in shown.out


def test_manifest_check_says_what_each_key_means(ringfence: Shell, folder: Path) -> None:
    (folder / "shared.yaml").write_text(SHARED)
    shown = ringfence("manifest", "check", "shared.yaml")
    assert shown.code == 0
    assert "tools[1].permissions: write: which of its tools may be called" in shown.out
    assert shown.out.endswith("shared.yaml is valid\n")


@pytest.mark.parametrize("text", ["inference: {provider: ollama, modle: x}", "tools: [", "- a", "\x00", ""])
def test_manifest_check_names_the_line_of_what_is_wrong(ringfence: Shell, folder: Path, text: str) -> None:
    (folder / "bad.yaml").write_text(text)
    shown = ringfence("manifest", "check", "bad.yaml")
    assert shown.code == 2
    assert "bad.yaml" in shown.err


def test_the_schema_is_json_and_knows_the_sections(ringfence: Shell) -> None:
    shown = ringfence("manifest", "schema")
    assert {"inference", "tools", "workflow"} <= set(json.loads(shown.out)["properties"])


def test_every_host_that_a_tool_may_reach_is_said(ringfence: Shell, folder: Path, serve: Serve) -> None:
    serve("x")
    path = folder / "ringfence.yaml"
    web = "  - {name: web, type: builtin, hosts: [docs.example.com, {host: wiki, port: 8443}]}\n"
    sql = "  - {name: sql, type: builtin, database: '${NEVER_SET}'}\n"
    path.write_text(path.read_text() + web + sql)
    (line, todo) = lines_of(ringfence("doctor").out, "network")
    reached = "docs.example.com, the database of ${NEVER_SET}, wiki:8443"
    assert f"a run can reach {reached}, and nothing else" in line
    assert "embedded" not in todo
