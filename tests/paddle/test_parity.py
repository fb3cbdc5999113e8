"""The runner against Paddle: the same nets, the same inputs.

Bounds are on the largest absolute difference of a detector's map, or of probabilities. fp32 differs by the order of sums, and by batch_norm
folded into the convolutions, which a steep map amplifies (official detector: 8e-5 with NumPy's arithmetic too).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dequantised import quantised_parameters, write_dequantised
from paddle_nets import Array, lines, noise, page

from edgeocr.convert.import_weights import run_inference_model
from edgeocr.convert.nbfile import read
from edgeocr.convert.opt import OptOptions, WeightBits
from edgeocr.paths import MODELS

pytestmark = pytest.mark.paddle

Exported = Callable[[str, str], Path]
Public = Callable[[str], Path]
Convert = Callable[..., Path]
Engine = Callable[[Path, Array], Array]

FP32_BOUND = 1e-4
COMMITTED = MODELS / "edgeocr_en" / "none"

Inputs = dict[str, Callable[[], Array]]

DETECTOR_INPUTS: Inputs = {
    "sign 480x640": lambda: page("page_sign", 480, 640),
    "receipt 800x480": lambda: page("page_receipt", 800, 480),
    "receipt 96x224": lambda: page("page_receipt", 96, 224),
    "smallest": lambda: page("page_sign", 32, 32),
    "two pages": lambda: np.concatenate([page("page_sign", 128, 160), page("page_receipt", 128, 160)]),
    "noise": lambda: noise(1, 3, 64, 96),
}
RECOGNISER_INPUTS: Inputs = {
    "one line": lambda: lines(320, count=1),
    "three lines": lambda: lines(320, count=3),
    "odd width": lambda: lines(417, count=1),
    "odd width, three lines": lambda: lines(417, count=3),
    "long line": lambda: lines(925, count=1),
    "narrow": lambda: lines(17, count=2),
    "noise": lambda: noise(1, 3, 32, 101),
}


def assert_close(engine: Array, paddle: Array, bound: float) -> None:
    assert engine.shape == paddle.shape
    assert np.isfinite(engine).all()
    difference = float(np.abs(engine - paddle).max())
    assert difference <= bound, f"largest difference {difference:.3g}, expected at most {bound:g}"


@pytest.mark.parametrize("given", DETECTOR_INPUTS)
def test_our_detector(exported: Exported, engine_output: Engine, given: str) -> None:
    x = DETECTOR_INPUTS[given]()
    assert_close(engine_output(COMMITTED / "det.nb", x), run_inference_model(exported("det", "rewritten"), x), FP32_BOUND)


@pytest.mark.parametrize("given", RECOGNISER_INPUTS)
def test_our_recogniser(exported: Exported, engine_output: Engine, given: str) -> None:
    x = RECOGNISER_INPUTS[given]()
    assert_close(engine_output(COMMITTED / "rec.nb", x), run_inference_model(exported("rec", "rewritten"), x), FP32_BOUND)


@pytest.mark.parametrize(("name", "given"), [("det", "sign 480x640"), ("det", "two pages"), ("rec", "three lines"), ("rec", "odd width")])
def test_exports_with_unfolded_biases(exported: Exported, converted: Convert, engine_output: Engine, name: str, given: str) -> None:
    x = (DETECTOR_INPUTS | RECOGNISER_INPUTS)[given]()
    plain = exported(name, "as exported")
    assert_close(engine_output(converted(plain), x), run_inference_model(plain, x), FP32_BOUND)


@pytest.mark.data
@pytest.mark.parametrize("given", ["sign 480x640", "receipt 800x480", "two pages"])
def test_official_detector(public_model: Public, converted: Convert, engine_output: Engine, given: str) -> None:
    x, prefix = DETECTOR_INPUTS[given](), public_model("pp_ocrv2_det")
    assert_close(engine_output(converted(prefix), x), run_inference_model(prefix, x), FP32_BOUND)


@pytest.mark.data
@pytest.mark.parametrize(
    "given", [lambda: lines(192, count=3, height=48), lambda: noise(1, 3, 48, 192), lambda: noise(3, 3, 48, 192, seed=1)]
)
def test_official_classifier(public_model: Public, converted: Convert, engine_output: Engine, given: Callable[[], Array]) -> None:
    x, prefix = given(), public_model("ppocr_mobile_v2.0_cls")
    assert_close(engine_output(converted(prefix), x), run_inference_model(prefix, x), FP32_BOUND)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", ["det", "rec"])
def test_weight_only_quantisation_is_multiplied_out(
    exported: Exported, converted: Convert, engine_output: Engine, tmp_path: Path, name: str, bits: WeightBits
) -> None:
    quantised = converted(exported(name, "rewritten"), OptOptions(weight_bits=bits))
    assert len(quantised_parameters(read(quantised))) > 50
    twin = write_dequantised(quantised, tmp_path / "twin.nb")
    x = page("page_sign", 128, 160) if name == "det" else lines(320, count=2)
    assert_close(engine_output(quantised, x), engine_output(twin, x), 1e-5)


@pytest.mark.parametrize(("bits", "bound"), [(8, 0.3), (16, 5e-4)])
def test_weight_only_quantisation_reads_the_same(
    exported: Exported, converted: Convert, engine_output: Engine, bits: WeightBits, bound: float
) -> None:
    prefix, x = exported("rec", "rewritten"), lines(320, count=3)
    engine, paddle = engine_output(converted(prefix, OptOptions(weight_bits=bits)), x), run_inference_model(prefix, x)
    assert_close(engine, paddle, bound)
    np.testing.assert_array_equal(engine.argmax(2), paddle.argmax(2))


@pytest.mark.parametrize("name", ["det", "rec"])
def test_fp16_markers_are_fp32_arithmetic_on_the_host(exported: Exported, converted: Convert, engine_output: Engine, name: str) -> None:
    prefix = exported(name, "rewritten")
    x = page("page_sign", 128, 160) if name == "det" else lines(320, count=3)
    assert_close(engine_output(converted(prefix, OptOptions(fp16=True)), x), run_inference_model(prefix, x), FP32_BOUND)


INT8_PAGES = ["sign 480x640", "receipt 800x480"]


@pytest.mark.data
@pytest.mark.parametrize("given", INT8_PAGES)
def test_official_int8_detector_follows_its_quantisation_aware_training(
    public_model: Public, converted: Convert, engine_output: Engine, given: str
) -> None:
    """Fake quantisation in fp32 and int8 arithmetic decide ties differently, and the net amplifies one flip to a whole pixel, so the maps
    agree as regions, not pixel by pixel."""
    x, prefix = DETECTOR_INPUTS[given](), public_model("pp_ocrv2_det_qat")
    engine, paddle = engine_output(converted(prefix), x), run_inference_model(prefix, x)
    text, expected = engine > 0.3, paddle > 0.3
    assert expected.sum() > 5000
    assert (text & expected).sum() / (text | expected).sum() > 0.95
    assert np.abs(engine - paddle).mean() < 5e-3


@pytest.mark.data
@pytest.mark.parametrize("given", INT8_PAGES)
def test_hard_swish_fused_into_int8_convolutions_is_the_separate_one(
    public_model: Public, test_data: Path, converted: Convert, engine_output: Engine, given: str
) -> None:
    """opt 2.13 fuses hard_swish into int8 convolutions with int8 output; the official file, by opt 2.10 from the same export, does not."""
    fused, separate = converted(public_model("pp_ocrv2_det_qat")), test_data / "models" / "pp_ocrv2_slim" / "ch_PP-OCRv2_det_db.nb"
    assert (_fused_hard_swish(fused), _fused_hard_swish(separate)) == (10, 0)
    x = DETECTOR_INPUTS[given]()
    assert_close(engine_output(fused, x), engine_output(separate, x), 1e-4)


def _fused_hard_swish(path: Path) -> int:
    return sum(o.kernel[0] == "int8_out" and o.attributes.get("act_type") == "hard_swish" for o in read(path).operators)
