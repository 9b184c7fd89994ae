"""Tools that run in a worker: the same results, and a main process that nothing of a worker can hurt."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence import sandboxes
from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.policy import Role
from ringfence.core.values import Action, ordered
from ringfence.jobs import Job, Limits, distinct, interpreter
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import Tool, Workshop, from_manifest
from ringfence.tools.hosted import FLOOD_BYTES, Worker
from ringfence.tools.wire import MAX_LINE_BYTES

from .unconfined import Unconfined

QUICK = Limits(wall_s=20.0)
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("files.list", {}),
    ("files.list", {"path": "logs", "name": "*.log"}),
    ("files.read", {"path": "runbooks/disk.md"}),
    ("files.read", {"path": "logs/app.log", "first": -3}),
    ("files.search", {"pattern": "ERROR"}),
    ("files.search", {"pattern": "E.*R (user|code)="}),
    ("files.find", {"question": "what to do when the disk is full"}),
    ("files.overview", {}),
    ("text.count", {"pattern": "ERROR", "group_by": "user"}),
    ("text.count", {"text": "a b a", "pattern": "a"}),
    ("csv.sql", {"path": "logs/people.csv", "sql": "select team, avg(age) from people group by team"}),
    ("files.stat", {"path": "runbooks/disk.md"}),
    ("files.stat", {"path": "runbooks"}),
    ("files.read", {"path": "runbooks/none.md"}),
    ("files.read", {"path": "../etc/passwd"}),
    ("csv.sql", {"path": "logs/people.csv", "sql": "select nonsense from people"}),
]


@pytest.fixture
def launcher() -> Unconfined:
    return Unconfined()


@pytest.fixture
async def shop(launcher: Unconfined, tmp_path: Path) -> AsyncIterator[Workshop]:
    workshop = Workshop(launcher, tmp_path / ".ringfence")
    yield workshop
    await workshop.aclose()


async def chosen(name: str = "auto") -> sandboxes.AnyLauncher:
    """The best sandbox that is here, or the one named."""
    if name == "landlock" and os.geteuid() == 0:
        pytest.skip("as root landlock runs a tool as another user, who may not see this interpreter")
    try:
        return await sandboxes.choose(name)
    except ManifestError as error:
        pytest.skip(f"no sandbox can be started here: {error.what}")


def group(name: str, root: Path, workshop: Workshop | None = None, *targets: str, **more: Any) -> list[Tool]:
    paths = tuple(Path(target) for target in targets or ("runbooks", "logs"))
    config = BuiltinTool(name=name, type="builtin", target_paths=paths, **more)
    return from_manifest(config, root=root, readers=frozenset(), callers=None, clock=lambda: 0, workshop=workshop)


def groups(root: Path, workshop: Workshop | None = None) -> dict[str, Tool]:
    (root / "logs/people.csv").write_text("name,team,age\nann,ops,41\nbob,ops,30\ncy,hr,0.1\n")
    made = [tool for name in ("files", "csv", "text") for tool in group(name, root, workshop)]
    return {tool.spec.name.removeprefix("tool:"): tool for tool in made}


async def answer(tool: Tool, args: dict[str, Any]) -> bytes:
    """The bytes of a result, keys in order, or of the words of a failure."""
    try:
        return ordered((await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))).value)
    except ToolError as error:
        return ordered([error.what, error.todo])


async def test_every_tool_answers_byte_for_byte_as_it_does_in_this_process(box: Path, shop: Workshop) -> None:
    near, far = groups(box), groups(box, shop)
    assert set(near) == {name for name, _ in CALLS}
    for name, args in CALLS:
        assert await answer(far[name], args) == await answer(near[name], args), name


def test_a_hosted_tool_has_the_catalogue_entry_of_the_one_in_this_process(box: Path, shop: Workshop) -> None:
    near, far = groups(box), groups(box, shop)
    for name, tool in far.items():
        assert replace(tool.spec, check=near[name].spec.check) == near[name].spec


@pytest.mark.parametrize("name", ["bubblewrap", "landlock", "unsafe-none"])
async def test_in_a_real_sandbox_every_tool_answers_as_it_does_here(box: Path, name: str) -> None:
    launcher = await chosen(name)
    shop = Workshop(launcher, box / ".ringfence")
    try:
        near, far = groups(box), groups(box, shop)
        for name, args in CALLS:
            assert await answer(far[name], args) == await answer(near[name], args), name
    finally:
        await shop.aclose()
        launcher.close()


async def test_a_path_that_is_a_link_keeps_its_name_though_a_worker_sees_no_link(
    box: Path, shop: Workshop, launcher: Unconfined
) -> None:
    (box / "notes").symlink_to(box / "runbooks")
    for name, args in (
        ("files.list", {}),
        ("files.read", {"path": "notes/disk.md"}),
        ("files.stat", {"path": "notes"}),
    ):
        near, far = [{t.spec.name: t for t in group("files", box, w, "notes")} for w in (None, shop)]
        assert await answer(far[f"tool:{name}"], args) == await answer(near[f"tool:{name}"], args)
    assert str((box / "runbooks").resolve()) in launcher.jobs[0].reads
    assert str(box / "notes") not in launcher.jobs[0].reads


async def test_what_changes_files_runs_in_a_worker_of_its_own_that_may_write(
    box: Path, shop: Workshop, launcher: Unconfined
) -> None:
    tools = {t.spec.name: t for t in group("files", box, shop, "runbooks", permissions=("read", "write"))}
    write = tools["tool:files.write"]
    args = {"path": "runbooks/new.md", "text": "hello\n", "mode": "create"}
    assert write.preview is not None
    assert "+hello" in await write.preview(args)
    await write.sink.perform(Action(write.spec.name, args, IDENTITY, run="r1"))
    assert (box / "runbooks/new.md").read_text() == "hello\n"
    assert b"hello" in await answer(tools["tool:files.read"], {"path": "runbooks/new.md"})
    writer, reader = launcher.jobs
    assert set(writer.writes) == {str(box / "runbooks"), str(box / ".ringfence/undo")}
    assert reader.writes == ()
    assert write.spec.roles["text"] is Role.TEXT


async def test_a_database_is_asked_in_a_worker_that_sees_what_sqlite_keeps_beside_it(box: Path) -> None:
    launcher = await chosen()
    shop = Workshop(launcher, box / ".ringfence")
    config = BuiltinTool(name="sql", type="builtin", database="data.db")
    made = from_manifest(config, root=box, readers=frozenset(), callers=None, clock=lambda: 0, workshop=shop)[0]
    try:
        assert b"there is no database data.db" in await answer(made, {})
        with closing(sqlite3.connect(box / "data.db", isolation_level=None)) as db:
            db.execute("pragma journal_mode=wal")
            db.execute("create table t(n integer)")
            db.execute("insert into t values(41)")
            assert b'[{"n":41}]' in await answer(made, {"sql": "select n from t"})
            db.execute("update t set n = 42")
            assert b'[{"n":42}]' in await answer(made, {"sql": "select n from t"})
        assert b'[{"n":42}]' in await answer(made, {"sql": "select n from t"})
    finally:
        await shop.aclose()
        launcher.close()


def test_a_single_file_cannot_be_written_to(box: Path) -> None:
    with pytest.raises(ManifestError, match="is a file"):
        group("files", box, None, "runbooks/db.md", permissions=("write",))


async def test_no_file_of_a_group_is_opened_in_this_process(
    box: Path, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = groups(box, shop)
    monkeypatch.setattr("ringfence.tools.folders.Folders.open", lambda *_: pytest.fail("opened here"))
    monkeypatch.setattr("ringfence.tools.folders.Folders.walk", lambda *_, **__: pytest.fail("walked here"))
    for name, args in CALLS:
        await answer(far[name], args)


async def test_groups_with_the_same_paths_share_a_process(box: Path, shop: Workshop, launcher: Unconfined) -> None:
    far = groups(box, shop)
    other = group("text", box, shop, "logs")[0]
    await shop.warm()
    assert len(launcher.processes) == 2
    await answer(far["csv.sql"], {"path": "logs/people.csv", "sql": "select * from people"})
    await answer(other, {})
    assert len(launcher.processes) == 2


async def test_a_job_sees_its_paths_and_the_interpreter_read_only_and_has_no_way_out(
    box: Path, shop: Workshop, launcher: Unconfined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_SECRET", "hunter2")
    groups(box, shop)
    await shop.warm()
    job = launcher.jobs[0]
    assert {str(box / "runbooks"), str(box / "logs")} <= set(job.reads)
    assert str(box) not in job.reads
    assert (job.writes, job.egress, job.limits.wall_s) == ((), None, None)
    assert "OUR_SECRET" not in job.env


def test_a_worker_loads_no_more_than_its_tools_need() -> None:
    python, first, _ = interpreter()
    code = (
        f"{first} import ringfence.tools.worker, ringfence.tools.groups;"
        "print(*sorted({n.partition('.')[0] for n in sys.modules} | {n for n in sys.modules if 'ringfence.' in n}))"
    )
    done = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {"typer", "rich", "apsw", "aiohttp", "yaml", "cryptography", "jsonschema", "mcp"}
    assert not {name for name in loaded if name.startswith(("ringfence.manifest", "ringfence.app", "ringfence.cli"))}


async def test_what_a_path_is_may_change_under_a_worker(box: Path, shop: Workshop, launcher: Unconfined) -> None:
    read = next(t for t in group("files", box, shop, "runbooks/db.md") if t.spec.name == "tool:files.read")
    assert b"pg_ctl" in await answer(read, {"path": "runbooks/db.md"})
    (box / "new").write_text("written anew\n")
    (box / "new").rename(box / "runbooks/db.md")  # a confined process would go on seeing the old file
    assert b"written anew" in await answer(read, {"path": "runbooks/db.md"})
    assert len(launcher.processes) == 2
    assert b"written anew" in await answer(read, {"path": "runbooks/db.md"})
    assert len(launcher.processes) == 2


def test_a_workshop_serves_one_event_loop_after_the_other(box: Path, launcher: Unconfined) -> None:
    shop = Workshop(launcher, box / ".ringfence")
    stat = groups(box, shop)["files.stat"]

    async def once() -> bytes:
        try:
            return await answer(stat, {})
        finally:
            await shop.aclose()

    assert asyncio.run(once()) == asyncio.run(once())
    assert len(launcher.processes) == 2


def test_what_lies_in_another_folder_is_not_named_twice() -> None:
    assert distinct(["/a/b", "/a", "/ab", "/a", "/c/d"]) == ("/a", "/ab", "/c/d")


SERVE = """
import json, os, sys, time
def say(id, **more): print(json.dumps({"id": id, "cpu": 0.0, **more}), flush=True)
say(json.loads(sys.stdin.readline())["id"], value=None)
for line in sys.stdin:
    request = json.loads(line)
    id, tool, args = request["id"], request["tool"], request["args"]
"""


def scripted(launcher: Unconfined, code: str, *, limits: Limits = QUICK, egress: Any = None, **more: Any) -> Worker:
    """A worker that does as it likes: `code` is the body of a loop over requests."""
    program = SERVE + "".join(f"    {line}\n" for line in code.splitlines())
    return Worker(
        launcher, Job((sys.executable, "-I", "-c", program), limits=limits, egress=egress), {}, name="liar", **more
    )


@pytest.mark.parametrize(
    "line",
    [
        "this is no JSON",
        "[1]",
        '{"id": 1, "cpu": 0.0, "value": NaN}',
        '{"id": 1, "cpu": 0.0, "value": 1, "value": 2}',
        '{"id": 1, "cpu": 0.0, "value": 12345678901234567890}',
        '{"id": 1, "cpu": 0.0, "value": "\\ud800"}',
        '{"id": 1, "cpu": 1e999, "value": [' + "[" * 5_000 + "]" * 5_000 + "]}",
        '{"id": 1, "cpu": [], "value": 1}',
        '{"id": 1, "cpu": 0.0}',
        '{"id": 1, "value": 1}',
        '{"id": 7, "cpu": 0.0, "value": 1}',
        '{"id": [], "cpu": 0.0, "value": 1}',
        '{"id": 0, "cpu": 0.0, "value": "what was answered before"}',
    ],
)
async def test_a_worker_that_breaks_the_protocol_is_ended(launcher: Unconfined, line: str) -> None:
    worker = scripted(launcher, f"print({line!r}, flush=True)")
    with pytest.raises(ToolError, match=r"^x broke off: it broke the protocol"):
        await worker.call("tool:x", {})
    assert await launcher.processes[0].wait() == "signal 9"
    await worker.aclose()


async def test_a_line_without_end_is_not_kept(launcher: Unconfined) -> None:
    worker = scripted(launcher, f"while True: sys.stdout.write('x' * {MAX_LINE_BYTES // 8})")
    with pytest.raises(ToolError, match="broke the protocol"):
        await worker.call("tool:x", {})
    assert await launcher.processes[0].wait() == "signal 9"
    await worker.aclose()


async def test_a_worker_that_prints_without_end_is_ended(launcher: Unconfined) -> None:
    worker = scripted(launcher, f"while True: sys.stderr.write('x' * {FLOOD_BYTES // 8})")
    with pytest.raises(ToolError, match="it printed without end"):
        await worker.call("tool:x", {})
    assert len(worker.last_words) <= 2_000
    await worker.aclose()


async def test_what_a_worker_prints_beside_its_answers_does_not_stop_it(launcher: Unconfined) -> None:
    worker = scripted(launcher, "sys.stderr.write('x' * 300_000)\nsay(id, value=tool)")
    for _ in range(3):
        assert await worker.call("tool:x", {}) == "tool:x"
    assert len(launcher.processes) == 1
    await worker.aclose()


async def test_a_failure_is_told_in_bounded_words_that_a_record_can_hold(launcher: Unconfined) -> None:
    worker = scripted(launcher, "say(id, error='\\ud800' + 'x' * 100_000, todo=[1])")
    with pytest.raises(ToolError) as caught:
        await worker.call("tool:x", {})
    assert len(ordered(caught.value.what)) <= 2_002
    assert (caught.value.what[:2], caught.value.todo) == ("?x", "[1]")
    await worker.aclose()


async def test_arguments_that_are_too_large_are_not_sent(launcher: Unconfined) -> None:
    worker = scripted(launcher, "say(id, value=len(line))")
    with pytest.raises(ToolError, match="arguments are larger than 8 MB"):
        await worker.call("tool:x", {"text": "x" * MAX_LINE_BYTES})
    assert await worker.call("tool:x", {"text": "x" * 1_000_000}) > 1_000_000
    await worker.aclose()


async def test_a_call_that_does_not_end_is_ended_with_its_process(launcher: Unconfined) -> None:
    worker = scripted(launcher, "if tool != 'tool:hang': say(id, value=1)", limits=replace(QUICK, wall_s=0.2))
    with pytest.raises(ToolError, match=r"^hang did not end within 0\.2 s"):
        await worker.call("tool:hang", {})
    assert await launcher.processes[0].wait() == "signal 9"
    assert await worker.call("tool:x", {}) == 1
    assert len(launcher.processes) == 2
    await worker.aclose()


BLAMELESS = """
if tool != 'tool:hang' and os.path.exists(args['mark']): say(id, value='done')
elif tool != 'tool:hang': open(args['mark'], 'w')
"""


async def test_a_read_that_another_call_took_down_is_made_again_and_an_effect_is_not(
    launcher: Unconfined, tmp_path: Path
) -> None:
    worker = scripted(launcher, BLAMELESS, limits=replace(QUICK, wall_s=1.0))
    marks = [{"mark": str(tmp_path / name)} for name in ("read", "write")]
    hang = asyncio.create_task(worker.call("tool:hang", {}))
    await worker.warm()
    read = asyncio.create_task(worker.call("tool:read", marks[0], again=True))
    write = asyncio.create_task(worker.call("tool:write", marks[1]))
    with pytest.raises(ToolError, match="hang did not end"):
        await hang
    assert await read == "done"
    with pytest.raises(ToolError, match="write broke off: it was stopped with another call"):
        await write
    await worker.aclose()


SLOW = """
if tool == 'tool:hang': continue
while tool == 'tool:slow' and not os.path.exists(args['mark']): time.sleep(0.01)
say(id, value=os.getpid())
"""


async def test_a_read_that_does_not_end_takes_down_no_other_call_and_its_process_takes_no_more(
    launcher: Unconfined, tmp_path: Path
) -> None:
    worker = scripted(launcher, SLOW, limits=replace(QUICK, wall_s=2.0))
    first, life, mark = await worker.call("tool:x", {}), worker._life, tmp_path / "mark"
    assert life is not None
    hang = asyncio.create_task(worker.call("tool:hang", {}, again=True))
    slow = asyncio.create_task(life.ask({"tool": "tool:slow", "args": {"mark": str(mark)}}, "slow", 30))
    with pytest.raises(ToolError, match="hang did not end"):
        await hang
    assert not life.ended
    assert not slow.done()
    assert await worker.call("tool:x", {}) != first, "a process that may be stuck was given another call"
    mark.touch()
    assert await slow == first
    assert await launcher.processes[0].wait() == "signal 9"
    assert len(launcher.processes) == 2
    await worker.aclose()


HOLDS = """
if tool == 'tool:held': held = id; continue
if tool == 'tool:let': say(held, value='late')
say(id, value=1)
"""


async def test_one_who_does_not_wait_any_more_disturbs_nobody(launcher: Unconfined) -> None:
    worker = scripted(launcher, HOLDS)
    await worker.warm()
    held = asyncio.create_task(worker.call("tool:held", {}))
    assert await worker.call("tool:x", {}) == 1  # the held one was sent before it
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    assert await worker.call("tool:let", {}) == 1
    assert len(launcher.processes) == 1
    await worker.aclose()


async def test_what_may_reach_hosts_does_one_call_at_a_time_and_none_that_was_given_up(launcher: Unconfined) -> None:
    worker = scripted(launcher, "if tool != 'tool:held': say(id, value=request['run'])", egress=lambda _: None)
    await worker.warm()
    held = asyncio.create_task(worker.call("tool:held", {}, run="r1"))
    waits = asyncio.create_task(worker.call("tool:x", {}, run="r2"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert worker.run == "r1"
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    assert await launcher.processes[0].wait() == "signal 9"
    assert await waits == "r2"  # it had not been sent
    assert (worker.run, len(launcher.processes)) == ("", 2)
    await worker.aclose()


async def test_a_process_that_ended_is_started_again_and_one_that_ends_and_ends_not_at_once(
    launcher: Unconfined,
) -> None:
    worker = scripted(launcher, "say(id, value=1) if tool == 'tool:good' else os._exit(3)")
    for n in range(2):
        with pytest.raises(ToolError, match=r"bad broke off: its process ended \(exit 3\)"):
            await worker.call("tool:bad", {})
        assert len(launcher.processes) == n + 1
    with pytest.raises(ToolError, match="liar ended 2 times in a row") as caught:
        await worker.call("tool:good", {})
    assert "started again in 1 s" in caught.value.todo
    assert len(launcher.processes) == 2
    await worker.aclose()


async def test_a_success_ends_the_count_of_failures(launcher: Unconfined) -> None:
    worker = scripted(launcher, "say(id, value=1) if tool == 'tool:good' else os._exit(3)")
    for _ in range(3):
        with pytest.raises(ToolError, match="broke off"):
            await worker.call("tool:bad", {})
        assert await worker.call("tool:good", {}) == 1
    await worker.aclose()


async def test_a_worker_that_cannot_start_says_so_and_leaves_nothing(launcher: Unconfined) -> None:
    job = Job((sys.executable, "-I", "-c", "import sys; sys.stderr.write('no such module'); sys.exit(1)"))
    worker = Worker(launcher, job, {}, name="files")
    with pytest.raises(ToolError, match=r"^files did not start: its process ended \(exit 1\)$"):
        await worker.call("tool:files.stat", {})
    assert worker.last_words == "no such module"
    await worker.aclose()


async def test_cpu_time_counts_for_each_call_though_a_process_serves_many(launcher: Unconfined) -> None:
    code = "print(json.dumps({'id': id, 'cpu': args['used'], 'value': os.getpid()}), flush=True)"
    worker = scripted(launcher, code, limits=replace(QUICK, cpu_s=5.0))
    first = await worker.call("tool:x", {"used": 4.0})
    assert await worker.call("tool:x", {"used": 6.0}) == first
    assert await worker.call("tool:x", {"used": 0.1}) != first  # the next call could have been starved
    assert launcher.jobs[0].limits.cpu_s == 10.0
    await worker.aclose()


async def test_a_secret_of_its_environment_is_cut_out_of_what_a_worker_says(launcher: Unconfined) -> None:
    secret = 'to"ken-ä\\-12345'
    plain = "print(json.dumps({'id': id, 'cpu': 0, 'value': args}, ensure_ascii=False), flush=True)"
    worker = scripted(launcher, plain, hide=(secret, "short"))
    assert await worker.call("tool:x", {"a": f"<{secret}>", "b": "short"}) == {"a": "<[hidden]>", "b": "short"}
    await worker.aclose()


async def test_a_request_names_the_run_that_asks(box: Path, launcher: Unconfined) -> None:
    worker = scripted(launcher, "say(id, value=sorted(request))")
    assert await worker.call("tool:x", {}, run="r1") == ["args", "id", "run", "tool"]
    await worker.aclose()


async def test_many_calls_at_once_are_answered_each_with_its_own(box: Path, shop: Workshop) -> None:
    read = groups(box, shop)["files.read"]
    (box / "logs/n").mkdir()
    for n in range(40):
        (box / f"logs/n/{n}.txt").write_text(f"number {n}\n")
    answers = await asyncio.gather(*(answer(read, {"path": f"logs/n/{n}.txt"}) for n in range(40)))
    assert [json.loads(text)["text"] for text in answers] == [f"number {n}" for n in range(40)]
