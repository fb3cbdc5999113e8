"""The peers' own environment, .venv-peers: what PyPI has of them, at fixed versions, each package by itself.

A package that cannot be installed is noted with the reason, so that its peer is named in the results rather than missing from them.
Nothing is installed but what is listed: what a package wants beyond that (PyTorch, for pnnx) the peers do not need.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from edgeocr.paths import ROOT

FOLDER = ROOT / ".venv-peers"
PYTHON = FOLDER / "bin" / "python"
STAMP = FOLDER / "packages.json"

COMMON = ["numpy==2.2.6", "packaging==26.3"]
# Peer → packages. onnx: what reads Paddle's models for those who do not.
PACKAGES = {
    "onnx": ["paddle2onnx==1.2.4"],
    "onnxruntime": ["onnxruntime==1.32.0", "flatbuffers==25.12.19", "protobuf==7.36.2"],
    "openvino": ["openvino==2026.4.1", "openvino-telemetry==2025.2.0"],
    "ncnn": ["ncnn==1.0.20261020", "pnnx==20261020"],
    "mnn": ["MNN==3.6.1"],
}


def set_up() -> dict[str, str]:
    """Returns the peers whose packages could not be installed, with the reason."""
    wanted = {"python": sys.version, "root": str(ROOT), "packages": [COMMON, PACKAGES]}
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        stamp = {}
    if stamp.get("wanted") == wanted:
        failed: dict[str, str] = stamp["failed"]
        return failed
    print(f"peers: making {FOLDER.name} (some 600 MB) …", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    failed = {}
    if reason := _install(COMMON):
        failed = dict.fromkeys(PACKAGES, reason)
    else:
        failed = {peer: reason for peer, packages in PACKAGES.items() if (reason := _install(packages))}
    if not failed:  # else the next call tries again
        part = STAMP.with_suffix(".part")
        part.write_text(json.dumps({"wanted": wanted, "failed": failed}))
        os.replace(part, STAMP)
    return failed


def _install(packages: list[str]) -> str:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps", *packages]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "" if done.returncode == 0 else f"pip: {(lines or ['failed without a word'])[-1]}"


def pnnx() -> Path:
    """The converter's program. Its Python module wants PyTorch, the program does not."""
    return next(FOLDER.glob("lib/python*/site-packages/pnnx/pnnx"))


def script(name: str) -> Path:
    return FOLDER / "bin" / name
