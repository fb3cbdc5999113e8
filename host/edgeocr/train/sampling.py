"""Which samples make up a batch: a function of the seed and the batch's number alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW = 16  # batches that are sorted by width together


class Sampler:
    """Every epoch takes the samples in a new order, each once at most, in batches of like widths.

    The order is cut into windows of `WINDOW` batches; each is sorted by width, cut into batches, and all batches are shuffled. Samples of
    one width stay as shuffled. What does not fill a batch at an epoch's end is left for another epoch.
    """

    def __init__(self, widths: Sequence[int], batch_size: int, seed: int) -> None:
        """Raises ValueError where there is no sample."""
        if not widths:
            raise ValueError("no samples")
        self.widths = np.asarray(widths)
        self.batch_size = batch_size
        self.seed = seed
        self.batches_per_epoch = max(1, len(widths) // batch_size)
        self._epoch = -1
        self._batches: list[NDArray[np.int64]] = []

    def batch(self, number: int) -> NDArray[np.int64]:
        """The samples of batch ``number`` = 0, 1, …"""
        epoch, place = divmod(number, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return self._batches[place]

    def _shuffled(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.widths))
        if len(order) < self.batch_size:
            return [np.resize(order, self.batch_size)]
        order = order[: self.batches_per_epoch * self.batch_size]
        window = WINDOW * self.batch_size
        pieces = [order[at : at + window] for at in range(0, len(order), window)]
        order = np.concatenate([piece[np.argsort(self.widths[piece], kind="stable")] for piece in pieces])
        batches = order.reshape(-1, self.batch_size)
        return list(batches[rng.permutation(len(batches))])
