"""`ringfence up`, `down`, `restart`, `reload`, `status` and `logs`: real processes, their sockets and their signals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import stat
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from ringfence.app.accounts import ensure_operator
from ringfence.app.record import open_log
from ringfence.app.serving import whereabouts
from ringfence.app.serving.whereabouts import Whereabouts
from ringfence.cli import up as commands
from ringfence.core.chain import Kind
from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import load
from ringfence.testing.server import running

from ..channels.listening import certificate
from ..crash.served import Client, House, all_words, lay_out, noted, script
from .conftest import Shell, final, process

MANIFEST = """\
runtime: {{name: upper}}
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools: [{{name: calc, type: builtin}}]
"""


@pytest.fixture
def model(folder: Path) -> Iterator[str]:
    with running([final("42")]) as url:
        (folder / "ringfence.yaml").write_text(MANIFEST.format(url=url))
        yield url


@pytest.fixture
def up(folder: Path, model: str) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Commands as processes of their own; what is up at the end is taken down."""

    def run(*arguments: str) -> tuple[int, str, str]:
        one = process(*arguments, cwd=folder)
        out, err = one.communicate(timeout=60)
        assert "Traceback" not in out + err
        return one.returncode, out, err

    yield run
    commands.down(folder / "ringfence.yaml", now=True)


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_server_comes_up_says_where_it_is_and_goes_down(
    folder: Path, up: Callable[..., tuple[int, str, str]], ringfence: Shell
) -> None:
    code, out, err = up("up", "--port", "0")
    assert code == 0, err
    url = re.search(r"up on (http://127\.0\.0\.1:\d+)", out)
    assert url, out
    assert get(url[1] + "/livez")[0] == 200
    assert get(url[1] + "/readyz")[0] == 200
    password = re.search(r"with the password (\S+)", err)
    assert password, "the first start tells the password"
    state = folder / ".ringfence"
    assert password[1] not in (state / "server.log").read_text()
    for name in ("server.json", "server.log", "server.sock", "accounts.db"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600, name
    again = ringfence("up", "--port", "0")
    assert (again.code, again.out.startswith(f"running already: {url[1]}")) == (0, True)
    assert "password" not in again.err, "it is told once"
    status = ringfence("status", "--json")
    said = json.loads(status.out)
    assert (status.code, said["running"], said["state"], said["url"], said["agent"]) == (
        0,
        True,
        "ready",
        url[1],
        "upper",
    )
    assert said["runs"] == {"running": 0, "queued": 0, "waiting": 0}
    assert "taking requests" in ringfence("logs").out
    assert "is running already" in ringfence("serve", "--port", "0").err, "one server for a manifest"
    assert ringfence("down").out == "down\n"
    assert not (state / "server.json").exists()
    assert ringfence("status").code == 1
    code, out, err = up("up", "--port", "0")
    assert (code, "password" in err) == (0, False)


def test_a_port_in_use_is_said_before_anything_is_promised(up: Callable[..., tuple[int, str, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, out, err = up("up", "--port", str(other.getsockname()[1]))
    assert (code, out) == (2, "")
    assert "is in use" in err
    assert "--port 0" in err


def test_a_certificate_that_cannot_be_used_is_said(
    folder: Path, tmp_path: Path, up: Callable[..., tuple[int, str, str]]
) -> None:
    mine = certificate(tmp_path / "tls")
    code, _, err = up("up", "--port", "0", "--tls-cert", str(mine / "cert.pem"), "--tls-key", str(folder / "none.pem"))
    assert (code, "none.pem cannot be read" in err) == (2, True)
    code, _, err = up("up", "--port", "0", "--tls-cert", str(mine / "cert.pem"))
    assert (code, "expected --tls-cert and --tls-key, got one of them" in err) == (2, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_nothing_is_bound_for_others_without_tls_or_a_proxy(ringfence: Shell, model: str, host: str) -> None:
    said = ringfence("serve", "--host", host, "--port", "0")
    assert said.code == 2
    assert "expected tls, or behind_proxy: true" in said.err


def test_without_the_extra_it_is_said_what_to_install(
    ringfence: Shell, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("ringfence.channels.http")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = ringfence("serve", "--port", "0")
    assert said.code == 2
    assert "pip install 'ringfence[server]'" in said.err


def test_a_first_start_writes_a_manifest_and_says_so_and_fetches_nothing_offline(
    ringfence: Shell, folder: Path
) -> None:
    said = ringfence("serve", "--offline")
    assert said.code == 5
    assert "there was no manifest: wrote ringfence.yaml" in said.err
    assert "ringfence models pull" in said.err
    assert load(folder / "ringfence.yaml").inference.tiers[0].provider == "embedded"


def test_a_server_that_was_killed_is_not_taken_for_one_that_runs(ringfence: Shell, folder: Path, model: str) -> None:
    child = process("version")
    child.communicate()
    state = whereabouts.folder_of(load(folder / "ringfence.yaml"))
    Whereabouts(child.pid, "http://127.0.0.1:1", 1, "0").keep(state)
    said = ringfence("status")
    assert (said.code, f"process {child.pid} has ended without a word" in said.out) == (1, True)
    Whereabouts(os.getpid(), "http://127.0.0.1:1", 1, "0").keep(state)
    said = ringfence("status")
    assert (said.code, "may be another's" in said.out) == (1, True)
    said = ringfence("down")
    assert (said.code, said.out) == (0, "no server runs\n")
    assert whereabouts.left(state) is None


def test_the_log_is_followed_over_a_rotation(folder: Path, ringfence: Shell, model: str) -> None:
    log = whereabouts.folder_of(load(folder / "ringfence.yaml")) / "server.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert ringfence("logs", "-n", "2").out == "line 98\nline 99\n"
    following = process("logs", "-f", "-n", "1", cwd=folder)
    assert following.stdout is not None
    try:
        assert following.stdout.readline() == "line 99\n"
        with log.open("a") as more:
            more.write("line 100\n")
        assert following.stdout.readline() == "line 100\n"
        log.rename(log.with_name("server.log.1"))
        log.write_text("a new one\n")
        assert following.stdout.readline() == "a new one\n"
    finally:
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=60)


def test_wiping_asks_for_the_name_and_leaves_the_journal(ringfence: Shell, folder: Path, model: str) -> None:
    ringfence("run", "what is six times seven?", "--quiet")
    ensure_operator(load(folder / "ringfence.yaml"))
    state = folder / ".ringfence"
    journal = (state / "journal.db").read_bytes()
    assert (state / "accounts.db").exists()
    said = ringfence("down", "--wipe", stdin="yes\n")
    assert (said.code, "nothing was destroyed" in said.err) == (2, True)
    assert (state / "accounts.db").exists()
    assert ringfence("down", "--wipe", stdin="upper\n").code == 0
    assert not list(state.glob("accounts.db*"))
    assert len((state / "journal.db").read_bytes()) >= len(journal)
    assert "there is nothing to destroy" in ringfence("down", "--wipe", "--yes").out


class Served:
    """A server over runs with effects, in the foreground, and clients of it."""

    def __init__(self, folder: Path, runs: int, *, delay_ms: float, drain_s: float) -> None:
        self.folder = folder
        self.house = House(folder)
        self._model = running(script(runs), delay_ms=delay_ms)  # type: ignore[arg-type]
        self._drain_s = drain_s

    def __enter__(self) -> Served:
        self.key = lay_out(self.folder, self._model.__enter__(), drain_s=self._drain_s)
        self.house.start()
        return self

    def __exit__(self, *gone: object) -> None:
        if self.house.process is not None:
            self.house.end()
        self._model.__exit__(None, None, None)

    def client(self, number: int) -> Client:
        return Client(number, self.house, self.key)

    def command(self, *arguments: str) -> tuple[int, str, str]:
        one = process(*arguments, cwd=self.folder)
        out, err = one.communicate(timeout=60)
        return one.returncode, out, err

    async def until_noted(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(noted(self.folder)) < count:  # noqa: ASYNC110 (another process writes it)
                await asyncio.sleep(0.02)


def test_a_server_that_is_told_to_stop_lets_runs_end_and_takes_no_new_ones(tmp_path: Path) -> None:
    async def work(served: Served) -> tuple[Client, int, dict[str, str], int]:
        first, base = served.client(0), f"http://127.0.0.1:{served.house.port}"
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(first.work(session))
            await served.until_noted(1)
            assert served.house.process is not None
            served.house.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                while (await asyncio.to_thread(get, base + "/readyz"))[0] != 503:  # noqa: ASYNC110 (as above)
                    await asyncio.sleep(0.02)
            headers = {"Authorization": f"Bearer {served.key}"}
            async with session.post(f"{base}/v1/runs", json={"task": "note 001 down"}, headers=headers) as answer:
                refused, told = answer.status, dict(answer.headers)
            await task
        return first, refused, told, await asyncio.to_thread(served.house.process.wait, 60)

    with Served(tmp_path, 2, delay_ms=300, drain_s=30) as served:
        first, refused, told, code = asyncio.run(work(served))
        assert (first.status, first.ends) == ("done", ["done"]), "its stream was cut"
        assert refused == 503
        assert int(told["Retry-After"]) >= 1
        assert code == 0
        assert sorted(noted(tmp_path)) == all_words([0])


def test_what_does_not_end_in_time_is_stopped_between_its_effects_and_goes_on_with_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(served: Served) -> list[Client]:
        clients = [served.client(n) for n in range(4)]
        async with aiohttp.ClientSession() as session:
            task = asyncio.gather(*(one.work(session) for one in clients))
            await served.until_noted(3)
            assert await asyncio.to_thread(commands.down, tmp_path / "ringfence.yaml", now=False) == 0
            await asyncio.to_thread(served.house.start)
            async with asyncio.timeout(60):
                await task
        return clients

    with Served(tmp_path, 4, delay_ms=500, drain_s=0) as served:
        clients = asyncio.run(work(served))
        assert re.search(r"\d runs? (is|are) left to go on with", capsys.readouterr().out)
        assert {one.status for one in clients} == {"done"}, "a call was torn: nobody knew whether it was done"
        assert sorted(noted(tmp_path)) == all_words(range(4))
        assert any("interrupted" in one.ends for one in clients), "a follower was not told that its run was stopped"


def test_a_restart_refuses_no_request_and_drops_no_run(tmp_path: Path) -> None:
    """A new connection each time, as fast as they come, while one server takes the place of the other, twice."""
    answers: list[int | str] = []
    over = threading.Event()

    def ask(url: str) -> None:
        while not over.is_set():
            try:
                answers.append(get(url)[0])
            except OSError as error:
                answers.append(repr(error))

    async def work(served: Served) -> tuple[list[Client], set[int]]:
        clients, pids = [served.client(n) for n in range(8)], set[int]()
        async with aiohttp.ClientSession() as session:
            task = asyncio.gather(*(one.work(session) for one in clients))
            for _ in range(2):
                await served.until_noted(3)
                code, out, err = await asyncio.to_thread(served.command, "restart")
                assert code == 0, out + err
                pids.add(int(out.rpartition("(process ")[2].partition(",")[0]))
            async with asyncio.timeout(60):
                await task
        return clients, pids

    with Served(tmp_path, 8, delay_ms=400, drain_s=30) as served:
        first = served.house.process
        assert first is not None
        asking = threading.Thread(target=ask, args=(f"http://127.0.0.1:{served.house.port}/livez",))
        asking.start()
        try:
            clients, pids = asyncio.run(work(served))
        finally:
            over.set()
            asking.join()
            served.command("down", "--now")
        assert first.wait(30) == 0
        assert len(pids) == 2
        assert set(answers) == {200}, [one for one in answers if one != 200][:5]
        assert len(answers) > 50
        assert {one.status for one in clients} == {"done"}
        assert sorted(noted(tmp_path)) == all_words(range(8))


def test_a_manifest_that_is_read_anew_decides_what_comes_next_and_is_on_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ringfence.yaml"

    async def work(served: Served) -> Client:
        one = served.client(0)
        async with aiohttp.ClientSession() as session:
            task = asyncio.ensure_future(one.work(session))
            await served.until_noted(1)
            file.write_text(file.read_text().replace("effects: [note]", "effects: []"))
            assert await asyncio.to_thread(commands.reload, file) == 0
            async with asyncio.timeout(60):
                await task
        return one

    with Served(tmp_path, 1, delay_ms=1500, drain_s=30) as served:
        one = asyncio.run(work(served))
        out = capsys.readouterr().out
        assert "the policy is" in out
        assert "1 run goes on under it" in out
        assert len(noted(tmp_path)) < len(all_words([0])), "an effect was done that the new manifest does not grant"
        broken = file.read_text()
        file.write_text(broken + "tools: 7\n")
        with pytest.raises(ManifestError, match="tools"):
            commands.reload(file)
        file.write_text(broken.replace("server:\n", "audit: {every_s: 7}\nserver:\n"))
        with pytest.raises(ManifestError, match="audit cannot change while the server runs") as said:
            commands.reload(file)
        assert "ringfence restart" in said.value.todo
        assert get(f"http://127.0.0.1:{served.house.port}/readyz")[0] == 200
    with open_log(load_of(file, broken)) as log:
        records = log.read(one.run)
        assert one.ids == [f"{record.seq}-{record.time}" for record in records], "a follower missed something"
        changed = [record.view for record in records if record.kind is Kind.CHECKPOINT and "was" in record.view]
        assert len(changed) == 1
        at = next(record.seq for record in records if "was" in record.view)
        assert not [one for one in records[at:] if one.kind is Kind.INTENT and one.view["sink"] == "tool:note"]
        assert [one for one in records[at:] if one.kind is Kind.DECISION and one.view["verdict"] == "deny"]
        assert changed[0]["was"] == records[0].view["policy"] != changed[0]["policy"]
        [reload] = [run for run in log.runs() if run.task == "reload the manifest"]
        assert (reload.state, log.read(reload.run)[0].view["policy"]) == ("done", changed[0]["policy"])
        assert log.verify().problem == ""


def load_of(file: Path, text: str) -> object:
    file.write_text(text)
    return load(file)


def test_a_signal_reads_the_manifest_anew_too_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    with Served(tmp_path, 1, delay_ms=50, drain_s=5) as served:
        file, live = tmp_path / "ringfence.yaml", f"http://127.0.0.1:{served.house.port}/livez"
        good = file.read_text()
        assert served.house.process is not None
        file.write_text(good + "nonsense: true\n")
        served.house.process.send_signal(signal.SIGHUP)
        stderr = served.house.process.stderr
        assert stderr is not None
        assert "the one before still holds" in stderr.readline()
        assert get(live)[0] == 200
        file.write_text(good.replace("effects: [note]", "effects: []"))
        served.house.process.send_signal(signal.SIGHUP)
        ends = time.monotonic() + 60
        with open_log(load(file)) as log:
            while not any(run.task == "reload the manifest" and run.state == "done" for run in log.runs()):
                assert time.monotonic() < ends
                threading.Event().wait(0.05)
