"""Augmentations by the names in ``Train.transforms``; data/augment has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.random import Generator

from edgeocr.data.augment.bda import bda
from edgeocr.data.augment.colour import colour_jitter
from edgeocr.data.augment.copy_paste import copy_paste
from edgeocr.data.augment.flip import fliplr
from edgeocr.data.augment.randaugment import randaugment
from edgeocr.data.augment.sample import Sample, Transform
from edgeocr.data.augment.tia import tia
from edgeocr.errors import UsageError

COPY_PASTE = "CopyPaste"
TRANSFORMS: dict[str, Callable[..., Transform]] = {
    "BDA": bda,
    "ColorJitter": colour_jitter,
    COPY_PASTE: copy_paste,
    "Fliplr": fliplr,
    "RandAugment": randaugment,
    "TIA": tia,
}


def build_transforms(described: Sequence[Mapping[str, Any]], others: Callable[[Generator], Sample] | None = None) -> list[Transform]:
    """From ``[{"Fliplr": {"p": 0.5}}, {"ColorJitter": null}]``. Raises UsageError naming the entry.

    ``others`` draws another sample of the same data, for CopyPaste; without it CopyPaste is refused.
    """
    return [_build(entry, others) for entry in described]


def _build(entry: Mapping[str, Any], others: Callable[[Generator], Sample] | None) -> Transform:
    if len(entry) != 1:
        raise UsageError(f"Train.transforms has {dict(entry)!r}, expected one name with its options or null")
    ((name, options),) = entry.items()
    if name not in TRANSFORMS:
        raise UsageError(f"Train.transforms names {name}, expected one of {', '.join(TRANSFORMS)}")
    if name == COPY_PASTE and others is None:
        raise UsageError(f"Train.transforms names {COPY_PASTE}, which is for detectors")
    try:
        return TRANSFORMS[name](*([others] if name == COPY_PASTE else []), **(options or {}))
    except TypeError as e:
        raise UsageError(f"Train.transforms.{name}: {e}") from e
