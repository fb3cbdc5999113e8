"""`edgeocr bench --device emulated` from the command line to the report: pushed, run, collected, and marked as no speed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from emulated_phone import private_adb

from edgeocr.cli import run
from edgeocr.paths import MODELS

pytestmark = pytest.mark.emulated


def test_emulated_bench_reads_a_labelled_picture_and_claims_no_speed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    page = cv2.imread(str(MODELS / "pictures" / "page_sign.png"))
    assert page is not None
    left, top = 110, 330
    picture = tmp_path / "cafe.png"
    cv2.imwrite(str(picture), page[top:440, left:330])
    labels = json.loads((MODELS / "pictures" / "page_sign.json").read_text())
    inside = [{"text": label["text"], "quad": [[x - left, y - top] for x, y in label["quad"]]} for label in labels[3:]]
    labelled = [label for label in inside if label["text"] in ("CAFE", "open daily")]
    picture.with_suffix(".json").write_text(json.dumps(labelled))

    with private_adb(tmp_path / "home"):
        assert run(["bench", "--device", "emulated", "--pictures", str(picture), "--out", str(tmp_path / "out"), "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    (reading,) = document["variants"][0]["pictures"]
    assert document["label"] == "no speed: emulated" and document["device"]["kind"] == "emulated"
    assert document["runner"]["arch"] == "aarch64"
    assert (reading["warmups"], len(reading["samples"]["total"]), reading["same_text"]) == (1, 3, True)
    assert reading["accuracy"] == {"exact": 2, "lines": 2}
    ours = document["report"]["rows"][0]["ours"]
    assert ours["label"] == "no speed: emulated" and ours["speed_up_percent"] is None
    html = next((tmp_path / "out").glob("*.html")).read_text()
    assert "must not be compared with any other" in html
