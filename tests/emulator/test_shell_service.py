"""The shell's own protocol, frame by frame; what the real adb makes of it is in test_adb.py."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field

import pytest

from edgeocr.emulator.launcher import Launch, OutputFilter
from edgeocr.emulator.shell_service import CLOSE_STDIN, EXIT, STDERR, STDIN, STDOUT, WINDOW_SIZE, ShellService

Frames = list[tuple[int, bytes]]


@dataclass
class FakeStream:
    """A peer that has sent ``incoming`` and stays until ``gone`` is set; keeps what it is sent."""

    incoming: bytes = b""
    written: bytes = b""
    gone: threading.Event = field(default_factory=threading.Event)

    def receive(self) -> bytes:
        if not self.incoming:
            self.gone.wait(10)
        data, self.incoming = self.incoming, b""
        return data

    def read(self, count: int) -> bytes:
        if len(self.incoming) < count:
            self.gone.wait(10)
            raise EOFError
        data, self.incoming = self.incoming[:count], self.incoming[count:]
        return data

    def write(self, data: bytes) -> None:
        self.written += data


@dataclass
class HostLauncher:
    """Runs commands by the host's shell, or ``argv``."""

    argv: list[str] = field(default_factory=list)

    def launch(self, command: str) -> Launch:
        return Launch(self.argv or ["/bin/sh", "-c", command], {"PATH": "/usr/bin:/bin"}, "/")

    def output_filter(self) -> OutputFilter | None:
        return None


def frame(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<BI", kind, len(data)) + data


def frames(data: bytes) -> Frames:
    found = []
    while data:
        kind, length = struct.unpack("<BI", data[:5])
        found.append((kind, data[5 : 5 + length]))
        data = data[5 + length :]
    return found


def run(options: list[str], command: str, incoming: bytes, launcher: HostLauncher | None = None) -> bytes:
    stream = FakeStream(incoming)
    ShellService(stream, launcher or HostLauncher(), options, command).run()  # type: ignore[arg-type]
    stream.gone.set()
    return stream.written


def output(found: Frames, kind: int) -> bytes:
    return b"".join(data for of, data in found if of == kind)


def test_version_2_frames_every_stream_and_ends_with_the_exit_code() -> None:
    found = frames(run(["v2", "raw"], "cat; echo error >&2; exit 300", frame(STDIN, b"a\0b") + frame(STDIN, b"\n") + frame(CLOSE_STDIN)))
    assert (output(found, STDOUT), output(found, STDERR)) == (b"a\0b\n", b"error\n")
    assert found[-1] == (EXIT, bytes([300 % 256]))


def test_frames_that_it_does_not_know_are_skipped() -> None:
    found = frames(
        run(["v2", "raw"], "cat", frame(99, b"newer") + frame(WINDOW_SIZE, b"1x1,0x0") + frame(STDIN, b"text") + frame(CLOSE_STDIN))
    )
    assert output(found, STDOUT) == b"text"


def test_the_older_shell_mixes_the_streams_without_frames() -> None:
    assert run(["raw"], "echo one; echo two >&2; exit 3", b"") == b"one\ntwo\n"


@pytest.mark.parametrize(("size", "shown"), [(b"50x132,0x0", b"50 132"), (b"99999x1,0x0", b"65535 1"), (b"nonsense", b"0 0")])
def test_a_terminal_has_the_users_window_size(size: bytes, shown: bytes) -> None:
    command = "read line; stty size"
    found = frames(run(["v2", "pty", "TERM=xterm"], command, frame(WINDOW_SIZE, size) + frame(STDIN, b"go\n") + frame(CLOSE_STDIN)))
    assert output(found, STDOUT).replace(b"\r", b"").splitlines()[-1] == shown


def test_a_terminal_has_the_users_type() -> None:
    assert b"xterm-256color" in output(frames(run(["v2", "TERM=xterm-256color", "pty"], "echo $TERM", b"")), STDOUT)


def test_a_shell_that_cannot_be_started_is_told() -> None:
    found = frames(run(["v2", "raw"], "true", b"", HostLauncher(["/nowhere/sh"])))
    assert found[-1] == (EXIT, bytes([126]))
    assert output(found, STDERR).startswith(b"the emulated phone cannot start a shell: ")
