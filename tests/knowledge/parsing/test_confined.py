"""Files are read confined: what a parser that a file has taken over can reach, do, leave behind and say."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from ringfence.core.errors import ToolError
from ringfence.jobs import Job, Process
from ringfence.knowledge.errors import KnowledgeError, Unreadable
from ringfence.knowledge.parsing import Bounds, ConfinedParser
from ringfence.knowledge.parsing.checked import Documents
from ringfence.knowledge.ports import Block
from ringfence.sandboxes import AnyLauncher, Bubblewrap, Landlock, UnsafeNoSandbox, probe

BOUNDS = Bounds(wall_s=5.0, cpu_s=1.0, memory_mb=384)

# the process as it is, but for the reader of text: it does what a hostile file would have it do
TAKEN_OVER = """
import os, signal, socket, stat, subprocess, time
from ringfence.knowledge.parsing import formats, process

def tried(what):
    try:
        return f"did it: {what()}"
    except BaseException as fault:
        return f"failed: {type(fault).__name__}"

def is_pipe(fd):
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False

def obey(reading, draft, data, name):
    todo, _, given = data.decode().partition(" ")
    if todo == "connect":
        draft.text(tried(lambda: socket.create_connection(("127.0.0.1", int(given)), 2).recv(9)))
    elif todo == "open":
        draft.text(tried(lambda: open(given, "rb").read()))
    elif todo == "write":
        draft.text(tried(lambda: os.write(os.open("/tmp/left", os.O_WRONLY | os.O_CREAT), b"x")))
    elif todo == "fork":
        draft.text(tried(lambda: os.fork()))
    elif todo == "spawn":
        draft.text(tried(lambda: subprocess.run(["/bin/true"])))
    elif todo == "parent":
        draft.text(tried(lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR)))
        draft.text(tried(lambda: os.open(f"/proc/{os.getppid()}/fd/1", os.O_WRONLY)))
    elif todo == "descriptors":
        kinds = []
        for fd in range(64):
            try:
                kinds.append(stat.filemode(os.fstat(fd).st_mode)[0])
            except OSError:
                pass
        draft.text("".join(kinds))
    elif todo == "environment":
        draft.text(" ".join(sorted(os.environ)))
    elif todo == "sleep":
        time.sleep(99)
    elif todo == "spin":
        while True: pass
    elif todo == "eat":
        draft.text(str(len(b"x" * (2 << 30))))
    elif todo == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif todo == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(9)
    elif todo == "flood":
        while True: os.write(max(fd for fd in range(3, 64) if is_pipe(fd)), b"x" * 60_000)
    elif todo == "print":
        for _ in range(1000): print("x" * 100_000); os.write(2, b"x" * 100_000)
        draft.text("printed")
    elif todo == "say":
        reading.send(eval(given))
    else:
        draft.text(data.decode())

formats.READERS["text"] = obey
process.main()
"""


class TakenOver:
    """A launcher that starts the parser's job as it is confined, with a hostile reader in it."""

    def __init__(self, launcher: AnyLauncher) -> None:
        self._launcher = launcher

    async def start(self, job: Job) -> Process:
        *argv, program = job.argv
        first = program.partition("from ringfence.knowledge.parsing.process")[0]
        return await self._launcher.start(replace(job, argv=(*argv, first + TAKEN_OVER)))


async def ask(parser: ConfinedParser, tmp_path: Path, words: str) -> str:
    place = tmp_path / "order.txt"
    place.write_text(words)
    ((name, parsed),) = await parser.parse("order.txt", str(place))
    assert name == ""
    return "\n".join(block.text for block in parsed.blocks)


async def why(parser: ConfinedParser, tmp_path: Path, words: str) -> str:
    with pytest.raises(Unreadable) as fault:
        await ask(parser, tmp_path, words)
    return fault.value.what


async def _working(kind: type[AnyLauncher]) -> AsyncIterator[ConfinedParser]:
    launcher = kind()
    if (missing := await probe(launcher)) is not None:
        launcher.close()
        pytest.skip(f"{kind.name} does not start here: {missing}")
    parser = ConfinedParser(TakenOver(launcher), bounds=BOUNDS)
    yield parser
    await parser.aclose()
    launcher.close()


@pytest_asyncio.fixture(params=[Bubblewrap, Landlock], ids=lambda kind: str(kind.name))
async def taken(request: pytest.FixtureRequest) -> AsyncIterator[ConfinedParser]:
    async for parser in _working(request.param):
        yield parser


@pytest_asyncio.fixture
async def unconfined() -> AsyncIterator[ConfinedParser]:
    async for parser in _working(UnsafeNoSandbox):
        yield parser


@pytest.fixture
def server() -> Iterator[int]:
    """A port that greets whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.0)
        loop_port = listening.getsockname()[1]
        yield loop_port


async def test_a_parser_that_was_taken_over_reaches_nothing(
    taken: ConfinedParser, tmp_path: Path, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_SECRET", "x")
    secret = tmp_path / "secret.txt"
    secret.write_text("of another")
    for order in (f"connect {server}", f"open {secret}", f"open {Path(__file__)}", "write", "fork", "spawn"):
        assert (await ask(taken, tmp_path, order)).startswith("failed: "), order
    assert (await ask(taken, tmp_path, "parent")).count("failed: ") == 2
    kinds = await ask(taken, tmp_path, "descriptors")
    assert sorted(kinds) == ["c", "c", "c", "p"]  # /dev/null, and the pipe of its own answer: no other file's
    assert "RINGFENCE_SECRET" not in await ask(taken, tmp_path, "environment")


async def test_without_a_sandbox_it_reaches_everything_which_is_what_the_name_says(
    unconfined: ConfinedParser, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("of another")
    assert "of another" in await ask(unconfined, tmp_path, f"open {secret}")

    async def greet(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        out.write(b"hi")
        await out.drain()
        out.close()

    greeting = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = greeting.sockets[0].getsockname()[1]
    try:
        assert "hi" in await ask(unconfined, tmp_path, f"connect {port}")
    finally:
        greeting.close()
        await greeting.wait_closed()


async def test_what_ends_a_fork_costs_its_file_alone_and_no_start(taken: ConfinedParser, tmp_path: Path) -> None:
    assert await ask(taken, tmp_path, "plain words") == "plain words"
    assert await why(taken, tmp_path, "crash") == "its parser crashed (signal 11)"
    assert await why(taken, tmp_path, "eat") == "takes more memory than 384 MB to read"
    assert await why(taken, tmp_path, "sleep") == "was not read within 5 s"
    assert await why(taken, tmp_path, "spin") == "takes more than 1 s of CPU time to read"
    assert await why(taken, tmp_path, "flood") == "says more than can be taken in"
    assert await ask(taken, tmp_path, "print") == "printed"
    assert await ask(taken, tmp_path, "plain words") == "plain words"
    assert taken.starts == 1


async def test_what_ends_the_whole_process_costs_its_file_and_a_start(taken: ConfinedParser, tmp_path: Path) -> None:
    assert "broke down" in await why(taken, tmp_path, "murder") or taken.starts == 2
    assert await ask(taken, tmp_path, "plain words") == "plain words"
    assert taken.starts == 3  # it was tried once more: another's doing may have ended the first


BLOCK = ["text", 1, 0, "fine"]
GOOD = {"name": "", "title": "", "notes": [], "readers": None, "blocks": [BLOCK]}


async def test_what_a_parser_that_was_taken_over_says_is_not_believed(taken: ConfinedParser, tmp_path: Path) -> None:
    lie = {**GOOD, "blocks": [["text", 1, 0, "\u202eturned"]]}
    assert "taken it over" in await why(taken, tmp_path, f"say {lie!r}")


def test_what_is_well_said_passes() -> None:
    documents = Documents(BOUNDS)
    said = json.dumps({**GOOD, "readers": ["role:hr"]}).encode() + b"\n"
    for at in range(0, len(said), 7):  # pieces end anywhere
        documents.take(said[at : at + 7])
    ((_, parsed),) = documents.all()
    assert parsed.readers == ("role:hr",)
    assert parsed.blocks == (Block("fine", "text", 1),)


@pytest.mark.parametrize(
    "lie",
    [
        {"blocks": [["text", 1, 0, "turned\u202e"]]}, {"blocks": [["text", 1, 0, "bell\x07"]]},
        {"blocks": [["script", 1, 0, "x"]]}, {"blocks": [["text", -1, 0, "x"]]}, {"blocks": [["text", 1, 99, "x"]]},
        {"blocks": [["text", True, 0, "x"]]}, {"blocks": [["text", 1, 0]]}, {"blocks": 7}, {"name": "../up"},
        {"name": "/abs"}, {"name": "a!../b"}, {"name": "a\nb"}, {"title": 7}, {"notes": ["x" * 2_000]},
        {"readers": "role:hr"}, {"readers": [7]}, {"notes": None}, {"name": None},
    ],
)  # fmt: skip
def test_what_no_parser_would_say_is_not_believed(lie: dict[str, object]) -> None:
    documents = Documents(BOUNDS)
    documents.take(json.dumps({**GOOD, **lie}).encode() + b"\n")
    with pytest.raises(Unreadable, match="taken it over"):
        documents.all()


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"7", b"[" * 100_000, b'{"fault": 1}', b"null"])
def test_what_is_no_document_is_not_believed(line: bytes) -> None:
    documents = Documents(BOUNDS)
    documents.take(line + b"\n")
    with pytest.raises(Unreadable):
        documents.all()


async def test_a_sandbox_that_does_not_start_is_no_file_s_fault(tmp_path: Path) -> None:
    class Broken:
        async def start(self, job: Job) -> Process:
            raise ToolError("no namespaces here", todo="install bubblewrap")

    with pytest.raises(KnowledgeError, match="no namespaces here"):
        await ask(ConfinedParser(Broken()), tmp_path, "x")


async def test_a_library_that_is_missing_is_no_file_s_fault(tmp_path: Path) -> None:
    class Without:
        async def start(self, job: Job) -> Process:
            *argv, program = job.argv
            return await launcher.start(
                replace(job, argv=(*argv, f"import sys; sys.modules['docx'] = None; {program}"))
            )

    launcher = UnsafeNoSandbox()
    parser = ConfinedParser(Without())
    try:
        with pytest.raises(KnowledgeError, match="docx") as fault:
            await ask(parser, tmp_path, "x")
    finally:
        await parser.aclose()
        launcher.close()
    assert "ringfence[rag]" in fault.value.todo


async def test_a_call_that_is_given_up_leaves_no_answer_for_the_next(taken: ConfinedParser, tmp_path: Path) -> None:
    await ask(taken, tmp_path, "plain words")
    waiting = asyncio.create_task(ask(taken, tmp_path, "sleep"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting, 0.5)
    assert await ask(taken, tmp_path, "other words") == "other words"


async def test_a_parser_that_is_closed_while_it_reads_does_not_start_again(
    taken: ConfinedParser, tmp_path: Path
) -> None:
    await ask(taken, tmp_path, "plain words")
    waiting = asyncio.create_task(ask(taken, tmp_path, "sleep"))
    await asyncio.wait({waiting}, timeout=0.5)
    await taken.aclose()
    with pytest.raises(KnowledgeError, match="closed while it read"):
        await waiting
    assert taken.starts == 1


async def test_files_that_are_asked_for_at_once_get_their_own_answers(taken: ConfinedParser, tmp_path: Path) -> None:
    places = [tmp_path / f"{n}.txt" for n in range(20)]
    for n, place in enumerate(places):
        place.write_text(f"words {n}")
    found = await asyncio.gather(*(taken.parse(place.name, str(place)) for place in places))
    assert [parsed.blocks[0].text for ((_, parsed),) in found] == [f"words {n}" for n in range(20)]
    assert taken.starts == 1


async def test_the_process_may_write_nothing_and_loads_the_parsers_alone(taken: ConfinedParser) -> None:
    job = taken._job()
    assert job.writes == ()
    assert job.egress is None
    *_, program = job.argv
    loaded = program.replace("main; main()", "formats; formats.prepare()").replace(".parsing.process ", ".parsing ")
    python = (*job.argv[:-1], f"{loaded}; import ringfence.knowledge.parsing.process; print(*sys.modules)")
    done = await asyncio.create_subprocess_exec(*python, stdout=asyncio.subprocess.PIPE)
    modules = (await done.communicate())[0].decode().split()
    assert {"docx", "pypdfium2", "selectolax"} < set(modules)
    assert not {"numpy", "onnxruntime", "pydantic", "aiohttp", "ringfence.knowledge.ports"} & set(modules)
