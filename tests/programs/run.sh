#!/bin/sh
# Installs the programs (280 MB, once) and runs them. Words after the command choose test files by name.
set -e
cd "$(dirname "$0")"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >&2
fi
tests=
for test in *"${1:-}"*.test.ts; do tests="$tests tests/programs/$test"; done
# shellcheck disable=SC2086 # one word a file
exec sh ../../tools/node.sh --test --test-concurrency=1 --test-timeout=900000 \
  --test-reporter=./tools/test-reporter.ts $tests
