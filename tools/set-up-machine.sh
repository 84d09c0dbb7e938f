#!/bin/sh
# Debian packages that tests want beyond npm's: bubblewrap (the sandbox of a process Keep), chromium (the
# verifier in a browser), and what the pages use. Installs them where it may; else says what to run. Tests that miss them are skipped, loudly.
cd "$(dirname "$0")/.." || exit 125
missing=
[ -x /usr/bin/bwrap ] || missing="$missing bubblewrap"
[ -x /usr/bin/chromium ] || missing="$missing chromium"
for program in curl openssl; do command -v "$program" >/dev/null || missing="$missing $program"; done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
# shellcheck disable=SC2086 # packages are words
if command -v apt-get >/dev/null && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
  echo "installing$missing" >&2
  log=$(mktemp)
  if $sudo apt-get update >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
echo "not installed:$missing; to run every test: sudo apt-get install$missing" >&2
