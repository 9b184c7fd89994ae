"""`shell.run`: one of the operator's commands, as a list of words, in the sandbox; never a shell."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from ringfence.core.errors import ManifestError, ToolError
from ringfence.core.labels import NOBODY
from ringfence.core.policy import Effect, Role
from ringfence.core.values import JSON, Action, Outcome, digest
from ringfence.jobs import Job, Launcher
from ringfence.tracing import traceparent

from .commands import MAX_WORDS, Permitted, Rule, listed, permitted, refused, rounds, rules
from .jobs import Egress, Ended, Places, Secrets, audience, collect, places, reaching, text
from .printed import ROUNDED, remarks
from .tool import Args, Tool, Use, checker, parse, specify
from .workshop import limits_of

if TYPE_CHECKING:
    from ringfence.manifest.tools import BuiltinTool

_MULTICALL = frozenset({"busybox", "toybox", "coreutils"})  # many programs in one, told apart by their names
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GIT = {  # beats the configuration of a repository, which may be anybody's: its programs are not started
    "safe.directory": "*", "safe.bareRepository": "explicit", "core.fsmonitor": "false", "core.hooksPath": "/dev/null",
    "core.pager": "cat", "core.editor": "false", "core.sshCommand": "false", "core.alternateRefsCommand": "false",
    "gpg.program": "false", "gpg.ssh.program": "false", "gpg.x509.program": "false", "credential.helper": "",
}  # fmt: skip
FIXED: Final[Mapping[str, str]] = {  # all of the environment, beside the operator's secrets
    "PATH": SYSTEM_PATH, "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
    "TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", "MANPAGER": "cat", "SYSTEMD_PAGER": "cat", "LESSSECURE": "1",
    "KUBECTL_KUBERC": "false", "KUBERC": "off", "GIT_PAGER": "cat", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": "https", "GIT_NO_LAZY_FETCH": "1",
    "GIT_CONFIG_COUNT": str(len(_GIT)),
    **{f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(_GIT)},
    **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(_GIT.values())},
}  # fmt: skip


WORDS = {
    "date": r"(?:what|which) (?:date|day|time) is it|today's date",
    "df": r"(?:free|used|available|disk) (?:disk )?space|disk usage|how full",
    "du": r"how (?:big|large) is the folder|takes? up",
    "free": r"(?:free|available|used|how much) (?:memory|ram)",
    "head": r"first (?:\d+ |few )?lines? (?:of|in|from) (?:the file )?\S*[./]\w+",
    "hostname": r"host ?name|name of this (?:machine|computer|host)",
    "ls": r"(?:bigg|larg|small|new|old)est files?|(?:files?|logs?) .{0,40}(?:bigg|larg|small|new|old)est",
    "lscpu": r"processors?|cpus?|cores?",
    "nproc": r"(?:how many|number of) (?:processors?|cpus?|cores?)",
    "tail": r"(?:last|final) (?:\d+ |few )?lines? (?:of|in|from) (?:the file )?\S*[./]\w+",
    "uname": r"kernel|operating system",
    "uptime": r"load average|how long .{0,40}(?:been up|been running)|since when .{0,40}running",
    "wc": r"(?:how many|number of|count (?:the )?|count all (?:the )?)(?: ?words| ?lines| ?characters| ?bytes)"
    r"(?! (?:(?:in|of|from) (?:the (?:file|log) )?\S+ )?(?:with|that|which|where|whose|contain\w*|having|marked|"
    r"match\w*|begin\w*|start\w*|end\w*|mention\w*|show\w*|includ\w*|say\w*)\b)",
    "whoami": r"(?:which|what|whose) user|logged in as",
}  # what people ask for, and the command that tells it


class RunArgs(Args):
    """Arguments of shell.run."""

    command: Annotated[
        tuple[str, ...],
        Field(description='the program and its arguments, a list of words: ["df", "-h"]', max_length=MAX_WORDS),
    ]


@dataclass(frozen=True, slots=True)
class Program:
    """A program as it was when the tool was made: where it is, what it really is, and its SHA-256 in hex."""

    path: str
    real: str
    sha256: str
    stamp: tuple[int, ...]


def tools(
    config: BuiltinTool,
    *,
    root: Path,
    use: Use,
    launcher: Launcher,
    egress: Egress | None = None,
    path: str = SYSTEM_PATH,
) -> list[Tool]:
    """The tool `shell.run`. Programs are looked for on `path` alone; `egress` makes the way of a job to the hosts.

    A read, confined, if every entry is known to read only and nothing is to be reached; an egress if hosts are; else a
    commit, whose every argument is control. Raises ManifestError for an entry that cannot be meant.
    """
    allowed = rules(config.allow)
    if not allowed:
        raise ManifestError(
            "shell: nothing is allowed, so nothing can be run", todo="say what may: allow: [df, uptime]"
        )
    programs = {name: find(name, path) for name in dict.fromkeys(rule.words[0] for rule in allowed)}
    if stray := next((name for name in config.secrets if name in FIXED or name.startswith("LD_")), None):
        raise ManifestError(
            f"shell: the variable {stray} is not a secret's to set", todo="give the secret another name"
        )
    sink = _Shell(config, allowed, programs, launcher, reaching(config, egress), places(config, root))
    reads = all(rule.reads for rule in allowed)
    effect = Effect.COMMIT if not reads else Effect.EGRESS if config.hosts else Effect.READ
    stays = effect is Effect.READ
    entries = listed(f"{rule.text} ({rule.tells})" if rule.tells else rule.text for rule in allowed)
    spec = specify(
        "shell.run",
        f"Run a command and see what it prints. No shell, no pipes. Commands start with: {entries}.",
        RunArgs,
        use=use,
        effect=effect,
        confined=stays,
        audience=NOBODY if stays else audience(config),
        repeats=2 if stays else None,
        roles={"command": Role.CONTROL},
        types={"command": "command"},
        suits=_suits(programs),
    )
    pin = digest([spec.pin, list(config.allow), [[p.real, p.sha256] for p in programs.values()]])
    return [Tool(replace(spec, pin=pin, check=sink.check, schema=_opened(spec.schema, programs)), sink)]


def _opened(schema: JSON, programs: Iterable[str]) -> JSON:
    """The schema, with the words that a command may begin with: see `engine.step.grammar`."""
    command = {**schema["properties"]["command"], "x-first": sorted(set(programs))}
    return {**schema, "properties": {**schema["properties"], "command": command}}


def _suits(programs: Iterable[str]) -> str:
    """The words for which a command comes first: its name, and what people call that which it tells."""
    words = [WORDS[name] for name in programs if name in WORDS]
    return rf"\b(?:{'|'.join([*map(re.escape, programs), *words])}|(?:run|execute) (?:the |a )?command)\b"


def find(name: str, path: str = SYSTEM_PATH) -> Program:
    """The program of this name; raises ManifestError if there is none, or if it is another that is never run."""
    file = next(
        (f for folder in path.split(":") if (f := Path(folder, name)).is_file() and os.access(f, os.X_OK)), None
    )
    if file is None:
        raise ManifestError(f"allow: there is no program {name!r} in {path}", todo=f"install {name}, or take it out")
    real = file.resolve()
    if real.name not in _MULTICALL and (reason := refused(real.name)):
        raise ManifestError(f"allow: {name} is {real.name} here; {reason}", todo=f"take {name} out of allow")
    with real.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Program(str(file), str(real), sha256, _stamp(real))


def _again(program: Program) -> Program | None:
    """The program as it is now, but for its content, which a change of its stamp gives away; None if it is gone."""
    try:
        real = Path(program.path).resolve(strict=True)
        return replace(program, real=str(real), stamp=_stamp(real))
    except OSError:
        return None


def _stamp(real: Path) -> tuple[int, ...]:
    about = real.stat()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_mode


def _trace() -> dict[str, str]:
    """For a program that writes a trace of its own: random digits, which say nothing about anybody."""
    return {"TRACEPARENT": value} if (value := traceparent()) else {}


class _Shell:
    def __init__(
        self,
        config: BuiltinTool,
        allowed: Sequence[Rule],
        programs: Mapping[str, Program],
        launcher: Launcher,
        egress: Egress | None,
        where: Places,
    ) -> None:
        self._allowed = allowed
        self._programs = programs
        self._launcher = launcher
        self._egress = egress
        self._where = where
        self._limits = limits_of(config.limits)
        self._secrets = Secrets(config.secrets)
        self._max_bytes = config.limits.output_kb * 1024

    def check(self, given: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """A `SinkSpec.check`: a command that is not permitted does not match the schema (POL-4)."""
        args = checker(RunArgs)(given)
        if isinstance(answer := permitted(args["command"], self._allowed), str):
            raise ValueError(answer)
        return args

    async def perform(self, action: Action) -> Outcome:
        answer = permitted(parse(RunArgs, action.args).command, self._allowed)
        if isinstance(answer, str):
            raise ToolError(answer)
        job, way = self._job(answer), self._egress(action.run) if self._egress else None
        shown = self._shown(await collect(self._launcher, job, way=way, max_bytes=self._max_bytes))
        cut = shown["truncated"] or shown["exit"] is None
        said = "" if cut else remarks(answer.argv, str(shown["stdout"]), str(shown["stderr"]))
        note = "; ".join(part for part in (ROUNDED if rounds(answer.argv) else answer.rule.tells, said) if part)
        return Outcome({"note": note, **shown} if note else shown)

    def _job(self, command: Permitted) -> Job:
        name, *words = command.argv
        program = self._programs[name]
        if program != _again(program):
            raise ToolError(f"{name} is not the program that it was when Ringfence started", todo="tell the operator")
        writes = self._where.targets if self._where.writable and not command.rule.reads else ()
        return Job(
            argv=(program.path, *words),
            cwd=self._where.cwd,
            env={**_trace(), **(self._secrets.reveal() if command.secrets else {}), **FIXED},
            reads=tuple(path for path in self._where.reads(program.real) if path not in writes),
            writes=writes,
            limits=self._limits,
        )

    def _shown(self, ended: Ended) -> dict[str, JSON]:
        cut = ended.exit is None
        shown: dict[str, JSON] = {
            "exit": ended.exit,
            "stdout": self._secrets.hide(text(ended.stdout), cut=cut),
            "stderr": self._secrets.hide(text(ended.stderr), cut=cut),
            "truncated": ended.how == "output",
            "took_ms": ended.took_ms,
        }
        return {**shown, "note": ended.why} if cut else shown
