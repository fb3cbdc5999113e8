"""What --precision, --int8 and --dynamic-int8 of the benchmark mean: to headings, to the runner, to records of nets."""

from __future__ import annotations

import pytest

from edgeocr.bench.mode import Mode
from edgeocr.paths import MODELS
from edgeocr.zoo.model_files import ModelFiles

PLAIN, FP32, FP16 = Mode(), Mode("fp32"), Mode("fp16")
EXACT, FAST, COMPOSED = (Mode(int8=int8) for int8 in ("exact", "fast", "composed"))
DYNAMIC, HALF_DYNAMIC = Mode(dynamic_int8=True), Mode("fp16", dynamic_int8=True)


def own(variant: str) -> ModelFiles:
    folder = MODELS / "edgeocr_en" / variant
    return ModelFiles("edgeocr_en", variant, folder / "det.nb", folder / "rec.nb", folder / "en_keys.txt")


def test_modes_have_names_and_are_options_of_commands() -> None:
    assert [mode.name for mode in (PLAIN, FP32, FP16)] == ["", "fp32", "fp16"]
    assert [mode.name for mode in (EXACT, FAST, COMPOSED)] == ["exact int8", "fast int8", "composed int8"]
    assert [mode.name for mode in (DYNAMIC, HALF_DYNAMIC)] == ["dynamic int8", "fp16, dynamic int8"]
    assert PLAIN.arguments() == []
    assert Mode("fp16", "fast", True).arguments() == ["--precision", "fp16", "--int8", "fast", "--dynamic-int8"]


def test_int8_nets_are_refused_where_a_precision_is_asked_for() -> None:
    for mode in (FP32, FP16):
        assert mode.refused_net(own("none")) is None
        assert mode.refused_net(own("pact")) == (own("pact").detector, f"--precision {mode.precision}")
    for mode in (PLAIN, EXACT, FAST, COMPOSED):
        assert mode.refused_net(own("pact")) is None
    assert DYNAMIC.refused_net(own("none")) is None
    assert DYNAMIC.refused_net(own("pact")) == (own("pact").recogniser, "--dynamic-int8")


@pytest.mark.parametrize(
    ("options", "det", "rec"),
    [
        ((None, None, False), [PLAIN, FP32, EXACT, DYNAMIC], [PLAIN, FP32, EXACT]),
        (("int8", "exact", False), [PLAIN, FP32, EXACT, DYNAMIC], [PLAIN, FP32, EXACT]),
        ((None, "fast", False), [FAST], [FAST, COMPOSED]),
        ((None, "composed", False), [COMPOSED], [FAST, COMPOSED]),
        (("fp16", None, False), [FP16, HALF_DYNAMIC], [FP16]),
        ((None, None, True), [PLAIN, FP32, EXACT, DYNAMIC], [DYNAMIC]),
        (("fp16", None, True), [FP16, HALF_DYNAMIC], [HALF_DYNAMIC]),
    ],
)
def test_evaluations_count_for_the_modes_that_compute_so(
    options: tuple[str | None, str | None, bool], det: list[Mode], rec: list[Mode]
) -> None:
    modes = (PLAIN, FP32, FP16, EXACT, FAST, COMPOSED, DYNAMIC, HALF_DYNAMIC)
    assert [mode for mode in modes if mode.evaluated("det", *options)] == sorted(det, key=modes.index)
    assert [mode for mode in modes if mode.evaluated("rec", *options)] == sorted(rec, key=modes.index)


def test_estimates_count_for_the_modes_that_compute_so() -> None:
    for mode in (PLAIN, FP32, EXACT):
        assert mode.estimated("det") == mode.estimated("rec") == ("fp32", "int8")
    assert FAST.estimated("det") == FAST.estimated("rec") == ("fp32", "int8 fast")
    assert (COMPOSED.estimated("det"), COMPOSED.estimated("rec")) == (("fp32", "int8 composed"), ("fp32", "int8 fast"))
    assert FP16.estimated("det") == FP16.estimated("rec") == ("fp16",)
    assert (DYNAMIC.estimated("det"), DYNAMIC.estimated("rec")) == (("fp32", "int8"), ("dynamic int8",))
    assert (HALF_DYNAMIC.estimated("det"), HALF_DYNAMIC.estimated("rec")) == (("fp16",), ("fp16 dynamic int8",))
