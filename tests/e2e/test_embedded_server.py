"""The embedded model server with the tiny real model: shared, private, on loopback alone, gone when idle.

The model is fetched once into RINGFENCE_HOME (or the default home); each test has a run folder of its own.
"""

# ruff: noqa: ASYNC110, ASYNC240 - what is watched here is /proc and another process

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringfence.backends import Backend, from_manifest, models
from ringfence.backends.llama_process import ALIVE, State
from ringfence.core.errors import BackendError, ContextOverflow
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, Prompt
from ringfence.manifest.types import Inference

pytestmark = pytest.mark.model
TINY = "smollm2-135m"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
).encode()
ACTION = Action(
    "model:tiny",
    {},
    IDENTITY,
    Prompt((b'{"role":"user","content":"Name a colour."}',), schema=SCHEMA, max_tokens=48),
)


@pytest.fixture(scope="session")
def weights() -> Path:
    return asyncio.run(models.pull(TINY, models.data_home()))


@pytest.fixture
def home(weights: Path, tmp_path: Path) -> Path:
    """A home with the model and nothing running."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.name).symlink_to(weights)
    return tmp_path


def backend(home: Path, *, idle_s: float = 3.0, model: str = TINY, notes: list[str] | None = None) -> Backend:
    inference = Inference.model_validate(
        {"tiers": [{"provider": "embedded", "model": model, "idle_s": idle_s}], "max_context": 1024}
    )
    return from_manifest(inference.tiers[0], inference, home=home, notice=notes.append if notes is not None else None)


@contextlib.asynccontextmanager
async def served(home: Path, **how: Any) -> AsyncIterator[Backend]:
    made = backend(home, **how)
    try:
        yield made
    finally:
        await made.aclose()
        for state in states(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGKILL)


def states(home: Path) -> list[State]:
    found = (State.read(folder) for folder in (home / "run").iterdir())
    return [state for state in found if state is not None]


async def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_the_grammar_holds_streamed_or_not_and_the_window_is_asked_of_the_server(home: Path) -> None:
    notes: list[str] = []
    async with served(home, notes=notes) as made:
        found = await made.probe()
        assert (found.model, found.window) == (TINY, 1024)
        pieces: list[str] = []
        whole = await made.sink.perform(ACTION)
        streamed = await made.sink.perform(replace(ACTION, progress=pieces.append))
    for outcome in (whole, streamed):
        assert json.loads(outcome.value["text"])["colour"] in ("red", "blue")
        assert outcome.value["usage"]["prompt"] > 10
    assert len(pieces) > 1
    assert "".join(pieces) == streamed.value["text"]
    assert streamed.value["usage"]["cached"] > 10
    assert any(note.startswith(f"loading {TINY}") for note in notes)


async def test_a_request_that_does_not_fit_the_real_window_is_a_context_overflow(home: Path) -> None:
    long = json.dumps({"role": "user", "content": "word " * 3000}).encode()
    async with served(home) as made:
        with pytest.raises(ContextOverflow, match="1024"):
            await made.sink.perform(replace(ACTION, prompt=Prompt((long,))))


def _command(home: Path, pids: Any) -> None:
    """What another command does, in a process of its own."""

    async def work() -> None:
        made = backend(home)
        await made.sink.perform(ACTION)
        pids.put([state.pid for state in states(home)])
        await made.aclose()

    asyncio.run(work())


async def test_two_commands_at_once_start_one_server(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    pids = context.Queue()
    commands = [context.Process(target=_command, args=(home, pids)) for _ in range(2)]
    async with served(home) as made:
        for command in commands:
            command.start()
        await asyncio.gather(made.sink.perform(ACTION), made.sink.perform(ACTION))
        (own,) = states(home)
        for command in commands:
            await asyncio.to_thread(command.join)
            assert await asyncio.to_thread(pids.get) == [own.pid]


async def test_a_killed_server_is_started_again_for_the_next_call(home: Path) -> None:
    async with served(home) as made:
        await made.sink.perform(ACTION)
        (first,) = states(home)
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: not alive(first.pid))
        await made.sink.perform(ACTION)
        (second,) = states(home)
        assert second.pid != first.pid
        assert second.key != first.key


async def test_a_server_killed_under_a_request_is_restarted_and_the_request_repeated(home: Path) -> None:
    slow = replace(ACTION, prompt=Prompt((b'{"role":"user","content":"Tell a story."}',), max_tokens=200))
    async with served(home) as made:
        await made.sink.perform(ACTION)
        (first,) = states(home)
        busy = Path(f"/proc/{first.pid}/stat")

        def ticks() -> int:
            return int(busy.read_text().rpartition(")")[2].split()[11])

        before = ticks()
        call = asyncio.create_task(made.sink.perform(slow))
        await until(lambda: ticks() > before + 2)  # it works on the request
        os.kill(first.pid, signal.SIGKILL)
        assert len((await call).value["text"]) > 100
        assert states(home)[0].pid != first.pid


async def test_the_server_is_gone_after_idle_s_and_not_before_its_request_ends(home: Path) -> None:
    slow = replace(ACTION, prompt=Prompt((b'{"role":"user","content":"Tell a story."}',), max_tokens=300))
    async with served(home, idle_s=1.0) as made:
        await made.sink.perform(slow)
        (state,) = states(home)
        assert alive(state.pid)
        await until(lambda: not alive(state.pid))
        assert states(home) == []
        await made.sink.perform(ACTION)  # and back when it is needed


async def test_the_key_is_private_and_nothing_is_answered_without_it(home: Path) -> None:
    async with served(home) as made:
        await made.probe()
        (folder,) = (home / "run").iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
        (state,) = states(home)
        assert state.key.encode() not in Path(f"/proc/{state.pid}/cmdline").read_bytes()
        assert state.key.encode() not in Path(f"/proc/{state.pid}/environ").read_bytes()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{state.port}") as stranger:
            for path in ("/v1/chat/completions", "/completion", "/tokenize"):
                async with stranger.post(path, json={"messages": []}) as answer:
                    assert answer.status == 401
            for path in ("/props", "/slots", "/metrics", "/v1/models"):
                async with stranger.get(path) as answer:
                    assert answer.status == 401


async def test_even_with_the_key_there_is_no_page_no_slots_no_metrics_and_no_other_origin(home: Path) -> None:
    async with served(home) as made:
        await made.probe()
        (state,) = states(home)
        headers = {"Authorization": f"Bearer {state.key}", "Origin": "http://evil.example"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{state.port}", headers=headers) as friend:
            for path in ("/", "/index.html", "/slots", "/metrics", "/tools", "/cors-proxy"):
                async with friend.get(path) as answer:
                    assert answer.status in (403, 404, 501), path
            async with friend.options("/v1/chat/completions") as answer:
                assert not answer.headers.get("Access-Control-Allow-Origin")


async def test_the_server_listens_on_loopback_alone_and_connects_nowhere(home: Path) -> None:
    async with served(home) as made:
        await made.sink.perform(ACTION)
        (state,) = states(home)
        sockets = {link.readlink().name for link in Path(f"/proc/{state.pid}/fd").iterdir() if link.is_symlink()}
        own = set()
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in Path(f"/proc/{state.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in sockets:
                    own.add((table, fields[1]))
        assert own == {("tcp", f"0100007F:{state.port:04X}")}


async def test_secrets_of_the_environment_do_not_live_on_in_the_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_API_KEY", "s3cret-value")
    async with served(home) as made:
        await made.probe()
        (state,) = states(home)
        assert b"s3cret-value" not in Path(f"/proc/{state.pid}/environ").read_bytes()


async def test_a_file_that_is_no_model_is_a_fault_with_the_servers_last_words(home: Path) -> None:
    broken = home / "broken.gguf"
    broken.write_bytes(b"GGUF and then nothing of use")
    async with served(home, model=str(broken)) as made:
        with pytest.raises(BackendError, match=r"did not start; its last words: .*load"):
            await made.sink.perform(ACTION)


async def test_a_folder_that_others_may_read_is_refused(home: Path) -> None:
    async with served(home) as made:
        await made.probe()
        (folder,) = (home / "run").iterdir()
        folder.chmod(0o755)
        with pytest.raises(BackendError, match="open to others"):
            await backend(home).probe()
        assert (folder / ALIVE).exists()
