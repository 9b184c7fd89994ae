"""`python.run`: a snippet of Python in the sandbox, in a fresh process without memory of the one before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from ringfence.core.labels import NOBODY
from ringfence.core.policy import Effect, Role
from ringfence.core.values import JSON, Action, Outcome
from ringfence.jobs import Job, Launcher

from .jobs import STOPPED, Egress, Ended, audience, collect, places, reaching, text
from .tool import Args, Tool, Use, parse, specify
from .workshop import limits_of

if TYPE_CHECKING:
    from ringfence.manifest.tools import BuiltinTool

MAX_CODE: Final = 20_000  # characters
_ENV = {"HOME": "/tmp", "TMPDIR": "/tmp", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

FLAGS: Final = ("-I", "-S", "-B", "-X", "utf8")  # isolated: no site-packages, no environment, nothing written

# Runs inside, with as few imports as can be: they are most of its time. What the snippet prints is stdout; its value
# and its error go through a copy of stderr that no child of it inherits, `+text` or `-`, a NUL between. The snippet
# could write there too: what comes back is untrusted either way.
RUNNER: Final = r"""
import _ast, os, sys
private, name, value, error = os.dup(2), "<snippet>", None, None
os.dup2(1, 2)
code = sys.stdin.buffer.read().decode()
def described(raised):
    import linecache, traceback
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    lines = [f"line {f.lineno}: {f.line}" for f in traceback.extract_tb(raised.__traceback__) if f.filename == name]
    said = "".join(traceback.format_exception_only(raised)).strip()
    if isinstance(raised, SyntaxError) and raised.filename == name:
        lines.append(f"line {raised.lineno}: {(raised.text or '').strip()}")
        said = f"{type(raised).__name__}: {raised.msg}"
    return "\n".join([*lines[-8:], said])
try:
    tree = compile(code, name, "exec", 0x400)  # PyCF_ONLY_AST
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
    space = {"__name__": "__main__", "__builtins__": __builtins__}
    exec(compile(tree, name, "exec"), space)
    if last is not None:
        result = eval(compile(_ast.Expression(last.value), name, "eval"), space)
        value = None if result is None else repr(result)
except SystemExit as end:
    error = f"SystemExit: {end.code}" if end.code else None
except BaseException as raised:
    error = described(raised)
try:
    sys.stdout.flush()
finally:
    said = ("-" if text is None else "+" + text[:LIMIT].replace("\0", "") for text in (value, error))
    os.write(private, "\0".join(said).encode(errors="replace"))
"""


class PythonArgs(Args):
    """Arguments of python.run."""

    code: Annotated[
        str,
        Field(description="Python 3 code; print what you want to see, or end with an expression", max_length=MAX_CODE),
    ]


def tools(config: BuiltinTool, *, root: Path, use: Use, launcher: Launcher, egress: Egress | None = None) -> list[Tool]:
    """The tool `python.run`: the standard library alone, no secrets, the target paths to read.

    It only computes and reads, so it is a confined read; with the permission to write it is a write, with hosts a
    commit, and then the code is a control argument.
    """
    writes = "write" in (config.permissions or ())
    effect = Effect.COMMIT if config.hosts else Effect.WRITE if writes else Effect.READ
    stays = effect is Effect.READ
    spec = specify(
        "python.run",
        "Run Python code (standard library, no network) to compute something. Nothing is kept for the next call.",
        PythonArgs,
        use=use,
        effect=effect,
        confined=stays,
        audience=NOBODY if stays else audience(config),
        roles={"code": Role.TEXT if stays else Role.CONTROL},
        repeats=1 if stays else None,
    )
    return [Tool(spec, _Python(config, root, launcher, egress))]


class _Python:
    def __init__(self, config: BuiltinTool, root: Path, launcher: Launcher, egress: Egress | None) -> None:
        where = places(config, root)
        program = Path(sys.executable).resolve()  # of a virtual environment, the interpreter that it was made of
        self._max_bytes = config.limits.output_kb * 1024
        self._launcher = launcher
        self._egress = reaching(config, egress)
        self._job = Job(
            argv=(str(program), *FLAGS, "-c", RUNNER.replace("LIMIT", str(self._max_bytes // 8))),
            cwd=where.cwd,
            env=_ENV,
            reads=tuple(p for p in where.reads(*_interpreter(program)) if not (where.writable and p in where.targets)),
            writes=where.targets if where.writable else (),
            limits=limits_of(config.limits),
        )

    async def perform(self, action: Action) -> Outcome:
        given = parse(PythonArgs, action.args).code.encode()
        way = self._egress(action.run) if self._egress else None
        ended = await collect(self._launcher, self._job, way=way, stdin=given, max_bytes=self._max_bytes)
        return Outcome(_shown(ended))


def _interpreter(program: Path) -> tuple[str, ...]:
    """The files that the interpreter needs to start: its prefix, and itself if it lies elsewhere."""
    prefix = Path(sys.base_prefix).resolve()
    return (str(prefix),) if program.is_relative_to(prefix) else (str(prefix), str(program))


def _shown(ended: Ended) -> JSON:
    said = ended.stderr.decode(errors="replace").split("\0")
    if len(said) == 2 and all(field[:1] in ("+", "-") for field in said):
        value, error = (field[1:] if field[0] == "+" else None for field in said)
    else:  # it was stopped, or left without a word
        value, error = None, ended.why if ended.how in STOPPED else f"the interpreter ended early: {ended.how}"
    return {
        "stdout": text(ended.stdout),
        "value": value,
        "error": error and error.replace(sys.base_prefix, "<python>"),
        "took_ms": ended.took_ms,
    }
