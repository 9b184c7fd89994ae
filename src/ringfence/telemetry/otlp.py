"""Spans on their way to a collector: OTLP over HTTP, in a thread, from a queue that is bounded. Extra `otel`.

Nothing is connected to but the address that is given: no proxy, no header and no endpoint of the environment counts,
and a redirect is an answer like any other that is no success. A collector that is slow, wrong or gone costs spans,
which are counted, and never a run.
"""

from __future__ import annotations

import http.client
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.core.errors import ManifestError

from .spans import Event, Span

PATH: Final = "/v1/traces"
QUEUED: Final = 8_192  # spans; beyond, the newest are dropped
BATCH: Final = 512
EVERY_S: Final = 1.0
TIMEOUT_S: Final = 5.0
TRIES: Final = 3
ANSWER_BYTES: Final = 4_096  # of an answer that are read
_AGAIN: Final = frozenset({429, 502, 503, 504})  # OTLP 1.x, "Retryable response codes"
_SAMPLED: Final = 0x01
_log = logging.getLogger("ringfence")


class Collector:
    """Sends spans to one collector, from `start` to `close`. Raises ManifestError without the extra.

    told  gets how many spans were `exported`, or `dropped` (no room, or nobody took them)
    """

    def __init__(
        self,
        url: str,
        *,
        agent: str,
        version: str = "",
        told: Callable[[str, int], None] = lambda result, count: None,
    ) -> None:
        try:
            import opentelemetry.exporter.otlp.proto.common.trace_encoder
            import opentelemetry.sdk.trace  # noqa: F401
        except ImportError as error:
            raise ManifestError("server.otlp needs an extra", todo="pip install 'ringfence[otel]'") from error
        where = urlsplit(url)
        self._secure = where.scheme == "https"
        self._host, self._port = where.hostname or "", where.port
        self._path = where.path if where.path.endswith(PATH) else where.path.rstrip("/") + PATH
        self._resource = {"service.name": "ringfence", "service.version": version, "ringfence.agent": agent}
        self._told = told
        self._queue: deque[Span] = deque()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._work, name="ringfence-otlp", daemon=True)
        self._thread.start()

    def put(self, span: Span) -> None:
        """Take a span, if its trace is sampled and there is room. Never waits."""
        if not span.trace.flags & _SAMPLED:
            return
        if len(self._queue) >= QUEUED:
            self._told("dropped", 1)
            return
        self._queue.append(span)
        if len(self._queue) >= BATCH:
            self._wake.set()

    def close(self, wait_s: float = TIMEOUT_S) -> None:
        """Send what there is, within `wait_s` seconds; what is left then is dropped."""
        if self._thread is not None:
            self._stop.set()
            self._wake.set()
            self._thread.join(wait_s)
            self._thread = None

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(EVERY_S)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while batch := [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]:
            try:
                sent, why = self._send(_encoded(batch, self._resource))
            except Exception as error:  # whatever a collector does, and whatever is wrong with a span
                sent, why = False, repr(error)
            self._told("exported" if sent else "dropped", len(batch))
            if not sent and not self._failing:
                _log.warning("traces do not get to %s: %s; runs go on without", self._host, why)
            self._failing = not sent

    def _send(self, body: bytes) -> tuple[bool, str]:
        """Whether the collector took it, or why not."""
        why = ""
        for n in range(TRIES):
            if n and self._stop.wait(random.uniform(0.5, 1) * 2**n / 4):
                break
            try:
                status = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
                continue
            if 200 <= status < 300:
                return True, ""
            why = f"it answers {status}"
            if status not in _AGAIN:
                break
        return False, why

    def _post(self, body: bytes) -> int:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=TIMEOUT_S)
        began = time.monotonic()
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            if time.monotonic() - began < TIMEOUT_S:
                answer.read(ANSWER_BYTES)
            return answer.status
        finally:
            connection.close()


def _encoded(spans: Sequence[Span], resource: Mapping[str, str]) -> bytes:
    """ExportTraceServiceRequest, as protobuf."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    whose, scope = Resource(dict(resource)), InstrumentationScope("ringfence", resource["service.version"])
    made: bytes = encode_spans([_readable(span, whose, scope) for span in spans]).SerializeToString()
    return made


def _readable(span: Span, resource: Any, scope: Any) -> Any:
    """A span as the SDK has it, with exactly our ids."""
    from opentelemetry.sdk.trace import Event as SdkEvent
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    kinds = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}
    trace, flags = int(span.trace.trace_id, 16), TraceFlags(span.trace.flags)

    def context(ident: str, *, remote: bool) -> Any:
        return SpanContext(
            trace, int(ident, 16), is_remote=remote, trace_flags=flags
        )  # tracestate: a caller's own words stay

    def event(one: Event) -> Any:
        return SdkEvent(one.name, dict(one.attributes), one.at)

    return ReadableSpan(
        span.name,
        context=context(span.id, remote=False),
        parent=context(span.parent, remote=span.remote) if span.parent else None,
        resource=resource,
        attributes=dict(span.attributes),
        events=[event(one) for one in span.events],
        kind=kinds[span.kind],
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=scope,
    )
