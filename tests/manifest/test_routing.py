"""The manifest's routing: names of tiers, patterns that hold nothing up, prices and budgets that belong together."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.manifest.loader import dump, parse
from ringfence.manifest.routing import Budgets, Routing, held_up

TIERS = """\
inference:
  tiers:
    - {name: small, provider: ollama, model: a}
    - {name: cloud, provider: openai, model: b, endpoint: "https://api.example/v1", price: {input: 3, output: 15}}
"""


def what(text: str) -> list[str]:
    """What is wrong with a manifest, line by line."""
    with pytest.raises(ManifestError) as caught:
        parse(TIERS + text, "m.yaml")
    return caught.value.what.splitlines()


def test_without_the_key_everything_is_as_it_ships() -> None:
    assert parse(TIERS, "m.yaml").routing == Routing()


def test_what_is_written_is_what_is_read() -> None:
    text = TIERS + (
        "routing:\n"
        "  classes: {complex: [cloud, small]}\n"
        "  patterns: {tool: ['\\bticket \\d{4,6}\\b']}\n"
        "  weights: {code: 3, greeting: 0}\n"
        "  escalate: {when: [failure, empty], at_most: 2, sure: 0.5}\n"
        "  breaker: {failures: 2, cool_s: 5}\n"
    )
    manifest = parse(text, "m.yaml")
    routing = manifest.routing
    assert routing.classes.named == {"complex": ("cloud", "small")}
    assert routing.patterns.named == {"tool": ("\\bticket \\d{4,6}\\b",)}
    assert routing.weights.named == {"code": 3, "greeting": 0}
    assert (routing.escalate.when, routing.escalate.at_most, routing.escalate.sure) == (("failure", "empty"), 2, 0.5)
    assert parse(dump(manifest), "m.yaml").routing == routing


@pytest.mark.parametrize(
    ("text", "line"),
    {
        "routing: {classes: {complex: [clod]}}": (
            "m.yaml:5:31 routing.classes.complex[0]: expected the name of a tier, got 'clod'; known are small, cloud"
        ),
        "routing: {classes: {tool: [small, small]}}": (
            "m.yaml:5:35 routing.classes.tool[1]: expected each tier once, got 'small' again; remove it"
        ),
        "routing: {classes: {tool: []}}": (
            "m.yaml:5:27 routing.classes.tool: expected at least one item, got an empty list"
        ),
        "routing: {weights: {cod: 3}}": (
            "m.yaml:5:21 routing.weights.cod: expected a known key, got 'cod'; did you mean 'code'?"
        ),
        "routing: {escalate: {when: [fail]}}": (
            "m.yaml:5:29 routing.escalate.when[0]: expected one of failure, empty, unsure, exhausted, invalid, got"
            " 'fail'; did you mean 'failure'?"
        ),
        "routing: {hedge: true}": (
            "m.yaml:5:11 routing.hedge: expected a known key, got 'hedge'; known are breaker, classes, escalate,"
            " patterns, weights"
        ),
        "routing: {patterns: {tool: ['(']}}": (
            "m.yaml:5:29 routing.patterns.tool[0]: expected a regular expression (missing ), unterminated subpattern at"
            " position 0), got '('"
        ),
        "routing: {patterns: {tool: ['a*']}}": (
            "m.yaml:5:29 routing.patterns.tool[0]: expected a regular expression that does not match every text,"
            " got 'a*'"
        ),
    }.items(),
)
def test_a_mistake_is_explained_where_it_was_made(text: str, line: str) -> None:
    assert what(text) == [line]


def test_a_budget_of_money_needs_a_price() -> None:
    (line,) = what("    - {name: free, provider: ollama, model: c, budgets: {money_per_day: 1}}\n")
    assert "expected a price beside money_per_day, got none" in line
    assert "inference.tiers[2].budgets.money_per_day" in line


def test_budgets_are_read() -> None:
    text = TIERS + "    - {name: x, provider: ollama, model: c, budgets: {requests_per_day: 5, tokens_per_day: 0}}\n"
    assert parse(text, "m.yaml").inference.tiers[2].budgets == Budgets(requests_per_day=5, tokens_per_day=0)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$", r"x(\w+\s?)*$", r"(a|a)*b", r"(?:foo|foobar|bar)*;", r"\d+\d+\d+x", r"(x+x+)+y",
        r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(ä|ä)*b", r"(.*)(.*)(.*)(.*)z", r"(?:\s*,\s*)*;",
    ],
)  # fmt: skip
def test_a_pattern_that_a_text_can_hold_up_is_refused(pattern: str) -> None:
    (line,) = what(f"routing: {{patterns: {{tool: ['{pattern}']}}}}")
    assert "expected a regular expression that no text can hold up (" in line


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bdeploy\b",
        r"\b(?:pay|salary|gehalt)\b",
        r"ticket \d{4,6}",
        r"^summar(?:y|ise)",
        r"deploy.{0,80}production",
        "ä+x",
    ],
)
def test_an_honest_pattern_passes_however_slow_the_machine_is(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.thread_time
    monkeypatch.setattr(time, "thread_time", lambda: 5 * now())
    held_up.cache_clear()
    assert held_up(pattern) == ""


def test_a_cache_may_stand_beside_one_model_written_flat_or_beside_tiers() -> None:
    flat = parse("inference: {provider: ollama, model: a, cache: true, temperature: 0}", "m.yaml")
    assert (flat.inference.cache, flat.inference.tiers[0].temperature) == (True, 0)
    assert parse(dump(flat), "m.yaml").inference == flat.inference
    with pytest.raises(ManifestError, match=r"m\.yaml:1:48 inference\.cache: expected true or false, got 'on it'"):
        parse("inference: {provider: ollama, model: a, cache: on it}", "m.yaml")


def test_the_manifest_of_the_howto_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "routing.md").read_text(encoding="utf-8")
    manifest = parse(page.split("```yaml\n")[1].split("```")[0], "m.yaml")
    assert [tier.name for tier in manifest.inference.tiers] == ["small", "large", "cloud"]
    assert manifest.routing.patterns.named == {"complex": (r"\bpost-?mortem\b",)}
