"""Which cores are chosen, and that a mask counts only if the device reads it back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgeocr.bench.affinity import confirmed_mask, fastest_cores
from edgeocr.device.device import ShellResult
from edgeocr.device.host_device import HostDevice
from edgeocr.device.preflight import Core

SNAPDRAGON_855 = [*(Core(i, None, 1_785_600) for i in range(4)), *(Core(i, None, 2_419_200) for i in (4, 5, 6)), Core(7, None, 2_841_600)]


@pytest.mark.parametrize(("threads", "mask"), [(1, "80"), (2, "c0"), (4, "f0"), (8, "ff")])
def test_fastest_cores_come_first(threads: int, mask: str) -> None:
    assert fastest_cores(SNAPDRAGON_855, threads) == mask


def test_no_mask_where_frequencies_are_not_told() -> None:
    assert fastest_cores([Core(0, None, None), Core(1, None, 1_000_000)], 2) is None
    assert fastest_cores([], 1) is None


class Answering(HostDevice):
    def __init__(self, answer: ShellResult) -> None:
        self.answer = answer
        self.asked: list[Sequence[str]] = []

    def shell(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None) -> ShellResult:
        self.asked.append(argv)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "confirmed"),
    [
        (ShellResult(0, b"Cpus_allowed:\t80\n", b""), "80"),
        (ShellResult(0, b"Cpus_allowed:\t00000000,00000080\n", b""), "80"),
        (ShellResult(0, b"Cpus_allowed:\tff\n", b""), None),
        (ShellResult(0, b"", b""), None),
        (ShellResult(1, b"Cpus_allowed:\t80\n", b"taskset: Operation not permitted"), None),
        (ShellResult(127, b"", b"taskset: not found"), None),
    ],
)
def test_mask_is_read_back_under_itself(answer: ShellResult, confirmed: str | None) -> None:
    device = Answering(answer)
    assert confirmed_mask(device, "80") == confirmed
    assert device.asked[0][:2] == ["taskset", "80"]


def test_nothing_is_asked_without_a_mask() -> None:
    device = Answering(ShellResult(0, b"", b""))
    assert confirmed_mask(device, None) is None and device.asked == []
