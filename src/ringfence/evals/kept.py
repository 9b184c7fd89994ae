"""The runs of a suite in a JSON file: what is there is not played again, what no longer belongs together is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ringfence.core.errors import ManifestError

from .play import Side, Trial
from .suite import Case, Suite

FORMAT = 1


class Kept:
    """Runs, in a file where `path` names one.

    A run belongs to the case, the setup, the manifest and the model that it was made with. Raises ManifestError for a
    file that holds runs of others.
    """

    def __init__(self, path: Path | None, suite: Suite, sides: Sequence[Side]) -> None:
        self._path, self._suite = path, suite
        self._stamp = stamp(suite, sides)
        self.trials: list[Trial] = []
        if path is not None and path.exists():
            self._take(path)

    @property
    def known(self) -> set[tuple[str, str, int]]:
        """What has a run already."""
        return {trial.key for trial in self.trials}

    def add(self, trial: Trial) -> None:
        """Keep a run; the file is replaced in one step, so that an interruption leaves the last whole one.

        Raises ManifestError if the server of a tier answers with another model than it did in the runs before.
        """
        for tier, model in trial.models.items():
            before = {t.models[tier] for t in self.trials if t.side == trial.side and tier in t.models}
            if before - {model}:
                what = f"{trial.side}: expected {before.pop()} from tier {tier}, as before, got {model}"
                raise ManifestError(what, todo="its model has changed: begin anew, with another --json file")
        self.trials.append(trial)
        if self._path is not None:
            self.write(self._path)

    def write(self, path: Path, report: Mapping[str, Any] | None = None) -> None:
        """Write all of it, and the report where there is one."""
        whole = {"format": FORMAT, **self._stamp, "runs": [asdict(trial) for trial in self.trials]}
        if report is not None:
            whole["report"] = report
        draft = path.with_name(path.name + ".part")
        draft.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", "utf-8")
        draft.replace(path)

    def _take(self, path: Path) -> None:
        other = f"name another file with --json, or remove {path}"
        try:
            data = json.loads(path.read_text("utf-8"))
            runs = [_trial(run) for run in data["runs"]]
            before = {key: data[key] for key in self._stamp}
            number = data["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"{path}: expected runs that `ringfence eval --json` wrote, got something else ({error!r})"
            raise ManifestError(what, todo=other) from None
        if number != FORMAT:
            raise ManifestError(f"{path}: expected runs of format {FORMAT}, got format {number}", todo=other)
        if changed := _changed(before, self._stamp):
            what = f"{path}: expected runs of this suite, got runs from before {', '.join(changed)} changed"
            raise ManifestError(what, todo=f"they do not belong together: {other}")
        for key in ("cases", "sides"):  # what is not played this time stays what it was
            self._stamp[key] = {**before[key], **self._stamp[key]}
        self.trials = runs


def _trial(data: Mapping[str, Any]) -> Trial:
    return Trial(**{**data, "wrong": tuple(data["wrong"]), "calls": tuple(data["calls"])})


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = ["the setup"] if before["setup"] != now["setup"] else []
    for key, name in (("cases", "case"), ("sides", "the manifest or model of")):
        both = before[key].keys() & now[key].keys()
        found += [f"{name} {one}" for one in sorted(both) if before[key][one] != now[key][one]]
    return found


def stamp(suite: Suite, sides: Iterable[Side]) -> dict[str, Any]:
    """Digests of all that a run depends on and the suite names: the setup and its files, each case, each side."""
    return {
        "suite": suite.name,
        "setup": _digest(*_read(suite.folder / suite.setup if suite.setup else None), *_fresh(suite)),
        "cases": {case.id: _digest(_of(case)) for case in suite.cases},
        "sides": {side.label: _digest(side.model.encode(), *_read(side.manifest)) for side in sides},
    }


def _of(case: Case) -> bytes:
    return json.dumps(case.model_dump(mode="json", exclude={"tags"}), sort_keys=True).encode()


def _fresh(suite: Suite) -> list[bytes]:
    found = []
    for part in suite.fresh:
        path = suite.folder / part
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and ".ringfence" not in file.parts:
                found += [str(file.relative_to(suite.folder)).encode(), *_read(file)]
    return found


def _read(path: Path | None) -> list[bytes]:
    try:
        return [path.read_bytes()] if path is not None else []
    except OSError:
        return []  # said where it is used


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]
