"""A whole run under the phone's protocol, on a phone made of this machine: pushes, passes, warm-ups, samples."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from nb_writer import linear_net

from edgeocr import paths
from edgeocr.bench.accuracy import Page
from edgeocr.bench.mode import Mode
from edgeocr.bench.protocol import PROTOCOLS
from edgeocr.bench.run import Observer, Variant, run_benchmark
from edgeocr.device import push as push_module
from edgeocr.device.device import Kind
from edgeocr.device.host_device import HostDevice
from edgeocr.device.runner import OcrOptions
from edgeocr.device.runner_process import RunnerError
from edgeocr.zoo.model_files import ModelFiles

SUPPORT = Path(__file__).parents[1] / "support"


class PhoneHere(HostDevice):
    """This machine in the part of a phone: programs run here, files go to a folder of the test's."""

    serial = "PHONE1"
    kind: Kind = "phone"


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PhoneHere:
    runner = tmp_path / "edgeocr_run"
    script = (SUPPORT / "fake_runner.py").read_text()
    runner.write_text(script.replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1))
    monkeypatch.setattr(paths, "PHONE_RUNNER", runner)
    monkeypatch.setattr(push_module, "DEVICE_FOLDER", str(tmp_path / "device"))
    return PhoneHere()


def variant(folder: Path, name: str) -> Variant:
    folder = folder / name
    folder.mkdir()
    files = {}
    for role in ("detector.nb", "recogniser.nb", "dictionary.txt"):
        files[role.split(".")[0]] = folder / role
        (folder / role).write_text(f"{name} {role}")
    files["recogniser"].write_bytes(linear_net(len(name)))  # another file in every variant
    return Variant(ModelFiles(name="small", variant=name, **files), OcrOptions())


def page(folder: Path, name: str) -> Page:
    path = folder / name
    path.write_bytes(name.encode())
    path.with_suffix(".json").write_text(json.dumps([{"text": "A", "quad": [[0, 0], [9, 0], [9, 9], [0, 9]]}]))
    return Page.load(path)


def test_phone_is_measured_there_and_back(phone: PhoneHere, tmp_path: Path) -> None:
    variants = [variant(tmp_path, "none"), variant(tmp_path, "prune")]
    begun: list[str] = []
    pushed: list[str] = []
    observer = Observer(on_push=lambda file, sent: pushed.append(file.local.name), on_begin=begun.append)
    pages = [page(tmp_path, "a.png")]
    result = run_benchmark(phone, variants, pages, PROTOCOLS["phone"], threads=1, not_built=["pact"], observer=observer)
    assert begun == ["none, a.png", "prune, a.png", "prune, a.png", "none, a.png"]
    assert len(pushed) == 1 + 3 + 3 + 1
    assert result.label == "phone" and result.runner.file.name == "edgeocr_run" and result.not_built == ("pact",)
    for measured in result.variants:
        (reading,) = measured.pictures
        assert (reading.warmups, reading.summary["total"].count, reading.settled) == (20, 100, True)
        assert set(measured.files) == {"detector", "recogniser", "dictionary"}


def test_drift_of_the_samples_is_kept(phone: PhoneHere, tmp_path: Path) -> None:
    """Nothing is dropped: the samples are those after the warm-up, in their order, of both passes."""
    result = run_benchmark(phone, [variant(tmp_path, "none")], [page(tmp_path, "a.png")], PROTOCOLS["phone"], threads=1)
    samples = result.variants[0].pictures[0].samples["total"]
    expected = [pytest.approx(44 + repeat * 0.001) for repeat in range(10, 60)]
    assert samples == expected * 2


def test_runner_is_asked_for_the_mode_in_every_reading(phone: PhoneHere, tmp_path: Path) -> None:
    runner, asked = paths.PHONE_RUNNER, tmp_path / "asked"
    note = f'    with open({str(asked)!r}, "a") as file: print(*sys.argv[1:], file=file)\n'
    runner.write_text(runner.read_text().replace("def main() -> int:\n", f"def main() -> int:\n{note}"))
    protocol, mode = replace(PROTOCOLS["phone"], passes=2, samples=2), Mode("fp16", "fast", True)
    result = run_benchmark(phone, [variant(tmp_path, "none")], [page(tmp_path, "a.png")], protocol, threads=1, mode=mode)
    assert result.settings.mode == mode
    readings = [line for line in asked.read_text().splitlines() if line.startswith("ocr ")]
    assert len(readings) == 2 and all("--precision fp16 --int8 fast --dynamic-int8" in line for line in readings)


def test_same_picture_name_of_two_folders_is_two_pictures(phone: PhoneHere, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    pages = [page(tmp_path, "a.png"), page(tmp_path / "x", "a.png")]
    protocol = replace(PROTOCOLS["phone"], passes=1, samples=2)
    result = run_benchmark(phone, [variant(tmp_path, "none")], pages, protocol, threads=1)
    assert [reading.picture for reading in result.variants[0].pictures] == ["a.png", "a.png"]
    exact = result.variants[0].exact()
    assert exact is not None and exact.lines == 2  # the stand-in finds no labels on the device, so none is read


def test_runner_that_crashes_ends_the_run(phone: PhoneHere, tmp_path: Path) -> None:
    # On a phone the picture's name begins with its hash, so that the stand-in is told by the variant's own runner instead.
    runner = paths.PHONE_RUNNER
    runner.write_text(runner.read_text().replace('.startswith("crash")', '.endswith("crash.png")'))
    with pytest.raises(RunnerError, match="was ended by SIGSEGV"):
        run_benchmark(phone, [variant(tmp_path, "none")], [page(tmp_path, "crash.png")], PROTOCOLS["phone"], threads=1)
