#!/usr/bin/env bash
# Every check of the project, in the order of what they cost. The first that fails ends it; `make setup` was run before.
#
# Tests that need what a set-up checkout always has (the runners, the emulated phone, .venv-paddle where it exists) fail rather than skip;
# EDGEOCR_REQUIRE_DATA=1 says the same of the public models and pictures in EDGEOCR_TEST_DATA.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$PWD/.venv/bin
paddle=$PWD/.venv-paddle/bin/python
export EDGEOCR_REQUIRE_RUNNER=1 EDGEOCR_REQUIRE_EMULATED=1

step() {
  echo "== $1 ($SECONDS s)"
  shift
  "$@"
}

step "lint, types, imports" tools/lint.sh
for target in host aarch64; do
  step "C++ tests, $target" "$venv"/ctest --test-dir "build/$target" --output-on-failure --no-tests=error
done
if [ -x "$paddle" ]; then
  export EDGEOCR_REQUIRE_PADDLE=1
  step "Python tests, Paddle environment" env PYTHONWARNINGS=ignore GLOG_minloglevel=2 "$paddle" -m pytest -W ignore tests/paddle
elif [ "${EDGEOCR_REQUIRE_PADDLE:-}" = 1 ]; then
  echo "error: EDGEOCR_REQUIRE_PADDLE is 1, but there is no .venv-paddle" >&2
  exit 1
else
  echo "== Python tests, Paddle environment: left out, there is no .venv-paddle"
fi
step "Python tests" "$venv"/python -m pytest
