"""`python -m edgeocr.cli`: the command line where the `edgeocr` script is not on the PATH."""

from edgeocr.cli import main

main()
