"""The phone's programs in a private user and mount namespace: /data and /system are in their place, and the kernel itself hands aarch64
programs to qemu, by a binfmt_misc of this namespace alone (Linux 6.7 and later). Nothing of it is seen outside, and root is not needed.

The daemon enters once, at its start; its shells are chrooted into the tree that is mounted then:

    data, system       the device root's
    usr, etc, bin …    the host's, read-only: shell tools
    proc, dev          the host's processes; the harmless devices
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import traceback
from pathlib import Path

from edgeocr.emulator.launcher import Launch, OutputFilter, phone_environment
from edgeocr.emulator.linux_mounts import CLONE_NEWNS, CLONE_NEWUSER, MS_PRIVATE, MS_REC, bind, bind_read_only, mount, unshare
from edgeocr.emulator.qemu import ELF_MAGIC, ELF_MASK, PROBE_EXIT_CODE, Qemu, probe_program

PHONE_FOLDERS = ("data", "system")
HOST_FOLDERS = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


class NamespaceUnavailable(Exception):
    """This machine does not allow it; the message says what it refused."""


class NamespaceLauncher:
    """Launches into the tree that `enter` mounted at ``mounted``."""

    def __init__(self, state: Path, mounted: Path, qemu: Qemu) -> None:
        self._chroot = _chroot(mounted)
        self._environment = phone_environment(state, qemu.cpu, "")

    def launch(self, command: str) -> Launch:
        shell = ["/bin/sh", "-c", command] if command else ["/bin/sh", "-i"]
        return Launch([*self._chroot, *shell], self._environment, "/")

    def output_filter(self) -> OutputFilter | None:
        return None


def check(root: Path, mountpoint: Path, qemu: Qemu) -> None:
    """Try everything in a child process, down to running an aarch64 program; NamespaceUnavailable with the reason if it fails.

    `enter` cannot be undone, so it is tried where that does not matter. Call it before the first thread starts.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _report(writer, root, mountpoint, qemu)
    os.close(writer)
    with os.fdopen(reader, "rb") as report:
        reason = report.read().decode()
    os.waitpid(child, 0)
    if reason:
        raise NamespaceUnavailable(reason)


def _report(writer: int, root: Path, mountpoint: Path, qemu: Qemu) -> None:
    """The child's part of `check`: write the reason of a failure, if there is one, and leave."""
    try:
        enter(root, mountpoint, qemu)
        _run_probe(mountpoint)
    except NamespaceUnavailable as error:
        os.write(writer, str(error).encode())
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(0)


def enter(root: Path, mountpoint: Path, qemu: Qemu) -> None:
    """Move this process, which must have one thread, into the namespaces, and mount the phone's tree at ``mountpoint``.

    After NamespaceUnavailable it may be half there.
    """
    if platform.machine() == "aarch64":
        raise NamespaceUnavailable("on an aarch64 machine it would hand the shell's own tools to qemu, too")
    try:
        _enter_user_namespace()
        _mount_tree(root, mountpoint)
        _register_qemu(mountpoint, qemu)
    except OSError as error:
        raise NamespaceUnavailable(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)) from None


def _enter_user_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    mount("none", Path("/"), None, MS_REC | MS_PRIVATE)


def _mount_tree(root: Path, mountpoint: Path) -> None:
    mount("edgeocr-emulator", mountpoint, "tmpfs")
    for name in PHONE_FOLDERS:
        bind(root / name, _folder(mountpoint / name))
    for name in HOST_FOLDERS:
        source, target = Path("/", name), mountpoint / name
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        elif source.is_dir():
            bind_read_only(source, _folder(target))
    bind(Path("/proc"), _folder(mountpoint / "proc"))
    _mount_devices(_folder(mountpoint / "dev"))


def _mount_devices(folder: Path) -> None:
    for name in DEVICES:
        target = folder / name
        target.touch()
        bind(Path("/dev", name), target)
    bind(Path("/dev/pts"), _folder(folder / "pts"))
    _folder(folder / "shm").chmod(0o1777)
    for name, target_text in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")):
        (folder / name).symlink_to(target_text)


def _register_qemu(mountpoint: Path, qemu: Qemu) -> None:
    handlers = _folder(mountpoint / ".binfmt_misc")
    try:
        mount("binfmt_misc", handlers, "binfmt_misc")
        # F: the kernel opens qemu now, so that it is found from inside the tree, too.
        rule = f":edgeocr-aarch64:M::{_escape(ELF_MAGIC)}:{_escape(ELF_MASK)}:{qemu.path}:F"
        (handlers / "register").write_text(rule)
    except OSError as error:
        raise NamespaceUnavailable(f"no private binfmt_misc, which needs Linux 6.7: {error.strerror}") from None


def _run_probe(mountpoint: Path) -> None:
    program = mountpoint / ".probe"
    program.write_bytes(probe_program())
    program.chmod(0o755)
    try:
        code = subprocess.run([*_chroot(mountpoint), "/.probe"], capture_output=True, timeout=10, check=False).returncode
    except subprocess.TimeoutExpired:
        raise NamespaceUnavailable("an aarch64 program did not end within 10 s") from None
    if code != PROBE_EXIT_CODE:
        raise NamespaceUnavailable(f"an aarch64 program ended with {code}, expected {PROBE_EXIT_CODE}")


def _chroot(tree: Path) -> list[str]:
    program = shutil.which("chroot", path=SYSTEM_PATH)
    if program is None:
        raise NamespaceUnavailable("there is no chroot program")
    return [program, str(tree)]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _escape(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)
