"""Whom a run is about: whoever it was begun for, and whoever a tool's result names, from that record on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from ringfence import stores
from ringfence.app import from_manifest
from ringfence.cli.exits import Exit
from ringfence.cli.verify import Wanted, execute
from ringfence.core.chain import Kind
from ringfence.manifest.loader import load
from ringfence.stores import erasure
from ringfence.stores.sqlite import SqliteJournal
from ringfence.stores.vault import Sealed
from ringfence.testing.scripted import ScriptedModel

from .test_effects import done, step

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
tools: [{name: sql, type: builtin, database: ./ward.db}]
catalogue:
  sql.query: {effect: read, confined: true, audience: [self], args: {sql: low, params: low}, about: /rows/*/patient}
workflow: {checkpoint_interval: 1}
sandbox: unsafe-none
"""


async def ask(folder: Path, *, about: tuple[str, ...] = ()) -> str:
    """Ask for two beds; the run's id."""
    path = folder / "ringfence.yaml"
    path.write_text(MANIFEST)
    db = apsw.Connection(str(folder / "ward.db"))
    db.execute("create table beds(bed, patient, name); insert into beds values (11, 4711, 'Weber'), (12, 4712, 'Roth')")
    db.close()
    looks = [step("sql.query", sql=f"select patient, name from beds where bed = {bed}") for bed in (11, 12)]
    model = ScriptedModel([*looks, done("Weber and Roth.")])
    async with from_manifest(load(path), model=model) as agent:
        return (await agent.run("who lies in the beds 11 and 12?", about=about)).run_id


async def test_a_result_that_names_somebody_makes_the_run_theirs_from_there_on(tmp_path: Path) -> None:
    run = await ask(tmp_path)
    with stores.open_log(tmp_path / ".ringfence" / "journal.db") as log:
        records = log.read(run)
        eleven, twelve = (erasure.trail(log, f"id:{4700 + bed}").runs[run] for bed in (11, 12))
        own = erasure.trail(log, records[0].principal).runs[run]
        assert not any(b"id:47" in line for line in log.headers())  # but by an alias that the keys resolve
    first, second = (r.seq for r in records if r.kind is Kind.OUTCOME and "subjects" in r.view)
    assert own == list(range(first))
    assert eleven == list(range(first, len(records)))
    assert twelve == list(range(second, len(records)))


async def test_what_a_run_opens_with_holds_no_data_of_those_that_results_are_about(tmp_path: Path) -> None:
    run = await ask(tmp_path)
    with stores.open_log(tmp_path / ".ringfence" / "journal.db") as log:
        opening = next(r for r in log.read(run) if r.kind is Kind.OUTCOME)
    assert opening.body["value"]["tables"][0]["columns"][2].startswith("name")
    assert "Weber" not in str(opening.body)


async def test_to_erase_one_of_them_leaves_what_was_said_before(tmp_path: Path) -> None:
    run = await ask(tmp_path)
    path = tmp_path / ".ringfence" / "journal.db"
    with stores.open_log(path) as log:
        gone = set(erasure.trail(log, "id:4712").runs[run])
        alias = log.vault.known("id:4712")
    assert alias is not None
    with SqliteJournal(path) as journal:
        assert journal.vault.destroy(0, subject=alias) == 1
    with stores.open_log(path) as log:
        contents = {head["seq"]: content for head, content in log.contents(run, range(1000))}
        assert {seq for seq, content in contents.items() if content is None} == gone
        with pytest.raises(Sealed):
            log.read(run)
        assert log.verify().ok


async def test_whoever_begins_a_run_says_whom_it_is_about(tmp_path: Path) -> None:
    run = await ask(tmp_path, about=("patient:1",))
    with stores.open_log(tmp_path / ".ringfence" / "journal.db") as log:
        count = len(log.read(run))
        assert erasure.trail(log, "patient:1").runs == {run: list(range(count))}
        assert run not in erasure.trail(log, log.read(run)[0].principal).runs


async def test_a_snapshot_that_the_records_do_not_make_is_found_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await ask(tmp_path)
    with stores.open_log(tmp_path / ".ringfence" / "journal.db") as log:
        records = log.read(run)
    forged = tmp_path / "forged" / "journal.db"
    with SqliteJournal(forged) as journal:
        for record in records:
            state = {**record.view, "state": "2:" + "0" * 64} if "state" in record.view else record.view
            journal.append(replace(record, view={**state, "subjects": []} if "subjects" in state else state))
        await journal.flush()

    def verified(path: Path, *, states: bool) -> tuple[int, str]:
        code = execute(Wanted(Path("none.yaml"), path, (), (), "", True, False, states))
        return code, capsys.readouterr().out

    assert "state" not in verified(forged, states=False)[1].replace("unsigned", "")
    code, said = verified(forged, states=True)
    assert (code, "its snapshot is not what the records before it make" in said) == (Exit.UNANSWERED, True)
    assert "snapshot" not in verified(tmp_path / ".ringfence" / "journal.db", states=True)[1]
    with stores.open_log(forged) as log:  # what is asserted of every run here is not so of this one
        log.close()
    forged.unlink()


PLANNED = """\
inference: {provider: llamacpp, model: scripted}
tools: [{name: files, type: builtin, target_paths: [.], permissions: [read, write]}]
grant: {planned: true}
sandbox: unsafe-none
"""


async def test_the_plan_of_a_run_is_about_whom_the_run_is_about(tmp_path: Path) -> None:
    (path := tmp_path / "ringfence.yaml").write_text(PLANNED)
    model = ScriptedModel(['{"needs": []}', step("files.read", path="ringfence.yaml"), done("Nothing was written.")])
    async with from_manifest(load(path), model=model) as agent:
        run = (await agent.run('write "broken leg" into leg.txt', about=("patient:1",))).run_id
    with stores.open_log(tmp_path / ".ringfence" / "journal.db") as log:
        about = erasure.trail(log, "patient:1").runs
        assert sorted(about) == sorted([run, f"plan-{run}"])
        assert len(about[f"plan-{run}"]) == len(log.read(f"plan-{run}"))
