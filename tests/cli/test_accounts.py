"""`ringfence users` and `ringfence keys`: who may come in, each change on the record, no secret on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import stores
from ringfence.app.accounts import ensure_operator, open_accounts, operator_name
from ringfence.core.chain import Kind
from ringfence.manifest.loader import load
from ringfence.stores.accounts.passwords import Passwords

from .conftest import Shell

MANIFEST = """\
inference: {provider: llamacpp, model: scripted}
tools: []
server: {users: [{name: carol, roles: [ops]}]}
"""


@pytest.fixture(autouse=True)
def manifest(folder: Path) -> Path:
    (folder / "ringfence.yaml").write_text(MANIFEST)
    return folder / "ringfence.yaml"


def signs_in(name: str, password: str) -> bool:
    accounts, passwords = open_accounts(load(Path("ringfence.yaml"))), Passwords()
    person = accounts.people.find(name)
    right = passwords.check(password, person.hash if person is not None and not person.disabled else "")
    passwords.close()
    accounts.close()
    return right


def record() -> bytes:
    return b"".join(file.read_bytes() for file in Path(".ringfence").glob("*.db*"))


def test_an_account_is_added_changed_disabled_and_taken_out_and_all_of_it_is_on_the_record(ringfence: Shell) -> None:
    made = ringfence("users", "add", "dave", "--role", "ops", "--team", "red")
    password = made.out.strip()
    assert signs_in("dave", password)
    assert ringfence("users", "passwd", "dave").out.strip() != password
    assert not signs_in("dave", password)
    assert "role:admin" in ringfence("users", "roles", "dave", "--role", "admin").out
    assert ringfence("users", "disable", "dave").code == 0
    listed = [json.loads(line) for line in ringfence("users", "list", "--json").out.splitlines()]
    assert [(one["name"], one["roles"], one["disabled"]) for one in listed] == [
        ("carol", ["ops"], False), ("dave", ["admin"], True),
    ]  # fmt: skip
    assert ringfence("users", "enable", "dave").code == 0
    assert ringfence("users", "rm", "dave").code == 2
    assert ringfence("users", "rm", "dave", "--yes").code == 0
    assert not signs_in("dave", password)
    with stores.open_log(Path(".ringfence/journal.db")) as log:
        runs = [log.read(run.run) for run in reversed(log.runs(20))]
    said = [(run[0].view["account"], run[0].view["name"], run[-1].view["status"]) for run in runs]
    assert said == [
        (what, "dave", "done") for what in ("add", "passwd", "roles", "disable", "enable", "rm")
    ]  # fmt: skip
    assert all([one.kind for one in run] == [Kind.STARTED, Kind.FINISHED] for run in runs)
    assert password.encode() not in record()


def test_the_manifests_users_get_a_password_and_keep_the_roles_that_it_says(ringfence: Shell) -> None:
    password = ringfence("users", "passwd", "carol").out.strip()
    assert signs_in("carol", password)
    refused = ringfence("users", "roles", "carol", "--role", "admin")
    assert (refused.code, "what the manifest says" in refused.err) == (2, True)
    assert ringfence("users", "rm", "carol", "--yes").code == 2


def test_a_password_comes_from_stdin_and_an_easy_one_is_refused(ringfence: Shell) -> None:
    assert ringfence("users", "passwd", "carol", "--password-stdin", stdin="too short\n").code == 2
    assert ringfence("users", "passwd", "carol", "--password-stdin", stdin="four words of mine\n").out == ""
    assert signs_in("carol", "four words of mine")


@pytest.mark.parametrize(
    "arguments", [("a b",), ("dave", "--role", "role:ops"), ("dave", "--tenant", "a/b"), ("CAROL",)]
)
def test_a_name_that_is_none_or_is_taken_is_refused(ringfence: Shell, arguments: tuple[str, ...]) -> None:
    assert ringfence("users", "add", *arguments).code == 2
    assert [json.loads(line)["name"] for line in ringfence("users", "list", "--json").out.splitlines()] == ["carol"]


def test_a_key_is_shown_once_listed_without_itself_and_taken_out(ringfence: Shell, manifest: Path) -> None:
    made = ringfence("keys", "add", "carol", "--scope", "runs", "--scope", "memory", "--for", "the night job")
    key = made.out.strip()
    accounts = open_accounts(load(manifest))
    found = accounts.keys.find(key)
    assert found is not None
    assert (found.name, found.scopes) == ("carol", ("memory", "runs"))
    listed = ringfence("keys", "list").out
    assert "the night job" in listed
    assert key.rpartition("_")[2] not in listed
    assert ringfence("keys", "rm", found.ident).code == 0
    assert accounts.keys.find(key) is None
    accounts.close()
    assert "revoked" in ringfence("keys", "list").out
    assert ringfence("keys", "rm", "nothing").code == 2
    assert ringfence("keys", "add", "carol", "--scope", "all").code == 2
    assert ringfence("keys", "add", "nobody").code == 2
    assert key.encode() not in record()


def test_sessions_are_shown_and_ended_by_name_those_of_a_provider_too_and_it_is_on_the_record(
    manifest: Path, ringfence: Shell
) -> None:
    accounts = open_accounts(load(manifest))
    mine = [accounts.sessions.begin("carol", 1, agent="Firefox") or "" for _ in range(2)]
    theirs = accounts.sessions.begin("ann@id.example", 1, provider="https://id.example", roles=("role:ops",)) or ""
    shown = ringfence("users", "sessions").out
    assert "ann@id.example" in shown
    assert "by https://id.example" in shown
    assert not [token for token in (*mine, theirs) if token in shown]
    listed = [json.loads(line) for line in ringfence("users", "sessions", "carol", "--json").out.splitlines()]
    assert [one["agent"] for one in listed] == ["Firefox", "Firefox"]
    one = accounts.sessions.find(mine[0], 10**9)
    assert one is not None
    assert ringfence("users", "sign-out", "carol", "--session", one.ident).code == 0
    assert [accounts.sessions.find(token, 10**9) is None for token in (*mine, theirs)] == [True, False, False]
    told = ringfence("users", "sign-out", "ANN@id.example")
    assert (told.code, "at the provider they may be signed in still" in told.err) == (0, True)
    assert accounts.sessions.find(theirs, 10**9) is None
    assert accounts.sessions.find(mine[1], 10**9) is not None
    assert ringfence("users", "sign-out", "ann@id.example").code == 2
    assert ringfence("users", "sign-out", "carol", "--session", "nothing").code == 2
    accounts.close()
    with stores.open_log(Path(".ringfence/journal.db")) as log:
        views = [log.read(run.run)[0].view for run in reversed(log.runs(20))]
    assert [(view["account"], view["name"]) for view in views] == [
        ("sign-out", "carol"), ("sign-out", "ann@id.example"),
    ]  # fmt: skip


def test_the_first_start_makes_the_operators_account_and_tells_its_password_once(
    manifest: Path, ringfence: Shell
) -> None:
    known = load(manifest)
    password = ensure_operator(known)
    assert password is not None
    assert ensure_operator(known) is None
    assert signs_in(operator_name(known), password)
    mine = ringfence("keys", "add")
    assert mine.code == 0
    assert operator_name(known) in mine.err


def test_help_needs_neither_a_server_nor_a_hasher() -> None:
    code = (
        "import sys; sys.argv = ['ringfence', 'users', '--help']\n"
        "import ringfence.cli\n"
        "try: ringfence.cli.main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('argon2', 'fastapi', 'apsw', 'joserfc') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
