"""Files that are not the tool's."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
import time

from kit import (
    ARGS,
    GIVEN,
    HOME,
    LIBC,
    MIB,
    TOKEN,
    WORK,
    say,
    show,
    write,
)


def do_its_work():
    """No attempt: what a tool is for has to work, or nothing else means anything."""
    show(f"{GIVEN}/kept")
    os.mkdir(f"{WORK}/folder")
    write(f"{WORK}/folder/done")
    os.rename(f"{WORK}/folder/done", f"{WORK}/done")
    with open(f"{WORK}/kept", "a") as file:
        file.write(" and more")
    with tempfile.TemporaryFile() as file:
        file.write(bytes(MIB))
    subprocess.run(["/bin/sh", "-c", "cat /dev/zero | head -c 10 >/dev/null; ls /usr >/dev/null"], check=True)
    say()


def read_a_file():
    show(f"{HOME}/secret")


def read_by_dots():
    show(f"{WORK}/../home/secret")


def read_by_symlink():
    os.symlink(f"{HOME}/secret", f"{WORK}/way")
    show(f"{WORK}/way")


def read_by_hardlink():
    os.link(f"{HOME}/secret", f"{WORK}/link")
    show(f"{WORK}/link")


def list_a_folder():
    say(os.listdir(HOME))


def stat_a_file():
    os.stat(f"{HOME}/secret")
    say()


def read_the_systems_files():
    show("/etc/passwd")


def write_a_new_file():
    write(f"{HOME}/new")


def overwrite_a_file():
    write(f"{HOME}/kept")


def truncate_a_file():
    os.truncate(f"{HOME}/kept", 1)


def write_by_symlink():
    os.symlink(f"{HOME}/new", f"{WORK}/way")
    write(f"{WORK}/way")


def rename_out():
    write(f"{WORK}/mine")
    os.rename(f"{WORK}/mine", f"{HOME}/new")


def delete_a_file():
    os.unlink(f"{HOME}/kept")


def change_a_mode():
    os.chmod(f"{HOME}/kept", 0o777)


def change_a_time():
    os.utime(f"{HOME}/kept", (1, 1))


def mark_with_an_attribute():
    os.setxattr(f"{HOME}/kept", "user.token", TOKEN.encode())


def overwrite_what_is_read_only():
    write(f"{GIVEN}/kept")


def change_the_mode_of_what_is_read_only():
    os.fchmod(os.open(f"{GIVEN}/kept", os.O_RDONLY), 0o777)


def delete_what_is_read_only():
    os.unlink(f"{GIVEN}/kept")


def remount_what_is_read_only():
    LIBC.mount(None, GIVEN.encode(), None, 0x20 | 0x1000, None)  # MS_REMOUNT | MS_BIND
    write(f"{GIVEN}/kept")


def link_into_what_is_read_only():
    write(f"{WORK}/mine")
    os.link(f"{WORK}/mine", f"{GIVEN}/new")


def leave_a_setuid_program():
    os.chmod(os.open(f"{WORK}/mine", os.O_CREAT | os.O_RDWR, 0o755), 0o4755)


def create_a_setuid_program():
    os.umask(0)
    os.close(os.open(f"{WORK}/mine", os.O_CREAT | os.O_RDWR, 0o6755))


def make_a_device():
    os.mknod(f"{WORK}/mine", stat.S_IFBLK | 0o666, os.makedev(7, 0))


def read_a_disk():
    for name in sorted(os.listdir("/dev")):
        if stat.S_ISBLK(os.stat(f"/dev/{name}").st_mode):
            os.open(f"/dev/{name}", os.O_RDONLY)
            return say()
    return None


def read_the_kernels_log():
    os.read(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK), 65536)
    say()


def set_a_sysctl():
    with open(ARGS["sysctl"], "w") as file:
        file.write(ARGS["sysctl_value"])


def set_in_sys():
    with open(ARGS["sysfs"], "w") as file:
        file.write(ARGS["sysfs_value"])


def mount_something():
    os.mkdir(f"{WORK}/mine")
    LIBC.mount(b"none", f"{WORK}/mine".encode(), b"tmpfs", 0, None)
    time.sleep(0.3)


def change_the_root():
    os.chroot(WORK)
    say()
