#!/bin/sh
set -e
cd "$(dirname "$0")"
sh ../zig.sh c++ -target wasm32-wasi -std=c++20 -Oz -fno-exceptions -fno-rtti -s -Wall -Wextra -Wl,-z,stack-size=1048576 word-index.cc -o word-index.wasm
chmod 644 word-index.wasm
