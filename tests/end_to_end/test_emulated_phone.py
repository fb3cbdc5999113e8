"""A page read on the emulated phone, in both ways to run its programs, against this machine: the whole road of `ocr --device emulated`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from emulated_phone import MODES, private_adb, running_phone

from edgeocr.cli import run
from edgeocr.device.host_device import HostDevice
from edgeocr.device.records import PictureRecord
from edgeocr.device.runner import UnreadablePictures, run_bench, run_ocr
from edgeocr.device.selection import open_device
from edgeocr.paths import MODELS
from edgeocr.zoo.model_files import ModelFiles
from edgeocr.zoo.resolve import resolve_models

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def models() -> ModelFiles:
    return resolve_models(None)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The upper part of the sign, small, under a name that shells and adb would trip over."""
    page = cv2.imread(str(MODELS / "pictures" / "page_sign.png"))
    assert page is not None
    path = tmp_path_factory.mktemp("pictures") / "标牌 1'.png"
    path.write_bytes(cv2.imencode(".png", cv2.resize(page[:240], (320, 120), interpolation=cv2.INTER_AREA))[1].tobytes())
    return path


@pytest.fixture(scope="module")
def host_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host")


@pytest.fixture(scope="module")
def on_host(host_runner: Path, models: ModelFiles, picture: Path, host_maps: Path) -> PictureRecord:
    (record,) = run_ocr(HostDevice(), models, [picture], maps=host_maps)
    return record


@pytest.fixture(scope="module", params=MODES)
def serial(request: pytest.FixtureRequest, phone_runner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with private_adb(tmp_path_factory.mktemp("home")) as adb, running_phone(adb, request.param) as phone:
        yield phone.state.serial


def test_it_reads_what_this_machine_reads(
    serial: str, models: ModelFiles, picture: Path, on_host: PictureRecord, host_maps: Path, tmp_path: Path
) -> None:
    with open_device("emulated") as device:
        assert (device.serial, device.kind) == (serial, "emulated")
        (record,) = run_ocr(device, models, [picture], maps=tmp_path)
    assert record.picture == str(picture)
    assert [line.text for line in record.lines] == [line.text for line in on_host.lines] and record.lines
    assert [(line.box, line.kept, line.turned) for line in record.lines] == [(line.box, line.kept, line.turned) for line in on_host.lines]
    assert replace(record, lines=(), ms={}, det_sum=0) == replace(on_host, lines=(), ms={}, det_sum=0)
    name = f"{picture.stem}.map.f32"
    np.testing.assert_allclose(np.fromfile(tmp_path / name, "<f4"), np.fromfile(host_maps / name, "<f4"), rtol=0, atol=1e-5)


def test_a_broken_picture_is_told_under_its_own_name(serial: str, models: ModelFiles, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    with open_device(serial) as device, pytest.raises(UnreadablePictures) as caught:
        run_ocr(device, models, [broken])
    assert [error.picture for error in caught.value.errors] == [str(broken)]
    assert str(broken) in caught.value.message and "/data/" not in caught.value.message


def test_a_nets_output_comes_back(serial: str, host_runner: Path, models: ModelFiles, tmp_path: Path) -> None:
    values = tmp_path / "in.f32"
    np.random.default_rng(7).standard_normal(3 * 32 * 64).astype("<f4").tofile(values)
    shape = (1, 3, 32, 64)
    with open_device(serial) as device:
        there = run_bench(device, models.recogniser, shape, repeats=1, warmup=0, input_file=values, output_file=tmp_path / "there.f32")
    here = run_bench(HostDevice(), models.recogniser, shape, repeats=1, warmup=0, input_file=values, output_file=tmp_path / "here.f32")
    assert (there.sha256, there.output, len(there.ms)) == (here.sha256, here.output, 1)
    np.testing.assert_allclose(np.fromfile(tmp_path / "there.f32", "<f4"), np.fromfile(tmp_path / "here.f32", "<f4"), rtol=0, atol=1e-5)


def test_the_command_line_goes_the_same_road(serial: str, picture: Path, on_host: PictureRecord, capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["ocr", "--device", "emulated", "--json", str(picture)])
    captured = capfd.readouterr()
    assert code == 0, captured.err
    (document,) = json.loads(captured.out)
    assert document["picture"] == str(picture)
    assert [line["text"] for line in document["lines"]] == [line.text for line in on_host.lines if line.kept]
