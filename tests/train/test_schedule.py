from __future__ import annotations

import pytest

from edgeocr.train.config import LearningRateConfig
from edgeocr.train.schedule import learning_rate


def rates(config: LearningRateConfig, iterations: int) -> list[float]:
    return [learning_rate(config, i, iterations) for i in range(iterations)]


def test_warm_up_rises_in_equal_steps_to_the_full_rate() -> None:
    assert rates(LearningRateConfig("Const", 0.4, warmup_iterations=4), 6) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_cosine_falls_from_the_full_rate_to_nothing() -> None:
    assert rates(LearningRateConfig("Cosine", 1.0), 4) == pytest.approx([1, 0.853553, 0.5, 0.146447], abs=1e-6)
    assert learning_rate(LearningRateConfig("Cosine", 1.0), 4, 4) == pytest.approx(0)


def test_cosine_begins_after_the_warm_up() -> None:
    warmed = rates(LearningRateConfig("Cosine", 1.0, warmup_iterations=2), 6)
    assert warmed == pytest.approx([0.5, 1.0, *rates(LearningRateConfig("Cosine", 1.0), 4)])


def test_piecewise_steps_at_its_iterations() -> None:
    config = LearningRateConfig("Piecewise", warmup_iterations=2, decay_iterations=(3, 5), values=(0.1, 0.01, 0.001))
    assert rates(config, 7) == pytest.approx([0.05, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_the_cyclical_cosine_starts_again_lower() -> None:
    config = LearningRateConfig("CyclicalCosine", 1.0, warmup_iterations=2, cycle_iterations=4, cycle_decay=0.5)
    one = rates(LearningRateConfig("Cosine", 1.0), 4)
    assert rates(config, 10) == pytest.approx([0.5, 1.0, *one, *(rate / 2 for rate in one)])
    assert rates(config, 6) == pytest.approx(rates(LearningRateConfig("Cosine", 1.0, warmup_iterations=2), 6)), "a first cycle is a cosine"
