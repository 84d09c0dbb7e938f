#!/bin/sh
set -e
cd "$(dirname "$0")"
sh ../zig.sh cc -target wasm32-wasi -std=gnu17 -Os -s -Wall -Wextra -Wl,-z,stack-size=1048576 hello.c -o hello.wasm
chmod 644 hello.wasm
