"""Accounts: nothing in the file lets anybody in, an end is an end at once, and a wait outlives a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringfence.core.errors import JournalError, ManifestError
from ringfence.core.values import Principal
from ringfence.manifest.server import User
from ringfence.stores.accounts import Accounts
from ringfence.stores.accounts.attempts import FIRST_MS, LONGEST_MS
from ringfence.stores.accounts.passwords import Passwords, acceptable, generated
from ringfence.stores.accounts.people import Person
from ringfence.stores.accounts.sessions import EACH

from ..channels.doors import PASSWORD, START, Clock, hashed

HOUR = 3_600_000
OPERATOR = Principal("user:root", frozenset({"role:ops", "team:red"}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "there" / "accounts.db", clock)
    made.people.know([User(name="Carol", roles=("ops",), teams=("red",), tenant="north")], OPERATOR)
    yield made
    made.close()


def test_nothing_in_the_file_lets_anybody_in_and_nobody_else_reads_it(accounts: Accounts) -> None:
    accounts.people.add(Person("dave", hash=hashed(PASSWORD)))
    token = accounts.sessions.begin("dave", 1.0)
    key, _ = accounts.keys.add("dave", ["runs"])
    assert token is not None
    folder = accounts.file.path.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    held = b""
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
        held += file.read_bytes()
    assert b"dave" in held
    for secret in (token, key, key.rpartition("_")[2], PASSWORD):
        assert secret.encode() not in held


def test_the_manifest_says_who_its_users_are_and_the_file_what_their_password_is(accounts: Accounts) -> None:
    people = accounts.people
    people.change("CAROL", hashed="$argon2id$x")
    carol = people.find("carol")
    assert carol is not None
    assert (carol.name, carol.hash) == ("Carol", "$argon2id$x")
    assert carol.principal == Principal("user:Carol", frozenset({"role:ops", "team:red"}), "north")
    with pytest.raises(ManifestError, match="what the manifest says"):
        people.change("carol", roles=("admin",))
    with pytest.raises(ManifestError, match="named in the manifest"):
        people.remove("carol")
    people.know([User(name="Carol", roles=("hr",))], OPERATOR)
    assert people.find("carol").principal.roles == {"role:hr"}  # type: ignore[union-attr]
    people.know([User(name="boss", roles=("admin",))], OPERATOR)
    assert people.find("BOSS") is not None
    assert people.find("bo\u00df") is None, "another letter that folds to these is another person"
    people.know([], OPERATOR)
    assert people.find("carol") is None, "who was taken out of the manifest still has a way in"


def test_a_new_account_has_no_key_of_one_who_had_its_name_before(accounts: Accounts) -> None:
    accounts.people.change("carol", hashed="$argon2id$x")
    key, _ = accounts.keys.add("Carol", ["admin"])
    accounts.people.know([], OPERATOR)
    accounts.people.add(Person("carol"))
    assert accounts.keys.find(key) is None
    assert accounts.people.find("carol").hash == ""  # type: ignore[union-attr]


def test_the_operators_account_is_made_once_whatever_becomes_of_it(accounts: Accounts) -> None:
    assert accounts.people.first("root", "$argon2id$x")
    root = accounts.people.find("root")
    assert root is not None
    assert root.principal.roles == {"role:ops", "team:red", "role:admin", "role:auditor"}
    assert not accounts.people.first("root", "$argon2id$other")
    accounts.people.remove("root")
    assert not accounts.people.first("root", "$argon2id$other")
    assert accounts.people.find("root") is None


@pytest.mark.parametrize("name", ["", "a b", "röbi", "1st", "x" * 64, "a/b", "a\n"])
def test_a_name_that_is_none_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(ManifestError, match="expected a letter"):
        accounts.people.add(Person(name))


def test_a_session_ends_with_its_time_with_idleness_with_the_password_and_with_the_account(
    accounts: Accounts, clock: Clock
) -> None:
    people, sessions = accounts.people, accounts.sessions
    people.add(Person("dave", hash="one"))

    def begun() -> str:
        token = sessions.begin("dave", 2.0, hashed=people.find("dave").hash)  # type: ignore[union-attr]
        assert token is not None
        assert sessions.find(token, HOUR)
        return token

    token = begun()
    clock.later(minutes=59)
    sessions.touch(sessions.find(token, HOUR))  # type: ignore[arg-type]
    clock.later(minutes=59)
    assert sessions.find(token, HOUR)
    clock.later(minutes=3)
    assert not sessions.find(token, HOUR), "it is older than it may get"
    token = begun()
    clock.later(minutes=61)
    assert not sessions.find(token, HOUR), "nobody used it for an hour"
    token = begun()
    people.change("dave", hashed="two")
    assert not sessions.find(token, HOUR)
    assert sessions.begin("dave", 1.0, hashed="one") is None, "the password was changed while it was looked at"
    token = begun()
    people.change("dave", disabled=True)
    assert not sessions.find(token, HOUR)
    people.change("dave", disabled=False)
    token = begun()
    people.remove("dave")
    assert not sessions.find(token, HOUR)


def test_sessions_survive_a_restart_and_another_process_sees_their_end(accounts: Accounts, clock: Clock) -> None:
    token = accounts.sessions.begin("Carol", 1.0) or ""
    other = Accounts(accounts.file.path, clock)
    assert other.sessions.find(token, HOUR)
    assert accounts.sessions.end("Carol") == 1
    assert not other.sessions.find(token, HOUR)
    other.close()


def test_signing_in_without_end_keeps_the_newest_sessions_alone(accounts: Accounts, clock: Clock) -> None:
    tokens = []
    for _ in range(EACH + 5):
        tokens.append(accounts.sessions.begin("Carol", 1.0) or "")
        clock.later(seconds=1)
    found = [bool(accounts.sessions.find(token, HOUR)) for token in tokens]
    assert found == [False] * 5 + [True] * EACH


def test_a_key_holds_as_it_was_made_until_it_ends_or_is_revoked(accounts: Accounts, clock: Clock) -> None:
    text, key = accounts.keys.add("Carol", ["runs", "memory"], days=1)
    found = accounts.keys.find(text)
    assert found is not None
    assert (found.name, found.scopes) == ("Carol", ("memory", "runs"))
    forged = [
        "", "rf_", text[:-1], text + "x", text.upper(), text.swapcase(), f"rf_{key.ident}_{'A' * 43}", f" {text}",
        f"rf_{'0' * 12}_{text.rpartition('_')[2]}", text + "\n", text.replace("rf_", "rf-"), "\ud800",
    ]  # fmt: skip
    assert [one for one in forged if accounts.keys.find(one)] == []
    accounts.keys.revoke(key.ident)
    assert accounts.keys.find(text) is None
    text, _ = accounts.keys.add("Carol", ["runs"], days=1)
    clock.later(minutes=24 * 60 + 1)
    assert accounts.keys.find(text) is None
    with pytest.raises(ManifestError, match="expected scopes"):
        accounts.keys.add("Carol", ["everything"])  # type: ignore[list-item]


def _waits(accounts: Accounts, clock: Clock, count: int, address: str = "10.0.0.1") -> list[int]:
    """What each of so many attempts, one as soon as the one before allows, has to wait."""
    waits = []
    for _ in range(count):
        while wait := accounts.attempts.begin("dave", address, 3):
            clock.later(seconds=wait / 1000)
            waits.append(wait)
    return waits


def test_the_wait_after_wrong_passwords_doubles_and_has_an_end(accounts: Accounts, clock: Clock) -> None:
    waits = _waits(accounts, clock, 16)
    assert waits[:4] == [FIRST_MS, 2 * FIRST_MS, 4 * FIRST_MS, 8 * FIRST_MS]
    assert waits[-1] == LONGEST_MS
    accounts.attempts.right("dave", "10.0.0.1")
    assert _waits(accounts, clock, 3, "10.0.0.2") == []


def test_no_restart_and_no_other_process_forgets_a_wait(accounts: Accounts, clock: Clock) -> None:
    for _ in range(3):
        assert accounts.attempts.begin("dave", "10.0.0.1", 3) == 0
    other = Accounts(accounts.file.path, clock)
    assert other.attempts.begin("DAVE", "10.0.0.2", 3) > 0, "the same account in other letters, from elsewhere"
    assert other.attempts.begin("erin", "10.0.0.2", 3) == 0
    other.close()


def test_an_address_waits_that_tries_every_name(accounts: Accounts, clock: Clock) -> None:
    names = [f"name{n}" for n in range(40)]
    waits = [accounts.attempts.begin(name, "10.0.0.9", 3) for name in names]
    assert waits.index(next(wait for wait in waits if wait)) == 15
    assert accounts.attempts.begin("name99", "10.0.0.8", 3) == 0


def test_an_address_gets_an_attempt_back_a_minute(accounts: Accounts, clock: Clock) -> None:
    for n in range(100):  # a whole house that mistypes now and then
        assert accounts.attempts.begin(f"name{n}", "10.0.0.9", 3) == 0
        clock.later(minutes=1)


def test_of_a_hundred_attempts_at_once_as_many_count_as_are_allowed(accounts: Accounts) -> None:
    start = threading.Barrier(10)

    def one(_: int) -> int:
        start.wait(10)
        return sum(accounts.attempts.begin("dave", "10.0.0.1", 3) == 0 for _ in range(10))

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one, range(10))) == 3


def test_four_that_open_a_new_file_at_once_see_the_same(tmp_path: Path, clock: Clock) -> None:
    start = threading.Barrier(4)

    def one(n: int) -> bool:
        start.wait(10)
        opened = Accounts(tmp_path / "new" / "accounts.db", clock)
        try:
            return opened.people.first(f"root{n}", "")
        finally:
            opened.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [False, False, False, True]


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "accounts.db"
    path.write_bytes(b"no database at all, and long enough to be read as one" * 40)
    with pytest.raises(JournalError, match="cannot be used"):
        Accounts(path, clock)
    assert path.read_bytes().startswith(b"no database")
    (tmp_path / "link.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(JournalError, match="cannot be written"):
        Accounts(tmp_path / "link.db", clock)
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_password_is_argon2id_with_its_own_salt_and_is_the_same_on_every_keyboard() -> None:
    passwords = Passwords()
    first, again = passwords.hash("Ångström words"), passwords.hash("Ångström words")
    assert first != again
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.check("A\u030angstro\u0308m words", first)
    assert not passwords.check("angstrom words", first)
    assert not passwords.check("anything", "")
    assert not passwords.check("anything", "no hash")
    passwords.close()


@pytest.mark.parametrize("easy", ["short", "aaaaaaaaaaaaaaaa", "dave-dave-dave", "x" * 257, "xxDAVE12345678"])
def test_a_password_that_is_guessed_at_once_is_refused(easy: str) -> None:
    with pytest.raises(ManifestError):
        acceptable(easy, "dave")


def test_a_generated_password_is_acceptable_and_never_the_same() -> None:
    made = {acceptable(generated(), "dave") for _ in range(100)}
    assert len(made) == 100


def test_times_are_of_the_clock(accounts: Accounts) -> None:
    accounts.people.add(Person("dave"))
    assert accounts.people.find("dave").created == START  # type: ignore[union-attr]
