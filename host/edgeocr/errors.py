"""The exception tree of the package: every failure a user can meet is one of these.

The command line prints ``error: <message>`` and, if there is one, ``hint: <hint>`` to stderr and exits with ``exit_code``.
"""

from __future__ import annotations


class EdgeocrError(Exception):
    """A failure: what, where (message) and what to do (hint). Exit code 1."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(EdgeocrError):
    """The command was called wrongly. Exit code 2."""

    exit_code = 2


class ModelError(EdgeocrError):
    """A model set, a `.nb` file or a dictionary cannot be used."""


class DataError(EdgeocrError):
    """A label file, a picture or a dataset to train or evaluate on cannot be used."""


class DeviceError(EdgeocrError):
    """A phone (or the emulated one) is missing, lost, full or refuses."""


class SetupError(EdgeocrError):
    """Something that the machine must have is missing (qemu, the Paddle environment, the runner)."""
