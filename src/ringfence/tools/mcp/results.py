"""What a server answered, as the value of an outcome: checked, bounded, and without the data of pictures and sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringfence.core.errors import ToolError, Uncertain
from ringfence.core.values import JSON

from .schema import Check, exact

if TYPE_CHECKING:
    from mcp_types import CallToolResult, ContentBlock

MAX_ERROR = 1_000  # characters
MIN_SECRET = 8  # characters; shorter words would be found everywhere


def value(result: CallToolResult, check: Check | None, *, clean: Callable[[JSON], JSON]) -> JSON:
    """The value of a result. `check` is that of the accepted output schema: then the value is the structured content
    alone; else it is {"text", "data", "notes"}, as far as there are any. `clean` takes secrets out.

    Raises ToolError for what the tool itself reports as an error, Uncertain for content that is not as the schema says.
    """
    text = "\n".join(block.text for block in result.content if block.type == "text")
    if result.is_error:
        raise ToolError(str(exact(clean(text[:MAX_ERROR]))) or "the tool failed and did not say why")
    if check is not None:
        data = exact(clean(result.structured_content))
        if wrong := check(data):
            todo = "what it answered is withheld; another tool may do"
            raise Uncertain(f"the answer is not what the tool's output schema says: {wrong}", todo=todo)
        return data
    found: dict[str, Any] = {"text": text} if text else {}
    if result.structured_content is not None:
        found["data"] = result.structured_content
    if notes := list(_notes(result.content)):
        found["notes"] = notes
    return exact(clean(found or {"text": ""}))


def _notes(content: Sequence[ContentBlock]) -> Iterator[str]:
    """A line for each part that is no text; its data stays behind."""
    for block in content:
        match block.type:
            case "image" | "audio":
                yield f"{block.type} of {len(block.data) * 3 // 4} bytes, not shown"
            case "resource":
                body = getattr(block.resource, "text", None) or getattr(block.resource, "blob", "")
                yield f"resource {str(block.resource.uri)[:200]} of {len(str(body))} characters, not shown"
            case "resource_link":
                yield f"link to {str(block.uri)[:200]}, not followed"


def masked(secrets: Mapping[str, Callable[[], str | None]]) -> Callable[[JSON], JSON]:
    """A function that replaces secrets by their names: a server does not tell the model what it was given.

    It finds them as they are, and each word of them; a server that encodes a secret gets it through.
    """

    def mask(value: JSON) -> JSON:
        known = {word: name for name, reveal in secrets.items() for word in _words(reveal())}
        return _masked(value, sorted(known.items(), key=lambda item: -len(item[0]))) if known else value

    return mask


def _words(secret: str | None) -> list[str]:
    text = secret or ""
    return [word for word in (text, *text.split()) if len(word) >= MIN_SECRET]


def _masked(value: JSON, known: Sequence[tuple[str, str]]) -> JSON:
    if isinstance(value, str):
        for text, name in known:
            value = value.replace(text, f"[secret {name}]")
        return value
    if isinstance(value, list):
        return [_masked(item, known) for item in value]
    if isinstance(value, dict):
        return {_masked(key, known): _masked(item, known) for key, item in value.items()}
    return value
