from __future__ import annotations

import numpy as np
import pytest

from edgeocr.train.sampling import Sampler


def widths(count: int) -> list[int]:
    return [int(width) for width in np.random.default_rng(0).integers(16, 320, count)]


def test_an_epoch_takes_each_sample_at_most_once() -> None:
    sampler = Sampler(widths(103), batch_size=10, seed=1)
    assert sampler.batches_per_epoch == 10
    taken = np.concatenate([sampler.batch(k) for k in range(10)])
    assert len(set(taken.tolist())) == 100


def test_epochs_differ_and_leave_out_different_samples() -> None:
    sampler = Sampler(widths(103), batch_size=10, seed=1)
    first, second = ([sampler.batch(epoch * 10 + k).tolist() for k in range(10)] for epoch in (0, 1))
    assert first != second
    assert {k for batch in first for k in batch} != {k for batch in second for k in batch}


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    forwards, backwards, other = (Sampler(widths(200), batch_size=8, seed=seed) for seed in (1, 1, 2))
    numbers = range(60)
    batches = {k: forwards.batch(k).tolist() for k in numbers}
    assert {k: backwards.batch(k).tolist() for k in reversed(numbers)} == batches
    assert {k: other.batch(k).tolist() for k in numbers} != batches


def test_batches_are_of_like_widths_in_mixed_order() -> None:
    all_widths = np.array(widths(1600))
    sampler = Sampler(all_widths.tolist(), batch_size=16, seed=1)
    batches = [all_widths[sampler.batch(k)] for k in range(sampler.batches_per_epoch)]
    assert np.mean([np.ptp(batch) for batch in batches]) < np.ptp(all_widths) / 8
    means = np.array([batch.mean() for batch in batches])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.3


def test_few_samples_fill_a_batch_by_repetition() -> None:
    batch = Sampler([10, 20, 30], batch_size=8, seed=1).batch(5)
    assert len(batch) == 8
    assert set(batch.tolist()) == {0, 1, 2}


def test_nothing_to_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Sampler([], batch_size=1, seed=1)
