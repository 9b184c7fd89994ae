"""`/metrics` of a server that works."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from ringfence.channels.http.caller import Caller
from ringfence.core.values import Principal

from .kit import final, served, step
from .test_approvals import TASK, WRITES

AS_ALICE = {"Authorization": "Bearer alice"}
ADMIN = Principal("user:root", frozenset({"role:admin"}))


class Callers:
    """By a header's word: a key of an admin for everything, one for metrics alone, for runs, and another's."""

    def __init__(self) -> None:
        self.known = {
            "root": Caller(ADMIN, "key"),
            "scraper": Caller(ADMIN, "key", frozenset({"metrics"})),
            "runner": Caller(ADMIN, "key", frozenset({"runs"})),
            "alice": Caller(Principal("user:alice", frozenset({"role:ops", "role:auditor"})), "key"),
        }

    async def caller(self, request: object) -> Caller | None:
        return self.known.get(request.headers.get("authorization", "").removeprefix("Bearer "))  # type: ignore[attr-defined]


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_run_over_http_is_counted_and_so_are_the_requests_about_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        begun = await client.post("/v1/runs", json={"task": "what is six times seven?"}, headers=AS_ALICE)
        run = begun.json()["id"]
        await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        await client.get("/no/such/path/of/mine", headers=AS_ALICE)
        answer = await client.get("/metrics", headers={"Authorization": "Bearer scraper"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        told = values(answer.text)
    requests = "ringfence_http_requests_total"
    assert told["ringfence_runs_started_total", ()] == 1
    assert told["ringfence_runs_ended_total", (("status", "done"),)] == 1
    assert told[requests, (("method", "POST"), ("route", "/v1/runs"), ("status", "202"))] == 1
    assert told[requests, (("method", "GET"), ("route", "/v1/runs/{run}/events"), ("status", "200"))] == 1
    assert told[requests, (("method", "GET"), ("route", "other"), ("status", "404"))] == 1
    assert told["ringfence_http_requests_in_flight", ()] == 1  # this one
    assert told["ringfence_journal_records", ()] > 3
    assert told["ringfence_journal_bytes", ()] > 0
    assert told["ringfence_approvals_waiting", ()] == 0
    assert told["ringfence_memory_items", ()] == 0
    assert told["ringfence_ready", ()] == 1
    assert told["ringfence_model_duration_seconds_count", (("ok", "true"), ("tier", "main"))] == 1
    assert run not in answer.text
    assert "alice" not in answer.text
    assert "/no/such" not in answer.text


async def test_metrics_are_for_admins_with_the_scope_and_for_nobody_else(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        said = {
            who: (await client.get("/metrics", headers={"Authorization": f"Bearer {who}"})).status_code
            for who in ("root", "scraper", "runner", "alice", "nobody")
        }
        assert said == {"root": 200, "scraper": 200, "runner": 403, "alice": 403, "nobody": 401}
        assert (await client.get("/metrics")).status_code == 401  # from this very machine


async def test_a_stream_counts_by_when_its_answer_began_and_a_fault_as_a_500(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()

        @web.get("/v1/broken")
        async def broken() -> None:
            raise RuntimeError("x")

        client._transport.raise_app_exceptions = False
        assert (await client.get("/v1/broken")).status_code == 500
        told = values((await client.get("/metrics", headers={"Authorization": "Bearer root"})).text)
    assert told["ringfence_http_requests_total", (("method", "GET"), ("route", "/v1/broken"), ("status", "500"))] == 1
    assert told["ringfence_http_requests_in_flight", ()] == 1


async def test_openmetrics_is_given_to_who_asks_for_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        answer = await client.get(
            "/metrics", headers={"Authorization": "Bearer root", "Accept": "application/openmetrics-text;version=1.0.0"}
        )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_who_fails_to_come_in_is_counted_by_the_way_and_who_shows_nothing_is_not(tmp_path: Path) -> None:
    async with served(tmp_path) as (client, web):
        web.state.authenticator = Callers()
        await client.get("/v1/runs", headers={"Authorization": "Bearer forged"})
        await client.get("/v1/runs", headers={"Cookie": "x=forged"})
        await client.get("/v1/runs")
        told = values((await client.get("/metrics", headers={"Authorization": "Bearer root"})).text)
    failures = {labels: value for (name, labels), value in told.items() if name == "ringfence_signin_failures_total"}
    assert failures == {(("way", "key"),): 1, (("way", "session"),): 1}


async def test_a_run_that_asks_is_counted_until_it_is_answered(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    steps = [step("files.write", path="notes/new.txt", text="x"), final("done")]
    async with served(tmp_path, steps, manifest=WRITES) as (client, web):
        run = (await client.post("/v1/runs", json=TASK, headers=AS_ALICE)).json()["id"]
        await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        (asked,) = (await client.get("/v1/approvals", headers=AS_ALICE)).json()["data"]
        assert (await web.state.watch.gauge.levels(at_most_s=0)).waiting == 1
        said = {"yes": True, "digest": asked["digest"]}
        assert (await client.post(f"/v1/approvals/{run}", json=said, headers=AS_ALICE)).status_code == 200
        await client.get(f"/v1/runs/{run}/events", headers=AS_ALICE)
        levels = await web.state.watch.gauge.levels(at_most_s=0)
        assert (levels.waiting, levels.oldest_s) == (0, 0)
        assert levels.head_age_s is not None
        assert levels.unsigned == 0
