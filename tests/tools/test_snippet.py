"""`python.run`: a snippet in the sandbox."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ToolError
from ringfence.core.labels import IDENTITY, NOBODY
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action, canonical
from ringfence.jobs import Launcher
from ringfence.manifest.tools import Host, Sandbox
from ringfence.manifest.types import BuiltinTool
from ringfence.sandboxes import AnyLauncher
from ringfence.tools import snippet
from ringfence.tools.tool import Tool, Use

from .unconfined import Unconfined


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("n\n1\n2\n")
    (tmp_path / "private.txt").write_text("not declared\n")
    tmp_path.chmod(0o755)
    return tmp_path


def make(root: Path, launcher: Launcher, **more: Any) -> Tool:
    config = BuiltinTool(name="python", type="builtin", **{"target_paths": (Path("data"),), **more})
    (tool,) = snippet.tools(config, root=root, use=Use(), launcher=launcher, egress=lambda run: None)  # type: ignore
    return tool


async def run(tool: Tool, code: str) -> Any:
    value = (await tool.sink.perform(Action(tool.spec.name, {"code": code}, IDENTITY))).value
    canonical(value)
    return value


def test_what_can_only_compute_is_a_confined_read_of_free_text(root: Path) -> None:
    spec = make(root, Unconfined()).spec
    assert (spec.effect, spec.stays, spec.audience, spec.roles) == (Effect.READ, True, NOBODY, {"code": Role.TEXT})


@pytest.mark.parametrize(
    ("more", "effect"),
    [({"permissions": ("write",)}, Effect.WRITE), ({"hosts": (Host(host="a.example.com"),)}, Effect.COMMIT)],
)
def test_code_that_can_do_something_is_a_control_argument(root: Path, more: dict[str, Any], effect: Effect) -> None:
    spec = make(root, Unconfined(), **more).spec
    assert (spec.effect, spec.confined, spec.roles) == (effect, False, {"code": Role.CONTROL})


async def test_a_snippet_answers_with_its_output_and_its_last_expression(root: Path, sandbox: AnyLauncher) -> None:
    got = await run(make(root, sandbox), "print('hi')\nimport math\n[math.sqrt(n) for n in (4, 9)]")
    assert (got["stdout"], got["value"], got["error"]) == ("hi\n", "[2.0, 3.0]", None)
    assert set(got) == {"stdout", "value", "error", "took_ms"}


async def test_it_reads_the_declared_paths_and_nothing_else(root: Path, sandbox: AnyLauncher) -> None:
    tool = make(root, sandbox)
    assert (await run(tool, "sum(int(line) for line in open('data/a.csv').readlines()[1:])"))["value"] == "3"
    for code in ("open('private.txt')", "open('data/new', 'w')", f"open({str(Path.home() / '.profile')!r}, 'a')"):
        assert "Error" in (await run(tool, code))["error"]
    assert not (root / "data/new").exists()


async def test_it_writes_with_the_permission(root: Path, sandbox: AnyLauncher) -> None:
    (root / "data").chmod(0o777)
    got = await run(make(root, sandbox, permissions=("write",)), "open('data/new', 'w').write('made')")
    assert (got["value"], got["error"]) == ("4", None)
    assert (root / "data/new").read_text() == "made"


async def test_it_has_no_network(root: Path, sandbox: AnyLauncher) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        got = await run(make(root, sandbox), f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
    assert "Error" in got["error"]


async def test_nothing_is_left_for_the_next_call(root: Path, sandbox: AnyLauncher) -> None:
    tool = make(root, sandbox)
    assert (await run(tool, "x = 1\nopen('/tmp/left', 'w').write('here')"))["error"] is None
    assert "NameError" in (await run(tool, "x"))["error"]
    assert "FileNotFoundError" in (await run(tool, "open('/tmp/left')"))["error"]


async def test_nothing_of_our_environment_is_there(root: Path, sandbox: AnyLauncher, monkeypatch: Any) -> None:
    monkeypatch.setenv("OURS", "secret-of-the-operator")
    monkeypatch.setenv("PYTHONSTARTUP", "/evil.py")
    tool = make(root, sandbox)
    assert "secret-of-the-operator" not in (await run(tool, "import os; dict(os.environ)"))["value"]
    assert (await run(tool, "import sys; [p for p in sys.path if 'site-packages' in p], sys.flags.isolated"))[
        "value"
    ] == "([], 1)"


ERRORS = [
    ("def f():\n    return 1 / 0\nf()", "line 3: f()\nline 2: return 1 / 0\nZeroDivisionError: division by zero"),
    ("x = (", "line 1: x = (\nSyntaxError: '(' was never closed"),
    ("import json\njson.loads('{')", None),
    ("raise SystemExit(2)", "SystemExit: 2"),
    ("input()", "line 1: input()\nEOFError: EOF when reading a line"),
    ("import no_such_module", "line 1: import no_such_module\nModuleNotFoundError: No module named 'no_such_module'"),
    ("import os; os._exit(3)", "the interpreter ended early: exit 3"),
]


@pytest.mark.parametrize(("code", "says"), ERRORS, ids=[code.splitlines()[0] for code, _ in ERRORS])
async def test_an_error_shows_the_lines_of_the_snippet_and_no_path(root: Path, code: str, says: str | None) -> None:
    error = (await run(make(root, Unconfined()), code))["error"]
    assert says is None or error == says
    assert sys.base_prefix not in error
    assert "File " not in error
    assert "<snippet>" not in error


async def test_a_path_of_the_interpreter_in_an_error_is_not_shown(root: Path) -> None:
    error = (await run(make(root, Unconfined()), "import sys\nraise ValueError(sys.base_prefix + '/lib')"))["error"]
    assert error.endswith("ValueError: <python>/lib")


@pytest.mark.parametrize(
    ("code", "bounds", "says"),
    [
        ("while True: pass", {"cpu_s": 0.5, "wall_s": 20}, "stopped: it used more CPU time than it may"),
        ("import time; time.sleep(60)", {"wall_s": 0.5}, "stopped: it did not end in the time that it has"),
        ("x = 'x' * 10**9", {"memory_mb": 128}, "MemoryError"),
        ("print('x' * 10**6)", {"output_kb": 8}, "stopped: it printed more than is kept"),
    ],
)
async def test_it_is_bounded(root: Path, sandbox: AnyLauncher, code: str, bounds: dict[str, Any], says: str) -> None:
    got = await run(make(root, sandbox, sandbox=Sandbox(**bounds)), code)
    assert says in got["error"]
    assert len(got["stdout"]) <= 8192


async def test_a_value_is_cut_where_it_has_no_end(root: Path) -> None:
    got = await run(make(root, Unconfined(), sandbox=Sandbox(output_kb=8)), "'x' * 10**6")
    assert (len(got["value"]), got["error"]) == (1024, None)


@pytest.mark.parametrize("forged", ["", "+1", "+1\\0+2\\0+3", "x\\0y"])
async def test_a_snippet_that_leaves_with_half_a_result_has_none(root: Path, forged: str) -> None:
    got = await run(make(root, Unconfined()), f"import os; os.write(3, b'{forged}'); os._exit(0)")
    assert (got["value"], got["error"]) == (None, "the interpreter ended early: exit 0")


async def test_what_children_print_is_output_and_not_the_result(root: Path) -> None:
    code = "import os, sys\nos.system('echo child; echo loud >&2')\nsys.stderr.write('err\\n')\n7"
    got = await run(make(root, Unconfined()), code)
    assert (sorted(got["stdout"].split()), got["value"]) == (["child", "err", "loud"], "7")


async def test_broken_text_stays_json(root: Path) -> None:
    tool = make(root, Unconfined())
    assert (await run(tool, "raise ValueError('\\ud800\\x00')"))["error"].endswith("ValueError: ?")
    assert (await run(tool, "import os; os.write(1, b'\\xff\\x00a')"))["stdout"] == "\ufffda"
    with pytest.raises(ToolError, match="valid string"):
        await run(tool, "'\ud800'")
    with pytest.raises(ToolError, match="20000"):
        await run(tool, "x" * 20_001)
