#!/bin/sh
# Runs the pinned Zig, which also compiles C and C++ for WASI; installs it from PyPI on first use.
set -e
version=0.17.1
home="$(cd "$(dirname "$0")" && pwd)/.cache/zig-$version"
if [ ! -x "$home/bin/python" ]; then
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "ziglang==$version" >&2
fi
exec "$home/bin/python" -m ziglang "$@"
