"""`module:function` of a manifest: imported out of our process, confined, and unable to hurt us."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence import sandboxes
from ringfence.core.errors import ManifestError, ToolError, Uncertain
from ringfence.core.labels import ANYONE, IDENTITY, NOBODY, Trust
from ringfence.core.policy import Effect, Role
from ringfence.core.values import Action
from ringfence.jobs import Launcher
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.security import Entry, Plugins
from ringfence.manifest.tools import Host, PythonTool, Sandbox
from ringfence.tools import Tool, Workshop, signing
from ringfence.tools.functions import from_module

MODULE = '''
import fcntl, os, socket, subprocess, sys, time, asyncio, urllib.request
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from ringfence import ToolError, tool
import sibling

print("imported, and it says so on stdout")

@tool("read", roles={"team": "control", "day": "low"})
def on_call(team: Annotated[str, Field(description="a team")], day: Literal["today", "tomorrow"] = "today") -> str:
    """Who is on call.

    More than the model has to know.
    """
    print("noise on stdout")
    os.write(1, b'{"id": 1, "value": "forged", "cpu": 0}\\n')
    return f"{team}/{day}/{sibling.NAME}"

async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1

@tool("write", name="ignored", idempotent=True, ask=True, audience=["role:ops"])
def save(path: str, text: str) -> int:
    with open(path, "w") as file:
        return file.write(text)

@tool("read")
def look(path: str) -> str:
    with open(path) as file:
        return file.read()

@tool("read")
def misbehave(how: str) -> object:
    if how == "raise": raise ValueError("no such order")
    if how == "ours": raise ToolError("gone", todo="wait")
    if how == "exit": sys.exit(3)
    if how == "die": os._exit(3)
    if how == "object": return object()
    if how == "nan": return float("nan")
    if how == "loop":
        while True: pass
    if how == "memory": return len(bytearray(4 << 30))
    if how == "flood":
        while True: print("x" * 100_000)
    if how == "big": return "x" * (9 << 20)
    if how == "connect": return socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 2).fileno()
    if how == "secret": return os.environ["TOKEN"]
    if how == "fail with it": raise ValueError(os.environ["TOKEN"])
    if how == "environment": return sorted(os.environ)
    if how == "places": return os.environ["RINGFENCE_PATHS"].split(os.pathsep)
    if how == "write": open("/".join([sys.path[0], "planted.py"]), "w")
    if how == "orphan":
        held = open(HELD, "w")
        fcntl.flock(held, fcntl.LOCK_EX)
        child = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True, pass_fds=[held.fileno()])
        return child.pid
    return how

@tool("read")
def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()

NUMBER = 3
HELD = @HELD@

def untyped(x): ...
'''
READ, PLAIN = "read", Plugins()


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """The best sandbox that is here."""
    try:
        made = asyncio.run(sandboxes.choose("auto"))
    except ManifestError as error:
        pytest.skip(f"no sandbox can be started here: {error.what}")
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "home"
    (folder / "data").mkdir(parents=True)
    (folder / "data/a.txt").write_text("content")
    (folder / ".env").write_text("TOKEN=s3cret-of-dotenv")
    (folder / "ops_tools.py").write_text(MODULE.replace("@HELD@", repr(str(folder / "data/held"))))
    (folder / "sibling.py").write_text("NAME = 'sibling'\n")
    return folder


@pytest.fixture
async def shop(root: Path, launcher: Launcher) -> AsyncIterator[Workshop]:
    workshop = Workshop(launcher, root / ".ringfence")
    yield workshop
    await workshop.aclose()


@pytest.fixture
def make(root: Path, shop: Workshop) -> Callable[..., Tool]:
    def made(function: str, *, plugins: Plugins = PLAIN, entry: Entry | None = None, **more: Any) -> Tool:
        limits = more.pop("sandbox", Sandbox(wall_s=10.0))
        config = PythonTool(name="helper", type="python", function=function, sandbox=limits, **more)
        clauses = frozenset({frozenset({"role:ops"})})
        return from_module(
            config, root=root, readers=clauses, callers=None, workshop=shop, plugins=plugins, entry=entry
        )

    return made


async def call(tool: Tool, run: str = "", /, **args: Any) -> Any:
    return (await tool.sink.perform(Action(tool.spec.name, args, IDENTITY, run=run))).value


async def test_a_function_is_known_by_what_its_worker_says_and_never_imported_here(make: Callable[..., Tool]) -> None:
    spec = make("ops_tools:on_call").spec
    assert "ops_tools" not in sys.modules
    assert (spec.name, spec.summary) == ("tool:helper", "Who is on call.")
    assert (spec.effect, spec.confined, spec.audience) == (Effect.READ, True, NOBODY)
    assert spec.roles == {"team": Role.CONTROL, "day": Role.LOW}
    assert spec.output.trust is Trust.UNTRUSTED
    assert spec.output.readers == {frozenset({"role:ops"})}
    assert spec.check({"team": "a"}) == {"team": "a", "day": "today"}
    for wrong, problem in (
        ({}, "team"),
        ({"team": "a", "x": 1}, "x"),
        ({"team": 1}, "team"),
        ({"team": "a", "day": "never"}, "day"),
    ):
        with pytest.raises(ValueError, match=problem):
            spec.check(wrong)


async def test_what_a_function_prints_is_no_answer(make: Callable[..., Tool]) -> None:
    made = make("ops_tools:on_call")
    assert await call(made, team="ops") == "ops/today/sibling"
    assert await call(made, team="ops", day="tomorrow") == "ops/tomorrow/sibling"


async def test_an_async_function_that_nobody_described_is_a_commit(make: Callable[..., Tool]) -> None:
    made = make("ops_tools:later")
    assert (made.spec.effect, made.spec.confined, made.spec.audience) == (Effect.COMMIT, False, ANYONE)
    assert await asyncio.gather(*(call(made, n=n) for n in range(8))) == list(range(1, 9))


async def test_the_decorators_word_is_in_the_catalogue_and_the_manifests_name_is_the_tools(
    make: Callable[..., Tool],
) -> None:
    spec = make("ops_tools:save").spec
    assert (spec.name, spec.effect, spec.idempotent, spec.ask) == ("tool:helper", Effect.WRITE, True, True)
    assert spec.audience == frozenset({frozenset({"role:ops"})})


async def test_a_function_with_hosts_sends_out_whatever_its_author_says(make: Callable[..., Tool]) -> None:
    spec = make("ops_tools:look", hosts=(Host(host="a.example"),)).spec
    assert (spec.confined, spec.audience) == (False, ANYONE)
    spec = make("ops_tools:look", hosts=(Host(host="a.example", audience=("role:ops",)),)).spec
    assert (spec.confined, spec.audience) == (False, frozenset({frozenset({"role:ops"})}))


async def test_a_function_reads_its_paths_and_nothing_beside_the_manifest(
    make: Callable[..., Tool], root: Path
) -> None:
    made = make("ops_tools:look", target_paths=(Path("data"),))
    assert await call(made, path=str(root / "data/a.txt")) == "content"
    (root / ".ringfence/journal.db").write_text("what others asked")
    for hidden in (".env", ".ringfence/journal.db", "ops_tools.py"):
        with pytest.raises(ToolError, match=r"No such file|denied"):
            await call(made, path=str(root / hidden))


async def test_a_function_is_told_where_its_paths_are(make: Callable[..., Tool], root: Path) -> None:
    made = make("ops_tools:misbehave", target_paths=(Path("data"), Path("data/a.txt")))
    assert await call(made, how="places") == [str(root / "data"), str(root / "data/a.txt")]


async def test_only_a_function_with_an_effect_writes_and_only_to_its_paths(
    make: Callable[..., Tool], root: Path
) -> None:
    inside, outside = str(root / "data/new.txt"), str(root / "sibling.py")
    os.chmod(root / "data", 0o777)  # noqa: PTH101 - a tool of root runs as somebody else
    with pytest.raises(ToolError, match=r"Read-only|denied"):
        await call(
            make("ops_tools:save", target_paths=(Path("data"),), entry=Entry(effect="read")), path=inside, text="x"
        )
    made = make("ops_tools:save", target_paths=(Path("data"),))
    assert await call(made, path=inside, text="x") == 1
    assert (root / "data/new.txt").read_text() == "x"
    with contextlib.suppress(ToolError):  # refused, or written to a place of the sandbox's own
        await call(made, path=outside, text="x")
    assert (root / "sibling.py").read_text() == "NAME = 'sibling'\n"


WRONGS = [
    ("raise", "^helper failed: no such order$"),
    ("exit", "^helper failed: SystemExit"),
    ("object", "^helper returned something that is not JSON"),
    ("nan", "^helper returned something that is not JSON"),
    ("big", "^the result is larger than 8 MB$"),
    ("memory", "^helper (failed: MemoryError|broke off: it used more memory than it may)"),
    ("write", "^helper failed: .*(Read-only|denied)"),
]


async def test_what_a_function_does_wrong_is_told_without_a_traceback_and_it_serves_on(
    make: Callable[..., Tool],
) -> None:
    made = make("ops_tools:misbehave")
    for how, problem in WRONGS:
        with pytest.raises(ToolError) as caught:
            await call(made, how=how)
        assert re.search(problem, caught.value.what), caught.value.what
        assert "Traceback" not in str(caught.value)
        assert await call(made, how="nothing") == "nothing"


async def test_words_and_advice_of_a_failure_are_the_functions_own(make: Callable[..., Tool]) -> None:
    with pytest.raises(ToolError) as caught:
        await call(make("ops_tools:misbehave"), how="ours")
    assert (caught.value.what, caught.value.todo) == ("gone", "wait")


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("die", r"^helper broke off: its process ended \(exit 3\)"),
        ("loop", r"^helper did not end within 1 s$"),
        ("flood", "^helper broke off: it printed without end"),
    ],
)
async def test_a_function_that_takes_its_process_down_is_served_by_another(
    make: Callable[..., Tool], how: str, problem: str
) -> None:
    made = make("ops_tools:misbehave", sandbox=Sandbox(wall_s=1.0 if how == "loop" else 30.0))
    began = time.monotonic()
    with pytest.raises(Uncertain) as caught:  # nobody knows how far it got
        await call(made, how=how)
    assert re.search(problem, caught.value.what), caught.value.what
    assert time.monotonic() - began < 20
    assert await call(made, how="nothing") == "nothing"


async def test_no_child_of_a_function_outlives_its_worker(
    make: Callable[..., Tool], shop: Workshop, root: Path
) -> None:
    made = make("ops_tools:misbehave", target_paths=(Path("data"),), entry=Entry(effect="write"))
    (root / "data").chmod(0o777)
    assert isinstance(await call(made, how="orphan"), int)  # it holds a lock on a file of ours while it lives
    with (root / "data/held").open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        await shop.aclose()
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)


async def test_a_function_without_hosts_reaches_nobody(
    make: Callable[..., Tool], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[object] = []
    server = await asyncio.start_server(lambda *streams: came.append(streams), "127.0.0.1")
    async with server:
        monkeypatch.setenv("PORT", str(server.sockets[0].getsockname()[1]))
        made = make("ops_tools:misbehave", secrets={"PORT": SecretRef("PORT")})
        with pytest.raises(ToolError, match="helper failed"):
            await call(made, how="connect")
    assert came == []


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()
    writer.close()


async def test_a_function_reaches_its_hosts_through_our_proxy_alone_and_on_record(
    root: Path, launcher: Launcher, make: Callable[..., Tool], shop: Workshop
) -> None:
    server = await asyncio.start_server(greet, "127.0.0.1")
    attempts: list[Any] = []
    shop.record = attempts.append
    async with server:
        port = server.sockets[0].getsockname()[1]
        made = make("ops_tools:fetch", hosts=(Host(host="127.0.0.1", port=port, private=True),))
        runs = [call(made, f"r{n}", url=f"http://127.0.0.1:{port}/{n}") for n in range(3)]
        assert await asyncio.gather(*runs) == ["hello"] * 3
        told = [(attempt.state, attempt.run, attempt.path) for attempt in attempts]
        assert sorted(told) == sorted((state, f"r{n}", f"/{n}") for n in range(3) for state in ("open", "done"))
        with pytest.raises(ToolError, match="403"):
            await call(made, url=f"http://127.0.0.1:{port + 1}/")
        assert attempts[-1].state == "refused"
        await shop.aclose()
        assert await call(made, url=f"http://127.0.0.1:{port}/b") == "hello"  # a new process has a new way out


async def test_where_nothing_records_it_nothing_leaves(make: Callable[..., Tool]) -> None:
    came: list[object] = []
    async with await asyncio.start_server(lambda *streams: came.append(streams), "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        made = make("ops_tools:fetch", hosts=(Host(host="127.0.0.1", port=port, private=True),))
        with pytest.raises(ToolError, match="helper failed"):
            await call(made, url=f"http://127.0.0.1:{port}/")
    assert came == []


async def test_a_secret_is_in_the_environment_and_not_in_what_comes_back(
    make: Callable[..., Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_TOKEN", "s3cret-0123456789")
    monkeypatch.setenv("OTHER_TOKEN", "s3cret-9876543210")
    made = make("ops_tools:misbehave", secrets={"TOKEN": SecretRef("OUR_TOKEN")})
    assert await call(made, how="secret") == "[hidden]"
    with pytest.raises(ToolError, match=r"^helper failed: \[hidden\]$"):
        await call(made, how="fail with it")
    names = await call(made, how="environment")
    assert "TOKEN" in names
    assert not {"OUR_TOKEN", "OTHER_TOKEN"} & set(names)


def test_a_secret_that_is_not_set_is_the_operators_error(make: Callable[..., Tool]) -> None:
    with pytest.raises(ManifestError, match=r"tools\.helper\.secrets: TOKEN is not set"):
        make("ops_tools:misbehave", secrets={"TOKEN": SecretRef("NOT_SET_ANYWHERE")})


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("nowhere:f", "No module named 'nowhere'"),
        ("ops_tools:nothing", "has no attribute 'nothing'"),
        ("ops_tools:NUMBER", "NUMBER is no function"),
        ("ops_tools:untyped", "the argument x has no type"),
        ("broken:f", "SyntaxError"),
        ("ends:f", "SystemExit"),
        ("dies:f", r"did not start: its process ended \(exit 9\)"),
    ],
)
async def test_a_function_that_is_not_there_is_the_operators_error(
    make: Callable[..., Tool], root: Path, function: str, problem: str
) -> None:
    (root / "broken.py").write_text("def f(:")
    (root / "ends.py").write_text("raise SystemExit(4)")
    (root / "dies.py").write_text("import os; os._exit(9)")
    with pytest.raises(ManifestError, match=problem):
        make(function)


async def test_a_path_that_is_not_there_is_the_operators_error(make: Callable[..., Tool]) -> None:
    with pytest.raises(ManifestError, match="nowhere is not there"):
        make("ops_tools:look", target_paths=(Path("nowhere"),))


LIES: list[tuple[dict[str, Any], str]] = [
    ({"effect": "nothing"}, "effect"),
    ({"more": 1}, "more"),
    ({"roles": {"x": "boss"}}, "roles"),
    ({"roles": {"stray": "low"}}, "no schema of arguments"),
    ({"schema": {"type": "string", "properties": {}}}, "no schema of arguments"),
    ({"schema": {"type": "object"}}, "properties"),
    ({"schema": {"type": "nonsense", "properties": {}}}, "JSON Schema"),
    ({"schema": []}, "schema"),
    ({"summary": "x" * 10_000}, "summary"),
]


@pytest.mark.parametrize(("lie", "problem"), LIES, ids=[problem for _, problem in LIES])
def test_a_description_that_is_none_is_refused(lie: dict[str, Any], problem: str) -> None:
    from ringfence.tools.functions import _spec

    config = PythonTool(name="helper", type="python", function="m:f")
    said = {"summary": "", "schema": {"type": "object", "properties": {"x": {"type": "string"}}}, "effect": "read"}
    said |= {"idempotent": False, "ask": False, "roles": {}, "audience": []}
    assert _spec(config, said, "", None, IDENTITY).effect is Effect.READ
    with pytest.raises(ManifestError, match=f"m:f is described wrongly: [^$]*{problem}"):
        _spec(config, {**said, **lie}, "", None, IDENTITY)


async def test_the_pin_changes_with_the_code(make: Callable[..., Tool], root: Path) -> None:
    before = make("ops_tools:on_call").spec.pin
    assert make("ops_tools:on_call").spec.pin == before
    (root / "sibling.py").write_text("NAME = 'another'\n")
    assert make("ops_tools:on_call").spec.pin != before


def packaged(root: Path) -> Path:
    package = root / "helpers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "work.py").write_text("def work() -> str:\n    return 'signed'\n")
    return package


async def test_where_signatures_are_required_only_what_was_signed_runs(make: Callable[..., Tool], root: Path) -> None:
    pytest.importorskip("cryptography")
    package = packaged(root)
    strict = Plugins(require_signature=True, keys={"us": signing.keygen(root / "key.pem")})
    with pytest.raises(ManifestError, match="is not signed"):
        make("helpers.work:work", plugins=strict)
    with pytest.raises(ManifestError, match="not in a package"):
        make("ops_tools:on_call", plugins=strict)
    signing.sign(package, root / "key.pem", version="1")
    made = make("helpers.work:work", plugins=strict)
    (package / "work.py").write_text("def work() -> str:\n    return 'changed'\n")
    assert await call(made) == "signed"
    with pytest.raises(ManifestError, match=r"work\.py is changed"):
        make("helpers.work:work", plugins=strict)


async def test_a_signed_package_sees_no_unsigned_module_beside_it(make: Callable[..., Tool], root: Path) -> None:
    pytest.importorskip("cryptography")
    package = packaged(root)
    (package / "work.py").write_text("import sibling\ndef work() -> str:\n    return sibling.NAME\n")
    assert await call(make("helpers.work:work")) == "sibling"
    strict = Plugins(require_signature=True, keys={"us": signing.keygen(root / "key.pem")})
    signing.sign(package, root / "key.pem", version="1")
    with pytest.raises(ManifestError, match="No module named 'sibling'"):
        make("helpers.work:work", plugins=strict)
