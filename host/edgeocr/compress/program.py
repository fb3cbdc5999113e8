"""How a module of the Paddle environment runs as a program: errors and exit codes as its parent (`convert.paddle_env`) reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from edgeocr.errors import EdgeocrError

INTERRUPTED = 130


def run_as_program(main: Callable[[Sequence[str]], None], arguments: Sequence[str]) -> None:
    """Exit codes: 0, 1 failure and 2 usage with a line "error: …" on stderr, 130 interrupted."""
    try:
        main(arguments)
    except EdgeocrError as e:
        print(f"error: {e.message}", file=sys.stderr)
        if e.hint:
            print(f"hint: {e.hint}", file=sys.stderr)
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
