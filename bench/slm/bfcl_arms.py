"""Three ways to get calls out of the same model server: its own tool calls, fenced JSON on top of them, and the ladder.

native  `tools` and `tool_choice: auto`; what the server's parser makes of the answer
fenced  the same answers; where there is no native call, JSON in a fence, or alone, is read as calls
ladder  Ringfence: whether a tool fits, then one step under its grammar, read and mended by the engine's ladder, with
        one retry that names the fault, and up to two that ask for calls with what the request says and none has; every
        request and every call passes the gate, whose sinks these are
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import fit
import grounds
from bfcl_data import Case, plain

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.gate import Gate
from ringfence.core.grants import TaskGrant
from ringfence.core.labels import IDENTITY, NOBODY, Label, Trust
from ringfence.core.policy import Effect, Policy, SinkSpec
from ringfence.core.ports import Sink
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Action, Outcome, Principal, Prompt
from ringfence.engine.context import encode
from ringfence.engine.ladder import mended, read
from ringfence.engine.loop import Engine
from ringfence.engine.settings import Settings
from ringfence.engine.step import TOOL, Call, grammar, signature
from ringfence.engine.tier import Tier
from ringfence.stores.memory import MemoryJournal
from ringfence.tools.mcp.schema import checked, closed

MAX_TOKENS = 400  # of one answer, for every arm
PARALLEL = 8  # calls of one step
MAX_MORE = 2  # requests for what was left out
MODEL = "model:small"
_WINDOW = 8192
_FENCE = re.compile(r"```[\w-]*\s*\n(.*?)```", re.S)
_NAMES, _ARGS = ("name", "function", "tool", "function_name"), ("arguments", "parameters", "args", "params")

SYSTEM = """\
You serve requests by calling the tools below. A request is served by a tool that is made for it, or by none: often no \
tool fits.
Tools:
"""
CALL = (
    'Reply with {"thought": "...", "calls": [{"tool": "...", "args": {...}}]}. "thought" lists in a few words what has '
    "to be called for. Make one call for each thing that is asked for, with values as the request has them; leave out "
    "optional arguments that it does not mention."
)
MORE = "These calls are made already: {}. They leave out {}: make the calls that the request asks for with that."

Calls = list[tuple[str, dict[str, JSON]]]


@dataclass(slots=True)
class Reply:
    """What one arm made of a case: its calls, the words they were read from, and what they cost."""

    calls: Calls
    said: list[str]
    seconds: float = 0.0
    prompt: int = 0
    completion: int = 0
    notes: dict[str, JSON] = field(default_factory=dict)


async def native(case: Case, session: aiohttp.ClientSession, url: str, model: str) -> Reply:
    """One chat completion with `tools`. Raises aiohttp.ClientError where the server refuses."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": case.question}],
        "tools": [tool.openai() for tool in case.tools],
        "tool_choice": "auto",
        "temperature": 0,
        "max_tokens": MAX_TOKENS,
        "cache_prompt": True,
    }
    began = time.monotonic()
    async with session.post(f"{url}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        answer = await response.json()
    message, usage = answer["choices"][0]["message"], answer.get("usage") or {}
    calls: Calls = []
    for one in message.get("tool_calls") or ():
        args = one["function"]["arguments"]
        try:
            args = json.loads(args) if isinstance(args, str) else args
        except ValueError:
            args = {"": args}  # a call all the same, and a wrong one
        calls.append((one["function"]["name"], args))
    return Reply(
        calls,
        [message.get("content") or ""],
        time.monotonic() - began,
        usage.get("prompt_tokens", 0),
        usage.get("completion_tokens", 0),
    )


def fenced(reply: Reply, case: Case) -> Calls:
    """The native calls, or else what a user's own few lines find: objects in fences, or the whole text as JSON."""
    if reply.calls:
        return reply.calls
    text = reply.said[0]
    known = {plain(tool.name) for tool in case.tools}
    found = [call for piece in _FENCE.findall(text) or [text] for value in _values(piece) for call in _read(value)]
    return [(plain(name), args) for name, args in found if plain(name) in known]


def _values(text: str) -> list[JSON]:
    """The JSON values that a text consists of, one behind the other, up to the first that is none."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        if text[at] in " \t\r\n,;":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        found.append(value)
    return found


def _read(value: JSON) -> Calls:
    if isinstance(value, list):
        return [call for item in value for call in _read(item)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("function"), dict):
        return _read(value["function"])
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    args = next((value[key] for key in _ARGS if key in value), None)
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except ValueError:
            return []
    return [(name, args)] if name is not None and isinstance(args, dict) else []


class _Function:
    """The sink of a tool: it keeps what got to it through the gate."""

    def __init__(self, name: str, made: Calls) -> None:
        self._name, self._made = name, made

    async def perform(self, action: Action) -> Outcome:
        self._made.append((self._name, dict(action.args)))
        return Outcome({"text": "done"})


def _spec(name: str, summary: str, schema: dict[str, Any]) -> SinkSpec:
    """A reading function of the operator, its arguments held to the schema that the model is shown."""
    held = closed({**schema, "additionalProperties": False})
    mismatch = checked(held)

    def check(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
        if why := mismatch(dict(args)):
            raise ValueError(why)
        return args

    return SinkSpec(
        TOOL + name, summary=summary, schema=held, check=check, effect=Effect.READ, confined=True, audience=NOBODY
    )


def _says_more(call: Call, other: Call) -> bool:
    """Whether a call has all that another one of the same tool has, and so was meant instead of it."""
    return call.sink == other.sink and call.args.items() >= other.args.items()


class Ladder:
    """One case, driven through a gate of its own whose model is `model`."""

    def __init__(self, case: Case, model: Sink) -> None:
        self._case = case
        self.made: Calls = []
        self._specs = [_spec(tool.name, tool.description, tool.schema) for tool in case.tools]
        self._by_name = {spec.name: spec for spec in self._specs}
        catalogue = dict(self._by_name)
        sinks: dict[str, Sink] = {name: _Function(name.removeprefix(TOOL), self.made) for name in catalogue}
        catalogue[MODEL] = SinkSpec(MODEL, effect=Effect.READ, confined=True, audience=None, output=IDENTITY)
        self._gate = Gate(Policy(catalogue), {**sinks, MODEL: model}, MemoryJournal(), lambda: int(time.time() * 1000))
        engine = Engine(self._gate, [Tier(MODEL, _WINDOW, MAX_TOKENS)], Settings(), reply="reply:local")
        grant = TaskGrant(frozenset(catalogue), {})
        self._turn: Turn = engine.start(case.question, run=case.id, principal=Principal("user:bench"), grant=grant)
        self._system = encode("system", SYSTEM + "\n".join(map(signature, self._specs)))
        self.reply = Reply(self.made, [])

    async def run(self, *, decline: bool = True) -> Reply:
        """Ask whether a tool fits, then for the calls, and make them. `decline`: not to be asked for what none fits."""
        began = time.monotonic()
        try:
            if not (decline and await self._declined()):
                await self._called()
        finally:
            self.reply.seconds = time.monotonic() - began
        return self.reply

    async def _declined(self) -> bool:
        value = await self._ask([], fit.QUESTION, fit.SCHEMA, fit.MAX_TOKENS)
        cover = max((fit.cover(self._case.question, spec) for spec in self._specs), default=0.0)
        judged = fit.judged(value["text"], value.get("sure"))
        self.reply.notes |= {"fits": judged, "cover": cover}
        return not fit.fits(judged, cover)

    async def _called(self) -> None:
        request, calls = self._case.question, await self._calls(CALL)
        for _ in range(MAX_MORE):
            left = grounds.left_out(request, [call.args for call in calls])
            if not calls or not left:
                break
            self.reply.notes["left"] = ", ".join(left)
            done = json.dumps([{"tool": call.sink.removeprefix(TOOL), "args": call.args} for call in calls])
            more = await self._calls(f"{CALL}\n{MORE.format(done, ', '.join(left))}")
            new = [call for call in more if call not in calls and grounds.takes(call.args, left)]
            if not new:
                break
            calls = [call for call in calls if call in more or not any(_says_more(one, call) for one in new)] + new
        await self._make(calls)

    async def _calls(self, note: str) -> list[Call]:
        """The calls of one step, asked for once more where they cannot be read; none if they cannot then either."""
        schema = grammar(self._specs, final=False, parallel=PARALLEL)
        more: list[bytes] = []
        for attempt in range(2):
            value = await self._ask(more, note, schema, MAX_TOKENS)
            try:
                return self._read(value)
            except ValueError as fault:
                self.reply.notes |= {"fault": str(fault), "retried": attempt == 0}
                more = [
                    encode("user", f"Request: {self._case.question}\n\n{note}"),
                    encode("assistant", value["text"][:2000]),
                    encode("user", f"That could not be run: {fault}."),
                ]
        return []

    async def _make(self, calls: Sequence[Call]) -> None:
        label = Label(Trust.USER, frozenset({self._turn.principal.member}))
        actions = [Action(call.sink, call.args, label, call=n, run=self._turn.run) for n, call in enumerate(calls)]
        refused = [one for one in await self._gate.perform_all(self._turn, actions) if not isinstance(one, Outcome)]
        if refused:
            raise InternalError(f"the gate refused what the bench's own policy lets pass: {refused}")

    def _read(self, value: JSON) -> list[Call]:
        """The calls of a step, mended and held to their schemas. Raises ValueError in words for the model."""
        by_name, names = self._by_name, [name.removeprefix(TOOL) for name in self._by_name]
        step = read(value["text"], names, cut=value["finish"] == "length")
        self.reply.notes |= {"how": value.get("how", ""), "dialect": step.dialect}
        if not step.calls:
            raise ValueError('expected "calls"')
        made = []
        for call in step.calls:
            if call.sink not in by_name:
                raise ValueError(f"there is no tool {call.sink.removeprefix(TOOL)}")
            args = dict(mended(call.args, by_name[call.sink]))
            self.reply.notes["mended"] = self.reply.notes.get("mended", 0) + (args != call.args)
            made.append(Call(call.sink, args))
        return made

    async def _ask(self, more: Sequence[bytes], note: str, schema: bytes, max_tokens: int) -> Any:
        last = more or [encode("user", f"Request: {self._case.question}\n\n{note}")]
        prompt = Prompt((self._system, *last), (), schema, max_tokens)
        label = Label(Trust.USER, frozenset({self._turn.principal.member}))
        match await self._gate.perform(self._turn, Action(MODEL, {}, label, prompt=prompt, run=self._turn.run)):
            case Outcome(ok=True, value=value):
                self.reply.said.append(value["text"])
                self.reply.prompt += value["usage"]["prompt"] - value["usage"]["cached"]
                self.reply.completion += value["usage"]["completion"]
                return value
            case Outcome(value={"kind": "BackendError" | "ContextOverflow", "error": str(error)}):
                raise BackendError(error)
            case other:
                raise InternalError(f"the gate let no request to the model pass: {other}")
