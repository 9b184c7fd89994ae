"""Models on this machine: a catalogue with pinned hashes, files, and how they get here."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import fcntl
import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ringfence.core.errors import BackendError, ManifestError

from .sources import Download, File, PackageIndex, Progress, Source, SourceError, Url

DEFAULT = "qwen2.5-coder-1.5b"
_MARGIN_BYTES = 64 * 1024 * 1024  # left free on the disk
_KINDS = ("file", "huggingface", "url", "package-index")


Kind = Literal["chat", "embedding"]


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file of a model: its size, its pinned SHA-256, and where it comes from."""

    file: str
    bytes: int
    sha256: str
    sources: tuple[tuple[str, Source], ...]

    @property
    def download(self) -> Download:
        """What a source has to bring."""
        return Download(self.file, self.bytes)


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue.

    files   the weights first; a chat model is one GGUF file, an embedding model an ONNX file and its tokenizer.json
    window  the tokens it was trained for, or takes at most
    tools   whether a chat model was trained to call tools
    dim     numbers in a vector of an embedding model
    """

    name: str
    files: tuple[Artefact, ...]
    license: str
    window: int
    kind: Kind = "chat"
    tools: bool = False
    dim: int = 0

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """Of its weights."""
        return self.files[0].sha256

    @property
    def sources(self) -> tuple[tuple[str, Source], ...]:
        """Where its weights come from."""
        return self.files[0].sources

    def folder(self, home: Path) -> Path:
        """Where its files lie: one among the others, several in a folder of their own."""
        return home / "models" if len(self.files) == 1 else home / "models" / self.name


def data_home() -> Path:
    """RINGFENCE_HOME, or `ringfence` in the XDG data home."""
    if home := os.environ.get("RINGFENCE_HOME"):
        return Path(home).expanduser().absolute()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "ringfence"


def catalogue(home: Path) -> dict[str, Model]:
    """Every known model by name: ours and those of `home/models.toml`. Raises ManifestError for a broken one."""
    models = _parse(resources.files(__package__).joinpath("models.toml").read_text(), "the built-in catalogue")
    own = home / "models.toml"
    if own.exists():
        models |= _parse(own.read_text(), str(own))
    return models


def _parse(text: str, where: str) -> dict[str, Model]:
    try:
        return {name: _model(name, entry) for name, entry in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as fault:
        raise ManifestError(f"{where}: {fault}", todo="correct it: the catalogue is a TOML file") from fault
    except (TypeError, KeyError, ValueError, AttributeError) as fault:
        raise ManifestError(
            f"{where}: an entry has a wrong or missing key: {fault}",
            todo="each model needs file, bytes, sha256, license, window, tools and sources; one of kind embedding has"
            " files (weights, tokenizer) and dim instead of tools",
        ) from fault


def _model(name: str, entry: dict[str, Any]) -> Model:
    if _plain(name) != name:
        raise ValueError(f"{name}: a model's name is a plain one, without a folder")
    rest = dict(entry)
    kind = rest.setdefault("kind", "chat")
    if "files" not in rest:
        rest["files"] = [{key: rest.pop(key) for key in ("file", "bytes", "sha256", "sources") if key in rest}]
    files = tuple(_artefact(name, file) for file in rest.pop("files"))
    needed = {"chat": (1, "tools"), "embedding": (2, "dim")}
    if kind not in needed:
        raise ValueError(f"{name}: `kind` is {' or '.join(needed)}")
    count, key = needed[kind]
    if len(files) != count or key not in rest:
        raise ValueError(f"{name}: a model of kind {kind} has {count} file(s) and `{key}`")
    return Model(name, files, **rest)


def _artefact(name: str, entry: dict[str, Any]) -> Artefact:
    if _plain(entry["file"]) != entry["file"] or len(entry["sha256"]) != 64:
        raise ValueError(f"{name}: `file` is a plain name and `sha256` 64 hex digits")
    sources = tuple((str(source["kind"]), _source(source)) for source in entry.get("sources", ()))
    return Artefact(**{**entry, "sources": sources})


def _plain(name: str) -> str:
    return Path(name).name


def _source(entry: dict[str, Any]) -> Source:
    keys = {key: value for key, value in entry.items() if key != "kind"}
    match entry["kind"]:
        case "huggingface" | "url":
            return Url(**keys)
        case "package-index":
            return PackageIndex(**keys)
        case "file":
            return File(Path(keys["path"]).expanduser())
        case kind:
            raise ValueError(f"unknown kind of source {kind!r}; there are {', '.join(_KINDS)}")


def find(name: str, home: Path, *, kind: Kind | None = None) -> Model:
    """The catalogue's entry; ManifestError names the nearest ones, or those of the `kind` that is needed."""
    models = {known: model for known, model in catalogue(home).items() if kind in (None, model.kind) or known == name}
    if name not in models:
        near = difflib.get_close_matches(name, models, n=3, cutoff=0.4) or sorted(models)
        path = "" if kind == "embedding" else ", or a path to a .gguf file"
        raise ManifestError(f"no model is named {name!r}", todo=f"take {' or '.join(near)}{path}")
    found = models.pop(name)
    if kind not in (None, found.kind):
        use = {"chat": "it cannot chat", "embedding": "it makes no vectors of texts"}[kind or found.kind]
        raise ManifestError(
            f"expected a model of kind {kind}, got {name}, which is of kind {found.kind}: {use}",
            todo=f"take {' or '.join(sorted(models))}",
        )
    return found


def list_models(home: Path) -> list[tuple[Model, bool]]:
    """Every model of the catalogue, and whether it is on this machine."""
    return [(model, _present(model, home)) for model in catalogue(home).values()]


def _present(model: Model, home: Path) -> bool:
    return all(_whole(file, model.folder(home) / file.file) for file in model.files)


def _whole(wanted: Artefact, file: Path) -> bool:
    return file.is_file() and file.stat().st_size == wanted.bytes


def path(name: str, home: Path) -> Path:
    """Where the model's file is, or the folder of its several; BackendError if it is not on this machine."""
    if name.endswith(".gguf"):
        file = Path(name).expanduser()
        if not file.is_file():
            raise BackendError(f"there is no model file {file}", todo="correct `model`, or name one of the catalogue")
        return file.absolute()
    model, files = find(name, home), paths(name, home)
    return files[0] if len(files) == 1 else model.folder(home)


def paths(name: str, home: Path) -> tuple[Path, ...]:
    """Every file of a model of the catalogue, the weights first; BackendError if it is not on this machine."""
    model = find(name, home)
    if not _present(model, home):
        raise BackendError(
            f"the model {name} is not on this machine ({_readable(model.bytes)})",
            todo=f"fetch it with `ringfence models pull {name}`",
        )
    return tuple(model.folder(home) / file.file for file in model.files)


def _readable(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def digest(name: str, home: Path) -> str:
    """SHA-256 of the model's file: pinned for the catalogue's, computed once for a file of one's own."""
    if not name.endswith(".gguf"):
        return find(name, home).sha256
    file = path(name, home)
    now = file.stat()
    mark = [now.st_size, now.st_mtime_ns]
    cache = home / "run" / f"digest-{hashlib.sha256(os.fsencode(file)).hexdigest()[:16]}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(cache.read_bytes())
        if known["mark"] == mark:
            return str(known["sha256"])
    found = _sha256(file)
    with contextlib.suppress(OSError):  # only a cache
        cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        cache.write_text(json.dumps({"mark": mark, "sha256": found}))
    return found


def remove(name: str, home: Path) -> int:
    """Delete the model's files and what was begun of them; the bytes that were freed."""
    model, freed = find(name, home), 0
    for wanted in model.files:
        for file in (model.folder(home) / wanted.file, model.folder(home) / f"{wanted.file}.part"):
            if file.exists():
                freed += file.stat().st_size
                file.unlink()
    return freed


async def pull(
    name: str,
    home: Path,
    *,
    source: Path | None = None,
    prefer: Sequence[str] | None = None,
    progress: Progress = lambda done, total, note: None,
) -> Path:
    """Bring a model here, from where an earlier attempt stopped; its `path`. The hashes are always checked.

    source    a local file, or a folder that holds the model's files by their names; the only one tried
    prefer    kinds of sources in the order to try; those not named are left out (RINGFENCE_MODEL_SOURCES, commas)
    progress  called with (bytes done, bytes in all, what is going on)

    Raises BackendError with what each source said. A wrong hash leaves nothing behind.
    """
    model = find(name, home)
    folder, done = model.folder(home), 0
    local = _local(model, source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in model.files:
            origins = _ordered(model, file, local, prefer)
            await _bring(model, file, folder, origins, _shifted(progress, done, model.bytes))
            done += file.bytes
    except OSError as fault:
        raise BackendError(
            f"{name} could not be kept in {folder}: {fault.strerror}", todo="check the disk and RINGFENCE_HOME"
        ) from fault
    return path(name, home)


def _local(model: Model, source: Path | None) -> Mapping[str, Path] | None:
    """The local file to take for each of the model's."""
    if source is None:
        return None
    if source.is_dir():
        return {file.file: source / file.file for file in model.files}
    if len(model.files) > 1:
        named = " and ".join(file.file for file in model.files)
        raise ManifestError(f"expected a folder that holds {named}, got {source}", todo="name the folder")
    return {model.files[0].file: source}


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    """The progress of one file as that of the whole model."""
    return lambda done, _, note: progress(before + done, total, note)


async def _bring(
    model: Model, wanted: Artefact, folder: Path, origins: Sequence[tuple[str, Source]], progress: Progress
) -> None:
    """One file of a model, by the first source that has it."""
    file, part = folder / wanted.file, folder / f"{wanted.file}.part"
    async with _locked(folder / f".{wanted.file}.lock", progress, wanted.bytes):
        if _whole(wanted, file):
            return
        _check_disk(model.name, wanted, part)
        said = []
        for kind, origin in origins:
            try:
                await origin.fetch(wanted.download, part, progress)
                await _check(wanted, part, progress)
            except SourceError as fault:
                said.append(f"{kind}: {fault}")
                progress(_size(part), wanted.bytes, said[-1])
                continue
            part.replace(file)
            return
    where = "FILE" if len(model.files) == 1 else "FOLDER"
    raise BackendError(
        f"{model.name} could not be fetched:\n  " + "\n  ".join(said or ["no source is left to try"]),
        todo=f"fetch {wanted.file} by other means and run `ringfence models pull {model.name} --from {where}`",
    )


@contextlib.asynccontextmanager
async def _locked(path: Path, progress: Progress, total: int) -> AsyncIterator[None]:
    """One pull of a file at a time; a second one waits and then finds the file."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(0, total, "another command is fetching it")
                await asyncio.sleep(0.2)
        yield
    finally:
        os.close(fd)


def _ordered(
    model: Model, file: Artefact, local: Mapping[str, Path] | None, prefer: Sequence[str] | None
) -> list[tuple[str, Source]]:
    if local is not None:
        return [("file", File(local[file.file]))]
    inside = "" if len(model.files) == 1 else model.name
    every = [*(("file", File(Path(place) / inside / file.file)) for place in _folders()), *file.sources]
    if prefer is None and (named := os.environ.get("RINGFENCE_MODEL_SOURCES")):
        prefer = [word.strip() for word in named.split(",") if word.strip()]
    if prefer is None:
        return every
    if wrong := [kind for kind in prefer if kind not in _KINDS]:
        raise ManifestError(f"no kind of source is named {wrong[0]!r}", todo=f"there are {', '.join(_KINDS)}")
    return [pair for kind in prefer for pair in every if pair[0] == kind]


def _folders() -> list[str]:
    """RINGFENCE_MODEL_DIR: folders where an operator keeps model files; of several, in a folder of the name."""
    return [place for place in os.environ.get("RINGFENCE_MODEL_DIR", "").split(os.pathsep) if place]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _check_disk(name: str, wanted: Artefact, part: Path) -> None:
    largest = max((s.part_bytes * s.AHEAD for _, s in wanted.sources if isinstance(s, PackageIndex)), default=0)
    need = wanted.bytes - _size(part) + min(largest, 2 * wanted.bytes) + _MARGIN_BYTES
    free = shutil.disk_usage(part.parent).free
    if free < need:
        raise BackendError(
            f"{name} needs {need / 1e9:.2f} GB on the disk of {part.parent}, which has {free / 1e9:.2f} GB free",
            todo="free some space, or set RINGFENCE_HOME to a folder on a larger disk",
        )


async def _check(wanted: Artefact, part: Path, progress: Progress) -> None:
    progress(wanted.bytes, wanted.bytes, "checking SHA-256")
    found = await asyncio.to_thread(_sha256, part)
    if found != wanted.sha256:
        await asyncio.to_thread(part.unlink)
        raise SourceError(f"its SHA-256 is {found[:16]}..., expected {wanted.sha256[:16]}...; it was removed")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
