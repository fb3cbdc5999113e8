"""Statistics against NumPy's own, and against what each is defined to be."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.bench.statistics import RESAMPLES, SEED, agree, summarise


@pytest.mark.parametrize("count", [1, 2, 3, 10, 101])
def test_summary_equals_numpy(count: int) -> None:
    samples = np.random.default_rng(7).gamma(9, 3, count).tolist()
    summary = summarise(samples)
    assert summary.count == count
    assert summary.min == min(samples) and summary.max == max(samples)
    assert summary.mean == pytest.approx(np.mean(samples))
    assert summary.median == pytest.approx(np.median(samples))
    assert (summary.p90, summary.p99) == pytest.approx(tuple(np.percentile(samples, [90, 99])))
    assert summary.mad == pytest.approx(np.median(np.abs(np.array(samples) - np.median(samples))))


def test_interval_is_the_percentile_bootstrap_of_the_median_with_a_fixed_seed() -> None:
    samples = np.random.default_rng(3).normal(100, 5, 40)
    generator = np.random.default_rng(SEED)
    medians = [np.median(samples[generator.integers(0, 40, size=40)]) for _ in range(RESAMPLES)]
    summary = summarise(samples.tolist())
    assert (summary.low, summary.high) == pytest.approx(tuple(np.percentile(medians, [2.5, 97.5])))
    assert summary == summarise(samples.tolist())
    assert summary.low <= summary.median <= summary.high


def test_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(11)
    covered = sum((s := summarise(generator.normal(50, 4, 30).tolist())).low <= 50 <= s.high for _ in range(200))
    assert 175 <= covered <= 200


def test_nothing_is_dropped() -> None:
    summary = summarise([1.0] * 9 + [1000.0])
    assert (summary.count, summary.max, summary.mean) == (10, 1000.0, 100.9)


@pytest.mark.parametrize("samples", [[], [1.0, float("nan")], [float("inf")]])
def test_no_or_broken_samples_are_refused(samples: list[float]) -> None:
    with pytest.raises(ValueError, match="expected at least one, all finite"):
        summarise(samples)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([100, 102, 101, 103, 100], True), ([100, 102, 101, 104, 100], False), ([100] * 4, False), ([500, 100, 100, 100, 100, 100], True)],
)
def test_agreement_is_of_the_last_five_within_three_per_cent(samples: list[float], expected: bool) -> None:
    assert agree(samples, 5, 0.03) is expected
