"""What the operator says about safety: the catalogue of tools, the grant of a task, who approves, who may extend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .fields import Name, Reader
from .strict import Conflict, Strict

RATE = r"^[1-9]\d*/([1-9]\d* ?)?(second|minute|hour|day)s?$"
POINTER = r"^(/[^/]*)*$"  # RFC 6901, where `*` stands for every member of an array or object
SEES = r"^((role|user|team):[^\s:]+|public|self)$"
TYPE = r"^[a-z][a-z0-9_-]{0,31}$"

Rate = Annotated[str, Field(pattern=RATE, description="calls in a sliding window: 30/minute, 5/10 seconds")]
Sees = Annotated[str, Field(pattern=SEES)]
TypeName = Annotated[str, Field(pattern=TYPE)]
Effect = Literal["read", "read-with-effect", "write", "egress", "destroy", "commit"]
ArgumentRole = Literal["control", "text", "low"]


class Argument(Strict):
    """One argument of a tool."""

    role: Annotated[
        ArgumentRole,
        Field(description="control: who, what, where, how much; text: free text; low: of no consequence"),
    ] = "control"
    type: Annotated[
        TypeName | None,
        Field(description="the kind of value (email, date, path, ...): only values of that kind vouch for it"),
    ] = None


class Leaf(Strict):
    """One declared part of a tool's result."""

    type: Annotated[TypeName, Field(description="the kind of value: email, date, path, id, ...")]
    trust: Annotated[
        Literal["typed", "untrusted"], Field(description="typed: the operator vouches that it is metadata of this kind")
    ] = "typed"
    readers: Annotated[tuple[Reader, ...] | None, Field(description="who may read it, beside the tool's readers")] = (
        None
    )


def _role(value: Any) -> Any:
    return {"role": value} if isinstance(value, str) else value


def _leaf(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class Entry(Strict):
    """The operator's word on one tool; what is not declared is a commit, all control, and untrusted."""

    effect: Annotated[Effect, Field(description="what a call does to the world")] = "commit"
    args: Annotated[
        dict[str, Annotated[Argument, BeforeValidator(_role)]],
        Field(description="by argument: its role, or its role and type; an argument that is not named is control"),
    ] = {}
    output: Annotated[
        dict[Annotated[str, Field(pattern=POINTER)], Annotated[Leaf, BeforeValidator(_leaf)]],
        Field(description="by JSON pointer (`*` for every member): the type of a leaf that the operator vouches for"),
    ] = {}
    confined: Annotated[bool, Field(description="touches nothing else, and sends nothing out")] = False
    reversible: Annotated[bool, Field(description="what a call did can be undone")] = False
    idempotent: Annotated[bool, Field(description="the same call twice does what one does")] = False
    ask: Annotated[bool, Field(description="a person says yes to each call")] = False
    audience: Annotated[
        tuple[Sees, ...] | None,
        Field(description="everyone who sees what goes in: self, role:x, user:x, public; public if not set"),
    ] = None
    callers: Annotated[tuple[Reader, ...] | None, Field(description="who may call it")] = None


class Grant(Strict):
    """What every task of this agent may do beyond reading. Outside of it no approval helps."""

    effects: Annotated[
        tuple[str, ...] | None,
        Field(description="tools with an effect that a task may call; those whose permission is named if not set"),
    ] = None
    budgets: Annotated[dict[str, Annotated[int, Field(ge=0)]], Field(description="calls of a tool in one task")] = {}
    planned: Annotated[
        bool,
        Field(description="the model proposes, from the user's words alone, which of these effects a task needs"),
    ] = False


class Approvals(Strict):
    """Who says yes when a call asks, and for how long that holds."""

    approvers: Annotated[
        tuple[Reader, ...] | None, Field(description="who may say yes; the one who asked for the task if not set")
    ] = None
    four_eyes: Annotated[bool, Field(description="nobody approves what a task of their own asks for")] = False
    valid_s: Annotated[int, Field(ge=1, le=86_400, description="seconds for which a yes holds")] = 600

    def conflicts(self) -> Iterator[Conflict]:
        """Four eyes need somebody else."""
        if self.four_eyes and not self.approvers:
            yield (
                ("four_eyes",),
                "expected approvers beside four_eyes, got none; name who may say yes: approvers: [role:lead]",
            )


class Plugins(Strict):
    """Packages of tools and skills that others made."""

    require_signature: Annotated[bool, Field(description="refuse those that are unsigned or changed")] = False
    keys: Annotated[
        dict[Name, Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]],
        Field(description="whose signatures count: Ed25519 public keys in base64, by the name of their owner"),
    ] = {}

    def conflicts(self) -> Iterator[Conflict]:
        """A required signature needs a key that it can be checked with."""
        if self.require_signature and not self.keys:
            yield (
                ("require_signature",),
                "expected keys beside require_signature, got none; name whom you trust: keys: {us: <public key>}",
            )
