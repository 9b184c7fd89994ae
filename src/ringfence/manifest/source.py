"""YAML as plain data that remembers where each part was written; nothing in it can run or explode.

Composes nodes and reads the scalars itself: tags, merge keys and timestamps of YAML 1.1 have no use in a manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from .problems import At, Problem, Spot, dotted, invalid, shorten
from .variables import Variables, interpolate

MAX_BYTES = 1_000_000
MAX_VALUES = 10_000  # after aliases are followed
MAX_DEPTH = 32
_MAX_INT = 2**53 - 1  # what JSON carries exactly (RFC 8785)
_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Document:
    """The data of a file and the places of its keys and values.

    written  the text of a scalar in which a variable was replaced: shown instead of what the variable holds
    bad      the places of problems: what else is found there is only their consequence
    flat     the one tier was written without `tiers`: its keys are found directly under `inference`
    """

    name: str
    data: Any = None
    keys: dict[At, Spot] = field(default_factory=dict)
    values: dict[At, Spot] = field(default_factory=dict)
    written: dict[At, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bad: set[At] = field(default_factory=set)
    flat: bool = False

    def place(self, at: At) -> At:
        """Where a place of the data was written."""
        return ("inference", *at[3:]) if self.flat and at[:3] == ("inference", "tiers", 0) else at

    def doubted(self, at: At) -> bool:
        """Whether a problem was found here or above already."""
        at = self.place(at)
        return any(at[:n] in self.bad for n in range(len(at) + 1))

    def complain(self, at: At, text: str, *, key: bool = False) -> None:
        """Note a problem at a value, or at its key; what was not written is placed where its parent is."""
        place = at = self.place(at)
        while place and place not in self.values:
            place = place[:-1]
        spot = (self.keys.get(place) if key else None) or self.values.get(place, Spot())
        self.problems.append(Problem(spot, dotted(at), text))
        self.bad.add(at)


class _Composer(yaml.SafeLoader):
    """Stops at a depth and a number of nodes, before any memory goes into them."""

    depth = nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_VALUES:
            what = f"at most {MAX_DEPTH} levels" if self.depth > MAX_DEPTH else f"at most {MAX_VALUES} values"
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"expected {what}, got more", problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str, name: str, variables: Variables, *, secret: Callable[[At], bool] = lambda at: False) -> Document:
    """Data and places of `text`. Where a `secret` stands its `${NAME}` stays unread. Raises ManifestError for no YAML.

    What is wrong in single places is noted in `problems`, so that all of it can be shown at once.
    """
    document = Document(name)
    node = _compose(text, name)
    if node is None:
        raise invalid(
            name, [Problem(Spot(), "", "expected a manifest, got an empty file; `ringfence init` writes one")]
        )
    _Reader(document, variables, secret).read(node, ())
    return document


def _compose(text: str, name: str) -> yaml.Node | None:
    loader: _Composer | None = None
    try:
        loader = _Composer(text)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise invalid(name, [Problem(_spot(mark), "", _plain(error))]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        spot = Spot(before.count("\n") + 1, len(before) - before.rfind("\n"))
        what = f"expected text, got the character U+{ord(text[error.position]):04X}; remove it"
        raise invalid(name, [Problem(spot, "", what)]) from None
    except (ValueError, OverflowError):  # PyYAML on numbers of escapes and directives that Python cannot hold
        mark = loader.get_mark() if loader else None
        raise invalid(name, [Problem(_spot(mark), "", "expected YAML, got a number that is out of range")]) from None
    return node


def _spot(mark: yaml.Mark | None) -> Spot:
    return Spot(mark.line + 1, mark.column + 1) if mark else Spot()


def _plain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "something else"
    if problem.startswith("expected at most"):
        return problem
    if "'\\t'" in problem:
        return "expected spaces at the beginning of the line, got a tab; YAML is indented with spaces"
    if "single document" in (error.context or ""):
        return "expected one document, got a second one after '---'; keep one manifest in a file"
    what = f"{error.context}, {problem}" if error.context else problem
    hint = "; put text with ': ', '{', '[', '%', '@' or '*' in it in quotes"
    return f"expected YAML, got what is none ({shorten(what, 120)}){hint}"


def _is_text(key: yaml.Node) -> bool:
    """Whether a key is text; on, off, yes and no are, as YAML 1.2 has it: PyYAML takes them for truth values."""
    word = key.tag == _TAG + "bool" and str(key.value).casefold() not in ("true", "false")
    return key.tag == _TAG + "str" or word


def _unfit(text: str) -> bool:
    return any((c < " " and c not in "\n\r\t") or "\ud800" <= c <= "\udfff" for c in text)


class _Reader:
    """Turns nodes into data, depth first, in the order of the file."""

    def __init__(self, document: Document, variables: Variables, secret: Callable[[At], bool]) -> None:
        self._document = document
        self._variables = variables
        self._secret = secret
        self._resolve: Any = yaml.SafeLoader("").resolve
        self._construct: Any = yaml.constructor.SafeConstructor()
        self._left = MAX_VALUES

    def read(self, node: yaml.Node, at: At) -> None:
        """Fill the document from the top."""
        self._document.data = self._value(node, at)

    def _value(self, node: yaml.Node, at: At) -> Any:
        self._document.values[at] = _spot(node.start_mark)
        self._left -= 1
        if self._left < 0 or len(at) > MAX_DEPTH:  # aliases: each is small, what they unfold to may not be
            what = f"expected at most {MAX_VALUES} values and {MAX_DEPTH} levels, got more; use fewer aliases"
            raise invalid(self._document.name, [Problem(_spot(node.start_mark), dotted(at[:2]), what)])
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self._value(item, (*at, n)) for n, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag.startswith(_TAG):
            return self._scalar(node, at)
        self._document.complain(at, f"expected a plain value, got the tag {shorten(node.tag)}; remove the tag")
        return None

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            spot, key = _spot(key_node.start_mark), key_node.value
            if not _is_text(key_node) or _unfit(key):
                got = "a merge key (<<), which is not supported; write the keys out" if key == "<<" else "another kind"
                self._document.problems.append(Problem(spot, dotted(at), f"expected a key that is text, got {got}"))
            elif key in data:
                first = self._document.keys[(*at, key)].line
                what = f"expected each key once, got it again (first in line {first}); keep one of them"
                self._document.problems.append(Problem(spot, dotted((*at, key)), what))
            else:
                self._document.keys[(*at, key)] = spot
                data[key] = self._value(value_node, (*at, key))
        return data

    def _scalar(self, node: yaml.ScalarNode, at: At) -> Any:
        text, tag = node.value, node.tag
        if "${" in text and not self._secret(at):
            self._document.written[at] = text
            try:
                text = interpolate(text, self._variables)
            except ValueError as error:
                self._document.complain(at, str(error))
                return None
            if node.style is None:
                tag = self._resolve(yaml.ScalarNode, text, (True, False))
        if _unfit(text):
            self._document.complain(at, "expected text, got a control character in it; remove it")
            return None
        return self._typed(tag.removeprefix(_TAG), text, at)

    def _typed(self, kind: str, text: str, at: At) -> Any:
        match kind:
            case "null":
                return None
            case "bool":
                return self._construct.construct_yaml_bool(yaml.ScalarNode(kind, text))
            case "int" | "float" if ":" not in text:  # 1:30 is the number 90 in YAML 1.1, and nobody means that
                return self._number(kind, text, at)
            case _:
                return text

    def _number(self, kind: str, text: str, at: At) -> Any:
        node = yaml.ScalarNode(kind, text)
        try:
            if kind == "float":
                value = self._construct.construct_yaml_float(node)
                return value if abs(value) < float("inf") else text
            value = self._construct.construct_yaml_int(node)
        except ValueError:
            return text
        if abs(value) > _MAX_INT:
            self._document.complain(at, "expected a number of at most 2**53-1, got a larger one")
            return None
        return value
