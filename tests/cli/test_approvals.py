"""A run asks, and a person answers: at its own prompt, from another terminal, or both at once."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from ringfence import app
from ringfence.cli import approvals
from ringfence.cli.question import as_json, folded, screen
from ringfence.cli.screen import console
from ringfence.core.chain import Kind, Record
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.engine.consent import Origin, Question
from ringfence.engine.result import Result
from ringfence.manifest.loader import load
from ringfence.stores import open_log
from ringfence.stores.hold import answering
from ringfence.testing.clock import FakeClock

from .conftest import Serve, Shell, final, process, step
from .terminal import PROMPT, Terminal

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools:
  - {{name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}}
  - {{name: calc, type: builtin}}
workflow: {{tool_first: false}}
"""
WRITE = step("files.write", "I write it down", path="notes/new.txt", text="one\ntwo\n")
OTHER = step("files.write", "and more", path="notes/other.txt", text="three\n")
DONE = final("It is done.")
EDIT_ASKS = """\
catalogue:
  files.edit:
    {{effect: write, confined: true, ask: true, audience: [self],
     args: {{path: {{type: path}}, old: text, new: text, all: low}}}}
  files.overview: {{effect: read, confined: true, audience: [self], output: {{/files/*/path: path}}}}
"""
TASK = "write down what you find"
USER = app.from_manifest.__globals__["_user"]()


@pytest.fixture
def ask(serve: Serve, ringfence: Shell) -> Callable[..., str]:
    """A run that waits for a yes to a write, with nobody at its terminal; returns its id."""

    def start(*steps: str, manifest: str = MANIFEST, arguments: tuple[str, ...] = ()) -> str:
        serve(*(steps or (WRITE, DONE)), manifest=manifest)
        shown = ringfence("run", TASK, *arguments)
        assert shown.code == 4, shown.err
        return shown.err.split()[1].rstrip(":")

    return start


def new(folder: Path) -> str:
    """What was written, if it was."""
    path = folder / "notes" / "new.txt"
    return path.read_text() if path.exists() else ""


def records(folder: Path, kind: Kind) -> list[Record]:
    """Records of the newest run."""
    with open_log(folder / ".ringfence" / "journal.db") as log:
        return [record for record in log.read(log.runs(limit=1)[0].run) if record.kind is kind]


def writes(folder: Path) -> int:
    """How often the file was written, by the intents on record."""
    return sum(record.view["sink"] == "tool:files.write" for record in records(folder, Kind.INTENT))


# From another terminal


def test_without_a_terminal_the_run_waits_and_both_commands_are_said(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    serve_and_run = ask()
    again = ringfence("run", "--resume", serve_and_run)
    digest = records(folder, Kind.DECISION)[-1].body["digest"][:16]
    assert (again.code, again.out, new(folder)) == (4, "", "")
    assert f"  ringfence approve {serve_and_run} --digest {digest}\n" in again.err
    assert f"  ringfence deny {serve_and_run} --why TEXT\n" in again.err


def test_an_answer_from_another_terminal_goes_on_with_a_run_whose_process_has_ended(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run = ask()
    shown = ringfence("approve", run[:-3])
    assert (shown.code, shown.out, new(folder)) == (0, "It is done.\n", "one\ntwo\n")
    assert f"approved: run {run}" in shown.err


def test_a_no_is_told_to_the_model_and_nothing_is_written(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run = ask()
    shown = ringfence("deny", run, "--why", "the wrong\x1b[2J file")
    assert (shown.code, shown.out, new(folder)) == (3, "It is done.\n", "")
    assert "partial: nothing was changed or sent" in shown.err  # whatever the model says of it
    assert records(folder, Kind.DECISION)[-1].body["why"] == f"user:{USER} said no: the wrong\x1b[2J file"
    assert r"the wrong\x1b[2J file" in ringfence("runs", "show", run).out


def test_what_waits_is_listed_with_everything_that_a_yes_is_given_to(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run = ask()
    shown = ringfence("approvals")
    assert shown.code == 0
    for line in (
        f"run {run} asks: may it call files.write?",
        f"  task    {TASK}",
        '  path = "notes/new.txt"   (NOBODY VOUCHES FOR IT, as path)',
        "    | two",
        "    +++ notes/new.txt",
        "    +two",
    ):
        assert line in shown.out.splitlines()
    asked = json.loads(ringfence("approvals", "--json").out)
    assert (asked["run_id"], asked["tool"], asked["stale"]) == (run, "files.write", False)
    assert asked["args"] == {"path": "notes/new.txt", "text": "one\ntwo\n", "mode": "create"}
    assert asked["origins"] == [{"argument": "path", "value": "notes/new.txt", "type": "path", "origin": None}]
    assert "+two" in asked["preview"]
    assert ringfence("approve", run, "--digest", asked["digest"].upper()).code == 0
    assert ringfence("approvals").out == ""


def test_json_says_what_is_asked_and_never_prompts(serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK, "--json") as terminal:
        assert terminal.end() == 4
    assert PROMPT not in terminal.shown
    start, end = terminal.shown.index("\n{\n"), terminal.shown.index("\n}\n")
    result = json.loads(terminal.shown[start : end + 2])
    assert (result["status"], result["answer"], result["warnings"]) == ("waiting", "", [])
    assert result["question"]["args"]["path"] == "notes/new.txt"
    assert result["question"]["run_id"] == result["run_id"]


def test_an_answer_to_something_else_changes_nothing(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask()
    for arguments, said in (
        (("approve", run, "--digest", "0" * 16), "got one to 000000000000"),
        (("deny", run, "--digest", "0" * 16), "got one to 000000000000"),
        (("approve", run, "--trust", "text"), "no control argument 'text'"),
        (("approve", "zzz"), "no run starts with 'zzz'"),
        (("approve", ""), "no run starts with ''"),
    ):
        shown = ringfence(*arguments)
        assert (shown.code, new(folder)) == (6, ""), shown
        assert said in shown.err
        assert "\n  -> " in shown.err
    assert ringfence("approvals").out.count(" asks: ") == 1


def test_an_id_that_fits_several_runs_names_them(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    first, second = ask(), ask()
    assert first[:4] == second[:4]  # a beginning of the time, which lasts hours
    shown = ringfence("approve", first[:4])
    assert (shown.code, new(folder)) == (6, "")
    assert first in shown.err
    assert second in shown.err


def test_a_second_answer_is_told_that_there_was_one(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask()
    assert ringfence("approve", run, "--no-resume").code == 0
    for command in ("approve", "deny"):
        shown = ringfence(command, run)
        assert shown.code == 6
        assert f"is not waiting for anybody: user:{USER} has said yes already" in shown.err
        assert f"  -> go on with it: ringfence run --resume {run}" in shown.err
    assert (ringfence("run", "--resume", run).code, new(folder)) == (0, "one\ntwo\n")
    shown = ringfence("approve", run)
    assert (shown.code, "it has ended (done)" in shown.err) == (6, True)
    assert writes(folder) == 1


def test_a_run_that_asks_nothing_takes_no_answer(serve: Serve, ringfence: Shell) -> None:
    serve(DONE, manifest=MANIFEST)
    run = ringfence("run", TASK).err.split()[1].rstrip(":")
    assert "is not waiting for anybody" in ringfence("approve", run).err
    assert "is not waiting for anybody" in ringfence("deny", run).err


def test_a_yes_that_has_expired_is_asked_for_again(
    ask: Callable[..., str], ringfence: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    for where in ("ringfence.app.agent.now_ms", "ringfence.app.asked.now_ms"):
        monkeypatch.setattr(where, clock)
    run = ask(manifest=MANIFEST + "approvals: {{valid_s: 1}}\n")
    assert ringfence("approve", run, "--no-resume").code == 0
    clock.advance(1000)
    assert (ringfence("run", "--resume", run).code, new(folder)) == (4, "")
    assert ringfence("approve", run, "--no-resume").code == 0
    clock.advance(999)
    assert (ringfence("run", "--resume", run).code, new(folder)) == (0, "one\ntwo\n")


def test_a_yes_under_another_policy_is_refused_and_the_run_asks_anew(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run, manifest = ask(), folder / "ringfence.yaml"
    before = json.loads(ringfence("approvals", "--json").out)["digest"]
    manifest.write_text(manifest.read_text() + "approvals: {valid_s: 60}\n")
    shown = ringfence("approvals")
    assert "THE POLICY HAS CHANGED" in shown.out
    assert f"  -> ringfence run --resume {run}\n" in shown.out
    refused = ringfence("approve", run)
    assert (refused.code, new(folder)) == (6, "")
    assert f"  -> ask anew: ringfence run --resume {run}" in refused.err
    assert ringfence("run", "--resume", run).code == 4
    assert ringfence("approve", run, "--digest", before).code == 6
    assert (ringfence("approve", run).code, new(folder)) == (0, "one\ntwo\n")


def test_a_policy_that_has_no_such_tool_any_more_refuses_what_was_asked(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run, manifest = ask(), folder / "ringfence.yaml"
    manifest.write_text(manifest.read_text().replace("[read, write]", "[read]"))
    shown = ringfence("run", "--resume", run)
    assert (shown.code, shown.out, new(folder)) == (0, "It is done.\n", "")
    assert "POL-1 unknown-sink" in shown.err


def test_other_bounds_of_a_run_are_no_other_policy(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask(arguments=("--max-steps", "7"))
    assert (ringfence("approve", run).code, new(folder)) == (0, "one\ntwo\n")


def test_with_four_eyes_the_one_who_asked_cannot_say_yes_and_another_can(
    ask: Callable[..., str], ringfence: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(manifest=MANIFEST + 'approvals: {{approvers: ["user:lee"], four_eyes: true}}\n')
    monkeypatch.setenv("LOGNAME", "lee")  # the environment makes nobody somebody else
    monkeypatch.setenv("USER", "lee")
    refused = ringfence("approve", run)
    assert (refused.code, new(folder)) == (6, "")
    assert f"user:{USER} may not answer this; user:lee may\n  -> ask one of them" in refused.err
    monkeypatch.setattr("ringfence.app._user", lambda: "lee")
    assert (ringfence("approve", run).code, new(folder)) == (0, "one\ntwo\n")
    assert records(folder, Kind.APPROVAL)[0].body["by"] == "user:lee"


def test_who_is_no_approver_cannot_say_yes(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask(manifest=MANIFEST + 'approvals: {{approvers: ["user:lee"]}}\n')
    assert (ringfence("approve", run).code, ringfence("deny", run).code, new(folder)) == (6, 6, "")


def test_values_that_are_trusted_hold_for_the_run(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask()
    assert ringfence("approve", run, "--trust", "path").code == 0
    assert records(folder, Kind.APPROVAL)[0].body["endorsed"] == [["path", "notes/new.txt"]]
    assert f"approved by user:{USER}, who trusts notes/new.txt for this run" in ringfence("runs", "show", run).out


def test_a_yes_is_for_one_call(ask: Callable[..., str], ringfence: Shell, folder: Path) -> None:
    run = ask(WRITE, OTHER, DONE)
    shown = ringfence("approve", run)
    assert (shown.code, new(folder), "other.txt" in shown.err) == (4, "one\ntwo\n", True)
    assert not (folder / "notes" / "other.txt").exists()
    assert ringfence("approve", run).out == "It is done.\n"
    assert (folder / "notes" / "other.txt").exists()
    assert [record.body["endorsed"] for record in records(folder, Kind.APPROVAL)] == [[], []]


def test_a_yes_to_one_write_vouches_for_no_other_to_the_same_file(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    more = step("files.write", "and more", path="notes/new.txt", text="three\n", mode="append")
    run = ask(WRITE, more, DONE)
    assert (ringfence("approve", run).code, new(folder)) == (4, "one\ntwo\n")
    assert (ringfence("approve", run, "--trust", "path").code, new(folder)) == (0, "one\ntwo\nthree\n")


def test_who_answers_while_somebody_else_does_changes_nothing(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run = ask()
    with answering(folder / ".ringfence" / "held", run):
        for command in ("approve", "deny"):
            shown = ringfence(command, run)
            assert (shown.code, f"somebody else is answering run {run}" in shown.err) == (6, True)
        assert ringfence("runs", "cancel", run).code == 6
    assert (records(folder, Kind.APPROVAL), new(folder)) == ([], "")
    assert ringfence("approve", run).code == 0


def test_of_two_answers_at_once_one_counts(ask: Callable[..., str], folder: Path) -> None:
    run = ask()
    racing = [process("approve", run) for _ in range(3)]
    ended = [(racer.communicate(timeout=60), racer.returncode) for racer in racing]
    assert [code for _, code in ended].count(0) >= 1, ended
    assert {code for _, code in ended} <= {0, 6}, ended
    assert (len(records(folder, Kind.APPROVAL)), writes(folder), new(folder)) == (1, 1, "one\ntwo\n")


def test_a_process_killed_between_the_yes_and_the_effect_is_resumed_to_exactly_one_effect(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    run = ask()
    code = (
        "import asyncio, os, signal, sys\n"
        "from ringfence import app\n"
        "from ringfence.manifest.loader import load\n"
        "from pathlib import Path\n"
        "agent = app.from_manifest(load(Path('ringfence.yaml')))\n"
        "asyncio.run(agent.answer(sys.argv[1], True))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, run], timeout=60)
    assert (killed.returncode, new(folder)) == (-signal.SIGKILL, "")
    for _ in range(2):
        assert ringfence("run", "--resume", run).code == 0
    assert (new(folder), writes(folder)) == ("one\ntwo\n", 1)


# At the prompt


def test_what_a_handle_stands_for_is_shown_with_where_it_is_from(
    ask: Callable[..., str], ringfence: Shell, folder: Path
) -> None:
    handle = {"$ref": "r5/files/0/path"}  # of what opened the run, its sixth record
    edit = step("files.edit", path=handle, old="the disk is full", new="the disk has room")
    run = ask(edit, DONE, manifest=MANIFEST + EDIT_ASKS)
    shown = ringfence("approvals").out.splitlines()
    assert '  path = "notes/a.txt"   (from result r5/files/0/path, as path)' in shown
    assert "    +the disk has room" in shown
    assert ringfence("approve", run).code == 0
    assert "has room" in (folder / "notes" / "a.txt").read_text()


@pytest.mark.parametrize("kind", ["dumb", "xterm"])
def test_a_yes_at_the_prompt_makes_the_call_that_was_shown(serve: Serve, folder: Path, kind: str) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK, env={"TERM": kind}) as terminal:
        shown = terminal.until(PROMPT)
        terminal.type("y\n")
        assert terminal.end() == 0
    assert '  path = "notes/new.txt"   (NOBODY VOUCHES FOR IT, as path)' in shown
    assert "    +two" in shown
    assert terminal.shown.endswith("It is done.\n")
    assert f"approved by user:{USER}" in terminal.shown
    assert new(folder) == "one\ntwo\n"
    assert ("\x1b[2K" in terminal.shown) is (kind == "xterm")  # a spinner, before and after the question


def test_a_yes_with_trust_is_not_asked_for_those_values_again(serve: Serve, folder: Path) -> None:
    again = step("files.write", "again", path="notes/gone/new.txt", text="three\n")
    serve(again, again.replace("three", "four"), DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        terminal.type("trust\n")
        assert terminal.end() == 3  # both writes failed
    assert (terminal.shown.count(PROMPT), writes(folder), new(folder)) == (1, 2, "")
    assert records(folder, Kind.APPROVAL)[0].body["endorsed"] == [["path", "notes/gone/new.txt"]]


def test_a_no_at_the_prompt_says_why(serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        terminal.type("n, another file\n")
        assert terminal.end() == 3
    assert new(folder) == ""
    assert records(folder, Kind.DECISION)[-1].body["why"] == f"user:{USER} said no: another file"


@pytest.mark.parametrize(("keys", "code"), [("l\n", 4), ("\x04", 4), ("\x03", 130)], ids=["later", "ctrl-d", "ctrl-c"])
def test_who_does_not_answer_leaves_the_run_waiting(serve: Serve, folder: Path, keys: str, code: int) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        terminal.type(keys)
        assert terminal.end() == code
    assert "Traceback" not in terminal.shown
    assert f"--resume {terminal.run_id}" in terminal.shown or f"ringfence approve {terminal.run_id}" in terminal.shown
    assert (new(folder), len(records(folder, Kind.APPROVAL))) == ("", 0)


def test_no_garbage_is_a_yes(serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        for keys in ("\n", "yikes\n", "y and n\n", "\x1b[A\n", "1\n", "\ufffd\u202ey\n", "yy" * 400 + "\n"):
            terminal.until(PROMPT)
            terminal.type(keys)
        terminal.until(PROMPT)
        assert records(folder, Kind.APPROVAL) == []
        terminal.type("Yes\n")
        assert terminal.end() == 0
    assert new(folder) == "one\ntwo\n"


def test_what_was_typed_before_the_question_is_no_answer_to_it(serve: Serve, folder: Path) -> None:
    serve(WRITE, OTHER, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        terminal.type("y\ny\n")  # the second yes is typed before the second question is there
        terminal.until(PROMPT)
        assert len(records(folder, Kind.APPROVAL)) == 1
        terminal.type("l\n")
        assert terminal.end() == 4
    assert new(folder) == "one\ntwo\n"


def test_an_answer_from_another_terminal_reaches_the_run_that_waits_at_its_prompt(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(WRITE, OTHER, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        shown = ringfence("approve", terminal.run_id)
        assert (shown.code, shown.out) == (0, "")
        assert "it goes on where it waits" in shown.err
        terminal.until("answered elsewhere")
        terminal.until(PROMPT)
        shown = ringfence("deny", terminal.run_id, "--why", "enough")
        ended = shown.out == "It is done.\n"  # the terminal was quicker than this command at its own end
        assert ended or "it goes on where it waits" in shown.err
        terminal.until("answered elsewhere")
        assert terminal.end() == 0
    assert (new(folder), terminal.shown.endswith("It is done.\n")) == ("one\ntwo\n", True)
    assert "said no: enough" in terminal.shown


async def test_who_was_quicker_elsewhere_goes_on_there_and_this_terminal_shows_the_end(
    serve: Serve, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    manifest, taken, look = load(folder / "ringfence.yaml"), asyncio.Event(), asyncio.Event()
    async with app.from_manifest(manifest) as here, app.from_manifest(manifest) as there:
        waiting = await here.run(TASK)

        async def elsewhere() -> None:
            with there.holding(waiting.run_id):
                taken.set()
                await look.wait()
                await there.approve(waiting.run_id)

        async def events() -> AsyncGenerator[app.Event | Result, None]:
            yield waiting

        other = asyncio.create_task(elsewhere())
        await taken.wait()
        looking = asyncio.create_task(
            approvals.follow(here, events(), [waiting.run_id], console(stderr=True), ask=True)
        )
        await asyncio.sleep(0)  # it finds the run in other hands
        look.set()
        await other
        result = await looking
    assert (result.status, result.answer, new(folder)) == ("done", "It is done.", "one\ntwo\n")
    assert f"approved by user:{USER}" in capsys.readouterr().err
    assert writes(folder) == 1


def test_a_run_that_is_cancelled_elsewhere_leaves_its_prompt(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        assert ringfence("runs", "cancel", terminal.run_id).code == 0
        assert terminal.end() == 1
    assert new(folder) == ""


def test_both_terminals_at_once_make_the_call_once(serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        other = process("approve", terminal.run_id)
        terminal.type("y\n")
        assert terminal.end() == 0
        _, err = other.communicate(timeout=60)
    assert other.returncode in (0, 6), err
    assert "Traceback" not in err + terminal.shown
    assert (len(records(folder, Kind.APPROVAL)), writes(folder), new(folder)) == (1, 1, "one\ntwo\n")


def test_a_prompt_that_is_killed_leaves_the_run_to_the_next_one(ringfence: Shell, serve: Serve, folder: Path) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        held = ringfence("run", "--resume", terminal.run_id)
        assert (held.code, "under way in another process" in held.err) == (6, True)
        terminal.process.kill()
        terminal.process.wait()
        assert ringfence("approve", terminal.run_id).out == "It is done.\n"
    assert (new(folder), writes(folder)) == ("one\ntwo\n", 1)


def test_who_may_not_say_yes_can_wait_for_somebody_who_may(
    ringfence: Shell, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(WRITE, DONE, manifest=MANIFEST + 'approvals: {{approvers: ["user:lee"], four_eyes: true}}\n')
    with Terminal("run", TASK) as terminal:
        terminal.until(PROMPT)
        terminal.type("y\n")
        terminal.until("may not answer this; user:lee may")
        terminal.until(PROMPT)
        monkeypatch.setattr("ringfence.app._user", lambda: "lee")
        assert ringfence("approve", terminal.run_id).code == 0
        assert terminal.end() == 0
    assert (new(folder), "approved by user:lee" in terminal.shown) == ("one\ntwo\n", True)


# In a conversation


def test_a_call_that_is_denied_or_left_waiting_does_not_end_the_conversation(serve: Serve, folder: Path) -> None:
    serve(WRITE, final("I did not."), WRITE, WRITE, DONE, manifest=MANIFEST)
    with Terminal("chat") as terminal:
        for message, keys, answer in (
            ("write it", "no\n", "I did not."),
            ("write it now", "\x03", "stopped; resume with:"),
            ("write it at last", "y\n", "It is done."),
        ):
            terminal.until("> ")
            terminal.type(f"{message}\n")
            terminal.until(PROMPT)
            terminal.type(keys)
            terminal.until(answer)
        terminal.until("> ")
        terminal.type("\x04")
        assert terminal.end() == 0
    assert new(folder) == "one\ntwo\n"


def test_through_a_pipe_a_message_waits_and_the_next_one_is_answered(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(WRITE, DONE, manifest=MANIFEST)
    shown = ringfence("chat", stdin="write it\nwell?\n")
    assert (shown.code, shown.out, new(folder)) == (0, "It is done.\n", "")
    assert "ringfence approve " in shown.err


# What is on the screen


def asked(origins: tuple[Origin, ...] = (), texts: tuple[tuple[str, str], ...] = (), **args: object) -> Question:
    action = Action("tool:mail", args, IDENTITY)
    return Question("01x", "the task", 0, action, "POL-4", "why", "ab" * 32, origins, texts, False)


HOSTILE = "a\x1b[2J\u202eb\u2066c\x07\u200b\x9b0m\r\n\x0b\u2028d"


def test_nothing_of_a_question_drives_the_terminal_or_makes_a_line_of_its_own() -> None:
    forged = 'x\n  to = "bob@x.example"   (you wrote it)'
    question = asked(
        (Origin(forged, HOSTILE, "email", ""), Origin("id/a\x1b[1m", "r\u202e", "", "user:\x1b[2J")),
        ((forged, HOSTILE + "\n" + forged),),
        **{HOSTILE: HOSTILE},
    )
    lines = list(screen(question, HOSTILE + "\n+\x1b]0;owned\x07"))
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith('  to = "bob')]
    text = "\n".join(lines)
    for escaped in (r"\u001b[2J", r"\x1b[2J", r"\u202e", r"\x9b", r"\u2028", r"\u200b"):
        assert escaped in text


def test_a_value_that_looks_like_another_is_shown_in_ascii_too() -> None:
    lines = list(screen(asked((Origin("to", "\u0430nn@x.example", "email", "r3/0/from"),)), ""))
    assert '  to = "\u0430nn@x.example"   (from result r3/0/from, as email)' in lines
    assert r'    in ASCII: "\u0430nn@x.example"' in lines


def test_a_long_value_is_cut_on_the_screen_in_words_and_whole_in_json() -> None:
    question = asked((Origin("to", "x" * 5000, "", "you"),), (("body", "y" * 5000),), to="x" * 5000)
    text = "\n".join(screen(question, ""))
    assert len(text) < 5000
    assert "[AND 3002 CHARACTERS MORE; all of it: ringfence approvals --json]" in text
    assert as_json(question, "")["args"] == {"to": "x" * 5000}


def test_a_line_that_is_too_wide_goes_on_behind_a_margin() -> None:
    wide = "why" + " " * 77 + '  to = "bob@x.example"   (you wrote it)'
    lines = list(folded([wide, "", "日本" * 40], 80))
    assert all(not line.lstrip(" ").startswith("to") for line in lines)
    assert lines[1].startswith("      ┆ ")
    assert "".join(lines[:2]).replace("      ┆ ", "") == wide
    assert "" in lines


def test_only_a_whole_word_is_an_answer() -> None:
    assert [approvals.parse(line) for line in ("y\n", " YES ", "t", "trust\n")] == [
        approvals.Answer(True), approvals.Answer(True),
        approvals.Answer(True, trust=True), approvals.Answer(True, trust=True),
    ]  # fmt: skip
    assert approvals.parse("no: not Bob\n") == approvals.Answer(False, why="not Bob")
    for line in ("", "ye", "y n", "yes please", "true", "ok", "1", "nope", "y\u200d", "trust all"):
        assert approvals.parse(line) is None, line


# Nothing confines


def test_a_manifest_that_confines_nothing_is_shouted_in_every_output(
    ringfence: Shell, serve: Serve, folder: Path
) -> None:
    serve(WRITE, DONE, DONE, manifest=MANIFEST + "sandbox: unsafe-none\n")
    shout = "UNSAFE: nothing confines the tools of this agent (sandbox: unsafe-none)"
    first = ringfence("run", TASK, "--quiet", "--json")
    result = json.loads(first.out)
    assert (result["warnings"], shout in first.err) == ([shout], True)
    assert shout in ringfence("approvals").err
    assert json.loads(ringfence("approvals", "--json").out)["warnings"] == [shout]
    assert shout in ringfence("chat", stdin="").err
    assert shout in ringfence("approve", result["run_id"]).err
    assert "UNSAFE" in ringfence("runs", "show", result["run_id"]).out
    assert "UNSAFE" in ringfence("doctor").out
    assert "UNSAFE" in ringfence("manifest", "check").out


def test_an_agent_that_is_confined_warns_of_nothing(serve: Serve, folder: Path) -> None:
    serve(DONE, manifest=MANIFEST)
    assert app.from_manifest(load(folder / "ringfence.yaml")).warnings == ()
