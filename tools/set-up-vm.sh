#!/bin/sh
# What VM Keeps need on Debian and Ubuntu: QEMU 10 or newer, the OVMF firmware and a built Keep image. Installs what is
# missing where it may (root, or sudo without a password); prints the commands where it may not. Quick and quiet
# where everything is there. No host name is written here: Debian's backports come from where the machine's packages come from.
# Usage: tools/set-up-vm.sh [--no-image]
set -u

MIN_QEMU=10
BACKPORTS_FILE=/etc/apt/sources.list.d/donjon-backports.sources

has_qemu() {
  major=$(qemu-system-x86_64 --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p')
  [ "${major:-0}" -ge "$MIN_QEMU" ]
}
has_firmware() { [ -f /usr/share/ovmf/OVMF.fd ] || [ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || [ -f /usr/share/OVMF/OVMF_CODE.fd ]; }

# The machine's own sources of the suite $1, with the suite renamed to $1-backports, as one deb822 text.
backports_sources() {
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && [ "$file" != "$BACKPORTS_FILE" ] && awk -v suite="$1" '
      function flush() { if (wanted) printf "%s\n", text; text = ""; wanted = 0; disabled = 0 }
      /^[ \t]*$/ { flush(); next }
      /^#/ { next }
      /^Suites:/ {
        for (i = 2; i <= NF; i++) if ($i == suite) wanted = 1
        $0 = "Suites: " suite "-backports"
      }
      /^Types:/ { $0 = "Types: deb" }
      /^Enabled:[ \t]*no/ { wanted = 0 }
      { text = text $0 "\n" }
      END { flush() }' "$file"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && awk -v suite="$1" '
      $1 == "deb" {
        options = ""
        at = 2
        if ($2 ~ /^\[/) { while ($at !~ /\]$/) at++; at++ }
        if ($(at + 1) != suite) next
        print "Types: deb"
        print "URIs: " $at
        print "Suites: " suite "-backports"
        printf "Components:"
        for (i = at + 2; i <= NF && $i !~ /^#/; i++) printf " %s", $i
        print ""
        if (match($0, /signed-by=[^] ]*/)) print "Signed-By: " substr($0, RSTART + 10, RLENGTH - 10)
        print ""
      }' "$file"
  done
}

if has_qemu && has_firmware; then :; else
  . /etc/os-release
  if [ "$VERSION_CODENAME" = bookworm ]; then
    backports_sources bookworm > "$BACKPORTS_FILE"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -t bookworm-backports qemu-system-x86 ovmf
  fi
fi
