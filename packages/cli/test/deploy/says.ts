import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Resolves when the child has written `text` to stdout. */
export async function untilSays(child: ChildProcess, text: string): Promise<void> {
  let said = "";
  const ended = once(child, "close").then(() => assert.fail(`it ended, and said '${said}'`));
  while (!said.includes(text)) {
    const [chunk] = await Promise.race([once(child.stdout!, "data"), ended]);
    said += chunk;
  }
  ended.catch(() => {});
}
