"""Who may do what: every route of the server against every kind of caller. A route that nobody declared here fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from ringfence.app import now_ms
from ringfence.app.knowing import remembering
from ringfence.app.knowing.remembering import Opened
from ringfence.channels.auth.credentials import SAFE
from ringfence.core.labels import Label, Trust
from ringfence.core.values import Prompt
from ringfence.knowledge.memory import Saying, Scope
from ringfence.manifest.server import SCOPES
from ringfence.stores.accounts.people import Person
from ringfence.testing.scripted import ScriptedModel

from ..channels import doors as kit
from ..channels.doors import PASSWORD, USERS, Doors, doors
from ..channels.kit import MANIFEST, final, step

SECRET, SHELVED = "heliotrope", "cinnabar"  # words of alice's runs and memory, and of a collection
PEOPLE = ("alice", "bob", "petra", "otto", "ada")
KEYS = tuple(f"key:{scope}" for scope in SCOPES)  # all of them alice's
CALLERS = ("nobody", "forged", "expired", "no-csrf", *PEOPLE, *KEYS)
EVERYBODY = frozenset(PEOPLE)
YES, ASKED = frozenset({200, 201, 202, 204}), "write it down"
HOUSE = MANIFEST.replace(
    "tools: []", "tools: [{name: files, type: builtin, target_paths: [./notes], permissions: [read, write]}]"
) + USERS + """  limits: {requests: 9999/second, requests_each_address: 9999/second, running_each: 64, queued_each: 99}
memory: {enabled: true}
approvals: {approvers: [role:lead]}
knowledge:
  collections: [{name: house, path: ./house, vectors: false, readers: ["user:alice", "role:admin"]}]
"""  # fmt: skip


@dataclass
class World:
    """A server with things of alice's in it, and a browser or a key for each kind of caller."""

    at: Doors
    folder: Path
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    count: int = 0

    async def run(self, task: str = f"what is {SECRET}?") -> str:
        """A new run of alice's, which has ended or waits."""
        alice, headers = self.clients["alice"], self.headers["alice"]
        run = (await alice.post("/v1/runs", json={"task": task}, headers=headers)).json()["id"]
        await alice.get(f"/v1/runs/{run}/events")
        return str(run)

    async def memory(self) -> str:
        """Something new that alice alone may read."""
        self.count += 1
        text, opened = f"The {SECRET} number {self.count}.", Opened(self.at.web.state.service.agent.manifest, now_ms)
        saying = Saying("run1", 7, text, "user:alice", "kit", now_ms(), "user")
        label = Label(Trust.USER, frozenset({frozenset({"user:alice"})}))
        member = frozenset({"user:alice"})
        saved = await opened().save(text, "fact", Scope("user:alice"), label=label, member=member, saying=saying,
                                    subjects=["user:alice"])  # fmt: skip
        await opened.aclose()
        return str(saved.item.id)

    def document(self) -> str:
        """A new file of the collection."""
        self.count += 1
        (self.folder / f"house/{self.count}.md").write_text(f"# Paint\n\nThe {SHELVED} number {self.count}.\n")
        return f"{self.count}.md"

    async def session(self) -> str:
        """The id of another session of alice's."""
        async with self.at.browser() as other:
            await other.post("/auth/login", json={"name": "alice", "password": PASSWORD})
            return next(one["id"] for one in (await other.get("/auth/sessions")).json()["data"] if one["this"])


@dataclass(frozen=True)
class Rule:
    """What a route is for.

    may      who gets what they ask; `shows` who may see alice's words in any answer of it
    no, but  what everybody else gets, and what some of them get instead
    scope    of a key that may be used; None: any
    session  whether a key may not be used at all; `key` whether nothing else may
    ok       what those who may get: a conflict or something missing is their own matter, never 401 or 403
    """

    may: frozenset[str] = EVERYBODY
    scope: str | None = "runs"
    no: int = 404
    but: Mapping[str, int] = field(default_factory=dict)
    ok: frozenset[int] = YES
    shows: frozenset[str] = frozenset({"alice"})
    session: bool = False
    key: bool = False
    open: bool = False
    body: Callable[[World], Awaitable[Any]] | None = None
    path: Callable[[World], Awaitable[dict[str, Any]]] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    files: bool = False

    def expects(self, caller: str, method: str) -> frozenset[int]:
        """The statuses that this caller may get."""
        if self.open:
            return self.ok
        if caller in ("nobody", "forged", "expired"):
            return frozenset({401})
        if self.key and not caller.startswith("key:"):
            return frozenset({403})
        if caller == "no-csrf" and method not in SAFE:
            return frozenset({403})
        if caller.startswith("key:") and (self.session or self.scope not in (None, caller[4:])):
            return frozenset({403})
        person = person_of(caller)
        return self.ok if person in self.may else frozenset({self.but.get(person, self.no)})


def person_of(caller: str) -> str:
    return "alice" if caller.startswith(("key:", "no-csrf")) else caller


def only(*who: str) -> frozenset[str]:
    return frozenset(who)


async def a_run(world: World) -> dict[str, Any]:
    return {"run": await world.run(), "seq": 0, "response": f"resp_{await world.run()}"}


async def asking(world: World) -> dict[str, Any]:
    return {"run": await world.run(f"{ASKED}: {SECRET}")}


async def digest(world: World) -> dict[str, Any]:
    waiting = (await world.clients["petra"].get("/v1/approvals")).json()["data"]
    return {"yes": False, "digest": waiting[0]["digest"] if waiting else "0" * 16}


async def an_item(world: World) -> dict[str, Any]:
    return {"ident": await world.memory()}


async def a_document(world: World) -> dict[str, Any]:
    return {"name": "house", "path": world.document()}


async def a_session(world: World) -> dict[str, Any]:
    return {"ident": await world.session()}


async def a_person(world: World) -> dict[str, Any]:
    """An account of nobody's that may be changed, and somebody without one who is signed in by a provider."""
    world.count += 1
    world.at.accounts.people.add(Person(f"p{world.count}", roles=("ops",), hash=kit.hashed(PASSWORD)))
    world.at.accounts.sessions.begin("guest", 1, provider="https://id.example")
    guest = world.at.accounts.sessions.of("guest")[0].ident
    return {"name": f"p{world.count}", "ident": guest}


async def a_key(world: World) -> dict[str, Any]:
    return {"ident": world.at.accounts.keys.add("alice", ["runs"])[1].ident}


async def newcomer(world: World) -> dict[str, Any]:
    world.count += 1
    return {"name": f"new{world.count}", "roles": ["ops"]}


def said(**body: Any) -> Callable[[World], Awaitable[Any]]:
    async def make(_: World) -> Any:
        return body

    return make


MINE, CONFLICT = only("alice"), YES | {409, 422}
STAFF, SEES = only("ada"), only("alice", "ada")
LOOK = {"scope": "audit", "may": only("otto"), "no": 403, "ok": YES | {404, 409}, "shows": frozenset()}
CHANGE = {"scope": "knowledge", "may": STAFF, "but": {"alice": 403}, "ok": CONFLICT, "shows": SEES}
CHAT = {"model": "kit", "messages": [{"role": "user", "content": "hm"}]}
RULED = {"scope": "admin", "may": only("ada"), "no": 403, "shows": frozenset()}
OWN = {"scope": None, "session": True}
RULES: dict[tuple[str, str], Rule] = {
    ("POST", "/v1/runs"): Rule(body=said(task="hm")),
    ("GET", "/v1/runs"): Rule(),
    ("GET", "/v1/runs/{run}"): Rule(MINE, path=a_run),
    ("GET", "/v1/runs/{run}/records/{seq}"): Rule(MINE, path=a_run),
    ("GET", "/v1/runs/{run}/events"): Rule(MINE, path=a_run),
    ("POST", "/v1/runs/{run}/cancel"): Rule(MINE, path=a_run, ok=CONFLICT),
    ("POST", "/v1/runs/{run}/resume"): Rule(MINE, path=a_run, ok=CONFLICT),
    ("POST", "/v1/runs/{run}/fork"): Rule(MINE, path=a_run, body=said(at=0), ok=CONFLICT),
    ("GET", "/v1/approvals"): Rule(scope="approvals", shows=only("alice", "petra")),
    ("GET", "/v1/approvals/{run}"): Rule(
        only("alice", "petra"), scope="approvals", path=asking, shows=only("alice", "petra")
    ),
    ("POST", "/v1/approvals/{run}"): Rule(
        only("petra"), scope="approvals", path=asking, body=digest, ok=CONFLICT, but={"alice": 409},
        shows=only("alice", "petra"),
    ),
    ("GET", "/v1/memory"): Rule(scope="memory"),
    ("GET", "/v1/memory/{ident}"): Rule(MINE, scope="memory", path=an_item),
    ("PATCH", "/v1/memory/{ident}"): Rule(MINE, scope="memory", path=an_item, body=said(text=f"more {SECRET}")),
    ("DELETE", "/v1/memory/{ident}"): Rule(MINE, scope="memory", path=an_item),
    ("POST", "/v1/memory/{ident}/promote"): Rule(MINE, scope="memory", path=an_item, ok=CONFLICT),
    ("GET", "/v1/collections"): Rule(scope="knowledge"),
    ("GET", "/v1/collections/search"): Rule(scope="knowledge", query={"q": f"{SHELVED} number"}, shows=SEES),
    ("GET", "/v1/passages"): Rule(SEES, scope="knowledge", query={"document": "house/first.md"}, shows=SEES),
    ("GET", "/v1/collections/{name}/documents"): Rule(SEES, scope="knowledge", path=a_document, shows=SEES),
    ("POST", "/v1/collections/{name}/documents"): Rule(**CHANGE, path=a_document, files=True),
    ("DELETE", "/v1/collections/{name}/documents/{path:path}"): Rule(**CHANGE, path=a_document),
    ("POST", "/v1/collections/{name}/refresh"): Rule(**CHANGE, path=a_document),
    ("GET", "/v1/collections/{name}/refresh"): Rule(**{**CHANGE, "ok": YES | {404}}, path=a_document),
    **{("GET", f"/v1/audit/{path}"): Rule(**LOOK) for path in ("head", "heads", "verify", "runs")},
    ("GET", "/v1/audit/export"): Rule(**LOOK | {"shows": only("otto")}),
    ("POST", "/v1/audit/verify"): Rule(**LOOK),
    ("GET", "/v1/audit/records/{index}/proof"): Rule(**LOOK, path=lambda _: _ready({"index": 0})),
    ("GET", "/v1/audit/runs/{run}"): Rule(**LOOK | {"shows": only("otto")}, path=a_run),
    ("GET", "/v1/status"): Rule(scope=None),
    ("POST", "/agent"): Rule(body=said(request="hm")),
    ("POST", "/v1/chat/completions"): Rule(body=said(**CHAT)),
    ("POST", "/v1/responses"): Rule(body=said(model="kit", input="hm")),
    ("GET", "/v1/responses/{response}"): Rule(MINE, path=a_run),
    ("POST", "/v1/responses/{response}/cancel"): Rule(MINE, path=a_run, ok=CONFLICT),
    ("GET", "/v1/models"): Rule(scope=None),
    ("GET", "/v1/models/{model:path}"): Rule(scope=None, path=lambda _: _ready({"model": "kit"})),
    ("POST", "/v1/embeddings"): Rule(scope="knowledge", body=said(model="m", input="hm"), ok=YES | {400}),
    ("POST", "/mcp"): Rule(key=True, body=said(jsonrpc="2.0", id=1, method="ping"), ok=YES | {400, 406}),
    ("GET", "/mcp"): Rule(key=True, ok=frozenset({400, 405, 406})),
    ("DELETE", "/mcp"): Rule(key=True, ok=YES | {400, 404, 405}),
    ("GET", "/metrics"): Rule(STAFF, scope="metrics", no=403, shows=frozenset()),
    ("POST", "/auth/login"): Rule(open=True, body=said(name="nobody", password="hm"), ok=frozenset({401, 429})),
    ("GET", "/auth/ways"): Rule(open=True),
    ("GET", "/auth/oidc"): Rule(open=True, ok=frozenset({404})),
    ("GET", "/auth/oidc/callback"): Rule(open=True, ok=frozenset({404})),
    ("GET", "/auth/session"): Rule(scope=None),
    ("POST", "/auth/logout"): Rule(**OWN),
    ("POST", "/auth/password"): Rule(**OWN, body=said(old=PASSWORD, new="other words of mine")),
    ("GET", "/auth/sessions"): Rule(**OWN),
    ("DELETE", "/auth/sessions"): Rule(**OWN),
    ("DELETE", "/auth/sessions/{ident}"): Rule(MINE, **OWN, path=a_session),
    ("GET", "/auth/keys"): Rule(**OWN),
    ("POST", "/auth/keys"): Rule(**OWN, body=said(scopes=["runs"], days=1)),
    ("DELETE", "/auth/keys/{ident}"): Rule(MINE, **OWN, path=a_key),
    ("GET", "/v1/people"): Rule(**RULED),
    ("POST", "/v1/people"): Rule(**RULED, body=newcomer),
    ("PATCH", "/v1/people/{name}"): Rule(**RULED, path=a_person, body=said(roles=["lead"])),
    ("POST", "/v1/people/{name}/password"): Rule(**RULED, path=a_person, body=said()),
    ("POST", "/v1/people/{name}/disable"): Rule(**RULED, path=a_person),
    ("POST", "/v1/people/{name}/enable"): Rule(**RULED, path=a_person),
    ("GET", "/v1/sessions"): Rule(**RULED),
    ("DELETE", "/v1/sessions"): Rule(**RULED, path=a_person, query={"name": "guest"}),
    ("DELETE", "/v1/sessions/{ident}"): Rule(**RULED, path=a_person),
    ("GET", "/v1/keys"): Rule(**RULED),
    ("DELETE", "/v1/keys/{ident}"): Rule(**RULED, path=a_key),
    **{("GET", path): Rule(open=True, ok=YES | {503}) for path in ("/livez", "/healthz", "/readyz")},
    **{("GET", path): Rule(open=True) for path in ("/", "/favicon.ico", "/openapi.json", "/docs")},
    ("GET", "/docs/{name}"): Rule(open=True, path=lambda _: _ready({"name": "docs.js"})),
    ("GET", "/static/{version}/{name:path}"): Rule(
        open=True, path=lambda _: _ready({"version": "x", "name": "style.css"})
    ),
}  # fmt: skip


async def _ready(found: dict[str, Any]) -> dict[str, Any]:
    return found


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that the app answers; HEAD and OPTIONS are GET's."""

    def walk(routes: Any) -> Iterator[Any]:
        for route in routes:
            if (inner := getattr(route, "effective_candidates", None)) is not None:
                yield from walk(inner())
            else:
                yield getattr(route, "route", None) or getattr(route, "original_route", route)

    for route in walk(app.router.routes):
        for method in sorted((getattr(route, "methods", None) or {"*"}) - {"HEAD", "OPTIONS"}):
            yield method, route.path


def answers(prompt: Prompt) -> str:
    """A model that writes where it is asked to, once."""
    asked = b"".join(prompt.messages)
    if asked.count(ASKED.encode()) == 1 and b"refused" not in asked and b"denied" not in asked:
        return step("files.write", path="notes/n.txt", text=SECRET)
    return final(f"{SECRET} is 42" if SECRET.encode() in asked else "42")


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    for name in ("notes", "house"):
        (folder / name).mkdir()
    (folder / "house/first.md").write_text(f"# Paint\n\nThe {SHELVED} stands in hall 3.\n")
    async with doors(folder, manifest=HOUSE, model=ScriptedModel(answers)) as at, AsyncExitStack() as stack:
        world = World(at, folder)
        for caller in CALLERS:
            world.clients[caller] = await stack.enter_async_context(at.browser())
            await come_in(world, caller)
        await world.clients["ada"].post("/v1/collections/house/refresh", headers=world.headers["ada"])
        await at.web.state.shelves._refreshes["house"].task
        yield world


async def come_in(world: World, caller: str) -> None:
    """As this kind of caller comes in."""
    client, headers = world.clients[caller], world.headers.setdefault(caller, {})
    client.cookies.clear()
    accounts, hours = world.at.accounts, world.at.credentials.server.auth.session_hours
    if caller == "forged":
        headers["Authorization"] = f"Bearer rf_000000000000_{'A' * 43}"
    elif caller.startswith("key:"):
        headers["Authorization"] = f"Bearer {accounts.keys.add('alice', [caller[4:]])[0]}"  # type: ignore[list-item]
    elif caller != "nobody":
        token = accounts.sessions.begin(person_of(caller), 0 if caller == "expired" else hours) or ""
        if caller == "expired":
            token = accounts.sessions.begin("alice", 1e-9) or ""
        client.cookies.set("ringfence", token, domain="localhost.local")
        if caller != "no-csrf":
            headers["X-CSRF-Token"] = world.at.credentials.csrf(token)


async def ask(world: World, method: str, path: str, rule: Rule, caller: str) -> httpx2.Response:
    found = await rule.path(world) if rule.path else {}
    url = path.replace(":path}", "}").format(**found)
    sent: dict[str, Any] = {"params": rule.query, "headers": world.headers[caller]}
    if rule.files:
        sent["files"] = {"file": (f"up{world.count}.md", b"# hm\n")}
    elif rule.body is not None:
        sent["json"] = await rule.body(world)
    answer = await world.clients[caller].request(method, url, **sent)
    if path.startswith("/auth/") and answer.status_code in YES and caller in (*PEOPLE, "no-csrf"):
        world.at.accounts.people.change(person_of(caller), hashed=kit.hashed(PASSWORD))
        for one in (*PEOPLE, "no-csrf"):
            await come_in(world, one)
    return answer


@pytest.fixture(autouse=True)
def by_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "embedder_of", lambda *_: None)
    monkeypatch.setattr(remembering.models, "paths", lambda *_: ())


async def test_every_route_lets_in_whom_it_should_and_nobody_else_sees_a_word(tmp_path: Path) -> None:
    wrong = []
    async with world_in(tmp_path) as world:
        undeclared = set(routes_of(world.at.web)) ^ set(RULES)
        assert not undeclared, "declare who may use these routes, or take out the rule of one that is gone"
        for (method, path), rule in RULES.items():
            for caller in CALLERS:
                answer = await ask(world, method, path, rule, caller)
                expected = rule.expects(caller, method)
                if answer.status_code not in expected:
                    wrong.append(f"{method} {path} as {caller}: {answer.status_code}, not {sorted(expected)}"
                                 f" {answer.text[:160]}")  # fmt: skip
                told = {word for word in (SECRET, SHELVED) if word in answer.text}
                if told and person_of(caller) not in rule.shows:
                    wrong.append(f"{method} {path} as {caller} tells {told}")
    assert not wrong, "\n".join(wrong)


async def test_what_is_somebody_elses_is_answered_as_what_is_not_there(tmp_path: Path) -> None:
    absent = {"run": "1kb2m9x0q7d3f5h8j1n4", "response": "resp_1kb2m9x0q7d3f5h8j1n4", "ident": "m-0", "seq": 0}
    async with world_in(tmp_path) as world:
        for (method, path), rule in RULES.items():
            if rule.path not in (a_run, an_item, asking) or "bob" in rule.may or rule.no != 404:
                continue
            theirs = await ask(world, method, path, rule, "bob")
            body = None if rule.body is None else await rule.body(world)
            nothing = await world.clients["bob"].request(
                method, path.format(**absent), json=body, headers=world.headers["bob"]
            )
            assert nothing.status_code == theirs.status_code == 404, (method, path)
            assert _without_names(nothing) == _without_names(theirs), (method, path)


def _without_names(answer: httpx2.Response) -> Any:
    """What is told, but for the name of what was asked for."""
    asked = str(answer.request.url.path).split("/")
    text = answer.text
    for part in sorted(asked, key=len, reverse=True):
        if len(part) > 2:
            text = text.replace(part, "NAME")
    return json.loads(text)
