"""Runs on this machine and on the emulated phone, with a script in the runner's place."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_phone import MODES, Phone, Phones, private_adb, running_phone
from script_runner import BENCH, HELLO, INFO, NODE, PICTURE, quoted, reading_script, write_script

from edgeocr import paths
from edgeocr.device.adb_device import AdbDevice
from edgeocr.device.device import Device
from edgeocr.device.host_device import HostDevice
from edgeocr.device.push import DEVICE_FOLDER
from edgeocr.device.records import ErrorRecord, InfoRecord, NodeRecord, PictureRecord, Record, RecordError
from edgeocr.device.runner import OcrOptions, UnreadablePictures, run_bench, run_info, run_ocr
from edgeocr.device.runner_process import RunnerError
from edgeocr.emulator.leftovers import processes_of
from edgeocr.errors import DeviceError, SetupError, UsageError
from edgeocr.zoo.model_files import ModelFiles

on_phones = pytest.mark.parametrize("place", MODES, indirect=True)


@pytest.fixture(params=["host", *MODES])
def place(request: pytest.FixtureRequest, phones: Phones) -> Phone | None:
    """The emulated phone in each mode; None for this machine."""
    return None if request.param == "host" else phones.get(request.param)


@pytest.fixture
def device(place: Phone | None) -> Device:
    return HostDevice() if place is None else AdbDevice(place.adb, place.state.serial)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runner of both kinds of device: a script that reads pictures, or that the test writes anew."""
    script = reading_script(tmp_path / "build" / "edgeocr_run")
    monkeypatch.setattr(paths, "HOST_RUNNER", script)
    monkeypatch.setattr(paths, "PHONE_RUNNER", script)
    return script


@pytest.fixture
def models(tmp_path: Path) -> ModelFiles:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("det.nb", "rec.nb", "cls.nb", "keys.txt"):
        (folder / name).write_text(name)
    return ModelFiles("models", "", folder / "det.nb", folder / "rec.nb", folder / "keys.txt", folder / "cls.nb")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    found = [folder / name for name in ("one.jpg", "文字 2.png", "three'$(id).jpg")]
    for number, picture in enumerate(found):
        picture.write_text(f"picture {number}")
    return found


def names(records: list[PictureRecord]) -> list[str]:
    return [record.picture for record in records]


def test_readings_come_in_order_under_the_users_paths(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    records = run_ocr(device, models, pictures)
    assert names(records) == [str(picture) for picture in pictures]
    assert records[0].lines[0].text == '文字 \\ " text'


def test_repeats_of_each_picture_follow_each_other(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    records = run_ocr(device, models, pictures[:2], repeats=3)
    assert [(record.picture, record.repeat) for record in records] == [(str(path), number) for path in pictures[:2] for number in range(3)]


def test_one_picture_may_be_named_twice_and_have_a_twin(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    twin = pictures[0].parent / "twin" / pictures[0].name
    twin.parent.mkdir()
    twin.write_bytes(pictures[0].read_bytes())
    asked = [pictures[0], twin, pictures[1], pictures[0]]
    assert names(run_ocr(device, models, asked, repeats=2)) == [str(path) for path in asked for _ in range(2)]


def test_more_pictures_than_fit_one_command(
    device: Device, runner: Path, models: ModelFiles, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeocr.device.runner.MAX_ARGUMENT_BYTES", 10)
    assert names(run_ocr(device, models, pictures)) == [str(picture) for picture in pictures]


def test_relative_paths_stay_relative(
    device: Device, runner: Path, models: ModelFiles, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures[0].parent)
    assert names(run_ocr(device, models, [Path("one.jpg")])) == ["one.jpg"]


def test_the_others_are_read_where_one_cannot_be(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    pictures[1].write_text("broken")
    seen: list[Record] = []
    with pytest.raises(UnreadablePictures) as caught:
        run_ocr(device, models, pictures, on_record=seen.append)
    assert names(caught.value.records) == [str(pictures[0]), str(pictures[2])]
    assert caught.value.errors == [ErrorRecord(str(pictures[1]), f"{pictures[1]}: is no picture")]
    assert caught.value.message == f"{pictures[1]}: is no picture"
    assert [type(record) for record in seen] == [PictureRecord, ErrorRecord, PictureRecord]


def test_several_unreadable_pictures_are_one_line(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    for picture in pictures[:2]:
        picture.write_text("broken")
    with pytest.raises(UnreadablePictures) as caught:
        run_ocr(device, models, pictures)
    assert caught.value.message.startswith(f"2 pictures could not be read: {pictures[0]}: is no picture; ")


def test_maps_are_fetched_under_the_pictures_names(
    device: Device, runner: Path, models: ModelFiles, pictures: list[Path], tmp_path: Path
) -> None:
    pictures[0].write_text("broken")
    with pytest.raises(UnreadablePictures):
        run_ocr(device, models, pictures, maps=tmp_path / "maps")
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == sorted(f"{picture.stem}.map.f32" for picture in pictures[1:])
    assert (tmp_path / "maps" / "文字 2.map.f32").read_text() == "picture 1"


def test_an_error_of_the_runner_names_the_users_file(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(
        runner,
        f'say {quoted(HELLO)}; echo "note: reading" >&2; echo "error: first" >&2; '
        'echo "error: $3: operator is foo, expected one that is known" >&2; echo trailing >&2; exit 1',
    )
    with pytest.raises(RunnerError) as caught:
        run_ocr(device, models, pictures)
    assert caught.value.message == f"{models.detector}: operator is foo, expected one that is known"


@pytest.mark.parametrize(
    ("protocol", "old", "hint"), [(0, "the runner is too old", "make runner"), (2, "this edgeocr is too old", "update")]
)
def test_another_protocol_is_told_with_the_side_that_is_old(
    device: Device, runner: Path, models: ModelFiles, pictures: list[Path], protocol: int, old: str, hint: str
) -> None:
    write_script(runner, f"say {quoted({'type': 'hello', 'protocol': protocol, 'version': '9'})}; say nonsense; exec sleep 60")
    with pytest.raises(RunnerError, match=f"speaks protocol {protocol}, this edgeocr speaks 1: {old}") as caught:
        run_ocr(device, models, pictures)
    assert hint in (caught.value.hint or "")


def test_a_runner_that_says_nothing(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, "exit 0")
    with pytest.raises(RecordError, match="ended without a word, expected hello"):
        run_ocr(device, models, pictures)


def test_a_runner_that_does_not_begin_with_hello(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(PICTURE)}")
    with pytest.raises(RecordError, match="began with a PictureRecord, expected hello"):
        run_ocr(device, models, pictures)


def test_a_runner_that_writes_something_else(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)} 'linker: warning'")
    with pytest.raises(RecordError, match="the runner wrote 'linker: warning', expected one JSON record"):
        run_ocr(device, models, pictures)


def test_a_runner_that_crashes(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)}; kill -SEGV $$")
    with pytest.raises(RunnerError, match=f"the runner on device {device.serial} was ended by SIGSEGV"):
        run_ocr(device, models, pictures)


def test_a_runner_that_fails_without_a_reason(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)}; echo 'last words' >&2; exit 3")
    with pytest.raises(RunnerError, match="failed: last words"):
        run_ocr(device, models, pictures)


def test_a_runner_that_chatters_does_not_block(device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)}; head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; say {quoted(PICTURE)}")
    assert len(run_ocr(device, models, pictures)) == 1


def test_records_are_seen_as_they_come(place: Phone | None, device: Device, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    """The second record is not written before the first was seen."""
    seen = runner.parent / "seen" if place is None else place.root / DEVICE_FOLDER.lstrip("/") / "seen"
    write_script(
        runner,
        f"""\
say {quoted(HELLO)} {quoted(PICTURE)}
tries=0
until [ -e "${{0%/*}}/seen" ]; do
  tries=$((tries+1))
  [ $tries -lt 200 ] || {{ echo "error: the first record was not seen" >&2; exit 1; }}
  sleep 0.05
done
rm "${{0%/*}}/seen"
say {quoted(PICTURE)}""",
    )
    counted: list[Record] = []

    def count(record: Record) -> None:
        counted.append(record)
        seen.touch()

    run_ocr(device, models, pictures, on_record=count)
    assert len(counted) == 2


def test_a_runner_that_is_not_built_is_told(
    device: Device, models: ModelFiles, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOST_RUNNER", "PHONE_RUNNER"):
        monkeypatch.setattr(paths, name, Path("/nowhere/edgeocr_run"))
    with pytest.raises(SetupError, match="is not built") as caught:
        run_ocr(device, models, pictures)
    assert "make runner" in (caught.value.hint or "")


def test_no_picture_is_a_usage_error(models: ModelFiles) -> None:
    with pytest.raises(UsageError, match="no picture to read"):
        run_ocr(HostDevice(), models, [])


@on_phones
def test_an_interrupted_run_ends_on_the_device(
    place: Phone, device: Device, runner: Path, models: ModelFiles, pictures: list[Path]
) -> None:
    write_script(runner, f"say {quoted(HELLO)} {quoted(PICTURE)}; exec sleep 600")

    def interrupt(record: Record) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ocr(device, models, pictures, on_record=interrupt)
    deadline = time.monotonic() + 10
    while still_running(place) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not still_running(place)


def still_running(phone: Phone) -> bool:
    return len(processes_of(Path(phone.state.root).parent)) > 0


@pytest.fixture
def lone_phone(tmp_path: Path) -> Iterator[Phone]:
    with private_adb(tmp_path / "home") as adb, running_phone(adb, "prefix") as phone:
        yield phone


def test_a_device_lost_in_mid_run_is_told(lone_phone: Phone, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)} {quoted(PICTURE)}; exec sleep 600")
    device = AdbDevice(lone_phone.adb, lone_phone.state.serial)
    with pytest.raises(DeviceError, match=f"device {device.serial} was lost"):
        run_ocr(device, models, pictures, on_record=lambda record: os.kill(lone_phone.state.pid, signal.SIGKILL))


def test_a_device_lost_within_a_record_is_told(lone_phone: Phone, runner: Path, models: ModelFiles, pictures: list[Path]) -> None:
    write_script(runner, f"say {quoted(HELLO)} {quoted(PICTURE)}; printf '{{\"type\":'; exec sleep 600")
    device = AdbDevice(lone_phone.adb, lone_phone.state.serial)

    def lose(record: Record) -> None:
        time.sleep(0.2)
        os.kill(lone_phone.state.pid, signal.SIGKILL)

    with pytest.raises(DeviceError, match=f"device {device.serial} was lost"):
        run_ocr(device, models, pictures, on_record=lose)


# arguments


@pytest.fixture
def asked(runner: Path, tmp_path: Path) -> Path:
    """Where the script writes its arguments, one a line; it answers `bench` and `info`."""
    log = tmp_path / "arguments"
    write_script(
        runner,
        f"""\
say "$@" > {log}
say {quoted(HELLO)} {quoted(NODE)}
case $1 in bench) say {quoted(BENCH)} ;; info) say {quoted(INFO)} ;; *) say {quoted(PICTURE)} ;; esac
while [ $# -gt 0 ]; do [ "$1" = --output-file ] && say output > "$2"; shift; done""",
    )
    return log


def test_options_reach_the_runner(asked: Path, models: ModelFiles, pictures: list[Path]) -> None:
    options = OcrOptions(limit_side_len=736, det_db_thresh=0.2, drop_score=0.0, precision="fp32", int8="fast", dynamic_int8=True)
    run_ocr(HostDevice(), models, pictures[:1], threads=4, repeats=2, warmup=1, options=options)
    assert asked.read_text().splitlines() == [
        *("ocr", "--det", str(models.detector), "--rec", str(models.recogniser), "--dict", str(models.dictionary)),
        *("--cls", str(models.classifier), "--threads", "4", "--repeats", "2", "--warmup", "1"),
        *("--limit-side-len", "736", "--det-db-thresh", "0.2", "--drop-score", "0.0", "--precision", "fp32", "--int8", "fast"),
        *("--dynamic-int8", str(pictures[0])),
    ]


def test_a_set_without_a_classifier(asked: Path, models: ModelFiles, pictures: list[Path]) -> None:
    run_ocr(HostDevice(), ModelFiles("x", "", models.detector, models.recogniser, models.dictionary), pictures[:1])
    assert "--cls" not in asked.read_text()


def test_a_bench(asked: Path, models: ModelFiles, tmp_path: Path) -> None:
    values, output = tmp_path / "in.f32", tmp_path / "out.f32"
    values.write_bytes(bytes(16))
    record = run_bench(HostDevice(), models.recogniser, (1, 3, 32, 320), repeats=5, warmup=2, input_file=values, output_file=output)
    assert (record.model, record.ms) == (str(models.recogniser), (1.5, 1.0))
    assert asked.read_text().splitlines() == [
        *("bench", str(models.recogniser), "--input", "1,3,32,320", "--repeats", "5", "--warmup", "2"),
        *("--input-file", str(values), "--output-file", str(output)),
    ]


@on_phones
def test_the_output_of_a_bench_is_fetched(device: Device, runner: Path, models: ModelFiles, tmp_path: Path) -> None:
    write_script(
        runner,
        f'say {quoted(HELLO)} {quoted(BENCH)}; while [ $# -gt 0 ]; do [ "$1" = --output-file ] && say output > "$2"; shift; done; exit 0',
    )
    record = run_bench(device, models.recogniser, (1, 3, 32, 320), output_file=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "output\n"
    assert record.model == str(models.recogniser)


def test_info(asked: Path, models: ModelFiles) -> None:
    seen: list[Record] = []
    record = run_info(HostDevice(), models.detector, (1, 3, 640, 640), on_record=seen.append)
    assert isinstance(record, InfoRecord) and record.precision == "int8"
    assert [type(each) for each in seen] == [NodeRecord, InfoRecord]
    assert asked.read_text().splitlines() == ["info", str(models.detector), "--input", "1,3,640,640"]


def test_a_bench_without_its_record(runner: Path, models: ModelFiles) -> None:
    write_script(runner, f"say {quoted(HELLO)}")
    with pytest.raises(RecordError, match="ended without its BenchRecord"):
        run_bench(HostDevice(), models.recogniser, (1, 3, 32, 320))
