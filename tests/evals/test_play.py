"""Cases through real agents: folders of their own, questions, what is measured, and when playing stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.core.errors import BackendError, ContextOverflow, ManifestError
from ringfence.core.values import Prompt
from ringfence.evals.play import Player, Trial, order, play_all

from .conftest import CALC, MANIFEST, Desk, final, step

WRITE = step("files.write", path="notes/b.txt", text="hello")
FRESH = "fresh: [ringfence.yaml, notes]\n"
ONE = "cases: [{id: a, task: 'What is 6 * 7?', answer: {any: [[42]]}, calls: {all: [calc], at_most: 1}}]\n"


def talk(prompt: Prompt) -> str:
    """Write and say so, whatever is asked; then say 42."""
    return final("It is 42.") if b"I look" in b"".join(prompt.messages) else WRITE


def setup(desk: Desk, body: str) -> None:
    (desk.folder / "make.py").write_text(
        "import json, sys\nfrom pathlib import Path\nfolder, seed = Path(sys.argv[1]), int(sys.argv[3])\n" + body
    )


async def test_a_right_run_is_measured_from_its_record(desk: Desk) -> None:
    (trial,) = await desk.play(desk.write(ONE))
    assert (trial.right, trial.status, trial.answer) == (True, "done", "It is 42.")
    assert (trial.steps, trial.valid, trial.calls[-1]) == (2, 2, "calc")
    assert trial.prompt > trial.again > 0
    assert trial.again_cached == 0


async def test_a_plan_of_the_grant_is_among_the_model_calls_and_no_step(desk: Desk) -> None:
    planned = MANIFEST.replace("grant: {", "grant: {planned: true, ")
    (desk.folder / "ringfence.yaml").write_text(planned)
    desk.script = ['{"thought": "none", "needs": []}', CALC, final("It is 42.")]
    (trial,) = await desk.play(desk.write(ONE.replace("calls: {", "budget: {steps: 2}, calls: {")))
    assert trial.wrong == ("expected at most 2 model calls, got 3",)
    assert (trial.steps, trial.valid, trial.served, trial.asked) == (2, 2, 1, 3)
    assert (trial.tiers, trial.prompt > trial.again > 0) == ({"main": 3}, True)


async def test_a_step_whose_call_its_tool_refuses_is_not_valid(desk: Desk) -> None:
    desk.script = [step("calc", nonsense=1), step("no.tool"), "I think I am done", CALC, final("It is 42.")]
    (trial,) = await desk.play(desk.write(ONE))
    assert (trial.right, trial.steps, trial.valid) == (True, 5, 2)


async def test_what_is_wrong_is_said_as_expected_and_got(desk: Desk) -> None:
    (trial,) = await desk.play(desk.write(ONE.replace("42", "43").replace("at_most: 1", "at_most: 0")))
    assert trial.wrong == (
        "expected an answer with 43, got 'It is 42.'",
        "expected at most 0 calls, got 1: files.find, files.overview, calc",
    )


async def test_each_run_sees_the_folder_as_it_was(desk: Desk) -> None:
    desk.script = talk
    suite = desk.write(
        FRESH + "cases: [{id: a, task: \"Write 'hello' to notes/b.txt\", files: {notes/b.txt: {equals: hello}}},"
        " {id: b, task: \"Write 'hello' to notes/b.txt\", files: {notes/b.txt: {contains: [hello]}}}]\n"
    )
    assert [trial.wrong for trial in await desk.play(suite, seeds=2)] == [()] * 4
    assert not (desk.folder / "notes" / "b.txt").exists()
    assert not any(manifest.root.exists() for manifest in desk.built)


async def test_folders_are_kept_where_that_is_wanted(desk: Desk, tmp_path: Path) -> None:
    desk.script = talk
    suite = desk.write(
        FRESH + "cases: [{id: a, task: \"Write 'hello' to notes/b.txt\", files: {notes/b.txt: {absent: true}}}]\n"
    )
    (trial,) = await desk.play(suite, keep=tmp_path / "kept")
    assert trial.wrong == ("expected no file notes/b.txt, got one",)
    assert Path(trial.folder) == tmp_path / "kept" / "one" / "a" / "1"
    assert (Path(trial.folder) / "notes" / "b.txt").read_text() == "hello"


ASKS = "task: write a note, tags: [x]"


@pytest.mark.parametrize(
    ("rest", "wrong"),
    [
        ("approve: true, files: {notes/b.txt: {equals: hello}}", ()),
        ("status: waiting, records: {any: [ask]}, files: {notes/b.txt: {absent: true}}", ()),
        ("answer: {any: [[42]]}", ("expected the run to end done or partial, got waiting",)),
    ],
)
async def test_a_question_is_answered_only_where_the_case_approves(
    desk: Desk, rest: str, wrong: tuple[str, ...]
) -> None:
    desk.script = [WRITE, final("It is 42.")]
    suite = desk.write(FRESH + f"cases: [{{id: a, {ASKS}, {rest}}}]\n")
    (trial,) = await desk.play(suite)
    assert trial.wrong[:1] == wrong


async def test_a_run_that_asked_is_not_left_waiting(desk: Desk) -> None:
    desk.script = [WRITE]
    suite = desk.write(f"cases: [{{id: a, {ASKS}, status: waiting}}]\n")
    async with Player(suite, build=desk.build) as player:
        trial, _ = await player.play(desk.side(), suite.cases[0], 1)
        agent = player._shared["one"]
        assert (trial.right, agent.waiting()) == (True, [])


async def test_a_setup_fills_in_tasks_and_says_what_is_right(desk: Desk) -> None:
    setup(
        desk,
        "(folder / 'notes').mkdir()\n"
        "(folder / 'expect.json').write_text(json.dumps("
        "{'vars': {'n': seed}, 'a': {'answer': {'any': [[str(40 + seed)]]}}}))\n",
    )
    suite = desk.write("setup: make.py\ncases: [{id: a, task: 'Is it {n}?', answer: {none: [43]}}]\n")
    first, second = await desk.play(suite, seeds=2)
    assert (first.wrong, second.right) == (("expected an answer with 41; never 43, got 'It is 42.'",), True)
    assert b"Is it 2?" in b"".join(desk.asked[1].prompts[0].messages)
    assert not any(b"expect.json" in b"".join(p.messages) for p in desk.asked[0].prompts)


@pytest.mark.parametrize(
    ("body", "task", "words"),
    [
        ("sys.exit('no disk left')", "A?", "exit code 1:\nno disk left"),
        ("pass", "Is it {n}?", "expected a value for {n}"),
        ("pass", "A?", "expected something to check"),
        ("(folder / 'expect.json').write_text('{\"z\": {}}')", "A?", "expected ids of cases, got z"),
        ("(folder / 'expect.json').write_text('[]')", "A?", "expected JSON with the ids of cases"),
        ("(folder / 'expect.json').write_text('{\"a\": {\"answr\": 1}}')", "A?", "a.answr: expected a known key"),
    ],
)
async def test_a_setup_that_cannot_be_meant_is_an_error_in_words(desk: Desk, body: str, task: str, words: str) -> None:
    setup(desk, body + "\n(folder / 'notes').mkdir()\n")
    check = ", answer: {none: [x]}" if "{" in task else ""
    suite = desk.write(f"setup: make.py\ncases: [{{id: a, task: '{task}'{check}}}]\n")
    with pytest.raises(ManifestError) as caught:
        await desk.play(suite)
    assert words in caught.value.what
    assert caught.value.todo


async def test_a_setup_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(ManifestError, match=r"make\.py"):
        await desk.play(desk.write("setup: make.py\ncases: [{id: a, task: b}]\n"))


async def test_another_manifest_takes_the_place_of_the_suites_own_in_each_folder(desk: Desk) -> None:
    (desk.folder / "other.yaml").write_text(MANIFEST.replace("model: scripted", "model: another"))
    suite = desk.write(FRESH + ONE)
    await desk.play(suite, desk.side(), desk.side("other", "other.yaml"), desk.side("third", model="third"))
    assert [manifest.inference.tiers[0].model for manifest in desk.built] == ["scripted", "another", "third"]
    assert all(manifest.root != desk.folder for manifest in desk.built)


GONE = BackendError("no model server answers", todo="start it")


async def test_a_task_that_no_window_holds_is_a_failed_run_and_no_missing_server(desk: Desk) -> None:
    desk.script = [ContextOverflow("it does not fit")] * 20
    trials = await desk.play(desk.write(ONE), seeds=2)
    assert [trial.right for trial in trials] == [False, False]


async def test_a_server_that_is_not_there_stops_the_suite(desk: Desk) -> None:
    desk.script = [GONE]
    with pytest.raises(BackendError, match="no model server answers"):
        await desk.play(desk.write(ONE))


async def test_one_run_without_a_word_of_the_model_counts_once_the_server_is_back(desk: Desk) -> None:
    desk.script = [CALC, final("42"), GONE, CALC, final("42")]
    trials = await desk.play(desk.write(ONE), seeds=3)
    assert [trial.right for trial in trials] == [True, False, True]


async def test_two_in_a_row_stop_the_suite_and_neither_counts(desk: Desk) -> None:
    desk.script = [CALC, final("42"), GONE, GONE]
    suite = desk.write(ONE)
    seen: list[Trial] = []
    async with Player(suite, build=desk.build) as player:
        with pytest.raises(BackendError):
            await play_all(player, order([desk.side()], suite.cases, range(1, 5)), set(), seen.append)
    assert [trial.seed for trial in seen] == [1]


async def test_after_each_seed_all_sides_have_seen_the_same(desk: Desk) -> None:
    trials = await desk.play(desk.write(ONE + ""), desk.side("x"), desk.side("y"), seeds=1)
    assert [trial.side for trial in trials] == ["x", "y"]
