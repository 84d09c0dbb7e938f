#!/bin/sh
set -e
cd "$(dirname "$0")"
sh ../zig.sh build-exe -target wasm32-wasi -O ReleaseSmall -fstrip -mcpu=generic --stack 262144 --name signing-service signing-service.zig
rm -f signing-service.wasm.o
chmod 644 signing-service.wasm
