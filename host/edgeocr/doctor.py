"""What this machine has of what edgeocr can use, each thing found by running or reading it, never by its name alone."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edgeocr import __version__, debian, paths
from edgeocr.convert.paddle_env import paddle_python
from edgeocr.device.adb import Adb
from edgeocr.emulator.qemu import PROBE_EXIT_CODE, Qemu, find_qemu, probe_program
from edgeocr.errors import EdgeocrError
from edgeocr.zoo.cache import Cache
from edgeocr.zoo.registry import FileEntry, Registry
from edgeocr.zoo.registry import load as load_registry
from edgeocr.zoo.verify import check_file

PROBE_TIMEOUT = 60.0  # seconds; importing Paddle from a cold disk is the slowest
LEAST_FREE_BYTES = 1 << 30  # the build folder, the emulated phone's storage and the results
DISTRIBUTIONS = ("adbutils", "click", "numpy", "opencv-python-headless", "rich")


@dataclass(frozen=True)
class Finding:
    """One thing: there (``detail`` says which) or not (``detail`` says why, ``hint`` what to do)."""

    name: str
    ok: bool
    detail: str
    hint: str | None = None
    needed: bool = True  # by `edgeocr bench` on the emulated phone


Check = Callable[[], Iterator[Finding]]


def examine(on_step: Callable[[str], None] = lambda name: None) -> list[Finding]:
    """Every finding, in the order of CHECKS. ``on_step`` hears what is looked at next."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        on_step(name)
        findings.extend(check())
    return findings


def python() -> Iterator[Finding]:
    absent = []
    versions = []
    for name in DISTRIBUTIONS:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            absent.append(name)
    yield Finding("Python", True, f"{platform.python_version()}, {sys.executable}")
    if absent:
        yield Finding("Python packages", False, f"missing: {', '.join(absent)}", "make setup")
    else:
        yield Finding("Python packages", True, ", ".join(versions))


def debian_packages() -> Iterator[Finding]:
    if not debian.is_debian():
        yield Finding("Debian packages", False, "this is no Debian", "have the like of tools/apt-packages.txt installed", needed=False)
        return
    for part in debian.PARTS:
        wanted = debian.read_packages(paths.ROOT / "tools" / "apt-packages.txt", {part})
        absent = debian.missing(wanted)
        name = "Debian packages" if part == "base" else f"Debian packages, {part}"
        if absent:
            hint = f"sudo {' '.join(debian.install_command(absent))}"
            # Those of the base part are for building; what is built already runs without them.
            yield Finding(name, False, f"missing: {', '.join(absent)}", hint, needed=False)
        else:
            yield Finding(name, True, f"all {len(wanted)} installed", needed=False)


def host_runner() -> Iterator[Finding]:
    yield _runner("runner, this machine", paths.HOST_RUNNER, [])


def phone() -> Iterator[Finding]:
    """qemu, the private namespace, and the phone's runner under qemu."""
    try:
        qemu = find_qemu()
        _probe_qemu(qemu)
    except EdgeocrError as error:
        yield Finding("qemu", False, error.message, error.hint)
        yield Finding("runner, phone", paths.PHONE_RUNNER.is_file(), "not tried: there is no qemu", "make setup")
        return
    version = _output([qemu.path, "--version"]).partition("\n")[0]
    yield Finding("qemu", True, f"{version}, processor model {qemu.cpu}")
    yield _private_namespace(qemu)
    yield _runner("runner, phone", paths.PHONE_RUNNER, [qemu.path, "-cpu", qemu.cpu])


def adb() -> Iterator[Finding]:
    """The adb program and the devices its server lists; this starts the server."""
    try:
        bridge = Adb()
        version = re.search(r"^Version (\S+)", _output([bridge.binary, "version"]), re.MULTILINE)
        yield Finding("adb", True, f"{version.group(1) if version else 'of an unknown version'}, {bridge.binary}")
        entries = bridge.devices()
    except EdgeocrError as error:
        yield Finding("adb", False, error.message, error.hint)
        return
    if not entries:
        hint = "plug a phone in and allow USB debugging, or: edgeocr emulator start"
        yield Finding("devices", False, "adb lists none", hint, needed=False)
    for entry in entries:
        hint = "look at the phone's screen: it may ask whether to allow USB debugging"
        yield Finding(f"device {entry.serial}", entry.ready, entry.state, hint, needed=False)


def paddle() -> Iterator[Finding]:
    program = (
        "import json, paddle, paddlelite.lite, paddleslim\n"
        "from importlib.metadata import version\n"
        "print(json.dumps({name: version(name) for name in ('paddlepaddle', 'paddlelite', 'paddleslim', 'numpy')}))"
    )
    try:
        interpreter = paddle_python()
        answer = _output([str(interpreter), "-W", "ignore", "-c", program])
        versions = json.loads(answer.splitlines()[-1])
    except (EdgeocrError, ValueError, IndexError) as error:
        message = error.message if isinstance(error, EdgeocrError) else "the environment's imports say nothing"
        hint = error.hint if isinstance(error, EdgeocrError) and error.hint else "rm -r .venv-paddle, then make setup"
        yield Finding("Paddle environment", False, message, hint, needed=False)
        return
    detail = ", ".join(f"{name} {version}" for name, version in versions.items())
    yield Finding("Paddle environment", True, detail, needed=False)


def models() -> Iterator[Finding]:
    try:
        registry = load_registry()
    except EdgeocrError as error:
        yield Finding("models", False, error.message, error.hint)
        return
    unpinned = []
    for model_set in registry.sets.values():
        for variant, files in model_set.variants.items():
            name = f"{model_set.name} {variant}"
            if all(entry.pinned for entry in files.values()):
                yield _variant(registry, f"models {name}", files, needed=model_set.name == registry.default_set)
            else:
                unpinned.append(name)
    if unpinned:
        detail = f"listed, never downloaded: {', '.join(unpinned)}"
        yield Finding("models without hashes", False, detail, "fetch them yourself and use --models DIR", needed=False)


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(paths.ROOT).free
    ok = free >= LEAST_FREE_BYTES
    hint = None if ok else f"make room on the disk of {paths.ROOT}: at least {LEAST_FREE_BYTES / 1e9:.0f} GB"
    yield Finding("disk space", ok, f"{free / 1e9:.1f} GB free", hint)


CHECKS: dict[str, Check] = {
    "Python": python,
    "Debian packages": debian_packages,
    "runner": host_runner,
    "phone": phone,
    "adb": adb,
    "models": models,
    "disk": disk,
    "Paddle environment": paddle,
}


class _ProbeError(EdgeocrError):
    """A program that was tried did not do what it should."""


def _output(command: Sequence[str]) -> str:
    """What a program prints, without the last line end. _ProbeError where it cannot be run or fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False)
    except OSError as error:
        raise _ProbeError(f"{command[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise _ProbeError(f"{name} did not answer within {PROBE_TIMEOUT:g} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise _ProbeError(f"{name} ended with {done.returncode} and said: {said[-1]}")
    return done.stdout.strip()


def _runner(name: str, runner: Path, prefix: Sequence[str]) -> Finding:
    """The runner's version, by running it; it must be this package's own."""
    if not runner.is_file():
        return Finding(name, False, f"{runner.relative_to(paths.ROOT)} is not built", "make runner")
    try:
        answer = _output([*prefix, str(runner), "--version"])
    except _ProbeError as error:
        return Finding(name, False, error.message, f"rm -r {runner.parent.relative_to(paths.ROOT)}, then make runner")
    expected = f"edgeocr_run {__version__}"
    if answer != expected:
        return Finding(name, False, f"version is {answer}, expected {expected}", "make runner")
    return Finding(name, True, f"{answer}, {runner.relative_to(paths.ROOT)}")


def _probe_qemu(qemu: Qemu) -> None:
    """Run the smallest program there is."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "probe"
        program.write_bytes(probe_program())
        program.chmod(0o755)
        try:
            code = subprocess.run(
                [qemu.path, "-cpu", qemu.cpu, program], capture_output=True, timeout=PROBE_TIMEOUT, check=False
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _ProbeError(f"{qemu.path} cannot run a program: {error}", "install Debian's qemu-user-static") from None
    if code != PROBE_EXIT_CODE:
        raise _ProbeError(f"a probe under {qemu.path} ended with {code}, expected {PROBE_EXIT_CODE}", "install Debian's qemu-user-static")


def _private_namespace(qemu: Qemu) -> Finding:
    """Whether the emulated phone's programs run in their own tree, as the kernel's own; tried by a child, since it cannot be undone."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom edgeocr.emulator import namespace, qemu\n"
        "try:\n    namespace.check(Path(sys.argv[1]), Path(sys.argv[2]), qemu.Qemu(*sys.argv[3:5]))\n"
        "except namespace.NamespaceUnavailable as error:\n    print(error)"
    )
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("root/data", "root/system", "mounted"):
            (tree / name).mkdir(parents=True)
        try:
            refused = _output([sys.executable, "-c", program, str(tree / "root"), str(tree / "mounted"), qemu.path, qemu.cpu])
        except _ProbeError as error:
            refused = error.message
    if refused:
        hint = "nothing to do: the emulated phone puts qemu before its commands instead"
        return Finding("private namespace", False, refused, hint, needed=False)
    return Finding("private namespace", True, "user and mount namespace with its own binfmt_misc", needed=False)


def _variant(registry: Registry, name: str, files: dict[str, FileEntry], needed: bool) -> Finding:
    cache = Cache()
    for entry in files.values():
        path = registry.path.parent / entry.path if entry.path else cache.place(entry)
        if entry.url and not path.is_file():
            return Finding(name, False, "not downloaded yet", "the first `edgeocr ocr` with this set downloads it", needed=False)
        try:
            check_file(path, entry.sha256 or "", entry.bytes or 0)
        except EdgeocrError as error:
            return Finding(name, False, error.message, error.hint or "git checkout models", needed)
    return Finding(name, True, f"{len(files)} files with the right hashes", needed=needed)
