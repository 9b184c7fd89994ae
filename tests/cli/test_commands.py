"""Every command: help, version, exit codes, imports."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ringfence as package
from ringfence.cli.exits import Exit

from .conftest import Shell

COMMANDS = ["init", "run", "chat", "doctor", "version", "runs", "models", "manifest"]
BELOW = [["runs", name] for name in ("list", "show", "resume", "cancel", "export")]
BELOW += [["models", name] for name in ("list", "pull", "rm", "path")]
BELOW += [["manifest", name] for name in ("check", "schema")]
ROOT = Path(__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after some code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS], *BELOW], ids=" ".join)
def test_every_command_explains_itself(ringfence: Shell, command: list[str]) -> None:
    shown = ringfence(*command, "--help")
    assert shown.code == 0
    assert shown.out.startswith("Usage: ringfence")
    assert ringfence(*command, "-h").out == shown.out


def test_the_help_names_every_command(ringfence: Shell) -> None:
    shown = ringfence("--help").out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("command", [[name] for name in COMMANDS[:5]] + BELOW, ids=" ".join)
def test_every_command_and_option_is_in_the_reference(ringfence: Shell, command: list[str]) -> None:
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text()
    assert f"ringfence {' '.join(command)}" in reference
    options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", ringfence(*command, "--help").out, re.MULTILINE))
    assert {option for option in options if option not in reference} == set()


def test_every_exit_code_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\w+) \|", reference, re.MULTILINE)
    assert {(int(code), name.upper()) for code, name in rows} == {(code.value, code.name) for code in Exit}


def test_version_is_that_of_the_package(ringfence: Shell) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert package.__version__ == version
    assert ringfence("version").out.startswith(f"ringfence {version} (Python 3.")


@pytest.mark.parametrize("arguments", ["rnu", "run --no-such", "runs show", "models pull", "runs nope"])
def test_a_command_line_that_cannot_be_meant_exits_with_2(ringfence: Shell, arguments: str) -> None:
    shown = ringfence(*arguments.split())
    assert shown.code == 2
    assert "Error: " in shown.err


def test_help_loads_nothing_beyond_the_library_of_the_command_line() -> None:
    help_of = "import contextlib, io\nfrom ringfence.cli import main\n"
    help_of += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main(['--help'])"
    known = sys.stdlib_module_names | {"typer", "click", "shellingham", "annotated_doc", "typing_extensions"}
    third_party = {name for name in modules_after(help_of) - modules_after("pass") if name not in known}
    assert third_party == {"ringfence"}


def test_a_bug_of_ours_is_one_line_and_70(ringfence: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.cli import checkup

    def broken(path: Path) -> None:
        raise ZeroDivisionError("by zero\x1b[2J")

    monkeypatch.setattr(checkup, "doctor", broken)
    shown = ringfence("doctor")
    assert shown.code == 70
    assert shown.err.splitlines() == [
        "error: this is a bug of Ringfence: ZeroDivisionError: by zero\\x1b[2J",
        "  -> run the command again with RINGFENCE_DEBUG=1 and report what it prints",
    ]


def test_ctrl_c_in_any_command_ends_it_without_a_word_of_python(
    ringfence: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.cli import checkup

    def stopped(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkup, "doctor", stopped)
    shown = ringfence("doctor")
    assert (shown.code, shown.out, shown.err) == (130, "", "\nstopped\n")


def test_a_reader_that_has_seen_enough_is_no_error(ringfence: Shell, folder: Path) -> None:
    command = f"{sys.executable} -m ringfence.cli manifest schema | head -1"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert shown.stdout == "{\n"
    assert "Traceback" not in shown.stderr
    assert "rror" not in shown.stderr
