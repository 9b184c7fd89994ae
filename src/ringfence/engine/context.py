"""What the model is shown: the transcript of a run, encoded once, append-only, trimmed by rule to the real window."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from ringfence.core.chain import Kind, Record
from ringfence.core.errors import BackendError
from ringfence.core.labels import Label
from ringfence.core.turn import Turn
from ringfence.core.values import JSON, Prompt

from .course import OF_ITS_WORDS, asks
from .links import named_link
from .nearest import between, named_rows, of_it_elsewhere, singled_out, sole
from .passages import READ, SEARCH, is_passage, where
from .relevance import words
from .step import CLOSING, LOOK_UP, TOOL
from .visits import told_lines

_quoted: Callable[[str], str] = json.encoder.encode_basestring
_dumps = json.JSONEncoder(ensure_ascii=False).encode

_OURS = "partial"  # a field that is for the loop alone: a model asked a table for the row `partial: true`
_LAID_OUT = 4  # objects in one another that are laid out in lines
_HISTORY = 0.125  # of the room: the newest of the conversation before the run that outlasts older steps
_MARGIN = 64  # tokens of the chat template that no message counts
_LOOK_FIRST = "First see what there is."
_LONG = 3  # times what is shown of a result: from there on a text is read in parts
_MOST_DONE = 100  # tools that are listed as done, the newest: a list of thousands would fill the window
_AGAIN = 900  # characters of a result that are shown a second time
_MAX_CHOICE = 120  # characters of a value that an argument can be closed to
_FIRST_GUESS = 0.4  # tokens a byte, before the server has told us: English is about 0.25, digits and code up to 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the conversation before this run, with its own label."""

    role: str
    text: str
    label: Label


@dataclass(frozen=True, slots=True)
class _Part:
    data: bytes
    seqs: tuple[int, ...]


def encode(role: str, text: str) -> bytes:
    """One chat message as JSON bytes."""
    return f'{{"role": "{role}", "content": {_quoted(text)}}}'.encode("utf-8", "replace")


def render(value: JSON, depth: int = 0) -> str:
    """A tool result as plain text: a field a line, text and rows as they are. Small models read JSON badly.

    `depth`: of objects above this one, of which a few are laid out.
    """
    match value:
        case str():
            return value
        case {"n": _, "document": _, "text": str(text)} if is_passage(value):
            return f"[{value['n']}] {where(value)}\n{text}"
        case {"passages": [*found], **rest} if found and all(map(is_passage, found)):
            shown = "\n\n".join(map(render, found))
            return f"{shown}\n\n{render(rest)}" if rest else shown
        case {"text": str(text), **rest}:
            head = ", ".join(f"{key}: {_inline(item)}" for key, item in rest.items())
            return f"{head}\n{text}" if head else text
        case dict():
            return "\n".join(
                f"{key}:\n{render(item, depth + 1)}" if _laid_out(item, depth) else f"{key}: {_inline(item)}"
                for key, item in value.items()
                if key != _OURS or value.keys().isdisjoint(("passages", "memories"))
            )
        case list():
            return "\n".join(f"- {_inline(item)}" if not isinstance(item, dict) else render_row(item) for item in value)
        case _:
            return _inline(value)


def _laid_out(item: JSON, depth: int) -> bool:
    """Whether a field takes lines of its own: a list, or an object that has one."""
    if isinstance(item, dict):
        return depth < _LAID_OUT and any(_laid_out(inner, depth + 1) for inner in item.values())
    return isinstance(item, list) and bool(item)


def render_row(row: dict[str, JSON]) -> str:
    """One row of a list: its fields on one line, its text, if it has any, below."""
    head = ", ".join(f"{key}: {_inline(item)}" for key, item in row.items() if key != "text")
    return f"- {head}\n{row['text']}" if "text" in row else f"- {head}"


def _inline(value: JSON) -> str:
    return value if isinstance(value, str) else _dumps(value)


class Transcript:
    """The messages of one run: they depend on its records alone, so a resumed run sends the very same bytes.

    The last message ends with the task and a note on the next step, which are not repeated in earlier ones. An answer
    that was doubted is forgotten: a small model that sees what it has said says it again.

    result_chars  a longer tool result is cut there, and the rest is had by `read_more`
    """

    def __init__(self, system: str, history: Sequence[Said], *, result_chars: int) -> None:
        self._head = _Part(encode("system", system), ())
        self._history = [_Part(encode(said.role, said.text), ()) for said in history]
        self._parts: list[_Part] = []
        self._ends = [0]  # bytes of the first so many parts
        self._pending: list[tuple[int, str]] = []
        self._asked: list[tuple[int, str]] = []  # what was pending when the model was asked last
        self._seen = 0
        self._task = ""
        self._result_chars = result_chars
        self._per_byte = _FIRST_GUESS
        self._sent = 0
        self._done: list[str] = []  # the plan so far: tools that have answered
        self._results: dict[str, str] = {}  # as shown, by call
        self._maps: dict[str, _Part] = {}  # overviews, by sink: first, so that the server's prompt cache keeps them
        self._told: set[str] = set()  # words of the task and of what the model's own calls brought
        self._opened_lines: list[tuple[str, str]] = []  # of what opened the run, each with its place
        self.choices: dict[str, dict[str, None]] = {}  # by key, in the order seen
        self.shown: list[tuple[int, str]] = []  # by the tools, faults of theirs included, each after its record's seq
        self.cut = False  # whether something was cut, so that read_more has something to read
        self.long = False  # and is so long that it is read in parts

    def prompt(
        self,
        turn: Turn,
        *,
        window: int,
        max_tokens: int,
        schema: bytes,
        note: str = "",
        like: Record | None = None,
    ) -> Prompt:
        """The next request, its last message ended by the task and `note`.

        `window`, `max_tokens` in tokens; raises BackendError if even the last step does not fit. With `like`, the
        intent of a request that was made, what that one left out is left out, whatever the window is.
        """
        self.sync(turn)
        seqs, texts = zip(*self._pending, strict=True)
        done = f"\nDone so far: {', '.join(self._done[-_MOST_DONE:])}." if self._done else ""
        end = f"Task: {self._task}{done}\n{note}".rstrip()  # what is read last is what a small model follows
        last = _Part(encode("user", "\n\n".join((*filter(None, texts), end))), seqs)
        room = int((window - max_tokens - _MARGIN) / self._per_byte)
        parts, left_out = self._fit(last, room) if like is None else self._fit_as(last, like)
        self._sent = sum(len(part.data) for part in parts)
        return Prompt(
            tuple(part.data for part in parts), tuple(s for p in parts for s in p.seqs), schema, max_tokens, left_out
        )

    def learn(self, prompt_tokens: int) -> None:
        """Take the server's own count for what was last sent as the measure of what follows, rounded up by a tenth."""
        if prompt_tokens and self._sent:
            self._per_byte = max(0.1, 1.1 * prompt_tokens / self._sent)

    def _fit(self, last: _Part, room: int) -> tuple[list[_Part], int]:
        """Drop the oldest history down to its share, the oldest steps, the rest of the history, then what opened the
        run, then overviews; never `last`, nor the instructions.
        """
        head, history = self._opened(), deque(self._history)
        talk = sum(len(said.data) for said in history)
        size = sum(len(part.data) for part in (*head, last)) + talk
        first, every = self._ends[min(1, len(self._parts))], self._ends[-1]
        for share, wanted in ((_HISTORY * room, every), (0, first)):
            while size + wanted > room and talk > share:
                gone = len(history.popleft().data)
                size, talk = size - gone, talk - gone
            if steps := self._since(size + every - room):
                break
        size += sum(len(part.data) for part in steps)
        kept = maps = len(self._maps)
        while size > room and maps:
            maps -= 1
            at = 2 + 2 * maps if maps else 1  # an overview, and the call that it answers
            size -= sum(len(part.data) for part in head[at:])
            del head[at:]
        if size > room:
            raise BackendError(
                f"the request needs about {int(size * self._per_byte)} tokens, and the model's window leaves"
                f" {int(room * self._per_byte)}",
                todo="raise inference.max_context, lower workflow.result_chars, or use a model with a larger window",
            )
        left_out = len(self._history) - len(history) + len(self._parts) - len(steps) + kept - maps
        return [*head, *history, *steps, last], left_out

    def _since(self, over: int) -> list[_Part]:
        """The parts that are left when the oldest steps are dropped for so many bytes, the first message last of all.

        A step is a pair: what the model asked, and what it was told. What it costs depends on what is left alone.
        """
        if over <= 0 or not self._parts:
            return list(self._parts)
        upto = bisect_left(self._ends, over + self._ends[1])
        upto += (upto + 1) % 2  # a whole pair
        return [self._parts[0], *self._parts[upto:]] if upto < len(self._parts) else []

    def _fit_as(self, last: _Part, like: Record) -> tuple[list[_Part], int]:
        """What a recorded request kept: the server's real window and token counts are not on record, the choice is."""
        context, left_out = set(like.view["context"]), like.view["left_out"]
        parts = [part for part in self._parts if not context.isdisjoint(part.seqs)]
        opened = self._opened(context)
        gone = len(self._parts) - len(parts) + (len(self._opened()) - len(opened)) // 2
        history = self._history[max(0, left_out - gone) :]
        return [*opened, *history, *parts, last], left_out

    @property
    def estimate(self) -> int:
        """Tokens of the request that was made last, as far as they can be told from its bytes."""
        return int(self._sent * self._per_byte)

    def _opened(self, context: Collection[int] | None = None) -> list[_Part]:
        """What a request begins with: the instructions, and the overviews; of these, those of a `context`.

        As if the model had asked for them: it goes on in the form that it finds, which is brief.
        """
        opened = [self._head]
        for sink in sorted(self._maps):
            if context is not None and not set(self._maps[sink].seqs) <= set(context):
                continue
            asked = _dumps({"calls": [{"tool": sink.removeprefix(TOOL), "args": {}}]})
            before = [] if len(opened) > 1 else [_Part(encode("user", _LOOK_FIRST), ())]  # templates want a user first
            opened += [*before, _Part(encode("assistant", asked), ()), self._maps[sink]]
        return opened

    def sync(self, turn: Turn) -> None:
        """Take in what the run has become since the last call."""
        for record, intent in turn.items[self._seen :]:
            if (intent or record).body.get("call", 0) <= LOOK_UP:  # of the ledger's, and none of the model's business
                continue
            match record.kind:
                case Kind.MESSAGE:
                    if "doubt" in record.body and record.body["doubt"] not in OF_ITS_WORDS:
                        self._take_back()
                    self._pending.append((record.seq, record.body["text"] if self._task else ""))
                    self._told.update(words(record.body["text"]))
                    self._task = self._task or self._shown_task(record.body["text"])
                case Kind.DECISION if "call" in record.body and record.view["sink"].startswith(TOOL):
                    before = self._results.get(_title(record)) if record.view["code"] == "repeat" else None
                    told = f"made before, with this result:\n{_ends(before)}" if before else ""
                    why = told or f"refused: {record.body['why']}"
                    self._pending.append((record.seq, f"{_title(record)}: {why}"))
                case Kind.OUTCOME if intent is not None and intent.view["sink"].startswith(TOOL):
                    self._gather(record.body["value"])
                    if intent.body["call"] < -1:
                        self._opened_lines += told_lines(record.body["value"])
                    if intent.body["call"] < -1 and not asks(intent, turn.start["task"]):  # the same for every task
                        self._maps[intent.view["sink"]] = _Part(
                            encode("user", self._result(record, intent)), (record.seq,)
                        )
                    else:
                        self._pending.append((record.seq, self._result(record, intent)))
                case Kind.OUTCOME if record.view["ok"] and intent is not None and "prompt" in intent.body:
                    seqs, texts = zip(*self._pending, strict=True)
                    self._append(_Part(encode("user", "\n\n".join(filter(None, texts))), seqs))
                    self._asked, self._pending = self._pending, []
                    self._append(_Part(encode("assistant", _calls(record.body["value"]["text"])), (record.seq,)))
        self._seen = max(self._seen, len(turn.items))  # a replay may ask again about an earlier state

    def _take_back(self) -> None:
        """Forget the last answer: what was pending before it is so again."""
        if self._asked:
            del self._parts[-2:], self._ends[-2:]
            self._pending, self._asked = self._asked + self._pending, []

    def _append(self, part: _Part) -> None:
        self._parts.append(part)
        self._ends.append(self._ends[-1] + len(part.data))

    def _gather(self, value: JSON) -> None:
        """Remember what results show under each key, for arguments that are closed to known values."""
        if isinstance(value, list):
            for item in value:
                self._gather(item)
        elif isinstance(value, dict):
            for key, item in value.items():
                for known in () if key not in CLOSING else item if isinstance(item, list) else [item]:
                    if isinstance(known, str) and len(known) <= _MAX_CHOICE and "\n" not in known:
                        self.choices.setdefault(key, {})[known] = None
                self._gather(item)

    def _shown_task(self, text: str) -> str:
        """The user's words; of very many the beginning and the end, where people put what they want, with a handle."""
        if len(text) <= _LONG * self._result_chars:
            return text
        self.cut = self.long = True
        half = self._result_chars // 2
        cut = (
            f'[cut: {len(text) - 2 * half} of {len(text)} characters; more with read_more(handle="task", offset={half})'
        )
        return f'{text[:half]}\n{cut}, all of it with read_all(handle="task", question="...")]\n{text[-half:]}'

    def _result(self, record: Record, intent: Record) -> str:
        value = record.body["value"]
        if not record.view["ok"]:
            fault = f"{value['error']}. {value['todo']}".rstrip()
            self.shown.append((record.seq, fault))
            return f"{_title(intent)} failed: {fault}"
        text = render(value)
        if intent.body["call"] >= 0:
            text = "\n".join((text, *self._hints(value, text, intent.body["args"].get("path"))))
            self._told.update(words(text))
        if len(text) > self._result_chars:
            self.cut, self.long = True, self.long or len(text) > _LONG * self._result_chars
            text = (
                f"{text[: self._result_chars]}\n[cut: {self._result_chars} of {len(text)} characters;"
                f' more with read_more(handle="r{record.seq}", offset={self._result_chars})]'
            )
        self.shown.append((record.seq, text))
        self._results[_title(intent)] = text
        if intent.body["call"] >= 0:
            self._done.append(intent.view["sink"].removeprefix(TOOL))
        cited = intent.view["sink"] in (SEARCH, READ)  # by the passages' own numbers: two names confuse a small model
        return f"{_title(intent)}:\n{text}" if cited else f"{_title(intent)} [r{record.seq}]:\n{text}"

    def _hints(self, value: JSON, text: str, path: JSON) -> Iterator[str]:
        """What of a result the task is about, a line each; `path`: the place that was asked."""
        why, line = singled_out(value, text, self._told, self._task)
        if line:
            yield f"of these, {why}: {line}"
        elif rows := named_rows(value, self._task):
            yield f"of these, that the task names: {rows}"
        if link := named_link(value, self._task):
            yield f"of these links, that the task names: {link}"
        if whole := between(value, self._task):
            yield whole
        others = [(place, said) for place, said in self._opened_lines if place != path]
        if more := of_it_elsewhere(line or sole(value), others, self._task):
            yield more


def _calls(text: str) -> str:
    """A step as the model is reminded of it: without its thought, which small models take for a finding later on."""
    try:
        return _dumps({"calls": json.loads(text)["calls"]})
    except (ValueError, KeyError, TypeError, RecursionError):
        return text


def _title(record: Record) -> str:
    """The call as the model wrote it, without what it left empty; one of the runtime's own without its arguments."""
    opening = record.body["call"] < 0
    args = ", ".join(
        f"{key}={_dumps(value)}"
        for key, value in record.body["args"].items()
        if not opening and value not in ("", [], False, None)
    )
    return f"{record.view['sink'].removeprefix(TOOL)}({args})"


def _ends(result: str) -> str:
    """A result that was shown before: of a long one the beginning and the end, where its counts and sums stand."""
    if len(result) <= _AGAIN:
        return result
    head, tail = result[: _AGAIN // 3], result[-_AGAIN // 2 :]
    head, tail = head.rpartition("\n")[0] or head, tail.partition("\n")[2] or tail  # whole lines, if there are any
    return f"{head}\n[as above]\n{tail}"
