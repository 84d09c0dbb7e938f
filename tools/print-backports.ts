/**
 * Prints a source of packages for this machine's Debian release's backports, in the form of sources.list(5), made from the
 * machine's own sources. Prints nothing where there is none to make it from. Used by set-up-vm.sh.
 * Usage: tools/print-backports.ts CODENAME
 */
import { createSources } from "@donjon/host/image/apt-sources";

const codename = process.argv[2] ?? "";
process.stdout.write(createSources("/etc/apt", codename, codename, ["-backports"]));
