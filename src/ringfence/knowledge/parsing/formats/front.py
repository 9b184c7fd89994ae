"""Front matter: YAML between two lines of three dashes. A file may name its readers there; it can only narrow them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ringfence.knowledge.errors import Unreadable

from ..draft import Draft

_BLOCK = re.compile(r"[\s\u200b-\u200f\ufeff]*---[ \t]*\n(.*?)(?:^(?:---|\.\.\.)[ \t]*$\n?|\Z)", re.S | re.M)
_CLOSED = re.compile(r"[\s\u200b-\u200f\ufeff]*---[ \t]*\n(?:.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_READERS = re.compile(r"^[ \t\"'{\[,-]*readers?[\"']?[ \t]*:", re.I | re.M)
_MOST = 64 << 10  # characters
_TODO = "write it as readers: [role:NAME]"


class _Loader(yaml.SafeLoader):
    """Refuses a key twice: of two lists of readers none is the one that was meant."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As any mapping, each key once."""
        keys = [str(key.value).strip().lower() for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep)


def taken(draft: Draft, text: str) -> str:
    """The text behind its front matter, whose title and readers go to the draft.

    Raises Unreadable, fail closed, where it seems to name readers and cannot be understood.
    """
    found = _BLOCK.match(text, 0, _MOST)
    if found is None:
        return text
    inner = found.group(1)
    if not _CLOSED.match(text, 0, _MOST):
        if _READERS.search(inner.split("\n\n", 1)[0]):
            raise Unreadable("its front matter names readers and does not end", todo="close it with ---")
        return text
    try:
        said = yaml.load(inner, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        if _READERS.search(inner):
            raise Unreadable(f"its front matter names readers and is no YAML: {fault}"[:300], todo=_TODO) from None
        return text
    if not isinstance(said, dict):
        if _READERS.search(inner):
            raise Unreadable("its front matter names readers and is no mapping", todo=_TODO)
        return text
    fields = {str(key).strip().lower(): value for key, value in said.items()}
    for key in ("readers", "reader"):
        if key in fields:
            draft.readers = _names(fields[key])
    if isinstance(fields.get("title"), str | int | float):
        draft.title = str(fields["title"])
    return text[found.end() :]


def _names(value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(one, str) and one.strip() for one in names):
        raise Unreadable("its front matter does not say which readers are meant", todo=_TODO)
    if len(names) > 200:
        raise Unreadable("its front matter names more than 200 readers", todo=_TODO)
    return [one.strip() for one in names]
