"""``python -m edgeocr.train CONFIG.json OUT_DIR``, in the Paddle environment: train the net that the configuration describes.

Records go to stdout as JSON lines. Exit codes: 0, 1 failure and 2 usage with a line "error: …" on stderr, 130 interrupted, in which case a
checkpoint has been written and the same command continues. On several cards or machines Paddle's launcher starts this file:
``python -m paddle.distributed.launch [--ips …] host/edgeocr/train/__main__.py CONFIG.json OUT_DIR`` with host/ on the PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeocr.child import run_as_program
from edgeocr.errors import UsageError
from edgeocr.train.config import read_config
from edgeocr.train.described_net import described_net
from edgeocr.train.loop import Record, train


def _print(record: Record) -> None:
    print(json.dumps(record), flush=True)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("expected two arguments: CONFIG.json OUT_DIR")
    config_file, out_dir = map(Path, arguments)
    config = read_config(config_file)
    train(described_net(config), config, out_dir, on_record=_print)


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
