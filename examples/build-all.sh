#!/bin/sh
# Builds every example again. Needs python3 (Zig, C, C++), rustup, go and npm; see README.md.
set -e
cd "$(dirname "$0")"
for script in */build.sh; do
  echo "building ${script%/build.sh}"
  sh "$script"
done
ls -l ./*/*.wasm
