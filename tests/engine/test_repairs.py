"""What a step's arguments are mended to: never what somebody has to vouch for, never what an effect was not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ringfence.core.policy import Effect, Role, SinkSpec
from ringfence.core.values import JSON
from ringfence.engine.ladder import mended

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"to": {"type": "string", "default": "all"}, "note": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["to"],
    "additionalProperties": False,
}


def check(args: Mapping[str, JSON]) -> Mapping[str, JSON]:
    if set(args) - set(SCHEMA["properties"]) or "to" not in args or not isinstance(args.get("n", 1), int):
        raise ValueError("it does not fit")
    return args


def spec(effect: Effect = Effect.READ, **roles: Role) -> SinkSpec:
    return SinkSpec("tool:tell", schema=SCHEMA, check=check, effect=effect, roles=roles)


LOW = {"to": Role.LOW, "note": Role.LOW, "n": Role.LOW}


def test_a_read_gets_the_schemas_default_and_loses_what_nobody_knows() -> None:
    assert mended({"note": "x", "n": "3", "loud": True}, spec(**LOW)) == {"to": "all", "note": "x", "n": 3}


@pytest.mark.parametrize("roles", [{}, {"note": Role.TEXT, "n": Role.LOW}, {**LOW, "to/*": Role.CONTROL}])
def test_an_argument_that_nobody_has_described_is_control_and_is_not_made_up(roles: dict[str, Role]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        mended({"note": "x"}, spec(**roles))


@pytest.mark.parametrize("args", [{"to": "all", "dry_run": True}, {"note": "x"}])
def test_an_effect_is_told_nothing_and_loses_nothing(args: dict[str, JSON]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        mended(args, spec(Effect.WRITE, **LOW))


def test_an_effect_gets_types_as_its_schema_has_them() -> None:
    assert mended({"to": "all", "n": "3"}, spec(Effect.WRITE, **LOW)) == {"to": "all", "n": 3}
