"""The command line: names, options and help. What a command needs is imported when it is called: help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .exits import Exit
from .groups.accounts import keys, users
from .groups.audit import audit, witness
from .groups.kb import kb
from .groups.memory import memory
from .groups.privacy import privacy
from .groups.runs import runs
from .groups.server import server
from .groups.webhooks import webhooks
from .options import HERE, Json, Manifest, Offline, Open, Quiet, Roles, RunId, group

_HELP = """Run LLM agents inside your perimeter: a small local model, tools under one gate, every effect on the record.

Start with `ringfence init`, then `ringfence run "how many errors are in the log?"`.
"""


class Guarded(TyperGroup):
    """Ctrl-C in a command that does nothing about it ends the command, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("\nstopped", err=True)
            raise typer.Exit(Exit.INTERRUPTED) from None


app = group(
    _HELP, cls=Guarded, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)
models = group("The models on this machine: list, pull, rm, path; and what a manifest's models can do: probe.")
manifest = group("Check a manifest, or print its JSON Schema for your editor.")
app.add_typer(server)  # without a name: its commands stand beside these
app.add_typer(runs, name="runs")
app.add_typer(audit, name="audit")
app.add_typer(privacy, name="privacy")
app.add_typer(kb, name="kb")
app.add_typer(memory, name="memory")
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")
app.add_typer(webhooks, name="webhooks")
app.add_typer(witness, name="witness")
app.add_typer(models, name="models")
plugins = group("Packages of tools that others made: keygen, sign, verify.")
app.add_typer(manifest, name="manifest")
app.add_typer(plugins, name="plugins")

MaxSteps = Annotated[
    int | None, typer.Option(min=1, max=1000, help="model calls at most, instead of the manifest's", metavar="N")
]

About = Annotated[
    list[str] | None, typer.Option(metavar="SUBJECT", help="whose data it is about, such as patient:4711")
]


@app.command()
def init(
    config: Annotated[
        Path | None, typer.Option(help="check this manifest instead of writing one", metavar="FILE")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="which template to write: default, ollama or openai-compatible", metavar="NAME")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="write over a manifest that is there")] = False,
) -> None:
    """Write a manifest, or check one: reach the model, load the tools, say what is missing."""
    from . import checkup

    raise typer.Exit(checkup.init(config, template, HERE, force=force))


@app.command()
def run(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="what to do; `-` reads it from stdin")] = None,
    as_json: Json = False,
    manifest: Manifest = HERE,
    max_steps: MaxSteps = None,
    resume: Annotated[str, typer.Option(metavar="ID", help="go on with a run that was interrupted")] = "",
    about: About = None,
    roles: Roles = None,
    passage: Open = None,
    quiet: Quiet = False,
    offline: Offline = False,
) -> None:
    """Do one task: the timeline goes to stderr, the answer to stdout."""
    from . import run as command

    if resume and task is not None:
        raise typer.BadParameter("a resumed run has its task already; leave the task out")
    words = "" if resume else command.read_task(task)
    whom = tuple(about or ())
    if resume and whom:
        raise typer.BadParameter("a resumed run is about whom it was about; leave --about out")
    wanted = command.Wanted(
        manifest, words, resume, max_steps, as_json, quiet, offline, whom, tuple(roles or ()), open=passage
    )
    raise typer.Exit(command.execute(wanted))


@app.command()
def chat(
    manifest: Manifest = HERE,
    conversation: Annotated[str, typer.Option(metavar="ID", help="go on with an earlier conversation")] = "",
    about: About = None,
    roles: Roles = None,
    offline: Offline = False,
) -> None:
    """Talk: each message is a run, and sees what was said before."""
    from . import chat as command

    raise typer.Exit(
        command.execute(manifest, conversation, offline=offline, about=tuple(about or ()), roles=tuple(roles or ()))
    )


@app.command()
def route(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="a task; `-` reads it from stdin")] = None,
    manifest: Manifest = HERE,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="who may read what the task would find: role:hr, or untrusted"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which model a task would go to, and why; runs nothing, and sends nothing."""
    from . import route as command

    raise typer.Exit(command.execute(manifest, text, tuple(label or ()), as_json=as_json))


@app.command()
def approvals(manifest: Manifest = HERE, as_json: Json = False) -> None:
    """What runs wait for: the call as it would be made, and where each of its values comes from."""
    from . import approvals as command

    raise typer.Exit(command.list_waiting(manifest, as_objects=as_json))


Digest = Annotated[str, typer.Option(metavar="HEX", help="answer only if this is what is asked (or its beginning)")]
NoResume = Annotated[bool, typer.Option("--no-resume", help="put the answer on record, and leave the run as it is")]


@app.command()
def approve(
    run_id: RunId,
    manifest: Manifest = HERE,
    digest: Digest = "",
    trust: Annotated[
        list[str] | None, typer.Option(metavar="ARG", help="let the value of this argument hold for the whole run")
    ] = None,
    no_resume: NoResume = False,
) -> None:
    """Say yes, once, to the call that a run waits for."""
    from . import approvals as command

    said = command.Answer(True)
    raise typer.Exit(
        command.answer(manifest, run_id, said, digest=digest, endorse=tuple(trust or ()), resume=not no_resume)
    )


@app.command()
def deny(
    run_id: RunId,
    manifest: Manifest = HERE,
    digest: Digest = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="told to the model, so that it can do better")] = "",
    no_resume: NoResume = False,
) -> None:
    """Say no to the call that a run waits for; the model is told."""
    from . import approvals as command

    said = command.Answer(False, why=why)
    raise typer.Exit(command.answer(manifest, run_id, said, digest=digest, resume=not no_resume))


@app.command()
def lock(
    manifest: Manifest = HERE,
    review: Annotated[bool, typer.Option("--review", help="show each difference, and ask about it")] = False,
) -> None:
    """Pin what the tools of MCP servers are; what differs later is not called until it was reviewed."""
    from . import lock as command

    raise typer.Exit(command.lock(manifest, review=review))


@app.command()
def redteam(
    manifest: Manifest = HERE,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="only this risk, such as LLM01 or ASI05; may be repeated")
    ] = None,
    as_json: Json = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="write the table as Markdown, too")] = None,
) -> None:
    """Attack this manifest with a model that obeys every injection; exit 1 if anything gets out."""
    from . import redteam as command

    raise typer.Exit(command.execute(manifest, only=tuple(only or ()), as_json=as_json, report=report))


@app.command("eval")
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the suite, such as examples/ops/eval.yaml")],
    runs: Annotated[
        int | None, typer.Option(min=1, max=1000, metavar="N", help="play each case so often, instead of the suite's")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="the first seed; each run has the next one")] = 1,
    only: Annotated[str, typer.Option(metavar="ID,ID", help="only these cases")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="only cases with it; may be repeated")] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with this model in the first tier; may be repeated")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="play the same cases with another manifest, too")
    ] = None,
    gate: Annotated[str, typer.Option(metavar="NAME", help="which of the suite's gates decides the exit code")] = "",
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="keep the runs here; those already there are not repeated")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="write the report as Markdown, too")] = None,
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="keep the folder of each run here")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, metavar="N", help="begin no run after so long; --json goes on from there")
    ] = None,
    quiet: Quiet = False,
    offline: Offline = False,
) -> None:
    """Play a suite of cases and measure: exit 0 if its gate is reached, 1 if not, 2 if it cannot be played."""
    from . import evaluate as command

    ids = tuple(part for part in only.split(",") if part)
    chosen = (tuple(tag or ()), tuple(model or ()))
    wanted = command.Wanted(
        file, runs, seed, ids, *chosen, compare, gate, json, markdown, keep, minutes, quiet, offline
    )
    raise typer.Exit(command.execute(wanted))


@app.command()
def doctor(manifest: Manifest = HERE) -> None:
    """Check everything that a run needs, and say what to do about what is missing."""
    from . import checkup

    raise typer.Exit(checkup.doctor(manifest))


@app.command()
def version() -> None:
    """Print the version."""
    import platform

    from .. import __version__

    typer.echo(
        f"ringfence {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"
    )


@models.command("list")
def models_list() -> None:
    """The models that can be pulled, and those that are here."""
    from . import models as command

    command.list_models()


@models.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="a model of `models list`")],
    source: Annotated[
        str | None, typer.Option(help="where from, instead of all sources in order", metavar="SOURCE")
    ] = None,
    from_path: Annotated[
        Path | None, typer.Option("--from", help="a file or folder that holds the weights", metavar="PATH")
    ] = None,
) -> None:
    """Fetch a model's weights; the pinned SHA-256 is always checked, and an interrupted pull goes on where it was."""
    from . import models as command

    command.pull(name, source=source, from_path=from_path)


@models.command("rm")
def models_rm(name: Annotated[str, typer.Argument(help="a model that is here")]) -> None:
    """Remove a model's weights from this machine."""
    from . import models as command

    command.remove(name)


@models.command("path")
def models_path(name: Annotated[str, typer.Argument(help="a model that is here")]) -> None:
    """Print where a model's weights are."""
    from . import models as command

    command.print_path(name)


@models.command("probe")
def models_probe(
    manifest: Manifest = HERE,
    tier: Annotated[str, typer.Option(metavar="NAME", help="only this tier, instead of all")] = "",
    as_json: Json = False,
    again: Annotated[bool, typer.Option("--again", help="try anew what is known already")] = False,
) -> None:
    """Try what each tier's model and server can do: window, native calls, grammar, tokenizer, speed; it is kept."""
    from . import probing as command

    raise typer.Exit(command.probe(manifest, tier, as_json=as_json, again=again))


@manifest.command("check")
def manifest_check(file: Annotated[Path, typer.Argument(help="the manifest", metavar="FILE")] = HERE) -> None:
    """Validate a manifest without reaching anything; say in plain words what it cannot enforce."""
    from . import checkup

    raise typer.Exit(checkup.check_manifest(file))


@manifest.command("schema")
def manifest_schema() -> None:
    """Print the JSON Schema of manifests."""
    import json

    from ..manifest.loader import schema

    typer.echo(json.dumps(schema(), indent=2))


Package = Annotated[Path, typer.Argument(help="the folder of the package", metavar="DIR")]


@plugins.command("keygen")
def plugins_keygen(key: Annotated[Path, typer.Argument(help="where to write the private key", metavar="FILE")]) -> None:
    """Make a key pair: the private key goes to FILE (0600), the public one is printed for `plugins.keys`."""
    from ..tools import signing

    typer.echo(signing.keygen(key))


@plugins.command("sign")
def plugins_sign(
    folder: Package,
    key: Annotated[Path, typer.Option(help="the private key", metavar="FILE")],
    version: Annotated[str, typer.Option(help="the version that is signed", metavar="TEXT")],
) -> None:
    """Sign every file of a package."""
    from ..tools import signing

    package = signing.sign(folder, key, version=version)
    typer.echo(f"signed {package.name} {package.version}: {len(package.files)} files")


@plugins.command("verify")
def plugins_verify(folder: Package, manifest: Manifest = HERE) -> None:
    """Check a package against the keys that the manifest trusts."""
    from ..manifest.loader import load
    from ..tools import signing

    keys = load(manifest).plugins.keys
    package = signing.verify(folder, keys)
    owner = next(name for name, key in keys.items() if key == package.key)
    typer.echo(f"{package.name} {package.version} is as {owner} signed it")
