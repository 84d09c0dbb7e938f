#!/bin/sh
# Needs Go 1.24 or newer. Most of the size is Go's runtime and its checked crypto module.
set -e
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags "-s -w -buildid=" -o signer.wasm signer.go
chmod 644 signer.wasm
