"""Sign in with an OpenID Connect provider: two real ones that run here, and one that lies."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import pytest
from aiohttp import web as aioweb
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from ringfence.channels.auth.oidc.tokens import Forged, UnknownKey, checked
from ringfence.core.errors import BackendError
from ringfence.manifest.server import Oidc

from .doors import Doors, doors
from .kit import MANIFEST

ISSUER, CLIENT, NONCE, NOW = "https://id.example", "ringfence", "n-0", 1_800_000_000
RSA = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
BACK = "http://localhost/auth/oidc/callback"
MODULES = os.environ.get("RINGFENCE_OIDC_MODULES", "")  # a node_modules with `oidc-provider` in it


def manifest_of(issuer: str, more: str = "") -> str:
    return (
        MANIFEST
        + f"""
server:
  users: [{{name: alice, roles: [ops], tenant: south}}]
  auth:
    oidc:
      issuer: "{issuer}"
      client_id: ringfence
      client_secret: "${{OIDC_SECRET}}"
      roles: {{wards: [nurse], it: [ops, admin]}}
      tenant: house
      {more}
"""
    )


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SECRET", "a secret of the house")


def claims(**more: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": CLIENT, "sub": "ann", "exp": NOW + 300, "iat": NOW, "nonce": NONCE, **more}


def check(token: str, keys: Any = RSA) -> dict[str, Any]:
    return checked(token, KeySet([keys]), issuer=ISSUER, client=CLIENT, nonce=NONCE, now=NOW)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
def test_a_token_of_each_algorithm_that_is_allowed_holds(alg: str) -> None:
    key: Any = {"RS256": RSA, "ES256": ECKey.generate_key("P-256", {"kid": "two"})}.get(
        alg, OKPKey.generate_key("Ed25519", {"kid": "three"})
    )
    token = jwt.encode({"alg": alg, "kid": key.kid}, claims(), key, algorithms=[alg])
    assert check(token, key)["sub"] == "ann"
    with pytest.raises(Forged):
        check(token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB"), key)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"}, {"iss": ISSUER + "/"}, {"aud": "another"}, {"aud": ["another", "third"]},
        {"aud": []}, {"aud": [CLIENT, "another"]}, {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"},
        {"exp": NOW - 61}, {"exp": "soon"}, {"exp": None}, {"iat": NOW + 3600}, {"iat": None}, {"nonce": "other"},
        {"nonce": None}, {"sub": ""}, {"sub": None}, {"nbf": NOW + 3600},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_says_something_else_does_not_hold(wrong: dict[str, Any]) -> None:
    said = {name: value for name, value in claims(**wrong).items() if value is not None}
    with pytest.raises(Forged):
        check(jwt.encode({"alg": "RS256", "kid": "one"}, said, RSA))


def _b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_token_that_is_forged_does_not_hold() -> None:
    good = jwt.encode({"alg": "RS256", "kid": "one"}, claims(), RSA)
    head, _, mark = good.split(".")
    by_hmac = f"{_b64({'alg': 'HS256', 'kid': 'one'})}.{_b64(claims())}"
    public_key = hmac.digest(RSA.as_pem(private=False), by_hmac.encode(), "sha256")
    forged = [
        jwt.encode({"alg": "RS256", "kid": "one"}, claims(), OTHER),  # another key under the same name
        f"{_b64({'alg': 'none', 'kid': 'one'})}.{_b64(claims())}.",
        f"{_b64({'alg': 'RS256', 'kid': 'one'})}.{_b64(claims(sub='root'))}.{mark}",
        f"{by_hmac}.{_b64(public_key)}",
        f"{_b64({'alg': 'RS256', 'kid': 'one', 'jwk': OTHER.as_dict(private=False)})}.{_b64(claims())}.{mark}",
        f"{head}..{mark}", "", ".", "..", "a.b.c", good + ".x", _b64([1]) + ".a.b", "ü.ü.ü",
        jwt.encode({"alg": "PS256", "kid": "one"}, claims(), RSA, algorithms=["PS256"]),
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(Forged):
            check(token)
    with pytest.raises(UnknownKey):
        check(jwt.encode({"alg": "RS256", "kid": "new"}, claims(), RSA))
    nameless = jwt.encode({"alg": "RS256"}, claims(), RSA)
    two = KeySet([RSA, OKPKey.generate_key("Ed25519", {"kid": "b"})])
    with pytest.raises(Forged, match="names no key"):
        checked(nameless, two, issuer=ISSUER, client=CLIENT, nonce=NONCE, now=NOW)


@dataclass
class Liar:
    """A provider of ours that says whatever a test wants."""

    url: str = ""
    says: dict[str, Any] = field(default_factory=dict)  # of itself
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    key: RSAKey = field(default_factory=lambda: RSA)
    shown: list[RSAKey] = field(default_factory=lambda: [RSA])
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""

    async def answer(self, request: aioweb.Request) -> aioweb.Response:
        self.asked.append(request.path)
        match request.path:
            case "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys",
                        "userinfo_endpoint": "/userinfo"}  # fmt: skip
                found: Any = {"issuer": self.url, **{name: self.url + path for name, path in ends.items()}, **self.says}
            case "/keys":
                found = {"keys": [key.as_dict(private=False) for key in self.shown]}
            case "/token":
                self.forms.append({**await request.post(), "basic": request.headers.get("Authorization", "")})  # type: ignore[dict-item]
                now = int(time.time())
                said = {"iss": self.url, "aud": CLIENT, "sub": "ann", "exp": now + 60, "iat": now, "nonce": self.nonce,
                        "groups": ["wards"], "house": "north", **self.claims}  # fmt: skip
                said = {name: value for name, value in said.items() if value is not None}
                token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, said, self.key)
                found = {"access_token": "t", "token_type": "Bearer", "id_token": token}
            case _:
                found = self.userinfo or {}
        return aioweb.json_response(found)


@asynccontextmanager
async def lying() -> AsyncIterator[Liar]:
    liar = Liar()
    app = aioweb.Application()
    app.router.add_route("*", "/{path:.*}", liar.answer)
    runner = aioweb.AppRunner(app)
    await runner.setup()
    site = aioweb.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    liar.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield liar
    finally:
        await runner.cleanup()


async def begun(at: Doors, client: httpx2.AsyncClient | None = None) -> dict[str, str]:
    """What the browser is sent to the provider with."""
    answer = await (client or at.client).get("/auth/oidc")
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def back(at: Doors, sent: dict[str, str], code: str = "c", client: Any = None) -> httpx2.Response:
    return await (client or at.client).get(f"/auth/oidc/callback?{urlencode({'code': code, 'state': sent['state']})}")


async def signed(at: Doors, liar: Liar) -> httpx2.Response:
    sent = await begun(at)
    liar.nonce = sent["nonce"]
    return await back(at, sent)


async def test_the_way_there_and_back_has_pkce_state_and_nonce_and_ends_in_a_session(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        assert (await at.client.get("/auth/ways")).json() == {"password": True, "oidc": True, "proxy": False}
        sent = await begun(at)
        assert (sent["response_type"], sent["client_id"], sent["redirect_uri"]) == ("code", CLIENT, BACK)
        assert (sent["code_challenge_method"], len(sent["code_challenge"])) == ("S256", 43)
        assert "openid" in sent["scope"].split()
        liar.nonce = sent["nonce"]
        answer = await back(at, sent)
        assert answer.status_code == 200, answer.text
        (form,) = liar.forms
        assert base64.b64decode(form["basic"].removeprefix("Basic ")) == b"ringfence:a+secret+of+the+house"
        assert (form["code"], form["redirect_uri"]) == ("c", BACK)
        who = (await at.client.get("/auth/session")).json()
        assert (who["subject"], who["roles"], who["tenant"]) == ("user:ann", ["role:nurse"], "north")
        again = await begun(at)
        assert not {again[name] for name in ("state", "nonce", "code_challenge")} & set(sent.values())
        csrf = {"X-CSRF-Token": who["csrf"]}
        assert (await at.client.post("/auth/logout", headers=csrf)).status_code == 204
        assert (await at.client.get("/auth/session")).status_code == 401


async def test_signing_out_goes_on_to_the_provider_with_its_own_token_and_back_here(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at, at.browser() as thief:
        liar.says = {"end_session_endpoint": f"{liar.url}/bye?from=here"}
        assert (await signed(at, liar)).status_code == 200
        csrf = {"X-CSRF-Token": (await at.client.get("/auth/session")).json()["csrf"]}
        thief.cookies = httpx2.Cookies(at.client.cookies)
        answer = await at.client.post("/auth/logout", headers=csrf)
        assert answer.status_code == 200
        url = urlsplit(answer.json()["next"])
        sent = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{liar.url}/bye"
        hint = sent.pop("id_token_hint")
        assert sent == {"from": "here", "client_id": CLIENT, "post_logout_redirect_uri": "http://localhost/"}
        assert jwt.decode(hint, RSA).claims["sub"] == "ann"
        assert (await thief.get("/auth/session")).status_code == 401, "and the session has ended here"
        assert not at.client.cookies


async def test_the_providers_token_lies_sealed_and_goes_with_its_session(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        assert (await signed(at, liar)).status_code == 200
        hints, token = at.accounts.hints, at.client.cookies["ringfence"]
        kept = hints.of(token)
        assert jwt.decode(kept, RSA).claims["sub"] == "ann"
        files = b"".join(file.read_bytes() for file in (tmp_path / ".ringfence").glob("accounts.db*"))
        assert kept.split(".")[2].encode() not in files
        assert hints.of("another token") == ""
        count = "SELECT count(*) FROM hints"
        assert at.accounts.file.rows(count) == [(1,)]
        at.accounts.sessions.end("ann")
        assert at.accounts.file.rows(count) == [(0,)]
        hints.keep(token, "too late")
        assert at.accounts.file.rows(count) == [(0,)]


@pytest.mark.parametrize("why", ["no such end", "the manifest does not want it", "with a password", "it is away"])
async def test_signing_out_stays_here_where_there_is_no_provider_to_go_on_to(tmp_path: Path, why: str) -> None:
    more = "sign_out: false" if why == "the manifest does not want it" else ""
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url, more)) as at:
        if why != "no such end":
            liar.says = {"end_session_endpoint": f"{liar.url}/bye"}
        assert (await (at.sign_in("alice") if why == "with a password" else signed(at, liar))).status_code in (200, 204)
        csrf = {"X-CSRF-Token": (await at.client.get("/auth/session")).json()["csrf"]}
        if why == "it is away":
            at.web.state.oidc._asked -= 7200
            liar.says = {"issuer": "https://another.example"}
        assert (await at.client.post("/auth/logout", headers=csrf)).status_code == 204
        assert (await at.client.get("/auth/session")).status_code == 401


async def test_whom_only_a_provider_vouches_for_has_no_password_and_makes_no_keys_here(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        assert (await signed(at, liar)).status_code == 200
        who = (await at.client.get("/auth/session")).json()
        assert (who["password"], who["keys"]) == (False, False)
        headers = {"X-CSRF-Token": who["csrf"]}
        made = await at.client.post("/auth/keys", json={"scopes": ["runs"], "days": 1}, headers=headers)
        assert (made.status_code, made.json()["code"]) == (409, "no-account")


async def test_a_session_ends_with_the_provider_that_vouched_for_it(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        assert (await signed(at, liar)).status_code == 200
        assert (await at.client.get("/auth/session")).status_code == 200
        server = at.credentials.server
        at.credentials.server = server.model_copy(update={"auth": server.auth.model_copy(update={"oidc": None})})
        assert (await at.client.get("/auth/session")).status_code == 401


async def test_a_code_that_another_browser_began_with_is_of_no_use(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at, at.browser() as victim:
        attackers = await begun(at)
        liar.nonce = attackers["nonce"]
        assert (await back(at, attackers, client=victim)).status_code == 401, "no sign-in was begun in it"
        await begun(at, victim)
        assert (await back(at, attackers, client=victim)).status_code == 401, "another was"
        for state in ("", "x" * 43, "\xff"):
            assert (await back(at, {"state": state})).status_code == 401
        assert liar.forms == [], "no code is shown to the provider"
        assert (await back(at, attackers)).status_code == 200
        assert (await back(at, attackers)).status_code == 401, "a second time"
        denied = await begun(at)
        answer = await at.client.get(f"/auth/oidc/callback?error=access_denied&state={denied['state']}")
        assert answer.status_code == 401
        mixed = f"/auth/oidc/callback?code=c&state={denied['state']}&iss=https://evil.example"
        assert (await at.client.get(mixed)).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": None},
        {"azp": "x"},
    ],
    ids=str,
)
async def test_a_token_of_the_provider_that_does_not_hold_lets_nobody_in(tmp_path: Path, lie: dict[str, Any]) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        liar.claims = lie
        answer = await signed(at, liar)
        assert (answer.status_code, answer.json()["detail"]) == (401, "what the provider said does not hold")
        assert (await at.client.get("/auth/session")).status_code == 401


async def test_a_new_key_of_the_provider_is_found_and_an_old_one_is_let_go(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        assert (await signed(at, liar)).status_code == 200
        at.web.state.oidc._looked -= 60
        liar.key = RSAKey.generate_key(2048, {"kid": "new"})
        liar.shown = [liar.key]
        assert (await signed(at, liar)).status_code == 200
        liar.key = RSA
        assert (await signed(at, liar)).status_code == 401, "with the key that was taken back"
        looks = liar.asked.count("/keys")
        for _ in range(5):
            await signed(at, liar)
        assert liar.asked.count("/keys") == looks, "unknown keys are no way to make us ask without end"


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": ""},
        {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "x" * 1_100_000},
        {"userinfo_endpoint": "http://evil.example/userinfo"}, {"end_session_endpoint": "javascript:alert(1)"},
    ],
    ids=lambda says: next(iter(says)),
)  # fmt: skip
async def test_a_provider_that_says_strange_things_of_itself_is_not_used(tmp_path: Path, says: dict[str, str]) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        liar.says = says
        answer = await at.client.get("/auth/oidc")
        assert (answer.status_code, answer.json()["code"]) == (502, "provider")
        assert "evil" not in answer.text


async def test_a_provider_that_is_away_is_said_to_be_and_passwords_still_work(tmp_path: Path) -> None:
    async with doors(tmp_path, manifest=manifest_of("http://127.0.0.1:9")) as at:
        assert (await at.client.get("/auth/oidc")).status_code == 502
        assert (await at.sign_in("alice")).status_code == 204


async def test_groups_that_only_userinfo_tells_count_and_another_persons_do_not(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        liar.claims, liar.userinfo = {"groups": None}, {"sub": "ann", "groups": ["it"], "aud": "ignored"}
        assert (await signed(at, liar)).status_code == 200
        assert (await at.client.get("/auth/session")).json()["roles"] == ["role:admin", "role:ops"]
        liar.userinfo = {"sub": "root", "groups": ["it"]}
        assert (await signed(at, liar)).status_code == 401


async def test_who_has_no_role_or_anothers_name_does_not_come_in(tmp_path: Path) -> None:
    async with lying() as liar, doors(tmp_path, manifest=manifest_of(liar.url)) as at:
        at.accounts.people.first("root", "")
        for lie in (
            {"groups": ["cooks"]}, {"groups": []}, {"groups": None}, {"groups": {"wards": 1}}, {"sub": "root"},
            {"sub": "ROOT"}, {"sub": "a b"}, {"sub": "x" * 300}, {"house": None}, {"house": 7},
        ):  # fmt: skip
            liar.claims, liar.userinfo = lie, {"sub": "ann"}
            assert (await signed(at, liar)).status_code == 403, lie
        liar.claims = {"sub": "alice", "groups": ["it"]}
        assert (await signed(at, liar)).status_code == 200
        who = (await at.client.get("/auth/session")).json()
        assert (who["roles"], who["tenant"]) == (["role:ops"], "south"), "the manifest says who alice is"
        at.accounts.people.change("alice", disabled=True)
        assert (await at.client.get("/auth/session")).status_code == 401


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _running(command: list[str], folder: Path, issuer: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        with httpx2.Client() as client:
            for _ in range(200):
                assert process.poll() is None, process.stdout.read().decode()  # type: ignore[union-attr]
                try:
                    if client.get(f"{issuer}/.well-known/openid-configuration").status_code == 200:
                        break
                except httpx2.TransportError:
                    time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=60)


async def _through(url: str, to: str, browser: httpx2.AsyncClient, **typed: str) -> tuple[str, list[str]]:
    """A person's way through a provider's forms, until it sends the browser back to us; and the forms that it met."""
    met: list[str] = []
    for _ in range(12):
        answer = await browser.get(url)
        if answer.status_code == 200:
            met.append(answer.text)
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
            answer = await browser.post(urljoin(url, action[1]) if action else url, data={**hidden, **typed})
        assert answer.is_redirect, answer.text[:500]
        url = urljoin(url, answer.headers["location"])
        if url.startswith(to):
            return url, met
    raise AssertionError(url)


async def _comes_in(at: Doors, browser: httpx2.AsyncClient, **typed: str) -> dict[str, Any]:
    where = (await at.client.get("/auth/oidc")).headers["location"]
    url, _ = await _through(where, BACK, browser, **typed)
    answer = await at.client.get(url.removeprefix("http://localhost"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = (await at.client.get("/auth/session")).json()
    assert (await at.client.get(url.removeprefix("http://localhost"))).status_code == 401, "the code, a second time"
    return found


async def _leaves(at: Doors, who: dict[str, Any], browser: httpx2.AsyncClient, **typed: str) -> list[str]:
    """Sign out, at the provider too, which sends them back; the forms that it showed."""
    answer = await at.client.post("/auth/logout", headers={"X-CSRF-Token": who["csrf"]})
    assert answer.status_code == 200, answer.text
    assert (await at.client.get("/auth/session")).status_code == 401
    url, met = await _through(answer.json()["next"], "http://localhost/", browser, **typed)
    assert url.split("?")[0] == "http://localhost/"
    return met


async def test_sign_in_with_a_provider_of_authlib(tmp_path: Path) -> None:
    port = _free_port()
    issuer = f"http://127.0.0.1:{port}"
    user = json.dumps({"sub": "ann", "groups": ["wards", "cooks"], "house": "north"})
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "-n", "true"]
    with _running([*command, "--user-claims", user], tmp_path, issuer):
        async with doors(tmp_path, manifest=manifest_of(issuer)) as at, httpx2.AsyncClient(timeout=60) as browser:
            who = await _comes_in(at, browser, sub="ann")
            (form,) = await _leaves(at, who, browser)
    assert "id_token_hint</code> not set" not in form
    assert (who["subject"], who["roles"], who["tenant"]) == ("user:ann", ["role:nurse"], "north")


@pytest.mark.skipif(not (MODULES and shutil.which("node")), reason="needs node, and oidc-provider of npm")
async def test_sign_in_with_the_certified_provider_of_npm(tmp_path: Path) -> None:
    port = _free_port()
    issuer = f"http://127.0.0.1:{port}"
    shutil.copy(Path(__file__).with_name("provider.mjs"), tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    with _running(["node", "provider.mjs", str(port), BACK], tmp_path, issuer):
        async with doors(tmp_path, manifest=manifest_of(issuer)) as at, httpx2.AsyncClient(timeout=60) as browser:
            who = await _comes_in(at, browser, login="ann", password="any")
            again = (await at.client.get("/auth/oidc")).headers["location"]
            assert (await _through(again, BACK, browser))[1] == [], "the provider knows them still"
            await _leaves(at, who, browser, logout="yes")
            once_more = (await at.client.get("/auth/oidc")).headers["location"]
            assert "password" in (await browser.get(once_more, follow_redirects=True)).text, "and now it does not"
    assert (who["subject"], who["roles"], who["tenant"]) == ("user:ann", ["role:nurse"], "north")


async def test_a_secret_that_is_not_set_is_said_in_the_log_and_lets_nobody_in() -> None:
    from ringfence.channels.auth.oidc.provider import Provider

    config = Oidc.model_validate({"issuer": "http://127.0.0.1:9", "client_id": "x", "client_secret": "${NOT_SET_HERE}"})
    with pytest.raises(BackendError, match="NOT_SET_HERE"):
        await Provider(config)._post("http://127.0.0.1:9/token", {})
