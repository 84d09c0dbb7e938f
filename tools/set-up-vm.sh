#!/bin/sh
# What VM Keeps need on Debian and Ubuntu: QEMU 10 or newer, OVMF firmware, and the built Keep image. Installs what is
# missing where it may (root, or sudo without a password), else prints the commands. Quick and quiet where all is there.
# Never fails: tests of VM Keeps are skipped, loudly, where something is missing.
# Debian 12 has QEMU in its backports; they come from where the machine's other packages come from.
cd "$(dirname "$0")/.." || exit 125

MIN_QEMU=10
SOURCES=/etc/apt/sources.list.d/donjon-backports.sources

qemu_version() { qemu-system-x86_64 --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p'; }

missing=
version=$(qemu_version)
[ "${version:-0}" -ge "$MIN_QEMU" ] || missing="$missing qemu-system-x86"
[ -f /usr/share/ovmf/OVMF.fd ] || [ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing="$missing ovmf"
command -v dpkg-deb >/dev/null || missing="$missing dpkg"

# Empty where the release itself has what is needed, or where its backports are among the sources already.
codename=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}")
backports=
target=
if [ "$codename" = bookworm ]; then
  target="-t bookworm-backports"
  apt-cache policy 2>/dev/null | grep -q "n=bookworm-backports" ||
    backports=$(sh tools/node.sh tools/print-backports.ts bookworm)
fi

# Leaves the machine's sources as they were when anything fails.
install_missing() {
  log=$(mktemp)
  if [ -n "$backports" ]; then printf '%s\n' "$backports" | $sudo tee "$SOURCES" >/dev/null; fi
  # shellcheck disable=SC2086 # packages and options are words
  if $sudo apt-get update >"$log" 2>&1 &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $target $missing >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
  [ -z "$backports" ] || { $sudo rm -f "$SOURCES"; $sudo apt-get update >/dev/null 2>&1; }
  return 1
}

if [ -n "$missing" ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  # shellcheck disable=SC2086
  if command -v apt-get >/dev/null && { [ -z "$sudo" ] || $sudo true 2>/dev/null; } &&
    echo "installing$missing" >&2 && install_missing; then
    version=$(qemu_version)
    [ "${version:-0}" -ge "$MIN_QEMU" ] ||
      echo "QEMU ${version:-none} is what this release has; VM Keeps want $MIN_QEMU or newer" >&2
  else
    echo "not installed:$missing; for VM Keeps, run:" >&2
    [ -z "$backports" ] ||
      echo "  sh tools/node.sh tools/print-backports.ts $codename | sudo tee $SOURCES" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${target:+$target }${missing# }" >&2
  fi
fi

log=$(mktemp)
if ! node_modules/.bin/donjon image build >/dev/null 2>"$log"; then
  cat "$log" >&2
  echo "no Keep image: tests of VM Keeps are skipped; to build one: npx donjon image build" >&2
fi
rm -f "$log"
