"""The emulated phone's adb daemon: a process of its own, listening on the loopback alone.

Started by `edgeocr.emulator.lifecycle` as `python -m edgeocr.emulator.daemon`. One line of JSON on stdout tells the outcome: the state once
it listens, or {"error": …, "hint": …}.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType

from edgeocr.emulator import device_root, namespace
from edgeocr.emulator.connection import Connection, Service, Stream
from edgeocr.emulator.launcher import Launcher
from edgeocr.emulator.leftovers import kill_processes_of
from edgeocr.emulator.namespace import NamespaceLauncher, NamespaceUnavailable
from edgeocr.emulator.prefix import PrefixLauncher
from edgeocr.emulator.qemu import Qemu, find_qemu
from edgeocr.emulator.rooted_tree import RootedTree
from edgeocr.emulator.shell_service import ShellService
from edgeocr.emulator.state import EmulatorState, Mode, StatePaths, try_lock, write_state
from edgeocr.emulator.storage import Storage
from edgeocr.emulator.sync_service import SyncService
from edgeocr.errors import EdgeocrError, SetupError

HOST = "127.0.0.1"
# adb takes daemons on these ports for emulators of the SDK and lists them a second time.
SDK_PORTS = range(5555, 5586)
FEATURES = ("shell_v2", "stat_v2", "ls_v2", "fixed_push_mkdir", "sendrecv_v2")

log = logging.getLogger(__name__)


class Daemon:
    """Accepts adb servers and opens services for them."""

    def __init__(self, listener: socket.socket, tree: RootedTree, storage: Storage, launcher: Launcher) -> None:
        self._listener = listener
        self._tree = tree
        self._storage = storage
        self._launcher = launcher
        self._banner = device_root.banner(FEATURES)

    def serve_forever(self) -> None:
        """On the main thread, until a signal's handler raises.

        accept() alone sleeps on if the signal comes just before it; select() sees the byte that the signal leaves.
        """
        woken, wake = socket.socketpair()
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        while True:
            ready, _, _ = select.select([self._listener, woken], [], [])
            if self._listener not in ready:
                woken.recv(1)
                continue
            sock, _ = self._listener.accept()
            connection = Connection(sock, self._banner, self.open_service)
            threading.Thread(target=connection.run, name="connection", daemon=True).start()

    def open_service(self, destination: str) -> Service | None:
        """What serves ``destination``, such as "sync:" or "shell,v2,raw:ls"; None for what a real phone has and this one has not."""
        head, _, argument = destination.partition(":")
        name, *options = head.split(",")
        if name == "shell":
            return partial(self._shell, options, argument)
        if name == "exec":
            return partial(self._shell, ["raw"], argument)
        if name == "sync":
            return self._sync
        return None

    def _shell(self, options: list[str], command: str, stream: Stream) -> None:
        ShellService(stream, self._launcher, options, command).run()

    def _sync(self, stream: Stream) -> None:
        SyncService(stream, self._tree, self._storage).run()


def listen() -> socket.socket:
    """A listening socket on a free port of the loopback that adb does not take for something else."""
    refused = []
    try:
        while True:
            listener = socket.create_server((HOST, 0))
            if listener.getsockname()[1] not in SDK_PORTS:
                return listener
            refused.append(listener)  # kept until we have another
    finally:
        for listener in refused:
            listener.close()


def choose_launcher(wanted: Mode | None, where: StatePaths, qemu: Qemu) -> tuple[Launcher, Mode, str]:
    """The launcher, its mode, and why it is not the namespaced one. ``wanted``: that mode or SetupError."""
    reason = ""
    if wanted != "prefix":
        try:
            namespace.check(where.root, where.tree, qemu)
            namespace.enter(where.root, where.tree, qemu)
            return NamespaceLauncher(where.folder, where.tree, qemu), "namespace", ""
        except NamespaceUnavailable as error:
            reason = str(error)
            if wanted == "namespace":
                raise SetupError(f"no private namespace for the emulated phone: {reason}", "start it with --mode prefix") from None
    return PrefixLauncher(where.folder, where.root, where.folder, qemu), "prefix", reason


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    where = StatePaths(options.state)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s: %(message)s", stream=sys.stderr)
    try:
        daemon, state = _prepare(where, options)
    except EdgeocrError as error:
        _tell({"error": error.message, "hint": error.hint})
        return error.exit_code
    except OSError as error:
        _tell({"error": f"the emulated phone cannot be set up in {where.folder}: {error}", "hint": None})
        return EdgeocrError.exit_code
    try:
        signal.signal(signal.SIGTERM, _on_terminate)
        write_state(where, state)
        _tell(asdict(state))  # from here on the signal may come at any point
        daemon.serve_forever()
    except SystemExit:
        log.info("stopped")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kill_processes_of(where.folder)
        where.description.unlink(missing_ok=True)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--mode", choices=("namespace", "prefix"))
    parser.add_argument("--storage", type=int, help="bytes that /data may hold")
    parser.add_argument("--on-demand", action="store_true", help="note that its last user may stop it")
    return parser.parse_args(arguments)


def _prepare(where: StatePaths, options: argparse.Namespace) -> tuple[Daemon, EmulatorState]:
    if try_lock(where.daemon_lock) is None:  # held until this process ends
        raise SetupError("the emulated phone runs already", "`edgeocr emulator stop` ends it")
    qemu = find_qemu()
    device_root.make_root(where.root)
    where.tree.mkdir(exist_ok=True)
    launcher, chosen, reason = choose_launcher(options.mode, where, qemu)
    listener = listen()
    tree = RootedTree(where.root, device_root.WRITABLE)
    state = EmulatorState(
        pid=os.getpid(),
        port=listener.getsockname()[1],
        mode=chosen,
        mode_reason=reason,
        cpu=qemu.cpu,
        qemu=qemu.path,
        storage_bytes=options.storage,
        root=str(where.root),
        on_demand=options.on_demand,
    )
    return Daemon(listener, tree, Storage(tree, options.storage), launcher), state


def _tell(document: object) -> None:
    """The one line, after which the one who started us need not be there any more."""
    print(json.dumps(document), flush=True)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _on_terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
