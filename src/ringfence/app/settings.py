"""What a manifest's `workflow` sets the loop to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ringfence.core.values import JSON
from ringfence.engine.answering import Cite, Verify
from ringfence.engine.plan import Planning
from ringfence.engine.settings import LEAN, SYSTEM, Settings, Validator
from ringfence.engine.step import TOOL
from ringfence.manifest.loader import refusal
from ringfence.manifest.types import Manifest

from .effort import MAX_EFFORT, effort

_SHOWN = 160  # characters of a fault of an expression that the model is told


def settings_of(manifest: Manifest, sandbox: str) -> Settings:
    """The loop's settings. Raises ManifestError for a check that cannot be made."""
    workflow, runtime = manifest.workflow, manifest.runtime
    lean = workflow.prompt == "lean"
    return Settings(
        max_steps=workflow.max_steps,
        max_tokens=workflow.max_tokens,
        result_chars=workflow.result_chars,
        tool_first=workflow.tool_first,
        checkpoint_interval=workflow.checkpoint_interval,
        retry_with_context=workflow.error_handling == "retry_with_context",
        planning=Planning(workflow.planning),
        verify=Verify(workflow.verify),
        cite=Cite(manifest.knowledge.cite),
        validators=validators_of(manifest),
        lean=lean,
        system=LEAN if lean else SYSTEM,
        about={"agent": runtime.name, "version": runtime.version or "", "sandbox": sandbox},
    )


def validators_of(manifest: Manifest) -> tuple[Validator, ...]:
    """The operator's checks. Raises ManifestError, with the place, for an expression that cannot be made."""
    made, wrong = [], []
    for n, check in enumerate(manifest.workflow.validate):
        try:
            passes = _compiled(check.expr) if check.expr is not None else None
        except ValueError as problem:
            wrong.append((("workflow", "validate", n, "expr"), str(problem)))
            continue
        made.append(Validator(check.on, passes, TOOL + check.tool if check.tool else "", check.why))
    if wrong:
        raise refusal(manifest, wrong)
    return tuple(made)


def _compiled(expr: str) -> Callable[[Mapping[str, JSON]], str]:
    """A CEL expression (cel.dev) as a check; raises ValueError for one that does not parse."""
    try:
        import cel
    except ImportError:
        raise ValueError(
            "expected the package common-expression-language, for expressions; pip install 'ringfence[cel]'"
        ) from None
    try:
        program = cel.compile(expr)
    except (ValueError, RuntimeError) as error:
        found = " ".join(str(error).split("\n")[0].split())[:_SHOWN]
        raise ValueError(f"expected a CEL expression (cel.dev), got {expr!r}: {found}") from None

    def passes(facts: Mapping[str, JSON]) -> str:
        if effort(expr, facts) > MAX_EFFORT:
            return "It cannot be told of it: there is too much of it to go over."
        try:
            return "" if program.execute(dict(facts)) is True else "It is not true of it."
        except (ValueError, RuntimeError, TypeError, LookupError, ArithmeticError) as error:  # fails closed
            return f"It cannot be told of it: {str(error)[:_SHOWN]}"

    return passes
