#!/bin/sh
set -e
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
npx --no-install asc mandelbrot.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json \
  -Ospeed --noAssert -o mandelbrot.wasm
