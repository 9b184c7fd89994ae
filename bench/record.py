"""What the record costs and what reading it costs, each figure beside what was asked of it.

    python bench/record.py [--quick]

Bodies are sealed, heads signed, views redacted, as the product runs. CPU is the process's, all threads; the machine has
other work, so wall times are the best of three. Floors are measured in the same run: bare apsw for appending, and bare
zlib, JSON and SHA-256 over the same headers for verifying.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import record_log as logs
from journal import floor

from ringfence.app import record as wiring
from ringfence.core.chain import Frontier, leaf
from ringfence.proof import merkle

HERE = Path(__file__).parent
MS = 1000.0
Timed = tuple[float, float]  # seconds: wall, CPU


class Table:
    """Prints a line a figure: what it is, what was measured, what was asked, and MISSED where it was not reached."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def head(self, text: str) -> None:
        """A part of the table."""
        print(f"\n{text}", flush=True)

    def row(self, name: str, said: str, asked: str = "", met: bool = True) -> None:
        """One figure."""
        word = "" if not asked else "met" if met else "MISSED"
        print(f"  {name:44}{said:>34}  {asked:>18}  {word}".rstrip(), flush=True)
        if not met:
            self.missed.append(f"{name}: {said}, asked {asked}")


def timed(work: Callable[[], Any]) -> Timed:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def append(table: Table, folder: Path, number: int) -> None:
    """Appending, redaction included and not, in group commit and one run at a time."""
    scripts = logs.scripts(number)
    sample = [logs.run_of(n, script) for n, script in enumerate(scripts)]
    total = sum(map(len, sample))
    table.head(f"append: {total:,} records, {logs.body_bytes(sample):.0f} bytes a body in the mean")
    asked: dict[tuple[str, str], tuple[float, float]] = {("redacted", "at once"): (150, 5_000)}
    asked["codes", "at once"] = (float("inf"), 20_000)
    for views in ("redacted", "codes"):
        for how, write in (("at once", logs.at_once), ("one by one", logs.one_by_one)):
            rounds = [_append(folder / f"{views}-{how}-{n}", views, write, scripts) for n in range(3)]
            wall, cpu = min(wall for wall, _ in rounds), statistics.median(cpu for _, cpu in rounds)
            commits = max(2, total // 64) if how == "at once" else 2 * number
            _, bare = floor(folder / f"floor-{views}-{how}", sample, commits)
            name = f"{'redacted' if views == 'redacted' else 'without redaction'}, {number} runs {how}"
            each, rate = cpu / total * 1e6, total / wall
            want = asked.get((views, how))
            table.row(f"{name}, CPU", f"{each:.1f} us a record, {cpu / bare:.0f} x bare",
                      f"<= {want[0]:.0f} us" if want and want[0] < 1e6 else "",
                      not want or each <= want[0])  # fmt: skip
            table.row(f"{name}, wall", f"{rate:,.0f} records/s", f">= {want[1]:,.0f}/s" if want else "",
                      not want or rate >= want[1])  # fmt: skip
    redaction(table, folder, sample)


def _append(folder: Path, views: str, write: Callable[..., Any], scripts: Sequence[Any]) -> Timed:
    runs = [logs.run_of(n, script) for n, script in enumerate(scripts)]
    with wiring.open_journal(logs.manifest_in(folder, views=views)) as journal:
        asyncio.run(logs.at_once(journal, [logs.run_of(len(runs), scripts[0])]))  # the making of file and keys
        taken = timed(lambda: asyncio.run(write(journal, runs)))
    shutil.rmtree(folder)
    return taken


def redaction(table: Table, folder: Path, sample: Sequence[Any]) -> None:
    """What the redactor alone takes of it."""
    redactor = logs.redactor_of(logs.manifest_in(folder / "alone"))
    bodies = [(record.run, record.body) for run in sample for record in run]
    size = sum(len(json.dumps(body)) for _, body in bodies)
    _, cpu = timed(lambda: [redactor.view(run, body) for run, body in bodies])
    table.row("the redactor alone", f"{cpu / len(bodies) * 1e6:.1f} us a record, {size / cpu / 1e6:.1f} MB/s")


CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
import record
print(json.dumps(getattr(record, sys.argv[2])(*sys.argv[3:])))
"""


def child(name: str, *arguments: Any) -> Any:
    """Call a function of this module in a process of its own, whose memory is its own."""
    command = [sys.executable, "-c", CHILD, str(HERE), name, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def verified(root: str, bodies: str, since: str) -> dict[str, float]:
    """Verify a log with its heads, as `ringfence audit verify` does: seconds of CPU and wall, peak memory in kB."""
    from ringfence.audit import signing
    from ringfence.stores.signed import Heads
    from ringfence.stores.verify import Against

    manifest = logs.load(Path(root) / "ringfence.yaml")
    with wiring.open_log(manifest) as log:
        size = log.size()
        before = peak_kb()
        wall, cpu = time.perf_counter(), time.process_time()
        heads = Heads(log.id, [signing.verifier_of(manifest.audit.key, manifest.root)])
        kept = [head.note for head in log.heads()]
        heads.own(kept)
        headed = time.process_time() - cpu
        trusted = max((claim.size for claim in heads.claims if claim.size <= int(since)), default=0)
        report = log.verify(Against(heads, trusted), bodies=bodies == "bodies")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert not report.findings, report.findings
    peak = peak_kb()
    return {"records": size - trusted, "heads": len(kept), "cpu": cpu, "wall": wall, "headed": headed,
            "before": before, "peak": peak}  # fmt: skip


def peak_kb() -> int:
    """The most memory that this process has had, in kilobytes (what getrusage says may be that of its parent)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def bare(root: str) -> dict[str, float]:
    """The floor of verifying: inflate, parse and hash the same headers, and nothing else."""
    import hashlib

    manifest = logs.load(Path(root) / "ringfence.yaml")
    with wiring.open_log(manifest) as log:
        count, cpu = 0, time.process_time()
        for head in log.headers():
            json.loads(head)
            hashlib.sha256(b"\0" + head).digest()
            count += 1
        return {"records": count, "cpu": time.process_time() - cpu}


def verify(table: Table, made: Sequence[tuple[str, Path, int]]) -> None:
    """Verifying: rate and memory by length of the log."""
    table.head("audit verify (one core; a rate is records by CPU second)")
    grown: dict[str, list[float]] = {}
    for name, root, size in made:
        least = child("bare", root)
        rate = least["records"] / least["cpu"]
        table.row(f"{name}, bare inflate, JSON, SHA-256", f"{rate:,.0f} records/s")
        for bodies in ("headers", "bodies"):
            done = child("verified", root, bodies, 0)
            grown.setdefault(bodies, []).append(done["peak"] / 1024)
            each = done["records"] / done["cpu"]
            said = f"{each:,.0f}/s, 1/{rate / each:.1f} of bare, {done['peak'] / 1024:.0f} MB"
            table.row(f"{name}, {bodies}, {done['heads']:,} heads", said, ">= 60,000/s" if bodies == "headers" else "",
                      each >= 60_000 or bodies != "headers")  # fmt: skip
        since = child("verified", root, "headers", int(size * 0.9))
        table.row(f"{name}, --since {size * 9 // 10:,}", f"{since['records']:,} records in {since['cpu']:.2f} s")
    for bodies, peaks in grown.items():
        table.row(f"memory by length, {bodies}", " to ".join(f"{peak:.0f}" for peak in peaks) + " MB", "flat",
                  peaks[-1] <= peaks[0] * 1.25 + 4)  # fmt: skip


def proofs(table: Table, root: Path, sizes: Sequence[int]) -> None:
    """Inclusion and consistency: size of the proof, time to make it and to check it."""
    table.head("proofs, made from the headers of the log (hashes; seconds to make, us to check)")
    with wiring.open_log(logs.load(root / "ringfence.yaml")) as log:
        for size in sizes:
            index = size // 3
            began = time.process_time()
            leaves = [leaf(head) for head in log.headers(0, size)]
            read = time.process_time() - began
            tree = Frontier()
            for each in leaves:
                tree.append(each)
            began = time.process_time()
            path = merkle.inclusion(leaves, index, size)
            made = time.process_time() - began
            join = merkle.consistency(leaves, index, size)
            _, cpu = timed(lambda: [merkle.included(leaves[index], index, size, path, tree.root()) for _ in range(100)])  # noqa: B023
            assert merkle.included(leaves[index], index, size, path, tree.root())
            most = (size - 1).bit_length()
            said = f"{len(path)} and {len(join)}; {read + made:.2f} s, {cpu * 1e4:.0f} us"
            table.row(
                f"{size:,} records", said, f"<= {most} and {most + 1}", len(path) <= most and len(join) <= most + 1
            )


def shown(table: Table, root: Path, rounds: int = 5) -> None:
    """`runs show` of the first, a middle and the last run, `runs list`, `runs uncertain`."""
    manifest = root / "ringfence.yaml"
    with wiring.open_log(logs.load(manifest)) as log:
        size = log.size()
    last = size // logs.LENGTH - 1
    table.head(f"a log of {size:,} records: whole commands, the interpreter's start included")
    none = _command([sys.executable, "-c", "pass"], rounds)
    base = _command([sys.executable, "-c", "import sys; from ringfence.cli import main; main(['--help'])"], rounds)
    table.row("a bare interpreter", f"{none:.0f} ms")
    table.row("ringfence --help", f"{base:.0f} ms")
    run = [sys.executable, "-m", "ringfence.cli"]
    for name, number in (("first", 0), ("middle", last // 2), ("last", last)):
        which = f"r{number:08}"
        whole = _command([*run, "runs", "show", which, "--manifest", str(manifest)], rounds)
        alone = child("rendered", manifest, which, "show")
        table.row(
            f"runs show, the {name} run",
            f"{alone['cold']:.0f} ms ({alone['warm']:.1f} again), {whole:.0f} in all",
                  "< 200 ms", max(alone["cold"], alone["warm"]) < 200)  # fmt: skip
    for name in ("list", "uncertain"):
        whole = _command([*run, "runs", name, "--manifest", str(manifest)], rounds)
        alone = child("rendered", manifest, "", name)
        table.row(f"runs {name}", f"{alone['cold']:.0f} ms ({alone['warm']:.1f} again), {whole:.0f} whole")


def rendered(manifest: str, run: str, what: str) -> dict[str, float]:
    """Reading and rendering in a process that has loaded the command's modules: at first, and again."""
    import contextlib
    import io

    from ringfence.cli import runs, uncertain

    acts = {
        "show": lambda: runs.show(Path(manifest), run, full=False),
        "list": lambda: runs.list_runs(Path(manifest), limit=20, as_json=False),
        "uncertain": lambda: uncertain.list_uncertain(Path(manifest), as_json=False),
    }
    taken = []
    with contextlib.redirect_stdout(io.StringIO()) as out:
        for _ in range(6):
            taken.append(timed(acts[what])[0] * MS)
    assert what == "uncertain" or len(out.getvalue()) > 100
    return {"cold": taken[0], "warm": statistics.median(taken[1:])}


def _command(command: list[str], rounds: int) -> float:
    """Milliseconds of wall time from start to exit, the middle of some rounds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append((time.perf_counter() - began) * MS)
    return statistics.median(taken)


def resumed(table: Table, folder: Path, steps: Sequence[int]) -> None:
    """Going on with a run that was cut off after so many steps: from its snapshot, and from all of its records."""
    table.head("going on with a run that was cut off (reading and folding, CPU)")
    for count in steps:
        root = folder / f"resume-{count}"
        got = child("cut_off", root, count)
        said = f"{got['with']:.1f} ms beside {got['without']:.1f} without"
        table.row(f"{count} steps, {got['records']:,} records", f"{said} ({got['without'] / got['with']:.1f} x)")


def cut_off(root: str, steps: str) -> dict[str, float]:
    """Drive a run of so many tool steps by a scripted model, cut it off, and fold what is left both ways."""
    import contextlib

    from ringfence.app import from_manifest
    from ringfence.core.turn import fold
    from ringfence.engine.snapshot import resumed as from_snapshot
    from ringfence.testing.scripted import ScriptedModel

    count, path = int(steps), Path(root)
    path.mkdir(parents=True)
    (path / "ringfence.yaml").write_text(
        logs.MANIFEST.format(views="redacted") + f"workflow: {{max_steps: {count + 10}, checkpoint_interval: 5,"
        f" max_tokens: 100000000, limits: {{calc: {count + 10}}}}}\n"
    )
    said = [
        json.dumps({"thought": f"sum {n}", "calls": [{"tool": "calc", "args": {"expression": f"{n} + 1"}}]})
        for n in range(count)
    ]
    numbers = " ".join(str(n) for n in range(count))

    def model(prompt: Any) -> str:
        if not said:
            raise asyncio.CancelledError  # as when its process ends: nothing says that the run has
        return said.pop(0)

    async def drive() -> str:
        async with from_manifest(logs.load(path / "ringfence.yaml"), model=ScriptedModel(model)) as agent:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.create_task(agent.run(f"add 1 to each of {numbers}"))
            return agent.journal.log.runs(1)[0].run

    run = asyncio.run(drive())
    with wiring.open_log(logs.load(path / "ringfence.yaml")) as log:
        records = len(log.read(run))
        kept = log.state(run) is not None
        whole = min(timed(lambda: fold(log.read(run)))[1] for _ in range(5)) * MS
        short = min(timed(lambda: from_snapshot(log, run))[1] for _ in range(5)) * MS
    assert kept
    return {"records": records, "with": short, "without": whole}


def others(table: Table, *, quick: bool) -> None:
    """The tables of the crash battery, with few random instants, and of the redactor, from their own benchmarks."""
    commands = [["redaction.py", "1", "300", "-q"]] if quick else [["crash.py", "20"], ["redaction.py", "-q"]]
    for command in commands:
        if (HERE / command[0]).exists():
            print(f"\nbench/{' '.join(command)}", flush=True)
            done = subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], cwd=HERE.parent)
            if done.returncode:
                table.missed.append(f"bench/{command[0]}: exit code {done.returncode}")


def main(*, quick: bool = False) -> None:
    """Print the table, and what was missed once more at its end."""
    table = Table()
    short, long = (10_000, 100_000) if quick else (100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        append(table, folder, 128 if quick else 512)
        small = logs.Making(folder / "small")
        small.grow(short)
        large = logs.Making(folder / "large")
        large.grow(short, together=512)
        middle = folder / "middle"
        shutil.copytree(folder / "large", middle)
        large.grow(long, together=512)
        made = [(f"{short:,} records one run at a time", folder / "small", short),
                (f"{short:,} records", middle, short), (f"{long:,} records", folder / "large", long)]  # fmt: skip
        shown(table, folder / "small" if not quick else folder / "large", 3 if quick else 5)
        verify(table, made)
        proofs(table, folder / "large", [1000, 10_000, 100_000] + ([] if quick else [1_000_000]))
        resumed(table, folder, [20, 200] if quick else [20, 200, 900])
    others(table, quick=quick)
    print(f"\n{len(table.missed)} missed")
    for line in table.missed:
        print(f"  MISSED {line}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
