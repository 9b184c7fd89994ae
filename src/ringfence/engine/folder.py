"""The folder that a look at one of its files was meant for. Pure.

Asked which file of a folder is the largest, a small model asks how large the one is that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.core.policy import SinkSpec
from ringfence.core.values import JSON

_WHICH = re.compile(
    r"\b(?:biggest|largest|smallest|heaviest|newest|oldest|latest|(?:most|least) recent(?:ly)?|how many files)\b",
    re.I,
)
_OF_FILES = re.compile(r"\b(?:files?|documents?|logs?|notes?)\b", re.I)
_LISTS = ("ls", "stat", "du")


def of_the_folder(args: Mapping[str, JSON], spec: SinkSpec, task: str) -> Mapping[str, JSON]:
    """The arguments of a look at one file itself (`ls -l logs/a.log`), with the folder that it is in, where the task
    asks for one of the files of that folder and names none.
    """
    if not _WHICH.search(task) or not _OF_FILES.search(task):
        return args
    command, path = args.get("command"), args.get("path")
    if isinstance(command, list | tuple) and command and command[0] in _LISTS and len(command) > 1:
        folder = _folder(str(command[-1]), task)
        return {**args, "command": [*command[:-1], folder]} if folder else args
    if isinstance(path, str) and spec.name.endswith(":files.stat") and (folder := _folder(path, task)):
        return {**args, "path": folder}
    return args


def _folder(path: str, task: str) -> str:
    """The folder of a file, if the task speaks of it and not of the file; else empty."""
    folder, slash, name = path.rpartition("/")
    own = folder.rpartition("/")[2]
    spoken = own and re.search(rf"(?<![\w.])/?{re.escape(own)}(?![\w.])", task, re.I)
    return folder if slash and "." in name and spoken and name not in task else ""
