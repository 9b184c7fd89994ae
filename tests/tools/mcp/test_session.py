"""A server in use: whatever it does, the call ends soon, in words, and the other tools and servers go on."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import Any

import pytest

from ringfence.core.errors import ToolError, Uncertain
from ringfence.tools.mcp import session, wire

from .conftest import READS, Act, Bench, impatient


async def test_a_tool_of_a_server_is_called(bench: Bench, act: Act) -> None:
    server = await bench.server()
    assert [tool.spec.name for tool in server.tools] == ["tool:evil.add", "tool:evil.echo"]
    assert await act(server, "evil.echo", text="hello") == {"text": "hello (call 1)"}
    assert await act(server, "evil.add", a=2, b=3) == {"sum": 5}
    assert server.quarantined == {}


async def test_a_server_is_started_by_its_first_call_alone_and_ended_by_closing(bench: Bench, act: Act) -> None:
    config = bench.config()
    lock = await bench.accept(config)
    server = bench.make(config, lock)
    assert len(bench.launcher.alive) == 1  # the one that was accepted
    await asyncio.gather(*(act(server, "evil.echo", text=str(n)) for n in range(8)))
    assert len(bench.launcher.alive) == 2
    await server.aclose()
    assert all(process.ended for process in bench.launcher.alive)
    assert await act(server, "evil.echo", text="again") == {"text": "again (call 1)"}


async def test_a_server_can_be_used_from_one_event_loop_after_another(bench: Bench, act: Act) -> None:
    server = await bench.server()

    async def once() -> Any:
        try:
            return await act(server, "evil.echo", text="x")
        finally:
            await server.aclose()

    for _ in range(2):
        assert await asyncio.to_thread(asyncio.run, once()) == {"text": "x (call 1)"}


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("flood", "messages that nobody asked for before echo answered"),
        ("long-line", "sent a message of more than 64 kB before echo answered"),
        ("endless-line", "sent a message of more than 64 kB before echo answered"),
        ("half-answer", "ended (exit 0) before echo answered; what the call did is not known"),
        ("hang", "did not answer within 0.3 s; the call was cancelled, and what it did is not known"),
        ("wrong-id", "did not answer within 0.3 s"),
        ("not-a-result", "answered with something that is no result"),
    ],
)
async def test_a_server_that_misbehaves_costs_one_call(bench: Bench, act: Act, mode: str, words: str) -> None:
    server = await bench.server(mode, max_message_kb=64)
    await act(server, "evil.add", a=1, b=1)
    if "within" in words:
        impatient(server)
    began = time.monotonic()
    with pytest.raises(ToolError) as failed:
        await act(server, "evil.echo", text="x")
    assert words in failed.value.what
    assert time.monotonic() - began < 10
    assert await act(server, "evil.add", a=2, b=3) == {"sum": 5}  # its other tools are still there


async def test_fifty_megabytes_on_a_line_are_cut_off_and_never_held(bench: Bench, act: Act) -> None:
    server = await bench.server("long-line", max_message_kb=256)
    await act(server, "evil.add", a=1, b=1)
    tracemalloc.start()
    try:
        with pytest.raises(ToolError, match="more than 256 kB"):
            await act(server, "evil.echo", text="x")
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


async def test_lines_that_are_no_messages_are_passed_over(bench: Bench, act: Act) -> None:
    server = await bench.server("garbage")
    assert await act(server, "evil.echo", text="x") == {"text": "x (call 1)"}
    assert await act(server, "evil.echo", text="x") == {"text": "x (call 2)"}


async def test_an_answer_counts_once_and_only_for_what_was_asked(bench: Bench, act: Act) -> None:
    server = await bench.server("twice")
    for n in range(1, 4):
        assert await act(server, "evil.echo", text=f"{n}") == {"text": f"{n} (call {n})"}


async def test_an_answer_that_comes_too_late_is_nobodys(bench: Bench, act: Act) -> None:
    server = await bench.server("late")
    await act(server, "evil.add", a=1, b=1)
    impatient(server)
    with pytest.raises(ToolError, match=r"within 0\.3 s"):
        await act(server, "evil.echo", text="late")
    impatient(server, 20.0)
    assert await act(server, "evil.echo", text="next") == {"text": "next (call 3)"}


async def test_a_server_that_does_not_answer_twice_is_ended(bench: Bench, act: Act) -> None:
    server = await bench.server("hang")
    await act(server, "evil.add", a=1, b=1)
    impatient(server)
    for _ in range(2):
        with pytest.raises(Uncertain, match=r"within 0\.3 s"):
            await act(server, "evil.echo", text="x")
    impatient(server, 20.0)
    assert await act(server, "evil.add", a=1, b=1) == {"sum": 2}
    assert bench.launcher.alive[1].ended
    assert not bench.launcher.alive[2].ended


async def test_a_server_that_takes_nothing_in_does_not_hold_the_run(
    bench: Bench, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "GRACE_S", 0.2)
    server = await bench.server("deaf")
    await act(server, "evil.add", a=1, b=1)
    impatient(server)
    with pytest.raises(ToolError):
        await act(server, "evil.echo", text="x")
    with pytest.raises(ToolError, match="evil"):
        await act(server, "evil.echo", text="x" * 3_000_000)
    await server.aclose()
    assert all(process.ended for process in bench.launcher.alive)


async def test_a_server_that_died_is_started_again_and_the_run_is_told_that_its_state_is_gone(
    bench: Bench, act: Act
) -> None:
    server = await bench.server("die")
    assert await act(server, "evil.echo", text="a") == {"text": "a (call 1)"}
    with pytest.raises(Uncertain, match=r"ended \(exit 3\) before echo answered") as died:
        await act(server, "evil.echo", text="die")
    assert "started again for the next call, and knows nothing" in died.value.todo
    assert await act(server, "evil.echo", text="b") == {"text": "b (call 1)"}
    assert server._live._link is not None
    bench.launcher.alive[-1].kill()  # this time between two calls
    await server._live._link.valve.closed.wait()
    with pytest.raises(ToolError, match="was restarted, and its state is gone"):
        await act(server, "evil.echo", text="c")
    assert await act(server, "evil.echo", text="c") == {"text": "c (call 1)"}


async def test_a_server_that_dies_again_and_again_is_left_alone_for_a_while(bench: Bench, act: Act) -> None:
    server = await bench.server("die")
    server._live._backoff_s = 0.01
    for _ in range(session.MAX_FAULTS):
        with pytest.raises(ToolError, match="ended"):
            await act(server, "evil.echo", text="die")
    started = len(bench.launcher.alive)
    with pytest.raises(ToolError, match="failed 5 times in a row"):
        await act(server, "evil.echo", text="x")
    assert len(bench.launcher.alive) == started


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("die-at-start", "ended (exit 1); its last words: 'no reason is given'"),
        ("hang-at-start", "did not begin to talk"),
        ("many-tools", "offers 5002 tools, more than the 128"),
        ("many-pages", "more than 32 pages"),
    ],
)
async def test_a_server_that_cannot_be_used_says_why(bench: Bench, mode: str, words: str) -> None:
    with pytest.raises(ToolError) as failed:
        await bench.accept(bench.config(mode, timeout_s=0.5 if mode == "hang-at-start" else 20.0))
    assert words in failed.value.what
    assert all(process.ended for process in bench.launcher.alive)


async def test_a_call_that_is_cancelled_leaves_the_server_usable(bench: Bench, act: Act) -> None:
    server = await bench.server("hang")
    await act(server, "evil.add", a=1, b=1)
    call = asyncio.create_task(act(server, "evil.echo", text="x"))
    while not server._live._link.valve._asked:  # noqa: ASYNC110  it is on its way
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await act(server, "evil.add", a=2, b=2) == {"sum": 4}


async def test_a_server_may_not_ask_the_model_the_user_or_the_machine(bench: Bench, act: Act) -> None:
    server = await bench.server("asks")
    assert await act(server, "evil.echo", text="x") == {"text": "refused refused refused (call 1)"}


async def test_a_storm_of_changes_costs_one_look(bench: Bench, act: Act) -> None:
    server = await bench.server("list-changed", {"evil.echo": READS})
    assert await act(server, "evil.echo", text="x") == {"text": "listed 1 times"}
    assert await act(server, "evil.echo", text="x") == {"text": "listed 2 times"}


async def test_a_tool_that_changes_in_use_is_quarantined_and_the_others_go_on(bench: Bench, act: Act) -> None:
    server = await bench.server("rug-pull")
    assert await act(server, "evil.echo", text="a") == {"text": "a (call 1)"}
    for _ in range(2):
        with pytest.raises(ToolError, match=r"evil.echo is quarantined: it changed since it was accepted"):
            await act(server, "evil.echo", text="b")
    assert await act(server, "evil.add", a=1, b=2) == {"sum": 3}
    assert list(server.quarantined) == ["echo"]
    [echo] = [tool for tool in server.tools if tool.spec.name == "tool:evil.echo"]
    assert echo.spec.summary == "Repeats a text."  # the model never reads what nobody accepted


async def test_a_change_is_found_though_the_server_is_silent_about_it(
    bench: Bench, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bench.server("rug-pull")
    await act(server, "evil.add", a=1, b=2)
    monkeypatch.setattr(session, "RECHECK_S", 0.0)
    with pytest.raises(ToolError, match="quarantined"):
        await act(server, "evil.echo", text="a")


async def test_what_is_left_over_between_messages_is_bounded_too() -> None:
    valve = wire.Valve(1024)
    chunks = [b"x" * 1000, b"y" * 1000, b"\n", b""]

    async def read(count: int) -> bytes:
        return chunks.pop(0)

    assert [line async for line in wire.lines(read, valve)] == []
    assert valve.why == "sent a message of more than 1 kB"
