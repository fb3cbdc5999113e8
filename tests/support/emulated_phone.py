"""An emulated phone for tests, apart from the user's: a state folder, a home and an adb server of its own."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeocr.device.adb import Adb
from edgeocr.device.emulated import start_emulated, stop_emulated
from edgeocr.emulator.state import EmulatorState, Mode
from edgeocr.errors import SetupError

# zig keeps what it has compiled under the user's home; tests run with one of their own.
_USER_ENVIRONMENT = dict(os.environ)

# Without a C library, whose first build by zig takes a minute. Numbers of system calls: Linux on arm64.
AARCH64_SOURCE = r"""
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}

static long length(const char* text) {
  long count = 0;
  while (text[count]) ++count;
  return count;
}

static int equal(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

static long number(const char* text) {
  long value = 0;
  while (*text >= '0' && *text <= '9') value = 10 * value + (*text++ - '0');
  return value;
}

static int put_all(long file, const char* data, long count) {
  while (count > 0) {
    long done = call(64, file, (long)data, count, 0);  // write
    if (done < 0) return 1;
    data += done;
    count -= done;
  }
  return 0;
}

static int put(long file, const char* text) { return put_all(file, text, length(text)); }

static int copy(void) {
  static char buffer[65536];
  long count;
  while ((count = call(63, 0, (long)buffer, sizeof buffer, 0)) > 0)  // read
    if (put_all(1, buffer, count)) return 1;
  return count < 0;
}

static int write_file(const char* path, const char* text) {
  long file = call(56, -100, (long)path, 01 | 0100 | 01000, 0644);  // openat: write, create, truncate
  return file < 0 || put(file, text);
}

static int sleep_for(long seconds) {
  long time[2] = {seconds, 0};
  put(1, "asleep\n");
  return call(101, (long)time, 0, 0, 0) != 0;  // nanosleep
}

static int put_midr(void) {
  unsigned long midr;
  char text[17];
  __asm__("mrs %0, midr_el1" : "=r"(midr));
  for (int i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[midr >> (60 - 4 * i) & 15];
  text[16] = '\n';
  return put_all(1, text, 17);
}

static int run(long count, char** words) {
  const char* what = count > 1 ? words[1] : "";
  const char* value = count > 2 ? words[2] : "";
  if (equal(what, "exit")) return number(value);
  if (equal(what, "crash")) return call(129, call(172, 0, 0, 0, 0), 11, 0, 0);  // kill(getpid(), SIGSEGV)
  if (equal(what, "copy")) return copy();
  if (equal(what, "write")) return write_file(value, words[3]);
  if (equal(what, "sleep")) return sleep_for(number(value));
  if (equal(what, "streams")) return put(1, "to stdout\n") || put(2, "to stderr\n");
  if (equal(what, "midr")) return put_midr();
  for (long i = 1; i < count; ++i) put(1, words[i]), put(1, "\n");
  return 0;
}

__attribute__((used)) static void start(long* stack) { call(93, run(stack[0], (char**)(stack + 1)), 0, 0, 0); }  // exit

__attribute__((naked)) void _start(void) { __asm__("mov x0, sp\n\tb start"); }
"""


def compile_aarch64(folder: Path) -> Path:
    """A static aarch64 program: `exit N`, `crash`, `copy`, `write PATH TEXT`, `sleep N`, `streams`, `midr`, or it echoes its arguments."""
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("no ziglang to compile an aarch64 program with")
    source, program = folder / "program.c", folder / "program"
    source.write_text(AARCH64_SOURCE)
    target = ["-target", "aarch64-linux-none", "-static", "-ffreestanding", "-nostdlib", "-fno-builtin", "-O1"]
    command = [sys.executable, "-m", "ziglang", "cc", *target, str(source), "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, env=_USER_ENVIRONMENT)
    return program


@contextmanager
def private_adb(folder: Path) -> Iterator[Adb]:
    """adb with a server, keys and emulator state under ``folder``; the server is ended at the end."""
    try:
        adb = Adb()
    except SetupError as error:
        pytest.skip(error.message)
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(_free_port()))
        patch.delenv("EDGEOCR_EMULATOR_MODE", raising=False)
        try:
            yield adb
        finally:
            stop_emulated()
            adb.run(["kill-server"])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True)
class Phone:
    """A running emulated phone and the adb that lists it."""

    adb: Adb
    state: EmulatorState

    @property
    def root(self) -> Path:
        """Its file tree on the host."""
        return Path(self.state.root)

    def command(self, *arguments: str) -> list[str]:
        return [self.adb.binary, "-s", self.state.serial, *arguments]

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """adb on this phone."""
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, timeout=120, check=False)

    def shell(self, text: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Shell text, as a user types it after `adb shell`: exit code, stdout, stderr."""
        done = self.run("shell", "-T", text, stdin=stdin)
        return done.returncode, done.stdout, done.stderr

    def put(self, local: Path, remote: str) -> None:
        done = self.run("push", str(local), remote)
        assert done.returncode == 0, done.stderr


def start_or_skip(mode: Mode, storage_bytes: int | None) -> tuple[EmulatorState, bool]:
    """Start a phone; skips where the machine does not allow namespaces."""
    try:
        return start_emulated(mode, storage_bytes)
    except SetupError as error:
        if mode == "namespace" and "namespace" in error.message:
            pytest.skip(error.message)
        raise


@contextmanager
def running_phone(adb: Adb, mode: Mode, storage_bytes: int | None = None) -> Iterator[Phone]:
    """A phone started in ``mode``, and stopped at the end."""
    state, started = start_or_skip(mode, storage_bytes)
    assert started
    try:
        yield Phone(adb, state)
    finally:
        stop_emulated()


MODES: Sequence[Mode] = ("namespace", "prefix")


class Phones:
    """A phone in each mode, started when first asked for. Side by side, since tests ask for them in random order."""

    def __init__(self, adb: Adb, folder: Path) -> None:
        self._adb = adb
        self._folder = folder
        self._running: dict[Mode, Phone] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Phones:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, mode: Mode) -> Phone:
        if mode not in self._running:
            with self._state_of(mode):
                state, _ = start_or_skip(mode, None)
            self._stack.callback(self._stop, mode)
            self._running[mode] = Phone(self._adb, state)
        return self._running[mode]

    def _stop(self, mode: Mode) -> None:
        with self._state_of(mode):
            stop_emulated()

    @contextmanager
    def _state_of(self, mode: Mode) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(self._folder / mode))
            yield
