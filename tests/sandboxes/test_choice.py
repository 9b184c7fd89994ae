"""The strongest launcher that really starts a job is taken, and nothing runs unconfined by itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from ringfence.core.errors import ManifestError
from ringfence.sandboxes import Bubblewrap, Landlock, choose, probe
from ringfence.sandboxes.warm import bubblewrap, landlock

RESTRICTED_POD = """
import asyncio, os
from ringfence.sandboxes import choose
from ringfence.sandboxes.warm import kernel, seccomp
rules = [rule for rule in seccomp.rules(shared=False) if rule.call in ("unshare", "clone", "clone3")]
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
kernel.install_filter(seccomp.assemble(rules, os.uname().machine))
launcher = asyncio.run(choose())
print(launcher.name)
launcher.close()
"""


async def works(kind: type[Bubblewrap] | type[Landlock]) -> None:
    launcher = kind()
    why = await probe(launcher)
    launcher.close()
    if why is not None:
        pytest.skip(f"{kind.name} does not start here: {why}")


async def test_bubblewrap_is_taken_where_it_starts() -> None:
    await works(Bubblewrap)
    launcher = await choose()
    launcher.close()
    assert launcher.name == "bubblewrap"


async def test_landlock_is_taken_where_bubblewrap_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    await works(Landlock)
    monkeypatch.setattr(bubblewrap, "PROGRAM", "/no/such/bwrap")
    launcher = await choose()
    launcher.close()
    assert launcher.name == "landlock"


async def test_landlock_is_taken_where_bubblewrap_may_not_start() -> None:
    await works(Landlock)
    command = [sys.executable, "-c", RESTRICTED_POD]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.stdout == "landlock\n", done.stderr


async def test_where_nothing_holds_nothing_starts_and_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "PROGRAM", "/no/such/bwrap")
    monkeypatch.setattr(landlock, "LEAST_ABI", 1000)
    with pytest.raises(ManifestError) as caught:
        await choose()
    assert "/no/such/bwrap is not there" in caught.value.what
    assert "install bubblewrap" in caught.value.todo
    assert "sandbox: unsafe-none" in caught.value.todo
    with pytest.raises(ManifestError):
        await choose("bubblewrap")


async def test_no_sandbox_is_had_by_its_name_alone() -> None:
    launcher = await choose("unsafe-none")
    launcher.close()
    assert launcher.name == "unsafe-none"
    with pytest.raises(ManifestError, match="none of auto"):
        await choose("none")
