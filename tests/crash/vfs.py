"""SQLite files that go through a shim: power can be lost, and the disk can fill up, fail, or tear a write in two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import apsw


class Disk(apsw.VFS):
    """A disk that remembers, for every file, what was in it when it was last synced.

    A kill leaves the page cache alive; a loss of power does not. `after_power_loss` lays down what a machine would find
    when it starts again. While `full` is set, every write fails as on a full disk.

    fails   what goes wrong from the operation `fails_at` on (writes and syncs are counted in `operations`): "ENOSPC",
            "EIO", or "torn": half of a write gets there, and nothing after it
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.synced: dict[Path, bytes] = {}
        self.full = False
        self.fails: Literal["", "ENOSPC", "EIO", "torn"] = ""
        self.fails_at = 0
        self.operations = 0
        super().__init__(name, base="")

    def operate(self) -> bool:
        """Count an operation; whether it is the one that fails first. Raises if the disk has failed already."""
        self.operations += 1
        if not self.fails or self.operations < self.fails_at:
            return False
        if self.fails == "ENOSPC":
            raise apsw.FullError("database or disk is full")
        if self.fails == "EIO" or self.operations > self.fails_at:
            raise apsw.IOError("disk I/O error")
        return True

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:
        return DiskFile(name, flags, self)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.synced.pop(Path(filename), None)

    def after_power_loss(self, folder: Path) -> None:
        """Write the files as they were synced last into another folder; one that never was is not there."""
        lay_down(self.synced, folder)


def lay_down(files: Mapping[Path, bytes], folder: Path) -> None:
    """Write what was synced into another folder, and the operator's key, which is synced before it appears."""
    (folder / "keys").mkdir(parents=True)
    for path, content in files.items():
        (folder / ("keys" if path.parent.name == "keys" else "") / path.name).write_bytes(content)
        if path.parent.name == "keys":
            (folder / "keys" / "operator.key").write_bytes((path.parent / "operator.key").read_bytes())
            (folder / "keys" / "operator.key").chmod(0o600)


class DiskFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], disk: Disk) -> None:
        self.disk = disk
        self.path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        if self.disk.full:
            raise apsw.FullError("database or disk is full")
        if self.disk.operate():
            super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise apsw.IOError("disk I/O error")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self.disk.operate():
            raise apsw.IOError("disk I/O error")
        super().xSync(flags)
        self.disk.synced[self.path] = self.xRead(self.xFileSize(), 0)
