#!/usr/bin/env python3
"""Speaks the runner's protocol without reading anything: the lines of a picture are those of the .json beside it.

`info` and `ocr` only. A picture whose name begins with "bad" gives an error record; one named "crash…" ends the process by a signal.
Line 0 of every picture is turned; a label with the text "weak" has the score 0.3.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

MS = {"decode": 1.0, "det_pre": 2.0, "det": 30.0, "det_post": 3.0, "crop": 1.0, "cls": 0.0, "rec": 8.0, "rec_per_box": 0.5, "total": 44.0}


def emit(record: dict[str, Any]) -> None:
    print(json.dumps(record, ensure_ascii=False), flush=True)


def line(index: int, label: dict[str, Any]) -> dict[str, Any]:
    weak = label["text"] == "weak"
    scores = {"score": 0.3 if weak else 0.97, "box_score": 0.8, "cls_score": 0.0}
    return {"box": label["quad"], "text": label["text"], **scores, "turned": index == 0, "kept": not weak, "rec_width": 320}


def read(picture: str, repeat: int) -> None:
    labels_file = Path(picture).with_suffix(".json")
    labels = json.loads(labels_file.read_text()) if labels_file.is_file() else []
    lines = [line(index, label) for index, label in enumerate(labels)]
    ms = {stage: value + repeat * 0.001 for stage, value in MS.items()}
    record = {"picture": picture, "repeat": repeat, "size": [480, 800], "det_input": [1, 3, 800, 480], "det_sum": 1.0, "lines": lines}
    emit({"type": "picture", **record, "ms": ms})


def ocr(arguments: list[str]) -> int:
    arguments = [argument for argument in arguments if argument != "--dynamic-int8"]  # the others have values
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    first = next(i for i in range(0, len(arguments), 2) if not arguments[i].startswith("--"))
    failed = False
    for picture in arguments[first:]:
        if Path(picture).name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if Path(picture).name.startswith("bad"):
            emit({"type": "error", "picture": picture, "message": f"{picture}: is no picture: expected JPEG, PNG or BMP"})
            failed = True
            continue
        for repeat in range(int(options.get("--repeats", "1"))):
            read(picture, repeat)
    return 1 if failed else 0


def info(arguments: list[str]) -> int:
    common = {"opt_version": "v2.13-rc", "operators": {"conv2d": 1}, "params": 1, "weight_bytes": 4, "precision": "fp32"}
    emit({"type": "info", "meta_version": 2, "feed": [-1, 3, -1, -1], **common})
    if "--input" in arguments:
        shape = arguments[arguments.index("--input") + 1].replace(",", "x")
        for index in range(2):
            work = {"macs": 1000, "bytes": 64, "band_rows": 8}
            emit({"type": "node", "index": index, "op": "conv2d", "kernel": "generic.conv2d.fp32", "output": shape, **work})
    return 0


def main() -> int:
    emit({"type": "hello", "protocol": 1, "version": "0.1.0", "arch": "x86_64", "isa": ["avx2"], "threads": 1})
    command, *arguments = sys.argv[1:]
    return {"ocr": ocr, "info": info}[command](arguments)


if __name__ == "__main__":
    sys.exit(main())
