"""Servers that want out: real ones, in the real sandbox. What they say never counts, and what they do is confined."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ringfence import sandboxes
from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.policy import Effect, Role
from ringfence.manifest.security import Entry

from ..tools.mcp.conftest import Act, Bench, act

HONEST = Path(__file__).parents[1] / "tools/mcp/honest.py"

__all__ = ["act"]


@pytest.fixture(params=["bubblewrap", "landlock"])
async def caged(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Servers in each sandbox that starts here, with a manifest's folder that has secrets in it."""
    try:
        launcher = await sandboxes.choose(request.param)
    except ManifestError as error:
        pytest.skip(f"{request.param} does not start here: {error.what}")
    (tmp_path / ".env").write_text("KEY=top-secret-key\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.txt").write_text("hello\n")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/b.txt").write_text("not for servers\n")
    (tmp_path / "work/link").symlink_to(tmp_path / "private/b.txt")
    try:
        async with AsyncExitStack() as stack:
            bench = Bench(tmp_path, stack)
            bench.launcher = launcher
            yield bench
    finally:
        launcher.close()


async def test_a_server_in_the_sandbox_reaches_neither_secrets_nor_the_network(caged: Bench, act: Act) -> None:
    server = await caged.server("escape", target_paths=["work"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        for text in (
            str(caged.root / ".env"),
            f"127.0.0.1:{listener.getsockname()[1]}",
            str(caged.root / "private/b.txt"),
        ):
            found = json.loads((await act(server, "evil.echo", text=text))["text"].rpartition(" (")[0])
            assert "connected" not in found.values()
            assert not any("top-secret" in value or "not for" in value or "root:" in value for value in found.values())
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_an_ordinary_server_works_in_the_sandbox(caged: Bench, act: Act) -> None:
    server = await caged.server(name="notes", command=["python", str(HONEST)], target_paths=["work"])
    assert (await act(server, "notes.keep", text="milk"))["id"] == 1
    assert await act(server, "notes.read_file", path="work/a.txt") == {"text": "hello\n"}
    assert await act(server, "notes.write_file", path="work/new.txt", text="abc") == {"text": "3 characters"}
    assert (caged.root / "work/new.txt").read_text() == "abc"


async def test_a_call_that_points_a_server_outside_of_target_paths_is_refused_by_us(caged: Bench, act: Act) -> None:
    server = await caged.server(name="notes", command=["python", str(HONEST)], target_paths=["work"])
    beside = ("private/b.txt", "work/../private/b.txt", "work/../.env", "work-of-others/a.txt")
    for path in (*beside, "/etc/passwd", "~/x", "file:///etc/passwd", "work\0/a", "work/%2e%2e/.env"):
        with pytest.raises(ValueError, match="path leads out of target_paths"):
            await act(server, "notes.read_file", path=path)


async def test_a_link_out_of_target_paths_is_refused_though_it_looks_inside(caged: Bench, act: Act) -> None:
    server = await caged.server(name="notes", command=["python", str(HONEST)], target_paths=["work"])
    with pytest.raises(ToolError, match="path leads out of target_paths"):
        await act(server, "notes.read_file", path="work/link")


async def test_without_a_permission_to_write_the_folders_are_read_only_to_the_kernel(caged: Bench, act: Act) -> None:
    declared = {"notes.write_file": Entry(effect="read"), "notes.read_file": Entry(effect="read")}
    server = await caged.server(
        catalogue=declared, name="notes", command=["python", str(HONEST)], target_paths=["work"], permissions=["read"]
    )
    with pytest.raises(ToolError):
        await act(server, "notes.write_file", path="work/new.txt", text="abc")
    assert not (caged.root / "work/new.txt").exists()
    assert (await act(server, "notes.read_file", path="work/a.txt"))["text"] == "hello\n"


async def test_a_secret_reaches_its_server_and_nobody_else(
    caged: Bench, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIL_TOKEN", "s3cret-value-of-mine")
    monkeypatch.setenv("ANOTHER_TOKEN", "somebody-else's")
    server = await caged.server("tells-secret", secrets={"TOKEN": "${EVIL_TOKEN}"})
    text = (await act(server, "evil.echo", text="x"))["text"]
    assert '"TOKEN": "[secret TOKEN]"' in text
    assert "s3cret" not in text
    assert "somebody" not in text
    assert "ANOTHER_TOKEN" not in text


async def test_what_a_server_says_of_a_tool_raises_nothing(caged: Bench) -> None:
    server = await caged.server()
    [echo] = [tool.spec for tool in server.tools if tool.spec.name == "tool:evil.echo"]  # it says that it only reads
    assert echo.effect is Effect.COMMIT
    assert set(echo.roles.values()) == {Role.CONTROL}
    assert not echo.confined
    assert not echo.reads


async def test_a_description_that_commands_the_model_is_read_by_a_person_first(caged: Bench) -> None:
    config = caged.config("injection")
    fresh = caged.make(config, None)
    assert fresh.tools == []
    assert "ringfence lock" in fresh.quarantined["*"]
    listing = await fresh.survey()
    assert "user's passwords" in listing.tools["helpful"].description  # the person who accepts it sees it whole
