#!/bin/sh
# Rebuilds the guests of the engine room's tests with wat2wasm (Debian package wabt).
cd "$(dirname "$0")" || exit 1
for source in *.wat; do
  wat2wasm --enable-threads --debug-names "$source" -o "${source%.wat}.wasm" || exit 1
done
