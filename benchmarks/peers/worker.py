"""One peer with one net, in a process of its own: ``worker.py PEER MODEL INPUT.npy OUTPUT.npy``.

It runs the net once, writes the output and a line {"version": …, "cpus": […]}. From then on every line on its stdin is a number of runs;
it answers with their times, a JSON list of milliseconds. Runs under .venv-peers or .venv-paddle and needs NumPy and the peer alone. All
peers compute in fp32 with one thread; what a run is timed over is the inference, with inputs already in place where the peer's interface
allows that.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

# What runs the net once, what then fetches its output.
Peer = tuple[Callable[[], Any], Callable[[], Any]]


def onnxruntime(model: Path, x: np.ndarray) -> Peer:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, feed), lambda: session.run(None, feed)[0]


def openvino(model: Path, x: np.ndarray) -> Peer:
    import openvino as ov

    core = ov.Core()
    net = core.read_model(str(model))
    net.reshape(list(x.shape))
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(net, "CPU", settings).create_infer_request()
    request.set_input_tensor(ov.Tensor(x))
    return request.infer, lambda: request.get_output_tensor(0).data


def ncnn(model: Path, x: np.ndarray) -> Peer:
    import ncnn as engine

    net = engine.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    net.load_param(str(model))
    net.load_model(str(model.with_suffix(".bin")))
    blob = engine.Mat(np.ascontiguousarray(x[0])).clone()

    def run() -> Any:
        extractor = net.create_extractor()
        extractor.input("in0", blob)
        return extractor.extract("out0")[1]

    return run, lambda: np.array(run())


def mnn(model: Path, x: np.ndarray) -> Peer:
    from MNN import expr, nn

    runtime = nn.create_runtime_manager(({"backend": "CPU", "numThread": 1, "precision": "high"},))
    net = nn.load_module_from_file(str(model), [], [], runtime_manager=runtime, shape_mutable=True, rearrange=True)
    variable = expr.const(x, x.shape, expr.NCHW)

    def run() -> Any:
        outputs = net.forward(variable)
        return (outputs[0] if isinstance(outputs, list) else outputs).read()  # computed when it is read

    return run, run


def paddle_lite(model: Path, x: np.ndarray) -> Peer:
    from paddlelite.lite import MobileConfig, create_paddle_predictor

    config = MobileConfig()
    config.set_model_from_file(str(model))
    predictor = create_paddle_predictor(config)
    predictor.get_input(0).from_numpy(x)
    return predictor.run, lambda: predictor.get_output(0).numpy()


def paddle(model: Path, x: np.ndarray) -> Peer:
    from paddle import inference

    config = inference.Config(str(model), str(model.with_suffix(".pdiparams")))
    config.disable_glog_info()
    config.set_cpu_math_library_num_threads(1)
    predictor = inference.create_predictor(config)
    predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(x)
    return predictor.run, lambda: predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()


PEERS: dict[str, tuple[str, Callable[[Path, np.ndarray], Peer]]] = {
    "onnxruntime": ("onnxruntime", onnxruntime),
    "openvino": ("openvino", openvino),
    "ncnn": ("ncnn", ncnn),
    "mnn": ("MNN", mnn),
    "paddle-lite": ("paddlelite", paddle_lite),
    "paddle": ("paddlepaddle", paddle),
}


def take_stdout() -> int:
    """The engines print on file descriptor 1: give them stderr instead."""
    report = os.dup(1)
    os.dup2(2, 1)
    return report


def say(report: int, value: object) -> None:
    os.write(report, (json.dumps(value) + "\n").encode())


def milliseconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


def main(peer: str, model: str, input_file: str, output_file: str) -> None:
    report = take_stdout()
    distribution, load = PEERS[peer]
    run, output = load(Path(model), np.load(input_file))
    run()
    np.save(output_file, np.asarray(output(), np.float32))
    say(report, {"version": version(distribution), "cpus": sorted(os.sched_getaffinity(0))})
    for line in sys.stdin:
        say(report, [milliseconds(run) for _ in range(int(line))])


if __name__ == "__main__":
    main(*sys.argv[1:])
