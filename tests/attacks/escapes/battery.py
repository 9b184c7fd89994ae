"""Every attempt on a launcher, as JSON: `python -m tests.attacks.escapes.battery bubblewrap landlock unsafe-none`."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ringfence.jobs import Job
from ringfence.sandboxes.choice import LAUNCHERS, AnyLauncher, probe

from .world import DOMAIN, LIMITS, SYSCTL, Trial, World

INSIDE = Path(__file__).parent / "inside"
PYTHON = "/usr/bin/python3"
AT_ONCE = 6
CANNOT = 77  # the exit status that says that a launcher does not start here
OUTPUT = 1 << 20
Verdict = Callable[[World, Trial], bool]


def said(world: World, trial: Trial) -> bool:
    """The token came out of it: what it read, or that a call went through."""
    return world.token in trial.output


def sent(world: World, trial: Trial) -> bool:
    """A server of the host received the token."""
    return world.token.encode() in world.received


def there(name: str) -> Verdict:
    """A file that was not there is."""
    return lambda world, trial: os.path.lexists(world.folder / name)


def another(name: str) -> Verdict:
    """A file is not as it was."""

    def differs(world: World, trial: Trial) -> bool:
        path = world.folder / name
        if not path.exists() or path.read_text() != "as it was":
            return True
        status = path.stat()
        return stat.S_IMODE(status.st_mode) != 0o644 or status.st_mtime < 2 or "user.token" in os.listxattr(path)

    return differs


def has_set_id(world: World, trial: Trial) -> bool:
    """A program with a set-uid or set-gid bit lies on the host."""
    return world.mode(world.work / "mine") & 0o6000 != 0


def large(world: World, trial: Trial) -> bool:
    """A file is larger than any may be."""
    path = world.work / "large"
    return path.exists() and path.stat().st_size > LIMITS.file_mb << 20


def dumped(world: World, trial: Trial) -> bool:
    """A core lies in the working folder."""
    return any(path.name.startswith("core") for path in world.work.iterdir())


def lives_on(world: World, trial: Trial) -> bool:
    """Something of it is alive after its end."""
    return any(True for _ in world.alive())


def too_long(world: World, trial: Trial) -> bool:
    """It ran on after its wall time."""
    return trial.seconds > (LIMITS.wall_s or 0) + 3


def victim(what: Callable[[World], bool]) -> Verdict:
    """Something happened to somebody else's process."""
    return lambda world, trial: what(world)


def _dead(world: World) -> bool:
    return world._victim is not None and world._victim.poll() is not None


SAID = [
    "read_a_file",
    "read_by_dots",
    "read_by_symlink",
    "read_by_hardlink",
    "stat_a_file",
    "read_a_disk",
    "read_the_kernels_log",
    "change_the_root",
    "read_the_environment_of_a_process",
    "read_the_command_line_of_a_process",
    "read_by_the_root_of_a_process",
    "read_by_the_folder_of_a_process",
    "read_by_a_descriptor_of_a_process",
    "read_the_memory_of_a_process",
    "read_the_memory_of_a_process_by_a_call",
    "trace_a_process",
    "take_a_descriptor_of_a_process",
    "enter_the_namespaces_of_a_process",
    "read_an_inherited_descriptor",
    "open_a_raw_socket",
    "open_a_packet_socket",
    "open_a_netlink_socket",
    "open_a_crypto_socket",
    "open_a_socket_of_the_virtual_machine",
    "read_shared_memory",
    "read_system_v_memory",
    "read_a_message_queue",
    "read_a_key",
    "type_into_its_own_terminal",
    "become_root_by_su",
    "make_a_user_namespace",
    "make_a_mount_namespace",
    "clone_into_a_namespace",
    "load_a_bpf_map",
    "count_events",
    "open_an_io_ring",
    "catch_page_faults",
    "load_a_module",
    "fork_without_end",
    "start_threads_without_end",
    "eat_memory",
    "eat_shared_memory",
    "eat_memory_by_children",
    "eat_memory_by_files",
    "eat_system_v_memory",
    "eat_cpu",
    "eat_cpu_by_children",
    "fill_the_temporary_folder",
    "fill_shared_memory",
    "open_files_without_end",
]
SENT = [
    "connect_by_tcp",
    "connect_by_tcp_6",
    "connect_to_the_hosts_address",
    "connect_without_connect",
    "send_by_udp",
    "ask_a_name_server",
    "connect_to_a_path",
    "connect_to_a_path_that_is_declared",
    "connect_to_a_path_that_is_read_only",
    "write_to_a_path_by_a_pair",
    "connect_to_an_abstract_name",
]
ATTEMPTS: dict[str, Verdict] = {
    **dict.fromkeys(SAID, said),
    **dict.fromkeys(SENT, sent),
    "list_a_folder": lambda world, trial: "secret" in trial.output,
    "read_the_systems_files": lambda world, trial: Path("/etc/passwd").read_text().splitlines()[-1] in trial.output,
    "read_an_inherited_environment": lambda world, trial: "RINGFENCE_SECRET" in trial.output,
    "write_a_new_file": there("home/new"),
    "write_by_symlink": there("home/new"),
    "rename_out": there("home/new"),
    "overwrite_a_file": another("home/kept"),
    "truncate_a_file": another("home/kept"),
    "delete_a_file": another("home/kept"),
    "change_a_mode": another("home/kept"),
    "change_a_time": another("home/kept"),
    "mark_with_an_attribute": another("home/kept"),
    "overwrite_what_is_read_only": another("given/kept"),
    "change_the_mode_of_what_is_read_only": another("given/kept"),
    "delete_what_is_read_only": another("given/kept"),
    "remount_what_is_read_only": another("given/kept"),
    "link_into_what_is_read_only": there("given/new"),
    "leave_a_setuid_program": has_set_id,
    "create_a_setuid_program": has_set_id,
    "make_a_device": there("work/mine"),
    "set_a_sysctl": lambda world, trial: world.changed(SYSCTL),
    "set_in_sys": lambda world, trial: world.changed(world.sysfs),
    "name_the_machine": lambda world, trial: world.changed(DOMAIN),
    "kill_a_process": victim(_dead),
    "kill_a_process_by_a_descriptor": victim(_dead),
    "limit_a_process": victim(lambda world: "33" in Path(f"/proc/{world.victim}/limits").read_text()),
    "slow_a_process": victim(lambda world: os.getpriority(os.PRIO_PROCESS, world.victim) == 19),
    "type_into_the_terminal": lambda world, trial: world.token in world.typed(),
    "write_a_large_file": large,
    "dump_core": dumped,
    "live_on_alone": lives_on,
    "breed_and_die": lives_on,
    "outlive_the_wall": too_long,
}
DURING: dict[str, Callable[[World], bool]] = {
    "listen_for_the_host": World.listens,
    "mount_something": lambda world: os.path.ismount(world.work / "mine"),
    "be_root": World.runs_as_root,
    "run_a_setuid_program": World.runs_as_root,
}
SETTINGS = ("set_a_sysctl", "set_in_sys", "name_the_machine")  # of the whole machine: one at a time
NAMES = [*ATTEMPTS, *DURING]


async def _watch(what: Callable[[World], bool], world: World) -> None:
    while not what(world):
        await asyncio.sleep(0.02)


async def attempt(name: str, launcher: AnyLauncher) -> bool:
    """Whether the attempt got anywhere."""
    world = World(settings=name in SETTINGS)
    process = None
    try:
        await world.open(victim="process" in name or name == "be_root")
        began = time.monotonic()
        process = await launcher.start(_job(name, world))
        output = asyncio.ensure_future(asyncio.gather(process.stdout.read(OUTPUT), process.stderr.read(OUTPUT)))
        end = asyncio.ensure_future(process.wait())
        if name in DURING:
            seen = asyncio.ensure_future(_watch(DURING[name], world))
            done, _ = await asyncio.wait({seen, end}, return_when=asyncio.FIRST_COMPLETED)
            seen.cancel()
            process.kill()
            await asyncio.gather(end, output)
            return seen in done
        how = await end
        seconds = time.monotonic() - began
        streams = await output
        await asyncio.sleep(0.02)  # for servers to read what they were sent
        return ATTEMPTS[name](world, Trial(streams[0].decode(errors="replace"), how, seconds))
    finally:
        if process is not None:
            process.kill()
            process.stdin.close()
        await world.close()


async def works(launcher: AnyLauncher) -> bool:
    """Whether an honest tool does its work: else an attempt that fails shows nothing."""
    world = World()
    try:
        await world.open(victim=False)
        process = await launcher.start(_job("do_its_work", world))
        out, err, how = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
        process.stdin.close()
        done = (world.work / "done").read_text() if (world.work / "done").exists() else ""
        if how != "exit 0" or done != world.token:
            print(f"an honest tool did not get through: {how} {err.decode()}", file=sys.stderr)
        return how == "exit 0" and done == world.token and world.token.encode() in out
    finally:
        await world.close()


def _job(name: str, world: World) -> Job:
    argv = (PYTHON, "-I", "-S", str(INSIDE), name, json.dumps(world.arguments()))
    reads = (str(world.given), str(INSIDE))
    return Job(argv, str(world.work), {"PATH": "/usr/bin:/bin"}, reads, (str(world.work),), LIMITS)


async def run(launcher: AnyLauncher, names: list[str]) -> dict[str, bool]:
    """Each attempt's name, and whether it escaped."""
    turn = asyncio.Semaphore(AT_ONCE)

    alone = asyncio.Lock()

    async def one(name: str) -> bool:
        async with alone if name in SETTINGS else turn:
            return await attempt(name, launcher)

    try:
        return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))
    finally:
        launcher.close()


async def main(launchers: list[str], names: list[str]) -> dict[str, dict[str, dict[str, bool | str]]]:
    """All of them on each launcher, beside what it says that it holds.

    Ends the process with CANNOT where one does not start, with 1 where an honest tool cannot work.
    """
    os.environ["RINGFENCE_SECRET"] = "of the operator"
    told: dict[str, dict[str, dict[str, bool | str]]] = {}
    for name in launchers:
        launcher = LAUNCHERS[name]()
        if (why := await probe(launcher)) is not None:
            print(f"{name} does not start here: {why}", file=sys.stderr)
            sys.exit(CANNOT)
        if not await works(launcher):
            sys.exit(1)
        told[name] = {"holds": dict(launcher.holds), "escaped": {**await run(launcher, names or NAMES)}}
    return told


if __name__ == "__main__":
    chosen = [arg for arg in sys.argv[1:] if arg in LAUNCHERS]
    print(json.dumps(asyncio.run(main(chosen, [arg for arg in sys.argv[1:] if arg in NAMES]))))
