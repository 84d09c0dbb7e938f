/**
 * Loaded into each process of the tests: one that waits for ever is ended, and what it waits for is said. `--test-timeout` bounds
 * tests, neither their hooks nor what they leave open.
 */
import { readdirSync, readlinkSync } from "node:fs";

/** Well above what the slowest file takes on two busy cores. */
const FILE_DEADLINE_MS = 600_000;

interface Handle {
  readonly is_active: boolean;
  readonly is_referenced: boolean;
}

function listDescriptors(): string[] {
  return readdirSync("/proc/self/fd").map((fd) => {
    try {
      return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
    } catch {
      // The one that reads the directory.
      return `${fd} closed`;
    }
  });
}

function tellAndEnd(): void {
  const report = process.report.getReport() as unknown as { libuv: readonly Handle[] };
  const held = report.libuv.filter((handle) => handle.is_active && handle.is_referenced);
  const lines = [
    `${process.argv[1] ?? "a test's process"} did not end within ${FILE_DEADLINE_MS / 1000} s. It waits for:`,
    ...process.getActiveResourcesInfo(),
    ...held.map((handle) => JSON.stringify(handle)),
    ...listDescriptors(),
  ];
  process.stderr.write(`${lines.join("\n  ")}\n`);
  process.exit(1);
}

// The runner itself is loaded with it too.
if (process.env["NODE_TEST_CONTEXT"] !== undefined)
  setTimeout(tellAndEnd, FILE_DEADLINE_MS).unref();
