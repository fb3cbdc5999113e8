"""Does a file fit: hash and size, a recogniser's classes against its dictionary, and what in a `.nb` deserves a warning."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from edgeocr.convert.nbfile import NbFile, Operator, Parameter, read
from edgeocr.errors import ModelError

MAX_DICTIONARY_BYTES = 1 << 20

# The operators of a file that the runtime knows: those in the table of cpp_runtime/src/graph/operators.cpp, and feed and fetch.
KNOWN_OPERATORS = frozenset(
    {
        "batch_norm",
        "calib",
        "concat",
        "conv2d",
        "conv2d_transpose",
        "depthwise_conv2d",
        "elementwise_add",
        "elementwise_div",
        "elementwise_mul",
        "elementwise_sub",
        "fc",
        "feed",
        "fetch",
        "fill_constant",
        "fill_constant_batch_size_like",
        "flatten2",
        "flatten_contiguous_range",
        "fusion_elementwise_add_activation",
        "fusion_elementwise_div_activation",
        "fusion_elementwise_mul_activation",
        "fusion_elementwise_sub_activation",
        "hard_sigmoid",
        "hard_swish",
        "leaky_relu",
        "matmul",
        "matmul_v2",
        "mul",
        "nearest_interp",
        "nearest_interp_v2",
        "pool2d",
        "relu",
        "relu6",
        "reshape2",
        "rnn",
        "scale",
        "shape",
        "sigmoid",
        "slice",
        "softmax",
        "split",
        "squeeze2",
        "swish",
        "tanh",
        "transpose2",
        "unsqueeze2",
    }
)

# The classes are the columns of the last linear layer: operator → (argument of its weights, attribute that says they are transposed).
_LINEAR = {"fc": ("W", ""), "mul": ("Y", ""), "matmul": ("Y", "transpose_Y"), "matmul_v2": ("Y", "trans_y")}

# Filter scales of one layer lie within a few powers of two; opt's broken folding raises |alpha| to the number of input channels.
_PLAUSIBLE_SCALE_RATIO = 1e4


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_file(path: Path, sha256: str, size: int) -> None:
    """Raises `ModelError` unless the file is the one that was pinned."""
    try:
        actual_size = path.stat().st_size
        if actual_size != size:
            raise ModelError(f"{path}: the file has {actual_size} bytes, expected {size}")
        actual = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    if actual != sha256:
        raise ModelError(f"{path}: sha256 is {actual}, expected {sha256}")


def class_count(model: NbFile) -> int:
    """Classes of a CTC recogniser or a classifier: the columns of the last linear layer. Raises `ModelError` if there is none."""
    for operator in reversed(model.operators):
        weights = _linear_weights(model, operator)
        if weights is not None and len(weights.dims) == 2:
            _, transposed = _LINEAR[operator.type]
            return weights.dims[0 if operator.attributes.get(transposed) is True else 1]
    raise ModelError(f"{model.name}: has no linear layer (fc, mul, matmul, matmul_v2), expected a recogniser")


def _linear_weights(model: NbFile, operator: Operator) -> Parameter | None:
    argument, _ = _LINEAR.get(operator.type, ("", ""))
    names = operator.inputs.get(argument, [])
    return model.parameters.get(names[0]) if names else None


def dictionary_keys(path: Path) -> int:
    """Number of keys: one a line, the last line end is optional. Only line feeds end a line: keys may be any other character."""
    try:
        if path.stat().st_size > MAX_DICTIONARY_BYTES:
            raise ModelError(f"{path}: the dictionary has {path.stat().st_size} bytes, expected at most {MAX_DICTIONARY_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: byte {error.start} is not UTF-8, expected one key a line in UTF-8") from None
    keys = content.removesuffix(b"\n")
    if not keys:
        raise ModelError(f"{path}: the dictionary is empty, expected one key a line")
    return keys.count(b"\n") + 1


def check_dictionary(recogniser: Path, dictionary: Path) -> None:
    """Raises `ModelError` unless blank, the keys and space are as many as the recogniser's classes."""
    keys, classes = dictionary_keys(dictionary), class_count(read(recogniser))
    if keys + 2 != classes:
        raise ModelError(
            f"{dictionary}: {keys} keys give {keys + 2} classes (blank, keys, space), but {recogniser} has {classes}",
            f"give the dictionary that belongs to this recogniser: one of {classes - 2} lines",
        )


def warnings(model: NbFile) -> list[str]:
    """Sentences on what will run wrongly or not at all."""
    return [*_unknown_operators(model), *_foreign_targets(model), *_ruined_transposed_convolutions(model)]


def _unknown_operators(model: NbFile) -> list[str]:
    unknown = sorted({operator.type for operator in model.operators} - KNOWN_OPERATORS)
    return [f"the runtime does not know the operator {name!r}" for name in unknown]


def _foreign_targets(model: NbFile) -> list[str]:
    """An arm file runs in Paddle-Lite's x86 predictor, and the other way round, and gives garbage without an error."""
    targets = {operator.kernel[1] for operator in model.operators} - {"", "host", "arm", "any"}
    return [f"kernels were chosen for {target!r}, expected arm: convert again with --valid_targets=arm" for target in sorted(targets)]


def _ruined_transposed_convolutions(model: NbFile) -> list[str]:
    """opt 2.10 … 2.13 folds a batch_norm into an int8 conv2d_transpose's scales once per input channel: they explode or vanish."""
    found = []
    for index, operator in enumerate(model.operators):
        scales = operator.attributes.get("Filter0_scale")
        if operator.type != "conv2d_transpose" or not operator.attributes.get("enable_int8") or not isinstance(scales, list):
            continue
        magnitudes = [abs(scale) for scale in scales if isinstance(scale, float)]
        smallest, largest = min(magnitudes, default=1.0), max(magnitudes, default=1.0)
        if not math.isfinite(largest) or smallest == 0 or largest / smallest > _PLAUSIBLE_SCALE_RATIO:
            found.append(
                f"operator {index}, an int8 conv2d_transpose, has filter scales from {smallest:.1e} to {largest:.1e}: opt has folded a"
                " batch_norm into them wrongly; leave transposed convolutions fp32"
            )
    return found
