from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import ManifestError
from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.manifest.types import BuiltinTool
from ringfence.sandboxes import AnyLauncher, choose
from ringfence.tools import Tool, from_manifest

NOON = 1_732_104_000_000  # 2024-11-20T12:00:00Z, a Wednesday

Call = Callable[..., Any]


def built_in(name: str, root: Path, *targets: str, **more: Any) -> list[Tool]:
    manifest = BuiltinTool(name=name, type="builtin", target_paths=tuple(Path(t) for t in targets), **more)
    return from_manifest(manifest, root=root, readers=frozenset(), callers=None, clock=lambda: NOON)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[AnyLauncher]:
    try:
        launcher = asyncio.run(choose())
    except ManifestError as why:
        pytest.skip(str(why))
    yield launcher
    launcher.close()


async def perform(tools: list[Tool], name: str, /, **args: Any) -> Any:
    tool = next(tool for tool in tools if tool.spec.name == f"tool:{name}")
    outcome = await tool.sink.perform(Action(tool.spec.name, args, IDENTITY))
    canonical(outcome.value)  # whatever a tool answers has to fit in the journal
    return outcome.value


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A manifest's folder with runbooks and logs."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "runbooks/disk.md").write_text(
        "# Disk full\n\n1. run df\n2. rotate the logs\n\n## Escalation\n\nCall Ann.\n"
    )
    (tmp_path / "runbooks/db.md").write_text("# Database\n\nRestart with pg_ctl.\n")
    lines = [f"{'ERROR' if n % 3 == 0 else 'INFO'} user=u{n % 4} code={n}" for n in range(60)]
    (tmp_path / "logs/app.log").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def call(box: Path) -> Call:
    """Calls a tool by name over `box`, or raises what the tool raises."""
    tools = [
        *built_in("files", box, "./runbooks", "./logs"),
        *built_in("text", box, "./runbooks", "./logs"),
        *built_in("csv", box, "./runbooks", "./logs"),
        *built_in("calc", box),
        *built_in("time", box),
    ]

    async def run(name: str, /, **args: Any) -> Any:
        return await perform(tools, name, **args)

    return run


@pytest.fixture
def make() -> Callable[..., list[Tool]]:
    """`built_in`, for a test that needs another manifest."""
    return built_in


@pytest.fixture
def act() -> Call:
    """`perform`, for a test that needs another manifest."""
    return perform
