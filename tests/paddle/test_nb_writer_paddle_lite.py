"""Minimised `.nb` files give the same bytes as before, by Paddle-Lite's own predictor and by our runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import paddle_lite
import pytest
from paddle_nets import Array, lines, noise, page

from edgeocr.convert.nb_writer import minimise
from edgeocr.convert.nbfile import read
from edgeocr.convert.opt import OptOptions

pytestmark = pytest.mark.paddle

Exported = Callable[[str, str], Path]
Public = Callable[[str], Path]
Convert = Callable[..., Path]
Engine = Callable[[Path, Array], Array]

INPUTS: dict[str, Callable[[], Array]] = {"det": lambda: page("page_sign", 96, 160), "rec": lambda: lines(160, count=2)}


def minimised(model: Path, folder: Path) -> Path:
    smaller = folder / "minimised.nb"
    smaller.write_bytes(minimise(model.read_bytes(), str(model)))
    assert read(smaller).topology_bytes < 0.34 * read(model).topology_bytes
    return smaller


def assert_same_bytes(one: Array, two: Array) -> None:
    assert one.std() > 0
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("name", INPUTS)
def test_paddle_lite_reads_them_as_before(exported: Exported, tmp_path: Path, name: str) -> None:
    model = paddle_lite.convert_for_x86(exported(name, "rewritten"), tmp_path / "x86.nb")
    x = INPUTS[name]()
    before, after = (paddle_lite.output(file, x, tmp_path) for file in (model, minimised(model, tmp_path)))
    assert_same_bytes(before, after)


@pytest.mark.parametrize("options", [OptOptions(fp16=True), OptOptions(weight_bits=8)], ids=["fp16", "int8 weights"])
def test_the_runner_reads_files_with_attributes_named_after_variables_as_before(
    exported: Exported, converted: Convert, engine_output: Engine, tmp_path: Path, options: OptOptions
) -> None:
    model = converted(exported("det", "rewritten"), options)
    x = INPUTS["det"]()
    assert_same_bytes(engine_output(model, x), engine_output(minimised(model, tmp_path), x))


@pytest.mark.data
def test_the_runner_reads_quantised_files_as_before(
    public_model: Public, converted: Convert, engine_output: Engine, tmp_path: Path
) -> None:
    model = converted(public_model("pp_ocrv2_det_qat"))
    x = noise(1, 3, 96, 160)
    assert np.isfinite(engine_output(model, x)).all()
    assert_same_bytes(engine_output(model, x), engine_output(minimised(model, tmp_path), x))
