"""Models exported and converted once for all tests, and the runner's answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from paddle_nets import Array, our_net

from edgeocr.convert import opt
from edgeocr.convert.export import export_inference_model
from edgeocr.zoo.build import read_set

PLAIN = opt.OptOptions()
Style = Literal["rewritten", "as exported"]

PUBLIC = {
    "pp_ocrv2_det": "pp_ocrv2_det_fp32/ch_PP-OCRv2_det_infer",
    "pp_ocrv2_det_qat": "pp_ocrv2_det_qat/ch_PP-OCRv2_det_slim_quant_infer",
    "ppocr_mobile_v2.0_cls": "ppocr_mobile_v2.0_cls_fp32/ch_ppocr_mobile_v2.0_cls_infer",
}


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Style], Path]:
    """Our net as an inference model; its prefix."""
    folder = tmp_path_factory.mktemp("exported")

    @cache
    def export(name: str, style: Style) -> Path:
        shape = read_set("edgeocr_en").nets("none")[name].input
        return export_inference_model(our_net(name), shape, folder / f"{name} {style}", rewritten=style == "rewritten")

    return export


@pytest.fixture(scope="session")
def public_model(test_data: Path) -> Callable[[str], Path]:
    """The prefix of one of the `PUBLIC` inference models."""
    return lambda name: test_data / "models" / PUBLIC[name]


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """An inference model as a `.nb` file for arm."""
    folder = tmp_path_factory.mktemp("converted")

    @cache
    def convert(prefix: Path, options: opt.OptOptions = PLAIN) -> Path:
        out = folder / f"{prefix.parent.name} fp16={options.fp16} bits={options.weight_bits}.nb"
        return opt.convert(prefix, out, options).path

    return convert


@pytest.fixture(scope="session")
def engine_output(host_runner: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Array], Array]:
    """The output of a `.nb` file by the runner."""
    folder = tmp_path_factory.mktemp("engine")

    def run(model: Path, x: Array) -> Array:
        given, made = folder / "input.f32", folder / "output.f32"
        x.astype("<f4").tofile(given)
        command = [host_runner, "bench", model, "--input", ",".join(map(str, x.shape)), "--repeats", "1", "--warmup", "0"]
        files = ["--input-file", given, "--output-file", made]
        done = subprocess.run([*map(str, command), *map(str, files)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{model.name} {x.shape}: {done.stderr}"
        record = next(r for r in map(json.loads, done.stdout.splitlines()) if r["type"] == "bench")
        output: Array = np.fromfile(made, "<f4").reshape(record["output"])
        return output

    return run
