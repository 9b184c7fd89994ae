"""Traces, after the GenAI semantic conventions of OpenTelemetry: a projection of the records, and of requests.

`invoke_agent` is a run, `chat` a request to a model, `execute_tool` a call of a tool. Their ids are those that went out
with the calls (`tracing.span_id`), so what a tool's own server exports hangs below the call that caused it. A span says
names of the manifest, codes and counts: never a task, an argument, a result or an answer.

The names of attributes are our own constants: the packages that have them are unstable, and a name is all we need.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ringfence.core.chain import Kind, Record
from ringfence.core.values import JSON
from ringfence.tracing import Trace, current, span_id

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT: Final = "gen_ai.agent.name"
MODEL: Final = "gen_ai.request.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL: Final = "gen_ai.tool.call.id"
ERROR: Final = "error.type"
MAX_RUNS: Final = 10_000  # whose end is waited for
MAX_EVENTS: Final = 128  # of one run
_TOOL, _MODEL, _HOOK = "tool:", "model:", "webhook:"
_FAULTS: Final = frozenset(
    {"BackendError", "ToolError", "InternalError", "ContextOverflow", "Unreachable", "CutOff", "Uncertain"}
)
Attribute = str | int | float | bool
SpanKind = Literal["server", "client", "internal"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a span. `at`: nanoseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Span:
    """One finished piece of work. Times are nanoseconds since 1970; ids are hex digits, `parent` empty for none.

    remote  the parent is somebody else's
    error   what kind of fault it ended with; empty if with none
    """

    trace: Trace
    id: str
    parent: str
    name: str
    kind: SpanKind
    start: int
    end: int
    attributes: Mapping[str, Attribute]
    events: tuple[Event, ...] = ()
    error: str = ""
    remote: bool = False


@dataclass(slots=True)
class _Run:
    """A run under way: what its span will say, and its calls that have not ended, by the seq of their intents."""

    trace: Trace
    start: int
    task: str = "invoke_agent"
    attributes: dict[str, Attribute] = field(default_factory=dict)
    calls: dict[int, Record] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


class Spans:
    """Makes spans; `observe` is an observer of records. For one event loop.

    put     takes each span when it has ended; must be quick
    agent   the agent's name
    models  gives by tier the provider and the model that the manifest names
    sinks   the names of all sinks; a name that is not among them is told to nobody
    """

    def __init__(
        self,
        put: Callable[[Span], None],
        *,
        agent: str,
        models: Callable[[], Mapping[str, tuple[str, str]]],
        sinks: Container[str] = (),
    ) -> None:
        self._put = put
        self._agent = agent
        self._models = models
        self._sinks = sinks
        self._runs: OrderedDict[str, _Run] = OrderedDict()

    def request(self, trace: Trace, ident: str, *, method: str, route: str, status: int, start: int, end: int) -> None:
        """A request that was answered: the span with the id `ident`, below whoever asked."""
        said: dict[str, Attribute] = {"http.request.method": method, "http.response.status_code": status}
        if route:
            said["http.route"] = route
        name = f"{method} {route}".rstrip()
        error = str(status) if status >= 500 else ""
        self._put(Span(trace, ident, trace.parent_id, name, "server", start, end, said, error=error, remote=True))

    def observe(self, record: Record) -> None:
        """An observer of records."""
        view: Mapping[str, Any] = record.view
        if "copied" in view:  # a fork's copy of what happened in another run
            return
        run = self._run(record, view)
        match record.kind:
            case Kind.INTENT:
                run.calls[record.seq] = record
            case Kind.OUTCOME:
                if (intent := run.calls.pop(view["of"], None)) is not None:
                    self._called(run, intent, record)
            case Kind.DECISION | Kind.APPROVAL:
                self._decided(run, record, view)
            case Kind.FINISHED:
                self._finished(run, record, view)

    def _run(self, record: Record, view: Mapping[str, Any]) -> _Run:
        if (known := self._runs.get(record.run)) is not None:
            return known
        start = record.time * 1_000_000
        if record.kind is Kind.STARTED:
            kept = record.body.get("trace")
            trace = Trace.of(kept, record.run) if isinstance(kept, Mapping) else Trace(str(view.get("trace", "")))
            made = _Run(trace if len(trace.trace_id) == 32 else Trace.of({}, record.run), start)
            made.attributes["ringfence.policy"] = str(view.get("policy", ""))
        else:  # of a run that another process began: its span begins where we took it up
            now = current()
            trace = now.trace if now is not None and now.run == record.run else Trace.of({}, record.run)
            made = _Run(trace, start, attributes={"ringfence.resumed": True})
        self._runs[record.run] = made
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        return made

    def _called(self, run: _Run, intent: Record, outcome: Record | None) -> None:
        """A call has ended, or the run has without it."""
        sink = str(intent.view["sink"])
        view: Mapping[str, Any] = outcome.view if outcome is not None else {"ok": False}
        if sink.startswith(_MODEL):
            name, said = self._chat(sink.removeprefix(_MODEL), view)
        elif sink.startswith(_TOOL):
            tool = sink.removeprefix(_TOOL) if sink in self._sinks else "other"
            name = f"execute_tool {tool}"
            said = {OPERATION: "execute_tool", TOOL_NAME: tool, TOOL_TYPE: "function", TOOL_CALL: f"r{intent.seq}"}
        elif sink.startswith(_HOOK):
            name, said = sink.replace(":", " "), {}
        else:  # the answer to whoever asked: the run's span ends with it
            return
        said |= {"ringfence.run": intent.run, "ringfence.seq": intent.seq, "ringfence.rule": str(intent.view["rule"])}
        end = outcome.time * 1_000_000 if outcome is not None else run.start
        start = intent.time * 1_000_000
        error = "" if view["ok"] else _fault(outcome)
        kind: SpanKind = "internal" if sink.startswith(_TOOL) else "client"
        self._put(
            Span(run.trace, span_id(intent.run, intent.seq), span_id(intent.run, 0), name, kind,
                 start, max(start, end), _with(said, error), error=error)
        )  # fmt: skip

    def _chat(self, tier: str, view: Mapping[str, Any]) -> tuple[str, dict[str, Attribute]]:
        provider, model = self._models().get(tier, ("", ""))
        said: dict[str, Attribute] = {OPERATION: "chat", PROVIDER: provider, MODEL: model, "ringfence.tier": tier}
        return f"chat {model}".rstrip(), said | _tokens(view.get("usage"))

    def _decided(self, run: _Run, record: Record, view: Mapping[str, Any]) -> None:
        if len(run.events) >= MAX_EVENTS:
            return
        said: dict[str, Attribute] = {f"ringfence.{k}": str(view[k]) for k in ("verdict", "rule", "code") if k in view}
        if view.get("sink") in self._sinks:
            said["ringfence.sink"] = str(view["sink"])
        name = "ringfence.decision" if record.kind is Kind.DECISION else "ringfence.approval"
        run.events.append(Event(name, record.time * 1_000_000, said))

    def _finished(self, run: _Run, record: Record, view: Mapping[str, Any]) -> None:
        del self._runs[record.run]
        for intent in list(run.calls.values()):
            self._called(run, intent, None)
        push = record.run.startswith("push-")
        status = str(view.get("status", "done"))
        said: dict[str, Attribute] = {"ringfence.run": record.run, "ringfence.status": status, **run.attributes}
        if not push:
            provider = next(iter(self._models().values()), ("", ""))[0]
            said |= {OPERATION: "invoke_agent", AGENT: self._agent, PROVIDER: provider}
            said |= _tokens(view.get("usage"))
        error = status if status == "failed" else ""
        start, end = run.start, record.time * 1_000_000
        name = "push" if push else f"invoke_agent {self._agent}"
        self._put(
            Span(run.trace, span_id(record.run, 0), run.trace.parent_id, name, "internal",
                 start, max(start, end), _with(said, error), tuple(run.events), error, remote=True)
        )  # fmt: skip


def _tokens(usage: JSON) -> dict[str, Attribute]:
    if not isinstance(usage, Mapping):
        return {}
    names = ((INPUT_TOKENS, "prompt"), (OUTPUT_TOKENS, "completion"), (CACHED_TOKENS, "cached"))
    return {name: int(usage[key]) for name, key in names if usage.get(key)}


def _fault(outcome: Record | None) -> str:
    """What kind of fault: one of our own names, never what a server said."""
    if outcome is None:
        return "lost"
    value = outcome.body.get("value")
    kind = str(value.get("kind", "")) if isinstance(value, Mapping) else ""
    return kind if kind in _FAULTS else "error"


def _with(said: Mapping[str, Attribute], error: str) -> dict[str, Attribute]:
    return {**said, ERROR: error} if error else dict(said)
