"""What a supervisor is told about one job: `jobs.Job` as JSON, and what it answers."""

from __future__ import annotations

import json
from typing import NamedTuple


class Refused(Exception):
    """The job cannot be confined as it asks. `todo` is the next step."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo


class Limits(NamedTuple):
    """`jobs.Limits`."""

    cpu_s: float
    wall_s: float | None
    memory_mb: int
    processes: int
    file_mb: int
    open_files: int


class Spec(NamedTuple):
    """One job, and the launcher that it goes through: "bubblewrap", "landlock" or "unsafe-none"."""

    launcher: str
    argv: list[str]
    cwd: str
    env: dict[str, str]
    reads: list[str]
    writes: list[str]
    limits: Limits
    egress: bool

    @classmethod
    def parse(cls, line: str | bytes) -> Spec:
        """From the JSON that `Worker.start` sends."""
        raw = json.loads(line)
        return cls(**{**raw, "limits": Limits(**raw["limits"])})


EGRESS_PORT = 3128
PROXY = f"http://127.0.0.1:{EGRESS_PORT}"
PROXIES = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), PROXY)
