/** `node:assert/strict` for a page: as much as the verifier's tests use. */
type Matcher = ((error: unknown) => unknown) | RegExp | undefined;

class AssertionError extends Error {
  override readonly name = "AssertionError";
}

function fail(message: string | undefined, said: string): never {
  throw new AssertionError(message === undefined ? said : `${message}: ${said}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item));
  return (text ?? String(value)).slice(0, 400);
}

function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return one.getTime() === (other as Date).getTime();
  if (one instanceof Map || one instanceof Set)
    return isSame([...one], [...(other as Iterable<unknown>)]);
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(
      (name) =>
        Object.hasOwn(other, name) &&
        isSame(one[name as keyof typeof one], other[name as keyof typeof other]),
    )
  );
}

function requireMatch(error: unknown, matcher: Matcher | string, message?: string): void {
  if (matcher === undefined || typeof matcher === "string") return;
  if (matcher instanceof RegExp) {
    if (!matcher.test(String(error))) fail(message, `${error} does not match ${matcher}`);
    return;
  }
  const isClass = matcher.prototype !== undefined && matcher.prototype instanceof Error;
  if (isClass && error instanceof (matcher as unknown as new () => Error)) return;
  if (isClass || matcher(error) !== true) fail(message, `${error} is not the error wanted`);
}

const assert = {
  ok(value: unknown, message?: string): void {
    if (!value) fail(message, `${show(value)} is not true`);
  },
  equal(one: unknown, other: unknown, message?: string): void {
    if (!Object.is(one, other)) fail(message, `${show(one)} is not ${show(other)}`);
  },
  notEqual(one: unknown, other: unknown, message?: string): void {
    if (Object.is(one, other)) fail(message, `both are ${show(one)}`);
  },
  deepEqual(one: unknown, other: unknown, message?: string): void {
    if (!isSame(one, other)) fail(message, `${show(one)} is not ${show(other)}`);
  },
  match(text: string, pattern: RegExp, message?: string): void {
    if (!pattern.test(text)) fail(message, `${show(text)} does not match ${pattern}`);
  },
  doesNotMatch(text: string, pattern: RegExp, message?: string): void {
    if (pattern.test(text)) fail(message, `${show(text)} matches ${pattern}`);
  },
  throws(run: () => unknown, matcher?: Matcher, message?: string): void {
    let error: unknown;
    try {
      run();
    } catch (thrown) {
      error = thrown ?? new Error("nothing thrown");
    }
    if (error === undefined) fail(message, "nothing was thrown");
    requireMatch(error, matcher, message);
  },
  async rejects(
    run: Promise<unknown> | (() => Promise<unknown>),
    matcher?: Matcher,
    message?: string,
  ): Promise<void> {
    const error = await (typeof run === "function" ? run() : run).then(
      () => undefined,
      (thrown) => thrown ?? new Error("nothing thrown"),
    );
    if (error === undefined) fail(message, "nothing was rejected");
    requireMatch(error, matcher, message);
  },
};

// node:assert is used by its default export.
// biome-ignore lint/style/noDefaultExport: the interface of node:assert
export default assert;
