"""What a `.nb` file's numbers are; `edgeocr inspect` shows them (tests/cli)."""

from __future__ import annotations

import pytest

from edgeocr.paths import MODELS
from edgeocr.zoo.inspection import unquantised_lstm_bytes

# Two layers, two directions, 48 hidden, input 288 and then 96: four gates of input weights, recurrent weights and two biases each.
LSTM = 2 * 4 * 48 * (288 + 48 + 2 + 96 + 48 + 2) * 4


@pytest.mark.parametrize(("net", "expected"), [("none/rec.nb", 0), ("pact/rec.nb", LSTM), ("pact/det.nb", 0)])
def test_lstm_that_a_quantised_net_keeps_fp32(net: str, expected: int) -> None:
    assert unquantised_lstm_bytes(MODELS / "edgeocr_en" / net) == expected
