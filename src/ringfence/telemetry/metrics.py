"""What an agent and its server did, in numbers for Prometheus: a projection of the records, and of requests.

Every label takes few values, whatever a model, a client or a tool says: names come from the manifest, routes are
templates, codes are ours, and all else is `other`. Nothing here names a principal, a run, a path or an address.
Extra `server`, imported when a `Metrics` is made; the registry is its own, so an embedding program's stays as it is.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import ManifestError

if TYPE_CHECKING:
    from prometheus_client import Metric

OTHER: Final = "other"
MAX_NAMES: Final = 200  # values of one label that come from a manifest, and of those that our own code makes up
MAX_OPEN: Final = 20_000  # runs, and calls, whose end is waited for
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATUSES: Final = frozenset({"done", "partial", "failed", "cancelled"})
RUNGS: Final = frozenset({"native", "grammar", "text", "dialect", "repair", "retry", "escalate"})
DIRECTIONS: Final = ("prompt", "completion", "cached")
SERVANT: Final = re.compile(r"[a-z]{1,8}-")  # how the id of a run begins that works for another one
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")
_TOOL, _MODEL = "tool:", "model:"
_SOON = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
_LATE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)


class Names:
    """The values of one label: the first few that are allowed, or that are codes; all others are `other`."""

    def __init__(self, allowed: Callable[[str], object] = _CODE.fullmatch, most: int = MAX_NAMES) -> None:
        self._allowed = allowed
        self._most = most
        self._seen: set[str] = set()

    def __call__(self, name: object) -> str:
        """The value for a name."""
        text = str(name)
        if text in self._seen:
            return text
        if len(self._seen) >= self._most or not self._allowed(text):
            return OTHER
        self._seen.add(text)
        return text


class Metrics:
    """Counts. `observe` is an observer of records; channels call the rest. For one event loop.

    sinks  the names of all sinks (`tool:x`, `model:y`), as they are when asked: what is not among them is `other`
    """

    def __init__(self, sinks: Container[str] = (), webhooks: Container[str] = ()) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError as error:
            raise ManifestError("metrics need an extra", todo="pip install 'ringfence[server]'") from error

        self.registry = prometheus.CollectorRegistry(auto_describe=True)
        self._made = prometheus
        self._levels: dict[str, Any] = {}
        self._sink, self._hook = Names(sinks.__contains__), Names(webhooks.__contains__)
        self._code, self._rule, self._way = Names(), Names(), Names(most=16)
        self._route = Names(lambda template: True)  # of our own code; what is bounded is how many
        self._runs: OrderedDict[str, int] = OrderedDict()  # when they began
        self._calls: OrderedDict[tuple[str, int], str] = OrderedDict()  # the sinks of open intents
        prometheus.ProcessCollector(registry=self.registry)
        self._of_requests()
        self._of_runs()
        self._of_models()
        self._of_push()

    def _of_requests(self) -> None:
        self._requests = self._counter("http_requests", "HTTP requests", "method", "route", "status")
        self._answers = self._histogram(
            "http_request_duration_seconds", "until an answer begins: a stream lasts as long as its run", _SOON,
            "method", "route",
        )  # fmt: skip
        self._open = self._gauge("http_requests_in_flight", "HTTP requests, streams too, that are not over")
        self._failed_in = self._counter("signin_failures", "attempts to come in that failed, by the way", "way")
        self._queue = self._histogram("queue_wait_seconds", "how long runs waited for their turn", _LATE)
        self._turned_away = self._counter("queue_refused", "runs for which there was no room")

    def _of_runs(self) -> None:
        self._started = self._counter("runs_started", "runs that people began")
        self._ended = self._counter("runs_ended", "runs that ended, by how", "status")
        self._lasted = self._histogram("run_duration_seconds", "from a run's first record to its last", _LATE)
        self._steps = self._counter("steps", "steps of runs: answers of a model that were taken")
        self._tools = self._histogram("tool_duration_seconds", "how long tools took", _SOON, "tool", "ok")
        self._decided = self._counter("decisions", "what the gate decided", "verdict", "rule", "code")
        self._rungs = self._counter("ladder_rungs", "rungs of the ladder that were used", "rung")
        self._out = self._counter("egress_attempts", "attempts of tools to reach a host, by how they ended", "state")
        self._bytes = self._counter("egress_bytes", "bytes to and from hosts that tools reached", "direction")

    def _of_models(self) -> None:
        self._asked = self._histogram("model_duration_seconds", "how long requests to models took", _LATE, "tier", "ok")
        self._up = self._gauge("tier_up", "1 if the newest request to the tier was answered, else 0", "tier")
        self._tokens = self._counter("tokens", "tokens that models read, wrote, or had cached", "tier", "direction")

    def _of_push(self) -> None:
        self._spans = self._counter("spans", "spans that a collector took, or that were dropped", "result")
        self._hooks = self._counter("webhook_attempts", "attempts to tell a webhook, by result", "webhook", "result")
        self._lost = self._counter("webhook_given_up", "events that a webhook was never told", "webhook")

    def level(self, name: str, what: str, value: float, **labels: str) -> None:
        """Set a gauge, made when it is first set. `labels` has to take few values: it comes from our own code."""
        if name not in self._levels:
            self._levels[name] = self._gauge(name, what, *labels)
        (self._levels[name].labels(**labels) if labels else self._levels[name]).set(value)

    def observe(self, record: Record) -> None:
        """An observer of records."""
        view: Mapping[str, Any] = record.view
        if "copied" in view:  # a fork's copy of what was counted
            return
        match record.kind:
            case Kind.STARTED:
                self._begin(record)
            case Kind.INTENT:
                self._decided.labels("allow", self._rule(view["rule"]) if view.get("rule") else "", "").inc()
                _keep(self._calls, (record.run, record.seq), str(view["sink"]))
            case Kind.DECISION:
                rule, code = view.get("rule", ""), view.get("code", "")
                verdict = view["verdict"] if view["verdict"] in ("ask", "deny") else OTHER
                self._decided.labels(verdict, self._rule(rule) if rule else "", self._code(code) if code else "").inc()
            case Kind.OUTCOME:
                self._outcome(record, view)
            case Kind.CHECKPOINT if isinstance(view.get("egress"), Mapping):
                self._egress(view["egress"])
            case Kind.FINISHED:
                self._finish(record, view)

    def _begin(self, record: Record) -> None:
        if SERVANT.match(record.run):
            return
        self._started.inc()
        _keep(self._runs, record.run, record.time)

    def _outcome(self, record: Record, view: Mapping[str, Any]) -> None:
        sink = self._calls.pop((record.run, view["of"]), "")
        ok, seconds = bool(view["ok"]), max(0, view.get("ms", 0)) / 1000
        if sink.startswith(_TOOL):
            self._tools.labels(self._named(sink, _TOOL), "true" if ok else "false").observe(seconds)
        elif sink.startswith(_MODEL):
            tier = self._named(sink, _MODEL)
            self._asked.labels(tier, "true" if ok else "false").observe(seconds)
            self._up.labels(tier).set(ok)
            usage = view.get("usage") or {}
            for direction in DIRECTIONS:
                self._tokens.labels(tier, direction).inc(max(0, int(usage.get(direction) or 0)))
            if ok and not SERVANT.match(record.run):
                self._steps.inc()

    def _named(self, sink: str, kind: str) -> str:
        return OTHER if (known := self._sink(sink)) == OTHER else known.removeprefix(kind)

    def _egress(self, line: Mapping[str, Any]) -> None:
        state = line.get("state")
        if state in ("refused", "done", "failed"):  # open: another line tells how it ended
            self._out.labels(state).inc()
            for direction, key in (("out", "sent"), ("in", "received")):
                self._bytes.labels(direction).inc(max(0, int(line.get(key) or 0)))

    def _finish(self, record: Record, view: Mapping[str, Any]) -> None:
        if SERVANT.match(record.run):
            return
        status = str(view.get("status", "done"))
        self._ended.labels(status if status in STATUSES else OTHER).inc()
        if (began := self._runs.pop(record.run, None)) is not None:
            self._lasted.observe(max(0, record.time - began) / 1000)
        for rung, count in (record.body.get("rungs") or {}).items():
            self._rungs.labels(rung if rung in RUNGS else OTHER).inc(int(count))

    def arrived(self) -> None:
        """A request has come; `answered` has to follow."""
        self._open.inc()

    def answered(self, method: str, route: str, status: int, began_s: float) -> None:
        """A request is over. `route` is its template, of our own code; `began_s` seconds until its answer began."""
        self._open.dec()
        method, route = method if method in METHODS else OTHER, self._route(route) if route else OTHER
        self._requests.labels(method, route, str(status) if 100 <= status <= 599 else OTHER).inc()
        self._answers.labels(method, route).observe(began_s)

    def stranger(self, way: str) -> None:
        """Somebody failed to come in: with a password, a key, ..."""
        self._failed_in.labels(self._way(way)).inc()

    def queue(self, kind: str, seconds: float = 0.0) -> None:
        """A change in the queue of runs: `started` after so long, or `refused`."""
        if kind == "started":
            self._queue.observe(seconds)
        elif kind == "refused":
            self._turned_away.inc()

    def pushed(self, webhook: str, result: str) -> None:
        """An attempt to tell a webhook: done, failed or refused."""
        self._hooks.labels(self._hook(webhook), result if result in ("done", "failed", "refused") else OTHER).inc()

    def traced(self, result: str, count: int) -> None:
        """Spans were `exported` or `dropped`."""
        self._spans.labels(result if result in ("exported", "dropped") else OTHER).inc(count)

    def gave_up(self, webhook: str) -> None:
        """It is never told."""
        self._lost.labels(self._hook(webhook)).inc()

    def text(self, accept: str) -> tuple[bytes, str]:
        """All of it and its media type: OpenMetrics where `accept` asks for that, else the text format."""
        from prometheus_client import exposition, openmetrics

        if "application/openmetrics-text" in accept:
            text: bytes = openmetrics.exposition.generate_latest(_Plain(self.registry))  # type: ignore[no-untyped-call]
            return text, openmetrics.exposition.CONTENT_TYPE_LATEST
        return exposition.generate_latest(_Plain(self.registry)), exposition.CONTENT_TYPE_PLAIN_0_0_4

    def _counter(self, name: str, what: str, *labels: str) -> Any:
        made = self._made.Counter(f"ringfence_{name}", what, labels, registry=self.registry)
        return _Family(made) if labels else made

    def _gauge(self, name: str, what: str, *labels: str) -> Any:
        return self._made.Gauge(f"ringfence_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Any:
        made = self._made.Histogram(f"ringfence_{name}", what, labels, registry=self.registry, buckets=buckets)
        return _Family(made) if labels else made


class _Family:
    """A metric whose series are kept at hand: to look one up anew takes the library longer than to count."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._known: dict[tuple[str, ...], Any] = {}

    def labels(self, *values: str) -> Any:
        """The series with these values, of which there are few."""
        known = self._known.get(values)
        if known is None:
            known = self._known[values] = self._metric.labels(*values)
        return known


class _Plain:
    """A registry without when each series was made, which doubles them all and tells nobody anything."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """What there is."""
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family


def _keep(open_: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    open_[key] = value
    if len(open_) > MAX_OPEN:  # runs that wait for a person, or were lost: the oldest is not measured
        open_.popitem(last=False)
