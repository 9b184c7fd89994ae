"""How a server of the manifest's is started: which program, what it sees of this machine, and what is pinned of it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.core.errors import ManifestError, ToolError
from ringfence.jobs import Job, Limits
from ringfence.manifest.fields import SecretText
from ringfence.manifest.types import McpTool

from ..outward import ENV
from ..workshop import limits_of

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # never that of the environment
PYTHON: Final = frozenset({"python", "python3"})  # the interpreter that runs us: its packages are there
SERVER_CPU_S: Final = 3_600.0  # a server lives as long as its agent; a limit that is written counts
_SYSTEM = (("/", "usr"), ("/", "bin"), ("/", "sbin"))
_PARTS = ("bin", "lib", "lib64", "share", "pyvenv.cfg")  # of the folder that a program was installed into


def resolve(command: tuple[str, ...], root: Path) -> tuple[str, ...]:
    """The command with its program as an absolute path: from the manifest's folder, or from a fixed PATH.

    Raises ManifestError if it is not there.
    """
    name = command[0]
    if name in PYTHON:
        return sys.executable, *command[1:]
    found = str(root / name) if "/" in name else shutil.which(name, path=PATH)
    if found is None or not os.access(found, os.X_OK) or not Path(found).is_file():
        todo = f"give its path from the manifest's folder, or install it into one of {PATH}"
        raise ManifestError(f"tools: there is no program {name!r} to start", todo=todo)
    kept = os.path.normpath(found) if Path(found).parent.name == "bin" else os.path.realpath(found)
    return kept, *command[1:]  # a link in a `bin` is kept: a python finds its venv by its own name


def named_files(argv: tuple[str, ...], root: Path) -> list[Path]:
    """The program and every argument that is a file: what is pinned, and what the sandbox has to show."""
    return [Path(argv[0]), *(path for part in argv[1:] if (path := root / part).is_file())]


def digests(argv: tuple[str, ...], root: Path) -> dict[str, str]:
    """SHA-256 of the program and of the files that the command names, by argument. Blocks; raises ToolError."""
    found = {}
    for path in named_files(argv, root):
        try:
            with path.open("rb") as file:
                sha = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ToolError(f"{path.name} cannot be read: {error.strerror}") from None
        found[str(path.relative_to(root)) if path.is_relative_to(root) else path.name] = sha
    return found


def job(config: McpTool, argv: tuple[str, ...], root: Path, egress: Callable[[Any], None] | None) -> Job:
    """The server as a confined job: its own program, `target_paths`, and the environment that the manifest gives.

    `argv` is what `resolve` made of the command, once: what is started is what was pinned. Raises ToolError for a
    secret that is not set.
    """
    files = {str(root / part): os.path.realpath(root / part) for part in argv[1:] if (root / part).is_file()}
    targets = tuple(os.path.realpath(root / target) for target in config.target_paths)
    writes = targets if not {"write", "execute"}.isdisjoint(config.permissions) else ()
    reads = tuple(dict.fromkeys([*_visible(argv[0]), *_scripts(files.values(), root), *(() if writes else targets)]))
    inside = any(Path(path).is_relative_to(root) for path in (*reads, *writes))
    return Job(
        (argv[0], *(files.get(str(root / part), part) for part in argv[1:])),
        cwd=str(root) if inside else "/tmp",
        env=_environment(config),
        reads=reads,
        writes=writes,
        limits=_limits(config),
        egress=egress,
    )


def _limits(config: McpTool) -> Limits:
    """Those of the manifest; a server may live for ever, and use more of the processor than one call does."""
    given = limits_of(config.limits)
    cpu_s = given.cpu_s if "cpu_s" in config.limits.model_fields_set else SERVER_CPU_S
    file_mb = min(given.file_mb, math.ceil(config.max_file_size_mb or given.file_mb))
    return dataclasses.replace(given, cpu_s=cpu_s, file_mb=file_mb, wall_s=None)


def _environment(config: McpTool) -> dict[str, str]:
    env = {"PATH": PATH, "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return env | (dict(ENV) if config.hosts else {}) | revealed(config.secrets)


def revealed(secrets: Mapping[str, SecretText]) -> dict[str, str]:
    """The values, by name; raises ToolError for one that is not set."""
    found = {}
    for name, secret in secrets.items():
        value = secret.reveal()
        if value is None:
            raise ToolError(f"the secret {secret} is not set", todo=f"set {' and '.join(secret.names)} in .env")
        found[name] = value
    return found


def _visible(program: str) -> Iterator[str]:
    """What a program needs to see of what was installed with it, where that is not the system's own."""
    for path in (Path(program), Path(os.path.realpath(program))):
        if path.parent.name == "bin" and path.parts[:2] not in _SYSTEM:
            parts = (os.path.realpath(path.parent.parent / name) for name in _PARTS)
            yield from (part for part in parts if os.path.exists(part))  # noqa: PTH110
    yield os.path.realpath(program)


def _scripts(files: Iterable[str], root: Path) -> Iterator[str]:
    """A script's folder, so that it finds what it imports; never the manifest's, with its `.env` and its journal."""
    private = {os.path.realpath(path) for path in (root, *root.parents, Path.home(), *Path.home().parents)}
    for file in files:
        folder = os.path.dirname(file)  # noqa: PTH120
        yield file if folder in private else folder
