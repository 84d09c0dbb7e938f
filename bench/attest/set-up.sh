#!/bin/sh
# Gets the peers of the verifier bench from their registries and builds them into bench/.cache/attest.
# Needs npm, go and cargo, and OpenSSL's headers for the crate `sev`; some six minutes, once.
set -e
cd "$(dirname "$0")"
cache=$PWD/../.cache/attest
mkdir -p "$cache/js" "$cache/bin"
cp peers/js/package.json peers/js/package-lock.json peers/js/peer.mjs "$cache/js/"
[ -d "$cache/js/node_modules/@phala" ] || (cd "$cache/js" && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error)
(cd peers/go && go build -o "$cache/bin/go-peer" .)
(cd peers/rust && CARGO_TARGET_DIR="$cache/target" cargo build --release --locked --quiet)
cp "$cache/target/release/donjon-bench-attest-peers" "$cache/bin/rust-peer"
