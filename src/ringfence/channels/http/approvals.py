"""What runs ask people, over HTTP: looked at, and answered by whoever may."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.app.serving.asking import Asked, as_json
from ringfence.app.serving.asking import Asking as Questions
from ringfence.engine.consent import LEAST_DIGEST

from . import caller
from .answers import tagged
from .bodies import Checked
from .forms import Begun, Form, example_of
from .problems import said
from .runs import RunId, history_of, reading_of, service_of
from .schema import example

routes = APIRouter(prefix="/v1/approvals", tags=["approvals"], route_class=Checked)

_DIGEST = "9f2c41d07b6ea83c5d10f4e2b7a96c3858d1e0f42a7b9c6d3e5f8a1b2c4d6e7f"
_ASKED: dict[str, Any] = {
    "run_id": "1kb2m9x0q7d3f5h8j1n4", "tool": "mail.send", "args": {"to": "ops@example.org", "text": "Done."},
    "rule": "POL-4", "why": "nobody vouches for to", "digest": _DIGEST, "asked_ms": 1_790_000_002_000,
    "expires_ms": 1_790_604_802_000, "stale": False,
    "origins": [{"argument": "to", "value": "ops@example.org", "type": "email", "origin": None}],
    "task": "Tell operations that the backup is done.", "preview": "", "texts": ["text"],
    "label": {"trust": "untrusted", "readers": [["role:ops"]]}, "owner": "user:alice",
    "approvers": ["user:alice"], "may_answer": True, "valid_s": 600,
}  # fmt: skip


class Origin(BaseModel):
    """A control argument of the call, and who vouches for its value: `you`, a result, a person; none: nobody."""

    argument: str
    value: Any
    type: Annotated[str, Field(description="its kind; empty if nobody declared one, and then it cannot be endorsed")]
    origin: str | None


class Waiting(BaseModel):
    """The one call that a run waits for, as it would be made: a yes is bound to `digest`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ASKED]})

    run_id: str
    tool: str
    args: dict[str, Any]
    rule: str
    why: str
    digest: str
    asked_ms: int
    expires_ms: Annotated[
        int | None,
        Field(description="from then on no answer counts, and the run goes on as after a no; null: it waits for ever"),
    ]
    stale: Annotated[bool, Field(description="the policy has changed: resume the run, and it asks anew")]
    origins: list[Origin]
    task: str
    preview: Annotated[str, Field(description="what it would change, as a unified diff, if the tool can say")]
    texts: Annotated[list[str], Field(description="arguments that are free text")]
    label: Annotated[dict[str, Any], Field(description="of what it was made from: how far trusted, who may read it")]
    owner: Annotated[str, Field(description="whose run it is")]
    approvers: Annotated[list[str], Field(description="who may answer")]
    may_answer: Annotated[bool, Field(description="whether you may")]
    valid_s: Annotated[int, Field(description="seconds for which a yes holds")]

    @classmethod
    def of(cls, one: Asked) -> Waiting:
        """From what is asked."""
        return cls(
            **as_json(one.question, one.preview), owner=one.owner, approvers=list(one.approvers),
            may_answer=one.may_answer, valid_s=one.valid_s,
        )  # fmt: skip


class AllWaiting(BaseModel):
    """All that waits for you, the oldest first, and what your own runs ask others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_ASKED]}]})

    data: list[Waiting]


class Answer(Form):
    """A yes or a no to exactly what was shown."""

    model_config = example_of({"yes": True, "digest": _DIGEST, "endorse": [], "why": ""})

    yes: bool
    digest: Annotated[
        str, Field(min_length=LEAST_DIGEST, max_length=64, pattern="^[0-9a-f]+$", description="of the question")
    ]
    endorse: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Field(max_length=64, description="arguments whose values hold for the rest of the run"),
    ] = []  # noqa: RUF012 (a field's default is copied)
    why: Annotated[str, Field(max_length=2_000, description="of a no: the model is told")] = ""


def questions_of(request: Request) -> Questions:
    """What the app's runs ask."""
    found: Questions | None = getattr(request.app.state, "questions", None)
    if found is None:
        found = request.app.state.questions = Questions(service_of(request), reading_of(request))
    return found


@routes.get("", operation_id="listApprovals", response_model=AllWaiting, responses=example(200, AllWaiting) | said(304))
async def waiting(request: Request, who: caller.Approvals) -> Response:
    """What waits for you: calls of your own runs, and of others' where the manifest makes you an approver."""
    found = await questions_of(request).waiting(who.principal)
    return tagged(request, AllWaiting(data=[Waiting.of(one) for one in found]))


@routes.get("/{run}", operation_id="getApproval", response_model=Waiting,
            responses=example(200, Waiting) | said(304, 404, 410, 422))  # fmt: skip
async def one(request: Request, who: caller.Approvals, run: RunId) -> Response:
    """What one run asks."""
    return tagged(request, Waiting.of(await questions_of(request).one(who.principal, run)))


@routes.post("/{run}", operation_id="answerApproval", response_model=Begun,
             responses=example(200, Begun) | said(404, 409, 410, 415, 422))  # fmt: skip
async def answer(request: Request, who: caller.Approvals, run: RunId, given: Answer) -> Begun:
    """Say yes, once, or no; then the run goes on. Whoever was shown something else than what is asked now gets 409."""
    questions = questions_of(request)
    owner = (await questions.one(who.principal, run)).owner
    await questions.answer(
        who.principal, run, given.yes, digest=given.digest, endorse=tuple(given.endorse), why=given.why
    )
    if owner != who.principal.subject:
        return Begun.of(run, "running")  # what becomes of it is its principal's
    return Begun.of(run, (await history_of(request).own(who.principal, run)).state)
