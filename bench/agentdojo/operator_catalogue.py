"""The operator's catalogue of AgentDojo's tools as the gate reads it: catalogue.yaml, and schemas from the tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ringfence.core.labels import ANYONE, NOBODY, Trust
from ringfence.core.policy import Effect, Leaf, Role, SinkSpec
from ringfence.core.values import JSON, digest
from ringfence.manifest.security import Entry

PATH = Path(__file__).with_name("catalogue.yaml")


def entries(path: Path = PATH) -> dict[str, Entry]:
    """The catalogue, checked as that of a manifest is."""
    given = yaml.safe_load(path.read_text("utf-8"))["catalogue"]
    return {name: Entry.model_validate(entry) for name, entry in given.items()}


def specs(tools: Mapping[str, Any], path: Path = PATH) -> dict[str, SinkSpec]:
    """One sink `tool:<name>` for each tool; a tool without an entry is a commit whose every argument is control."""
    known = entries(path)
    return {f"tool:{name}": _spec(name, tool, known.get(name, Entry())) for name, tool in tools.items()}


def _spec(name: str, tool: Any, entry: Entry) -> SinkSpec:
    schema = tool.parameters.model_json_schema()
    effect = Effect(entry.effect)
    return SinkSpec(
        name=f"tool:{name}",
        pin=digest([name, schema]),
        summary=tool.description.partition("\n")[0],
        schema=schema,
        check=_checker(tool.parameters),
        effect=effect,
        confined=entry.confined,
        idempotent=entry.idempotent,
        reversible=entry.reversible,
        ask=entry.ask,
        roles={arg: Role(rule.role) for arg, rule in entry.args.items()},
        types={arg: rule.type for arg, rule in entry.args.items() if rule.type},
        words={arg: rule.words for arg, rule in entry.args.items() if rule.words},
        leaves={at: Leaf(leaf.type, Trust[leaf.trust.upper()], sole=leaf.sole) for at, leaf in entry.output.items()},
        audience=NOBODY if entry.confined else ANYONE,
    )


def _checker(parameters: type[BaseModel]) -> Callable[[Mapping[str, JSON]], Mapping[str, JSON]]:
    def check(given: Mapping[str, JSON]) -> Mapping[str, JSON]:
        try:
            parameters.model_validate(dict(given))
        except ValidationError as error:
            raise ValueError(str(error.errors()[0]["msg"])) from None
        return given

    return check
