"""A runner that is a shell script, for this machine and the emulated phone alike: it speaks protocol 1 and does as its pictures say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HELLO = {"type": "hello", "protocol": 1, "version": "0.1.0", "arch": "aarch64", "isa": ["asimd"], "threads": 1}
LINE = {
    "box": [[1, 2], [3, 2], [3, 4], [1, 4]],
    "text": '文字 \\ " text',
    "score": 0.99,
    "box_score": 0.8,
    "cls_score": 0.9,
    "turned": False,
    "kept": True,
    "rec_width": 320,
}
PICTURE = {
    "type": "picture",
    "picture": "PICTURE",
    "repeat": 0,
    "size": [640, 480],
    "det_input": [1, 3, 480, 640],
    "det_sum": 12.5,
    "lines": [LINE],
    "ms": {"decode": 1, "det": 2.5, "total": 9},
}
BENCH = {
    "type": "bench",
    "model": "MODEL",
    "sha256": "00",
    "input": [1, 3, 32, 320],
    "output": [1, 80, 6625],
    "threads": 1,
    "ms": [1.5, 1],
    "load_ms": 3,
    "macs": 10,
    "arena_bytes": 20,
    "weight_bytes": 30,
    "peak_rss_bytes": 40,
    "output_sum": 5.5,
}
NODE = {
    "type": "node",
    "index": 0,
    "op": "conv2d",
    "kernel": "generic.conv2d.int8",
    "output": "1x8x16x160",
    "ms": 0.5,
    "macs": 7,
    "bytes": 9,
    "band_rows": 0,
}
INFO = {
    "type": "info",
    "meta_version": 2,
    "opt_version": "v2.10",
    "operators": {"conv2d": 3},
    "params": 100,
    "weight_bytes": 400,
    "feed": [1, 3, 32, 320],
    "precision": "int8",
}


def quoted(record: dict[str, Any]) -> str:
    """The record as a word of a shell; its texts have no single quote."""
    return f"'{json.dumps(record, ensure_ascii=False)}'"


def write_script(path: Path, body: str) -> Path:
    """A runner that does what ``body`` says: shell text in which `say` prints its arguments, one a line, as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nsay() {{ printf '%s\\n' \"$@\"; }}\n{body}\n")
    path.chmod(0o755)
    return path


def reading_script(path: Path) -> Path:
    """Reads pictures: what is in the file decides ("broken": an error record). `--repeats N` repeats, `--dump-map DIR` writes maps."""
    before, after = quoted(PICTURE).split("PICTURE")
    middle, end = after.split('"repeat": 0', 1)
    return write_script(
        path,
        f"""\
say {quoted(HELLO)}
[ "$1" = ocr ] || {{ echo "error: command is $1, expected ocr" >&2; exit 2; }}
shift
repeats=1 code=0 maps=
while [ $# -gt 0 ]; do
  case $1 in
  --repeats) repeats=$2; shift 2 ;;
  --dump-map) maps=$2; shift 2 ;;
  --det | --rec | --dict | --cls) [ -f "$2" ] || {{ echo "error: $2: No such file" >&2; exit 1; }}; shift 2 ;;
  --*) shift 2 ;;
  *) break ;;
  esac
done
for picture; do
  if grep -q broken "$picture"; then
    say '{{"type":"error","picture":"'"$picture"'","message":"'"$picture"': is no picture"}}'
    code=1
    continue
  fi
  repeat=0
  while [ $repeat -lt $repeats ]; do
    say {before}'"$picture"'{middle}"repeat": '$repeat'{end}
    repeat=$((repeat+1))
  done
  if [ -n "$maps" ]; then
    name=${{picture##*/}}
    cp "$picture" "$maps/${{name%.*}}.map.f32"
  fi
done
exit $code""",
    )
