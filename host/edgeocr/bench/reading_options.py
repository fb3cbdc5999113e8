"""The registry's reading parameters as the runner's options."""

from __future__ import annotations

from edgeocr.device.runner import OcrOptions
from edgeocr.zoo.model_files import ModelFiles
from edgeocr.zoo.registry import Registry


def reading_options(models: ModelFiles, registry: Registry) -> OcrOptions:
    """A registry set is read with its own parameters, a folder of the user's with the runner's, which are PaddleOCR's."""
    if not models.variant:
        return OcrOptions()
    reading = registry.find(models.name).reading
    return OcrOptions(
        limit_side_len=reading.limit_side_len,
        det_db_thresh=reading.det_db_thresh,
        det_db_box_thresh=reading.det_db_box_thresh,
        det_db_unclip_ratio=reading.det_db_unclip_ratio,
        cls_thresh=reading.cls_thresh,
        drop_score=reading.drop_score,
    )
