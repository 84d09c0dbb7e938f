#!/bin/sh
# Rebuilds the guests of these tests with wat2wasm (Debian package wabt).
cd "$(dirname "$0")" || exit 1
for source in *.wat; do
  wat2wasm "$source" -o "${source%.wat}.wasm" || exit 1
done
