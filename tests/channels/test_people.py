"""Accounts, sessions and keys over HTTP: what an admin may, what nobody may, and what is on record of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ringfence import stores
from ringfence.channels.auth.own import LONGEST_DAYS
from ringfence.core.errors import ManifestError
from ringfence.stores.accounts.keys import EACH
from ringfence.stores.accounts.people import LastAdmin, Person

from .doors import PASSWORD, Doors, accounts_in, doors, hashed
from .kit import MANIFEST


class Someone:
    """A browser of somebody who has signed in."""

    def __init__(self, client: httpx2.AsyncClient, csrf: str) -> None:
        self.client, self._headers = client, {"X-CSRF-Token": csrf}

    async def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return await self.client.request(method, path, headers=self._headers, **more)


async def comes_in(at: Doors, stack: AsyncExitStack, name: str, password: str = PASSWORD) -> Someone:
    client = await stack.enter_async_context(at.browser())
    answer = await client.post("/auth/login", json={"name": name, "password": password})
    assert answer.status_code == 204, answer.text
    return Someone(client, (await client.get("/auth/session")).json()["csrf"])


def recorded(folder: Path) -> list[tuple[str, str, str]]:
    """What is on record of accounts: by whom, what, and whose; the oldest first."""
    with stores.open_log(folder / ".ringfence/journal.db") as log:
        runs = [log.views(run.run)[0] for run in reversed(log.runs(100))]
    return [(one.principal, one.view["account"], one.view["name"]) for one in runs if "account" in one.view]


async def test_an_account_that_an_admin_adds_comes_in_and_every_step_is_on_record_without_a_secret(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        ada = await comes_in(at, stack, "ada")
        made = (await ada.ask("POST", "/v1/people", json={"name": "dora", "roles": ["ops"], "teams": ["red"]})).json()
        assert (made["kind"], made["roles"], made["teams"], made["disabled"]) == ("own", ["ops"], ["red"], False)
        dora = await comes_in(at, stack, "dora", made["made"])
        assert (await ada.ask("POST", "/v1/people", json={"name": "DORA"})).json()["code"] == "there"
        changed = await ada.ask("PATCH", "/v1/people/dora", json={"roles": ["auditor"]})
        assert (changed.json()["roles"], changed.json()["teams"]) == (["auditor"], ["red"])
        assert (await dora.ask("GET", "/v1/audit/runs")).status_code == 200, "from the next request on"
        reset = (await ada.ask("POST", "/v1/people/dora/password", json={})).json()
        assert (await dora.ask("GET", "/v1/runs")).status_code == 401, "a new password ends sessions"
        dora = await comes_in(at, stack, "dora", reset["made"])
        assert (await ada.ask("POST", "/v1/people/dora/disable")).json()["disabled"]
        assert (await dora.ask("GET", "/v1/runs")).status_code == 401
        assert not (await ada.ask("POST", "/v1/people/dora/enable")).json()["disabled"]
        mine = {"old": PASSWORD, "new": "other words of mine"}
        assert (await ada.ask("POST", "/auth/password", json=mine)).status_code == 200
    steps = [(what, "dora") for what in ("add", "roles", "passwd", "disable", "enable")]
    assert recorded(tmp_path) == [("user:ada", *step) for step in [*steps, ("passwd", "ada")]]
    files = b"".join(file.read_bytes() for file in (tmp_path / ".ringfence").glob("*.db*"))
    assert not [word for word in (made["made"], reset["made"], "other words of mine") if word.encode() in files]


async def test_nobody_changes_their_own_account_nor_the_operators_there(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        at.accounts.people.first("root", hashed(PASSWORD))
        ada = await comes_in(at, stack, "ada")
        for name, code in (("ada", "self"), ("ADA", "self"), ("root", "operator"), ("nobody", "not-found")):
            for what, body in (("disable", None), ("enable", None), ("password", {})):
                answer = await ada.ask("POST", f"/v1/people/{name}/{what}", json=body)
                assert answer.json()["code"] == code, (name, what)
            assert (await ada.ask("PATCH", f"/v1/people/{name}", json={"roles": ["ops"]})).json()["code"] == code
        refused = await ada.ask("PATCH", "/v1/people/bob", json={"roles": ["admin"]})
        assert (refused.status_code, "manifest says" in refused.json()["detail"]) == (422, True)
    assert recorded(tmp_path)[-1] == ("user:ada", "roles", "bob"), "that it was tried is on record"


async def test_the_last_admin_stays_even_if_two_put_each_other_out_in_one_moment(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        at.accounts.people.add(Person("eve", roles=("admin",), hash=hashed(PASSWORD)))
        ada, eve = await comes_in(at, stack, "ada"), await comes_in(at, stack, "eve")
        answers = await asyncio.gather(
            ada.ask("POST", "/v1/people/eve/disable"), eve.ask("POST", "/v1/people/ada/disable")
        )
        assert sum(one.status_code == 200 for one in answers) == 1, [one.text for one in answers]
        left = [one for one in at.accounts.people.all() if "admin" in one.roles and not one.disabled]
        assert len(left) == 1


def test_with_ruled_no_change_takes_the_last_admin_and_what_was_begun_is_undone(tmp_path: Path) -> None:
    with accounts_in(tmp_path, lambda: 1) as accounts:
        accounts.people.add(Person("eve", roles=("admin", "ops"), hash="x"))
        with pytest.raises(LastAdmin, match="the last admin"):
            accounts.people.change("eve", roles=["ops"], ruled=True)
        with pytest.raises(LastAdmin):
            accounts.people.change("eve", disabled=True, ruled=True)
        eve = accounts.people.find("eve")
        assert eve is not None
        assert (eve.roles, eve.disabled) == (("admin", "ops"), False)
        accounts.people.add(Person("ada", roles=("admin",), hash="x"))
        assert accounts.people.change("eve", roles=["ops"], ruled=True).roles == ("ops",)


async def test_a_key_of_an_admin_takes_ways_in_away_and_opens_none(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, at.browser() as program:
        at.accounts.people.add(Person("dora", roles=("ops",), hash=hashed(PASSWORD)))
        narrow, wide = (at.accounts.keys.add("ada", [scope])[0] for scope in ("runs", "admin"))  # type: ignore[list-item]
        theirs = at.accounts.keys.add("dora", ["runs"])[1].ident

        async def ask(method: str, path: str, key: str = wide, **more: Any) -> int:
            answer = await program.request(method, path, headers={"Authorization": f"Bearer {key}"}, **more)
            return answer.status_code

        assert await ask("GET", "/v1/people") == 200
        assert await ask("GET", "/v1/people", narrow) == 403
        opening = [
            ("POST", "/v1/people", {"name": "mallory", "roles": ["admin"]}),
            ("PATCH", "/v1/people/dora", {"roles": ["admin"]}),
            ("POST", "/v1/people/dora/password", {"password": "four words of another"}),
            ("POST", "/v1/people/dora/enable", None),
            ("POST", "/auth/keys", {"scopes": ["runs"], "days": 1}),
        ]  # fmt: skip
        assert [await ask(method, path, json=body) for method, path, body in opening] == [403] * 5
        assert await ask("GET", "/auth/keys") == 403
        assert await ask("DELETE", f"/v1/keys/{theirs}") == 204
        assert await ask("POST", "/v1/people/dora/disable") == 200
        dora = at.accounts.people.find("dora")
        assert dora is not None
        assert (dora.disabled, dora.roles) == (True, ("ops",))


async def test_an_admin_of_a_tenant_sees_and_changes_that_tenant_alone(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        at.accounts.people.add(Person("nora", roles=("admin",), tenant="north", hash=hashed(PASSWORD)))
        at.accounts.people.add(Person("sam", tenant="south", hash=hashed(PASSWORD)))
        at.accounts.people.add(Person("nick", tenant="north", hash=hashed(PASSWORD)))
        await comes_in(at, stack, "sam")
        key = at.accounts.keys.add("sam", ["runs"])[1].ident
        nora = await comes_in(at, stack, "nora")
        shown = [one["name"] for one in (await nora.ask("GET", "/v1/people")).json()["data"]]
        assert shown == ["alice", "nick", "nora", "petra"]
        assert [one["name"] for one in (await nora.ask("GET", "/v1/sessions")).json()["data"]] == ["nora"]
        assert (await nora.ask("GET", "/v1/keys")).json()["data"] == []
        session = at.accounts.sessions.of("sam")[0].ident
        for method, path in (
            ("POST", "/v1/people/sam/disable"), ("DELETE", f"/v1/keys/{key}"), ("DELETE", f"/v1/sessions/{session}"),
            ("DELETE", "/v1/sessions?name=sam"),
        ):  # fmt: skip
            assert (await nora.ask(method, path)).status_code == 404, path
        assert (await nora.ask("POST", "/v1/people", json={"name": "x", "tenant": "south"})).json()["code"] == "tenant"
        assert (await nora.ask("POST", "/v1/people", json={"name": "y"})).json()["tenant"] == "north"
        assert (await nora.ask("POST", "/v1/people/nick/disable")).status_code == 200


async def test_who_came_by_a_provider_is_seen_and_signed_out_by_name(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        issuer = "https://id.example"
        for _ in range(2):
            at.accounts.sessions.begin("ann/of@id", 1, provider=issuer, roles=("role:nurse",), tenant="north")
        ada = await comes_in(at, stack, "ada")
        found = {one["name"]: one for one in (await ada.ask("GET", "/v1/people")).json()["data"]}
        ann = found["ann/of@id"]
        assert (ann["kind"], ann["roles"], ann["tenant"], ann["sessions"]) == ("elsewhere", ["nurse"], "north", 2)
        assert (await ada.ask("POST", "/v1/people/ann/disable")).status_code == 404
        ended = await ada.ask("DELETE", "/v1/sessions", params={"name": "ann/of@id"})
        assert ended.json() == {"ended": 2}
        assert (await ada.ask("DELETE", "/v1/sessions", params={"name": "ann/of@id"})).status_code == 404
    assert recorded(tmp_path) == [("user:ada", "sign-out", "ann/of@id")]


async def test_people_are_paged_by_name_and_known_roles_are_told(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack:
        ada = await comes_in(at, stack, "ada")
        names, after = [], ""
        while after is not None:
            page = (await ada.ask("GET", "/v1/people", params={"limit": 2, "after": after})).json()
            names += [one["name"] for one in page["data"]]
            after = page["next"]
        assert names == ["ada", "alice", "bob", "otto", "petra"]
        assert set(page["roles"]) >= {"admin", "auditor"}
        assert [one["you"] for one in (await ada.ask("GET", "/v1/people")).json()["data"]][:2] == [True, False]


async def test_ones_own_keys_end_are_for_what_one_may_and_are_ones_own_to_revoke(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, AsyncExitStack() as stack, at.browser() as program:
        alice, bob = await comes_in(at, stack, "alice"), await comes_in(at, stack, "bob")
        made = await alice.ask("POST", "/auth/keys", json={"scopes": ["memory", "runs"], "days": 30, "purpose": "x"})
        assert made.status_code == 201
        key, ident = made.json()["key"], made.json()["id"]
        assert made.json()["ends"] == at.clock.now + 30 * 86_400_000
        headers = {"Authorization": f"Bearer {key}"}
        assert (await program.get("/v1/runs", headers=headers)).status_code == 200
        shown = (await alice.ask("GET", "/auth/keys")).json()["data"]
        assert [(one["id"], one["scopes"], one["state"]) for one in shown] == [(ident, ["memory", "runs"], "holds")]
        assert key not in str(shown)
        for scope in ("audit", "admin", "metrics"):
            assert (await alice.ask("POST", "/auth/keys", json={"scopes": [scope], "days": 1})).json()["code"] == "role"
        for wrong in (
            {"scopes": [], "days": 1}, {"scopes": ["all"], "days": 1}, {"scopes": ["runs"], "days": 0},
            {"scopes": ["runs"], "days": LONGEST_DAYS + 1}, {"scopes": ["runs"]}, {"scopes": ["runs"], "days": None},
            {"scopes": ["runs"], "days": 1, "name": "bob"},
        ):  # fmt: skip
            assert (await alice.ask("POST", "/auth/keys", json=wrong)).status_code == 422, wrong
        assert (await bob.ask("DELETE", f"/auth/keys/{ident}")).status_code == 404
        assert (await program.get("/v1/runs", headers=headers)).status_code == 200
        assert (await alice.ask("DELETE", f"/auth/keys/{ident}")).status_code == 204
        assert (await program.get("/v1/runs", headers=headers)).status_code == 401
        assert (await alice.ask("GET", "/auth/keys")).json()["data"][0]["state"] == "revoked"
    assert recorded(tmp_path) == [("user:alice", "key", "alice"), ("user:alice", "revoke", ident)]


async def test_where_keys_are_switched_off_nobody_makes_one_and_the_page_is_told(tmp_path: Path) -> None:
    users = "    - {name: alice, roles: [ops]}\n"
    off = MANIFEST + f"\nserver:\n  users:\n{users}  auth: {{keys: false}}\n"
    async with doors(tmp_path, manifest=off) as at, AsyncExitStack() as stack:
        alice = await comes_in(at, stack, "alice")
        assert (await alice.ask("POST", "/auth/keys", json={"scopes": ["runs"], "days": 1})).status_code == 404
        who = (await alice.ask("GET", "/auth/session")).json()
        assert (who["password"], who["keys"]) == (True, False)


def test_an_account_has_so_many_keys_and_those_that_ended_make_room(tmp_path: Path) -> None:
    with accounts_in(tmp_path, lambda: 1_000) as accounts:
        first = accounts.keys.add("alice", ["runs"])[1]
        for _ in range(EACH - 1):
            accounts.keys.add("alice", ["runs"])
        with pytest.raises(ManifestError, match=f"at most {EACH} keys"):
            accounts.keys.add("alice", ["runs"])
        accounts.keys.add("bob", ["runs"])
        accounts.keys.revoke(first.ident)
        made = accounts.keys.add("alice", ["runs"])[1]
        found = {key.ident for key in accounts.keys.all("alice")}
        assert len(found) == EACH
        assert first.ident not in found
        assert made.ident in found
