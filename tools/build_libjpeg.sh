#!/usr/bin/env bash
# Builds libjpeg-turbo, static, from Debian's source package, with zig as the compiler. No root, nothing installed.
#
#   tools/build_libjpeg.sh TARGET OUTDIR PYTHON
#
# TARGET is host (this machine's glibc) or aarch64 (the phone: aarch64-linux-musl, Cortex-A76); PYTHON has ziglang, cmake and ninja.
# Leaves OUTDIR/lib/libjpeg.a and OUTDIR/include/*.h; OUTDIR is replaced as a whole. A second run with the same recipe does nothing.
# The source is kept beside OUTDIR (libjpeg-turbo-source/), so that the second target does not fetch it again.
#
# Why this decoder: OpenCV's imread is libjpeg-turbo, and the int8 nets amplify a difference of one grey level. Decoded bytes are
# the same with and without SIMD, so nasm is used where it is found and not required.
set -euo pipefail

readonly VERSION=2.1.5
readonly SHA256=254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c  # of libjpeg-turbo_2.1.5.orig.tar.gz
readonly ARCHIVE=libjpeg-turbo_$VERSION.orig.tar.gz

fail() {
  echo "error: build_libjpeg: $*" >&2
  exit 1
}

# quietly MESSAGE COMMAND…: runs it without its output; if it fails, shows the end of that, the message, and stops.
quietly() {
  local message=$1 log=$work/log
  shift
  if ! "$@" >"$log" 2>&1 8>&-; then
    tail -n 20 "$log" >&2
    fail "$message"
  fi
}

if [ $# -ne 3 ]; then
  echo "usage: $0 host|aarch64 OUTDIR PYTHON" >&2
  exit 2
fi
target=$1 out=$2 python=$3
case $target in
  host) zig_flags="-target $(uname -m)-linux-gnu -mcpu=baseline" processor=$(uname -m) ;;
  aarch64) zig_flags="-target aarch64-linux-musl -mcpu=cortex_a76" processor=aarch64 ;;
  *)
    echo "error: build_libjpeg: target is '$target', expected host or aarch64" >&2
    exit 2
    ;;
esac
python=$(command -v "$python") || fail "no such program: $3"
[[ $python = /* ]] || python=$PWD/$python  # not resolved further: a venv is found by its own path
zig_version=$("$python" -m ziglang version 2>/dev/null) || fail "$python has no ziglang: pip install ziglang==0.15.2"

mkdir -p "$(dirname "$out")"
parent=$(cd "$(dirname "$out")" && pwd)
out=$parent/$(basename "$out")
# Held to the end: who waits for another run finds what that one built, and leaves it alone.
exec 8>"$out.lock"
flock 8

# The recipe: this file, the compiler and whether an assembler is there. OUTDIR/recipe holds that of what was built.
recipe="$(sha256sum <"$0" | cut -c1-64) $zig_flags zig-$zig_version nasm-$(command -v nasm >/dev/null && echo yes || echo no)"
if [ -f "$out/lib/libjpeg.a" ] && [ "$(cat "$out/recipe" 2>/dev/null)" = "$recipe" ]; then
  exit 0
fi

for module in cmake ninja; do
  "$python" -m "$module" --version >/dev/null 2>&1 || fail "$python has no $module: pip install $module"
done
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Downloads the archive by apt, which checks Debian's signature, from the mirror that this machine's apt uses.
download() {
  local instead="put $ARCHIVE (sha256 $SHA256) into $source_dir and run again"
  command -v apt-get >/dev/null || fail "no apt-get here: $instead"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror apt
  [ -f "$keyring" ] || fail "$keyring is missing: apt-get install debian-archive-keyring"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 'debian/$' || echo http://deb.debian.org/debian/)
  mkdir -p "$work/apt/lists/partial"
  echo "deb-src [signed-by=$keyring] $mirror bookworm main" >"$work/apt/sources.list"
  apt=(apt-get -qq -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/apt/lists"
    -o Dir::Cache="$work/apt" -o APT::Sandbox::User="$(id -un)")
  cd "$work/apt"
  quietly "cannot read $mirror: check the network, or $instead" "${apt[@]}" -o APT::Update::Error-Mode=any update
  quietly "cannot get libjpeg-turbo's source from $mirror: check the network, or $instead" \
    "${apt[@]}" source --download-only --tar-only libjpeg-turbo
  [ -f "$ARCHIVE" ] || fail "Debian's source is $(echo ./*.orig.tar.gz), expected $ARCHIVE"
  mv "$ARCHIVE" "$source_dir/$ARCHIVE"
}

# One download even where both targets are built at once.
source_dir=$parent/libjpeg-turbo-source
mkdir -p "$source_dir"
is_archive() { [ "$(sha256sum "$source_dir/$ARCHIVE" 2>/dev/null | cut -c1-64)" = "$SHA256" ]; }
exec 9>"$source_dir/lock"
flock 9
is_archive || (download) || exit 1
is_archive || fail "$source_dir/$ARCHIVE: sha256 is $(sha256sum <"$source_dir/$ARCHIVE" | cut -c1-64), expected $SHA256:" \
  "delete it and run again"
exec 9>&-

cd "$work"
tar xf "$source_dir/$ARCHIVE"
wrapper() { # NAME ZIG_COMMAND…: an executable for CMake, which takes no compiler of several words
  printf '#!/bin/sh\nexec "%s" -m ziglang %s "$@"\n' "$python" "$2" >"$1"
  chmod +x "$1"
}
wrapper zig-cc "cc $zig_flags -fno-sanitize=undefined"
wrapper zig-ar ar
wrapper zig-ranlib ranlib
cat >toolchain.cmake <<CMAKE
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $processor)
set(CMAKE_C_COMPILER $work/zig-cc)
set(CMAKE_ASM_COMPILER $work/zig-cc)
set(CMAKE_AR $work/zig-ar)
set(CMAKE_RANLIB $work/zig-ranlib)
CMAKE
ninja=$("$python" -c 'import os, ninja; print(os.path.join(ninja.BIN_DIR, "ninja"))')
# libjpeg-turbo 2.1 asks for CMake 2.8, which CMake 4 refuses without the policy version.
quietly "cannot configure libjpeg-turbo" "$python" -m cmake -S "libjpeg-turbo-$VERSION" -B build -G Ninja \
  -DCMAKE_MAKE_PROGRAM="$ninja" -DCMAKE_POLICY_VERSION_MINIMUM=3.5 \
  -DCMAKE_TOOLCHAIN_FILE="$work/toolchain.cmake" -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DENABLE_SHARED=OFF \
  -DWITH_TURBOJPEG=OFF -DWITH_ARITH_ENC=OFF
quietly "cannot build libjpeg-turbo" "$python" -m cmake --build build --target jpeg-static -j 2

mkdir -p done/lib done/include
cp build/libjpeg.a done/lib/
cp build/jconfig.h libjpeg-turbo-$VERSION/{jpeglib,jmorecfg,jerror}.h done/include/
echo "$recipe" >done/recipe
rm -rf "$out"
mv done "$out"
