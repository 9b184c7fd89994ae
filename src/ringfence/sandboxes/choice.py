"""Which launcher: the strongest that really starts a job here."""

from __future__ import annotations

from ..core.errors import ManifestError, ToolError
from ..jobs import Job, Limits
from .launchers import Bubblewrap, Landlock, UnsafeNoSandbox, missing

AnyLauncher = Bubblewrap | Landlock | UnsafeNoSandbox
LAUNCHERS: dict[str, type[AnyLauncher]] = {
    "bubblewrap": Bubblewrap, "landlock": Landlock, "unsafe-none": UnsafeNoSandbox,
}  # fmt: skip
AUTO = ("bubblewrap", "landlock")  # never unsafe-none: that has to be written down
PROBE = Job(argv=("/bin/true",), limits=Limits(wall_s=10.0))
TODO = (
    "install bubblewrap (the package is called so), and allow unprivileged user namespaces; or write"
    " `sandbox: unsafe-none`, which lets every tool read, write and connect as you do"
)


async def probe(launcher: AnyLauncher) -> str | None:
    """Really start a job; None if it ran, else why it did not."""
    if (why := missing(launcher.name)) is not None:
        return why
    try:
        process = await launcher.start(PROBE)
        how = await process.wait()
        process.kill()
    except ToolError as fault:
        return fault.what
    return None if how == "exit 0" else f"/bin/true ended with {how}"


async def choose(wanted: str = "auto") -> AnyLauncher:
    """The launcher named `wanted`, or the best that works for "auto"; it has run a job before it is returned.

    Raises ManifestError where none works: nothing runs unconfined unless the manifest says so.
    """
    if wanted != "auto" and wanted not in LAUNCHERS:
        raise ManifestError(f"sandbox {wanted!r} is none of auto, {', '.join(LAUNCHERS)}")
    found: list[str] = []
    for name in AUTO if wanted == "auto" else (wanted,):
        launcher = LAUNCHERS[name]()
        try:
            why = await probe(launcher)
        except BaseException:  # given up on: its worker is not left behind
            launcher.close()
            raise
        if why is None:
            return launcher
        launcher.close()
        found.append(f"{name}: {why}")
    todo = TODO if wanted == "auto" else f"write `sandbox: auto`, which takes the best that starts here; or {TODO}"
    raise ManifestError("no sandbox can be started here: " + "; ".join(found), todo=todo)
