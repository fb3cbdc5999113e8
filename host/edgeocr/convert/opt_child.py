"""The process in which opt runs: MODEL PARAMS OUT.nb [--fp16] [--weight-bits 8|16]. Prints {"paddlelite": version}."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from paddlelite.lite import Opt


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="opt_child")
    parser.add_argument("model", type=Path)
    parser.add_argument("params", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fp16", action="store_true")
    parser.add_argument("--weight-bits", type=int, choices=(8, 16))
    options = parser.parse_args(arguments)
    report = os.dup(1)
    os.dup2(2, 1)  # opt prints its progress to stdout
    _optimise(options)
    os.write(report, json.dumps({"paddlelite": version("paddlelite")}).encode())


def _optimise(options: argparse.Namespace) -> None:
    opt = Opt()
    opt.set_model_file(str(options.model))
    opt.set_param_file(str(options.params))
    if options.fp16:
        opt.enable_fp16()  # only counts before the places are set
    opt.set_valid_places("arm")
    opt.set_model_type("naive_buffer")
    if options.weight_bits is not None:
        opt.set_quant_model(True)
        opt.set_quant_type(f"QUANT_INT{options.weight_bits}")
    opt.set_optimize_out(str(options.out.with_suffix("")))  # opt appends .nb
    opt.run()


if __name__ == "__main__":
    main()
