#!/bin/sh
# Rebuilds the hostile guests. They have no C library: every call is the guest's own.
set -e
cd "$(dirname "$0")"
compile() {
  source=$1
  shift
  sh ../../../examples/zig.sh cc -target wasm32-freestanding -std=c17 -Oz -Wall -Wextra -nostdlib -ffreestanding -fno-builtin \
    -Wno-unused-function -Wl,--no-entry -Wl,--export=_start "$@" "$source.c" -o "$source.wasm"
  chmod 644 "$source.wasm"
}
for source in ${*:-paths names descriptors edges polls growth endings waits threads}; do
  case $source in
    threads) compile "$source" -s -mcpu=generic+atomics+bulk_memory -Wl,--import-memory,--shared-memory,--max-memory=4194304 ;;
    *) compile "$source" -s -Wl,--export-memory ;;
  esac
done
