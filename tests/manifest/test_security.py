# ruff: noqa: E501 (what is told is written out)
"""The sections on safety, and where a tool may reach: what is wrong there is said literally, what is meant is kept."""

from __future__ import annotations

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.fields import PATTERNS, window
from ringfence.manifest.loader import dump, parse
from ringfence.manifest.security import Argument, Leaf
from ringfence.manifest.tools import Host
from ringfence.manifest.types import BuiltinTool, Manifest

BASE = "inference: {provider: embedded, model: m}\n"
WEB = BASE + "tools:\n- {name: web, type: builtin, hosts: [docs.example.com]}\n"
KNOWN = "approvals, audit, catalogue, grant, inference, knowledge, memory, plugins, privacy, routing, runtime, sandbox, server, tools, workflow"


def web(keys: str) -> str:
    return BASE + f"tools:\n- {{name: web, type: builtin, {keys}}}\n"


def tool(keys: str) -> str:
    return BASE + f"tools:\n- {{{keys}}}\n"


MISTAKES = {
    # hosts
    web("hosts: ['docs.example.com:99999']"): (
        "m.yaml:3:38 tools[0].hosts[0]: expected a port of at most 65535, got 'docs.example.com:99999'"
    ),
    web("hosts: ['http://x']"): (
        "m.yaml:3:38 tools[0].hosts[0]: expected a host alone, such as docs.example.com, *.example.com, 10.0.0.7 or [::1],"
        " and :PORT behind it, got 'http://x'"
    ),
    web("hosts: [7]"): (
        "m.yaml:3:38 tools[0].hosts[0]: expected a host such as docs.example.com:443, or a mapping of keys, got 7"
    ),
    web("hosts: h.example"): "m.yaml:3:37 tools[0].hosts: expected a list, got 'h.example'; write [h.example]",
    web("hosts: [{port: 1}]"): "m.yaml:3:38 tools[0].hosts[0].host: expected the key 'host', got nothing; add it",
    web("hosts: [{host: a, port: x}]"): "m.yaml:3:54 tools[0].hosts[0].port: expected a whole number, got 'x'",
    web("hosts: [{host: a, metod: [GET]}]"): (
        "m.yaml:3:48 tools[0].hosts[0].metod: expected a known key, got 'metod'; did you mean 'methods'?"
    ),
    web("hosts: [{host: a, methods: [GOT]}]"): (
        "m.yaml:3:58 tools[0].hosts[0].methods[0]: expected one of GET, HEAD, POST, PUT, PATCH, DELETE, got 'GOT'; did you mean 'GET'?"
    ),
    web("hosts: [{host: a, methods: []}]"): (
        "m.yaml:3:57 tools[0].hosts[0].methods: expected at least one item, got an empty list"
    ),
    web("hosts: [{host: a, paths: [api]}]"): (
        "m.yaml:3:56 tools[0].hosts[0].paths[0]: expected the beginning of a path, such as /api/, got 'api'"
    ),
    web("hosts: [{host: a, private: 1}]"): (
        "m.yaml:3:57 tools[0].hosts[0].private: expected true or false, got 1"
    ),
    web("hosts: [{host: a, headers: {'A B': '${X}'}}]"): (
        "m.yaml:3:58 tools[0].hosts[0].headers.A B: expected the name of a header, such as Authorization, got 'A B'"
    ),
    web("private: true"): (
        "m.yaml:3:30 tools[0].private: expected a known key, got 'private'; it belongs under tools[].hosts[]"
    ),
    tool("name: web, type: builtin"): (
        "m.yaml:3:3 tools[0]: expected hosts in web, got none; say where it may reach: hosts: [docs.example.com]"
    ),
    tool("name: files, type: builtin, hosts: [a]"): (
        "m.yaml:3:39 tools[0].hosts: expected no hosts in files, which reaches none; remove it, or use name: web"
    ),
    # secrets, database, rate
    tool("name: calc, type: builtin, secrets: {A: '${B}'}"): (
        "m.yaml:3:40 tools[0].secrets: expected no secrets in calc, which runs no program of its own; remove it"
    ),
    web("hosts: [a], secrets: {A: '${B}'}"): (
        "m.yaml:3:51 tools[0].secrets: expected no secrets in web, which runs no program of its own; write headers under its host"
    ),
    tool("name: m, type: mcp, server_url: 'http://x', secrets: {A: '${B}'}"): (
        "m.yaml:3:57 tools[0].secrets: expected no secrets beside server_url, whose environment is not ours; remove it"
    ),
    tool("name: shell, type: builtin, secrets: {A-B: '${B}'}"): (
        "m.yaml:3:42 tools[0].secrets.A-B: expected the name of a variable: letters, digits and '_', no digit first, got 'A-B'"
    ),
    tool("name: sql, type: builtin"): (
        "m.yaml:3:3 tools[0]: expected a database in sql, got none; add one: database: ./data.db, or database: ${DATABASE_URL}"
    ),
    tool("name: calc, type: builtin, database: a.db"): (
        "m.yaml:3:41 tools[0].database: expected no database in calc, which asks none; remove it, or use name: sql"
    ),
    tool("name: calc, type: builtin, rate: 30"): (
        "m.yaml:3:37 tools[0].rate: expected calls/window, such as 30/minute or 5/10 seconds, got 30"
    ),
    tool("name: calc, type: builtin, rate: 30/fortnight"): (
        "m.yaml:3:37 tools[0].rate: expected calls/window, such as 30/minute or 5/10 seconds, got '30/fortnight'"
    ),
    tool("name: calc, type: builtin, limits: {cpu_s: 1}"): (
        "m.yaml:3:31 tools[0].limits: expected a known key, got 'limits'; it belongs under workflow"
    ),
    # catalogue
    WEB + "catalogue: []\n": "m.yaml:4:12 catalogue: expected a mapping of keys, got an empty list",
    WEB + "catalogue: {web.fetch: read}\n": (
        "m.yaml:4:24 catalogue.web.fetch: expected a mapping of keys, got 'read'"
    ),
    WEB + "catalogue: {web.fech: {}}\n": (
        "m.yaml:4:23 catalogue.web.fech: expected a tool of web, got 'web.fech'; did you mean 'web.fetch'?"
    ),
    WEB + "catalogue: {wb.fetch: {}}\n": (
        "m.yaml:4:23 catalogue.wb.fetch: expected a tool that is listed under tools, got 'wb'; did you mean 'web'?"
    ),
    WEB + "catalogue: {web.fetch: {efect: read}}\n": (
        "m.yaml:4:25 catalogue.web.fetch.efect: expected a known key, got 'efect'; did you mean 'effect'?"
    ),
    WEB + "catalogue: {web.fetch: {effect: reed}}\n": (
        "m.yaml:4:33 catalogue.web.fetch.effect: expected one of read, read-with-effect, write, egress, destroy, commit,"
        " got 'reed'; did you mean 'read'?"
    ),
    WEB + "catalogue: {web.fetch: {args: {url: contrl}}}\n": (
        "m.yaml:4:37 catalogue.web.fetch.args.url: expected one of control, text, low, got 'contrl'; did you mean 'control'?"
    ),
    WEB + "catalogue: {web.fetch: {args: {url: 7}}}\n": (
        "m.yaml:4:37 catalogue.web.fetch.args.url: expected a role (control, text or low), or a mapping of keys, got 7"
    ),
    WEB + "catalogue: {web.fetch: {args: {url: {kind: x}}}}\n": (
        "m.yaml:4:38 catalogue.web.fetch.args.url.kind: expected a known key, got 'kind'; known are role, type, words"
    ),
    WEB + "catalogue: {web.fetch: {args: {url: {type: E-Mail}}}}\n": (
        "m.yaml:4:44 catalogue.web.fetch.args.url.type: expected a kind of value in small letters, such as email, date or path, got 'E-Mail'"
    ),
    WEB + "catalogue: {web.fetch: {output: {title: x}}}\n": (
        "m.yaml:4:34 catalogue.web.fetch.output.title: expected a JSON pointer, such as /items/*/id ('*' stands for every member), got 'title'"
    ),
    WEB + "catalogue: {web.fetch: {output: {/a~2: x}}}\n": (
        "m.yaml:4:34 catalogue.web.fetch.output./a~2: expected a JSON pointer, such as /items/*/id ('*' stands for every member), got '/a~2'"
    ),
    WEB + "catalogue: {web.fetch: {output: {/title: {type: x, trust: user}}}}\n": (
        "m.yaml:4:59 catalogue.web.fetch.output./title.trust: expected one of typed, untrusted, got 'user'"
    ),
    WEB + "catalogue: {web.fetch: {output: {/title: [x]}}}\n": (
        "m.yaml:4:42 catalogue.web.fetch.output./title: expected a kind of value such as email, date or path, or a mapping of keys, got a list"
    ),
    WEB + "catalogue: {web.fetch: {output: {/t: {type: x, readers: [ops]}}}}\n": (
        "m.yaml:4:58 catalogue.web.fetch.output./t.readers[0]: expected role:NAME, user:NAME, team:NAME or public, got 'ops'"
    ),
    WEB + "catalogue: {web.fetch: {audience: [all]}}\n": (
        "m.yaml:4:36 catalogue.web.fetch.audience[0]: expected role:NAME, user:NAME, team:NAME, public or self, got 'all'"
    ),
    WEB + "catalogue: {web.fetch: {confined: true, effect: egress}}\n": (
        "m.yaml:4:35 catalogue.web.fetch.confined: expected no confined beside effect: egress, which sends something out; keep the one that is true"
    ),
    # grant
    WEB + "grant: {effects: web.fetch}\n": (
        "m.yaml:4:18 grant.effects: expected a list, got 'web.fetch'; write [web.fetch]"
    ),
    WEB + "grant: {effects: [web.fetch, web.fech]}\n": (
        "m.yaml:4:30 grant.effects[1]: expected a tool of web, got 'web.fech'; did you mean 'web.fetch'?"
    ),
    WEB + "grant: {budgets: {fles.read: 1}}\n": (
        "m.yaml:4:30 grant.budgets.fles.read: expected a tool that is listed under tools, got 'fles'; known are web"
    ),
    WEB + "grant: {budgets: {web.fetch: -1}}\n": "m.yaml:4:30 grant.budgets.web.fetch: expected at least 0, got -1",
    WEB + "grant: {effect: []}\n": (
        "m.yaml:4:9 grant.effect: expected a known key, got 'effect'; it belongs under catalogue.NAME"
    ),
    # approvals, plugins, sandbox
    WEB + "approvals: {four_eyes: true}\n": (
        "m.yaml:4:24 approvals.four_eyes: expected approvers beside four_eyes, got none; name who may say yes: approvers: [role:lead]"
    ),
    WEB + "approvals: {valid_s: 0}\n": "m.yaml:4:22 approvals.valid_s: expected at least 1, got 0",
    WEB + "approvals: {aprovers: []}\n": (
        "m.yaml:4:13 approvals.aprovers: expected a known key, got 'aprovers'; did you mean 'approvers'?"
    ),
    WEB + "approvals: yes\n": "m.yaml:4:12 approvals: expected a mapping of keys, got true",
    WEB + "plugins: {require_signature: true}\n": (
        "m.yaml:4:30 plugins.require_signature: expected keys beside require_signature, got none; name whom you trust:"
        " keys: {us: <public key>}"
    ),
    WEB + "plugins: {keys: {us: abc}}\n": (
        "m.yaml:4:22 plugins.keys.us: expected an Ed25519 public key: 32 bytes in base64, 44 characters,"
        " got another value, which is not shown"
    ),
    WEB + "sandbox: unsafe\n": (
        "m.yaml:4:10 sandbox: expected one of auto, bubblewrap, landlock, unsafe-none, got 'unsafe'; did you mean 'unsafe-none'?"
    ),
    WEB + "sandbox: true\n": "m.yaml:4:10 sandbox: expected one of auto, bubblewrap, landlock, unsafe-none, got true",
    WEB + "runtime: {sandbox: auto}\n": (
        "m.yaml:4:11 runtime.sandbox: expected a known key, got 'sandbox'; it belongs at the top"
    ),
    WEB + "four_eyes: true\n": (
        "m.yaml:4:1 four_eyes: expected a known key, got 'four_eyes'; it belongs under approvals"
    ),
    WEB + "aprovals: {}\n": "m.yaml:4:1 aprovals: expected a known key, got 'aprovals'; did you mean 'approvals'?",
    WEB + "'[key]': {}\n": f"m.yaml:4:1 [key]: expected a known key, got '[key]'; known are {KNOWN}",
    WEB + "redteam: {}\n": f"m.yaml:4:1 redteam: expected a known key, got 'redteam'; known are {KNOWN}",
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), MISTAKES.items(), ids=[line[:60] for line in MISTAKES.values()])
def test_a_mistake_about_safety_is_explained_where_it_was_made(text: str, line: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(text, "m.yaml")
    assert caught.value.what.splitlines() == [line]
    assert not [word for word in ("pydantic", "input should", "validat") if word in line.lower()]


def test_every_pattern_of_a_field_has_its_words() -> None:
    """A pattern without words would end the explanation of an error in an error."""

    def patterns(part: object) -> set[str]:
        if isinstance(part, dict):
            own = {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
            own |= set(part.get("patternProperties", {}))  # of keys
            return own.union(*map(patterns, part.values()))
        return set().union(*map(patterns, part)) if isinstance(part, list) else set()

    used = {pattern for pattern in patterns(Manifest.model_json_schema()) if r"\$\{" not in pattern}
    assert used == set(PATTERNS)


WHOLE = """\
inference: {provider: embedded, model: m}
tools:
- {name: files, type: builtin, target_paths: [.], permissions: [read, write], rate: 30/minute}
- name: http
  type: builtin
  hosts:
  - docs.example.com:8443
  - "[::1]:9"
  - {host: "*.example.org", methods: [GET, POST], paths: [/api/], private: true, audience: [role:ops],
     headers: {Authorization: "Bearer ${TOKEN}"}}
- {name: sql, type: builtin, database: "${DATABASE_URL}", max_rows: 9}
- {name: shell, type: builtin, allow: [kubectl get], secrets: {KUBE_TOKEN: "${TOKEN}"}, sandbox: {processes: 4}}
- {name: mail, type: mcp, command: [server], max_message_kb: 9}
catalogue:
  mail.send:
    effect: egress
    args: {to: {role: control, type: email}, body: text}
    output: {/id: id, "/seen/*/by": {type: email, readers: [role:ops]}, /note: {type: text, trust: untrusted}}
    audience: [self, role:ops]
    reversible: true
  files.write: {effect: write, ask: true}
grant: {effects: [mail.send, files.write], budgets: {mail.send: 2, files.read: 9}, planned: true}
approvals: {approvers: [role:lead], four_eyes: true, valid_s: 60}
sandbox: landlock
plugins: {require_signature: true, keys: {us: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
"""


def test_all_of_the_keys_about_safety_load_and_are_dumped_as_they_were_meant() -> None:
    manifest = parse(WHOLE, "m.yaml")
    assert parse(dump(manifest), "m.yaml") == manifest
    http = manifest.tools[1]
    assert http.hosts[:2] == (Host(host="docs.example.com", port=8443), Host(host="[::1]", port=9))
    assert (http.hosts[2].methods, http.hosts[2].paths) == (("GET", "POST"), ("/api/",))
    entry = manifest.catalogue["mail.send"]
    assert entry.args == {"to": Argument(role="control", type="email"), "body": Argument(role="text")}
    assert entry.output["/id"] == Leaf(type="id", trust="typed")
    assert entry.output["/seen/*/by"].readers == ("role:ops",)
    assert manifest.tools[3].limits.processes == 4
    assert manifest.tools[0].limits.processes == 64


def test_what_is_not_declared_is_the_worst_it_could_be() -> None:
    entry = parse(WEB + "catalogue: {web.fetch: {}}\n", "m.yaml").catalogue["web.fetch"]
    assert (entry.effect, entry.confined, entry.reversible, entry.idempotent) == ("commit", False, False, False)
    assert not entry.args
    assert not entry.output


def test_a_shorthand_means_the_same_in_code() -> None:
    made = BuiltinTool.model_validate(
        {"name": "web", "type": "builtin", "hosts": ["a:1", {"host": "b", "methods": ["GET"]}]}
    )
    assert made.hosts == (Host(host="a", port=1), Host(host="b", methods=("GET",)))


@pytest.mark.parametrize(
    ("rate", "calls", "seconds"),
    [
        ("30/minute", 30, 60),
        ("5/10 seconds", 5, 10),
        ("1/second", 1, 1),
        ("2/3hours", 2, 10_800),
        ("9/1 day", 9, 86_400),
    ],
)
def test_a_rate_is_calls_in_a_window_of_seconds(rate: str, calls: int, seconds: int) -> None:
    parsed = parse(tool(f"name: calc, type: builtin, rate: {rate}"), "m.yaml").tools[0].rate
    assert parsed is not None
    assert window(parsed) == (calls, seconds)


@pytest.mark.parametrize("rate", ["0/minute", "-1/minute", "1/0 minutes", "1.5/minute", "/minute", "1/min", "1 / minute", "٣/minute", "9999999/day"])  # fmt: skip
def test_a_rate_that_cannot_be_parsed_is_refused(rate: str) -> None:
    with pytest.raises(ManifestError, match="expected calls/window"):
        parse(tool(f"name: calc, type: builtin, rate: {rate}"), "m.yaml")
