#!/bin/sh
# Needs the target once: rustup target add wasm32-wasip1-threads
set -e
cd "$(dirname "$0")"
rustc --edition 2021 --target wasm32-wasip1-threads -C opt-level=s -C lto=fat -C codegen-units=1 \
  -C panic=abort -C strip=symbols threads.rs -o threads.wasm
chmod 644 threads.wasm
