"""The learning rate as a function of the iteration alone, so that a resumed run continues it. PaddleOCR's names."""

from __future__ import annotations

import math
from bisect import bisect_right

from edgeocr.train.config import LearningRateConfig


def learning_rate(config: LearningRateConfig, iteration: int, iterations: int) -> float:
    """The rate of ``iteration``, counted from 0, in a run of ``iterations``.

    Over the first ``warmup_iterations`` the rate rises linearly, its last warm-up step being the full rate; the cosine falls to zero over
    what remains. The cyclical one falls so in every ``cycle_iterations`` after the warm-up, from ``cycle_decay`` times the peak before.
    """
    warmup = config.warmup_iterations
    if iteration < warmup:
        return _after_warmup(config, 0, iterations - warmup) * (iteration + 1) / warmup
    return _after_warmup(config, iteration - warmup, iterations - warmup)


def _after_warmup(config: LearningRateConfig, iteration: int, iterations: int) -> float:
    if config.name == "Cosine":
        return config.learning_rate * _fall(iteration / max(iterations, 1))
    if config.name == "CyclicalCosine":
        cycle, within = divmod(iteration, config.cycle_iterations)
        return config.learning_rate * config.cycle_decay**cycle * _fall(within / config.cycle_iterations)
    if config.name == "Piecewise":
        return config.values[bisect_right(config.decay_iterations, iteration + config.warmup_iterations)]
    return config.learning_rate


def _fall(done: float) -> float:
    """From 1 to 0 as a cosine, while ``done`` goes from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * done))
