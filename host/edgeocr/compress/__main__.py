"""``python -m edgeocr.compress RECIPE.json OUT_DIR``, in the Paddle environment: follow a recipe (see recipes.py).

Records go to stdout as JSON lines. After an interruption the same command continues.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeocr.child import run_as_program
from edgeocr.compress.recipes import run
from edgeocr.errors import UsageError


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("expected two arguments: RECIPE.json OUT_DIR")
    recipe, out_dir = map(Path, arguments)
    run(recipe, out_dir, lambda record: print(json.dumps(record), flush=True))


if __name__ == "__main__":
    run_as_program(main, sys.argv[1:])
