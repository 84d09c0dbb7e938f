/** Test output for people: each file's failures in full, each skip with its reason, and one closing count. */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** Of what a file with failures wrote to stderr, the end. */
const STDERR_CHARACTERS = 8192;

/** A reporter of `node:test`: takes its events, gives text. */
export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, Tally>();
  /** Reason to the names of the tests, by file. */
  const skips = new Map<string, string[]>();
  const stderr = new Map<string, string>();
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of source) {
    if (event.type === "test:stderr") {
      const file = relative(process.cwd(), event.data.file);
      const text = (stderr.get(file) ?? "") + event.data.message;
      stderr.set(file, text.slice(-STDERR_CHARACTERS));
    }
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const data = event.data;
    // Suites and files only repeat what their tests said.
    if (data.details.type === "suite" || data.file === undefined) continue;
    const file = relative(process.cwd(), data.file);
    if (data.name === data.file || data.name === file) {
      if (event.type === "test:pass") continue;
    }
    const tally = files.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
    files.set(file, tally);
    if (data.skip !== undefined && data.skip !== false) {
      tally.skipped++;
      total.skipped++;
      const reason = data.skip === true ? "no reason given" : String(data.skip);
      const key = `${file}: ${reason}`;
      skips.set(key, [...(skips.get(key) ?? []), data.name]);
    } else if (event.type === "test:pass") {
      tally.passed++;
      total.passed++;
    } else {
      tally.failed++;
      total.failed++;
      yield `\nFAILED  ${file}: ${data.name}\n${describe(event.data.details.error)}\n`;
    }
  }
  for (const [file, tally] of [...files].sort()) {
    yield `${String(tally.passed).padStart(5)} passed${tally.failed > 0 ? `, ${tally.failed} FAILED` : ""}${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ""}  ${file}\n`;
  }
  for (const [file, text] of stderr) {
    if ((files.get(file)?.failed ?? 0) > 0) yield `\nWRITTEN TO STDERR by ${file}\n${text}`;
  }
  if (total.skipped > 0) yield `\nSKIPPED ${total.skipped} TESTS\n`;
  for (const [key, names] of skips) {
    const what =
      names.length === 1 ? `"${names[0]}"` : `${names.length} tests, "${names[0]}" among them`;
    yield `  ${what}\n    ${key}\n`;
  }
  yield `\ntests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`;
}

// node:test loads a reporter by its default export.
// biome-ignore lint/style/noDefaultExport: the interface of --test-reporter
export default report;
