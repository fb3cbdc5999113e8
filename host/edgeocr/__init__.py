"""edgeocr: the host prepares, the device runs, timings come back."""

__version__ = "0.1.0"
