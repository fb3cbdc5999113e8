"""libedgeocr.so, called as another language would."""

from __future__ import annotations

import ctypes
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from runner_process import Runner, model_arguments

from edgeocr import __version__, paths

EXACT, FAST, COMPOSED = 0, 1, 2  # EDGEOCR_INT8_…
AS_STORED, FP32, FP16, INT8 = range(4)  # EDGEOCR_PRECISION_…


class SessionOptions(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("threads", "generic_only", "int8", "dynamic_int8", "precision")]


class Options(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_char_p) for name in ("detector", "classifier", "recogniser", "dictionary")],
        *[(name, ctypes.c_int) for name in ("threads", "generic_only", "limit_side_len")],
        *[(name, ctypes.c_float) for name in ("det_db_thresh", "det_db_box_thresh", "det_db_unclip_ratio", "cls_thresh", "drop_score")],
        *[(name, ctypes.c_int) for name in ("rec_batch_num", "int8", "dynamic_int8", "precision")],
    ]


class Line(ctypes.Structure):
    _fields_ = [
        ("box", ctypes.c_int * 2 * 4),
        ("text", ctypes.c_char_p),
        *[(name, ctypes.c_float) for name in ("score", "box_score", "cls_score")],
        *[(name, ctypes.c_int) for name in ("turned", "kept")],
    ]


@pytest.fixture(scope="module")
def api(host_library: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(host_library))
    pointer = ctypes.c_void_p
    for name in ("edgeocr_version", "edgeocr_last_error"):
        getattr(library, name).restype = ctypes.c_char_p
    library.edgeocr_session_create.restype = pointer
    library.edgeocr_session_create.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    library.edgeocr_session_options_init.restype = None
    library.edgeocr_session_options_init.argtypes = [ctypes.POINTER(SessionOptions)]
    library.edgeocr_session_create_with.restype = pointer
    library.edgeocr_session_create_with.argtypes = [ctypes.c_char_p, ctypes.POINTER(SessionOptions)]
    library.edgeocr_session_run.argtypes = [pointer, ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_int64)]
    library.edgeocr_session_output.restype = ctypes.POINTER(ctypes.c_float)
    library.edgeocr_session_output.argtypes = [pointer, ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int64)]
    library.edgeocr_pipeline_options_init.restype = None
    library.edgeocr_pipeline_options_init.argtypes = [ctypes.POINTER(Options)]
    library.edgeocr_pipeline_create.restype = pointer
    library.edgeocr_pipeline_create.argtypes = [ctypes.POINTER(Options)]
    library.edgeocr_pipeline_read.restype = pointer
    library.edgeocr_pipeline_read.argtypes = [pointer, ctypes.c_char_p]
    library.edgeocr_result_line_count.restype = ctypes.c_size_t
    library.edgeocr_result_line.argtypes = [pointer, ctypes.c_size_t, ctypes.POINTER(Line)]
    for name in ("session_destroy", "pipeline_destroy", "result_destroy"):
        getattr(library, f"edgeocr_{name}").restype = None
        getattr(library, f"edgeocr_{name}").argtypes = [pointer]
    for name in ("width", "height", "line_count"):
        getattr(library, f"edgeocr_result_{name}").argtypes = [pointer]
    return library


def session_options(api: ctypes.CDLL, int8: int = EXACT, dynamic_int8: bool = False, precision: int = AS_STORED) -> SessionOptions:
    made = SessionOptions()
    api.edgeocr_session_options_init(ctypes.byref(made))
    assert (made.threads, made.generic_only, made.int8, made.dynamic_int8, made.precision) == (1, 0, EXACT, 0, AS_STORED)
    made.int8, made.dynamic_int8, made.precision = int8, int(dynamic_int8), precision
    return made


@contextmanager
def session(api: ctypes.CDLL, path: Path, options: SessionOptions | None = None) -> Iterator[int]:
    """By edgeocr_session_create where no options are given."""
    if options is None:
        handle = api.edgeocr_session_create(str(path).encode(), 1, 0)
    else:
        handle = api.edgeocr_session_create_with(str(path).encode(), ctypes.byref(options))
    assert handle, api.edgeocr_last_error()
    try:
        yield handle
    finally:
        api.edgeocr_session_destroy(handle)


def run(api: ctypes.CDLL, handle: int, picture: np.ndarray) -> int:
    shape = (ctypes.c_int64 * 4)(*picture.shape)
    code: int = api.edgeocr_session_run(handle, picture.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), shape)
    return code


def output(api: ctypes.CDLL, handle: int) -> np.ndarray:
    rank, shape = ctypes.c_int(), (ctypes.c_int64 * 6)()
    values = api.edgeocr_session_output(handle, 0, ctypes.byref(rank), shape)
    assert values, api.edgeocr_last_error()
    array: np.ndarray = np.ctypeslib.as_array(values, tuple(shape[: rank.value])).copy()
    return array


def options(api: ctypes.CDLL, own_set: Path) -> Options:
    made = Options()
    api.edgeocr_pipeline_options_init(ctypes.byref(made))
    made.detector = str(own_set / "det.nb").encode()
    made.recogniser = str(own_set / "rec.nb").encode()
    made.dictionary = str(own_set / "en_keys.txt").encode()
    return made


def test_version(api: ctypes.CDLL) -> None:
    assert api.edgeocr_version().decode() == __version__


def test_nothing_but_the_api_is_exported(host_library: Path) -> None:
    header = (paths.ROOT / "cpp_runtime" / "include" / "edgeocr" / "c_api.h").read_text()
    declared = {line.split("(")[0].split()[-1].lstrip("*") for line in header.splitlines() if line.startswith("EDGEOCR_API ")}
    listed = subprocess.run(["readelf", "--dyn-syms", "--wide", str(host_library)], capture_output=True, text=True, check=True).stdout
    exported = {row[7] for row in map(str.split, listed.splitlines()) if len(row) == 8 and row[4] in ("GLOBAL", "WEAK") and row[6] != "UND"}
    assert exported == declared


def test_a_session_runs_as_the_runner_does(api: ctypes.CDLL, native: Runner, own_set: Path, tmp_path: Path) -> None:
    picture = np.random.default_rng(3).uniform(-1, 1, (1, 3, 32, 320)).astype(np.float32)
    picture.tofile(tmp_path / "in.f32")
    files = ("--input-file", tmp_path / "in.f32", "--output-file", tmp_path / "out.f32")
    assert native.run("bench", own_set / "rec.nb", "--input", "1,3,32,320", *files, "--repeats", "1").code == 0
    with session(api, own_set / "rec.nb") as handle:
        assert run(api, handle, picture) == 0
        np.testing.assert_array_equal(output(api, handle).reshape(-1), np.fromfile(tmp_path / "out.f32", "<f4"))


def test_int8_is_exact_or_fast_as_the_runners(api: ctypes.CDLL, native: Runner, own_set: Path, tmp_path: Path) -> None:
    """fp32 nets have the same bits either way, our int8 detector has others."""
    picture = np.random.default_rng(4).uniform(-1, 1, (1, 3, 64, 96)).astype(np.float32)
    picture.tofile(tmp_path / "in.f32")

    def of_the_runner(model: Path, int8: str) -> np.ndarray:
        files = ("--input-file", tmp_path / "in.f32", "--output-file", tmp_path / "out.f32")
        done = native.run("bench", model, "--input", "1,3,64,96", *files, "--repeats", "1", "--int8", int8)
        assert (done.code, done.stderr) == (0, "")
        values: np.ndarray = np.fromfile(tmp_path / "out.f32", "<f4")
        return values

    def of_the_api(model: Path, int8: int | None) -> np.ndarray:
        with session(api, model, None if int8 is None else session_options(api, int8)) as handle:
            assert run(api, handle, picture) == 0
            return output(api, handle).reshape(-1)

    for variant, differ in (("none", False), ("pact", True)):
        model = own_set.parent / variant / "det.nb"
        exact, fast, composed = (of_the_api(model, int8) for int8 in (EXACT, FAST, COMPOSED))
        np.testing.assert_array_equal(of_the_api(model, None), exact)
        np.testing.assert_array_equal(of_the_runner(model, "exact"), exact)
        np.testing.assert_array_equal(of_the_runner(model, "fast"), fast)
        np.testing.assert_array_equal(of_the_runner(model, "composed"), composed)
        assert bool(np.any(composed != fast)) == differ, variant


def test_precision_is_the_runners(api: ctypes.CDLL, own_set: Path) -> None:
    """This machine has no fp16 arithmetic: that the option arrives shows in the refusal."""
    single, quantised = own_set / "det.nb", own_set.with_name("pact") / "det.nb"

    def refusal(model: Path, precision: int) -> str | None:
        handle = api.edgeocr_session_create_with(str(model).encode(), ctypes.byref(session_options(api, precision=precision)))
        api.edgeocr_session_destroy(handle)
        return None if handle else api.edgeocr_last_error().decode()

    assert refusal(single, FP32) is None and refusal(quantised, INT8) is None and refusal(quantised, AS_STORED) is None
    assert refusal(single, INT8) == f"{single}: has no int8 operators, expected some for precision int8"
    assert refusal(quantised, FP32) == f"{quantised}: has int8 operators, expected none for precision fp32"
    assert refusal(single, FP16) == f"{single}: this processor has no fp16 arithmetic (armv8.2-a), which precision fp16 needs"
    assert refusal(single, 4) == "precision is 4, expected an EDGEOCR_PRECISION_ value, 0 to 3"
    made = options(api, own_set)
    made.precision = INT8
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error().decode() == f"{single}: has no int8 operators, expected some for precision int8"


def test_dynamic_int8_is_the_runners(api: ctypes.CDLL, native: Runner, own_set: Path, tmp_path: Path) -> None:
    """A net without large matrix products is refused, by the pipeline a recogniser."""
    picture = np.random.default_rng(5).uniform(-1, 1, (1, 3, 32, 96)).astype(np.float32)
    picture.tofile(tmp_path / "in.f32")
    files = ("--input-file", tmp_path / "in.f32", "--output-file", tmp_path / "out.f32")
    asked = ("--input", "1,3,32,96", *files, "--repeats", "1", "--dynamic-int8")
    done = native.run("bench", own_set / "rec.nb", *asked)
    assert (done.code, done.stderr) == (0, "")
    with session(api, own_set / "rec.nb", session_options(api, dynamic_int8=True)) as handle:
        assert run(api, handle, picture) == 0
        dynamic = output(api, handle).reshape(-1)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out.f32", "<f4"), dynamic)
    with session(api, own_set / "rec.nb") as handle:
        assert run(api, handle, picture) == 0
        plain = output(api, handle).reshape(-1)
    assert 0 < np.abs(plain - dynamic).max() < 0.02

    refusal = ": has no fp32 product with a constant matrix that is large enough for dynamic int8"
    detector, recogniser = own_set / "det.nb", own_set.with_name("pact") / "rec.nb"
    done = native.run("bench", detector, *asked)
    assert (done.code, done.stderr) == (1, f"error: {detector}{refusal}\n")
    assert api.edgeocr_session_create_with(str(detector).encode(), ctypes.byref(session_options(api, dynamic_int8=True))) is None
    assert api.edgeocr_last_error().decode() == f"{detector}{refusal}"
    made = options(api, own_set)
    made.dynamic_int8 = 1
    pipeline = api.edgeocr_pipeline_create(ctypes.byref(made))
    assert pipeline, api.edgeocr_last_error()
    api.edgeocr_pipeline_destroy(pipeline)
    made.recogniser = str(recogniser).encode()
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error().decode() == f"{recogniser}{refusal}"


def test_a_session_takes_one_shape_after_another(api: ctypes.CDLL, own_set: Path) -> None:
    with session(api, own_set / "rec.nb") as handle:
        for shape, steps in (((1, 3, 32, 320), 80), ((2, 3, 32, 100), 25), ((1, 3, 32, 320), 80)):
            assert run(api, handle, np.zeros(shape, np.float32)) == 0
            assert output(api, handle).shape == (shape[0], steps, 96)


def test_session_failures_are_lines(api: ctypes.CDLL, own_set: Path) -> None:
    assert api.edgeocr_session_create(b"/none.nb", 1, 0) is None
    assert api.edgeocr_last_error() == b"/none.nb: cannot open: No such file or directory"
    assert api.edgeocr_session_create(None, 1, 0) is None
    assert api.edgeocr_last_error() == b"path is NULL"
    assert api.edgeocr_session_create(str(own_set / "rec.nb").encode(), 0, 0) is None
    assert api.edgeocr_last_error() == b"threads is 0, expected at least 1"
    assert api.edgeocr_session_create_with(str(own_set / "rec.nb").encode(), None) is None
    assert api.edgeocr_last_error() == b"options is NULL"
    for unknown in (-1, 3):
        made = session_options(api, unknown)
        assert api.edgeocr_session_create_with(str(own_set / "rec.nb").encode(), ctypes.byref(made)) is None
        assert api.edgeocr_last_error().decode() == f"int8 is {unknown}, expected an EDGEOCR_INT8_ value, 0 to 2"
    made = session_options(api, FAST)
    made.generic_only = 1
    assert api.edgeocr_session_create_with(str(own_set / "rec.nb").encode(), ctypes.byref(made)) is None
    assert api.edgeocr_last_error().decode() == f"{own_set}/rec.nb: the plain kernels have exact int8 only"
    with session(api, own_set / "rec.nb") as handle:
        assert not api.edgeocr_session_output(handle, 0, ctypes.byref(ctypes.c_int()), (ctypes.c_int64 * 6)())
        assert api.edgeocr_last_error() == b"the session has no result: call edgeocr_session_run first"
        assert run(api, handle, np.zeros((1, 1, 32, 320), np.float32)) == 1
        assert api.edgeocr_last_error()
        assert run(api, handle, np.zeros((1, 3, 32, 320), np.float32)) == 0  # still usable
        assert run(api, handle, np.zeros((1, 1, 32, 320), np.float32)) == 1
        assert not api.edgeocr_session_output(handle, 0, ctypes.byref(ctypes.c_int()), (ctypes.c_int64 * 6)())
        assert api.edgeocr_last_error() == b"the session has no result: call edgeocr_session_run first"


def test_a_pipeline_reads_as_the_runner_does(api: ctypes.CDLL, own_set: Path, sign: Path) -> None:
    pipeline = api.edgeocr_pipeline_create(ctypes.byref(options(api, own_set)))
    assert pipeline, api.edgeocr_last_error()
    result = api.edgeocr_pipeline_read(pipeline, str(sign).encode())
    assert result, api.edgeocr_last_error()
    api.edgeocr_pipeline_destroy(pipeline)  # the result outlives it
    assert (api.edgeocr_result_width(result), api.edgeocr_result_height(result)) == (640, 480)
    lines = []
    for index in range(api.edgeocr_result_line_count(result)):
        line = Line()
        assert api.edgeocr_result_line(result, index, ctypes.byref(line)) == 0
        lines.append((line.text.decode(), [list(corner) for corner in line.box], bool(line.kept)))
    assert api.edgeocr_result_line(result, len(lines), ctypes.byref(Line())) == 1
    assert api.edgeocr_last_error().decode() == f"line index is {len(lines)}, expected less than {len(lines)}"
    api.edgeocr_result_destroy(result)
    labels = json.loads(sign.with_suffix(".json").read_text())
    assert sorted(text for text, _, kept in lines if kept) == sorted(label["text"] for label in labels)


def test_a_pipeline_reads_by_every_int8_as_the_runner_does(api: ctypes.CDLL, native: Runner, own_set: Path, sign: Path) -> None:
    pact = own_set.with_name("pact")
    models = model_arguments(pact / "det.nb", pact / "rec.nb", pact / "en_keys.txt")

    def read(int8: int) -> list[tuple[str, float]]:
        made = options(api, pact)
        made.int8 = int8
        pipeline = api.edgeocr_pipeline_create(ctypes.byref(made))
        assert pipeline, api.edgeocr_last_error()
        result = api.edgeocr_pipeline_read(pipeline, str(sign).encode())
        assert result, api.edgeocr_last_error()
        lines = [Line() for _ in range(api.edgeocr_result_line_count(result))]
        for index, line in enumerate(lines):
            assert api.edgeocr_result_line(result, index, ctypes.byref(line)) == 0
        found = [(line.text.decode(), line.box_score) for line in lines]
        api.edgeocr_result_destroy(result)
        api.edgeocr_pipeline_destroy(pipeline)
        return found

    scores = {}
    for name, int8 in (("exact", EXACT), ("fast", FAST), ("composed", COMPOSED)):
        lines = native.run("ocr", *models, sign, "--int8", name).records[1]["lines"]
        found = read(int8)
        assert [text for text, _ in found] == [line["text"] for line in lines]
        scores[name] = [score for _, score in found]
        assert scores[name] == pytest.approx([line["box_score"] for line in lines], abs=1e-6)
    assert scores["composed"] != pytest.approx(scores["fast"], abs=1e-5)


def test_pipeline_failures_are_lines(api: ctypes.CDLL, own_set: Path) -> None:
    made = options(api, own_set)
    made.dictionary = None
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error() == b"dictionary is missing: name the recogniser's keys"
    made = options(api, own_set)
    made.detector = made.recogniser = None
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error() == b"no net is named"
    made = options(api, own_set)
    made.rec_batch_num = 0
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error() == b"rec_batch_num is 0, expected at least 1"
    made = options(api, own_set)
    made.int8 = 3
    assert api.edgeocr_pipeline_create(ctypes.byref(made)) is None
    assert api.edgeocr_last_error() == b"int8 is 3, expected an EDGEOCR_INT8_ value, 0 to 2"
    pipeline = api.edgeocr_pipeline_create(ctypes.byref(options(api, own_set)))
    assert api.edgeocr_pipeline_read(pipeline, b"/none.png") is None
    assert api.edgeocr_last_error() == b"/none.png: cannot open: No such file or directory"
    api.edgeocr_pipeline_destroy(pipeline)


def test_destroying_nothing_is_allowed(api: ctypes.CDLL) -> None:
    for name in ("session", "pipeline", "result"):
        getattr(api, f"edgeocr_{name}_destroy")(None)
