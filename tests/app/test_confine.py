"""The launcher of an agent's tools: chosen once, whoever asks for it at the same time."""

from __future__ import annotations

import asyncio

import pytest

from ringfence import sandboxes
from ringfence.app.confine import Chosen
from ringfence.core.errors import ManifestError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was chosen among, each time that it really was."""
    seen: list[str] = []
    choose = sandboxes.choose

    async def counted(wanted: str = "auto") -> sandboxes.AnyLauncher:
        seen.append(wanted)
        return await choose(wanted)

    monkeypatch.setattr(sandboxes, "choose", counted)
    return seen


async def test_workers_that_start_at_once_have_one_launcher_chosen(asked: list[str]) -> None:
    chosen = Chosen("unsafe-none")
    assert await asyncio.gather(*(chosen.choose() for _ in range(5))) == ["unsafe-none"] * 5
    assert await chosen.choose() == "unsafe-none"
    assert asked == ["unsafe-none"]
    await chosen.aclose()


async def test_who_gives_up_leaves_the_choice_to_the_others(asked: list[str]) -> None:
    chosen = Chosen("unsafe-none")
    impatient, patient = (asyncio.create_task(chosen.choose()) for _ in range(2))
    while not asked:  # noqa: ASYNC110  it begins when it begins
        await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "unsafe-none"
    assert impatient.cancelled()
    assert asked == ["unsafe-none"]
    await chosen.aclose()


async def test_one_that_is_closed_while_it_chooses_leaves_nothing_running_and_can_choose_again(
    asked: list[str],
) -> None:
    chosen = Chosen("unsafe-none")
    waiting = asyncio.create_task(chosen.choose())
    while not asked:  # noqa: ASYNC110  it begins when it begins
        await asyncio.sleep(0)
    before = chosen._launcher
    await chosen.aclose()
    assert (before, chosen._launcher) == (None, None)
    assert await waiting == "unsafe-none"
    assert asked == ["unsafe-none"]
    assert await chosen.choose() == "unsafe-none"
    await chosen.aclose()


async def test_what_cannot_be_chosen_is_told_to_everybody_and_tried_anew(asked: list[str]) -> None:
    chosen = Chosen("no such thing")
    told = await asyncio.gather(*(chosen.choose() for _ in range(3)), return_exceptions=True)
    assert ["none of auto" in str(one) for one in told] == [True] * 3
    with pytest.raises(ManifestError):
        await chosen.choose()
    assert asked == ["no such thing"] * 2
