"""Bringing files to a device so that a broken transfer is never taken for a whole one.

    /data/local/tmp/edgeocr/
      edgeocr_run                  the runner
      models/<sha256[:12]>-<name>  models and dictionaries: two sets never collide
      pictures/<sha256[:12]>-<name>
      manifest.json                written last: schema, and sha256 and bytes of each file

adb overwrites in place and checks nothing, so each file goes to `<name>.part`, is hashed on the device, and only then renamed. What is
there already, by the hash that the device itself computes, is not sent again. An interrupted push leaves the earlier state usable.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeocr.device.device import Device, ShellResult
from edgeocr.errors import DeviceError, EdgeocrError, UsageError

DEVICE_FOLDER = "/data/local/tmp/edgeocr"
RUNNER_NAME = "edgeocr_run"
MANIFEST_NAME = "manifest.json"
MANIFEST_SCHEMA = 1
SHELL_TIMEOUT = 120.0  # seconds; the longest step hashes one batch of files
MAX_ARGUMENT_BYTES = 16 * 1024  # of file names in one command
MAX_NAME_BYTES = 100

# Fixed texts for `sh -c`; whatever varies is an argument ($0 is the folder). They use only what toybox and coreutils share.
SURVEY = """\
cd "$0" 2>/dev/null || exit 0
cat manifest.json 2>/dev/null
echo
echo --sizes
stat -c '%s %n' edgeocr_run models/* pictures/* 2>/dev/null
echo --hashes
sha256sum "$@" 2>/dev/null
exit 0"""
MAKE_FOLDERS = 'mkdir -p "$0/models" "$0/pictures"'
DAMAGED = 90
FINISH = f"""\
cd "$0" || exit 1
sum=$(sha256sum "$1.part") || exit 1
[ "${{sum%% *}}" = "$2" ] || exit {DAMAGED}
chmod "$3" "$1.part" && mv -f "$1.part" "$1\""""
DISCARD = 'rm -f "$0/$1.part"'


@dataclass(frozen=True)
class PushFile:
    """A file of this machine and its place under DEVICE_FOLDER."""

    local: Path
    name: str
    sha256: str
    bytes: int
    mode: str  # for chmod

    @property
    def remote(self) -> str:
        """Its path on the device."""
        return f"{DEVICE_FOLDER}/{self.name}"


@dataclass(frozen=True)
class PushReport:
    """What a push did. ``bytes``: of the files sent."""

    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    bytes: int
    seconds: float


Progress = Callable[[PushFile, bool], None]  # a file is in its place; True if it had to be sent


def runner_file(local: Path) -> PushFile:
    digest, size = _digest(local)
    return PushFile(local, RUNNER_NAME, digest, size, "755")


def model_file(local: Path) -> PushFile:
    """For a `.nb` file or a dictionary."""
    return _content_file(local, "models")


def picture_file(local: Path) -> PushFile:
    return _content_file(local, "pictures")


def _content_file(local: Path, folder: str) -> PushFile:
    digest, size = _digest(local)
    return PushFile(local, f"{folder}/{digest[:12]}-{_device_name(local.name)}", digest, size, "644")


def _device_name(name: str) -> str:
    """``name`` with what shells, sha256sum's output or file systems treat specially replaced; its end stays, and with it its type."""
    safe = re.sub(r"[^\w.+-]", "_", name)
    return safe.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")


def _digest(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
                size += len(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return digest.hexdigest(), size


def push(device: Device, files: Sequence[PushFile], progress: Progress | None = None) -> PushReport:
    """Bring ``files`` to their places. DeviceError where the device is lost or full: then what it had before is unchanged."""
    start = time.monotonic()
    with _alone(device.serial):
        sent, skipped = _push_missing(device, list({file.name: file for file in files}.values()), progress)
    return PushReport(
        sent=tuple(file.name for file in sent),
        skipped=tuple(file.name for file in skipped),
        bytes=sum(file.bytes for file in sent),
        seconds=time.monotonic() - start,
    )


@contextmanager
def _alone(serial: str) -> Iterator[None]:
    """Keep other pushes of this user to the same device waiting: they would write the same parts."""
    name = re.sub(r"[^\w.-]", "_", serial)
    with (Path(tempfile.gettempdir()) / f"edgeocr-{os.getuid()}-push-{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _push_missing(device: Device, files: Sequence[PushFile], progress: Progress | None) -> tuple[list[PushFile], list[PushFile]]:
    """Gives what was sent and what was there."""
    there = _survey(device, [file.name for file in files])
    sent: list[PushFile] = []
    skipped: list[PushFile] = []
    for file in files:
        needed = there.hashes.get(file.name) != file.sha256
        if needed:
            if not sent:
                _check(device, device.shell(["sh", "-c", MAKE_FOLDERS, DEVICE_FOLDER], timeout=SHELL_TIMEOUT), "making its folders")
            _send(device, file)
        (sent if needed else skipped).append(file)
        if progress is not None:
            progress(file, needed)
    _update_manifest(device, there, files)
    return sent, skipped


@dataclass(frozen=True)
class _There:
    """What the device has: hashes of the files that we asked for, sizes of all, and the manifest that it has for them."""

    hashes: Mapping[str, str]
    sizes: Mapping[str, int]
    manifest: Mapping[str, Mapping[str, object]]


def _survey(device: Device, names: Sequence[str]) -> _There:
    hashes: dict[str, str] = {}
    sizes: dict[str, int] = {}
    manifest: Mapping[str, Mapping[str, object]] = {}
    for batch in batches(names, MAX_ARGUMENT_BYTES):
        done = device.shell(["sh", "-c", SURVEY, DEVICE_FOLDER, *batch], timeout=SHELL_TIMEOUT)
        _check(device, done, "looking at its files")
        text, _, rest = done.stdout.decode(errors="replace").partition("--sizes\n")
        size_lines, _, hash_lines = rest.partition("--hashes\n")
        manifest = _parse_manifest(text)
        sizes.update({name: int(size) for size, name in re.findall(r"^(\d+) (.+)$", size_lines, re.MULTILINE)})
        hashes.update({name: digest for digest, name in re.findall(r"^([0-9a-f]{64}) [ *](.+)$", hash_lines, re.MULTILINE)})
    return _There(hashes, sizes, manifest)


def batches(names: Sequence[str], limit: int) -> Iterator[list[str]]:
    """``names`` in their order, in groups of at most ``limit`` bytes, at least one a group."""
    batch: list[str] = []
    size = 0
    for name in names:
        length = len(name.encode()) + 3  # quotes and a blank
        if batch and size + length > limit:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += length
    if batch:
        yield batch


def _parse_manifest(text: str) -> dict[str, Mapping[str, object]]:
    """The files of a manifest; none where there is no manifest of this schema."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(document, dict) or document.get("schema") != MANIFEST_SCHEMA or not isinstance(document.get("files"), dict):
        return {}
    return {name: entry for name, entry in document["files"].items() if isinstance(entry, dict)}


def _send(device: Device, file: PushFile) -> None:
    try:
        device.push(file.local, f"{file.remote}.part")
        done = device.shell(["sh", "-c", FINISH, DEVICE_FOLDER, file.name, file.sha256, file.mode], timeout=SHELL_TIMEOUT)
        if done.returncode == DAMAGED:
            raise DeviceError(f"{file.local.name} arrived damaged on device {device.serial}", "push again; if it recurs, try another cable")
        _check(device, done, f"putting {file.local.name} in its place")
    except EdgeocrError:
        _discard_part(device, file)
        raise


def _discard_part(device: Device, file: PushFile) -> None:
    try:
        device.shell(["sh", "-c", DISCARD, DEVICE_FOLDER, file.name], timeout=SHELL_TIMEOUT)
    except EdgeocrError:
        return  # the device is gone: the error under way says so; the next push overwrites the part


def _update_manifest(device: Device, there: _There, files: Sequence[PushFile]) -> None:
    entries = {name: entry for name, entry in there.manifest.items() if there.sizes.get(name) == entry.get("bytes")}
    entries.update({file.name: {"sha256": file.sha256, "bytes": file.bytes} for file in files})
    if entries == there.manifest:
        return
    document = {"schema": MANIFEST_SCHEMA, "files": dict(sorted(entries.items()))}
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / MANIFEST_NAME
        local.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        digest, size = _digest(local)
        _send(device, PushFile(local, MANIFEST_NAME, digest, size, "644"))


def _check(device: Device, done: ShellResult, doing: str) -> None:
    if done.returncode != 0:
        remark = os.fsdecode(done.stderr).strip().splitlines()
        raise DeviceError(f"device {device.serial} failed while {doing}: {remark[-1] if remark else f'exit code {done.returncode}'}")
