#!/bin/sh
set -e
cd "$(dirname "$0")"
sh ../zig.sh build-exe -target wasm32-wasi -O ReleaseFast -fstrip -mcpu=generic --name sha256 sha256.zig
rm -f sha256.wasm.o
chmod 644 sha256.wasm
