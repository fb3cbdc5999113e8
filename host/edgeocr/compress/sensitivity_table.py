"""The file that a sensitivity is kept in. Nothing here needs Paddle.

{"baseline": {"weights": sha256, "pages": N, score: value}, "losses": {weight: {ratio: loss}}}, where a loss is a share of the baseline's
score.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeocr.errors import UsageError
from edgeocr.files import write_atomically

Losses = dict[str, dict[float, float]]  # weight → ratio → loss


@dataclass(frozen=True)
class SensitivityTable:
    baseline: dict[str, Any]
    losses: Losses

    def document(self) -> dict[str, Any]:
        losses = {weight: {str(ratio): curve[ratio] for ratio in sorted(curve)} for weight, curve in self.losses.items()}
        return {"baseline": self.baseline, "losses": losses}

    def write(self, file: Path) -> None:
        write_atomically(file, (json.dumps(self.document(), indent=1) + "\n").encode())

    @classmethod
    def read(cls, file: Path) -> SensitivityTable:
        """Raises UsageError."""
        try:
            document = json.loads(file.read_text())
            losses = {
                weight: {_finite(ratio): _finite(loss) for ratio, loss in curve.items()} for weight, curve in document["losses"].items()
            }
            return cls(dict(document["baseline"]), losses)
        except OSError as e:
            raise UsageError(f"{file}: cannot be read: {e.strerror}") from e
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            reason = f"{e} is missing" if isinstance(e, KeyError) else e
            raise UsageError(f"{file}: holds no sensitivity: {reason}") from e


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite")
    return number
