"""The emulated phone's file tree: what Android has, as far as tools that speak adb look at it.

    data/local/tmp     where adb shell may write and execute
    system/build.prop  the properties
    system/bin/getprop reads them
    system/bin/sh      the host's shell

Everything in it that tells what the phone is says that it is emulated.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

WRITABLE = "data"
MODEL = "edgeocr emulated Cortex-A76"

PROPERTIES: Mapping[str, str] = {
    "ro.product.name": "edgeocr_emulated",
    "ro.product.model": MODEL,
    "ro.product.device": "edgeocr_emulated",
    "ro.product.brand": "edgeocr",
    "ro.product.manufacturer": "edgeocr",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a",
    "ro.product.cpu.abilist64": "arm64-v8a",
    "ro.hardware": "qemu-user",
    "ro.build.version.release": "10",
    "ro.build.version.sdk": "29",
    "ro.build.characteristics": "emulator",
    "ro.build.fingerprint": "edgeocr/emulated/edgeocr_emulated:10/emulated:userdebug/test-keys",
    "ro.edgeocr.emulated": "1",
}

# $0 finds the properties wherever the tree is mounted, or if it is not.
GETPROP = """\
#!/bin/sh
# Android's getprop over build.prop: `getprop` lists all, `getprop NAME [DEFAULT]` prints one.
properties=$(dirname "$0")/../build.prop
if [ $# -eq 0 ]; then
  exec sed 's/^\\([^=]*\\)=\\(.*\\)$/[\\1]: [\\2]/' "$properties"
fi
while IFS='=' read -r name value; do
  if [ "$name" = "$1" ]; then
    printf '%s\\n' "$value"
    exit 0
  fi
done < "$properties"
printf '%s\\n' "$2"
"""


def banner(features: tuple[str, ...]) -> str:
    """What the phone says of itself in adb's CNXN."""
    shown = ("ro.product.name", "ro.product.model", "ro.product.device")
    properties = "".join(f"{name}={PROPERTIES[name]};" for name in shown)
    return f"device::{properties}features={','.join(features)}"


def make_root(root: Path) -> None:
    """Make the tree, or bring an older one up to date; what users put under data/ stays."""
    (root / "data" / "local" / "tmp").mkdir(parents=True, exist_ok=True)
    binaries = root / "system" / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    _write(root / "system" / "build.prop", "".join(f"{name}={value}\n" for name, value in PROPERTIES.items()), 0o644)
    _write(binaries / "getprop", GETPROP, 0o755)
    shell = binaries / "sh"
    if not shell.is_symlink():
        shell.symlink_to("/bin/sh")


def _write(path: Path, text: str, mode: int) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.chmod(mode)
    os.replace(part, path)
