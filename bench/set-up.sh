#!/bin/sh
# Gets the peers and builds the guests of the benches, into bench/.cache. Needs python3 with pip and cargo;
# wasmtime takes some ten minutes to compile, once.
set -e
cd "$(dirname "$0")"
cache=$PWD/.cache
mkdir -p "$cache/wasm" "$cache/native"
if [ ! -x "$cache/bin/wasmtime" ]; then
  cargo install wasmtime-cli --version 48.0.8 --locked --root "$cache" --no-default-features \
    --features run,compile,cranelift,threads,parallel-compilation,cache
fi
zig() { sh ../examples/zig.sh "$@"; }
for source in kernels/*.c guests/*.c; do
  name=$(basename "$source" .c)
  if [ ! -f "$cache/wasm/$name.wasm" ] || [ "$source" -nt "$cache/wasm/$name.wasm" ]; then
    zig cc -target wasm32-wasi -O2 -Wno-unused-result -s -o "$cache/wasm/$name.wasm" "$source"
  fi
done
for source in kernels/*.c; do
  name=$(basename "$source" .c)
  if [ ! -f "$cache/native/$name" ] || [ "$source" -nt "$cache/native/$name" ]; then
    zig cc -O2 -ffp-contract=off -s -o "$cache/native/$name" "$source" -lm
  fi
done
