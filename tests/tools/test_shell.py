"""`shell.run`: what may be run, how it is declared, and what comes back from the sandbox."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import ANYONE, IDENTITY, NOBODY
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action, canonical
from ringfence.jobs import Launcher
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.tools import Host, Sandbox
from ringfence.manifest.types import BuiltinTool
from ringfence.sandboxes import AnyLauncher
from ringfence.tools import shell
from ringfence.tools.commands import Permitted, commands, permitted, rules
from ringfence.tools.printed import ROUNDED, remarks
from ringfence.tools.tool import Tool, Use

from .unconfined import Unconfined

TOKEN = "hunter2/Zq+9=="
DESIGN = ("df", "uptime", "kubectl get")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/app.log").write_text("INFO start\nERROR disk full\n")
    (tmp_path / "private.txt").write_text("not declared\n")
    tmp_path.chmod(0o755)
    return tmp_path


def program(root: Path, name: str, text: str) -> str:
    """A program of the operator's in a folder of its own, which is the path that programs are found on."""
    (root / "bin").mkdir(exist_ok=True)
    (root / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (root / "bin" / name).chmod(0o755)
    return f"{root / 'bin'}:{shell.SYSTEM_PATH}"


def make(root: Path, launcher: Launcher, *allow: str, path: str = shell.SYSTEM_PATH, **more: Any) -> Tool:
    config = BuiltinTool(name="shell", type="builtin", allow=allow, **{"target_paths": (Path("logs"),), **more})
    (tool,) = shell.tools(config, root=root, use=Use(), launcher=launcher, egress=lambda run: NoWay(), path=path)
    return tool


class NoWay:
    """A way out that leads nowhere, and says whether it was closed."""

    closed = False

    def __call__(self, listener: Any, /) -> None:
        listener.close()

    async def aclose(self) -> None:
        self.closed = True


async def run(tool: Tool, command: str) -> Any:
    args = tool.spec.check({"command": command.split()})
    outcome = await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))
    canonical(outcome.value)
    return outcome.value


# -- what may be run

USEFUL = {  # what is allowed, and what is run
    "df, uptime, kubectl get": [
        "df -h", "df -h --output=source,pcent /", "uptime -p", "kubectl get pods -n web -o json",
        "kubectl get deploy/web --namespace web -owide", "kubectl get pods,svc -A -l app=web --no-headers",
        "kubectl get pod web -o jsonpath={.status.phase}", "kubectl get secretstores",
    ],
    "kubectl": [
        "kubectl -n web logs web --tail=50 --since 1h", "kubectl describe node a", "kubectl top pods -A",
        "kubectl version --client", "kubectl rollout status deploy/web",
    ],
    "kubectl --context=prod get": ["kubectl --context=prod get pods -o yaml"],
    "git -C /srv/app log": ["git -C /srv/app log -5"],
    "kubectl -n web get": ["kubectl -n web get pods -o name"],
    "kubectl get {pods,nodes}": ["kubectl get nodes -o wide"],
    "find": ["find logs -name *.log -mtime -7 -size +10k -not -empty", "find . ( -name a -o -name b ) -print"],
    "grep": ["grep -rnE -A2 --include=*.log -e ERROR -- logs", "grep -5 x y"],
    "head": ["head -n -5 x"],
    "tail": ["tail -n20 x"],
    "sort": ["sort -t: -k2,2nr x"],
    "uniq": ["uniq -c x"],
    "wc": ["wc -l x y"],
    "ps": ["ps aux", "ps -eo pid,%cpu,cmd --sort=-%mem"],
    "du": ["du -sh --max-depth=1 ."],
    "free": ["free -m"],
    "date": ["date -u +%F"],
    "id": ["id -un"],
    "ls": ["ls -la logs"],
    "stat": ["stat -c %s x"],
    "jq": ["jq -r .a x"],
    "ip": ["ip -br addr", "ip addr show dev lo"],
    "ss": ["ss -tlnp"],
    "journalctl": ["journalctl -u app -n 50 --since=-1h"],
    "systemctl": ["systemctl status app --no-pager"],
    "systemctl list-units": ["systemctl list-units --state=failed"],
    "git": [
        "git --no-pager log -5 --oneline -- src", "git diff HEAD~1 --stat", "git show HEAD:a", "git status -sb",
        "git branch -a", "git stash list", "git blame -L1,5 a",
    ],
    "systemctl restart {web,api}": ["systemctl restart api"],
    "deploy *": ["deploy web"],
    "deploy ...": ["deploy web api"],
    "deploy web --to=*": ["deploy web --to=prod"],
    "deploy": ["deploy"],
    "deploy 'two words'": ["deploy two\u00a0words"],
}  # fmt: skip


@pytest.mark.parametrize(("allow", "command"), [(allow, command) for allow in USEFUL for command in USEFUL[allow]])
def test_a_useful_command_is_permitted(allow: str, command: str) -> None:
    words = [word.replace("\u00a0", " ") for word in command.split(" ")]
    answer = permitted(words, rules([allow] if "{" in allow else allow.split(", ")))
    assert isinstance(answer, Permitted), answer


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("rm -rf /", "'rm' is not a command that may be run; allowed: df, uptime, kubectl get"),
        ("kubectl delete pod web", "'kubectl delete pod' is not allowed; allowed is kubectl get"),
        ("df --evil", "df may not be given --evil; it may be given -a, -h"),
        ("kubectl get -n", "expected a value after -n, got nothing"),
        ("kubectl get -n --raw", "expected a value after -n, got --raw"),
        ("uptime now", "uptime takes no other words, not 'now'"),
    ],
)
def test_a_refusal_says_what_is_not_allowed_and_what_is(command: str, says: str) -> None:
    assert says in str(permitted(command.split(), rules(DESIGN)))


def test_one_word_with_spaces_is_shown_how_to_be_given() -> None:
    assert "give ['df', '-h']" in str(permitted(["df -h"], rules(DESIGN)))


def test_what_a_program_is_known_by_can_be_read_here() -> None:
    assert len(commands()) >= 60
    assert {"df", "find", "git", "grep", "kubectl", "ps", "systemctl"} <= set(commands())


def test_an_entry_is_one_rule_for_each_of_its_choices_and_not_for_too_many() -> None:
    assert [rule.words for rule in rules(["act {a,b} {c,d}"])] == [
        ("act", a, b) for a in "ab" for b in "cd"
    ]  # fmt: skip
    with pytest.raises(ManifestError, match="comes to 125 commands"):
        rules(["act" + " {a,b,c,d,e}" * 3])


# -- how it is declared


def test_commands_that_only_read_are_a_confined_read(root: Path) -> None:
    spec = make(root, Unconfined(), "df", "cat").spec
    assert (spec.effect, spec.confined, spec.stays, spec.audience) == (Effect.READ, True, True, NOBODY)
    assert (spec.roles, spec.types) == ({"command": Role.CONTROL}, {"command": "command"})
    assert "Commands start with: df, cat." in spec.summary


async def test_which_file_of_a_list_is_the_largest_is_said(root: Path) -> None:
    for name, size in (("dock.log", 2788), ("gate of 3.log", 13861), ("a.log", 272)):
        (root / "box").mkdir(exist_ok=True)
        (root / "box" / name).write_text("x" * size)
    tool = make(root, Unconfined(), "ls")
    said = (await run(tool, "ls -l box"))["note"]
    assert said == "3 files of 16921 bytes in all; the largest is gate of 3.log with 13861 bytes"
    assert "note" not in await run(tool, "ls box")
    (root / "alone").mkdir()
    (root / "alone/a.txt").write_text("x")
    assert "note" not in await run(tool, "ls -l alone")


@pytest.mark.parametrize(
    ("command", "stdout", "note"),
    [
        ("du -d1 /d", "8\t/d/a\n40\t/d/b c\n60\t/d\n",
         "the numbers are KiB (1,024 bytes); the largest directly in /d is /d/b c with 40 KiB"),
        ("du /d", "90\t/d/a/x\n91\t/d/a\n40\t/d/b\n140\t/d\n",
         "the numbers are KiB (1,024 bytes); the largest directly in /d is /d/a with 91 KiB"),
        ("du -sb a b", "8\ta\n9\tb\n", "the largest is b with 9"),
        ("du -sh a b", "2.0M\ta\n900K\tb\n", "the largest is a with 2.0M"),
        ("du -sb a b", "9\ta\n9\tb\n", ""), ("du -scm a b", "9\ta\n8\tb\n17\ttotal\n", "the largest is a with 9"),
        ("free", "Mem: 24684092", "the numbers are KiB (1,024 bytes)"), ("free -m", "Mem: 24105", ""),
        ("ps aux", "USER PID %CPU RSS COMMAND\nr 1 0.3 900 init x\na 7 99 80 py\n",
         "RSS and VSZ are in KiB (1,024 bytes); most memory: init x (PID 1), RSS 900; most CPU: py (PID 7), %CPU 99"),
        ("ps -ef", "UID PID CMD\nr 1 a\nr 2 b\n", ""), ("ps -o rss= 1", "900", "RSS and VSZ are in KiB (1,024 bytes)"),
        ("sort a", "10\n9\n", ""),
        ("sort a", "10 x\n100 y\n9 z\n", "the numbers are sorted as text; -n sorts them by size"),
        ("sort -rn a", "10\n100\n9\n", ""), ("sort a", "10\nb\n9\n", ""), ("sort a", "2025-01-02\n2025-01-10\n", ""),
        ("uniq -c a", " 2 x\n 1 y\n 1 x\n", "only lines next to each other count as the same; sort puts them there"),
        ("uniq -c a", " 2 x\n 1 y\n", ""), ("uniq a", "1 x\n2 x\n", ""),
        ("grep -ic x a", "3", "lines are counted, not how often it stands in each"),
        ("grep -i cat a", "cat", ""),
    ],
)  # fmt: skip
def test_what_numbers_are_and_which_is_most_is_said(command: str, stdout: str, note: str) -> None:
    assert remarks(command.split(), stdout, "") == note


async def test_what_only_a_shell_understands_is_said_to_be_so(root: Path) -> None:
    tool = make(root, Unconfined(), "ls", "find")
    assert "* stands for itself" in (await run(tool, "ls *.log"))["note"]
    assert "| is taken as the name of a file" in (await run(tool, "ls logs | head"))["note"]
    assert "note" not in await run(tool, "find . -name *.log")


async def test_a_program_of_bare_numbers_says_which_option_counts_what(root: Path) -> None:
    (root / "a.txt").write_text("one two\n")
    tool = make(root, Unconfined(), "df", "wc")
    assert "df, wc (-w words, -l lines, -m characters, -c bytes)." in tool.spec.summary
    assert (await run(tool, "wc -l a.txt"))["note"] == "-w words, -l lines, -m characters, -c bytes"
    assert "note" not in await run(tool, "df")


def test_one_command_that_may_change_something_makes_it_a_commit(root: Path) -> None:
    spec = make(root, Unconfined(), "df", "git push").spec
    assert (spec.effect, spec.confined, spec.audience) == (Effect.COMMIT, False, None)


@pytest.mark.parametrize("effect", ["git stash", "find . -delete", "sort -o x y", "kubectl get --raw *", "git log ..."])
def test_an_entry_beyond_what_is_known_to_be_harmless_is_a_commit(root: Path, effect: str) -> None:
    if shutil.which(effect.split()[0]) is None:
        pytest.skip(f"{effect.split()[0]} is not installed here")
    assert make(root, Unconfined(), effect).spec.effect is Effect.COMMIT


def test_commands_that_reach_a_host_are_egress_to_its_audience(root: Path) -> None:
    one, other = Host(host="a.example.com", audience=("role:ops",)), Host(host="b.example.com")
    spec = make(root, Unconfined(), "cat", hosts=(one,)).spec
    assert (spec.effect, spec.confined, spec.audience) == (
        Effect.EGRESS, False, frozenset({frozenset({"role:ops"})}),
    )  # fmt: skip
    assert make(root, Unconfined(), "cat", hosts=(one, other)).spec.audience == ANYONE


def test_the_pin_changes_with_the_list_and_with_the_program(root: Path) -> None:
    pins = [make(root, Unconfined(), *allow).spec.pin for allow in (("df",), ("df", "cat"), ("df",))]
    assert pins[0] == pins[2] != pins[1]
    own = [make(root, Unconfined(), "mine", path=program(root, "mine", text)).spec.pin for text in ("true", "false")]
    assert own[0] != own[1]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"allow": ()}, "nothing is allowed"),
        ({"allow": ("nosuchprogram",)}, "there is no program 'nosuchprogram'"),
        ({"allow": ("cat",), "target_paths": (Path("gone"),)}, "gone of target_paths is not there"),
        ({"allow": ("cat",), "secrets": {"PATH": SecretRef("X")}}, "PATH is not a secret's to set"),
        ({"allow": ("cat",), "secrets": {"LD_PRELOAD": SecretRef("X")}}, "LD_PRELOAD is not a secret's to set"),
    ],
)
def test_what_cannot_be_meant_is_the_operators_error(root: Path, config: dict[str, Any], says: str) -> None:
    with pytest.raises(ManifestError, match=says) as caught:
        make(root, Unconfined(), *config.pop("allow"), **config)
    assert caught.value.todo


def test_hosts_without_a_proxy_are_refused(root: Path) -> None:
    config = BuiltinTool(name="shell", type="builtin", allow=("cat",), hosts=(Host(host="a.example.com"),))
    with pytest.raises(ManifestError, match="no egress proxy"):
        shell.tools(config, root=root, use=Use(), launcher=Unconfined())


# -- what comes back


async def test_a_command_runs_confined_over_the_declared_paths(root: Path, sandbox: AnyLauncher) -> None:
    tool = make(root, sandbox, "grep", "cat")
    found = await run(tool, "grep -rn ERROR logs")
    assert (found["exit"], found["stdout"], found["stderr"]) == (0, "logs/app.log:2:ERROR disk full\n", "")
    assert (found["truncated"], set(found)) == (False, {"exit", "stdout", "stderr", "truncated", "took_ms"})
    assert (await run(tool, "grep nothing logs/app.log"))["exit"] == 1
    hidden = await run(tool, "cat private.txt")
    assert hidden["exit"] == 1
    assert "not declared" not in hidden["stdout"]


async def test_the_commands_of_the_design_run(root: Path, sandbox: AnyLauncher) -> None:
    tool = make(root, sandbox, "df", "uptime")
    assert (await run(tool, "df -h"))["stdout"].startswith("Filesystem")
    assert "up" in (await run(tool, "uptime"))["stdout"]


async def test_a_command_that_only_reads_cannot_write_though_the_tool_may(root: Path) -> None:
    launcher = Unconfined()
    tool = make(root, launcher, "cat", "touch *", permissions=("write",))
    await run(tool, "cat logs/app.log")
    await run(tool, "touch logs/new")
    read, write = launcher.jobs
    logs = (str(root / "logs"),)
    assert (read.reads, read.writes) == (logs, ())
    assert (write.reads, write.writes) == ((), logs)


async def test_sizes_are_exact_or_said_to_be_rounded(root: Path) -> None:
    (root / "big.bin").write_bytes(b"x" * 43_033)
    tool = make(root, Unconfined(), "ls", "du")
    for command in ("ls -lh", "ls -hl .", "ls -l --human-readable", "ls -l --si"):
        listed = await run(tool, command)
        assert " 43033 " in listed["stdout"]
        assert "rounded" not in listed["note"]
    assert (await run(tool, "du -sh ."))["note"] == ROUNDED
    assert (await run(tool, "du -s ."))["note"] == "the numbers are KiB (1,024 bytes)"
    by_the_operator = make(root, Unconfined(), "ls -lh")
    assert "43K" in (await run(by_the_operator, "ls -lh"))["stdout"]


async def test_a_write_happens_only_with_the_permission(root: Path, sandbox: AnyLauncher) -> None:
    (root / "logs").chmod(0o777)
    assert (await run(make(root, sandbox, "touch *"), "touch logs/new"))["exit"] == 1
    assert not (root / "logs/new").exists()


async def test_output_is_bounded_and_says_so(root: Path) -> None:
    path = program(root, "flood", "while :; do echo 0123456789abcdef; done")
    launcher = Unconfined()
    tool = make(root, launcher, "flood", path=path, sandbox=Sandbox(output_kb=4))
    got = await run(tool, "flood")
    assert (got["exit"], got["truncated"], len(got["stdout"])) == (None, True, 4096)
    assert "printed more than is kept" in got["note"]


async def test_a_command_that_does_not_end_is_stopped(root: Path, sandbox: AnyLauncher) -> None:
    tool = make(root, sandbox, "sleep *", sandbox=Sandbox(wall_s=0.2))
    got = await run(tool, "sleep 60")
    assert (got["exit"], got["truncated"]) == (None, False)
    assert "did not end in the time" in got["note"]


async def test_a_cancelled_call_leaves_nothing_behind(root: Path) -> None:
    path = program(root, "slow", "echo started; exec sleep 60")
    launcher = Started()
    call = asyncio.create_task(run(make(root, launcher, "slow", path=path), "slow"))
    await launcher.started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await launcher.processes[0].wait() == "signal 9"


class Started(Unconfined):
    """Says when a job runs."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()

    async def start(self, job: Any) -> Any:
        process = await super().start(job)
        self.started.set()
        return process


async def test_bytes_that_are_no_text_are_shown_as_data(root: Path) -> None:
    path = program(root, "odd", r"printf 'a\000b\377\033[31mc'; printf 'e\000' >&2; exit 3")
    got = await run(make(root, Unconfined(), "odd", path=path), "odd")
    assert (got["exit"], got["stdout"], got["stderr"]) == (3, "ab\ufffd\x1b[31mc", "e")


async def test_the_way_out_is_closed_with_its_job(root: Path) -> None:
    ways: list[NoWay] = []
    runs: list[str] = []

    def open_way(run: str) -> NoWay:
        runs.append(run)
        ways.append(NoWay())
        return ways[-1]

    config = BuiltinTool(name="shell", type="builtin", allow=("echo",), hosts=(Host(host="a.example.com"),))
    launcher = Unconfined()
    (tool,) = shell.tools(config, root=root, use=Use(), launcher=launcher, egress=open_way)
    await tool.sink.perform(Action(tool.spec.name, {"command": ["echo", "x"]}, IDENTITY, run="r1"))
    assert runs == ["r1"]
    assert launcher.jobs[0].egress is ways[0]
    assert ways[0].closed


# -- secrets


@pytest.fixture
def secret() -> Callable[[str | None], dict[str, SecretRef]]:
    return lambda value: {"API_TOKEN": SecretRef("API_TOKEN", lambda name: value)}


async def test_a_secret_reaches_the_program_and_never_the_model(root: Path, secret: Any) -> None:
    encoded = base64.b64encode(TOKEN.encode()).decode()
    path = program(root, "call", f"[ \"$API_TOKEN\" = '{TOKEN}' ] && echo it is $API_TOKEN; echo {encoded} >&2")
    launcher = Unconfined()
    tool = make(root, launcher, "call", path=path, secrets=secret(TOKEN))
    got = await run(tool, "call")
    assert got["stdout"] == "it is [secret API_TOKEN]\n"
    assert encoded.rstrip("=") not in got["stderr"]
    assert TOKEN not in f"{launcher.jobs[0]!r} {tool.spec!r}"


@pytest.mark.parametrize("command", ["cat", "od -An -c", "grep -ao ."])
async def test_a_program_that_can_print_anything_is_given_no_secret(
    root: Path, sandbox: AnyLauncher, secret: Any, command: str
) -> None:
    tool = make(root, sandbox, "cat", "od", "grep", secrets=secret(TOKEN))
    got = await run(tool, f"{command} /proc/self/environ")
    seen = "".join(got["stdout"].split())
    assert "LESSSECURE=1" in seen.replace("\\0", "")
    assert "API_TOKEN" not in seen


async def test_a_secret_cut_off_at_the_end_of_the_output_is_left_out(root: Path, secret: Any) -> None:
    path = program(root, "call", "while :; do printf '%s' $API_TOKEN; done")
    tool = make(root, Unconfined(), "call", path=path, secrets=secret(TOKEN), sandbox=Sandbox(output_kb=1))
    assert set((await run(tool, "call"))["stdout"].split("[secret API_TOKEN]")) == {""}


async def test_a_secret_that_is_not_set_says_so(root: Path, secret: Any) -> None:
    tool = make(root, Unconfined(), "true", secrets=secret(None))
    with pytest.raises(ToolError, match="API_TOKEN is not set"):
        await run(tool, "true")


@pytest.mark.parametrize(
    ("task", "suits"),
    [
        ("How many words are in notes/handbook.md?", True),
        ("How many lines does logs/gate.log have?", True),
        ("Count the lines of logs/gate.log.", True),
        ("Count the lines with the level ERROR in logs/gate.log.", False),
        ("How many lines in logs/gate.log contain ERROR?", False),
        ("How many lines of logs/gate.log end with OK?", False),
        ("How many lines in logs/gate.log mention ERROR?", False),
        ("How many words does the file with the bylaws, notes/b.md, have?", True),
    ],
)
def test_what_counts_all_lines_is_not_for_some_of_them(root: Path, task: str, suits: bool) -> None:
    spec = make(root, Unconfined(), "wc").spec
    assert (re.search(spec.suits, task, re.I) is not None) is suits
