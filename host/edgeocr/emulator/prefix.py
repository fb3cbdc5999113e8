"""The phone's programs without any right of the kernel's: the shell's text is rewritten before the host's shell runs it.

    cd /data/local/tmp && ./prog --in=/data/x    becomes    cd ROOT/data/local/tmp && RUN ./prog --in=ROOT/data/x

ROOT is the device root on the host, RUN a script that gives aarch64 programs to qemu and runs anything else as it is. What is printed is
rewritten back. Bounds, against the namespaced way: paths are seen in the command alone, not in stdin or in scripts on the phone; programs
are seen where a command begins, not within `$(…)`, quoted text or here-documents; `ls /` shows the host's root.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from edgeocr.emulator.launcher import Launch, OutputFilter, phone_environment
from edgeocr.emulator.qemu import Qemu
from edgeocr.errors import SetupError

PHONE_FOLDERS = ("/data", "/system")

# A phone's path begins where no path can be going on, and ends with its folder's name.
_PHONE_PATH = re.compile(r"(?<![\w.\-/)}\]*?~])(?=(?:/data|/system)(?![\w.\-]))")
# Words after which a command still begins.
_LEADING_WORDS = frozenset(
    ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "command", "env", "nohup", "setsid")
)
_OPERAND_WORDS = {"taskset": 1, "timeout": 1}  # the command comes after so many operands
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_WORD = re.compile(r"""(?:[^\s;&|()<>'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|\$\([^()]*\))+""", re.DOTALL)

RUN_SCRIPT = """\
#!/bin/sh
# Run a program of the emulated phone: one for aarch64 by qemu, any other as it is.
program=$1
case $program in */*) ;; *) exec "$@" ;; esac
if [ ! -e "$program" ]; then
  echo "sh: $program: not found" >&2
  exit 127
fi
case $(od -An -v -tx1 -N20 -- "$program" | tr -d ' \\n') in
7f454c460201*b700)
  if [ ! -x "$program" ]; then
    echo "sh: $program: can't execute: Permission denied" >&2
    exit 126
  fi
  exec {qemu} -cpu {cpu} "$@"
  ;;
esac
exec "$@"
"""


class PrefixLauncher:
    """Launches rewritten commands. ``root`` is the device root, ``folder`` where the script that runs programs is to lie."""

    def __init__(self, state: Path, root: Path, folder: Path, qemu: Qemu) -> None:
        self._root = _plain(root)
        self._run = _plain(folder / "run-program")
        self._environment = phone_environment(state, qemu.cpu, self._root)
        script = Path(self._run)
        part = script.with_name(script.name + ".part")
        part.write_text(RUN_SCRIPT.format(qemu=shlex.quote(qemu.path), cpu=shlex.quote(qemu.cpu)))
        part.chmod(0o755)
        os.replace(part, script)

    def launch(self, command: str) -> Launch:
        shell = ["/bin/sh", "-c", translate(command, self._root, self._run)] if command else ["/bin/sh", "-i"]
        return Launch(shell, self._environment, self._root)

    def output_filter(self) -> OutputFilter | None:
        return PathFilter(self._root.encode())


def _plain(path: Path) -> str:
    """The path as text that means itself in any quoting of a shell."""
    text = str(path.resolve())
    if not re.fullmatch(r"[\w./+@%,-]+", text, flags=re.ASCII):
        raise SetupError(
            f"the emulator's folder is {text}, expected letters, digits and ./+@%,_- only", "let XDG_STATE_HOME name another one"
        )
    return text


def translate(command: str, root: str, run: str) -> str:
    """Shell text for the host's shell: ``run`` before programs that are named by a path, ``root`` before the phone's absolute paths."""
    pieces = []
    end = 0
    for start in _program_starts(command):
        pieces += [_PHONE_PATH.sub(root, command[end:start]), f"{run} "]
        end = start
    return "".join([*pieces, _PHONE_PATH.sub(root, command[end:])])


def _program_starts(command: str) -> Iterator[int]:
    """Where commands begin that are, or may become, a path: with a "/" or a variable in them."""
    position = 0
    state = _Position()
    while position < len(command):
        word = _WORD.match(command, position)
        if word is None:
            position += state.operator(command[position:])
        elif word[0].startswith("#"):
            position = _line_end(command, position)
        else:
            if state.word(word[0]):
                yield position
            position = word.end()


def _line_end(command: str, position: int) -> int:
    end = command.find("\n", position)
    return len(command) if end < 0 else end


class _Position:
    """Whether the next word names a command."""

    def __init__(self) -> None:
        self._at_command = True
        self._operands = 0  # of a leading word, still to come
        self._is_target = False  # the next word belongs to < or >

    def operator(self, rest: str) -> int:
        """Take the operator, blank or stray character at the start of ``rest``; gives its length."""
        redirection = re.match(r"[<>]{1,2}[&|]?", rest)
        if redirection is not None:
            self._is_target = True
            return redirection.end()
        if rest[0] in ";&|()\n":
            self._at_command, self._operands, self._is_target = True, 0, False
        return 1

    def word(self, word: str) -> bool:
        """Take a word; True if it is a command that may be a path."""
        if self._is_target:
            self._is_target = False
            return False
        if not self._at_command:
            return False
        if self._operands:
            self._operands -= 1
            return False
        if word in _OPERAND_WORDS:
            self._operands = _OPERAND_WORDS[word]
            return False
        if word in _LEADING_WORDS or word.startswith("-") or _ASSIGNMENT.match(word):
            return False
        self._at_command = False
        return "/" in word or "$" in word


class PathFilter:
    """Takes the device root away from before the phone's folders in a stream of bytes; a path may be split between pieces."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._tokens = [root + folder.encode() for folder in PHONE_FOLDERS]
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._replace(self._held + data)
        keep = next((n for n in range(min(len(data), self._longest() - 1), 0, -1) if self._may_begin(data[-n:])), 0)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def _replace(self, data: bytes) -> bytes:
        for token in self._tokens:
            data = data.replace(token, token[len(self._root) :])
        return data

    def _longest(self) -> int:
        return max(map(len, self._tokens))

    def _may_begin(self, tail: bytes) -> bool:
        return any(token.startswith(tail) for token in self._tokens)
