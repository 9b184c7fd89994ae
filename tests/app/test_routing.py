"""What the router of a manifest knows of its models."""

from __future__ import annotations

from ringfence.app.routing import router_of
from ringfence.manifest.loader import parse

TIERS = """
inference:
  tiers:
    - {name: tiny, provider: embedded, model: smollm2-135m}
    - {name: small, provider: embedded, model: qwen2.5-coder-1.5b}
    - {name: large, provider: openai, endpoint: "http://127.0.0.1:1/v1", model: x}
"""


def test_a_model_that_cannot_call_tools_talks_and_is_the_last_that_is_given_a_task_for_tools() -> None:
    router = router_of(parse(TIERS, "m.yaml"))
    assert router.order("simple") == ("model:tiny", "model:small", "model:large")
    assert router.order("tool") == ("model:small", "model:large", "model:tiny")
    assert router.order("complex") == ("model:small", "model:large", "model:tiny")


def test_the_operators_order_is_kept() -> None:
    router = router_of(parse(TIERS + "routing: {classes: {tool: [tiny, large]}}\n", "m.yaml"))
    assert router.order("tool") == ("model:tiny", "model:large")
