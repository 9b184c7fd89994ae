"""Canaries: a planted code leaves in no action, however it is disguised, whoever says yes to it."""

from __future__ import annotations

import base64
import json
import logging
import stat
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence import tool
from ringfence.app import Agent, from_manifest
from ringfence.app.knowing.canary import FILE, Store, Watch
from ringfence.audit.events import events
from ringfence.audit.ocsf import ocsf
from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import load
from ringfence.testing.scripted import ScriptedModel

from ..cli.conftest import Shell, final, step

LOCAL = "inference: {provider: llamacpp, model: scripted}\n"
CLOUD = 'inference: {provider: openai, model: x, endpoint: "https://models.example", audience: [role:ops]}\n'
TOOLS = "tools: [{name: files, type: builtin, target_paths: [./notes]}]\n"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "small letters": str.lower,
    "without signs": lambda t: t.replace("-", ""),
    "other signs": lambda t: t.replace("-", " / "),
    "letter by letter": " ".join,
    "invisible signs between": "\u200b".join,
    "line by line": "\n".join,
    "backwards": lambda t: t[::-1],
    "wide letters": lambda t: "".join(chr(ord(c) + 0xFEE0) for c in t),
    "in a URL": lambda t: f"https://collect.example/p.gif?d={t.lower()}&x=1",
    "percent": lambda t: "".join(f"%{ord(c):02X}" for c in t),
    "percent twice": lambda t: urllib.parse.quote("".join(f"%{ord(c):02x}" for c in t)),
    "HTML": lambda t: "".join(f"&#{ord(c)};" for c in t),
    "JSON": lambda t: "".join(f"\\u{ord(c):04x}" for c in t),
    "C": lambda t: "".join(f"\\x{ord(c):02x}" for c in t),
    "hex": lambda t: t.encode().hex(),
    "hex with colons": lambda t: t.encode().hex(":").upper(),
    "base64": b64,
    "base64 in a word": lambda t: "img" + b64("a" + t),
    "base64 in lines": lambda t: f"{b64(t)[:9]}\n{b64(t)[9:]}",
    "base64 for URLs": lambda t: base64.urlsafe_b64encode(b"?>" + t.lower().encode()).decode().rstrip("="),
    "base64 twice": lambda t: b64(b64(t)),
    "base32": lambda t: base64.b32encode(t.encode()).decode(),
    "hex of base64": lambda t: b64(t).encode().hex(),
    "UTF-16 in base64": lambda t: base64.b64encode(t.encode("utf-16-le")).decode(),
}


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Watch, str]:
    store = Store(tmp_path / "store" / FILE)
    _, token = store.plant("in a note")
    watch = Watch(store)
    watch.refresh()
    return watch, token


@pytest.mark.parametrize("how", DISGUISES)
def test_it_is_known_in_every_disguise(planted: tuple[Watch, str], how: str) -> None:
    watch, token = planted
    hidden = DISGUISES[how](token)
    assert watch.seen([hidden])
    assert watch.seen([f"Dear Bob, the figure is {hidden} as agreed.", "bye"])


def test_it_is_known_over_several_values_and_another_code_of_its_form_is_let_be(planted: tuple[Watch, str]) -> None:
    watch, token = planted
    assert watch.seen([token[:7], token[7:]])
    assert not watch.seen(["KD-4821-7730-9152-QX", token[:-1]])


@given(st.lists(st.text(max_size=200), max_size=5))
def test_no_text_makes_it_raise_and_none_is_taken_for_one(tmp_path_factory: pytest.TempPathFactory, texts: Any) -> None:
    store = Store(tmp_path_factory.mktemp("c") / FILE)
    _, token = store.plant()
    watch = Watch(store)
    watch.refresh()
    assert not watch.seen(texts)
    assert watch.seen([*texts, f" {token} "])


def test_the_store_does_not_hold_it_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "s" / FILE)
    made, token = store.plant("a.md")
    text = store.path.read_text()
    assert token not in text
    assert token.replace("-", "").lower() not in text
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [one.note for one in store.read()[1]] == ["a.md"]
    store.remove(made.id)
    assert store.read()[1] == []


class Sent:
    """A tool that sends, and what it was given."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def tool(self) -> Callable[..., Any]:
        @tool("commit", roles={"note": "low", "data": "low"}, audience=["self"])
        def send(note: str = "", data: dict[str, Any] | None = None) -> str:
            """Send something to a partner."""
            self.got.append((note, data))
            return "sent"

        return send


def plant(folder: Path, manifest: str) -> tuple[Path, str]:
    path = folder / "ringfence.yaml"
    path.write_text(manifest)
    (folder / "notes").mkdir(exist_ok=True)
    _, token = Store.of(load(path)).plant()
    (folder / "notes" / "account.md").write_text(f"The account for refunds is {token}.\n")
    return path, token


def refusals(records: list[Record]) -> list[tuple[str, str, str, str]]:
    return [
        (r.view["sink"], r.view["verdict"], r.view["rule"], r.view["code"]) for r in records if r.kind is Kind.DECISION
    ]


async def attacked(path: Path, sent: Sent, *steps: str, task: str = "Send the note.") -> tuple[Agent, list[Record]]:
    agent = from_manifest(load(path), functions=[sent.tool()], model=ScriptedModel(list(steps)))
    async with agent:
        result = await agent.run(task)
        assert (await agent.replay(result.run_id)).differences == []
        return agent, agent.journal.log.read(result.run_id)


@pytest.mark.parametrize("how", ["as it is", "letter by letter", "base64", "backwards"])
async def test_an_effect_with_it_is_denied_on_record_and_alarmed(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, token = plant(tmp_path, LOCAL)
    sent = Sent()
    with caplog.at_level(logging.ERROR, "ringfence.canary"):
        _, records = await attacked(
            path, sent, step("send", note=DISGUISES[how](token)), final("I could not."), final("I could not.")
        )
    assert sent.got == []
    assert ("tool:send", "deny", "POL-6", "canary") in refusals(records)
    [line] = [one for one in caplog.records if one.name == "ringfence.canary"]
    assert "tool:send" in line.getMessage()
    assert token not in line.getMessage()


async def test_neither_depth_nor_halves_nor_a_name_hides_it(tmp_path: Path) -> None:
    path, token = plant(tmp_path, LOCAL)
    for data in (
        {"a": [{"b": {"c": ["x", token]}}]},
        {"first": token[:9], "then": [token[9:]]},
        {token: 1},
        {"a": {"b": b64(json.dumps({"k": token}))}},
    ):
        sent = Sent()
        answers = [step("send", data=data), final("no"), final("no")]
        _, records = await attacked(path, sent, *answers)
        assert sent.got == [], data
        assert "canary" in [code for *_, code in refusals(records)]


async def test_what_holds_none_goes_out_as_ever(tmp_path: Path) -> None:
    path, _ = plant(tmp_path, LOCAL)
    sent = Sent()
    _, records = await attacked(path, sent, step("send", note="KD-4821-7730-9152-QX"), final("It is sent."))
    assert sent.got == [("KD-4821-7730-9152-QX", None)]
    assert refusals(records) == []


async def test_it_may_be_read_and_shown_to_the_one_who_asks(tmp_path: Path) -> None:
    path, token = plant(tmp_path, LOCAL + TOOLS)
    model = ScriptedModel([step("files.read", path="notes/account.md"), final(f"The account is {token}.")])
    async with from_manifest(load(path), model=model) as agent:
        result = await agent.run("Which account is for refunds?")
    assert token in result.answer


async def test_a_model_elsewhere_is_never_sent_it(tmp_path: Path) -> None:
    path, token = plant(tmp_path, CLOUD + TOOLS)
    model = ScriptedModel([step("files.read", path="notes/account.md"), final(f"The account is {token}.")])
    async with from_manifest(load(path), model=model) as agent:
        result = await agent.run("Open the note of the day.")
        records = agent.journal.log.read(result.run_id)
        replayed = await agent.replay(result.run_id)
    assert result.status == "failed"
    assert all(token.encode() not in message for prompt in model.prompts for message in prompt.messages)
    assert ("model:main", "deny", "POL-6", "canary") in refusals(records)
    assert [one for one in replayed.differences if one.what == "decision"] == []


async def test_a_task_with_it_goes_to_no_model_elsewhere(tmp_path: Path) -> None:
    path, token = plant(tmp_path, CLOUD)
    model = ScriptedModel([final("yes")])
    async with from_manifest(load(path), model=model) as agent:
        result = await agent.run(f"Who has account {token.lower()}?")
    assert (result.status, model.prompts) == ("failed", [])


@pytest.mark.parametrize("what", ["{", "[]", '{"salt": "00", "canaries": []}', '{"salt": 1}', "\0"])
def test_a_store_that_is_broken_keeps_the_agent_from_starting(tmp_path: Path, what: str) -> None:
    path, _ = plant(tmp_path, LOCAL)
    Store.of(load(path)).path.write_text(what)
    with pytest.raises(ManifestError, match=r"canaries in .* cannot be used"):
        from_manifest(load(path), model=ScriptedModel([]))


def test_a_store_that_others_may_write_to_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    path, _ = plant(tmp_path, LOCAL)
    store = Store.of(load(path))
    store.path.chmod(0o666)
    with pytest.raises(ManifestError, match="others may write to it"):
        from_manifest(load(path), model=ScriptedModel([]))
    store.path.rename(tmp_path / "elsewhere")
    store.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match="cannot be read"):
        from_manifest(load(path), model=ScriptedModel([]))


@pytest.mark.parametrize("broken", [True, False])
async def test_a_store_that_breaks_or_goes_while_it_runs_lets_nothing_out(tmp_path: Path, broken: bool) -> None:
    path, _ = plant(tmp_path, LOCAL)
    sent, store = Sent(), Store.of(load(path))

    def says(prompt: Any) -> str:
        if store.path.exists() and not broken:
            store.path.unlink()
        elif broken:
            store.path.write_text("{")
        return step("send", note="hello") if not sent.got and len(model.prompts) < 2 else final("no")

    model = ScriptedModel(says)
    async with from_manifest(load(path), functions=[sent.tool()], model=model) as agent:
        agent._policed()  # as any run before did
        result = await agent.run("Send the note.")
        records = agent.journal.log.read(result.run_id)
    assert sent.got == []
    assert "canary" in [code for *_, code in refusals(records)]


async def test_one_that_is_planted_while_it_runs_is_known_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ringfence.yaml"
    path.write_text(LOCAL)
    sent, tokens = Sent(), list[str]()

    def says(prompt: Any) -> str:
        if not tokens:
            tokens.append(Store.of(load(path)).plant()[1])
            return step("send", note=tokens[0])
        return final("no")

    async with from_manifest(load(path), functions=[sent.tool()], model=ScriptedModel(says)) as agent:
        await agent.run("Send the note.")
    assert sent.got == []


async def test_a_siem_is_told_of_the_highest_severity(tmp_path: Path) -> None:
    path, token = plant(tmp_path, LOCAL)
    agent = from_manifest(
        load(path), functions=[Sent().tool()], model=ScriptedModel([step("send", note=token), final("no"), final("no")])
    )
    async with agent:
        await agent.run("Send the note.")
        await agent.journal.flush()
        found = [ocsf(event) for event in events(agent.journal.log)]
    [alert] = [one for one in found if one.get("status_code") == "canary"]
    assert (alert["severity_id"], alert["is_alert"], alert["policy"]["name"]) == (5, True, "POL-6")


def test_the_command_plants_lists_and_forgets(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(LOCAL)
    made = ringfence("kb", "canary", "plant", "--into", "notes/a.txt", "--json")
    token = json.loads(made.out)["token"]
    assert (folder / "notes/a.txt").read_text().endswith(f"Internal account reference: {token}\n")
    listed = ringfence("kb", "canary", "list", "--json")
    [one] = json.loads(listed.out)
    assert one["note"] == "notes/a.txt"
    assert token not in listed.out
    assert one["id"] in ringfence("kb", "canary", "list").out
    assert ringfence("kb", "canary", "rm", one["id"]).code == 0
    assert ringfence("kb", "canary", "list").out == ""
    gone = ringfence("kb", "canary", "rm", one["id"])
    assert (gone.code, "there is no canary" in gone.err) == (2, True)


def test_the_command_plants_into_text_alone(ringfence: Shell, folder: Path) -> None:
    (folder / "ringfence.yaml").write_text(LOCAL)
    (folder / "x.pdf").write_bytes(b"%PDF-1.4")
    for name in ("x.pdf", "absent.md"):
        refused = ringfence("kb", "canary", "plant", "--into", name)
        assert refused.code == 2
        assert "to plant a canary in" in refused.err
    assert ringfence("kb", "canary", "list").out == ""
