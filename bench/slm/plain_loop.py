"""The floor: a ReAct loop whose every step is held to a grammar, and nothing else; an hour's work of a capable user."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

FORM = """
Reply with one JSON object, {{"thought": "...", "tool": "...", "args": {{...}}}} to call a tool, or
{{"thought": "...", "answer": "..."}} when you know the answer.
Tools:
{tools}"""


def grammar(tools: Sequence[dict[str, Any]], *, answer_only: bool) -> dict[str, Any]:
    """JSON Schema of a step: one call of one of the tools, or the answer."""
    thought = {"type": "string", "maxLength": 200}
    forms = [{"thought": thought, "answer": {"type": "string"}}]
    if not answer_only:
        forms += [{"thought": thought, "tool": {"const": one["name"]}, "args": one["schema"]} for one in tools]
    kinds = [
        {"type": "object", "properties": form, "required": list(form), "additionalProperties": False} for form in forms
    ]
    return {"anyOf": kinds}


def solver(
    tools: Sequence[dict[str, Any]], call: Callable[[str, dict[str, Any]], Awaitable[str]], server: dict[str, str], *,
    system: str, steps: int, max_tokens: int, seconds: float,
) -> Callable[[str], Awaitable[str]]:  # fmt: skip
    """What answers a task: `steps` requests at most, the last of which can only answer. Raises httpx.HTTPError."""
    words = "\n".join(
        f"{one['name']}({json.dumps(one['schema'].get('properties', {}))}) {one['summary']}" for one in tools
    )
    head = {"role": "system", "content": system + FORM.format(tools=words)}

    async def solve(task: str) -> str:
        told = [head, {"role": "user", "content": task}]
        async with httpx.AsyncClient(timeout=seconds, headers={"Authorization": f"Bearer {server['key']}"}) as client:
            for left in reversed(range(steps)):
                form = {"name": "step", "strict": True, "schema": grammar(tools, answer_only=not left)}
                body = {
                    "model": server["model"], "messages": told, "temperature": 0, "max_tokens": max_tokens,
                    "cache_prompt": True, "response_format": {"type": "json_schema", "json_schema": form},
                }  # fmt: skip
                response = await client.post(f"{server['url']}/chat/completions", json=body)
                response.raise_for_status()
                said = response.json()["choices"][0]["message"]["content"] or ""
                told.append({"role": "assistant", "content": said})
                try:
                    step = json.loads(said)
                except ValueError:  # cut off at its last token
                    told.append({"role": "user", "content": "That was no whole JSON object. Write a shorter one."})
                    continue
                if "answer" in step:
                    return str(step["answer"])
                told.append({"role": "user", "content": f"Result: {await call(step['tool'], step['args'])}"})
        return ""

    return solve
