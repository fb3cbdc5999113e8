#!/usr/bin/env bash
# Prints the path of a CPython on this machine, found by running it: a pyenv shim of the right name may exist and still fail.
#
#   tools/find_python.sh 3.10+    any from 3.10 on ($PYTHON is asked first)
#   tools/find_python.sh 3.10     exactly 3.10 ($PYTHON310 is asked first)
#
# The path is that of the interpreter itself, never of a shim or of a virtual environment. Interpreters that can make virtual
# environments (ensurepip, ssl) come first; where none can, the first other one is printed. Exit code 1: there is none.
set -euo pipefail

case ${1:-} in
  *.*+) wanted=${1%+} exact=0 first=${PYTHON:-} ;;
  *.*) wanted=$1 exact=1 first=${PYTHON310:-} ;;
  *)
    echo "usage: $0 VERSION[+]" >&2
    exit 2
    ;;
esac

candidates() {
  [ -n "$first" ] && echo "$first"
  if [ "$exact" = 1 ]; then
    echo "python$wanted"
  else
    printf '%s\n' python3 python3.{11,12,13,14,10}
  fi
  ls -d "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/*/bin/python 2>/dev/null || true
  command -v uv >/dev/null && uv python find "$wanted" 2>/dev/null || true
}

readonly PROBE='
import os, sys
wanted = tuple(int(part) for part in sys.argv[1].split("."))
version = sys.version_info[:2]
if sys.implementation.name != "cpython" or (version != wanted if sys.argv[2] == "1" else version < wanted):
    sys.exit(1)
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable) or "/proc/self/exe"))  # empty without a PATH
try:
    import ensurepip, ssl
except ImportError:
    sys.exit(2)
'

fallback=
while read -r candidate; do
  status=0
  found=$("$candidate" -I -c "$PROBE" "$wanted" "$exact" 2>/dev/null </dev/null) || status=$?
  case $status in
    0)
      echo "$found"
      exit 0
      ;;
    2) fallback=${fallback:-$found} ;;
  esac
done < <(candidates)
[ -n "$fallback" ] && echo "$fallback"
