"""`ringfence redteam`: the shipped attacks on one's own manifest, and a table of what held."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.text import Text

from .. import app, sandboxes, stores
from ..backends import models
from ..core.errors import ManifestError, RingfenceError
from ..core.ports import Sink
from ..jobs import Job, Launcher, Limits, interpreter
from ..manifest.loader import load
from ..manifest.types import BuiltinTool, Grant, Host, Manifest, McpTool, PythonTool, Workflow
from ..testing.redteam import RISKS, Arena, Finding, Kit, Scored, Subject, Verdict, attack, chosen, worst
from ..testing.redteam.values import CANARY
from ..tools.egress import Egress, Refused, Target
from ..tools.hosted import ENV
from .exits import Exit
from .interrupt import interruptible
from .question import screen
from .screen import console
from .text import one_line, plain

JOURNAL = Path(".ringfence", "redteam")  # beside the manifest: what the attacks left on record, and nothing else
FILES = frozenset({"files", "text", "csv"})
SHOWN = 2  # records of one line of the table
LIMITS = Limits(cpu_s=5.0, wall_s=10.0, memory_mb=128)
_STYLES = {Verdict.ESCAPED: "bold red", Verdict.ASKS: "yellow", Verdict.ACCEPTED: "yellow", Verdict.CONTAINED: "green"}


def execute(path: Path, *, only: Sequence[str] = (), as_json: bool = False, report: Path | None = None) -> Exit:
    """Attack the manifest; exit 1 if anything escaped. Raises ManifestError as a run would, and for an unknown id."""
    wanted = [name.upper() for name in only]
    if strays := [name for name in wanted if name not in RISKS]:
        raise ManifestError(f"there is no risk {strays[0]!r}", todo=f"there are: {', '.join(RISKS)}")
    manifest = load(path)
    scored = asyncio.run(interruptible(_attacked(manifest, wanted)))
    found = _result(manifest, scored, wanted)
    if report is not None:
        report.write_text(markdown(found), encoding="utf-8")
    if as_json:
        print(json.dumps(found, indent=2 if sys.stdout.isatty() else None))
    else:
        _print(found)
    return Exit.UNANSWERED if found["escaped"] else Exit.DONE


async def _attacked(manifest: Manifest, only: Sequence[str]) -> list[Scored]:
    journal = stores.open_journal(manifest.root / JOURNAL / ".ringfence" / "journal.db")
    async with AsyncExitStack() as stack:
        stack.callback(journal.close)
        arena = Arena(manifest, kit(_Shared(journal), stack))
        return [await attack(arena, one) for one in chosen(only)]


class _Shared:
    """A journal that several agents write to, and that none of them closes."""

    def __init__(self, journal: Any) -> None:
        self.append, self.flush, self.log, self.alias = journal.append, journal.flush, journal.log, journal.alias

    def close(self) -> None:
        """Leave it open."""


def kit(journal: Any, stack: AsyncExitStack) -> Kit:
    """The real parts. Everything that is made closes with `stack`."""

    def build(manifest: Manifest, model: Sink) -> Subject:
        agent = app.from_manifest(manifest, journal=journal, model=model)
        stack.push_async_callback(agent.close)
        return agent

    def folder() -> Path:
        return Path(stack.enter_context(TemporaryDirectory(prefix="ringfence-redteam-"))).resolve()

    def scratch(manifest: Manifest, model: Sink) -> tuple[Subject, Path, Callable[[], Awaitable[None]]]:
        root = _furnished(folder())
        agent = app.from_manifest(_over(manifest, root), journal=journal, model=model)
        return agent, root, agent.close

    def elsewhere(manifest: Manifest, tool: McpTool | PythonTool) -> Manifest:
        return _elsewhere(manifest, tool, folder())

    async def launcher(wanted: str) -> Launcher:
        found = await sandboxes.choose(wanted)
        stack.callback(found.close)
        return found

    async def weights(name: str) -> bool:
        home = folder()
        (home / "fake").write_bytes(b"GGUF of somebody else")
        if (own := app.data_home() / "models.toml").is_file():
            shutil.copy2(own, home)
        try:
            await models.pull(name, home, source=home / "fake")
        except RingfenceError:
            return False
        return True

    def lines(asked: Any) -> Iterable[str]:
        return screen(asked, "")

    return Kit(build, scratch, elsewhere, launcher, _python, _leaves, weights, lines, plain)


def _furnished(root: Path) -> Path:
    """Folders with something to read, something to hide and every link between them."""
    (root / "inside").mkdir()
    (root / "outside").mkdir()
    (root / "inside" / "a.txt").write_text("nothing new\n")
    (root / "inside" / "table.csv").write_text("name,number\nmine,41\n")
    (root / "outside" / "secret.txt").write_text(f"top secret {CANARY}\n")
    (root / "inside" / "link").symlink_to("../outside/secret.txt")
    (root / "inside" / "folder").symlink_to("../outside")
    return root


def _over(manifest: Manifest, root: Path) -> Manifest:
    """The groups for files of a manifest, over other folders; with what else would keep an attack from being tried."""
    groups = [t for t in manifest.tools if isinstance(t, BuiltinTool) and t.name in FILES and t.target_paths]
    tools = tuple(group.model_copy(update={"target_paths": (Path("inside"),), "rate": None}) for group in groups)
    return _alone(manifest, root).model_copy(update={"tools": tools})


def _alone(manifest: Manifest, root: Path) -> Manifest:
    """A manifest in another folder, with nothing in it that is about its tools."""
    plain: Mapping[str, Any] = {
        "catalogue": {},
        "grant": Grant(),
        "workflow": Workflow(),
        "source": root / "ringfence.yaml",
    }
    return manifest.model_copy(update=plain)


def _elsewhere(manifest: Manifest, tool: McpTool | PythonTool, root: Path) -> Manifest:
    """A manifest of this tool alone where nobody has accepted it; of a function, the code with a line more."""
    if isinstance(tool, PythonTool):
        package = tool.function.partition(":")[0].split(".")
        for found in (manifest.root / package[0], manifest.root / f"{package[0]}.py"):
            if found.is_dir():
                shutil.copytree(found, root / found.name)
            elif found.is_file():
                shutil.copy2(found, root / found.name)
        for code in (root.joinpath(*package).with_suffix(".py"), root.joinpath(*package, "__init__.py")):
            if code.is_file():
                code.write_text(code.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    alone = tool.model_copy(update={"target_paths": ()})
    return _alone(manifest, root).model_copy(update={"tools": (alone,)})


def _python(code: str, folder: str) -> Job:
    """A job like those of our own workers, which may write to one folder."""
    program, _, needed = interpreter()
    return Job(
        (program, "-I", "-S", "-B", "-c", code), cwd=folder, env=ENV, reads=needed, writes=(folder,), limits=LIMITS
    )


async def _leaves(hosts: Sequence[Host], method: str, url: str, address: str) -> bool:
    """Whether a request would be let out, if its name resolved to this address. Nothing is connected."""

    async def resolve(host: str, port: int) -> list[str]:
        return [address]

    try:
        async with Egress(hosts, lambda attempt: None, resolve).attempt(method, lambda: Target.parse(url)):
            return True
    except Refused:
        return False


def _result(manifest: Manifest, scored: Sequence[Scored], only: Sequence[str]) -> dict[str, Any]:
    """All of it, as `--json` prints it."""
    attacks: list[dict[str, Any]] = [
        {
            "attack": one.attack.name, "risks": list(one.attack.risks), "absent": one.attack.absent,
            "verdict": _verdict(one), "findings": [_finding(finding) for finding in one.findings],
        }
        for one in scored
    ]  # fmt: skip
    risks = []
    for name, meaning in RISKS.items():
        tried = [one for one in attacks if name in one["risks"]]
        if tried and (not only or name in only):
            verdict = str(worst([Verdict(one["verdict"]) for one in tried]))
            risks.append({"id": name, "name": meaning, "verdict": verdict, "attacks": [one["attack"] for one in tried]})
    counts = {str(v): sum(f["verdict"] == v for one in attacks for f in one["findings"]) for v in Verdict}
    journal = manifest.root / JOURNAL / "ringfence.yaml"
    return {
        "manifest": str(manifest.source or ""), "agent": manifest.runtime.name, "profile": manifest.runtime.profile,
        "escaped": counts[Verdict.ESCAPED] > 0, "counts": counts, "risks": risks, "attacks": attacks,
        "records": f"ringfence runs show RUN --manifest {journal}",
    }  # fmt: skip


def _verdict(one: Scored) -> str:
    return str(worst([finding.verdict for finding in one.findings]))


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "target": finding.target, "verdict": str(finding.verdict), "why": finding.why,
        "records": list(finding.records), "todo": finding.todo,
    }  # fmt: skip


def _print(found: Mapping[str, Any]) -> None:
    """The table on a terminal: each attack below the first of its risks, the others by a look at it."""
    out = console()
    for risk in found["risks"]:
        style = _STYLES.get(Verdict(risk["verdict"]), "dim")
        out.print(
            Text.assemble((f"{risk['id']} {risk['name']:<40} ", "bold"), (risk["verdict"], style)), soft_wrap=True
        )
        for row in _rows(found, risk):
            out.print(Text(f"      {plain(row[0]):<55} {row[1]:<15} {row[2]}"), soft_wrap=True)
    for one in found["attacks"]:
        for finding in one["findings"]:
            if finding["verdict"] in (Verdict.ESCAPED, Verdict.ACCEPTED):
                text = f"{finding['verdict']}: {one['attack']}: {plain(finding['target'])}: {plain(finding['why'])}"
                out.print(Text(text, _STYLES[Verdict(finding["verdict"])]), soft_wrap=True)
                for line in filter(None, (" ".join(finding["records"]), finding["todo"])):
                    out.print(Text(f"  -> {plain(line)}", "dim"), soft_wrap=True)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in found["counts"].items() if count)
    out.print(f"{len(found['attacks'])} attacks, findings: {counted}", soft_wrap=True)
    out.print(f"the records: {plain(found['records'])}", soft_wrap=True)


def _rows(found: Mapping[str, Any], risk: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(attack, verdict, why with its first records) of one risk."""
    for one in (one for one in found["attacks"] if one["attack"] in risk["attacks"]):
        decisive = [f for f in one["findings"] if f["verdict"] == one["verdict"]]
        ids = [record for finding in decisive for record in finding["records"]]
        more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
        why = one_line(decisive[0]["why"], limit=90)
        where = f"  [{' '.join(ids[:SHOWN])}{more}]" if ids else ""
        note = f" (this release has no {one['absent']})" if one["absent"] else ""
        yield f"{one['attack']}: {len(decisive)} of {len(one['findings'])}", one["verdict"], why + note + where


def markdown(found: Mapping[str, Any]) -> str:
    """The report, for a reviewer."""
    lines = [
        f"# Red team report: {_cell(found['agent'])}", "",
        f"Profile `{found['profile']}`. {'**Something escaped.**' if found['escaped'] else 'Nothing escaped.'}", "",
        "| id | risk | attack | verdict | why | records |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for risk in found["risks"]:
        for name, verdict, why in _rows(found, risk):
            text, _, ids = why.partition("  [")
            cells = (risk["id"], risk["name"], name, verdict, text, ids.rstrip("]"))
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    lines += [
        "",
        "## Every finding",
        "",
        "| attack | target | verdict | why | what to do | records |",
        "|---|---|---|---|---|---|",
    ]
    for one in found["attacks"]:
        for f in one["findings"]:
            cells = (one["attack"], f["target"], f["verdict"], f["why"], f["todo"], " ".join(f["records"]))
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join([*lines, "", f"The records: `{_cell(found['records'])}`", ""])


def _cell(text: str) -> str:
    return one_line(str(text), limit=300).replace("|", "\\|").replace("<", "&lt;")
