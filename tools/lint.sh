#!/usr/bin/env bash
# Style of Python and C++, types, and the directions of imports.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv/bin
"$venv"/ruff check --quiet host tests tools benchmarks
"$venv"/ruff format --quiet --check host tests tools benchmarks
"$venv"/mypy host tests tools benchmarks/a76 benchmarks/peers
"$venv"/lint-imports --no-cache
find cpp_runtime benchmarks tests -name '*.cpp' -o -name '*.h' -o -name '*.c' | xargs "$venv"/clang-format --dry-run --Werror
