"""What is seen of a server while it works: each request counted, timed, logged and traced, from outside of all else.

A request without a `traceparent` gets one here, and one with one goes on in its trace: what comes behind finds the
header with the span of this very request in it, so that a run, its calls and its tools are all below it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence import __version__
from ringfence.app.serving.health import Health
from ringfence.app.serving.levels import Gauge
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import Service
from ringfence.channels.push.delivery import Push
from ringfence.telemetry import logs
from ringfence.telemetry.metrics import METHODS, Metrics
from ringfence.telemetry.spans import Spans
from ringfence.tracing import Trace

if TYPE_CHECKING:
    from ringfence.telemetry.otlp import Collector

_log = logging.getLogger("ringfence")
UNHEARD: Final = 499  # of a client that went away before its answer began, as nginx has it
_SEEN: Final = "ringfence.seen"
_WAYS: Final = {"/auth/login": "password", "/auth/oidc/callback": "oidc"}
QUIET: Final = frozenset({"/livez", "/healthz", "/readyz", "/metrics"})  # asked every few seconds: no line, no span


@dataclass
class Seen:
    """A request, as it turns out."""

    trace: Trace
    span_id: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    answered_s: float = 0.0
    received: int = 0
    sent: int = 0
    route: str = ""
    principal: str = ""
    way: str = ""


class Watch:
    """Everything that watches one app; `install` puts it there."""

    def __init__(self, service: Service, reading: Reading) -> None:
        house, server = service.agent.house, service.agent.manifest.server
        self.service = service
        self.metrics = Metrics(house.specs, [hook.name for hook in server.webhooks])
        self.gauge = Gauge(service.agent, reading)
        self.health = Health(service, self.gauge)
        self.access_log = server.access_log
        self.push = Push(service, reading, self.metrics) if server.webhooks else None
        self.collector: Collector | None = None
        self.spans: Spans | None = None
        if server.otlp is not None:
            self._trace(server.otlp)
        self.metrics.level("build_info", "the version that runs", 1, version=__version__)
        service.observers.append(self.metrics.observe)
        service.queue_observers.append(lambda change: self.metrics.queue(change.kind, change.seconds))

    def _trace(self, url: str) -> None:
        """Traces go to the collector that the manifest names. Raises ManifestError without the extra."""
        from ringfence.telemetry.otlp import Collector

        agent = self.service.agent
        name, tiers = agent.manifest.runtime.name, agent.manifest.inference.tiers
        self.collector = Collector(url, agent=name, version=__version__, told=self.metrics.traced)
        models = {tier.name: (tier.provider, tier.model) for tier in tiers}
        self.spans = Spans(self.collector.put, agent=name, models=models, sinks=agent.house.specs)
        self.service.observers.append(self.spans.observe)

    async def start(self) -> None:
        """The app has begun."""
        if self.collector is not None:
            self.collector.start()
        if self.push is not None:
            await self.push.start()

    async def stop(self) -> None:
        """The app has ended: what is on its way gets a moment to arrive."""
        if self.push is not None:
            await self.push.stop()
        if self.collector is not None:
            await asyncio.to_thread(self.collector.close)

    async def measure(self) -> None:
        """Set the gauges to how things are."""
        levels, level = await self.gauge.levels(), self.metrics.level
        level("journal_up", "1 if the journal can be read", levels.readable)
        level("journal_records", "durable records", levels.records)
        level("journal_bytes", "of the journal's files", levels.journal_bytes)
        level("knowledge_bytes", "of the index of documents and memory", levels.knowledge_bytes)
        if levels.memories is not None:
            level("memory_items", "what is remembered", levels.memories)
        level("disk_free_bytes", "left where the journal lies", levels.disk_free_bytes)
        level("approvals_waiting", "runs that ask a person", levels.waiting)
        level("approval_oldest_seconds", "for which the first of them has been asking", levels.oldest_s)
        level("audit_unsigned_records", "records that no signed head covers yet", levels.unsigned)
        if levels.head_age_s is not None:
            level("audit_head_age_seconds", "since the newest head was signed", levels.head_age_s)
        level("audit_troubles", "what keeps heads from being signed, or from where they should be", levels.troubles)
        standing = self.service.status()
        level("runs_running", "runs at work in this process", standing.running)
        level("runs_running_limit", "runs that may be at work at once", standing.limits.running)
        level("queue_length", "runs that wait for their turn", standing.queued)
        level("queue_limit", "runs that may wait", standing.limits.queued)
        if self.push is not None:
            level("webhook_pending", "events that webhooks are still to be told", await self.push.pending())
        ready = all(check.ok for check in await self.health.ready())
        level("ready", "1 if it takes work in, as /readyz says", ready)

    def begin(self, scope: Scope) -> Seen:
        """A request has come: it goes on in its caller's trace, or begins one."""
        headers = MutableHeaders(scope=scope)
        trace = Trace.new()
        if given := headers.get("traceparent"):
            with suppress(ValueError):
                trace = Trace.parse(given, ",".join(headers.getlist("tracestate")))
        seen = Seen(trace, secrets.token_hex(8))
        headers["traceparent"] = f"00-{trace.trace_id}-{seen.span_id}-{trace.flags:02x}"
        seen.way = "key" if "authorization" in headers else "session" if "cookie" in headers else ""
        scope[_SEEN] = seen
        self.metrics.arrived()
        return seen

    def end(self, scope: Scope, seen: Seen) -> None:
        """It is over."""
        took = time.perf_counter() - seen.began
        method, route, status = scope["method"], seen.route, seen.status or UNHEARD
        self.metrics.answered(method, route, status, seen.answered_s or took)
        if status == 401 and (way := _WAYS.get(route, seen.way)):  # who shows nothing is merely nobody yet
            self.metrics.stranger(way)
        method = method if method in METHODS else "other"
        if self.spans is not None and route not in QUIET:
            end = time.time_ns()
            self.spans.request(
                seen.trace,
                seen.span_id,
                method=method,
                route=route,
                status=status,
                start=end - int(took * 1e9),
                end=end,
            )
        if self.access_log and route not in QUIET:
            logs.access(
                method=method, route=route or "other", status=status,
                ms=round(took * 1000, 1), received=seen.received, sent=seen.sent, principal=seen.principal,
                trace_id=seen.trace.trace_id, span_id=seen.span_id,
            )  # fmt: skip


def route_of(scope: Scope) -> str:
    """The template of the route that took a request (`/v1/runs/{run}`), never its path; empty where none did."""
    route = scope.get("route")
    path: str = getattr(route, "path_format", None) or getattr(route, "path", "") or ""
    return path


class Watched:
    """ASGI around an app: every request is seen to its end, however it ends, and nothing of it is held up or kept."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self.app = app
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = self.watch.begin(scope)

        async def receiving() -> Message:
            message = await receive()
            seen.received += len(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status, seen.answered_s = message["status"], time.perf_counter() - seen.began
            seen.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receiving, sending)
        except BaseException:
            seen.status = seen.status or 500
            raise
        finally:
            try:
                self.watch.end(scope, seen)
            except Exception as error:  # to watch never costs an answer
                _log.error("a request could not be logged or counted", exc_info=error)


class Told:
    """ASGI right around the routes: what they turned out to be, for `Watched`, whose scope others may have copied."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            await self.app(scope, receive, send)
        finally:
            if (seen := scope.get(_SEEN)) is not None:
                seen.route = route_of(scope)
                caller = scope.get("state", {}).get("caller")
                seen.principal = caller.principal.subject if caller is not None else ""


def install(app: FastAPI, service: Service, reading: Reading) -> Watch:
    """Watch an app: from outside of every other middleware, so this comes last, and from inside of them all."""
    state: Any = app.state
    state.watch = watch = Watch(service, reading)
    state.health = watch.health
    app.add_middleware(Watched, watch=watch)
    app.user_middleware.append(Middleware(Told))
    return watch
