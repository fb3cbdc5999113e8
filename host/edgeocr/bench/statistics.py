"""What a set of samples says: nothing is dropped, the spread is robust, and the interval comes from a fixed seed, so a result repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 20200930


@dataclass(frozen=True)
class Summary:
    """All in the unit of the samples. `low` and `high` bound the median with 95 % confidence (percentile bootstrap)."""

    count: int
    min: float
    median: float
    mean: float
    p90: float
    p99: float
    max: float
    mad: float  # median absolute deviation from the median, unscaled
    low: float
    high: float


def summarise(samples: Sequence[float]) -> Summary:
    """Raises ValueError without samples, or where one is not finite."""
    values = np.asarray(samples, dtype=np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"samples are {list(samples)}, expected at least one, all finite")
    median = float(np.median(values))
    low, high = bootstrap_median(values)
    return Summary(
        count=int(values.size),
        min=float(values.min()),
        median=median,
        mean=float(values.mean()),
        p90=float(np.percentile(values, 90)),
        p99=float(np.percentile(values, 99)),
        max=float(values.max()),
        mad=float(np.median(np.abs(values - median))),
        low=low,
        high=high,
    )


def bootstrap_median(values: np.ndarray) -> tuple[float, float]:
    """The percentile interval of the median over resamples with replacement."""
    generator = np.random.default_rng(SEED)
    picks = generator.integers(0, values.size, size=(RESAMPLES, values.size))
    medians = np.median(values[picks], axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(medians, [tail, 100 - tail])
    return float(low), float(high)


def agree(samples: Sequence[float], count: int, within: float) -> bool:
    """Whether the last `count` samples lie within a fraction `within` of their smallest."""
    last = samples[-count:]
    return len(last) == count and max(last) <= min(last) * (1 + within)
