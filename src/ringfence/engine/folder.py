"""The folder that a look at one of its files was meant for. Pure.

Asked which file of a folder is the largest, a small model asks how large the one is that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.policy import SinkSpec
from ringfence.core.turn import Turn
from ringfence.core.values import JSON

from .nearest import listed, stems

_END = r"(?:biggest|largest|smallest|newest|oldest|latest|(?:most|least) recent(?:ly \w+)?)"
_FILE = r"(?:files?|logs?|documents?|notes?)"
_WHICH = re.compile(
    rf"\b(?:which|what) (?:of the )?{_FILE}\b[^.?!,;]{{0,60}}\b(?:is|was) (?:the )?{_END}\b|"
    rf"\b(?:which|what) (?:is|was) the {_END} {_FILE}\b|\bname of the {_END} {_FILE}\b",
    re.I,
)
_LONGEST = re.compile(
    rf"\b(?:which|what) (?:of the )?{_FILE}\b[^.?!,;]{{0,60}}\b(?:has|have) (?:the )?(?:most|fewest|least) "
    r"(?:lines|words|characters)(?=\W*$|[,?.!]|,? and how many\b)",
    re.I,
)
_CONTAINS = re.compile(
    r"\b(?:which|what|one) (?:of the )?(?:files?|notes?|documents?)\b[^.?!]{0,40}\b(?:contains?|"
    r"containing|mentions?|with the word|has the word|in which the word)\b",
    re.I,
)
_MOST = 60  # files of a command


def of_the_folder(args: Mapping[str, JSON], spec: SinkSpec, turn: Turn) -> Mapping[str, JSON]:
    """The arguments of a look at one file itself (`ls -l logs/a.log`), with the folder that it is in, where the task
    asks for one of the files of that folder and says nothing of this one; those of `wc` with all of its files.
    """
    command, path, task = args.get("command"), args.get("path"), str(turn.start["task"])
    if isinstance(command, list | tuple) and len(command) > 1 and command[0] == "wc" and _LONGEST.search(task):
        operands = [one for one in map(str, command[1:]) if not one.startswith("-")]
        folder = _folder(operands[0], task) if len(operands) == 1 else ""
        end = operands[0].rpartition(".")[2]
        files = [one for one in _known(turn) if folder and one.rpartition("/")[0] == folder and one.endswith(f".{end}")]
        return {**args, "command": [*(one for one in command if one not in operands), *files]} if files else args
    if isinstance(path, str) and "pattern" in args and _CONTAINS.search(task) and (folder := _folder(path, task)):
        return {**args, "path": folder}
    if not _WHICH.search(task):
        return args
    if isinstance(command, list | tuple) and len(command) > 1 and command[0] == "ls":
        operands = [one for one in map(str, command[1:]) if not one.startswith("-")]
        folder = _folder(operands[0], task) if len(operands) == 1 else ""
        return {**args, "command": [*(one for one in command if one != operands[0]), folder]} if folder else args
    if isinstance(path, str) and spec.name.endswith(":files.stat") and (folder := _folder(path, task)):
        return {**args, "path": folder}
    return args


def _known(turn: Turn) -> list[str]:
    """The files that an overview has shown, as many as one command may be given."""
    shown = [str(one["path"]) for call, one in listed(turn, "files") if call < 0 and "path" in one]
    return shown if len(shown) <= _MOST else []


def _folder(path: str, task: str) -> str:
    """The folder of a file, if the task speaks of it and not of the file; else empty."""
    folder, slash, name = path.rpartition("/")
    own, stem = folder.rpartition("/")[2], name.rpartition(".")[0]
    spoken = own and re.search(rf"(?<![\w.])/?{re.escape(own)}(?![\w.])", task, re.I)
    if any(one in task for one in (path, name)) or re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", task):
        return ""
    said = not set(stems(stem.replace("_", " ").replace("-", " "))).isdisjoint(stems(task))
    return folder if slash and stem and spoken and not said and "*" not in path else ""
