/** Starts the tests that were imported before it, and posts what came of them. */
import { runAll } from "./test.ts";

const post = (path: string, text: string): Promise<unknown> =>
  fetch(path, { method: "POST", body: text });

try {
  const results = await runAll((name) => void post("/progress", name));
  await post("/result", JSON.stringify(results));
} catch (error) {
  await post(
    "/result",
    JSON.stringify({ passed: 0, failed: [String(error)], skipped: [], files: 0 }),
  );
}
