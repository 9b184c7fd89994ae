"""From a YAML file to a `Manifest`, and back. Everything that is wrong in a file is said at once, with its place."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ringfence.core.errors import ManifestError

from .explain import explain
from .fields import SecretText
from .names import clashes, misnamed, unanswerable
from .problems import At, Problem, Spot, invalid
from .schema import schema
from .shape import known_keys, secret
from .source import MAX_BYTES, Document, read
from .strict import Conflict
from .types import BESIDE_TIERS, Manifest, Sampling, Tier
from .variables import Variables, parse_env

__all__ = ["check_names", "dump", "load", "parse", "refusal", "schema"]

_WRITE_ONE = "write one with `ringfence init`, or name another with --manifest FILE"


def load(path: str | Path) -> Manifest:
    """The manifest of a file, with the variables of the environment and of a `.env` beside it.

    Raises ManifestError: the file cannot be read, or with all its problems, each as
    `FILE:LINE:COL key: expected ..., got ...`.
    """
    path = Path(path)
    text = _text(path)
    dotenv = path.parent / ".env"
    return parse(text, path, variables=parse_env(_text(dotenv), str(dotenv)) if dotenv.is_file() else None)


def parse(text: str, source: str | Path, *, variables: Mapping[str, str] | None = None) -> Manifest:
    """The manifest of a text. `source` names it in errors and is where relative paths start from.

    `variables` are those of a `.env`: the environment wins over them. Raises ManifestError.
    """
    lookup = Variables(variables)
    document = read(text, str(source), lookup, secret=_secret)
    document.flat = _tiered(document)
    manifest: Manifest | None = None
    try:
        manifest = Manifest.model_validate_json(json.dumps(document.data), strict=True, context={"lookup": lookup})
    except ValidationError as error:
        explain(document, error)
        for at, problem in _clashes(document.data):
            document.complain(at, problem)
    if manifest is None or document.problems:
        raise invalid(document.name, document.problems)
    return manifest.model_copy(update={"source": Path(source).absolute()})


def dump(manifest: Manifest) -> str:
    """YAML that loads to the same manifest. Secrets stay `${NAME}`; what was not set is left out."""
    return yaml.safe_dump(
        _plain(manifest.model_dump(exclude_unset=True)), sort_keys=False, allow_unicode=True, width=120
    )


def _text(path: Path) -> str:
    """The text of a file of bounded size."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(f"{path}: expected a manifest, got no such file", todo=_WRITE_ONE) from None
    except IsADirectoryError:
        raise ManifestError(
            f"{path}: expected a manifest, got a folder", todo=f"name the file in it: {path}/..."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ManifestError(f"{path}: expected a file that can be read, got: {reason}", todo=_WRITE_ONE) from None
    if len(data) > MAX_BYTES:
        raise ManifestError(f"{path}: expected at most {MAX_BYTES} bytes, got more", todo="is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        spot = Spot(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        what = f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}; save the file as UTF-8"
        raise invalid(str(path), [Problem(spot, "", what)]) from None


def _tiered(document: Document) -> bool:
    """Write a flat `inference` as one tier; returns whether it was flat. Top-level oddities are noted on the way."""
    if not isinstance(document.data, dict):
        document.complain((), "expected keys such as inference: and tools:, got a list or a single value")
        raise invalid(document.name, document.problems)
    if document.data.pop("source", None) is not None:
        known = ", ".join(sorted(known_keys(Manifest)))
        document.complain(("source",), f"expected a known key, got 'source'; known are {known}", key=True)
    inference = document.data.get("inference")
    if not isinstance(inference, dict):
        return False
    if "tiers" not in inference:
        own = {key: inference[key] for key in inference if key in BESIDE_TIERS}
        document.data["inference"] = {**own, "tiers": [{k: v for k, v in inference.items() if k not in own}]}
        return True
    for key in sorted((set(Tier.model_fields) - set(Sampling.model_fields)) & set(inference)):
        del inference[key]
        text = "expected tiers, or one model written flat, got both; move it into a tier"
        document.complain(("inference", key), text, key=True)
    return False


def check_names(
    manifest: Manifest,
    tools: Mapping[str, tuple[Any, Any]],
    *,
    absent: Collection[str] = (),
    acting: Collection[str] = (),
) -> None:
    """Raises ManifestError if the manifest names a tool, an argument or a part of a result that there is not.

    `tools` are all that were made, by name (`files.read`): the JSON Schema of the arguments and of the results, None
    where there is none. `absent`: groups whose tools are not known now, such as a server that does not answer.
    `acting`: tools that do not merely read, as long as the catalogue does not say otherwise.
    """
    found = [*misnamed(manifest, tools, absent=absent), *unanswerable(manifest, tools, acting)]
    if found:
        raise refusal(manifest, found)


def refusal(manifest: Manifest, found: Iterable[Conflict]) -> ManifestError:
    """What turned out to be wrong in a manifest after it was loaded, with the places in its file, if that is there."""
    name = str(manifest.source or "manifest")
    document = Document(name)
    with suppress(ManifestError):  # it was not made from a file, or that has gone since: the paths still say where
        document = read(_text(Path(name)), name, Variables(), secret=lambda at: True)
    for at, text in found:
        document.complain(at, text)
    return invalid(name, document.problems)


def _secret(at: At) -> bool:
    """Whether a secret may stand at a place of the file, where `inference` may be flat."""
    return secret(at) or (at[:1] == ("inference",) and secret(("inference", "tiers", 0, *at[1:])))


def _clashes(data: dict[str, Any]) -> list[tuple[At, str]]:
    """What `Manifest` itself would have found, had its parts been valid."""

    def at(path: At) -> Any:
        value: Any = data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def stated(path: At, key: str = "name") -> list[str]:
        items = value if isinstance(value := at(path), list) else []
        return [str(item.get(key, "")) if isinstance(item, dict) else "" for item in items]

    meant: dict[At, list[str] | dict[str, Any]] = {}
    for path in (("workflow", "limits"), ("grant", "budgets"), ("grant", "objects"), ("catalogue",)):
        meant[path] = value if isinstance(value := at(path), dict) else {}
    for name, entry in (value if isinstance(value := at(("catalogue",)), dict) else {}).items():
        by = at(("catalogue", name, "reconcile", "by")) if isinstance(entry, dict) else None
        if isinstance(by, str):
            meant["catalogue", name, "reconcile"] = {"by": by}
    effects = at(("grant", "effects"))
    if isinstance(effects, list) and all(isinstance(name, str) for name in effects):
        meant["grant", "effects"] = effects
    return list(
        clashes(
            list(zip(stated(("tools",)), stated(("tools",), "type"), strict=True)),
            stated(("inference", "tiers")),
            stated(("knowledge", "collections")),
            meant,
        )
    )


def _plain(value: Any) -> Any:
    """What YAML has: texts so that a `${` in them is not read as a variable, references of secrets as they are."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case SecretText():
            return value.text
        case str() | Path():
            return str(value).replace("${", "$${")
        case _:
            return value
