#!/usr/bin/env bash
# Builds the runtime: edgeocr_run, runtime_tests, the host's libraries and fuzzer.
#
#   tools/build_runner.sh [host|aarch64|all] [--target NAME]…
#
# Leaves build/host/edgeocr_run and build/aarch64/edgeocr_run. A second run builds what changed. EDGEOCR_PYTHON (default .venv's) has
# ziglang, cmake and ninja; EDGEOCR_JOBS (default: processors) compile at once.
set -euo pipefail

fail() {
  echo "error: build_runner: $*" >&2
  exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${EDGEOCR_PYTHON:-$root/.venv/bin/python}
jobs=${EDGEOCR_JOBS:-$(nproc)}
case ${1:-all} in
  host | aarch64) targets=("$1") ;;
  all) targets=(host aarch64) ;;
  *)
    echo "usage: $0 [host|aarch64|all] [--target NAME]…" >&2
    exit 2
    ;;
esac
[ $# -gt 0 ] && shift
[ -x "$python" ] || fail "$python is missing: run \`make setup\`"
zig=$("$python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))' 2>/dev/null) || fail "$python has no ziglang: run \`make setup\`"
compiler="$zig $("$python" -m ziglang version)"
ninja=$("$python" -c 'import os, ninja; print(os.path.join(ninja.BIN_DIR, "ninja"))' 2>/dev/null) || fail "$python has no ninja: run \`make setup\`"

declare -A toolchains=([host]=zig-host [aarch64]=zig-aarch64-musl)
for target in "${targets[@]}"; do
  build=$root/build/$target
  mkdir -p "$build"
  exec 9>"$build/lock"  # two runs at once would ruin ninja's log, or replace the library that the other compiles against
  flock 9
  "$root/tools/build_libjpeg.sh" "$target" "$root/build/third_party/jpeg-$target" "$python" 9>&-
  if [ "$(cat "$build/compiler" 2>/dev/null)" != "$compiler" ]; then  # none yet, another one, or another place
    find "$build" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
    "$python" -m cmake -S "$root" -B "$build" -G Ninja -DCMAKE_MAKE_PROGRAM="$ninja" -DEDGEOCR_PYTHON="$python" \
      -DCMAKE_TOOLCHAIN_FILE="$root/cmake/${toolchains[$target]}.cmake"
    echo "$compiler" >"$build/compiler"
  fi
  "$python" -m cmake --build "$build" -j "$jobs" "$@" 9>&-
  exec 9>&-
done
