"""How many readings each kind of device gets, with a clock and a device of the test's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from bench_samples import record

from edgeocr.bench.protocol import PROTOCOLS, Measurement, Protocol


def run(protocol: Protocol, totals: Iterable[float]) -> tuple[Measurement, float]:
    """Measures with a clock that moves by each reading's time; gives the measurement and the seconds it took."""
    now = 0.0
    measurement = Measurement(protocol, clock=lambda: now)
    for total in totals:
        now += total / 1000
        measurement.take(record(total))
        if measurement.complete:
            break
    assert len(measurement.warmups) + len(measurement.samples) <= protocol.max_readings
    return measurement, now


def steady(total: float) -> Iterator[float]:
    while True:
        yield total


def test_phone_warms_up_ten_times_and_takes_a_hundred_samples_in_two_passes() -> None:
    measured, _ = run(PROTOCOLS["phone"], steady(100))
    assert (len(measured.warmups), len(measured.samples), measured.settled) == (10, 50, True)
    assert PROTOCOLS["phone"].passes == 2


def test_phone_warms_up_until_the_last_five_agree() -> None:
    falling = [200 * 0.9**i for i in range(12)] + [50.0] * 200
    measured, _ = run(PROTOCOLS["phone"], falling)
    assert len(measured.warmups) == 17 and measured.settled
    assert {sample.ms["total"] for sample in measured.samples} == {50.0}


def test_phone_that_never_settles_is_measured_and_flagged() -> None:
    restless = [100.0, 150.0] * 1000
    measured, _ = run(PROTOCOLS["phone"], restless)
    assert len(measured.warmups) == 200 and not measured.settled and len(measured.samples) == 50


def test_slow_phone_stops_after_its_time() -> None:
    restless = [4000.0, 6000.0] * 1000
    measured, seconds = run(PROTOCOLS["phone"], restless)
    assert len(measured.warmups) == 12 and len(measured.samples) == 6  # 60 s of warm-up, half of 60 s of samples
    assert 60 + 30 <= seconds <= 60 + 30 + 2 * 6


@pytest.mark.parametrize(("kind", "warmups", "samples"), [("emulated", 1, 3), ("host", 2, 10)])
def test_short_protocols(kind: str, warmups: int, samples: int) -> None:
    protocol = next(protocol for name, protocol in PROTOCOLS.items() if name == kind)
    measured, _ = run(protocol, steady(50))
    assert (len(measured.warmups), len(measured.samples)) == (warmups, samples)


def test_very_slow_device_gives_at_least_one_warmup_and_one_sample() -> None:
    measured, _ = run(PROTOCOLS["host"], steady(100_000))
    assert (len(measured.warmups), len(measured.samples)) == (1, 1)


def test_emulated_figures_say_that_they_are_no_speed() -> None:
    assert {protocol.label for protocol in PROTOCOLS.values()} == {"phone", "host", "no speed: emulated"}
