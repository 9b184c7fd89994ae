"""BFCL's cases, tools and checker, out of the wheel of `bfcl-eval`, which is read as data: nothing of it is installed.

The checker is the leaderboard's own `ast_checker`, imported from the wheel. It asks the package's list of models for
one fact, whether dots in names become underscores, and that list imports every vendor's SDK; so a list of one entry
stands in for it, with the answer that the leaderboard has for OpenAI-compatible servers.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

VERSION = "2026.3.23"
WHEEL = f"bfcl_eval-{VERSION}-py3-none-any.whl"
SHA256 = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"
CATEGORIES = ("simple", "multiple", "parallel", "irrelevance")
_FILES = {"simple": "simple_python"}
_DEV = 60  # cases of each category that prompts were tuned on; the test split begins behind them
_SEED = "ringfence"
_OPENAPI = {"float": "number", "dict": "object", "tuple": "array", "any": "string", "list": "array", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of a case, as OpenAI's API takes it: the name without dots, the schema in words of JSON Schema."""

    name: str
    description: str
    schema: dict[str, Any]

    def openai(self) -> dict[str, Any]:
        """As an element of `tools`."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.schema},
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `functions` and `answer` are in BFCL's own form; `answer` is empty where no call is right."""

    id: str
    category: str
    question: str
    functions: list[dict[str, Any]]
    answer: list[dict[str, Any]]

    @property
    def tools(self) -> list[Tool]:
        return [Tool(plain(one["name"]), one["description"], schema_of(one["parameters"])) for one in self.functions]


def plain(name: str) -> str:
    """A function's name as OpenAI's API allows it."""
    return name.replace(".", "_")


def schema_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """BFCL's parameters as a JSON Schema, converted as the leaderboard does it: a float says so in its description."""
    properties = {name: _typed(rule) for name, rule in parameters["properties"].items()}
    return {"type": "object", "properties": properties, "required": list(parameters.get("required", ()))}


def _typed(rule: dict[str, Any]) -> dict[str, Any]:
    made = {key: copy.deepcopy(rule[key]) for key in ("description", "enum", "default") if key in rule}
    kind = rule.get("type", "string")
    if kind == "float":
        made["description"] = f"{made.get('description', '')} This is a float type value.".strip()
    made["type"] = _OPENAPI.get(kind, kind)
    if isinstance(rule.get("properties"), dict):
        made["properties"] = {name: _typed(inner) for name, inner in rule["properties"].items()}
    if isinstance(rule.get("items"), dict):
        made["items"] = _typed(rule["items"])
    return made


def load(wheel: Path, category: str, split: str, count: int) -> list[Case]:
    """`count` cases of the split `dev` or `test`, the same ones in the same order for everybody."""
    name = f"BFCL_v4_{_FILES.get(category, category)}.json"
    with zipfile.ZipFile(wheel) as archive:
        rows = _lines(archive.read(f"bfcl_eval/data/{name}"))
        right = category != "irrelevance"
        answers = _lines(archive.read(f"bfcl_eval/data/possible_answer/{name}")) if right else []
    by_id = {one["id"]: one["ground_truth"] for one in answers}
    rows.sort(key=lambda row: str(row["id"]))
    random.Random(f"{_SEED} {category}").shuffle(rows)
    chosen = rows[:_DEV] if split == "dev" else rows[_DEV:]
    return [
        Case(row["id"], category, row["question"][0][-1]["content"], row["function"], by_id.get(row["id"], []))
        for row in chosen[:count]
    ]


def _lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().splitlines() if line.strip()]


def fetched(folder: Path) -> Path:
    """The wheel, downloaded by pip where it is not there yet. Raises SystemExit if it is not the one that we know."""
    wheel = folder / WHEEL
    if not wheel.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*command, "--dest", str(folder), f"bfcl-eval=={VERSION}"], check=False)
        if done.returncode or not wheel.exists():
            sys.exit(f"bfcl: expected {WHEEL} from the package index, and pip did not bring it -> put it into {folder}")
    if (found := hashlib.sha256(wheel.read_bytes()).hexdigest()) != SHA256:
        sys.exit(f"bfcl: {wheel} has SHA-256 {found[:12]}..., expected {SHA256[:12]}... -> delete it and run again")
    return wheel


@cache
def _checker(wheel: Path) -> tuple[Callable[..., dict[str, Any]], Any]:
    stand_in = ModuleType("bfcl_eval.constants.model_config")
    stand_in.MODEL_CONFIG_MAPPING = {"here": SimpleNamespace(underscore_to_dot=True)}  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    sys.path.insert(0, str(wheel))
    try:
        from bfcl_eval.constants.enums import Language
        from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker
    finally:
        sys.path.remove(str(wheel))
    return ast_checker, Language.PYTHON


def verdict(wheel: Path, case: Case, calls: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Empty if BFCL counts these calls as right, else the kind of mistake. Where no tool fits, right is no call."""
    if case.category == "irrelevance":
        return "called" if calls else ""
    check, python = _checker(wheel)
    given = [{plain(name): args} for name, args in calls]
    try:
        found = check(case.functions, given, case.answer, python, case.category, "here")
    except Exception as error:  # it is not written for arguments of any type; the leaderboard counts a crash as wrong
        return f"checker:{type(error).__name__}"
    return "" if found["valid"] else str(found.get("error_type", "wrong"))
