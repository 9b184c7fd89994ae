# ruff: noqa: E501 (what is told is written out)
"""What is wrong in a manifest is said literally: where, what was expected, what came, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import load, parse

BASE = "inference: {provider: embedded, model: m}\n"


def what(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse(text, "m.yaml")
    return caught.value.what.splitlines()


MISTAKES = {
    # unknown keys
    "inference:\n  provider: embedded\n  model: m\n  temprature: 1\n": (
        "m.yaml:4:3 inference.temprature: expected a known key, got 'temprature'; did you mean 'temperature'?"
    ),
    BASE + "runtime: {colour: red}\n": (
        "m.yaml:2:11 runtime.colour: expected a known key, got 'colour';"
        " known are log_file, log_level, name, profile, telemetry, version"
    ),
    BASE + "tool: []\n": "m.yaml:2:1 tool: expected a known key, got 'tool'; did you mean 'tools'?",
    BASE + "source: x\n": (
        "m.yaml:2:1 source: expected a known key, got 'source'; known are approvals, audit, catalogue, grant,"
        " inference, knowledge, memory, plugins, privacy, routing, runtime, sandbox, server, tools, workflow"
    ),
    BASE + "tools:\n- {name: files, type: builtin, target_path: [.]}\n": (
        "m.yaml:3:32 tools[0].target_path: expected a known key, got 'target_path'; did you mean 'target_paths'?"
    ),
    BASE + "tools:\n- {name: files, type: builtin, sandbox: {cpus: 1}}\n": (
        "m.yaml:3:42 tools[0].sandbox.cpus: expected a known key, got 'cpus'; did you mean 'cpu_s'?"
    ),
    BASE + "knowledge:\n  collections: [{name: a, path: b, reader: x}]\n": (
        "m.yaml:3:36 knowledge.collections[0].reader: expected a known key, got 'reader'; did you mean 'readers'?"
    ),
    "inference: {tiers: [{provider: embedded, model: m, retry: 1}]}\n": (
        "m.yaml:1:52 inference.tiers[0].retry: expected a known key, got 'retry'; did you mean 'retries'?"
    ),
    # missing keys
    "runtime: {name: a}\n": "m.yaml:1:1 inference: expected the key 'inference', got nothing; add it",
    "inference:\n  model: m\n": "m.yaml:2:3 inference.provider: expected the key 'provider', got nothing; add it",
    # wrong types and values
    BASE + 'workflow: {max_steps: "20"}\n': (
        "m.yaml:2:23 workflow.max_steps: expected a whole number, got '20'; write it without quotes"
    ),
    BASE + "workflow: {max_steps: many}\n": "m.yaml:2:23 workflow.max_steps: expected a whole number, got 'many'",
    BASE + "workflow: {max_steps: 1.5}\n": "m.yaml:2:23 workflow.max_steps: expected a whole number, got 1.5",
    BASE + "workflow: {max_steps: 0}\n": "m.yaml:2:23 workflow.max_steps: expected at least 1, got 0",
    BASE + "workflow: {max_steps: 10001}\n": "m.yaml:2:23 workflow.max_steps: expected at most 10000, got 10001",
    BASE + "workflow: {max_steps: 99999999999999999999}\n": (
        "m.yaml:2:23 workflow.max_steps: expected a number of at most 2**53-1, got a larger one"
    ),
    BASE + "workflow: {tool_first: 1}\n": "m.yaml:2:24 workflow.tool_first: expected true or false, got 1",
    BASE + "workflow: {limits: [1]}\n": "m.yaml:2:20 workflow.limits: expected a mapping of keys, got a list",
    BASE + "workflow: []\n": "m.yaml:2:11 workflow: expected a mapping of keys, got an empty list",
    BASE + "runtime:\n": "m.yaml:2:9 runtime: expected a mapping of keys, got nothing",
    BASE + "runtime: {version: 1.2}\n": "m.yaml:2:20 runtime.version: expected text, got 1.2; put it in quotes",
    BASE + "runtime: {name: a b}\n": (
        "m.yaml:2:17 runtime.name: expected a letter, then letters, digits, '-' or '_', 63 at most, got 'a b'"
    ),
    BASE + "runtime: {profile: strikt}\n": (
        "m.yaml:2:20 runtime.profile: expected one of default, strict, unattended, got 'strikt'; did you mean 'strict'?"
    ),
    BASE + "tools: {}\n": "m.yaml:2:8 tools: expected a list, got a mapping",
    BASE + "tools: [files]\n": "m.yaml:2:9 tools[0]: expected a mapping of keys, got 'files'",
    BASE + "tools:\n- {name: files, type: builtin, target_paths: logs}\n": (
        "m.yaml:3:46 tools[0].target_paths: expected a list, got 'logs'; write [logs]"
    ),
    BASE + "tools:\n- {name: files, type: builtin, target_paths: ['']}\n": (
        "m.yaml:3:47 tools[0].target_paths[0]: expected a path ('.' is the manifest's own folder), got empty text"
    ),
    BASE + "tools:\n- {name: files, type: builtin, permissions: [reed]}\n": (
        "m.yaml:3:46 tools[0].permissions[0]: expected one of read, grep, write, execute, got 'reed'; did you mean 'read'?"
    ),
    BASE + "tools:\n- {name: files, type: builtin, callers: [ops]}\n": (
        "m.yaml:3:42 tools[0].callers[0]: expected role:NAME, user:NAME, team:NAME or public, got 'ops'"
    ),
    BASE + "tools:\n- {name: files, type: builtin, sandbox: yes please}\n": (
        "m.yaml:3:41 tools[0].sandbox: expected true, false or a mapping of limits, got 'yes please'"
    ),
    BASE + "tools:\n- {name: files, type: builtin, sandbox: {cpu_s: 0}}\n": (
        "m.yaml:3:49 tools[0].sandbox.cpu_s: expected more than 0, got 0"
    ),
    BASE + "tools:\n- {name: f, type: python, function: f}\n": (
        "m.yaml:3:37 tools[0].function: expected module:function, got 'f'"
    ),
    "inference: {provider: ollama, model: ''}\n": "m.yaml:1:38 inference.model: expected some text, got empty text",
    "inference: {provider: ollama, model: m, endpoint: host:1}\n": (
        "m.yaml:1:51 inference.endpoint: expected an address that starts with http:// or https://, got 'host:1'"
    ),
    "inference: {provider: ollama, model: m, endpoint: 'http://[::1'}\n": (
        "m.yaml:1:51 inference.endpoint: expected an address that starts with http:// or https://, got 'http://[::1'"
    ),
    "inference: {provider: ollama, model: m, endpoint: 7}\n": (
        "m.yaml:1:51 inference.endpoint: expected text, got 7; put it in quotes"
    ),
    "inference: {tiers: []}\n": "m.yaml:1:20 inference.tiers: expected at least one item, got an empty list",
    "inference: 5\n": "m.yaml:1:12 inference: expected a mapping of keys, got 5",
    # unions
    BASE + "tools:\n- {name: x, type: buildin}\n": (
        "m.yaml:3:3 tools[0]: expected type to be one of builtin, mcp, python, got 'buildin'; did you mean 'builtin'?"
    ),
    BASE + "tools:\n- {name: x}\n": (
        "m.yaml:3:3 tools[0]: expected type to be one of builtin, mcp, python, got nothing; add it"
    ),
    # what cannot be meant together
    "inference: {provider: embedded, model: m, endpoint: 'http://x'}\n": (
        "m.yaml:1:53 inference.endpoint: expected no endpoint beside provider: embedded, whose server Ringfence starts"
        " itself; remove it, or use provider: openai"
    ),
    "inference: {provider: openai, model: m}\n": (
        "m.yaml:1:12 inference.endpoint: expected the server's address beside provider: openai, got none; add one, such"
        " as endpoint: http://127.0.0.1:8000/v1"
    ),
    "inference: {provider: ollama, model: m, idle_s: 9}\n": (
        "m.yaml:1:49 inference.idle_s: expected no idle_s beside provider: ollama, whose server is not ours to stop;"
        " remove it"
    ),
    "inference: {provider: ollama, model: m, max_tokens: 600, max_context: 512}\n": (
        "m.yaml:1:53 inference.max_tokens: expected less than max_context (512), got 600; the question and its answer"
        " share the window"
    ),
    "inference: {max_context: 512, tiers: [{provider: ollama, model: m, max_tokens: 600}]}\n": (
        "m.yaml:1:80 inference.tiers[0].max_tokens: expected less than max_context (512), got 600; the question and its"
        " answer share the window"
    ),
    "inference:\n  model: m\n  tiers: [{provider: ollama, model: m}]\n": (
        "m.yaml:2:3 inference.model: expected tiers, or one model written flat, got both; move it into a tier"
    ),
    BASE + "tools:\n- {name: m, type: mcp}\n": (
        "m.yaml:3:3 tools[0]: expected server_url or command, got neither; add the one that says where the server is"
    ),
    BASE + "tools:\n- {name: m, type: mcp, server_url: 'http://x', command: [y]}\n": (
        "m.yaml:3:57 tools[0].command: expected server_url or command, got both; keep the one that says where the server is"
    ),
    BASE + "tools:\n- {name: m, type: mcp, command: []}\n": (
        "m.yaml:3:33 tools[0].command: expected at least one item, got an empty list"
    ),
    BASE + "tools:\n- {name: files, type: builtin, server_url: 'http://x'}\n": (
        "m.yaml:3:32 tools[0].server_url: expected a known key, got 'server_url'; it belongs to type: mcp"
    ),
    BASE + "tools:\n- {name: fils, type: builtin}\n": (
        "m.yaml:3:10 tools[0].name: expected a tool that ships with Ringfence, got 'fils'; did you mean 'files'?"
    ),
    BASE + "tools:\n- {name: gopher, type: builtin}\n": (
        "m.yaml:3:10 tools[0].name: expected a tool that ships with Ringfence, got 'gopher';"
        " known are calc, csv, files, http, python, shell, sql, text, time, web"
    ),
    BASE + "tools:\n- {name: files, type: builtin, allow: [df]}\n": (
        "m.yaml:3:39 tools[0].allow: expected no allow in files, which runs no commands; remove it, or use name: shell"
    ),
    BASE + "tools:\n- {name: calc, type: builtin}\n- {name: calc, type: builtin}\n": (
        "m.yaml:4:10 tools[1].name: expected a name of its own, got 'calc', which another tool has; rename one"
    ),
    "inference: {tiers: [{provider: ollama, model: m}, {provider: vllm, model: m}]}\n": (
        "m.yaml:1:51 inference.tiers[1].name: expected a name of its own, got 'main', which another tier has; rename one"
    ),
    BASE + "tools: [{name: files, type: builtin}]\nworkflow: {limits: {fles.search: 2}}\n": (
        "m.yaml:3:34 workflow.limits.fles.search: expected a tool that is listed under tools, got 'fles';"
        " did you mean 'files'?"
    ),
    BASE + "workflow: {limits: {files: 2}}\n": (
        "m.yaml:2:28 workflow.limits.files: expected a tool that is listed under tools, got 'files'; no tool is listed"
    ),
    BASE + "tools: [{name: files, type: builtin}]\nworkflow: {limits: {files.serch: 2}}\n": (
        "m.yaml:3:34 workflow.limits.files.serch: expected a tool of files, got 'files.serch';"
        " did you mean 'files.search'?"
    ),
    BASE + "tools: [{name: files, type: builtin}]\nworkflow: {limits: {files: 2}}\n": (
        "m.yaml:3:28 workflow.limits.files: expected a tool of files, got 'files';"
        " known are files.edit, files.find, files.list, files.overview, files.patch, files.read, files.search,"
        " files.stat, files.undo, files.write"
    ),
    BASE + "tools: [{name: calc, type: builtin}]\nworkflow: {limits: {calc.add: 2}}\n": (
        "m.yaml:3:31 workflow.limits.calc.add: expected a tool of calc, got 'calc.add'; did you mean 'calc'?"
    ),
    # variables
    BASE + "runtime:\n  version: ${NEVER_SET_HERE}\n": (
        "m.yaml:3:12 runtime.version: expected the variable NEVER_SET_HERE to be set, got none; set it in the environment"
        " or in .env, or write ${NEVER_SET_HERE:-default}"
    ),
    BASE + "runtime: {version: '${a-b}'}\n": (
        "m.yaml:2:20 runtime.version: expected ${NAME} or ${NAME:-default}, got another '${'; write $${ for a plain '${'"
    ),
    BASE + "runtime: {version: 'a ${B'}\n": (
        "m.yaml:2:20 runtime.version: expected ${NAME} or ${NAME:-default}, got another '${'; write $${ for a plain '${'"
    ),
    BASE + "runtime:\n  version: ${NEVER_SET_HERE:-1.5}\n": (
        "m.yaml:3:12 runtime.version: expected text, got '${NEVER_SET_HERE:-1.5}', whose variable holds something else;"
        " text needs quotes around it"
    ),
    # YAML
    "": "m.yaml:1:1 expected a manifest, got an empty file; `ringfence init` writes one",
    "# nothing\n": "m.yaml:1:1 expected a manifest, got an empty file; `ringfence init` writes one",
    "- a\n": "m.yaml:1:1 expected keys such as inference: and tools:, got a list or a single value",
    "a: b: c\n": (
        "m.yaml:1:5 expected YAML, got what is none (mapping values are not allowed here);"
        " put text with ': ', '{', '[', '%', '@' or '*' in it in quotes"
    ),
    "inference:\n\tmodel: m\n": (
        "m.yaml:2:1 expected spaces at the beginning of the line, got a tab; YAML is indented with spaces"
    ),
    BASE + "---\n" + BASE: (
        "m.yaml:2:1 expected one document, got a second one after '---'; keep one manifest in a file"
    ),
    "inference: {}\nruntime: {}\ninference: {}\n": (
        "m.yaml:3:1 inference: expected each key once, got it again (first in line 1); keep one of them"
    ),
    BASE + "runtime: {name: \x07}\n": "m.yaml:2:17 expected text, got the character U+0007; remove it",
    BASE + 'runtime: {version: "\\0"}\n': (
        "m.yaml:2:20 runtime.version: expected text, got a control character in it; remove it"
    ),
    BASE + 'runtime: {version: "\\UFFFFFFFF"}\n': "m.yaml:2:23 expected YAML, got a number that is out of range",
    BASE + "runtime: !!python/object:os.system {}\n": (
        "m.yaml:2:10 runtime: expected a plain value, got the tag tag:yaml.org,2002:python/object:os.system; remove the tag"
    ),
    BASE + "runtime: {1: x}\n": "m.yaml:2:11 runtime: expected a key that is text, got another kind",
    BASE + "runtime: {<<: {}}\n": (
        "m.yaml:2:11 runtime: expected a key that is text, got a merge key (<<), which is not supported;"
        " write the keys out"
    ),
}


@pytest.mark.parametrize(("text", "line"), MISTAKES.items(), ids=[line[:60] for line in MISTAKES.values()])
def test_a_mistake_is_explained_where_it_was_made(text: str, line: str) -> None:
    assert line in what(text)


@pytest.mark.parametrize("text", [text for text in MISTAKES if not text.startswith("inference:\n  model: m\n  tiers")])
def test_no_explanation_speaks_of_the_parts_it_was_made_with(text: str) -> None:
    told = "\n".join(what(text)).lower()
    assert not [
        jargon for jargon in ("pydantic", "input should", "tuple", "field", "validat", "none,") if jargon in told
    ]


def test_all_problems_of_a_file_are_told_at_once_in_its_order() -> None:
    text = """\
runtime: {name: a b}
inference: {provider: olama, model: m, temprature: 1}
tools:
  - {name: fils, type: builtin}
  - {name: files, type: builtin, target_paths: x}
  - {name: files, type: builtin}
workflow: {max_steps: -1, limits: {csv: 1, files.reed: 1}}
"""
    assert [line.split(" ")[0] + line.split(" ")[1] for line in what(text)] == [
        "m.yaml:1:17runtime.name:",
        "m.yaml:2:23inference.provider:",
        "m.yaml:2:40inference.temprature:",
        "m.yaml:4:12tools[0].name:",
        "m.yaml:5:48tools[1].target_paths:",
        "m.yaml:6:12tools[2].name:",
        "m.yaml:7:23workflow.max_steps:",
        "m.yaml:7:41workflow.limits.csv:",
        "m.yaml:7:56workflow.limits.files.reed:",
    ]
    with pytest.raises(ManifestError) as caught:
        parse(text, "m.yaml")
    assert caught.value.todo == "correct these 9 places, then look again with `ringfence manifest check m.yaml`"


def test_one_problem_is_told_once() -> None:
    assert len(what("inference: {provider: embedded, model: '${NEVER_SET_HERE}'}")) == 1
    assert len(what(BASE + "tools: [{name: files, type: builtin, target_paths: ['']}]")) == 1


def test_what_came_is_shown_short_and_harmless() -> None:
    (line,) = what(BASE + 'runtime: {profile: "' + "\\e[2J\\u202e" + "x" * 500 + '"}')
    assert "control character" in line
    (line,) = what(BASE + 'runtime: {profile: "\\u202e' + "x" * 500 + '"}')
    assert line.endswith("got '?" + "x" * 56 + "...'")


def test_aliases_cannot_explode() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (line,) = what("\n".join(layers))
    assert "expected at most 10000 values and 32 levels, got more; use fewer aliases" in line


def test_an_alias_of_itself_is_refused() -> None:
    (line,) = what("tools: &a [*a]")
    assert line.startswith("m.yaml:1:8 tools[0]: expected at most 10000 values and 32 levels, got more")


def test_depth_and_number_are_bounded_before_they_cost_anything() -> None:
    assert what("[" * 100_000) == ["m.yaml:1:33 expected at most 32 levels, got more"]
    (line,) = what("tools: [" + "1, " * 20_000 + "]")
    assert line.endswith("expected at most 10000 values, got more")


def _told(path: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load(path)
    return caught.value


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    error = _told(tmp_path / "none.yaml")
    assert str(error) == (
        f"{tmp_path}/none.yaml: expected a manifest, got no such file\n"
        "  -> write one with `ringfence init`, or name another with --manifest FILE"
    )


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    assert _told(tmp_path).what == f"{tmp_path}: expected a manifest, got a folder"


def test_a_path_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "m.yaml"
    assert _told(below).what == f"{below}: expected a file that can be read, got: Not a directory"
    assert "embedded null" in _told(Path("a\0b")).what


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert _told(path).what == f"{path}: expected at most 1000000 bytes, got more"


def test_a_binary_file_is_told_by_its_first_odd_byte(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"a: b\nc: \xff\xfe")
    assert _told(path).what == f"{path}:2:4 expected UTF-8 text, got the byte 0xff; save the file as UTF-8"
