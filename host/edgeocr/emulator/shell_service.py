"""adb's shell: `shell,v2,raw:COMMAND`, `shell:COMMAND` and `exec:COMMAND`.

Version 2 frames both directions (id u8, length u32, data), so that stdout, stderr and the exit code stay apart; the older ones carry
stdout and stderr mixed and lose the exit code. Without a command, or on request, the shell gets a terminal.

Source: AOSP packages/modules/adb, shell_protocol.h and daemon/shell_service.cpp.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
from io import FileIO, RawIOBase
from typing import cast

from edgeocr.emulator.connection import Stream
from edgeocr.emulator.launcher import Launcher

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN, WINDOW_SIZE = range(6)
HANGUP_GRACE = 2.0  # seconds that a program has to end after its user has gone
CHUNK = 32 * 1024

CANNOT_EXECUTE = 126  # a shell's exit code for it

# A process, its stdin, and its outputs by their frame ids.
Started = tuple[subprocess.Popen[bytes], RawIOBase, list[tuple[int, RawIOBase]]]

_FRAME = struct.Struct("<BI")


class ShellService:
    """Serves one stream with one process."""

    def __init__(self, stream: Stream, launcher: Launcher, options: list[str], command: str) -> None:
        self._stream = stream
        self._launcher = launcher
        self._framed = "v2" in options
        self._command = command
        self._on_terminal = "pty" in options or ("raw" not in options and not command)
        self._terminal_type = next((option[5:] for option in options if option.startswith("TERM=")), "dumb")

    def run(self) -> None:
        """Until the process has ended and all its output is sent, or the peer has left."""
        try:
            process, stdin, outputs = self._start_on_terminal() if self._on_terminal else self._start_on_pipes()
        except OSError as error:
            self._send(STDERR, f"the emulated phone cannot start a shell: {error}\n".encode())
            self._send_exit_code(CANNOT_EXECUTE)
            return
        self._exchange(process, stdin, outputs)

    def _start_on_pipes(self) -> Started:
        launch = self._launcher.launch(self._command)
        process = subprocess.Popen(
            launch.argv,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if self._framed else subprocess.STDOUT,
            env=launch.environment,
            cwd=launch.folder,
            start_new_session=True,
        )
        stdin, stdout, stderr = cast("tuple[RawIOBase, RawIOBase, RawIOBase | None]", (process.stdin, process.stdout, process.stderr))
        outputs = [(STDOUT, stdout)] if stderr is None else [(STDOUT, stdout), (STDERR, stderr)]
        return process, stdin, outputs

    def _start_on_terminal(self) -> Started:
        launch = self._launcher.launch(self._command)
        master, slave = os.openpty()
        with open(slave, "rb", buffering=0) as terminal:
            # setsid, not start_new_session: the session must also take the terminal as its own.
            process = subprocess.Popen(
                ["setsid", "--ctty", *launch.argv],
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                env={**launch.environment, "TERM": self._terminal_type},
                cwd=launch.folder,
            )
        keyboard = FileIO(os.dup(master), "wb")
        return process, keyboard, [(STDOUT, FileIO(master, "rb"))]

    def _exchange(self, process: subprocess.Popen[bytes], stdin: RawIOBase, outputs: list[tuple[int, RawIOBase]]) -> None:
        """Carry both directions, wait for the end, tell the exit code. Every thread closes the file that it is given."""
        threading.Thread(target=self._carry_input, args=(process, stdin), daemon=True).start()
        carriers = [threading.Thread(target=self._carry_output, args=output, daemon=True) for output in outputs]
        for carrier in carriers:
            carrier.start()
        for carrier in carriers:
            carrier.join()
        code = process.wait()
        self._send_exit_code(code & 0xFF if code >= 0 else 128 - code)

    # output

    def _carry_output(self, kind: int, source: RawIOBase) -> None:
        output_filter = self._launcher.output_filter()
        with source, contextlib.suppress(EOFError, OSError):  # the user has gone; a terminal ends with EIO
            while data := _read_some(source):
                self._send(kind, output_filter.feed(data) if output_filter else data)
        if output_filter is not None:
            with contextlib.suppress(EOFError, OSError):
                self._send(kind, output_filter.end())

    def _send(self, kind: int, data: bytes) -> None:
        if data:
            self._stream.write(_FRAME.pack(kind, len(data)) + data if self._framed else data)

    def _send_exit_code(self, code: int) -> None:
        """The older shells have no place for it."""
        if self._framed:
            self._stream.write(_FRAME.pack(EXIT, 1) + bytes([code]))

    # input

    def _carry_input(self, process: subprocess.Popen[bytes], stdin: RawIOBase) -> None:
        with stdin, contextlib.suppress(EOFError, OSError):  # the user has gone; the program reads no more
            if self._framed:
                self._carry_frames(stdin)
            else:
                while data := self._stream.receive():
                    _write_all(stdin, data)
        self._wait_for_hangup()
        _hang_up(process)

    def _carry_frames(self, stdin: RawIOBase) -> None:
        while True:
            kind, length = _FRAME.unpack(self._stream.read(_FRAME.size))
            data = self._stream.read(length)
            if kind == STDIN:
                _write_all(stdin, data)
            elif kind == CLOSE_STDIN and not self._on_terminal:
                return
            elif kind == WINDOW_SIZE and self._on_terminal:
                _set_window_size(stdin, data)

    def _wait_for_hangup(self) -> None:
        """Input is at its end; nothing more than the end of the stream can come."""
        while self._stream.receive():
            pass


def _read_some(source: RawIOBase) -> bytes:
    return source.read(CHUNK) or b""


def _write_all(target: RawIOBase, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[target.write(view) :]


def _set_window_size(terminal: RawIOBase, data: bytes) -> None:
    """``data``: "rowsxcolumns,widthxheight", the latter in pixels."""
    match = re.match(rb"(\d+)x(\d+),(\d+)x(\d+)", data)
    if match is not None:
        fcntl.ioctl(terminal.fileno(), termios.TIOCSWINSZ, struct.pack("<4H", *(min(int(number), 0xFFFF) for number in match.groups())))


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    """End a process whose user has gone, with everything in its group; nothing if it has ended."""
    for sign, grace in ((signal.SIGHUP, HANGUP_GRACE), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
