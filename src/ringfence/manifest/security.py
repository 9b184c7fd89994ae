"""What the operator says about safety: the catalogue of tools, the grant of a task, who approves, who may extend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from .fields import Name, Pointer, PublicKey, Reader, Sees, TypeName
from .strict import Conflict, Strict, shorthand

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
    words: Annotated[
        dict[str, tuple[str, ...]],
        Field(description="what else a user says for a value, in small letters: {rw: [write, edit], true: [monthly]}"),
    ] = {}


class Leaf(Strict):
    """One declared part of a tool's result."""

    type: Annotated[TypeName, Field(description="the kind of value: email, date, path, id, ...")]
    trust: Annotated[
        Literal["typed", "untrusted"], Field(description="typed: the operator vouches that it is metadata of this kind")
    ] = "typed"
    readers: Annotated[tuple[Reader, ...] | None, Field(description="who may read it, beside the tool's readers")] = (
        None
    )
    sole: Annotated[
        bool,
        Field(
            description="the leaf is free text: what counts is the only value of that type in it, if the user said what"
            " was to be read"
        ),
    ] = False


class Reconcile(Strict):
    """How to find out, after a crash, whether a call was done: a tool that reads, and where its result says so."""

    by: Annotated[str, Field(min_length=1, description="the tool that reads, such as orders.find")]
    args: Annotated[
        dict[str, str | int | float | bool],
        Field(description="its arguments; $key is the call's idempotency key, $args/NAME an argument of the call"),
    ] = {}
    done: Annotated[
        Pointer,
        Field(
            description="where its result says so: something there, it was done; something empty, false or 0, it was"
            " not; nothing there at all, a person is asked"
        ),
    ] = ""


class Entry(Strict):
    """The operator's word on one tool; what is not declared is a commit, all control, and untrusted."""

    effect: Annotated[Effect, Field(description="what a call does to the world")] = "commit"
    args: Annotated[
        dict[str, Annotated[Argument, shorthand(lambda role: {"role": role}, ArgumentRole | Argument)]],
        Field(
            description="by argument, or part of one (files/*/id): its role, or its role and type; what is not named is"
            " control"
        ),
    ] = {}
    output: Annotated[
        dict[Pointer, Annotated[Leaf, shorthand(lambda kind: {"type": kind}, TypeName | Leaf)]],
        Field(
            description="by JSON pointer (`*` for every member, `#` at the end for its name): the type of a leaf that"
            " the operator vouches for"
        ),
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
    idempotency_key: Annotated[
        str | None,
        Field(min_length=1, description="the argument that takes the call's idempotency key, if the tool knows one"),
    ] = None
    reconcile: Annotated[
        Reconcile | None, Field(description="how to find out after a crash whether a call was done")
    ] = None
    about: Annotated[
        Pointer | None, Field(description="where a result names whose data it is: patient:4711, or an id")
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """What sends something out is not confined."""
        if self.confined and self.effect == "egress":
            yield (
                ("confined",),
                "expected no confined beside effect: egress, which sends something out; keep the one that is true",
            )


class Grant(Strict):
    """What every task of this agent may do beyond reading. Outside of it no approval helps."""

    effects: Annotated[
        tuple[str, ...] | None,
        Field(
            description="tools with an effect that every task may call; if not set, a task that asks to change or send"
            " something may call those whose permission is named"
        ),
    ] = None
    budgets: Annotated[dict[str, Annotated[int, Field(ge=0)]], Field(description="calls of a tool in one task")] = {}
    objects: Annotated[
        dict[str, tuple[str | int | float, ...]],
        Field(description="the only values that the control arguments of a tool may take: no approval lifts it"),
    ] = {}
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
    waits_s: Annotated[
        int | None,
        Field(
            ge=1,
            le=31_536_000,
            description="seconds for which a question waits; then the run goes on as after a no. `null`: for ever",
        ),
    ] = 604_800

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
        dict[Name, PublicKey],
        Field(description="whose signatures count: Ed25519 public keys in base64, by the name of their owner"),
    ] = {}

    def conflicts(self) -> Iterator[Conflict]:
        """A required signature needs a key that it can be checked with."""
        if self.require_signature and not self.keys:
            yield (
                ("require_signature",),
                "expected keys beside require_signature, got none; name whom you trust: keys: {us: <public key>}",
            )
