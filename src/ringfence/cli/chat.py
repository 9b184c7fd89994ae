"""`ringfence chat`: a conversation, one run per message."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import app
from ..core.errors import RingfenceError
from ..engine.result import Result
from ..manifest.loader import load
from . import approvals, cited, exits, runs
from .exits import Exit, Interrupted
from .interrupt import interruptible
from .question import find_out
from .run import caller, resume_hint
from .screen import console
from .text import decoded, plain

HELP = """\
Write a task and press Enter; each message is a run of its own, and sees what was said before.
  /run ID   the timeline of a run       /runs   the newest runs
  /open N   passage [N] of the last answer, in context
  /new      begin a new conversation    /quit   leave (or Ctrl-D)
Ctrl-C stops the run that is under way; it can be resumed."""
_HISTORY_LINES = 1000


def execute(
    manifest: Path, conversation: str, *, offline: bool, about: tuple[str, ...] = (), roles: tuple[str, ...] = ()
) -> Exit:
    """Read, run, print, until the input ends."""
    from .models import fetch_missing

    loaded = load(manifest)
    app.keep_log(loaded)
    with asyncio.Runner() as runner:
        runner.run(interruptible(fetch_missing(loaded, console(stderr=True), offline=offline)))
        agent = app.from_manifest(loaded, roles=roles)
        try:
            with _history(manifest.parent / runs.JOURNAL.parent / "history"):
                Chat(manifest, agent, runner, conversation or app.new_run_id(app.now_ms()), about).loop()
        finally:
            runner.run(agent.close())
            approvals.warn(agent)
    return Exit.DONE


class Chat:
    """One person at one prompt."""

    def __init__(
        self,
        manifest: Path,
        agent: app.Agent,
        runner: asyncio.Runner,
        conversation: str,
        about: tuple[str, ...] = (),
    ) -> None:
        self._manifest = manifest
        self._about = about
        self._agent = agent
        self._runner = runner
        self._conversation = conversation
        self._out = console(stderr=True)
        self._last = ""  # the run that answered last

    def loop(self) -> None:
        """Until /quit or the end of the input. An error of one message does not end the conversation."""
        approvals.shout(self._agent)
        self._note(f"conversation {self._conversation}; /help says what can be done")
        while (line := self._read()) is not None and line != "/quit":
            if not line:
                continue
            try:
                self._command(line) if line.startswith("/") else self._say(line)
            except (RingfenceError, OSError) as error:
                exits.complain(error)

    def _read(self) -> str | None:
        while True:
            try:
                return decoded(input("> " if sys.stdin.isatty() else "")).strip()
            except EOFError:
                return None
            except KeyboardInterrupt:
                print(file=sys.stderr)  # as a shell does: Ctrl-C at the prompt drops the line
            except UnicodeDecodeError:
                self._note("that line was not UTF-8 text; it was left out")

    def _command(self, line: str) -> None:
        match line.split():
            case ["/help"]:
                print(HELP)
            case ["/run", run_id]:
                runs.show(self._manifest, run_id, full=False)
            case ["/runs"]:
                runs.list_runs(self._manifest, limit=20, as_json=False)
            case ["/open", number] if number.isdecimal() and len(number) < 6 and self._last:
                cited.open_passage(self._manifest, self._last, int(number))
            case ["/new"]:
                self._conversation = app.new_run_id(app.now_ms())
                self._note(f"conversation {self._conversation}")
            case _:
                self._note(f"no command {plain(line)}; /help shows them")

    def _say(self, task: str) -> None:
        seen: list[str] = []
        try:
            result = self._runner.run(interruptible(self._run(task, seen)))
        except Interrupted as stopped:
            if stopped.code == Exit.TERMINATED:
                raise
            hint = f"; resume with: {resume_hint(seen[0], self._manifest)}" if seen else ""
            self._note("stopped" + hint)
            return
        if result.answer or result.status not in ("waiting", "uncertain"):
            print(plain(result.answer), flush=True)
            cited.show(result.sources)
            self._last = result.run_id
        if result.status == "uncertain":
            self._note(find_out(result.summary, self._manifest))

    async def _run(self, task: str, seen: list[str]) -> Result:
        events = self._agent.stream(task, conversation=self._conversation, about=self._about, **caller())
        result = await approvals.follow(self._agent, events, seen, self._out, ask=approvals.at_terminal())
        if result.status == "waiting":
            await approvals.undecided(self._agent, result.run_id, self._manifest)
        return result

    def _note(self, words: str) -> None:
        self._out.print(words, style="dim", soft_wrap=True)


@contextlib.contextmanager
def _history(path: Path) -> Iterator[None]:
    """Line editing with the history of earlier chats, kept in a file that only its owner may read."""
    if not sys.stdin.isatty():
        yield
        return
    import readline

    path.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    readline.read_history_file(path)
    readline.set_history_length(_HISTORY_LINES)
    try:
        yield
    finally:
        readline.write_history_file(path)
