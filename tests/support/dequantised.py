"""The fp32 twin of a weight-only quantised `.nb` file: the same operators over parameters multiplied out by NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nb_writer import Op, Param, write_nb

from edgeocr.convert.nbfile import NbFile, Operator, read

SUFFIX = "_quant_scale"
ELEMENTS = {"int8": "i1", "int16": "<i2", "fp32": "<f4"}
FP32 = 5
# The axis of the output channels, one scale each: conv filters are [O,I,h,w], fc weights [K,N], biases [O].
CHANNEL_AXIS = {"Filter": 0, "W": 1, "Y": 1, "Bias": 0}


def write_dequantised(quantised: Path, out: Path) -> Path:
    model = read(quantised)
    values: dict[str, np.ndarray] = {
        name: np.frombuffer(p.data, ELEMENTS[p.data_type]).reshape(p.dims) for name, p in model.parameters.items()
    }
    for operator in model.operators:
        for name, axis in _quantised_arguments(operator):
            scale = np.array(operator.attributes[name + SUFFIX], np.float32)
            shape = [1] * values[name].ndim
            shape[axis] = -1
            values[name] = values[name].astype(np.float32) * scale.reshape(shape)
    params = [Param(name, list(v.shape), FP32, v.astype("<f4").tobytes()) for name, v in values.items()]
    out.write_bytes(write_nb([_without_scales(o) for o in model.operators], params, feed_dims=model.feed_shapes()[0]))
    return out


def quantised_parameters(model: NbFile) -> set[str]:
    return {name for name, p in model.parameters.items() if p.data_type in ("int8", "int16")}


def _quantised_arguments(operator: Operator) -> list[tuple[str, int]]:
    arguments = [(name, CHANNEL_AXIS.get(parameter, 0)) for parameter, names in operator.inputs.items() for name in names]
    return [(name, axis) for name, axis in arguments if name + SUFFIX in operator.attributes]


def _without_scales(operator: Operator) -> Op:
    """Without what names the quantisation, and without lists of strings, which only carry the exporter's notes."""
    kept = {
        name: value
        for name, value in operator.attributes.items()
        if not name.endswith(SUFFIX)
        and name not in ("quantization_type", "quantize_weight_bits")
        and not (isinstance(value, list) and value and isinstance(value[0], str))
        and value is not None
    }
    return Op(operator.type, operator.inputs, operator.outputs, kept)
