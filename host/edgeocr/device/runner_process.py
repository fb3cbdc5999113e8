"""One run of edgeocr_run on a device: its records as they come, its failures as errors."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO

from edgeocr.device.device import Device
from edgeocr.device.records import PROTOCOL, ErrorRecord, HelloRecord, Record, RecordError, parse_record
from edgeocr.errors import EdgeocrError

KEPT_MESSAGES = 20  # of the last lines on stderr

OnRecord = Callable[[Record], None]


class RunnerError(EdgeocrError):
    """The runner said that it cannot do what it was asked for, or it crashed."""


class RunnerClient:
    """Runs the runner that lies at the path ``runner`` of a device."""

    def __init__(self, device: Device, runner: str) -> None:
        self._device = device
        self._runner = runner

    def run(self, arguments: Sequence[str], on_record: OnRecord, *, cpu_mask: str | None = None) -> HelloRecord:
        """Run it to its end; every record but hello goes to ``on_record``. Gives hello.

        RunnerError with the runner's own last error line; DeviceError where the device was lost; RecordError where what it writes is not
        the protocol's. A run that failed for nothing but pictures, with an ErrorRecord for each, ends normally.
        """
        prefix = ["taskset", cpu_mask] if cpu_mask is not None else []
        process = self._device.popen([*prefix, self._runner, *arguments])
        assert process.stdout is not None and process.stderr is not None
        messages = _Messages(process.stderr)
        with process.stdout, process.stderr:
            try:
                reader = _RecordReader(self._device.serial, on_record)
                for line in process.stdout:
                    reader.take(line)
                code = process.wait()
            except RecordError:
                self._device.check_reachable()  # a device that is lost cuts its last record
                raise
            finally:
                _end(process)
                messages.join()
        self._device.check_reachable()
        code = code if code >= 0 else 128 - code
        if code != 0 and not reader.errors:
            raise self._failure(code, messages)
        return reader.hello_or_error()

    def _failure(self, code: int, messages: _Messages) -> RunnerError:
        error = messages.last_error()
        if error is not None:
            return RunnerError(error)
        where = f"the runner on device {self._device.serial}"
        if code > 128:
            return RunnerError(f"{where} was ended by {_signal_name(code - 128)}", "please report it with the picture and the models")
        return RunnerError(f"{where} failed: {messages.last() or f'exit code {code}'}")


class _RecordReader:
    """Takes lines in the order in which they come: hello first."""

    def __init__(self, serial: str, on_record: OnRecord) -> None:
        self._serial = serial
        self._on_record = on_record
        self._hello: HelloRecord | None = None
        self.errors = 0

    def take(self, line: bytes) -> None:
        if not line.strip():
            return
        record = parse_record(line)
        if self._hello is None:
            if not isinstance(record, HelloRecord):
                raise RecordError(f"the runner on device {self._serial} began with a {type(record).__name__}, expected hello")
            self._hello = _checked(record, self._serial)
            return
        self.errors += isinstance(record, ErrorRecord)
        self._on_record(record)

    def hello_or_error(self) -> HelloRecord:
        if self._hello is None:
            raise RecordError(f"the runner on device {self._serial} ended without a word, expected hello")
        return self._hello


def _checked(hello: HelloRecord, serial: str) -> HelloRecord:
    """RunnerError where the two sides do not speak the same protocol."""
    if hello.protocol == PROTOCOL:
        return hello
    spoken = f"the runner on device {serial} (version {hello.version}) speaks protocol {hello.protocol}, this edgeocr speaks {PROTOCOL}"
    if hello.protocol < PROTOCOL:
        raise RunnerError(f"{spoken}: the runner is too old", "run `make runner`, then try again")
    raise RunnerError(f"{spoken}: this edgeocr is too old", "update this checkout, or build its own runner by `make runner`")


class _Messages:
    """Drains stderr, so that the runner never waits for us, and keeps its last lines."""

    def __init__(self, source: IO[bytes]) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_MESSAGES)
        self._thread = threading.Thread(target=self._drain, args=(source,), daemon=True)
        self._thread.start()

    def _drain(self, source: IO[bytes]) -> None:
        for line in source:
            if text := line.decode(errors="replace").strip():
                self._lines.append(text)

    def join(self) -> None:
        self._thread.join()

    def last_error(self) -> str | None:
        return next((line.removeprefix("error: ") for line in reversed(self._lines) if line.startswith("error: ")), None)

    def last(self) -> str | None:
        return self._lines[-1] if self._lines else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing if it has ended; else (the user interrupted, or its output was no protocol) end it. adb hangs up on the phone's side, too."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
