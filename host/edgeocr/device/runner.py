"""What the runner does on a device: read pictures, time a net, look into a net. What the device lacks is pushed first."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from edgeocr import paths
from edgeocr.device.device import Device
from edgeocr.device.push import DEVICE_FOLDER, Progress, PushFile, batches, model_file, picture_file, push, runner_file
from edgeocr.device.records import BenchRecord, ErrorRecord, InfoRecord, PictureRecord, Record, RecordError
from edgeocr.device.runner_process import OnRecord, RunnerClient, RunnerError
from edgeocr.errors import DeviceError, EdgeocrError, SetupError, UsageError
from edgeocr.zoo.model_files import ModelFiles

MAX_ARGUMENT_BYTES = 24 * 1024  # of picture names in one command

R = TypeVar("R", bound=Record)


class UnreadablePictures(EdgeocrError):
    """Some pictures could not be read; ``records`` has the readings of the others, ``errors`` says what is wrong with each."""

    def __init__(self, records: list[PictureRecord], errors: list[ErrorRecord]) -> None:
        several = f"{len(errors)} pictures could not be read: " if len(errors) > 1 else ""
        super().__init__(several + "; ".join(complaint(error) for error in errors))
        self.records = records
        self.errors = errors


def complaint(error: ErrorRecord) -> str:
    """What is wrong with a picture, beginning with its path if the message does not have it."""
    return error.message if error.picture in error.message else f"{error.picture}: {error.message}"


@dataclass(frozen=True)
class OcrOptions:
    """Parameters of a reading, by PaddleOCR's names; None leaves the runner's default, which is PaddleOCR's."""

    limit_side_len: int | None = None
    det_db_thresh: float | None = None
    det_db_box_thresh: float | None = None
    det_db_unclip_ratio: float | None = None
    cls_thresh: float | None = None
    drop_score: float | None = None
    precision: str | None = None  # fp32, fp16, int8; None: what each file has
    int8: str | None = None  # exact (Paddle-Lite's bits), fast or composed
    dynamic_int8: bool = False  # large fp32 matrix products of the recogniser in int8

    def arguments(self) -> list[str]:
        result: list[str] = []
        for entry in fields(self):
            value, option = getattr(self, entry.name), f"--{entry.name.replace('_', '-')}"
            if isinstance(value, bool):
                result += [option] if value else []
            elif value is not None:
                result += [option, str(value)]
        return result


def run_ocr(
    device: Device,
    models: ModelFiles,
    pictures: Sequence[Path],
    *,
    threads: int = 1,
    repeats: int = 1,
    warmup: int = 0,
    options: OcrOptions | None = None,
    on_record: OnRecord | None = None,
    push_progress: Progress | None = None,
    cpu_mask: str | None = None,
    maps: Path | None = None,
    det: bool = True,
    rec: bool = True,
) -> list[PictureRecord]:
    """Read ``pictures``, each ``repeats`` times, and give the readings in order, under the paths given here.

    ``det=False`` takes every picture for one line, ``rec=False`` finds boxes only, without turning or reading them (PaddleOCR's names);
    both tell the direction of the line alone.

    ``on_record`` sees every record as it comes. ``cpu_mask``: hexadecimal, for taskset. ``maps``: a folder that receives the detector's
    maps as <stem>.map.f32. Pictures that cannot be read raise UnreadablePictures once the others are done.
    """
    if not pictures:
        raise UsageError("there is no picture to read")
    classifier = models.classifier if rec or not det else None
    used = [models.detector if det else None, classifier, *((models.recogniser, models.dictionary) if rec else ())]
    nets = {path: model_file(path) for path in used if path is not None}
    picture_files = [picture_file(path) for path in pictures]
    site = _Site(device, [*nets.values(), *picture_files], push_progress)
    arguments = ["ocr"]
    if det:
        arguments += ["--det", site.path(nets[models.detector])]
    if rec:
        arguments += ["--rec", site.path(nets[models.recogniser]), "--dict", site.path(nets[models.dictionary])]
    if classifier is not None:
        arguments += ["--cls", site.path(nets[classifier])]
    arguments += ["--threads", str(threads), "--repeats", str(repeats), "--warmup", str(warmup)]
    arguments += (options or OcrOptions()).arguments()
    if maps is not None:
        arguments += ["--dump-map", site.folder(maps, "maps")]
    readings = _Readings(site, picture_files, on_record)
    for batch in batches([site.path(file) for file in picture_files], MAX_ARGUMENT_BYTES):
        site.run([*arguments, *batch], readings.take, cpu_mask)
    if maps is not None:
        site.fetch_maps(maps, [file for file in picture_files if str(file.local) in {record.picture for record in readings.records}])
    if readings.errors:
        raise UnreadablePictures(readings.records, readings.errors)
    return readings.records


def run_bench(
    device: Device,
    model: Path,
    input_shape: Sequence[int],
    *,
    repeats: int = 100,
    warmup: int = 10,
    input_file: Path | None = None,
    output_file: Path | None = None,
) -> BenchRecord:
    """Time one net on an input of ``input_shape`` (N, C, H, W); milliseconds of every sample.

    ``input_file`` holds the input, NCHW fp32, instead of noise; ``output_file`` receives the output, row-major fp32.
    """
    net = model_file(model)
    given = model_file(input_file) if input_file is not None else None
    site = _Site(device, [net] if given is None else [net, given], None)
    arguments = ["bench", site.path(net), "--input", _shape(input_shape)]
    arguments += ["--repeats", str(repeats), "--warmup", str(warmup)]
    if given is not None:
        arguments += ["--input-file", site.path(given)]
    if output_file is not None:
        arguments += ["--output-file", site.path_for(output_file, "output.f32")]
    result = site.run_for(BenchRecord, arguments, None)
    if output_file is not None:
        site.fetch("output.f32", output_file)
    return replace(result, model=str(model))


def run_info(
    device: Device,
    model: Path,
    input_shape: Sequence[int] | None = None,
    *,
    mode: Sequence[str] = (),
    on_record: OnRecord | None = None,
) -> InfoRecord:
    """What the runner sees in a `.nb` file. With ``input_shape``, ``on_record`` sees one NodeRecord per operator of the plan, as the
    runner's options ``mode`` (--precision, --int8, --dynamic-int8) make it."""
    net = model_file(model)
    site = _Site(device, [net], None)
    plan = ["--input", _shape(input_shape), *mode] if input_shape is not None else []
    return site.run_for(InfoRecord, ["info", site.path(net), *plan], on_record)


def _shape(shape: Sequence[int]) -> str:
    return ",".join(map(str, shape))


def require_runner(device: Device) -> Path:
    """The runner built for the kind of device; SetupError where it is not built."""
    runner = paths.HOST_RUNNER if device.kind == "host" else paths.PHONE_RUNNER
    if not runner.is_file():
        what = "this machine" if device.kind == "host" else "phones"
        raise SetupError(f"the runner for {what} is not built: {runner} is missing", "run `make runner`")
    return runner


class _Site:
    """The runner and its files in their places on one device: pushed there, or, on the host, where they are."""

    def __init__(self, device: Device, files: Sequence[PushFile], progress: Progress | None) -> None:
        self._device = device
        self._on_host = device.kind == "host"
        runner = runner_file(require_runner(device))
        if not self._on_host:
            push(device, [runner, *files], progress)
        self._client = RunnerClient(device, self.path(runner))
        self._locals = {self.path(file): str(file.local) for file in files}

    def path(self, file: PushFile) -> str:
        """Where the runner finds ``file``."""
        return str(file.local.absolute()) if self._on_host else file.remote

    def path_for(self, local: Path, name: str) -> str:
        """Where the runner writes what ends up at ``local``: there, or under ``name`` on the device."""
        return str(local.absolute()) if self._on_host else f"{DEVICE_FOLDER}/{name}"

    def folder(self, local: Path, name: str) -> str:
        """As `path_for`, for a folder, which is made on both sides."""
        try:
            local.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"folder {local} cannot be made: {error.strerror}") from None
        folder = self.path_for(local, name)
        done = self._device.shell(["mkdir", "-p", folder])
        if done.returncode != 0:
            raise DeviceError(
                f"folder {folder} cannot be made on device {self._device.serial}: {done.stderr.decode(errors='replace').strip()}"
            )
        return folder

    def fetch(self, name: str, local: Path) -> None:
        """Bring what the runner wrote under ``name``; on the host it is in its place."""
        if not self._on_host:
            self._device.pull(f"{DEVICE_FOLDER}/{name}", local)

    def fetch_maps(self, folder: Path, pictures: Sequence[PushFile]) -> None:
        """Bring the maps of ``pictures``, under the pictures' own names."""
        for file in pictures:
            self.fetch(f"maps/{Path(file.name).stem}.map.f32", folder / f"{file.local.stem}.map.f32")

    def run(self, arguments: Sequence[str], on_record: OnRecord, cpu_mask: str | None) -> None:
        try:
            self._client.run(arguments, on_record, cpu_mask=cpu_mask)
        except RunnerError as error:
            raise RunnerError(self._in_local_paths(error.message), error.hint) from None

    def run_for(self, kind: type[R], arguments: Sequence[str], on_record: OnRecord | None) -> R:
        """Run for the one record of type ``kind``."""
        found: list[R] = []

        def take(record: Record) -> None:
            if isinstance(record, kind):
                found.append(record)
            if on_record is not None:
                on_record(record)

        self.run(arguments, take, None)
        if not found:
            raise RecordError(f"the runner on device {self._device.serial} ended without its {kind.__name__}")
        return found[-1]

    def _in_local_paths(self, message: str) -> str:
        """The user knows the files by their own names."""
        for remote, local in self._locals.items():
            message = message.replace(remote, local)
        return message


class _Readings:
    """Collects the records of pictures under the paths that the user gave."""

    def __init__(self, site: _Site, files: Sequence[PushFile], on_record: OnRecord | None) -> None:
        self.records: list[PictureRecord] = []
        self.errors: list[ErrorRecord] = []
        self._on_record = on_record
        # One device file may stand for several pictures of equal name and content: they come in the order of the command.
        self._waiting: dict[str, deque[Path]] = defaultdict(deque)
        self._current: dict[str, Path] = {}
        for file in files:
            self._waiting[site.path(file)].append(file.local)

    def take(self, record: Record) -> None:
        if isinstance(record, PictureRecord):
            record = replace(record, picture=self._local(record.picture, first=record.repeat == 0))
            self.records.append(record)
        elif isinstance(record, ErrorRecord):
            local = self._local(record.picture, first=True)
            record = ErrorRecord(local, record.message.replace(record.picture, local) if record.picture else record.message)
            self.errors.append(record)
        if self._on_record is not None:
            self._on_record(record)

    def _local(self, remote: str, *, first: bool) -> str:
        if first and self._waiting.get(remote):
            self._current[remote] = self._waiting[remote].popleft()
        return str(self._current.get(remote, remote))
