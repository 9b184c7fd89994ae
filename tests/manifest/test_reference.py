# ruff: noqa: E501 (the page is written out)
"""docs/reference/manifest.md says what the types say. `python -m tests.manifest.test_reference` prints the page anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ringfence.manifest.fields import PATTERNS, SecretRef, SecretText
from ringfence.manifest.loader import parse
from ringfence.manifest.shape import known_keys, sections
from ringfence.manifest.types import BuiltinTool, McpTool, PythonTool, Strict

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "manifest.md"
HEAD = """\
# The manifest

One YAML file is one agent. Unknown keys are refused, each mistake is told as `FILE:LINE:COL path: expected ..., got ...`;
`ringfence manifest check` says what each key of yours means, and what of it you may believe and should not.

A value may be a variable, `${NAME}` or `${NAME:-default}`, from the environment or from a `.env` beside the manifest;
`$${` is a plain `${`. Where a type below is *reference*, `${NAME}` stays as it is: the secret is read when it is used, and is
in no prompt, argument, record or dump. A secret that is written out there is refused, and not repeated.

This page is made from the types, and a test holds it to them.
"""
TYPES = {BuiltinTool: "builtin", McpTool: "mcp", PythonTool: "python"}
NOTES = {
    "": "```yaml\ninference: {provider: embedded, model: qwen2.5-coder-1.5b}\n```\n\nis the shortest one.",
    "inference": "One model may be written flat: the keys of a tier directly under `inference`.",
    "tools[] (type: builtin)": "The keys of every tool stand here; the other types have them too, and only differ in the rest.",
    "tools[].hosts[]": "A text will do: `docs.example.com`, `docs.example.com:8443`.",
    "catalogue.NAME.args.NAME": "A text will do: `to: control`.",
    "catalogue.NAME.output.NAME": "A text will do: `/items/*/id: id`. The key is a JSON pointer (RFC 6901); `*` stands for"
    " every member.",
}


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section(path, model) for path, model in sections())


def _section(path: str, model: type[BaseModel]) -> str:
    title = f"{path} (type: {TYPES[model]})" if model in TYPES else path
    about = [f"## {f'`{title}`' if title else 'The keys at the top'}", (model.__doc__ or "").strip().partition("\n")[0]]
    about += [NOTES[title]] if title in NOTES else []
    shared = known_keys(BuiltinTool) & known_keys(PythonTool) - {"type"} if model in (McpTool, PythonTool) else set()
    rows = [
        f"| `{key}` | {_type(field)} | {_default(field)} | {field.description or 'what kind of tool it is'} |"
        for key, field in model.model_fields.items()
        if key in known_keys(model) - shared
    ]
    table = "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
    return "\n" + "\n\n".join([*about, table]) + "\n"


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
        if hasattr(rule, name)
    ]
    return ", ".join([_named(field.annotation, field.metadata), *bounds])


def _named(kind: Any, metadata: Any = ()) -> str:
    for rule in metadata:
        if pattern := getattr(rule, "pattern", None):
            return PATTERNS[pattern].replace("|", "\\|")
    if hasattr(kind, "__metadata__"):
        return _named(get_args(kind)[0], [part for rule in kind.__metadata__ for part in _rules(rule)])
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in args)
    if origin is tuple:
        return f"list: {_named(args[0])}"
    if origin is dict:
        return f"mapping of names: {_named(args[1])}"
    if args:
        return " or ".join(dict.fromkeys(_named(option) for option in args if option is not NoneType))
    return _plain(kind)


def _rules(rule: Any) -> Iterator[Any]:
    yield from getattr(rule, "metadata", ()) or (rule,)


def _plain(kind: type) -> str:
    known = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text", Path: "path"}
    if issubclass(kind, BaseModel):
        return "[mapping](#" + _anchor(next(_title(path, model) for path, model in sections() if model is kind)) + ")"
    if issubclass(kind, SecretText):
        return "reference: `${NAME}`" if kind is SecretRef else "text with a reference: `Bearer ${NAME}`"
    return known[kind]


def _title(path: str, model: type[BaseModel]) -> str:
    return f"{path} (type: {TYPES[model]})" if model in TYPES else path


def _anchor(title: str) -> str:
    """As the heading of a section is linked to."""
    return re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-")


def _default(field: FieldInfo) -> str:
    value = field.default
    match value:
        case _ if field.is_required():
            return "**needed**"
        case None:
            return "not set"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case Strict() | {}:
            return "`{}`" if not isinstance(value, Strict) else "as below"
        case str() | PurePath():
            return f"`{value}`"
        case _:
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_the_page_says_what_the_types_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tests.manifest.test_reference > docs/reference/manifest.md"
    )


def test_every_section_and_note_of_the_page_has_its_part() -> None:
    titles = {_title(path, model) for path, model in sections()}
    assert set(NOTES) <= titles
    anchors = {_anchor(title) for title in titles}
    assert set(re.findall(r"\(#([^)]*)\)", PAGE.read_text(encoding="utf-8"))) <= anchors


def test_the_manifest_that_the_page_shows_loads() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert parse(shown, "m.yaml").inference.tiers[0].provider == "embedded"


if __name__ == "__main__":
    print(page(), end="")
