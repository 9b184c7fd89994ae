# ruff: noqa: E501 (what is told is written out)
"""`${NAME}`, `.env`, and secrets that stay references."""

from __future__ import annotations

import copy
import os
import pickle
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ManifestError
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.loader import dump, load, parse
from ringfence.manifest.variables import looks_secret, parse_env
from ringfence.manifest.words import plain_words

BASE = "inference: {provider: embedded, model: m}\n"
SECRET = "swordfish-1"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("N", "NAME", "MODEL", "KEY_FILE", "MY_API_KEY", "EMPTY", "V"):
        monkeypatch.delenv(name, raising=False)


def test_a_variable_is_typed_as_if_it_had_been_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "7")
    workflow = parse(BASE + "workflow:\n  max_steps: ${N}\n", "m.yaml").workflow
    assert workflow.max_steps == 7


def test_a_default_counts_when_the_variable_is_unset_or_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    text = BASE + "workflow:\n  max_steps: ${N:-12}\n"
    assert parse(text, "m.yaml").workflow.max_steps == 12
    monkeypatch.setenv("N", "")
    assert parse(text, "m.yaml").workflow.max_steps == 12
    monkeypatch.setenv("N", "3")
    assert parse(text, "m.yaml").workflow.max_steps == 3


def test_a_variable_inside_a_text_and_an_escaped_one() -> None:
    text = "inference: {provider: embedded, model: 'a-${MODEL:-b}-$${MODEL}-$c'}\n"
    assert parse(text, "m.yaml").inference.tiers[0].model == "a-b-${MODEL}-$c"


def test_a_quoted_variable_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V", "1.2")
    assert parse(f'runtime: {{version: "${{V}}"}}\n{BASE}', "m.yaml").runtime.version == "1.2"


def test_a_variable_cannot_add_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V", "x}\ntools: [{name: files, type: builtin}]")
    manifest = parse(f"runtime:\n  version: ${{V}}\n{BASE}", "m.yaml")
    assert manifest.tools == ()


def test_the_environment_wins_over_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("export N=4\nMODEL='small one' # the usual\n")
    (tmp_path / "m.yaml").write_text(
        "inference:\n  provider: embedded\n  model: ${MODEL}\nworkflow:\n  max_steps: ${N}\n"
    )
    manifest = load(tmp_path / "m.yaml")
    assert (manifest.inference.tiers[0].model, manifest.workflow.max_steps) == ("small one", 4)
    monkeypatch.setenv("N", "9")
    assert load(tmp_path / "m.yaml").workflow.max_steps == 9


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("  export A = b c  # why", "b c"),
        ("A='b # c \\n'", "b # c \\n"),
        ('A="b \\"c\\" \\n"', 'b "c" \n'),
        ("A=b#c", "b#c"),
        ("A=http://x/y?z=1", "http://x/y?z=1"),
    ],
)
def test_a_line_of_an_env_file(line: str, value: str) -> None:
    assert parse_env(line) == {"A": value}


def test_a_broken_env_file_is_refused_by_line_and_nothing_in_it_is_repeated(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"# ok\nA='{SECRET}\n{SECRET}\n")
    (tmp_path / "m.yaml").write_text(BASE)
    with pytest.raises(ManifestError) as caught:
        load(tmp_path / "m.yaml")
    assert caught.value.what.splitlines() == [
        f"{tmp_path}/.env:{line}:1 expected NAME=VALUE, NAME='VALUE' or NAME=\"VALUE\", got something else"
        for line in (2, 3)
    ]


@given(st.text())
def test_any_text_is_an_env_file_or_a_manifest_error(text: str) -> None:
    with suppress(ManifestError):
        assert all(name.isidentifier() for name in parse_env(text))


def _with_secret(tmp_path: Path) -> Path:
    (tmp_path / ".env").write_text(f"MY_API_KEY={SECRET}\n")
    (tmp_path / "m.yaml").write_text(
        "inference: {provider: openai, endpoint: 'https://models.example/v1', model: m, api_key: '${MY_API_KEY}'}\n"
    )
    return tmp_path / "m.yaml"


def test_a_secret_of_the_env_file_is_revealed_without_being_in_the_environment(tmp_path: Path) -> None:
    key = load(_with_secret(tmp_path)).inference.tiers[0].api_key
    assert key is not None
    assert key.reveal() == SECRET
    assert "MY_API_KEY" not in os.environ


def test_a_secret_of_the_environment_wins_and_is_read_when_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = load(_with_secret(tmp_path)).inference.tiers[0].api_key
    monkeypatch.setenv("MY_API_KEY", "rotated")
    assert key is not None
    assert key.reveal() == "rotated"


def test_a_secret_is_in_no_dump_repr_pickle_notice_or_schema(tmp_path: Path) -> None:
    manifest = load(_with_secret(tmp_path))
    shown = [repr(manifest), str(manifest), dump(manifest), manifest.model_dump_json(), repr(manifest.model_dump())]
    shown += [repr(plain_words(manifest)), repr(pickle.dumps(manifest)), repr(copy.deepcopy(manifest))]
    assert not [text for text in shown if SECRET in text]
    assert "api_key: ${MY_API_KEY}" in dump(manifest)
    assert pickle.loads(pickle.dumps(manifest.inference.tiers[0].api_key)) == SecretRef("MY_API_KEY")


def test_a_secret_written_out_is_refused_and_not_repeated() -> None:
    with pytest.raises(ManifestError) as caught:
        parse(f"inference: {{provider: ollama, model: m, api_key: {SECRET}}}", "m.yaml")
    assert caught.value.what == (
        "m.yaml:1:50 inference.api_key: expected a reference, ${NAME}, with the value in the environment or in .env,"
        " got another value, which is not shown; put it into .env, and its ${NAME} here"
    )
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_in_a_field_that_is_shown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", SECRET)
    with pytest.raises(ManifestError) as caught:
        parse("inference:\n  provider: ollama\n  model: x${MY_API_KEY}\n", "m.yaml")
    assert caught.value.what == (
        "m.yaml:3:10 inference.model: expected a value that may be seen, got ${MY_API_KEY}, which is named like a secret:"
        " this field is shown in dumps and logs; keep secrets in api_key, secrets or headers, or rename the variable"
    )


def test_what_a_variable_holds_is_not_repeated_when_it_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", SECRET)
    with pytest.raises(ManifestError) as caught:
        parse(BASE + "workflow:\n  max_steps: ${N}\n", "m.yaml")
    assert caught.value.what == (
        "m.yaml:3:14 workflow.max_steps: expected a whole number, got '${N}', whose variable holds something else;"
        " correct the variable"
    )


def test_an_address_with_a_password_in_it_is_refused_and_not_repeated() -> None:
    with pytest.raises(ManifestError) as caught:
        parse(f"inference: {{provider: ollama, model: m, endpoint: 'http://me:{SECRET}@host'}}", "m.yaml")
    assert caught.value.what == (
        "m.yaml:1:51 inference.endpoint: expected an address without a name or password in it (logs show addresses),"
        " got another value, which is not shown; use api_key"
    )


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("OPENAI_API_KEY", True),
        ("db_password", True),
        ("APITOKEN", True),
        ("SECRET_ARN", True),
        ("MAX_TOKENS", False),
        ("KEYBOARD", False),
        ("MODEL", False),
    ],
)
def test_which_names_look_like_a_secret(name: str, secret: bool) -> None:
    assert looks_secret(name) is secret


def test_a_reference_is_equal_by_name_alone() -> None:
    assert SecretRef("A") == SecretRef("A", lambda name: "x")
    assert SecretRef("A") != SecretRef("B")
    assert len({SecretRef("A"), SecretRef("A")}) == 1
    assert SecretRef("A", lambda name: "").reveal() is None
    assert SecretRef.parse(SecretRef("A")).name == "A"
