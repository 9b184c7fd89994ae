"""`ringfence runs uncertain | settle`: a person finds out whether a call was done, and the run goes on."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence import app
from ringfence.core.chain import Kind
from ringfence.manifest.loader import load
from ringfence.stores import open_log
from ringfence.stores.hold import holding

from .conftest import Serve, Shell, final, process, step

MANIFEST = """\
inference: {{provider: llamacpp, model: scripted, endpoint: "{url}", retries: 0, timeout_s: 20}}
tools:
  - name: http
    type: builtin
    hosts: [{{host: 127.0.0.1, port: PORT, methods: [POST], private: true, audience: [role:ops]}}]
catalogue:
  http.call: {{effect: commit, audience: [self], args: {{method: low, url: low, body: low, headers: low}}}}
grant: {{effects: [http.call]}}
sandbox: unsafe-none
"""
USER = app.from_manifest.__globals__["_user"]()
SENT = {"name": "a \x1b[31mgift"}


class Silent:
    """A server that takes a request and hangs up without a word; `asked` counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.arrived = threading.Event()
        self.answers = True
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            connection, _ = self.server.accept()
            with connection:
                data = connection.recv(65_536)
                if not data:
                    return
                self.asked += 1
                self.arrived.set()
                if not self.answers:
                    connection.recv(1)  # until the other end is gone

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.thread.join()
        self.server.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


def begin(serve: Serve, silent: Silent) -> None:
    """A model that sends the gift, and then says so."""
    url = f"http://127.0.0.1:{silent.port}/gifts"
    steps = (step("http.call", method="POST", url=url, body=SENT), final("The gift is sent."))
    serve(*steps, manifest=MANIFEST.replace("PORT", str(silent.port)))


@pytest.fixture
def parked(serve: Serve, ringfence: Shell, silent: Silent) -> str:
    """A run whose gift may or may not have arrived; its id."""
    begin(serve, silent)
    shown = ringfence("run", "send the gift", "--json")
    assert shown.code == 4, shown.err
    said = json.loads(shown.out)
    assert (said["status"], [one["tool"] for one in said["uncertain"]]) == ("uncertain", ["http.call"])
    return str(said["run_id"])


def test_a_run_that_is_parked_says_what_to_do(ringfence: Shell, parked: str, silent: Silent) -> None:
    shown = ringfence("run", "--resume", parked)
    assert (shown.code, shown.out.strip()) == (4, "")
    assert "it is not known whether http.call was done" in shown.err
    assert "`ringfence runs uncertain` says how" in shown.err
    assert silent.asked == 1
    assert " uncertain " in ringfence("runs", "list").out
    assert "nobody knows whether it was done" in ringfence("runs", "show", parked).out


def test_all_that_a_person_needs_is_listed_and_nothing_of_it_drives_the_terminal(
    ringfence: Shell, parked: str, silent: Silent
) -> None:
    shown = ringfence("runs", "uncertain")
    assert shown.code == 0
    assert f"run {parked}, call " in shown.out
    assert f"http://127.0.0.1:{silent.port}/gifts" in shown.out
    assert "broke off" in shown.out
    assert "\x1b" not in shown.out
    (one,) = map(json.loads, ringfence("runs", "uncertain", "--json").out.splitlines())
    assert (one["run_id"], one["tool"], one["args"]["body"], one["task"]) == (
        parked,
        "http.call",
        SENT,
        "send the gift",
    )
    assert one["key"] in shown.out
    assert all(f"ringfence runs settle {parked} --call {one['call']}" in way for way in one["todo"])


def test_what_was_done_is_put_on_record_with_who_said_so_and_the_run_goes_on(
    ringfence: Shell, parked: str, silent: Silent, folder: Path
) -> None:
    shown = ringfence("runs", "settle", parked[:14], "--done", "--result", '{"status": 201}')
    assert (shown.code, shown.out.strip()) == (0, "The gift is sent.")
    assert silent.asked == 1
    with open_log(folder / ".ringfence" / "journal.db") as log:
        outcome = next(r for r in log.read(parked) if "settled" in r.view)
    assert (outcome.view["ok"], outcome.view["settled"], outcome.body["value"]) == (
        True, f"user:{USER}", {"status": 201},
    )  # fmt: skip
    assert "done, as user:" in ringfence("runs", "show", parked).out
    assert ringfence("runs", "uncertain").out == ""


def test_what_was_not_done_is_told_the_model_which_may_do_it_again(
    ringfence: Shell, parked: str, silent: Silent, serve: Serve
) -> None:
    before = json.loads(ringfence("runs", "uncertain", "--json").out)
    shown = ringfence("runs", "settle", parked, "--not-done", "--why", "no parcel came", "--no-resume")
    assert (shown.code, shown.out) == (0, "")
    assert f"ringfence run --resume {parked}" in shown.err
    assert silent.asked == 1
    assert "no parcel came" in ringfence("runs", "show", parked).out
    begin(serve, silent)  # a model that says the same once more
    assert ringfence("runs", "resume", parked).code == 4
    assert silent.asked == 2
    after = json.loads(ringfence("runs", "uncertain", "--json").out)
    assert after["args"] == before["args"]
    assert after["key"] != before["key"]


def test_the_side_that_it_was_on_has_to_be_said(ringfence: Shell, parked: str) -> None:
    assert ringfence("runs", "settle", parked).code == 2
    assert ringfence("runs", "settle", parked, "--not-done", "--result", "x").code == 2
    assert ringfence("runs", "settle", parked, "--done", "--why", "x").code == 2
    shown = ringfence("runs", "settle", parked, "--done", "--call", "1")
    assert (shown.code, "expected one of the calls" in shown.err) == (6, True)
    assert ringfence("runs", "settle", "nosuchrun", "--done").code == 6
    assert len(ringfence("runs", "uncertain", "--json").out.splitlines()) == 1


def test_a_run_is_not_cancelled_before_its_effect_is_settled(ringfence: Shell, parked: str) -> None:
    shown = ringfence("runs", "cancel", parked)
    assert (shown.code, f"ringfence runs settle {parked}" in shown.err) == (6, True)
    assert ringfence("runs", "settle", parked, "--done", "--no-resume").code == 0
    assert ringfence("runs", "cancel", parked).code == 0


def test_with_four_eyes_the_one_who_asked_cannot_settle(ringfence: Shell, parked: str, folder: Path) -> None:
    with (folder / "ringfence.yaml").open("a") as file:
        file.write("approvals: {approvers: [role:lead], four_eyes: true}\n")
    shown = ringfence("runs", "settle", parked, "--done")
    assert (shown.code, "may not answer this" in shown.err) == (6, True)
    assert len(ringfence("runs", "uncertain", "--json").out.splitlines()) == 1


def test_a_call_that_is_under_way_is_neither_listed_nor_settled(ringfence: Shell, parked: str, folder: Path) -> None:
    with holding(folder / ".ringfence" / "held", parked):
        assert elsewhere(folder, "runs", "uncertain") == (0, "", "")
        code, _, said = elsewhere(folder, "runs", "settle", parked, "--done")
    assert (code, "is under way in another process" in said) == (6, True)
    assert len(ringfence("runs", "uncertain", "--json").out.splitlines()) == 1


def elsewhere(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """A command of a process that does not hold the run; without the shout about the sandbox."""
    child = process(*arguments, cwd=folder)
    out, err = child.communicate()
    return child.returncode, out, "".join(line for line in err.splitlines(True) if "UNSAFE" not in line)


def test_a_run_that_was_killed_is_listed_before_anybody_has_resumed_it(
    ringfence: Shell, serve: Serve, silent: Silent, folder: Path
) -> None:
    silent.answers = False
    begin(serve, silent)
    child = process("run", "send the gift", cwd=folder)
    assert silent.arrived.wait(30)
    assert ringfence("runs", "uncertain").out == "", "it is under way"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    (one,) = map(json.loads, ringfence("runs", "uncertain", "--json").out.splitlines())
    assert one["why"] == "the run was interrupted before the outcome was on record"
    shown = ringfence("runs", "settle", one["run_id"], "--done")
    assert (shown.code, shown.out.strip(), silent.asked) == (0, "The gift is sent.", 1)


def test_a_manifest_that_names_who_finds_out_says_so_in_the_list(
    ringfence: Shell, parked: str, folder: Path, silent: Silent
) -> None:
    path = folder / "ringfence.yaml"
    host = f"{{host: 127.0.0.1, port: {silent.port}, private: true, audience: [role:ops]}}"
    text = path.read_text().replace(
        "catalogue:\n", f"  - {{name: web, type: builtin, hosts: [{host}]}}\ncatalogue:\n", 1
    )
    text = text.replace("headers: low}}", "headers: low}, reconcile: {by: web.fetch, args: {url: $args/url}}}", 1)
    path.write_text(text.replace("catalogue:\n", "catalogue:\n  web.fetch: {effect: read, audience: [self]}\n", 1))
    assert load(path).catalogue["http.call"].reconcile is not None
    (one,) = map(json.loads, ringfence("runs", "uncertain", "--json").out.splitlines())
    assert one["todo"][0] == f"ringfence runs resume {parked}   # asks web.fetch once more"


def test_the_record_says_which_calls_park_a_run(parked: str, folder: Path) -> None:
    with open_log(folder / ".ringfence" / "journal.db") as log:
        records = log.read(parked)
        assert log.runs(limit=1)[0].state == "uncertain"
    assert records[-1].kind is Kind.CHECKPOINT
    (seq,) = records[-1].view["uncertain"]
    assert records[seq].view["sink"] == "tool:http.call"
    assert not any(record.kind is Kind.FINISHED for record in records)


@pytest.mark.parametrize("words", [(), ("--done", "--not-done")])
def test_a_word_that_says_nothing_or_both_is_no_word(ringfence: Shell, words: tuple[str, ...]) -> None:
    out = ringfence("runs", "settle", "any", *words)
    assert (out.code, out.out) == (2, "")
    assert "--not-done" in out.err
