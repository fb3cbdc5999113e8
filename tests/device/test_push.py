"""Pushing: whole files only, nothing twice, and the earlier state after every failure."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from emulated_phone import Phone, private_adb, running_phone

from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.push import DEVICE_FOLDER, PushFile, batches, model_file, picture_file, push, runner_file
from edgeocr.errors import DeviceError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A runner, a model and a picture."""
    (tmp_path / "edgeocr_run").write_text("#!/bin/sh\necho version 1\n")
    (tmp_path / "det.nb").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "文字 1.jpg").write_bytes(b"picture")
    return tmp_path


def files(folder: Path) -> list[PushFile]:
    return [runner_file(folder / "edgeocr_run"), model_file(folder / "det.nb"), picture_file(folder / "文字 1.jpg")]


def there(phone: Phone) -> Path:
    """The device's folder, seen from the host."""
    return phone.root / DEVICE_FOLDER.lstrip("/")


def manifest(phone: Phone) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((there(phone) / "manifest.json").read_text())
    return document


def contents(phone: Phone) -> dict[str, bytes]:
    return {str(path.relative_to(there(phone))): path.read_bytes() for path in there(phone).rglob("*") if path.is_file()}


def test_everything_arrives_in_its_place(phone: Phone, device: AdbDevice, folder: Path) -> None:
    report = push(device, files(folder))
    digest = hashlib.sha256(b"picture").hexdigest()
    assert report.skipped == () and report.bytes == sum(file.bytes for file in files(folder)) and report.seconds > 0
    assert f"pictures/{digest[:12]}-文字_1.jpg" in report.sent
    pushed = contents(phone)
    assert sorted(pushed) == sorted([*report.sent, "manifest.json"])
    assert all(pushed[file.name] == file.local.read_bytes() for file in files(folder))
    assert device.shell([f"{DEVICE_FOLDER}/edgeocr_run"]).stdout == b"version 1\n"


def test_the_manifest_names_every_file(phone: Phone, device: AdbDevice, folder: Path) -> None:
    push(device, files(folder))
    assert manifest(phone) == {
        "schema": 1,
        "files": {file.name: {"sha256": file.sha256, "bytes": file.bytes} for file in files(folder)},
    }


def test_nothing_is_sent_twice(phone: Phone, device: AdbDevice, folder: Path) -> None:
    push(device, files(folder))
    before = {path: path.stat().st_ino for path in there(phone).rglob("*")}
    report = push(device, files(folder))
    assert (report.sent, report.bytes, len(report.skipped)) == ((), 0, 3)
    assert {path: path.stat().st_ino for path in there(phone).rglob("*")} == before


def test_only_what_changed_is_sent(device: AdbDevice, phone: Phone, folder: Path) -> None:
    push(device, files(folder))
    (folder / "edgeocr_run").write_text("#!/bin/sh\necho version 2\n")
    assert push(device, files(folder)).sent == ("edgeocr_run",)
    assert device.shell([f"{DEVICE_FOLDER}/edgeocr_run"]).stdout == b"version 2\n"
    assert manifest(phone)["files"]["edgeocr_run"]["sha256"] == files(folder)[0].sha256


@pytest.mark.parametrize("harm", ["missing", "damaged", "shorter"])
def test_a_file_that_the_manifest_names_but_the_device_has_not_is_sent_again(
    device: AdbDevice, phone: Phone, folder: Path, harm: str
) -> None:
    push(device, files(folder))
    model = files(folder)[1]
    place = there(phone) / model.name
    data = place.read_bytes()
    place.unlink()
    if harm != "missing":
        place.write_bytes(data[:-1] + (b"\0" if harm == "damaged" else b""))
    assert push(device, files(folder)).sent == (model.name,)
    assert place.read_bytes() == data


@pytest.mark.parametrize(
    "text", ["", "{", '{"schema": 2, "files": {"x": {}}}', '{"schema": 1, "files": []}', '{"schema": 1, "files": {"x": 1}}']
)
def test_a_manifest_that_is_none_is_written_anew(device: AdbDevice, phone: Phone, folder: Path, text: str) -> None:
    push(device, files(folder))
    whole = manifest(phone)
    (there(phone) / "manifest.json").write_text(text)
    assert push(device, files(folder)).sent == ()
    assert manifest(phone) == whole


def test_the_manifest_forgets_files_that_have_gone(device: AdbDevice, phone: Phone, folder: Path) -> None:
    push(device, files(folder))
    (there(phone) / files(folder)[2].name).unlink()
    push(device, files(folder)[:1])
    assert sorted(manifest(phone)["files"]) == sorted(file.name for file in files(folder)[:2])


def test_two_models_of_one_name_live_side_by_side(device: AdbDevice, phone: Phone, folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "det.nb").write_bytes(b"another")
    pushed = [model_file(folder / "det.nb"), model_file(folder / "other" / "det.nb")]
    push(device, pushed)
    assert len({file.name for file in pushed}) == 2
    assert all((there(phone) / file.name).read_bytes() == file.local.read_bytes() for file in pushed)


@pytest.mark.parametrize("name", ["a b.jpg", "$(id).jpg", "'\".jpg", "-n.jpg", "文字" * 40 + ".jpg", ".jpg", "a\nb.jpg", "*.jpg"])
def test_names_of_every_kind(device: AdbDevice, phone: Phone, tmp_path: Path, name: str) -> None:
    local = tmp_path / name
    local.write_bytes(b"x")
    file = picture_file(local)
    assert push(device, [file]).sent == (file.name,)
    assert push(device, [file]).sent == ()
    assert file.name.endswith(".jpg") and (there(phone) / file.name).read_bytes() == b"x"


def test_progress_tells_each_file_in_its_place(device: AdbDevice, phone: Phone, folder: Path) -> None:
    push(device, files(folder)[:1])
    told: list[tuple[str, bool]] = []
    push(device, files(folder), lambda file, sent: told.append((file.name, sent)))
    assert told == [(file.name, file.name != "edgeocr_run") for file in files(folder)]


def test_a_leftover_part_is_overwritten(device: AdbDevice, phone: Phone, folder: Path) -> None:
    there(phone).mkdir()
    (there(phone) / "edgeocr_run.part").write_bytes(bytes(1000))
    push(device, files(folder))
    assert not [name for name in contents(phone) if name.endswith(".part")]


class Damaging(AdbDevice):
    """Its cable changes a byte."""

    def push(self, local: Path, remote: str) -> None:
        data = bytearray(local.read_bytes())
        data[-1] ^= 1
        damaged = local.with_suffix(".damaged")
        damaged.write_bytes(data)
        super().push(damaged, remote)


def test_a_file_that_arrives_damaged_is_refused_and_the_earlier_one_stays(phone: Phone, device: AdbDevice, folder: Path) -> None:
    push(device, files(folder))
    before = contents(phone)
    (folder / "edgeocr_run").write_text("#!/bin/sh\necho version 2\n")
    with pytest.raises(DeviceError, match="edgeocr_run arrived damaged on device"):
        push(Damaging(device.adb, device.serial), files(folder))
    assert contents(phone) == before


def test_a_folder_in_a_files_place_is_told(phone: Phone, device: AdbDevice, folder: Path) -> None:
    (there(phone) / "edgeocr_run.part").mkdir(parents=True)
    with pytest.raises(DeviceError, match="failed while putting edgeocr_run in its place"):
        push(device, files(folder))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing.nb cannot be read: No such file"):
        model_file(tmp_path / "nothing.nb")


def test_batches_keep_order_and_limit() -> None:
    names = [f"picture-{number}" for number in range(100)]
    grouped = list(batches(names, 200))
    assert [name for batch in grouped for name in batch] == names
    assert all(sum(len(name) + 3 for name in batch) <= 200 for batch in grouped)
    assert list(batches(["x" * 500], 200)) == [["x" * 500]]
    assert list(batches([], 200)) == []


def test_more_files_than_fit_one_command(device: AdbDevice, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []
    for number in range(12):
        (tmp_path / f"{number}.jpg").write_text(str(number))
        pictures.append(picture_file(tmp_path / f"{number}.jpg"))
    push(device, pictures[:6])
    monkeypatch.setattr("edgeocr.device.push.MAX_ARGUMENT_BYTES", 100)
    assert push(device, pictures).sent == tuple(file.name for file in pictures[6:])


def test_pushes_at_the_same_time_do_not_spoil_each_other(device: AdbDevice, phone: Phone, tmp_path: Path) -> None:
    pictures = []
    for number in range(5):
        (tmp_path / f"{number}.jpg").write_bytes(b"%d" % number * 300_000)
        pictures.append(picture_file(tmp_path / f"{number}.jpg"))
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: push(device, pictures), range(3)))
    assert sorted(len(report.sent) for report in reports) == [0, 0, 5]
    assert all((there(phone) / file.name).read_bytes() == file.local.read_bytes() for file in pictures)


# a phone that fails: its own, since others would miss it


@contextlib.contextmanager
def lone_phone(home: Path, storage_bytes: int | None = None) -> Iterator[tuple[Phone, AdbDevice]]:
    with private_adb(home) as adb, running_phone(adb, "prefix", storage_bytes) as phone:
        yield phone, AdbDevice(adb, phone.state.serial)


def test_a_full_device_is_told_and_keeps_what_it_had(tmp_path: Path, folder: Path) -> None:
    with lone_phone(tmp_path / "home", storage_bytes=100_000) as (phone, device):
        push(device, files(folder))
        before = contents(phone)
        (folder / "large.nb").write_bytes(bytes(200_000))
        with pytest.raises(DeviceError, match=r"no space left on device 127.* while pushing large.nb") as caught:
            push(device, [*files(folder), model_file(folder / "large.nb")])
        assert "free some space" in (caught.value.hint or "")
        assert contents(phone) == before


def test_a_device_lost_in_mid_push_is_told_and_keeps_what_it_had(tmp_path: Path, folder: Path) -> None:
    with lone_phone(tmp_path / "home") as (phone, device):
        push(device, files(folder))
        before = contents(phone)
        large = folder / "large.nb"
        with large.open("wb") as file:
            file.truncate(150_000_000)
        file_to_lose = model_file(large)
        killer = threading.Thread(target=kill_when_there, args=(phone, there(phone) / f"{file_to_lose.name}.part"))
        killer.start()
        with pytest.raises(DeviceError, match=r"device 127.* was lost") as caught:
            push(device, [*files(folder), file_to_lose])
        killer.join()
        assert "connect it again" in (caught.value.hint or "")
        after = contents(phone)
        after.pop(f"{file_to_lose.name}.part", None)
        assert after == before


def kill_when_there(phone: Phone, part: Path) -> None:
    deadline = time.monotonic() + 30
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(phone.state.pid, signal.SIGKILL)


def test_a_device_lost_before_the_push(tmp_path: Path, folder: Path) -> None:
    with lone_phone(tmp_path / "home") as (phone, device):
        os.kill(phone.state.pid, signal.SIGKILL)
        with pytest.raises(DeviceError, match=r"device 127.* was lost"):
            push(device, files(folder))
