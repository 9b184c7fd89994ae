"""What a manifest's `workflow` sets the loop to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ringfence.core.errors import ManifestError
from ringfence.core.values import JSON
from ringfence.engine.answering import Verify
from ringfence.engine.plan import Planning
from ringfence.engine.settings import LEAN, SYSTEM, Settings, Validator
from ringfence.engine.step import TOOL
from ringfence.manifest.types import Manifest, Validate

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
        validators=tuple(map(_validator, workflow.validate)),
        lean=lean,
        system=LEAN if lean else SYSTEM,
        about={"agent": runtime.name, "version": runtime.version or "", "sandbox": sandbox},
    )


def _validator(check: Validate) -> Validator:
    passes = _compiled(check.expr) if check.expr is not None else None
    return Validator(check.on, passes, TOOL + check.tool if check.tool else "", check.why)


def _compiled(expr: str) -> Callable[[Mapping[str, JSON]], str]:
    """A CEL expression (cel.dev) as a check; raises ManifestError for one that does not parse."""
    try:
        import cel
    except ImportError:
        raise ManifestError(
            "workflow.validate: expr needs the package common-expression-language", todo="pip install 'ringfence[cel]'"
        ) from None
    try:
        program = cel.compile(expr)
    except (ValueError, RuntimeError) as error:
        raise ManifestError(f"workflow.validate: expr {expr!r} is no CEL expression: {error}") from None

    def passes(facts: Mapping[str, JSON]) -> str:
        try:
            return "" if program.execute(dict(facts)) is True else "It is not true of it."
        except (ValueError, RuntimeError, TypeError, KeyError) as error:  # fails closed
            return f"It cannot be told of it: {str(error)[:_SHOWN]}"

    return passes
