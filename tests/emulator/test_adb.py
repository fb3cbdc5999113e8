"""The real adb on the emulated phone, in both ways to run its programs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from emulated_phone import Phone, private_adb, running_phone

from edgeocr.emulator.leftovers import processes_of

TMP = "/data/local/tmp"
ALL_BYTES = bytes(range(256)) * 300
LARGE = 50_000_000


def test_adb_lists_it_and_says_that_it_is_emulated(phone: Phone) -> None:
    entries = {entry.serial: entry for entry in phone.adb.devices()}
    assert all(serial.startswith("127.0.0.1:") for serial in entries)  # not as the SDK's emulator, too
    entry = entries[phone.state.serial]
    assert entry.state == "device"
    assert "emulated" in entry.tags["model"]
    assert phone.shell("getprop ro.product.model") == (0, b"edgeocr emulated Cortex-A76\n", b"")
    assert phone.shell("getprop ro.product.cpu.abi")[1] == b"arm64-v8a\n"


def test_it_listens_on_the_loopback_off_the_sdks_ports(phone: Phone) -> None:
    sockets = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    assert f"0100007F:{phone.state.port:04X} 00000000:0000 0A" in sockets  # LISTEN on 127.0.0.1
    assert not 5555 <= phone.state.port <= 5585


# programs


def test_an_aarch64_program_runs_as_a_cortex_a76(phone: Phone, program: str) -> None:
    if phone.state.cpu != "cortex-a76":
        pytest.skip("this qemu knows no Cortex-A76")
    code, stdout, stderr = phone.shell(f"{program} midr")
    assert (code, stderr) == (0, b"")
    assert (int(stdout, 16) >> 24, int(stdout, 16) >> 4 & 0xFFF) == (0x41, 0xD0B)  # implementer ARM, part Cortex-A76


@pytest.mark.parametrize("code", [0, 1, 42, 127, 128, 200, 255])
def test_exit_codes_pass(phone: Phone, program: str, code: int) -> None:
    assert phone.shell(f"{program} exit {code}")[0] == code
    assert phone.shell(f"exit {code}")[0] == code


def test_a_crash_is_128_and_the_signal(phone: Phone, program: str) -> None:
    assert phone.shell(f"{program} crash")[0] == 128 + 11
    assert phone.shell("kill -9 $$")[0] == 128 + 9


def test_stdout_and_stderr_stay_apart(phone: Phone, program: str) -> None:
    assert phone.shell(f"{program} streams") == (0, b"to stdout\n", b"to stderr\n")


def test_every_byte_passes_stdin_and_stdout(phone: Phone, program: str) -> None:
    assert phone.shell(f"{program} copy", ALL_BYTES) == (0, ALL_BYTES, b"")
    assert phone.shell(f"{program} copy", b"") == (0, b"", b"")


@pytest.mark.parametrize(
    "text",
    [
        "cd {folder} && ./program one 'two  three'",
        "{folder}/program one 'two  three'",
        "PROGRAM={folder}/program; $PROGRAM one 'two  three'",
        "VARIABLE=1 exec {folder}/program one 'two  three'",
        "if {folder}/program exit 0; then timeout 10 {folder}/program one 'two  three'; fi",
        "{folder}/program one 'two  three' | cat",
        "{folder}/program one 'two  three' > {folder}/out; cat {folder}/out; rm {folder}/out",
    ],
)
def test_programs_run_however_the_shell_names_them(phone: Phone, program: str, text: str) -> None:
    assert phone.shell(text.format(folder=TMP)) == (0, b"one\ntwo  three\n", b"")


def test_paths_are_the_phones_for_the_program_and_in_its_output(phone: Phone, program: str) -> None:
    assert phone.shell(f"{program} write {TMP}/written text && cat {TMP}/written && ls {TMP}/written && rm {TMP}/written") == (
        0,
        f"text{TMP}/written\n".encode(),
        b"",
    )
    assert not (phone.root / "data/local/tmp/written").exists()


def test_a_program_that_is_missing_or_not_executable(phone: Phone, aarch64_program: Path) -> None:
    code, _, stderr = phone.shell(f"{TMP}/nothing")
    assert code == 127 and b"not found" in stderr
    phone.put(aarch64_program, f"{TMP}/plain")
    phone.shell(f"chmod 644 {TMP}/plain")
    code, _, stderr = phone.shell(f"{TMP}/plain")
    assert code == 126 and b"Permission denied" in stderr


def test_shells_run_side_by_side(phone: Phone, program: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: phone.shell(f"{program} copy; {program} exit {number}", b"%d" % number * 50_000), range(24)))
    assert results == [(number, b"%d" % number * 50_000, b"") for number in range(24)]


def test_a_program_ends_with_its_user(phone: Phone, program: str) -> None:
    with subprocess.Popen(phone.command("shell", "-T", f"{program} sleep 600"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None and client.stdout.readline() == b"asleep\n"
        assert sleeping(phone)
        client.kill()
    deadline = time.monotonic() + 10
    while sleeping(phone) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not sleeping(phone)


def sleeping(phone: Phone) -> list[int]:
    found = []
    for pid in processes_of(Path(phone.state.root).parent):
        try:
            if b"\0sleep\x00600\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def test_a_terminal_is_given_on_request(phone: Phone) -> None:
    done = phone.run("shell", "-t", "-t", "test -t 0 && test -t 1 && echo terminal; echo $TERM; exit 5")
    assert done.stdout.replace(b"\r", b"").startswith(b"terminal\n") and done.returncode == 5
    assert phone.shell("test -t 0; echo $?")[1] == b"1\n"


def test_an_interactive_shell_ends_with_its_code(phone: Phone) -> None:
    done = phone.run("shell", "-t", "-t", stdin=b"echo $((40+2))\nexit 7\n")
    assert done.returncode == 7 and b"42\r\n" in done.stdout


def test_exec_out_is_raw(phone: Phone, tmp_path: Path) -> None:
    local = tmp_path / "bytes"
    local.write_bytes(ALL_BYTES)
    phone.put(local, f"{TMP}/bytes")
    assert phone.run("exec-out", f"cat {TMP}/bytes").stdout == ALL_BYTES


def test_what_it_lacks_is_refused_not_hung(phone: Phone) -> None:
    assert phone.run("reboot").returncode != 0
    assert phone.run("forward", "tcp:0", "localabstract:nothing").returncode in (0, 1)  # adb answers alone
    assert phone.shell("true")[0] == 0


# files


def test_a_large_file_goes_and_comes_back(phone: Phone, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1_000_003) * (LARGE // 1_000_003 + 1))
    phone.put(large, f"{TMP}/large")
    assert phone.shell(f"sha256sum < {TMP}/large")[1].split()[0].decode() == hashlib.sha256(large.read_bytes()).hexdigest()
    assert phone.run("pull", f"{TMP}/large", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    phone.shell(f"rm {TMP}/large")


@pytest.mark.parametrize("name", ["文字.jpg", "Größe 1.png", "-n", "$(id)'\"", "a" * 200])
def test_file_names_of_every_kind(phone: Phone, tmp_path: Path, name: str) -> None:
    local = tmp_path / "local"
    local.write_text(name)
    phone.put(local, f"{TMP}/{name}")
    assert (phone.root / "data/local/tmp" / name).read_text() == name
    assert phone.run("pull", f"{TMP}/{name}", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_text() == name
    (phone.root / "data/local/tmp" / name).unlink()


def test_folders_go_and_come_back_with_times_and_links(phone: Phone, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("text")
    (folder / "empty").touch()
    (folder / "link").symlink_to("sub/file")
    os.utime(folder / "empty", (1_500_000_000, 1_500_000_000))
    phone.put(folder, f"{TMP}/folder")
    there = phone.root / "data/local/tmp/folder"
    assert os.readlink(there / "link") == "sub/file"
    assert (there / "empty").stat().st_mtime == 1_500_000_000
    assert phone.run("pull", f"{TMP}/folder", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "sub" / "file").read_text() == "text"


def test_an_executable_stays_one(phone: Phone, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o700)
    phone.put(script, f"{TMP}/script")
    assert phone.shell(f"{TMP}/script") == (0, b"ran\n", b"")
    assert (phone.root / "data/local/tmp/script").stat().st_mode & 0o777 == 0o777


def test_a_push_replaces_a_file_but_no_folder(phone: Phone, tmp_path: Path) -> None:
    local = tmp_path / "local"
    for text in ("first, longer", "second"):
        local.write_text(text)
        phone.put(local, f"{TMP}/replaced")
        assert (phone.root / "data/local/tmp/replaced").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "LOCAL", "/system/bin/new"], "couldn't create file: Read-only file system"),
        (["push", "LOCAL", "/data/../new"], "couldn't create file: Read-only file system"),
        (["push", "LOCAL", f"{TMP}/local-file/below"], "Not a directory"),
        (["pull", f"{TMP}/nothing", "BACK"], "No such file or directory"),
    ],
)
def test_refused_transfers_say_why(phone: Phone, tmp_path: Path, arguments: list[str], message: str) -> None:
    local = tmp_path / "local-file"
    local.write_text("text")
    phone.put(local, f"{TMP}/local-file")
    places = {"LOCAL": str(local), "BACK": str(tmp_path / "back")}
    done = phone.run(*(places.get(argument, argument) for argument in arguments))
    assert done.returncode != 0
    assert message in (done.stdout + done.stderr).decode()


def test_no_path_leads_out_of_the_tree(phone: Phone, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for name, target in (("way-out", str(tmp_path)), ("up", "../" * 30)):
        link = phone.root / "data/local/tmp" / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    up = "../" * 30
    for path in (f"{TMP}/way-out/secret", f"{TMP}/{up}{secret}", f"{TMP}/up{secret}"):
        assert phone.run("pull", path, str(tmp_path / "stolen")).returncode != 0
        assert phone.run("push", str(secret), path + ".new").returncode != 0
    assert not (tmp_path / "stolen").exists() and not (tmp_path / "secret.new").exists()


def test_a_full_phone_says_so_and_keeps_nothing_of_the_file(tmp_path: Path) -> None:
    local = tmp_path / "local"
    with private_adb(tmp_path / "home") as adb, running_phone(adb, "prefix", storage_bytes=2_000_000) as full:
        local.write_bytes(bytes(2_000_001))
        done = full.run("push", str(local), f"{TMP}/too-large")
        assert done.returncode != 0
        assert "No space left on device" in (done.stdout + done.stderr).decode()
        assert list((full.root / "data/local/tmp").iterdir()) == []
        local.write_bytes(bytes(2_000_000))
        full.put(local, f"{TMP}/fits")
