#!/usr/bin/env bash
# Makes the checkout ready to use; see setup.py, which does it. Arguments are passed on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! python=$("$here/find_python.sh" 3.10+); then
  echo "error: no CPython 3.10 or newer was found" >&2
  echo "hint: apt-get install python3 python3-venv, or name one: PYTHON=/path/to/python3 make setup" >&2
  exit 1
fi
exec "$python" -I "$here/setup.py" "$@"
