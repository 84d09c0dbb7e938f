/** `node:test` for a page: collects tests by file, runs them one after the other, answers counts. */
type Run = (context: Context) => unknown;
type Hook = () => unknown;

interface Context {
  test(name: string, run: Run): Promise<void>;
}

interface File {
  readonly name: string;
  readonly tests: { readonly name: string; readonly skip: string | false; readonly run: Run }[];
  readonly before: Hook[];
  readonly beforeEach: Hook[];
  readonly after: Hook[];
}

export interface Results {
  passed: number;
  readonly failed: string[];
  readonly skipped: string[];
  readonly files: number;
}

const files: File[] = [];

export function startFile(name: string): void {
  files.push({ name, tests: [], before: [], beforeEach: [], after: [] });
}

export function test(name: string, ...rest: readonly [Run] | readonly [object, Run]): void {
  const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
  const { skip = false } = options as { skip?: string | boolean };
  current().tests.push({ name, run, skip: skip === true ? "no reason given" : skip });
}

export const before = (hook: Hook): unknown => current().before.push(hook);
export const beforeEach = (hook: Hook): unknown => current().beforeEach.push(hook);
export const after = (hook: Hook): unknown => current().after.push(hook);

export async function runAll(onTest: (name: string) => void): Promise<Results> {
  const results: Results = { passed: 0, failed: [], skipped: [], files: files.length };
  for (const file of files) {
    if (!(await attempt(results, `${file.name}: before`, () => runHooks(file.before)))) continue;
    for (const { name, skip, run } of file.tests) {
      const path = `${file.name}: ${name}`;
      onTest(path);
      if (skip !== false) results.skipped.push(`${path}: ${skip}`);
      else if (
        await attempt(results, path, async () => {
          await runHooks(file.beforeEach);
          await run({ test: (_inner, part) => runPart(part) });
        })
      )
        results.passed++;
    }
    await attempt(results, `${file.name}: after`, () => runHooks(file.after));
  }
  return results;
}

/** Parts of a test fail with it. */
async function runPart(run: Run): Promise<void> {
  await run({ test: (_inner, part) => runPart(part) });
}

async function runHooks(hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) await hook();
}

async function attempt(
  results: Results,
  name: string,
  run: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    const text = error instanceof Error ? `${error}\n${error.stack ?? ""}` : String(error);
    results.failed.push(`${name}\n${text}`.slice(0, 4000));
    return false;
  }
}

function current(): File {
  const file = files.at(-1);
  if (file === undefined) throw new Error("a test outside a file");
  return file;
}
