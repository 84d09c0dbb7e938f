#!/bin/sh
set -e
cd "$(dirname "$0")"
sh ../zig.sh cc -target wasm32-wasi -std=c17 -O2 -D_GNU_SOURCE -s -Wall -Wextra -Wl,-z,stack-size=1048576 http-server.c -o http-server.wasm
chmod 644 http-server.wasm
