"""What requests about runs hold, and what they are answered with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.history import Told
from ringfence.stores.log import RunSummary

from .answers import PLACE

Standing = Literal[
    "queued", "running", "waiting", "uncertain", "interrupted", "done", "partial", "failed", "cancelled", "open"
]
_ID = "1kb2m9x0q7d3f5h8j1n4"
_LINE: dict[str, Any] = {
    "id": _ID, "task": "What did patient 4711 get on Tuesday?", "status": "done", "started": 1_790_000_000_000,
    "ended": 1_790_000_004_200, "records": 14, "conversation": "ward-3", "principal": "user:alice",
}  # fmt: skip


class Form(BaseModel):
    """A request: what it does not know is refused, and nothing is taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True)


def example_of(given: dict[str, Any]) -> ConfigDict:
    """The settings of a form, with an example of it."""
    return ConfigDict(json_schema_extra={"examples": [given]})


class NewRun(Form):
    """A task for the agent."""

    model_config = example_of({"task": _LINE["task"], "conversation": "ward-3", "metadata": {"ticket": "88"}})

    task: Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"\S", description="what to do")]
    conversation: Annotated[str, Field(max_length=200, description="what was said before in it is shown")] = ""
    about: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=16, description="whose data it is, such as patient:4711; it can be erased by that name"),
    ] = []
    metadata: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
        Field(max_length=16, description="yours, kept with the run; no model sees it"),
    ] = {}


class ForkOf(Form):
    """Where a fork begins, and with which task."""

    model_config = example_of({"at": 0, "task": ""})

    at: Annotated[int, Field(ge=0, le=PLACE, description="the last record that it takes; 0: none but the task")] = 0
    task: Annotated[str, Field(max_length=100_000, description="another task; empty: the same")] = ""


class Begun(BaseModel):
    """A run that is on record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ID, "status": "running"}]})

    id: str
    status: Standing

    @classmethod
    def of(cls, run: str, status: str) -> Begun:
        """A run, and how it stands."""
        return cls.model_validate({"id": run, "status": status})


class RunLine(BaseModel):
    """A run in one line; times are milliseconds since 1970 UTC."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    id: str
    task: str
    status: Standing
    started: int
    ended: Annotated[int, Field(description="when its last record so far was made")]
    records: int
    conversation: str
    principal: str

    @classmethod
    def of(cls, run: RunSummary) -> RunLine:
        """From the log."""
        return cls.model_validate(_line(run))


def _line(run: RunSummary) -> dict[str, Any]:
    return {
        "id": run.run, "task": run.task, "status": run.state, "started": run.started, "ended": run.ended,
        "records": run.records, "conversation": run.conversation, "principal": run.principal,
    }  # fmt: skip


class RunPage(BaseModel):
    """Some runs, and where the next ones are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_LINE], "next": 1820}]})

    data: list[RunLine]
    next: Annotated[int | None, Field(description="`before` of the next page; none at the end")]


class Step(BaseModel):
    """A call of a tool."""

    tool: str
    args: dict[str, Any]
    ok: bool
    seq: Annotated[int, Field(description="of the record that answered it")]


class Cited(BaseModel):
    """A passage that the answer cites as [n]; `quote` stands word for word at characters `at` of the document."""

    n: int
    document: str
    title: str
    page: int
    headings: str
    chars: tuple[int, int]
    quote: str
    at: tuple[int, int]


class RunShown(RunLine):
    """A run, and what it has come to."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        _LINE | {
            "metadata": {"ticket": "88"}, "forked": None, "hidden": False, "answer": "Paracetamol [1].",
            "summary": "It stands in the notes of Tuesday.", "confidence": "high", "artifacts": [], "steps": [
                {"tool": "kb.search", "args": {"query": "4711 Tuesday"}, "ok": True, "seq": 6}],
            "usage": {"steps": 2, "prompt": 1804, "completion": 96, "cached": 0}, "rungs": {"grammar": 2}, "flags": [],
            "sources": [{"n": 1, "document": "notes/4711.md", "title": "Notes", "page": 0, "headings": "Tuesday",
                         "chars": (120, 188), "quote": "Paracetamol 500 mg at 8", "at": (131, 154)}], "notes": [],
        }]})  # fmt: skip

    metadata: dict[str, str]
    forked: Annotated[dict[str, Any] | None, Field(description="the run and the record that it goes on from")]
    hidden: Annotated[bool, Field(description="it was made from what you may not read any more")]
    answer: str
    summary: str
    confidence: str
    artifacts: list[str]
    steps: list[Step]
    usage: dict[str, int]
    rungs: dict[str, int]
    flags: list[str]
    sources: list[Cited]
    notes: list[str]

    @classmethod
    def told(cls, told: Told) -> RunShown:
        """From the log."""
        result, given = told.result, told.metadata.get("metadata")
        names = ("answer", "summary", "confidence", "artifacts", "usage", "rungs", "flags", "notes")
        return cls.model_validate({
            **_line(told.summary),
            **{name: getattr(result, name) for name in names},
            "metadata": {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {},
            "forked": told.forked, "hidden": told.hidden,
            "steps": [{"tool": one.tool, "args": one.args, "ok": one.ok, "seq": one.seq} for one in result.steps],
            "sources": [{name: getattr(one, name) for name in Cited.model_fields} for one in result.sources],
        })  # fmt: skip
