"""What the tests of changes to files share: a box of folders, its tools, and a call that names its run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.core.labels import IDENTITY
from ringfence.core.values import Action, canonical
from ringfence.tools.folders import Folders
from ringfence.tools.tool import Tool, Use
from ringfence.tools.undo import tools

Call = Callable[..., Any]


class Box:
    """A folder `conf` that tools may write, a state folder, and a secret beside them. Each call is a run of its own."""

    def __init__(self, place: Path, *, limit: int = 5 * 2**20) -> None:
        self.place = place
        self.conf = place / "conf"
        self.state = place / "state"
        if not self.conf.exists():
            (self.conf / "sub").mkdir(parents=True)
            (place / "secret.txt").write_text("SECRET\n")
        self.folders = Folders([Path("conf")], base=place, max_file_bytes=limit)
        self.tools = {tool.spec.name: tool for tool in tools(self.folders, self.state, Use())}
        self.runs = itertools.count()

    def tool(self, verb: str) -> Tool:
        return self.tools[f"tool:files.{verb}"]

    async def call(self, verb: str, /, run: str = "", **args: Any) -> Any:
        tool = self.tool(verb)
        action = Action(tool.spec.name, tool.spec.check(args), IDENTITY, run=run or f"r{next(self.runs)}")
        value = (await tool.sink.perform(action)).value
        canonical(value)
        return value

    async def preview(self, verb: str, /, **args: Any) -> str:
        preview = self.tool(verb).preview
        assert preview is not None
        return await preview(args)

    def files(self) -> dict[str, bytes]:
        """Everything beneath `conf`, hidden files too."""
        return {str(p.relative_to(self.conf)): p.read_bytes() for p in sorted(self.conf.rglob("*")) if p.is_file()}
