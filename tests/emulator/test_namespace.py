"""The namespaced way: nothing of it outside, nothing of the host changed, and a reason where it is refused."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from emulated_phone import Phone, private_adb, running_phone

from edgeocr import paths
from edgeocr.emulator import namespace
from edgeocr.emulator.device_root import make_root
from edgeocr.emulator.linux_mounts import mount
from edgeocr.emulator.namespace import NamespaceUnavailable
from edgeocr.emulator.qemu import Qemu, find_qemu
from edgeocr.errors import SetupError

FORBIDDEN_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces"


@pytest.fixture
def qemu() -> Qemu:
    try:
        return find_qemu()
    except SetupError as error:
        pytest.skip(error.message)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_root(tmp_path / "root")
    (tmp_path / "tree").mkdir()
    return tmp_path / "root"


def check(root: Path, qemu: Qemu) -> None:
    namespace.check(root, root.parent / "tree", qemu)


def check_or_skip(root: Path, qemu: Qemu) -> None:
    try:
        check(root, qemu)
    except NamespaceUnavailable as error:
        pytest.skip(str(error))


def test_nothing_is_mounted_outside(root: Path, qemu: Qemu) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    check_or_skip(root, qemu)
    assert Path("/proc/self/mountinfo").read_text() == before
    assert list((root.parent / "tree").iterdir()) == []


@pytest.mark.parametrize("phone", ["namespace"], indirect=True)
def test_the_hosts_folders_are_read_only_on_the_phone(phone: Phone) -> None:
    for folder in ("/usr", "/etc", "/bin"):
        code, _, err = phone.shell(f"touch {folder}/edgeocr-was-here")
        assert code != 0 and b"Read-only file system" in err
    assert phone.shell("ls /home /root /work")[0] != 0


def test_a_refused_binfmt_is_the_reason(root: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch) -> None:
    check_or_skip(root, qemu)

    def refusing(source: str, target: Path, kind: str | None, flags: int = 0) -> None:
        if kind == "binfmt_misc":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        mount(source, target, kind, flags)

    monkeypatch.setattr(namespace, "mount", refusing)
    with pytest.raises(NamespaceUnavailable, match=r"no private binfmt_misc, which needs Linux 6.7: .*not permitted"):
        check(root, qemu)


def test_a_qemu_that_does_not_run_programs_is_the_reason(root: Path, qemu: Qemu, tmp_path: Path) -> None:
    check_or_skip(root, qemu)
    broken = tmp_path / "qemu"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(NamespaceUnavailable, match=r"an aarch64 program ended with .*, expected 42"):
        check(root, Qemu(str(broken), qemu.cpu))


def test_an_aarch64_machine_has_no_use_for_it(root: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(NamespaceUnavailable, match="aarch64 machine"):
        check(root, qemu)


def restricted(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run where the kernel allows no further user namespace; skips where not even this one is allowed."""
    script = f'{FORBIDDEN_NAMESPACES} || exit 77; exec "$@"'
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT / "host")}
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    if done.returncode == 77 or done.stderr.startswith("unshare: "):
        pytest.skip("this machine allows no user namespace at all")
    return done


def edgeocr(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgeocr.cli", *arguments]


def test_where_namespaces_are_refused_commands_are_rewritten_and_the_reason_is_told(tmp_path: Path, aarch64_program: Path) -> None:
    with private_adb(tmp_path / "home") as adb:
        started = restricted(edgeocr("emulator", "start", "--json"))
        state = json.loads(started.stdout)
        assert (state["mode"], state["mode_reason"]) == ("prefix", "unshare: No space left on device")
        serial = state["serial"]
        adb.run(["-s", serial, "push", str(aarch64_program), "/data/local/tmp/program"])
        assert adb.run(["-s", serial, "shell", "chmod 755 /data/local/tmp/program; /data/local/tmp/program exit 42"]).returncode == 42


def test_where_namespaces_are_refused_they_cannot_be_forced(tmp_path: Path) -> None:
    with private_adb(tmp_path / "home"):
        done = restricted(edgeocr("emulator", "start", "--mode", "namespace"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: no private namespace for the emulated phone: unshare: No space left on device",
        "hint: start it with --mode prefix",
    ]


def test_the_phones_root_is_the_user_and_nobody_else(tmp_path: Path) -> None:
    with private_adb(tmp_path / "home") as adb, running_phone(adb, "namespace") as phone:
        assert Path(f"/proc/{phone.state.pid}/uid_map").read_text().split() == ["0", str(os.getuid()), "1"]
        assert phone.shell("touch /data/local/tmp/file && id -u") == (0, b"0\n", b"")
        assert (phone.root / "data/local/tmp/file").stat().st_uid == os.getuid()
