"""Every trick that makes a permitted command do more than it is permitted for; many are first shown to work."""

from __future__ import annotations

import asyncio
import getopt
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action
from ringfence.manifest.types import BuiltinTool
from ringfence.tools import shell
from ringfence.tools.commands import Permitted, permitted, rules
from ringfence.tools.tool import Tool, Use

from ..tools.unconfined import Unconfined
from .tricks import NEVER, TRICKS, WORKS


@pytest.mark.parametrize(("allow", "command", "does"), TRICKS, ids=[f"{c} ({d})" for _, c, d in TRICKS])
def test_a_trick_is_not_permitted(allow: str, command: str, does: str) -> None:
    answer = permitted(command.split(" "), rules([allow]))
    assert isinstance(answer, str), f"{command} {does}"
    assert answer


@pytest.mark.parametrize("word", ["-h\n", "a\0b", "\x1b[2J", "\ud800", "a\u2028b", "a\x85b"])
def test_control_characters_and_broken_text_are_not_permitted(word: str) -> None:
    assert "control character" in str(permitted(["df", word], rules(["df"])))


def test_a_command_is_bounded() -> None:
    assert "1 to 100 words" in str(permitted(["df"] * 101, rules(["df"])))
    assert "1 to 100 words" in str(permitted(["df", "x" * 16_000], rules(["df"])))
    assert "1 to 100 words" in str(permitted([], rules(["df"])))


def test_a_shell_string_is_one_word_and_no_command() -> None:
    answer = permitted(["df -h; id"], rules(["df"]))
    assert isinstance(answer, str)
    assert "one word in each place" in answer


@pytest.mark.parametrize("program", NEVER)
def test_what_runs_other_programs_is_no_entry(program: str) -> None:
    for entry in (program, f"{program} x", f"{program} ..."):
        with pytest.raises(ManifestError, match="run whatever an argument or a file tells them to"):
            rules([entry])


@pytest.mark.parametrize(
    "entry", ["/bin/df", "./df", "../df", "", "'df", "df\n-h", "df ... x", "X=1 df", "-h", "*", "$(id)"]
)
def test_an_entry_that_is_no_command_is_refused_with_what_to_write(entry: str) -> None:
    with pytest.raises(ManifestError) as caught:
        rules([entry])
    assert caught.value.todo


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A hostile repository: its configuration names programs that leave a file `marker`."""
    evil = tmp_path / "evil"
    evil.write_text("#!/bin/sh\ntouch marker\n")
    evil.chmod(0o755)
    (tmp_path / "list").write_text("HUSH one\n")
    (tmp_path / "options").write_text("list\n")
    (tmp_path / "victim").write_text("")
    if shutil.which("git"):
        git(tmp_path, "init", "-q", "-b", "main")
        git(tmp_path, "config", "user.email", "a@example.com")
        git(tmp_path, "config", "user.name", "A")
        (tmp_path / ".gitattributes").write_text("list diff=evil\n")
        for key in ("diff.evil.textconv", "diff.external", "core.fsmonitor", "gpg.program", "core.sshCommand"):
            git(tmp_path, "config", key, str(evil))
        git(tmp_path, "-c", "core.fsmonitor=false", "add", "list", ".gitattributes")
        git(tmp_path, "-c", "core.fsmonitor=false", "commit", "-q", "-m", "one")
        (tmp_path / "marker").unlink(missing_ok=True)
    return tmp_path


def git(where: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=where, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})


@pytest.mark.parametrize(("allow", "command", "shows"), WORKS, ids=[c for _, c, _ in WORKS])
def test_a_trick_works_where_nobody_refuses_it_and_is_refused_here(
    scene: Path, allow: str, command: str, shows: str
) -> None:
    argv = [word.replace("${IFS}", " ") for word in command.split(" ")]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed here")
    env = {"PATH": os.environ["PATH"], "HOME": str(scene), "TRICK": "HUSH"}
    done = subprocess.run(argv, cwd=scene, env=env, capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    branches = (scene / ".git/refs/heads/evil").exists() and "evil"
    gone = not (scene / "victim").exists() and "victim is gone"
    worked = (scene / "marker").exists() or (shows and shows in f"{said} {branches} {gone}")
    assert worked, f"this trick does not work any more, so its test shows nothing: {said[:500]}"
    try:
        allowed = rules([allow])
    except ManifestError:
        return
    assert isinstance(permitted(argv, allowed), str)


def shell_tool(root: Path, *allow: str, path: str = shell.SYSTEM_PATH, **more: Any) -> tuple[Tool, Unconfined]:
    config = BuiltinTool(name="shell", type="builtin", allow=allow, target_paths=(Path(),), **more)
    launcher = Unconfined()
    (tool,) = shell.tools(config, root=root, use=Use(), launcher=launcher, path=path)
    return tool, launcher


async def run(tool: Tool, *argv: str) -> Any:
    return (await tool.sink.perform(Action(tool.spec.name, {"command": list(argv)}, IDENTITY))).value


def program(folder: Path, name: str, text: str = "#!/bin/sh\necho $0\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize(
    "command", ["git log -p", "git diff HEAD~0", "git show", "git blame list", "git log --format=%G?", "git status"]
)
async def test_the_configuration_of_a_repository_starts_no_program(scene: Path, command: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed here")
    (scene / "list").write_text("HUSH two\n")
    naive = {"PATH": os.environ["PATH"], "HOME": str(scene)}
    await asyncio.to_thread(subprocess.run, command.split(), cwd=scene, env=naive, capture_output=True, timeout=60)
    trapped = (scene / "marker").exists()
    (scene / "marker").unlink(missing_ok=True)
    tool, _ = shell_tool(scene, "git")
    assert (await run(tool, *command.split()))["exit"] == 0
    assert not (scene / "marker").exists()
    assert trapped or command == "git log --format=%G?", "the trap is not set, so this test shows nothing"


@pytest.mark.parametrize("command", ["git status", "git diff", "git log -p"])
async def test_nor_does_that_of_a_repository_within_it(scene: Path, command: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed here")
    safe = ("-c", "core.fsmonitor=false", "-c", "protocol.file.allow=always")
    await asyncio.to_thread(git, scene, *safe, "submodule", "--quiet", "add", "./", "inner")
    git(scene, *safe, "commit", "-q", "-m", "two")
    git(scene, "config", "--unset", "core.fsmonitor")
    git(scene, "config", "diff.submodule", "diff")
    git(scene / "inner", "config", "core.fsmonitor", f"touch {scene}/marker; false")
    (scene / "inner/list").write_text("HUSH three\n")
    (scene / "marker").unlink(missing_ok=True)
    naive = {"PATH": os.environ["PATH"], "HOME": str(scene)}
    await asyncio.to_thread(subprocess.run, ["git", "status"], cwd=scene, env=naive, capture_output=True, timeout=60)
    assert (scene / "marker").exists(), "the trap is not set, so this test shows nothing"
    (scene / "marker").unlink()
    tool, _ = shell_tool(scene, "git")
    assert (await run(tool, *command.split()))["exit"] == 0
    assert not (scene / "marker").exists()


async def test_a_program_of_that_name_in_the_working_folder_is_not_run(tmp_path: Path) -> None:
    program(tmp_path, "uptime", "#!/bin/sh\necho stolen\n")
    tool, launcher = shell_tool(tmp_path, "uptime")
    assert "stolen" not in (await run(tool, "uptime"))["stdout"]
    assert launcher.jobs[0].argv[0] in ("/usr/bin/uptime", "/bin/uptime")
    assert launcher.jobs[0].cwd == str(tmp_path)


async def test_the_path_of_whoever_starts_us_finds_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "onlyhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ManifestError, match="no program 'onlyhere'"):
        shell_tool(tmp_path, "onlyhere")


async def test_nothing_of_our_environment_reaches_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_PRELOAD", "IFS", "GIT_PAGER", "GIT_EXTERNAL_DIFF", "KUBECONFIG", "BASH_ENV", "OURS"):
        monkeypatch.setenv(name, "evil")
    tool, launcher = shell_tool(tmp_path, "date")
    await run(tool, "date")
    assert "evil" not in launcher.jobs[0].env.values()
    assert launcher.jobs[0].env == shell.FIXED


async def test_a_link_to_an_interpreter_is_refused_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "harmless").symlink_to(sys.executable)
    with pytest.raises(ManifestError, match=r"harmless is python\S* here"):
        shell_tool(tmp_path, "harmless", path=str(tmp_path))


@pytest.mark.parametrize("how", ["rewritten", "replaced", "relinked", "removed"])
async def test_a_program_that_was_changed_since_the_start_is_not_run(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "bin"
    mine, other = program(folder, "mine"), program(folder, "other", "#!/bin/sh\necho changed\n")
    (folder / "link").symlink_to(mine)
    tool, launcher = shell_tool(tmp_path, "link", path=str(folder))
    assert (await run(tool, "link"))["exit"] == 0
    if how == "rewritten":
        mine.write_text("#!/bin/sh\necho changed\n")
    elif how == "replaced":
        other.rename(mine)
    elif how == "relinked":
        (folder / "link").unlink()
        (folder / "link").symlink_to(other)
    else:
        mine.unlink()
    with pytest.raises(ToolError, match="not the program that it was"):
        await run(tool, "link")
    assert len(launcher.jobs) == 1


async def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    tool, _ = shell_tool(tmp_path, "echo")
    words = ["*", "$HOME", "~", "`id`", "$(id)", ";", "|", "&&", "id", ">", "marker", "{a,b}", "'", '"', "\\"]
    assert (await run(tool, "echo", *words))["stdout"] == " ".join(words) + "\n"
    assert not (tmp_path / "marker").exists()


async def test_what_is_not_permitted_is_refused_by_the_sink_and_by_the_schema(tmp_path: Path) -> None:
    tool, launcher = shell_tool(tmp_path, "find")
    with pytest.raises(ToolError, match="find may not be given -exec"):
        await run(tool, "find", ".", "-exec", "id", ";")
    with pytest.raises(ValueError, match="find may not be given -exec"):
        tool.spec.check({"command": ["find", ".", "-exec", "id", ";"]})
    assert not launcher.jobs


SORT = ("bcCdfghik:mMno:rRsS:t:T:uVz", [
    "output=", "compress-program=", "files0-from=", "temporary-directory=", "key=", "field-separator=", "reverse",
    "unique", "numeric-sort", "stable", "merge", "zero-terminated", "random-source=", "batch-size=",
])  # fmt: skip
DANGEROUS = {"-o", "-T", "--output", "--compress-program", "--files0-from", "--temporary-directory", "--random-source"}
PIECES = ["-", "--", "=", "o", "k", "n", "r", "t", "T", "S", "1", "out", "output", "outp", "compress-program", "comp",
          "key", "reverse", "rev", "files0-from", "x", "-o", "unique", "5"]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), max_size=5))
def test_a_command_line_is_read_as_getopt_reads_it(words: list[str]) -> None:
    """An independent reader, which knows the dangerous options and abbreviations, finds none in what is permitted."""
    answer = permitted(["sort", *words], rules(["sort"]))
    try:
        options, operands = getopt.gnu_getopt(words, *SORT)
    except getopt.GetoptError:
        return  # sort itself refuses it
    given_options = {name for name, _ in options}
    if given_options & DANGEROUS:
        assert isinstance(answer, str)
    elif isinstance(answer, Permitted):
        assert [word for word in operands if word not in words] == []


TOLD = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


@given(
    st.sampled_from(["kubectl", "git", "find", "deploy", "act", "rm"]),
    st.lists(st.sampled_from(["log", "get", "-5", "x"]) | st.text(max_size=6), max_size=6),
)
def test_a_permitted_command_runs_as_it_was_asked_but_for_what_makes_it_harmless(first: str, rest: list[str]) -> None:
    argv = [first, *rest]
    allowed = rules(["kubectl get", "git log", "find", "df", "deploy * --to=*", "act ..."])
    match permitted(argv, allowed):
        case Permitted(argv=run, rule=rule):
            assert [word for word in run if word in rest or word not in TOLD] == argv
            assert argv[: len(rule.words)] == list(rule.words) or "*" in rule.text
        case refusal:
            assert refusal


def test_git_is_told_not_to_start_what_a_repository_names() -> None:
    answer = permitted(["git", "--no-pager", "log", "-p", "--", "x"], rules(["git"]))
    assert isinstance(answer, Permitted)
    assert answer.argv == ("git", "--no-pager", "log", *TOLD, "-p", "--", "x")
