"""Conversion by the real opt: what it makes of our nets, and how its failures are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeocr.convert import opt
from edgeocr.convert.nbfile import NbFile, read
from edgeocr.errors import ModelError

pytestmark = pytest.mark.paddle

Exported = Callable[[str, str], Path]
Convert = Callable[..., Path]


def operators(model: NbFile) -> Counter[str]:
    return Counter(operator.type for operator in model.operators)


def test_our_detector_is_optimised_fully(exported: Exported, converted: Convert) -> None:
    found = operators(read(converted(exported("det", "rewritten"))))
    assert "batch_norm" not in found
    assert "reshape2" not in found
    assert (found["conv2d"], found["depthwise_conv2d"], found["conv2d_transpose"]) == (41, 15, 2)


def test_other_exports_keep_biases_that_the_runtime_has_to_fold(exported: Exported, converted: Convert) -> None:
    found = operators(read(converted(exported("det", "as exported"))))
    assert found["reshape2"] == 2
    assert found["batch_norm"] == 1


def test_kernels_are_chosen_for_arm(exported: Exported, converted: Convert) -> None:
    model = read(converted(exported("rec", "rewritten")))
    assert {operator.kernel[1] for operator in model.operators} <= {"arm", "host"}


@pytest.mark.parametrize("name", ["det", "rec"])
def test_a_second_conversion_has_the_same_bytes(exported: Exported, converted: Convert, name: str, tmp_path: Path) -> None:
    first = converted(exported(name, "rewritten"))
    second = opt.convert(exported(name, "rewritten"), tmp_path / "again.nb")
    assert second.path.read_bytes() == first.read_bytes()
    assert second.opt_version == "v2.13-rc"
    assert list(tmp_path.iterdir()) == [second.path]


@pytest.mark.parametrize(("bits", "ratio"), [(8, 0.45), (16, 0.65)])
def test_weight_only_files_are_smaller(exported: Exported, converted: Convert, bits: opt.WeightBits, ratio: float) -> None:
    plain = converted(exported("det", "rewritten")).stat().st_size
    small = converted(exported("det", "rewritten"), opt.OptOptions(weight_bits=bits)).stat().st_size
    assert small < ratio * plain


def test_fp16_chooses_fp16_kernels(exported: Exported, converted: Convert) -> None:
    model = read(converted(exported("det", "rewritten"), opt.OptOptions(fp16=True)))
    assert Counter(operator.kernel[2] for operator in model.operators if operator.type == "conv2d") == {"fp16": 41}


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"inference\.pdmodel: no such file, or empty; opt needs an inference model"):
        opt.convert(tmp_path / "inference", tmp_path / "out.nb")


@pytest.mark.parametrize("broken", ["inference.pdmodel", "inference.pdiparams"])
def test_a_corrupt_model_gives_an_error_and_keeps_the_old_file(exported: Exported, tmp_path: Path, broken: str) -> None:
    good = exported("det", "rewritten")
    for suffix in (".pdmodel", ".pdiparams"):
        (tmp_path / f"inference{suffix}").write_bytes(good.with_suffix(suffix).read_bytes())
    (tmp_path / broken).write_bytes((tmp_path / broken).read_bytes()[:5000])
    out = tmp_path / "out.nb"
    out.write_bytes(b"the build before")
    with pytest.raises(ModelError, match=r"^opt of inference\.pdmodel: aborted \(SIG\w+\); its last words: \S"):
        opt.convert(tmp_path / "inference", out)
    assert out.read_bytes() == b"the build before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inference.pdiparams", "inference.pdmodel", "out.nb"]


def test_opt_has_a_time_limit(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"opt of inference\.pdmodel: not done after 0\.05 s, given up"):
        opt.convert(exported("det", "rewritten"), tmp_path / "out.nb", timeout_s=0.05)
    assert list(tmp_path.iterdir()) == []
