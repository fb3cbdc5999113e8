"""How a module runs as a program in the Paddle environment: the exit codes and lines that its parent (convert/paddle_env.py) reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from edgeocr.errors import EdgeocrError

ERROR_PREFIX = "error: "
HINT_PREFIX = "hint: "
INTERRUPTED = 130  # exit code of a program that stopped because it was asked to


def run_as_program(main: Callable[[Sequence[str]], None], arguments: Sequence[str]) -> None:
    """Exit codes: 0, 1 failure and 2 usage with a line "error: …" on stderr, 130 interrupted."""
    try:
        main(arguments)
    except EdgeocrError as e:
        print(ERROR_PREFIX + e.message, file=sys.stderr)
        if e.hint:
            print(HINT_PREFIX + e.hint, file=sys.stderr)
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
