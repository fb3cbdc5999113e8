"""``python -m edgeocr.train CONFIG.json OUT_DIR``, in the Paddle environment: train the net that the configuration describes.

Records go to stdout as JSON lines. Exit codes: 0, 1 failure and 2 usage with a line "error: …" on stderr, 130 interrupted, in which case a
checkpoint has been written and the same command continues.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import paddle

from edgeocr.errors import EdgeocrError, UsageError
from edgeocr.nets.base_model import BaseModel, build_model
from edgeocr.nets.checkpoint import load_checkpoint
from edgeocr.train.config import TrainConfig, read_config
from edgeocr.train.loop import Record, train

INTERRUPTED = 130


def described_net(config: TrainConfig) -> BaseModel:
    """The net of the configuration, with its pre-trained weights if it names some."""
    paddle.seed(config.Global.seed)
    with paddle.utils.unique_name.guard():
        net = build_model(config.Architecture)
    if config.Global.pretrained_model is not None:
        load_checkpoint(net, config.Global.pretrained_model)
    return net


def _print(record: Record) -> None:
    print(json.dumps(record), flush=True)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("expected two arguments: CONFIG.json OUT_DIR")
    config_file, out_dir = map(Path, arguments)
    config = read_config(config_file)
    train(described_net(config), config, out_dir, on_record=_print)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except EdgeocrError as e:
        print(f"error: {e.message}", file=sys.stderr)
        if e.hint:
            print(f"hint: {e.hint}", file=sys.stderr)
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
