"""Attacks on the way in: guessed passwords, stolen cookies, made-up keys, other sites' pages, other names for us."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest

from ringfence.channels.http import streams
from ringfence.stores.accounts.attempts import FIRST_MS
from ringfence.stores.accounts.people import Person

from ..channels.doors import PASSWORD, Doors, doors, hashed
from ..channels.kit import MANIFEST, Held, final

WRONG = "not the password"


async def test_nobody_guesses_a_password_by_trying_and_a_restart_does_not_help(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        for _ in range(5):
            assert (await at.sign_in("alice", WRONG)).status_code == 401
        refused = await at.sign_in("alice", PASSWORD)
        assert (refused.status_code, refused.json()["code"]) == (429, "wait")
        assert refused.headers["retry-after"] == str(FIRST_MS // 1000)
        async with at.browser(address="10.9.8.7") as elsewhere:
            assert (await at.sign_in("Alice", PASSWORD, elsewhere)).status_code == 429, "from another address"
        clock = at.clock
    async with doors(tmp_path, clock=clock) as at:
        assert (await at.sign_in("alice", PASSWORD)).status_code == 429
        clock.later(seconds=FIRST_MS / 1000)
        assert (await at.sign_in("alice", PASSWORD)).status_code == 204, "whoever waits comes in"
        assert (await at.sign_in("bob", PASSWORD)).status_code == 204


async def test_a_thousand_guesses_at_once_are_no_way_around_the_wait(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        before = at.credentials.passwords.checks
        answers = await asyncio.gather(*(at.sign_in("alice", WRONG) for _ in range(40)))
        assert sorted({one.status_code for one in answers}) == [401, 429]
        assert at.credentials.passwords.checks - before == 5


async def test_whether_an_account_exists_shows_neither_in_words_nor_in_work(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        at.accounts.people.change("bob", disabled=True)
        at.accounts.people.change("petra", hashed="")
        told, work = [], []
        for name in ("alice", "bob", "petra", "nobody"):
            before = at.credentials.passwords.checks
            answer = await at.sign_in(name, WRONG)
            work.append(at.credentials.passwords.checks - before)
            told.append((answer.status_code, answer.content, sorted(answer.headers)))
        assert work == [1, 1, 1, 1]
        assert len({str(one) for one in told}) == 1
        assert (await at.sign_in("bob", PASSWORD)).content == told[0][1], "disabled, and the password is right"
        for _ in range(5):
            last = await at.sign_in("nobody", WRONG)
        assert last.status_code == 429, "a wait, as of an account that there is"


async def test_a_cookie_that_was_copied_is_worth_nothing_after_sign_out(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, at.browser() as thief:
        await at.sign_in("alice")
        thief.cookies = httpx2.Cookies(at.client.cookies)
        assert (await thief.get("/v1/runs")).status_code == 200
        assert (await at.client.post("/auth/logout", headers=at.csrf)).status_code == 204
        assert (await thief.get("/v1/runs")).status_code == 401
        assert not at.client.cookies


async def test_signing_in_makes_a_new_session_whatever_the_browser_was_given_before(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, at.browser() as attacker:
        at.client.cookies.set("ringfence", "chosen-by-an-attacker", domain="localhost.local")
        attacker.cookies.set("ringfence", "chosen-by-an-attacker", domain="localhost.local")
        await at.client.post("/auth/login", json={"name": "alice", "password": PASSWORD})
        assert (await attacker.get("/auth/session")).status_code == 401
        await at.sign_in("bob", client=attacker)
        stolen = attacker.cookies.get("ringfence")
        async with at.browser() as victim:  # with the attacker's own, live session planted
            victim.cookies.set("ringfence", stolen or "", domain="localhost.local")
            await at.sign_in("alice", client=victim)
            assert (await attacker.get("/auth/session")).status_code == 401
            assert (await victim.get("/auth/session")).json()["name"] == "alice"


async def test_a_new_password_puts_out_whoever_has_the_old_session_and_needs_the_old_one(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, at.browser() as thief:
        await at.sign_in("alice")
        thief.cookies = httpx2.Cookies(at.client.cookies)
        change = {"old": WRONG, "new": "another four words"}
        assert (await thief.post("/auth/password", json=change, headers=at.csrf)).status_code == 401
        change["old"] = PASSWORD
        easy = {**change, "new": "alicealicealice"}
        assert (await at.client.post("/auth/password", json=easy, headers=at.csrf)).status_code == 422
        changed = await at.client.post("/auth/password", json=change, headers=at.csrf)
        assert changed.status_code == 200
        assert (await thief.get("/v1/runs")).status_code == 401
        assert (await at.client.get("/auth/session")).json() == changed.json()
        async with at.browser() as again:
            assert (await at.sign_in("alice", PASSWORD, again)).status_code == 401
            assert (await at.sign_in("alice", "another four words", again)).status_code == 204


async def test_sessions_end_by_themselves_and_at_once_when_the_account_is_disabled(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        await at.sign_in("alice")
        at.clock.later(minutes=119)
        assert (await at.client.get("/v1/runs")).status_code == 200
        at.clock.later(minutes=121)
        assert (await at.client.get("/v1/runs")).status_code == 401
        await at.sign_in("alice")
        for _ in range(12):
            at.clock.later(minutes=61)
            last = await at.client.get("/v1/runs")
        assert last.status_code == 401, "used all the time, and older than a session gets"
        await at.sign_in("alice")
        key, _ = at.accounts.keys.add("alice", ["runs"])
        at.accounts.people.change("alice", disabled=True)
        assert (await at.client.get("/v1/runs")).status_code == 401
        assert (await at.client.get("/v1/runs", headers={"Authorization": f"Bearer {key}"})).status_code == 401


async def test_ones_own_sessions_are_seen_and_ended_and_nobody_elses(tmp_path: Path) -> None:
    async with doors(tmp_path) as at, at.browser(address="10.0.0.5") as phone, at.browser() as other:
        await at.sign_in("bob", client=other)
        theirs = (await other.get("/auth/sessions")).json()["data"][0]["id"]
        await at.sign_in("alice", client=phone)
        await at.sign_in("alice")
        listed = (await at.client.get("/auth/sessions")).json()["data"]
        assert sorted((one["address"], one["this"]) for one in listed) == [("10.0.0.5", False), ("127.0.0.1", True)]
        cut = await at.client.delete(f"/auth/sessions/{theirs}", headers=at.csrf)
        assert cut.status_code == 404
        assert (await other.get("/auth/session")).status_code == 200
        assert (await at.client.delete("/auth/sessions", headers=at.csrf)).status_code == 204
        assert (await phone.get("/auth/session")).status_code == 401
        assert (await at.client.get("/auth/session")).status_code == 200


async def test_every_key_that_does_not_hold_is_refused_in_the_same_words(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        good, _ = at.accounts.keys.add("alice", ["runs"])
        revoked, known = at.accounts.keys.add("alice", ["runs"])
        at.accounts.keys.revoke(known.ident)
        expired, _ = at.accounts.keys.add("alice", ["runs"], days=1)
        at.clock.later(minutes=24 * 60 + 1)
        gone, _ = at.accounts.keys.add("alice", ["runs"])
        at.accounts.keys.revoke(gone[3:15])
        forged = [
            good[:-2] + "AA",
            f"rf_000000000000_{'A' * 43}",
            revoked,
            expired,
            gone,
            "sk-" + "a" * 40,
            "x",
            "\xff",
        ]
        answers = set()
        for key in forged:
            answer = await at.client.get("/v1/runs", headers={"Authorization": f"Bearer {key}".encode("latin-1")})
            answers.add((answer.status_code, answer.content))
        assert len(answers) == 1
        assert answers.pop()[0] == 401
        assert (await at.client.get("/v1/runs", headers={"X-API-Key": good})).status_code == 200
        assert (await at.client.get(f"/v1/runs?api_key={good}&key={good}&access_token={good}")).status_code == 401


async def test_two_ways_in_at_once_are_one_that_holds_or_none(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        await at.sign_in("alice")
        key, _ = at.accounts.keys.add("bob", ["runs"])
        bad = await at.client.get("/v1/runs", headers={"Authorization": "Bearer forged"})
        assert bad.status_code == 401, "a session does not make up for a key that does not hold"
        both = [("Authorization", f"Bearer {key}"), ("X-API-Key", "forged")]
        assert (await at.client.get("/v1/runs", headers=both)).status_code == 401
        basic = {"Authorization": "Basic YWxpY2U6Zm91ciB3b3Jkcw=="}
        assert (await at.client.get("/v1/runs", headers=basic)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * 43}, {"X-CSRF-Token": "own", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "own", "Origin": "null"}, {"X-CSRF-Token": "own", "Origin": "http://localhost:9999"},
        {"X-CSRF-Token": "own", "Origin": "https://localhost"}, {"X-CSRF-Token": "own", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "own", "Sec-Fetch-Site": "same-site"}, {"X-CSRF-Token": "another's"},
    ],
)  # fmt: skip
async def test_another_sites_page_changes_nothing_in_ones_name(tmp_path: Path, headers: dict[str, str]) -> None:
    async with doors(tmp_path) as at, at.browser() as other:
        await at.sign_in("bob", client=other)
        bobs = at.csrf["X-CSRF-Token"]
        await at.sign_in("alice")
        tokens = {"own": at.csrf["X-CSRF-Token"], "another's": bobs}
        sent = {name: tokens.get(value, value) for name, value in headers.items()}
        answer = await at.client.post("/v1/runs", json={"task": "wire money"}, headers=sent)
        assert answer.status_code == 403
        assert (await at.client.get("/v1/runs")).json()["data"] == []
        fine = {**at.csrf, "Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        assert (await at.client.post("/v1/runs", json={"task": "mine"}, headers=fine)).status_code == 202


async def test_another_sites_page_signs_nobody_in_as_the_attacker(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        sent = {"name": "bob", "password": PASSWORD}
        answer = await at.client.post("/auth/login", json=sent, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        plain = await at.client.post(
            "/auth/login", content=b'{"name":"bob","password":"%s"}' % PASSWORD.encode(),
            headers={"Content-Type": "text/plain"},
        )  # fmt: skip
        assert plain.status_code in (415, 422), "what a form can send is no JSON"
        assert not at.client.cookies


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 401), ("localhost:8484", 401), ("127.0.0.1:1", 401), ("[::1]:8484", 401), ("LOCALHOST.", 401),
        ("agent.example", 401), ("a.wards.example", 401), ("pub.example:444", 401), ("evil.example", 421),
        ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("wards.example", 421),
        ("localhost@evil.example", 421), ("evil.example#localhost", 421), ("localhost/../x", 421), ("10.0.0.1", 421),
        ("", 421), ("xwards.example", 421), ("localhost:99999", 421), ("localhost, evil.example", 421),
    ],
)  # fmt: skip
async def test_the_server_answers_to_its_own_names_alone(tmp_path: Path, host: str, status: int) -> None:
    manifest = MANIFEST + (
        'server: {hosts: [agent.example, "*.wards.example"], public_url: "https://pub.example", behind_proxy: true}\n'
    )
    async with doors(tmp_path, manifest=manifest) as at:
        answer = await at.client.get("/v1/runs", headers={"Host": host})
        assert answer.status_code == status, "a name that a page elsewhere had rebound to us"
        twice = await at.client.get("/v1/runs", headers=[("Host", "localhost"), ("Host", "evil.example")])
        assert twice.status_code == 400


PROXIED = (
    MANIFEST
    + """
server:
  behind_proxy: true
  public_url: "https://agent.example"
  users: [{name: alice, roles: [ops]}]
  auth: {proxy: {trusted: [10.0.0.0/24, "fd00::/8"], user: X-User, groups: X-Groups, roles: {wards: [nurse]}}}
"""
)


async def test_who_a_proxy_names_is_believed_from_its_own_address_alone(tmp_path: Path) -> None:
    as_ann = {"X-User": "ann", "X-Groups": "wards, it"}
    async with doors(tmp_path, manifest=PROXIED, base="https://agent.example", address="10.0.0.7") as at:
        who = (await at.client.get("/auth/session", headers=as_ann)).json()
        assert (who["subject"], who["roles"], who["way"]) == ("user:ann", ["role:nurse"], "proxy")
        named = (await at.client.get("/auth/session", headers={"X-User": "alice", "X-Groups": "wards"})).json()
        assert named["roles"] == ["role:ops"], "one whom the manifest names has the roles that it says"
        at.accounts.people.first("root", "")
        for name in ("root", "ROOT", "a b", "x" * 201, "a\tb"):
            refused = await at.client.get("/auth/session", headers={"X-User": name})
            assert refused.status_code == 403, name
        twice = [("X-User", "mallory"), ("X-User", "ann")]
        assert (await at.client.get("/auth/session", headers=twice)).status_code == 400
        for address in ("10.0.1.7", "127.0.0.1", "::1", "fe80::1%eth0", "not an address"):
            async with at.browser(address=address, base="https://agent.example") as elsewhere:
                assert (await elsewhere.get("/auth/session", headers=as_ann)).status_code == 401, address
        async with at.browser(address="::ffff:10.0.0.7", base="https://agent.example") as mapped:
            assert (await mapped.get("/auth/session", headers=as_ann)).status_code == 200


async def test_another_sites_page_changes_nothing_through_a_proxy_either(tmp_path: Path) -> None:
    as_ann = {"X-User": "ann", "X-Groups": "wards"}
    async with doors(tmp_path, manifest=PROXIED, base="https://agent.example", address="10.0.0.7") as at:
        task = {"task": "hm"}
        assert (await at.client.post("/v1/runs", json=task, headers=as_ann)).status_code == 403
        csrf = (await at.client.get("/auth/session", headers=as_ann)).json()["csrf"]
        others = {"X-User": "alice", "X-CSRF-Token": csrf}
        assert (await at.client.post("/v1/runs", json=task, headers=others)).status_code == 403
        fine = {**as_ann, "X-CSRF-Token": csrf}
        assert (await at.client.post("/v1/runs", json=task, headers=fine)).status_code == 202


async def test_the_address_that_counts_is_the_first_that_no_proxy_of_ours_has(tmp_path: Path) -> None:
    async with doors(tmp_path, manifest=PROXIED, base="https://agent.example", address="10.0.0.7") as at:
        said = {"X-Forwarded-For": "127.0.0.1, 198.51.100.9, 10.0.0.3", "X-Forwarded-Proto": "https"}
        await at.client.post("/auth/login", json={"name": "alice", "password": PASSWORD}, headers=said)
        assert (await at.client.get("/auth/sessions")).json()["data"][0]["address"] == "198.51.100.9"
        async with at.browser(address="203.0.113.5", base="https://agent.example") as direct:
            await direct.post("/auth/login", json={"name": "alice", "password": PASSWORD}, headers=said)
            listed = (await direct.get("/auth/sessions")).json()["data"]
            assert [one["address"] for one in listed if one["this"]] == ["203.0.113.5"]


async def test_a_cookie_behind_tls_never_leaves_it_and_no_script_and_no_site_gets_it(tmp_path: Path) -> None:
    async with doors(tmp_path, manifest=PROXIED, base="https://agent.example") as at:
        answer = await at.client.post("/auth/login", json={"name": "alice", "password": PASSWORD})
        name, _, attributes = answer.headers["set-cookie"].partition("=")
        assert name == "__Host-ringfence"
        assert {one.strip().lower() for one in attributes.split(";")} >= {
            "httponly", "secure", "samesite=strict", "path=/",
        }  # fmt: skip
        assert "domain" not in attributes.lower()
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_every_answer_says_how_a_browser_may_use_it_errors_too(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:

        @at.web.get("/fault")
        async def fault() -> None:
            raise ZeroDivisionError("the inside of the server")

        for path in ("/", "/v1/runs", "/nothing", "/livez", "/fault", "//evil.example"):
            host = "evil.example" if "evil" in path else "localhost"
            answer = await at.client.get(path.replace("//evil.example", "/"), headers={"Host": host})
            policies = [value for key, value in answer.headers.multi_items() if key == "content-security-policy"]
            assert any("default-src 'none'" in one and "script-src 'self';" in one for one in policies), path
            assert not any("unsafe" in one for one in policies)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
            assert "inside" not in answer.text


async def test_whoever_asks_too_often_waits_one_principal_or_one_address(tmp_path: Path) -> None:
    manifest = MANIFEST + (
        "server: {limits: {requests: 3/hour, requests_each_address: 8/hour}, users: [{name: alice}, {name: bob}]}\n"
    )
    async with doors(tmp_path, manifest=manifest) as at:
        keys = {name: at.accounts.keys.add(name, ["runs"])[0] for name in ("alice", "bob")}

        async def ask(name: str, client: httpx2.AsyncClient) -> httpx2.Response:
            return await client.get("/v1/runs", headers={"X-API-Key": keys[name]})

        assert [(await ask("alice", at.client)).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert [(await ask("bob", at.client)).status_code for _ in range(2)] == [200, 200]
        assert [(await at.client.get("/livez")).status_code for _ in range(3)] == [200, 200, 429]
        async with at.browser(address="10.0.0.5") as other:
            last = await ask("bob", other)
            assert last.status_code == 200, "from elsewhere"
            last = await ask("alice", other)
            assert last.status_code == 429, "from elsewhere, and the same principal"
            assert 0 < int(last.headers["retry-after"]) <= 1200
        async with at.browser(address="2001:db8::1") as one, at.browser(address="2001:db8::ffff:2") as two:
            house = [(await (one, two)[n % 2].get("/livez")).status_code for n in range(9)]
            assert house == [200] * 8 + [429], "two addresses of one IPv6 network are one"


async def test_a_wait_for_passwords_is_bounded(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        many = await asyncio.gather(
            *(at.sign_in(f"name{n}", WRONG, at.browser(address=f"10.1.{n}.1")) for n in range(60))
        )
        codes = [one.status_code for one in many]
        assert set(codes) == {401, 429}
        assert codes.count(401) <= 34 + 2


async def test_a_password_in_a_request_that_is_refused_is_not_told_back(tmp_path: Path) -> None:
    async with doors(tmp_path) as at:
        answer = await at.client.post("/auth/login", json={"name": ["alice"], "password": PASSWORD, "more": PASSWORD})
        assert answer.status_code == 422
        assert PASSWORD not in answer.text


async def _followed(at: Doors) -> None:
    for _ in range(100_000):
        if at.web.state.streams["user:dave"]:
            break
        await asyncio.sleep(0)
    assert at.web.state.streams["user:dave"] == 1


async def test_a_stream_in_which_nothing_happens_ends_with_what_its_reader_came_in_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.02)
    model = Held([final("42")])
    async with doors(tmp_path, model=model) as at:
        at.accounts.people.add(Person("dave", roles=("ops",), hash=hashed(PASSWORD)))
        text, key = at.accounts.keys.add("dave", ["runs"])
        how = {"X-API-Key": text}
        run = (await at.client.post("/v1/runs", json={"task": "hm"}, headers=how)).json()["id"]
        told = asyncio.create_task(at.client.get(f"/v1/runs/{run}/events", headers=how))
        await model.asked.wait()
        await _followed(at)
        at.accounts.keys.revoke(key.ident)
        seen = (await asyncio.wait_for(told, 30)).text  # though the model never answers
        assert "event: end" not in seen
        assert not at.web.state.streams
        model.go.set()


@pytest.mark.parametrize("end", ["sign out", "disable", "fewer roles", "revoke", "nothing"])
async def test_a_stream_that_is_open_ends_with_what_its_reader_came_in_with(
    tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LOOK_S", 0.0)
    model = Held([final("42")])
    async with doors(tmp_path, model=model) as at:
        at.accounts.people.add(Person("dave", roles=("ops",), hash=hashed(PASSWORD)))
        await at.sign_in("dave")
        text, key = at.accounts.keys.add("dave", ["runs"])
        how = {"X-API-Key": text} if end == "revoke" else {}
        run = (await at.client.post("/v1/runs", json={"task": "hm"}, headers=at.csrf)).json()["id"]
        told = asyncio.create_task(at.client.get(f"/v1/runs/{run}/events", headers=how))
        await model.asked.wait()
        await _followed(at)
        match end:
            case "sign out":
                at.accounts.sessions.end("dave")
            case "disable":
                at.accounts.people.change("dave", disabled=True)
            case "fewer roles":
                at.accounts.people.change("dave", roles=())
            case "revoke":
                at.accounts.keys.revoke(key.ident)
        model.go.set()
        seen = (await told).text
        assert ("event: end" in seen) == (end == "nothing")
        assert ('"answer":"42"' in seen) == (end == "nothing")
