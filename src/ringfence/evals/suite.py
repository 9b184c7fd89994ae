"""A suite as frozen types: what is asked, what a right run looks like, and what the suite has to reach (docs: eval.md).

Read as a manifest is: unknown keys are refused, and all that is wrong in a file is said at once, with its place.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from ringfence.core.errors import ManifestError
from ringfence.manifest.fields import nearest
from ringfence.manifest.problems import At, Problem, Spot, invalid, words
from ringfence.manifest.source import Document, read
from ringfence.manifest.strict import Conflict, Strict
from ringfence.manifest.variables import Variables

from .checks import Check

VARS = "vars"  # in expect.json beside the ids of cases: what the placeholders of tasks stand for
_M = TypeVar("_M", bound=BaseModel)
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_attributes_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "string_pattern_mismatch": "letters, digits, '.', '_' or '-', no punctuation first",
    "string_too_short": "some text",
    "string_type": "text",
    "too_short": "at least one item",
    "tuple_type": "a list",
}
_TODO = "see docs/howto/eval.md for the keys"


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]  # a number may be written without quotes
Share = Annotated[float, Field(ge=0, le=1)]
Status = Literal["done", "partial", "failed", "waiting"]
Statuses = Annotated[tuple[Status, ...], BeforeValidator(_as_tuple)]


class Answer(Strict):
    """What the answer holds, and never holds; the semantics are those of `Check`."""

    any: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...] = ()
    none: tuple[Text, ...] = ()

    def conflicts(self) -> Iterator[Conflict]:
        """A check that every answer would pass."""
        if not self.any and not self.none:
            yield ((), "expected any or none with a string in it, got a check that every answer would pass")

    @property
    def check(self) -> Check:
        """The same, as it is applied."""
        return Check(self.any, self.none)


class Calls(Strict):
    """Tools that were called. A name may be a pattern: `files.*`.

    any, all  of these a call was made, and answered without an error
    none      of these no call was made at all
    at_most   calls that the model made; those that open a run do not count
    """

    any: tuple[Text, ...] = ()
    all: tuple[Text, ...] = ()
    none: tuple[Text, ...] = ()
    at_most: Annotated[int | None, Field(ge=0)] = None


class FileState(Strict):
    """A file after the run: strings as in an answer, the whole of it but for line ends at its end, or nothing."""

    contains: tuple[Text, ...] = ()
    lacks: tuple[Text, ...] = ()
    equals: str | None = None
    absent: bool = False

    def conflicts(self) -> Iterator[Conflict]:
        """A file that is not there has no content."""
        if self.absent and (self.contains or self.lacks or self.equals is not None):
            yield (("absent",), "expected absent alone, got what the file holds as well; remove one of them")


class Records(Strict):
    """Decisions on record, each by its code (outside-grant), its rule (POL-3) or its verdict (ask, deny)."""

    any: tuple[Text, ...] = ()
    none: tuple[Text, ...] = ()


class Budget(Strict):
    """What a right run takes at most: model calls, tokens sent and generated, seconds."""

    steps: Annotated[int | None, Field(ge=1)] = None
    tokens: Annotated[int | None, Field(ge=1)] = None
    seconds: Annotated[float | None, Field(gt=0)] = None


class Expected(Strict):
    """What a right run looks like; each part that is given has to hold."""

    answer: Answer | None = None
    calls: Calls = Calls()
    files: dict[str, FileState] = {}
    records: Records = Records()
    abstains: Annotated[bool, Field(description="the right answer says that what was asked for is not there")] = False
    status: Annotated[Statuses, Field(description="how the run may end; done or partial if not set")] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is checked but that the run ended with an answer."""
        return not (
            self.answer or self.files or self.abstains or self.status
            or self.calls != Calls() or self.records != Records()
        )  # fmt: skip


class Case(Expected):
    """One task and what a right run of it looks like. `expect` is what `setup` replaces, and may say it before."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
    task: Annotated[str, Field(min_length=1)]
    tags: tuple[Text, ...] = ()
    budget: Budget = Budget()
    approve: Annotated[bool, Field(description="what asks is approved, as a person would")] = False
    expect: Annotated[Expected, Field(description="replaces, key by key, what is beside it")] = Expected()

    @property
    def stated(self) -> Expected:
        """What is expected of it, before any setup has its word."""
        return self.with_expected(self.expect)

    def with_expected(self, other: Expected) -> Expected:
        """What is expected of it, where `other` does not say otherwise."""
        parts: dict[str, Any] = {key: getattr(self, key) for key in Expected.model_fields}
        for source in (self.expect, other):
            for key in source.model_fields_set & Expected.model_fields.keys():
                parts[key] = _over(parts[key], getattr(source, key))
        return Expected.model_construct(**parts)


def _over(before: Any, now: Any) -> Any:
    """`now` in place of `before`; of a mapping, what it does not say stays."""
    match before, now:
        case dict(), dict():
            return {**before, **now}
        case Strict(), Strict():
            return before.model_copy(update={key: getattr(now, key) for key in now.model_fields_set})
    return now


class Gate(Strict):
    """What a suite has to reach: at or above for shares of runs, at or below for medians of a run.

    success      runs that were right
    success_low  the lower end of the 95 % interval of that
    valid        model steps that could be read and whose calls passed the schema
    tags         success of the cases of a tag
    runs         runs of each case, at least
    evaluated    prompt tokens that the server had to evaluate after the first step of a run
    """

    success: Share | None = None
    success_low: Share | None = None
    valid: Share | None = None
    tags: dict[str, Share] = {}
    runs: Annotated[int | None, Field(ge=1)] = None
    calls_median: Annotated[float | None, Field(gt=0)] = None
    tokens_median: Annotated[float | None, Field(gt=0)] = None
    seconds_median: Annotated[float | None, Field(gt=0)] = None
    evaluated: Share | None = None


class Suite(Strict):
    """Cases for one manifest. `source` is the file it was read from; paths are relative to it.

    setup  a Python script, called with FOLDER and --seed N: it makes what a run needs in FOLDER
    fresh  files and folders that are copied into FOLDER before that
    """

    name: Annotated[str, Field(min_length=1)] = "eval"
    manifest: Path = Path("ringfence.yaml")
    setup: Path | None = None
    fresh: tuple[Path, ...] = ()
    runs: Annotated[int, Field(ge=1, le=1000)] = 1
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    gate: Gate | None = None
    gates: Annotated[dict[str, Gate], Field(description="by name, the easiest first: --gate NAME picks one")] = {}
    source: Annotated[Path, Field(exclude=True)] = Path("eval.yaml")

    def conflicts(self) -> Iterator[Conflict]:
        """What cannot be meant together."""
        for name, count in Counter(case.id for case in self.cases).items():
            if count > 1 or name == VARS:
                last = max(n for n, case in enumerate(self.cases) if case.id == name)
                what = f"got {name!r} {count} times" if count > 1 else f"got {VARS!r}, which expect.json has a use for"
                yield (("cases", last, "id"), f"expected ids of their own, {what}; rename one")
        if self.gate is not None and self.gates:
            yield (("gate",), "expected gate or gates, got both; move it into gates under a name")
        known = {tag for case in self.cases for tag in case.tags}
        for key, gate in [(("gate",), self.gate), *((("gates", name), gate) for name, gate in self.gates.items())]:
            for tag in gate.tags if gate is not None else ():
                if tag not in known:
                    hint = nearest(tag, known) if known else "no case has one"
                    yield (*key, "tags", tag), f"expected the tag of a case, got {tag!r}; {hint}"
        for n, case in enumerate(self.cases):
            if self.setup is None and case.stated.empty:
                what = f"expected something to check, got none for {case.id!r}; add answer, calls or files"
                yield ("cases", n), what
        yield from self._strays()

    def _strays(self) -> Iterator[Conflict]:
        for n, path in enumerate(self.fresh):
            if path.is_absolute() or ".." in path.parts:
                yield (("fresh", n), f"expected a path below the suite's folder, got {words(str(path))}")
        for n, case in enumerate(self.cases):
            for name in case.files:
                if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                    what = f"expected a path below the manifest's folder, got {words(name)}"
                    yield ("cases", n, "files", name), what

    @property
    def folder(self) -> Path:
        """Where its paths start from."""
        return self.source.parent

    @property
    def lone(self) -> bool:
        """Whether each run gets a folder of its own."""
        return self.setup is not None or bool(self.fresh)


def load(path: Path) -> Suite:
    """The suite of a file; raises ManifestError with all its problems, each as `FILE:LINE:COL key: expected ...`."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        todo = "name the file, as in: ringfence eval examples/ops/eval.yaml"
        raise ManifestError(f"{path}: expected a suite of cases, got no such file", todo=todo) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: expected a suite of cases, got: {error}", todo=_TODO) from None
    if not text.strip():
        raise ManifestError(f"{path}: expected a suite of cases, got an empty file", todo=_TODO)
    document = read(text, str(path), Variables(), secret=lambda at: True)  # a task may be about ${NAME}
    suite = _validated(Suite, document)
    if suite is None or document.problems:
        raise invalid(document.name, document.problems, todo=f"correct that; {_TODO}")
    return suite.model_copy(update={"source": path.absolute()})


def expected_of(path: Path) -> tuple[dict[str, Expected], dict[str, str]]:
    """What the setup of a run says is right, by the id of a case, and the values of placeholders; empty without a file.

    Raises ManifestError for a file that cannot be meant.
    """
    if not path.exists():
        return {}, {}
    try:
        data = json.loads(path.read_text("utf-8"))
        if not isinstance(data, dict) or not isinstance(values := data.pop(VARS, {}), dict):
            raise ValueError("a list or a single value")
    except (OSError, ValueError) as error:
        what = f"{path}: expected JSON with the ids of cases as keys, got: {error}"
        raise ManifestError(what, todo="correct the setup script of the suite") from None
    document = Document(path.name, data)
    found = {}
    for name, part in data.items():
        inner = Document(path.name, part, values={(): Spot()})
        if (one := _validated(Expected, inner)) is not None:
            found[name] = one
        document.problems += [Problem(p.spot, f"{name}.{p.path}".rstrip("."), p.text) for p in inner.problems]
    if document.problems:
        raise invalid(document.name, document.problems, todo="correct the setup script of the suite")
    return found, {str(key): str(value) for key, value in values.items()}


def _validated(model: type[_M], document: Document) -> _M | None:
    try:
        return model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _complain(model, document, details)
    return None


def _complain(model: type[BaseModel], document: Document, details: ErrorDetails) -> None:
    at, context = details["loc"], details.get("ctx", {})
    match details["type"]:
        case "conflict":
            for below, text in context["found"]:
                document.complain((*at, *below), text)
        case "extra_forbidden":
            got = f"expected a known key, got {words(at[-1])}; {nearest(str(at[-1]), _keys(model, at[:-1]))}"
            document.complain(at, got, key=True)
        case "missing":
            document.complain(at, f"expected the key {at[-1]!r}, got nothing; add it")
        case "too_short" if details["input"]:
            pass  # it is short because its items were refused, which is said at each of them
        case kind:
            text = _EXPECTED.get(kind) or details["msg"].removeprefix("Input should ").removeprefix("be ")
            hint = "; put it in quotes" if kind == "string_type" and isinstance(details["input"], bool) else ""
            document.complain(at, f"expected {text}, got {words(details['input'])}{hint}")


def _keys(model: Any, at: At) -> set[str]:
    """The keys that may be written at a place."""
    kinds = [model]
    for part in at:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    models = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return {key for kind in models for key, field in kind.model_fields.items() if not field.exclude}


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        found = [kind.model_fields[str(part)].annotation] if part in kind.model_fields else []
    else:
        found = [get_args(kind)[-1 if get_origin(kind) is dict else 0]] if get_args(kind) else []
    for inner in found:
        yield from get_args(inner) if type(None) in get_args(inner) else (inner,)


def by_id(suite: Suite) -> Mapping[str, Case]:
    """The cases by their ids."""
    return {case.id: case for case in suite.cases}
