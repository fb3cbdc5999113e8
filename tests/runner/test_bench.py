"""`edgeocr_run bench`: one net, timed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from runner_process import Runner

LINE = ("--input", "1,3,32,320")


def test_record_holds_what_the_protocol_says(runner: Runner, own_set: Path) -> None:
    model = own_set / "rec.nb"
    done = runner.run("bench", model, *LINE, "--repeats", "2", "--warmup", "0", "--threads", "2")
    assert (done.code, done.stderr) == (0, "")
    hello, bench = done.records
    assert hello["type"] == "hello" and hello["protocol"] == 1 and hello["threads"] == 2
    assert bench["type"] == "bench" and bench["model"] == str(model) and bench["threads"] == 2
    assert bench["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert bench["input"] == [1, 3, 32, 320] and bench["output"] == [1, 80]
    assert len(bench["ms"]) == 2 and min(bench["ms"]) > 0
    assert bench["greedy_ctc"] is True and 0 <= bench["output_sum"] <= 80  # probabilities of the steps that are kept
    for field in ("load_ms", "macs", "arena_bytes", "weight_bytes", "peak_rss_bytes"):
        assert bench[field] > 0, field
    assert bench["peak_rss_bytes"] > bench["arena_bytes"]


def test_profile_lists_the_plan_with_times(native: Runner, own_set: Path) -> None:
    done = native.run("bench", own_set / "rec.nb", *LINE, "--repeats", "2", "--profile")
    *nodes, bench = done.records[1:]
    assert bench["type"] == "bench"
    assert [node["index"] for node in nodes] == list(range(len(nodes)))
    assert sum(node["macs"] for node in nodes) == bench["macs"]
    assert all(node["ms"] >= 0 and node["kernel"] and node["output"] for node in nodes)


def test_input_and_output_files(native: Runner, own_set: Path, tmp_path: Path) -> None:
    picture = np.random.default_rng(1).uniform(-1, 1, (2, 3, 32, 100)).astype("<f4")
    picture.tofile(tmp_path / "in.f32")

    def outputs(*options: str) -> np.ndarray:
        arguments = ("--input", "2,3,32,100", "--input-file", tmp_path / "in.f32", "--output-file", tmp_path / "out.f32")
        done = native.run("bench", own_set / "rec.nb", *arguments, "--repeats", "1", *options)
        assert (done.code, done.stderr) == (0, "")
        assert done.records[-1]["greedy_ctc"] is False
        output: np.ndarray = np.fromfile(tmp_path / "out.f32", "<f4").reshape(done.records[-1]["output"])
        assert float(output.sum(dtype=np.float64)) == pytest.approx(done.records[-1]["output_sum"], rel=1e-9)
        return output

    plain = outputs("--generic", "--threads", "1")
    assert plain.shape == (2, 25, 96)
    np.testing.assert_allclose(plain.sum(axis=2), 1, atol=1e-5)
    assert np.abs(plain[0] - plain[1]).max() > 1e-3  # two pictures, two outputs
    np.testing.assert_array_equal(outputs("--generic", "--threads", "3"), plain)  # threads change no bit
    np.testing.assert_allclose(outputs(), plain, atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.f32", "out.f32"]


def test_noise_is_the_same_on_every_machine(native: Runner, own_set: Path, tmp_path: Path) -> None:
    """mt19937 of the seed that command_bench.cpp names, 24 bits of each draw, as NumPy's generator of that name gives them."""
    state = np.random.RandomState(20220527)
    draws = state.randint(0, 2**32, 3 * 32 * 320, dtype=np.uint32)
    ((draws >> 8).astype("<f4") * np.float32(2**-23) - np.float32(1)).tofile(tmp_path / "in.f32")
    by_default = native.run("bench", own_set / "rec.nb", *LINE, "--repeats", "1").records[-1]
    by_file = native.run("bench", own_set / "rec.nb", *LINE, "--repeats", "1", "--input-file", tmp_path / "in.f32").records[-1]
    assert by_default["output_sum"] == by_file["output_sum"]


def test_an_input_file_of_another_size_is_refused(native: Runner, own_set: Path, tmp_path: Path) -> None:
    (tmp_path / "in.f32").write_bytes(bytes(400))
    done = native.run("bench", own_set / "rec.nb", *LINE, "--input-file", tmp_path / "in.f32")
    assert done.code == 1
    assert done.stderr == f"error: {tmp_path}/in.f32: size is 400 bytes, expected 122880 (30720 fp32 values)\n"


def test_an_input_beyond_the_bounds_is_refused(native: Runner, own_set: Path) -> None:
    done = native.run("bench", own_set / "det.nb", "--input", "1,3,100000,100000")
    assert done.code == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "100000" in done.stderr
