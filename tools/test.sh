#!/usr/bin/env bash
# Every check of the project; `make setup` was run before, and what it does not build is built first. The long tests run on two
# processors: the Python tests beside the C++ tests under qemu and those of the Paddle environment, shown one after the other, pytest's
# summary last. Whatever fails first ends it.
#
# Tests that need what a set-up checkout always has (the runners, the emulated phone, .venv-paddle where it exists) fail rather than skip;
# EDGEOCR_REQUIRE_DATA=1 says the same of the public models and pictures in EDGEOCR_TEST_DATA.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$PWD/.venv/bin
paddle=$PWD/.venv-paddle/bin/python
export EDGEOCR_REQUIRE_RUNNER=1 EDGEOCR_REQUIRE_EMULATED=1
if [ -x "$paddle" ]; then
  export EDGEOCR_REQUIRE_PADDLE=1
elif [ "${EDGEOCR_REQUIRE_PADDLE:-}" = 1 ]; then
  echo "error: EDGEOCR_REQUIRE_PADDLE is 1, but there is no .venv-paddle" >&2
  exit 1
fi

step() {
  echo "== $1 ($SECONDS s)"
  shift
  "$@"
}

cpp_tests() {
  "$venv"/ctest --test-dir "build/$1" --output-on-failure --no-tests=error
}

step "C++ build, all targets" env EDGEOCR_PYTHON="$venv/python" tools/build_runner.sh all
step "lint, types, imports" tools/lint.sh
step "C++ tests, host" cpp_tests host

# A job in the background ignores SIGINT unless told otherwise; by it pytest stops the phones that it started.
log=build/pytest.log
env --default-signal=INT "$venv"/python -m pytest --color="$([ -t 1 ] && echo yes || echo no)" >"$log" 2>&1 &
pytest=$!
trap 'kill -INT $pytest 2>/dev/null && wait $pytest || true' EXIT

step "C++ tests, aarch64 under qemu" cpp_tests aarch64
if [ -x "$paddle" ]; then
  step "Python tests, Paddle environment" env PYTHONWARNINGS=ignore GLOG_minloglevel=2 "$paddle" -m pytest -W ignore tests/paddle
else
  echo "== Python tests, Paddle environment: left out, there is no .venv-paddle"
fi
step "Python tests" tail --pid=$pytest --lines=+1 --follow "$log"
wait $pytest
